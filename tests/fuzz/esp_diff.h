/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp_diff.h: the same packets through OpenSSL and through every other
 * implementation of transform.h that this machine has; aborts when one bit
 * differs. Shared by a fuzzer and a unit test.
 */
#ifndef ADIT_TESTS_FUZZ_ESP_DIFF_H
#define ADIT_TESTS_FUZZ_ESP_DIFF_H

#include <stddef.h>
#include <stdint.h>

/* One batch. The input chooses algorithm, number of SAs and packets, lengths
 * and damages; when it ends, pseudo-random numbers go on. */
void esp_diff_batch(const uint8_t *input, size_t n);

/* How many implementations OpenSSL is compared with. */
size_t esp_diff_others(void);

#endif
