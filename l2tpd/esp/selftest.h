/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * selftest.h: known-answer tests of an implementation of transform.h.
 */
#ifndef ADIT_ESP_SELFTEST_H
#define ADIT_ESP_SELFTEST_H

#include <stdbool.h>

#include "l2tpd/esp/transform.h"

/* Every algorithm that t does gives the packets that other implementations
 * give, both ways, alone and in a batch, and refuses a wrong bit. */
bool esp_known_answers(const struct transform *t);

#endif
