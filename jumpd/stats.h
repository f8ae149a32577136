/* SPDX-License-Identifier: ISC */
/*
 * stats.h - what jumpd counts, in memory that its processes share.
 *
 * Two blocks: the parent's and the broker's, each written by one process alone
 * and summed by whoever reads.  JUMPD_STAT(id, label, kind, help): a counter
 * only grows and survives its process; a gauge describes the running one and
 * is cleared when that ends.
 */
#ifndef JUMPD_STATS_H
#define JUMPD_STATS_H

#include "common/counter.h"
#include "jumpd/deny_reasons.h"
#include "jumpd/end_reasons.h"

#define JUMPD_STATS \
	/* the parent's */ \
	JUMPD_STAT(ACCEPTED, "connections_accepted", COUNTER, \
	    "connections accepted") \
	JUMPD_STAT(SESSIONS, "connections", GAUGE, "connections now") \
	JUMPD_STAT(HALF_OPEN, "connections_half_open", GAUGE, \
	    "connections that have not logged in yet") \
	/* the broker's */ \
	JUMPD_STAT(LOGINS, "logins", COUNTER, "logins accepted") \
	JUMPD_STAT(CHANNELS, "channels", GAUGE, "connected channels now") \
	JUMPD_STAT(CONNECTED, "channels_connected", COUNTER, \
	    "channels connected to a target") \
	JUMPD_STAT(UP_OCTETS, "up_octets", COUNTER, \
	    "octets sent to targets, as channels ended") \
	JUMPD_STAT(DOWN_OCTETS, "down_octets", COUNTER, \
	    "octets sent to clients, as channels ended") \
	JUMPD_STAT(LOOKUPS, "dns_lookups", COUNTER, \
	    "names asked of name servers") \
	JUMPD_STAT(COMMANDS, "key_commands", COUNTER, \
	    "runs of authorized_keys_command") \
	JUMPD_STAT(LOG_DROPPED, "log_lines_dropped", COUNTER, \
	    "log lines dropped because nobody took them")

enum jumpd_stat {
#define JUMPD_STAT(id, label, kind, help) JUMPD_STAT_##id,
	JUMPD_STATS
#undef JUMPD_STAT
	N_JUMPD_STATS
};

struct jumpd_stats {
	/* monotonic; 0: never */
	_Alignas(64) _Atomic uint64_t heartbeat_ms;
	_Atomic uint64_t	value[N_JUMPD_STATS];
	_Atomic uint64_t	denied[N_DENY_REASONS];
	_Atomic uint64_t	ended[N_END_REASONS];
};

const char *jumpd_stat_label(enum jumpd_stat);
const char *jumpd_stat_help(enum jumpd_stat);

/* A process has ended: its gauges are 0. */
void jumpd_stats_ended(struct jumpd_stats *);

/* Sum `n` blocks into one, which nobody else sees. */
void jumpd_stats_sum(const struct jumpd_stats *, unsigned n,
    struct jumpd_stats *ret);

#endif
