/* SPDX-License-Identifier: ISC */
/*
 * client_hello.h - a whole ClientHello, read by OpenSSL's parser.
 *
 * The only file of proxyd that knows OpenSSL.  No handshake is ever made: the
 * parser runs in the client-hello callback over memory and stops there.
 */
#ifndef PROXYD_CLIENT_HELLO_H
#define PROXYD_CLIENT_HELLO_H

#include "proxyd/peek.h"

/*
 * Prepare the parser, once per process; neither this nor reading opens a
 * file, and OpenSSL's configuration is not heeded.  Returns false if there is
 * no memory.  Calling it again is harmless.
 */
bool client_hello_init(void);

/*
 * Read the TLS records in `bytes[len]`, which hold a whole ClientHello of any
 * version 3.x; after client_hello_init.  Returns NAME, NAMELESS (no SNI:
 * missing_extension, RFC 8446 9.2; an address: unrecognized_name) or REFUSE
 * with the alert OpenSSL or RFC 6066 3 demands; never MORE.  A trailing dot is
 * dropped: RFC 6066 has none, but Chromium, Firefox, Python and Node.js send
 * the URL's.  Hellos beyond OpenSSL's own bound of 128 KiB are refused.
 */
struct peek client_hello_read(const uint8_t *bytes, size_t len);

/* The parser's name and version, for people; static. */
const char *client_hello_library(void);

#endif
