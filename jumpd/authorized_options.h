/* SPDX-License-Identifier: ISC */
/*
 * authorized_options.h - the options of a line of authorized_keys; for
 * authorized_keys.c alone, whose header says what they mean.  Pure.
 */
#ifndef JUMPD_AUTHORIZED_OPTIONS_H
#define JUMPD_AUTHORIZED_OPTIONS_H

#include "jumpd/authorized_keys.h"

/*
 * Read `len` octets, 1 or more, into *key, which may have parts to release
 * (authorized_key_fini) whatever comes out.  DENY_NONE, or, with what is
 * wrong in problem[room], DENY_KEY_OPTION or DENY_NO_MEMORY.
 */
enum deny_reason authorized_options_read(const char *options, size_t len,
    struct authorized_key *key, char *problem, size_t room);

/* True if the flag stands among the options, as far as they can be read. */
bool authorized_options_have(const char *options, size_t len,
    const char *flag);

/*
 * Read YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, each with or without 'Z'.
 * Returns false for anything that is no moment from 1970 to 9999.
 */
bool authorized_expiry_read(const char *text, size_t len,
    struct authorized_expiry *ret);

#endif
