/* SPDX-License-Identifier: ISC */
/*
 * xlat_stats.h - what a worker counts, in memory that the master reads.
 *
 * One block per worker, written by that worker alone.
 * XLAT_STAT(id, label, help): counters, which only grow.
 * Pure.
 */
#ifndef TRANSLATE_XLAT_STATS_H
#define TRANSLATE_XLAT_STATS_H

#include "common/counter.h"
#include "translate/siit.h"

#define XLAT_STATS \
	XLAT_STAT(IN4_PACKETS, "in4_packets", \
	    "IPv4 packets read, a super-packet being one") \
	XLAT_STAT(IN4_OCTETS, "in4_octets", "their octets") \
	XLAT_STAT(IN6_PACKETS, "in6_packets", "the same for IPv6") \
	XLAT_STAT(IN6_OCTETS, "in6_octets", "their octets") \
	XLAT_STAT(SUPER_PACKETS, "super_packets", \
	    "packets read that stand for several") \
	XLAT_STAT(FORWARDED, "forwarded", "packets translated") \
	XLAT_STAT(CUT, "cut", "packets translated and cut into pieces") \
	XLAT_STAT(PIECES, "pieces", "the pieces") \
	XLAT_STAT(HAIRPINNED, "hairpinned", \
	    "packets translated twice, back to where they came from") \
	XLAT_STAT(ECHO_REPLIES, "echo_replies", \
	    "pings to an address of ours answered") \
	XLAT_STAT(ICMP_ERRORS, "icmp_errors", "ICMP errors of our own") \
	XLAT_STAT(ICMP_LIMITED, "icmp_limited", \
	    "ICMP errors not sent: there were too many") \
	XLAT_STAT(LOG_DROPPED, "log_lines_dropped", \
	    "log lines dropped because nobody took them")

enum xlat_stat {
#define XLAT_STAT(id, label, help) XLAT_##id,
	XLAT_STATS
#undef XLAT_STAT
	N_XLAT_STATS
};

struct xlat_stats {
	_Alignas(64) _Atomic uint64_t heartbeat_ms;	/* monotonic; 0: never */
	_Atomic uint32_t	device_gone;	/* somebody removed the device */
	_Atomic uint64_t	value[N_XLAT_STATS];
	_Atomic uint64_t	dropped[N_DROP_REASONS];
};

const char *xlat_stat_label(enum xlat_stat);

/* Add the counters of `n` blocks to *sum, which nobody else sees. */
void xlat_stats_sum(const struct xlat_stats *, unsigned n,
    struct xlat_stats *sum);

/*
 * The counters that are not 0 as "label=number label=number"; dropped packets
 * by reason if `drops`, else all others.  Cut at the last one that fits;
 * returns the length.
 */
size_t xlat_stats_format(const struct xlat_stats *, bool drops, char *out,
    size_t room);

#endif
