/* SPDX-License-Identifier: ISC */
/*
 * http_forwarded.h - who asks, told to the VM in the request head: RFC 7239
 * Forwarded, and the X-Forwarded-* fields that came before it.
 *
 * A VM believes these fields, so none of the client's own gets through.
 * Pure.
 */
#ifndef PROXYD_HTTP_FORWARDED_H
#define PROXYD_HTTP_FORWARDED_H

#include "common/addr.h"
#include "common/hostname.h"

/* Octets by which a rewritten head can be longer than the original. */
enum {
	HTTP_FORWARDED_ADDS_MAX = sizeof(
	    "X-Forwarded-For: \r\n"
	    "X-Forwarded-Proto: http\r\n"
	    "X-Forwarded-Host: \r\n"
	    "Forwarded: for=\"[]\";host=;proto=http\r\n") - 1 +
	    2 * (ADDR_TEXT_MAX - 1) + 2 * HOSTNAME_MAX
};

/*
 * `head[len]` is a whole request head that peek_http has found well-formed,
 * leading empty lines and the final one included.  Write it to `out`, which
 * has room for len + HTTP_FORWARDED_ADDS_MAX octets and does not overlap
 * `head`, and return the new length.
 *
 * Added, last and in this order: X-Forwarded-For, the address of `client`;
 * X-Forwarded-Proto, "http"; X-Forwarded-Host, `host`; Forwarded, with all
 * three (RFC 7239 4 to 6).  `host` is the normalised name of the request; if
 * it is "", neither X-Forwarded-Host nor a host parameter is written.
 *
 * Removed: every field of these four names, and X-Forwarded-Port and
 * X-Real-IP, which servers trust as well.  Names are compared regardless of
 * case, and any octet but a letter or digit is as good as '-', since it is so
 * once a server has made a variable such as HTTP_X_FORWARDED_FOR of the field
 * (RFC 3875 4.1.18).
 *
 * A Connection field that lists one of the six names, which would have the
 * VM drop what we added (RFC 9110 7.6.1), is written anew with its other
 * tokens, and left out if it has none.  Everything else stays as it was, in
 * its order.
 */
size_t http_forwarded_rewrite(const uint8_t *head, size_t len,
    const struct endpoint *client, const char *host, uint8_t *out);

#endif
