/* SPDX-License-Identifier: ISC */
/*
 * settings.h - what jumpd's processes need to know at run time.
 *
 * A plain value of fixed size without pointers, so that the parent can give
 * it to the running broker (in a sealed memfd) on reload.  jumpd_config.h
 * makes one; jumpd.conf(5) describes each setting.
 */
#ifndef JUMPD_SETTINGS_H
#define JUMPD_SETTINGS_H

#include "jumpd/auth_policy.h"
#include "jumpd/egress.h"
#include "jumpd/scan_guard.h"
#include "jumpd/source_table.h"

enum {
	JUMPD_LISTENERS_MAX = 64,
	JUMPD_SOURCES_MAX = 16,
	JUMPD_RESOLVERS_MAX = 4,
	JUMPD_BANNER_MAX = 4096,
	JUMPD_CHANNELS_MAX = 4096	/* of a session, whatever the limits */
};

/* What the broker holds at once; 0 is not allowed. */
struct broker_limits {
	uint32_t	pending;		/* channels being opened */
	uint32_t	pending_per_source;
	uint32_t	pending_per_session;
	uint32_t	addresses;	/* of a name that are tried, 1-16 */
	uint32_t	commands;	/* authorized_keys_command at once */
};

struct jumpd_settings {
	struct auth_policy	auth;
	struct egress_policy	egress;
	struct source_limits	source;		/* the parent's */
	struct scan_limits	scan;
	struct broker_limits	broker;

	/* timeouts, in milliseconds */
	uint32_t	login_ms;	/* from accept to logged in */
	uint32_t	connect_ms;	/* one address of a target */
	uint32_t	open_ms;	/* a channel's look-up and connects */
	uint32_t	dns_ms;		/* one look-up */
	uint32_t	command_ms;	/* one run of the command */
	uint32_t	session_idle_ms;	/* 0: off */
	uint32_t	session_ms;		/* 0: off */
	uint32_t	channel_idle_ms;	/* 0: off */
	uint32_t	shutdown_ms;	/* SIGTERM waits for sessions */
	uint32_t	client_alive_ms;	/* SSH keepalives; 0: off */
	uint32_t	client_alive_count;

	/* TCP keepalive towards clients and targets */
	uint32_t	keepalive_idle_ms;	/* whole seconds */
	uint32_t	keepalive_interval_ms;	/* whole seconds */
	uint32_t	keepalive_count;

	uint32_t	rekey_octets;	/* 0: the library's default */
	bool		command;	/* there is authorized_keys_command */
	uint32_t	command_cache_ms;	/* 0: results are not kept */
	bool		log_connections;	/* lines per channel, session */
	bool		reload_kills_denied;

	bool		dns;		/* names that are not mapped */
	uint32_t	n_resolvers;	/* at least 1 if dns */
	struct endpoint	resolver[JUMPD_RESOLVERS_MAX];

	uint32_t	n_sources;	/* 0: the kernel chooses */
	struct addr	source_address[JUMPD_SOURCES_MAX];	/* IPv6 */
	bool		has_embed_prefix;
	struct prefix	embed_prefix;	/* /96; in egress.embed too */

	uint32_t	banner_len;	/* 0: none */
	char		banner[JUMPD_BANNER_MAX];	/* no NUL */
};

/* How many channels a session may have: 1 to JUMPD_CHANNELS_MAX. */
static inline uint32_t
settings_channels(const struct jumpd_settings *settings)
{
	uint32_t most = settings->scan.session_channels;

	return most == 0 || most > JUMPD_CHANNELS_MAX ? JUMPD_CHANNELS_MAX :
							most;
}

#endif
