/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_esp_crypto.c: batches of ESP packets through every implementation of
 * the crypto; esp_diff.c says what the bytes mean.
 */
#include "tests/fuzz/esp_diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	esp_diff_batch(data, size);
	return 0;
}
