/* SPDX-License-Identifier: ISC */
#include "jumpd/target.h"

#include <stdio.h>
#include <string.h>

/* IPv4 inside IPv6, in the forms that a literal may have: v4-mapped and
 * v4-compatible.  "::" and "::1" are for egress.h to refuse. */
static bool
holds_v4(const struct addr *addr)
{
	static const uint8_t zero[12];

	if (addr_is_v4(addr))
		return true;
	return memcmp(addr->octet, zero, 12) == 0 &&
	    (addr->octet[12] | addr->octet[13] | addr->octet[14]) != 0;
}

static enum deny_reason
parse_address(const char *text, size_t len, struct addr *ret)
{
	const char *zone = memchr(text, '%', len);
	struct addr addr;

	if (!addr_parse(text, zone != NULL ? (size_t)(zone - text) : len,
		&addr))
		return DENY_TARGET_SYNTAX;
	if (zone != NULL)
		return DENY_TARGET_ZONE;
	if (holds_v4(&addr))
		return DENY_TARGET_IPV4;
	*ret = addr;
	return DENY_NONE;
}

static enum deny_reason
parse_name(const char *text, size_t len, struct jump_target *t)
{
	size_t name_len;

	switch (hostname_normalise((const uint8_t *)text, len, t->name,
	    &name_len)) {
	case HOSTNAME_OK:
		t->kind = JUMP_TARGET_NAME;
		t->name_len = (uint8_t)name_len;
		return DENY_NONE;
	case HOSTNAME_IS_ADDRESS:
		return DENY_TARGET_IPV4;
	case HOSTNAME_EMPTY:
	case HOSTNAME_TOO_LONG:
	case HOSTNAME_LABEL_EMPTY:
	case HOSTNAME_LABEL_TOO_LONG:
	case HOSTNAME_LABEL_HYPHEN:
	case HOSTNAME_BAD_CHAR:
	case HOSTNAME_NOT_ASCII:
		break;
	}
	return DENY_TARGET_SYNTAX;
}

enum deny_reason
jump_target_parse(const void *host, size_t len, uint32_t port,
    struct jump_target *ret)
{
	struct jump_target t = { .kind = JUMP_TARGET_ADDRESS };
	const char *text = host;
	enum deny_reason reason;

	if (len == 0 || memchr(text, '\0', len) != NULL)
		return DENY_TARGET_SYNTAX;
	if (text[0] == '[') {
		if (len < 3 || text[len - 1] != ']' ||
		    memchr(text, ':', len) == NULL)
			return DENY_TARGET_SYNTAX;
		reason = parse_address(text + 1, len - 2, &t.addr);
	} else if (memchr(text, ':', len) != NULL)
		reason = parse_address(text, len, &t.addr);
	else
		reason = parse_name(text, len, &t);
	if (reason != DENY_NONE)
		return reason;
	if (port == 0 || port > UINT16_MAX)
		return DENY_TARGET_PORT;
	t.port = (uint16_t)port;
	*ret = t;
	return DENY_NONE;
}

char *
jump_target_format(const struct jump_target *t, char out[JUMP_TARGET_TEXT_MAX])
{
	struct endpoint ep = { .addr = t->addr, .port = t->port };

	if (t->kind == JUMP_TARGET_ADDRESS)
		return endpoint_format(&ep, out);
	snprintf(out, JUMP_TARGET_TEXT_MAX, "%.*s:%u", t->name_len, t->name,
	    t->port);
	return out;
}
