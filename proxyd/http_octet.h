/* SPDX-License-Identifier: ISC */
/*
 * http_octet.h - what HTTP's grammar calls its octets.  Pure.
 */
#ifndef PROXYD_HTTP_OCTET_H
#define PROXYD_HTTP_OCTET_H

#include <stdbool.h>
#include <stdint.h>

/* RFC 9110 5.6.2: what methods, field names and codings are made of. */
bool http_octet_is_tchar(uint8_t);

/* SP or HTAB: OWS and BWS are made of them (RFC 9110 5.6.3). */
bool http_octet_is_space(uint8_t);

/* What no field value may contain (RFC 9110 5.5): a control but HTAB. */
bool http_octet_is_control(uint8_t);

#endif
