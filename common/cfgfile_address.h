/* SPDX-License-Identifier: ISC */
/*
 * cfgfile_address.h - the addresses of a configuration file: where to listen,
 * what to send from, and the prefixes of targets.
 */
#ifndef COMMON_CFGFILE_ADDRESS_H
#define COMMON_CFGFILE_ADDRESS_H

#include <stdio.h>

#include "common/cfgfile.h"
#include "common/prefix.h"

enum cfgfile_addr_kind {
	ADDR_UNICAST,
	ADDR_UNSPECIFIED,	/* 0.0.0.0 or :: */
	ADDR_MULTICAST,		/* or reserved, or broadcast */
	ADDR_LINK_LOCAL		/* IPv6; needs a zone, which we have not */
};

enum cfgfile_addr_kind cfgfile_addr_kind(const struct addr *);

/* Read the address of a listener.  Returns false after reporting one on which
 * nothing can listen. */
bool cfgfile_listener_address(struct cfgfile *,
    const struct config_setting_t *, const char *value, struct addr *ret);

/* True if a socket on one would keep the other from being bound. */
bool cfgfile_listeners_overlap(const struct endpoint *,
    const struct endpoint *);

/* True if a listener on `at`, which is ::, listens on this IPv6 address. */
bool cfgfile_listens_on(const struct endpoint *at, const struct addr *);

/* `source` of the file: up to `max` IPv6 addresses to send from, put into
 * out[].  Returns how many. */
uint32_t cfgfile_sources(struct cfgfile *, struct addr *out, uint32_t max);

/* `nat64_prefixes`: up to `max`, of a length that RFC 6052 2.2 has. */
uint16_t cfgfile_nat64_prefixes(struct cfgfile *, struct prefix *out,
    uint16_t max);

/*
 * `embed_prefix`, if there is one: a /96 that can be the source of
 * connections and has nothing in common with `nat64` and does not have all of
 * one of `allow`.  Returns true if it is set, even if that was reported.
 */
bool cfgfile_embed_prefix(struct cfgfile *, const struct prefix *nat64,
    unsigned n_nat64, const struct prefix *allow, unsigned n_allow,
    const char *allow_name, struct prefix *ret);

/* Print a list of prefixes or addresses so that it is read again: IPv4 as
 * ::ffff:192.0.2.0. */
void cfgfile_print_prefixes(const char *name, const struct prefix *,
    uint32_t n, FILE *out);
void cfgfile_print_addresses(const char *name, const struct addr *, uint32_t n,
    FILE *out);
void cfgfile_print_v6(const struct addr *, FILE *out);

#endif
