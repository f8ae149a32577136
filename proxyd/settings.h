/* SPDX-License-Identifier: ISC */
/*
 * settings.h - what a worker needs to know at run time.
 *
 * A plain value of fixed size without pointers, so that the master can send
 * it to running workers on reload.  proxyd_config.h makes one; proxyd.conf(5)
 * describes each setting.
 */
#ifndef PROXYD_SETTINGS_H
#define PROXYD_SETTINGS_H

#include "common/target_policy.h"

enum {
	PROXYD_LISTENERS_MAX = 64,
	PROXYD_WORKERS_MAX = 64,
	PROXYD_SOURCES_MAX = 16,
	PROXYD_ACCEPT_PROXY_MAX = 16
};

/*
 * Who may, and then must, send a PROXY header on a listener; n = 0: nobody.
 * IPv4 peers are found in IPv4 prefixes, and in ::/0.
 */
struct proxyd_accept_proxy {
	uint32_t	n;
	struct prefix	prefix[PROXYD_ACCEPT_PROXY_MAX];
};

struct proxyd_settings {
	/* timeouts */
	uint32_t	peek_ms;	/* the whole peek phase */
	uint32_t	connect_ms;	/* one attempt at one target */
	uint32_t	idle_ms;	/* relay without a byte either way */
	uint32_t	drain_ms;	/* one side has finished */
	uint32_t	shutdown_ms;	/* SIGTERM waits for connections */
	uint32_t	removed_ms;	/* a relay of a name that is gone */

	/* TCP keepalive, both sides */
	uint32_t	keepalive_idle_ms;	/* whole seconds */
	uint32_t	keepalive_interval_ms;	/* whole seconds */
	uint32_t	keepalive_count;

	/* limits; those of admission.h are over all workers, 0: none */
	uint32_t	http_head_octets;
	uint32_t	client_hello_octets;	/* on the wire */
	uint32_t	connections_max;	/* in total; descriptors are
						 * a limit too */
	uint32_t	per_client_max;	/* connections of an IPv4 address or
					 * an IPv6 /64 */
	uint32_t	per_name_max;	/* connections */
	uint32_t	client_rate;	/* new ones of a client per second */
	uint32_t	client_burst;	/* new ones at once; never 0 if there
					 * is a client_rate */

	bool		log_connections;	/* a line per connection */
	bool		reload_closes_removed;	/* after removed_ms */

	bool		has_default_target;
	struct addr	default_target;		/* for names not mapped */

	uint32_t	n_sources;	/* 0: the kernel chooses */
	struct addr	source[PROXYD_SOURCES_MAX];	/* IPv6 */

	bool		has_embed_prefix;	/* without, MAPPING_SOURCE_EMBED
						 * is not to be followed */
	struct prefix	embed_prefix;	/* /96; in targets.embed too */

	struct target_policy targets;
};

#endif
