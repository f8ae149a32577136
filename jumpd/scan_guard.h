/* SPDX-License-Identifier: ISC */
/*
 * scan_guard.h - a jump host is no scanner's relay.
 *
 * Limits for each source (an IPv4 address or an IPv6 /64, source_table.h) and
 * each target (address and port), over all sessions.  Rates are token buckets
 * whose burst is the limit itself.  Distinct targets are counted in windows
 * of an hour that begin with a source's first target: so no hour of a source
 * has more than twice the limit.  A target that is asked for again within a
 * window is not counted again.
 *
 * Memory is of fixed size; a full set forgets what is closest to being
 * without meaning.  Forgotten targets are counted again: an error is on the
 * strict side.  Only what a source has used of a target's limit is forgotten
 * in its favour.
 *
 * Pure: the caller says what time it is (monotonic).
 */
#ifndef JUMPD_SCAN_GUARD_H
#define JUMPD_SCAN_GUARD_H

#include "common/addr.h"
#include "common/prefix.h"
#include "common/siphash.h"
#include "jumpd/deny_reasons.h"

struct scan_limits {			/* 0: no limit */
	uint32_t	session_channels;	/* open at once in a session */
	uint32_t	session_opens;		/* in all its life */
	uint32_t	source_opens;		/* per minute */
	uint32_t	source_targets;		/* distinct ones per hour */
	uint32_t	source_failed_dials;	/* per minute */
	uint32_t	target_opens;		/* per minute, of all sources */
	uint32_t	source_target_opens;	/* of these, of one source */
};

struct scan_guard;

/* What a session has done; all zero at its beginning. */
struct scan_session {
	uint32_t	channels;	/* open or being opened now */
	uint32_t	opens;		/* ever asked for */
};

/* `n_sources` and `n_targets`: how many are remembered, powers of two from
 * 64 to 2^20.  Returns NULL if there is no memory. */
struct scan_guard *scan_guard_new(uint32_t n_sources, uint32_t n_targets,
    const struct siphash_key *);
void scan_guard_free(struct scan_guard *);

/*
 * A channel is asked for, before its name is looked up.  DENY_NONE: it counts
 * in session->channels until scan_guard_close().  Else SESSION_CHANNELS,
 * SESSION_OPENS, SOURCE_OPENS or SOURCE_FAILED_DIALS; the attempt counts as
 * an open of the session anyway.
 */
enum deny_reason scan_guard_open(struct scan_guard *,
    const struct scan_limits *, struct scan_session *,
    const struct addr *client, uint64_t now_ms);

/* That channel is gone, or was never connected. */
void scan_guard_close(struct scan_session *);

/*
 * It is to be connected to `to`, which policy allows.  DENY_NONE,
 * SOURCE_TARGETS, TARGET_OPENS or SOURCE_TARGET_OPENS.  Without a limit of
 * target_opens there is none of a source's part of it.
 */
enum deny_reason scan_guard_target(struct scan_guard *,
    const struct scan_limits *, const struct addr *client,
    const struct endpoint *to, uint64_t now_ms);

/* A connection to a target, or the look-up of a name, failed. */
void scan_guard_failed(struct scan_guard *, const struct scan_limits *,
    const struct addr *client, uint64_t now_ms);

#endif
