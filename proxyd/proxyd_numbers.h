/* SPDX-License-Identifier: ISC */
/*
 * proxyd_numbers.h - the numbers of proxyd.conf.
 */
#ifndef PROXYD_PROXYD_NUMBERS_H
#define PROXYD_PROXYD_NUMBERS_H

#include "common/cfgfile_numbers.h"

/* Offsets are in struct proxyd_settings. */
extern const struct cfgfile_number proxyd_numbers[];

#endif
