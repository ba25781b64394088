/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h: domain names as DNS writes them (RFC 1035 3.1). Pure.
 */
#ifndef ADIT_SERVICES_NAMES_H
#define ADIT_SERVICES_NAMES_H

#include <stddef.h>

#include "base/wr.h"

/* count names, texts one behind the other, each with its zero; valid ones (the
 * configuration checked them). What does not fit fails w. */
void names_put(struct wr *w, const char *names, size_t count);

#endif
