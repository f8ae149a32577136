/* SPDX-License-Identifier: ISC */
/*
 * jumpd_numbers.h - the numbers of jumpd.conf.
 */
#ifndef JUMPD_JUMPD_NUMBERS_H
#define JUMPD_JUMPD_NUMBERS_H

#include "common/cfgfile_numbers.h"

/* Offsets are in struct jumpd_settings. */
extern const struct cfgfile_number jumpd_numbers[];

#endif
