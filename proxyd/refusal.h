/* SPDX-License-Identifier: ISC */
/*
 * refusal.h - what each protocol says to a client that is turned away.
 *
 * Pure.
 */
#ifndef PROXYD_REFUSAL_H
#define PROXYD_REFUSAL_H

#include "proxyd/close_reasons.h"
#include "proxyd/peek.h"

enum { REFUSAL_MAX = 1536 };	/* octets of the longest refusal */

/*
 * Write a whole HTTP/1.1 response for people to read: text/plain, nosniff,
 * Connection: close; no body after a HEAD request.  `name` is the
 * normalised host or "" if it is not known.  400 says what was wrong, 404
 * which host is not mapped here and what its owner should do, 408, 431, 502,
 * 503, 504 and 505 what happened.  Returns its length, or 0 if nothing
 * should be said for this reason (CLIENT_SILENT, CLIENT_RESET, DONE...).
 */
size_t refusal_http(enum close_reason, const char *name, bool head_method,
    char out[REFUSAL_MAX]);

/*
 * Write the fatal alert record for a reason; `alert` is the peek's, 0 if
 * none.  unrecognized_name (112) for NOT_MAPPED, internal_error (80) when
 * the VM cannot be reached.  Returns its length, or 0 if nothing should be
 * said.
 */
size_t refusal_tls(enum close_reason, uint8_t alert, char out[REFUSAL_MAX]);

#endif
