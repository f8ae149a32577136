/* SPDX-License-Identifier: ISC */
#include "common/cfgfile_address.h"

#include <string.h>

#include "common/cfgfile_text.h"
#include "common/cfgfile_values.h"

enum cfgfile_addr_kind
cfgfile_addr_kind(const struct addr *addr)
{
	static const struct addr any6;
	static const struct addr any4 = {
		.octet = { [10] = 0xff, [11] = 0xff }
	};

	if (addr_equal(addr, &any6) || addr_equal(addr, &any4))
		return ADDR_UNSPECIFIED;
	if (addr->octet[0] == 0xff ||
	    (addr_is_v4(addr) && addr->octet[12] >= 224))
		return ADDR_MULTICAST;
	if (addr->octet[0] == 0xfe && (addr->octet[1] & 0xc0) == 0x80)
		return ADDR_LINK_LOCAL;
	return ADDR_UNICAST;
}

static bool
is_wildcard(const struct addr *addr)
{
	return cfgfile_addr_kind(addr) == ADDR_UNSPECIFIED;
}

bool
cfgfile_listeners_overlap(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port &&
	    addr_is_v4(&a->addr) == addr_is_v4(&b->addr) &&
	    (addr_equal(&a->addr, &b->addr) || is_wildcard(&a->addr) ||
	    is_wildcard(&b->addr));
}

bool
cfgfile_listens_on(const struct endpoint *at, const struct addr *addr)
{
	return !addr_is_v4(&at->addr) && !addr_is_v4(addr) &&
	    is_wildcard(&at->addr);
}

bool
cfgfile_listener_address(struct cfgfile *cfgfile,
    const struct config_setting_t *setting, const char *value,
    struct addr *ret)
{
	static const char *const problem[] = {
		[ADDR_MULTICAST] = "a multicast or reserved",
		[ADDR_LINK_LOCAL] = "a link-local"
	};
	char text[CFGFILE_QUOTED_MAX];
	enum cfgfile_addr_kind kind;

	cfgfile_quoted(value, text);
	if (!addr_parse(value, strlen(value), ret)) {
		cfgfile_problem(cfgfile, setting,
		    "%s is not an IPv4 or IPv6 address", text);
		return false;
	}
	kind = cfgfile_addr_kind(ret);
	if (kind == ADDR_UNICAST || kind == ADDR_UNSPECIFIED)
		return true;
	cfgfile_problem(cfgfile, setting, "%s is %s address", text,
	    problem[kind]);
	return false;
}

uint32_t
cfgfile_sources(struct cfgfile *cfgfile, struct addr *out, uint32_t max)
{
	const struct config_setting_t *list, *setting;
	char text[CFGFILE_QUOTED_MAX];
	struct addr addr;
	const char *value;
	uint32_t n, found = 0;

	list = cfgfile_strings(cfgfile, cfgfile_root(cfgfile), "source", 0,
	    max, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		if (!addr_parse(value, strlen(value), &addr) ||
		    addr_is_v4(&addr))
			cfgfile_problem(cfgfile, setting,
			    "%s is not an IPv6 address",
			    cfgfile_quoted(value, text));
		else if (cfgfile_addr_kind(&addr) != ADDR_UNICAST)
			cfgfile_problem(cfgfile, setting,
			    "%s cannot be the source of a connection",
			    cfgfile_quoted(value, text));
		else
			out[found++] = addr;
	}
	return found;
}

uint16_t
cfgfile_nat64_prefixes(struct cfgfile *cfgfile, struct prefix *out,
    uint16_t max)
{
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;
	uint16_t found = 0;

	list = cfgfile_strings(cfgfile, cfgfile_root(cfgfile),
	    "nat64_prefixes", 0, max, &n);
	for (uint32_t i = 0; i < n; i++) {
		struct prefix *prefix = &out[found];

		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL ||
		    !cfgfile_prefix(cfgfile, setting, value, false,
		    prefix))
			continue;
		/* RFC 6052 2.2 */
		if (prefix->len == 96 || (prefix->len >= 32 &&
		    prefix->len <= 64 && prefix->len % 8 == 0))
			found++;
		else
			cfgfile_problem(cfgfile, setting, "the length must be "
			    "32, 40, 48, 56, 64 or 96, not %u", prefix->len);
	}
	return found;
}

/* The first of `list` that has an address in common with `prefix`, or NULL. */
static const struct prefix *
overlapping(const struct prefix *list, unsigned n, const struct prefix *prefix)
{
	for (unsigned i = 0; i < n; i++)
		if (prefix_within(&list[i], prefix) ||
		    prefix_within(prefix, &list[i]))
			return &list[i];
	return NULL;
}

/* The first of `list` that lies within `prefix`, or NULL. */
static const struct prefix *
inside(const struct prefix *list, unsigned n, const struct prefix *prefix)
{
	for (unsigned i = 0; i < n; i++)
		if (prefix_within(&list[i], prefix))
			return &list[i];
	return NULL;
}

/* Addresses that a VM may see as a connection's source and answer to. */
static bool
can_be_sources(const struct prefix *prefix)
{
	static const struct prefix special_but_usable[] = {
		{ { { 0xfc } }, 7 },		/* unique local, RFC 4193 */
		{ { { 0, 0x64, 0xff, 0x9b, 0, 1 } }, 48 }	/* RFC 8215 */
	};

	return special_range_find(&prefix->addr) == NULL ||
	    overlapping(special_but_usable, 2, prefix) != NULL;
}

bool
cfgfile_embed_prefix(struct cfgfile *cfgfile, const struct prefix *nat64,
    unsigned n_nat64, const struct prefix *allow, unsigned n_allow,
    const char *allow_name, struct prefix *ret)
{
	char text[CFGFILE_QUOTED_MAX], other[PREFIX_TEXT_MAX];
	const struct config_setting_t *setting;
	const struct prefix *bad_nat64, *bad_allow;
	struct prefix prefix;
	const char *value;

	setting = cfgfile_string(cfgfile, cfgfile_root(cfgfile),
	    "embed_prefix", &value);
	if (setting == NULL || value[0] == '\0' ||
	    !cfgfile_prefix(cfgfile, setting, value, false, &prefix))
		return false;
	bad_nat64 = overlapping(nat64, n_nat64, &prefix);
	bad_allow = inside(allow, n_allow, &prefix);
	cfgfile_quoted(value, text);
	if (prefix.len != 96)
		cfgfile_problem(cfgfile, setting,
		    "the length must be 96, not %u", prefix.len);
	else if (!can_be_sources(&prefix))
		cfgfile_problem(cfgfile, setting,
		    "%s cannot be the source of a connection", text);
	else if (bad_nat64 != NULL)
		cfgfile_problem(cfgfile, setting,
		    "%s overlaps %s of nat64_prefixes", text,
		    prefix_format(bad_nat64, other));
	else if (bad_allow != NULL)
		cfgfile_problem(cfgfile, setting,
		    "%s is never a target, but has all of %s of %s", text,
		    prefix_format(bad_allow, other), allow_name);
	*ret = prefix;
	return true;
}

/* --- printing --------------------------------------------------------------- */

void
cfgfile_print_v6(const struct addr *addr, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	fprintf(out, "%s%s", addr_is_v4(addr) ? "::ffff:" : "",
	    addr_format(addr, text));
}

void
cfgfile_print_prefixes(const char *name, const struct prefix *prefix,
    uint32_t n, FILE *out)
{
	fprintf(out, "%s = [", name);
	for (uint32_t i = 0; i < n; i++) {
		fputs(i == 0 ? "\n\t\"" : ",\n\t\"", out);
		cfgfile_print_v6(&prefix[i].addr, out);
		fprintf(out, "/%u\"", prefix[i].len);
	}
	fputs(n == 0 ? "];\n" : "\n];\n", out);
}

void
cfgfile_print_addresses(const char *name, const struct addr *addr, uint32_t n,
    FILE *out)
{
	fprintf(out, "%s = [", name);
	for (uint32_t i = 0; i < n; i++) {
		fputs(i == 0 ? "\n\t\"" : ",\n\t\"", out);
		cfgfile_print_v6(&addr[i], out);
		fputc('"', out);
	}
	fputs(n == 0 ? "];\n" : "\n];\n", out);
}
