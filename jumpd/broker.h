/* SPDX-License-Identifier: ISC */
/*
 * broker.h - the process that decides: who has logged in, what may be
 * connected; and that connects.
 *
 * Forked by the parent (common/workers.h, one slot), unprivileged.  Four kinds
 * of sockets lead to it:
 *  - `channel`, workers.h's: orders (struct broker_orders with their
 *    descriptors) and, back, generations; its end means drain;
 *  - `sessions`, a SOCK_SEQPACKET pair that the parent keeps both ends of, so
 *    that a new broker goes on where the last one ended: struct
 *    broker_news messages both ways;
 *  - one pair for each session's process (broker_msg.h), which comes with
 *    BROKER_ADOPT;
 *  - `command`, to the process that runs authorized_keys_command
 *    (key_command.h).
 *
 * When a broker dies, the children see the end of their pairs: they open
 * nothing more, finish the channels they have, and end (END_BROKER_GONE).
 *
 * The parent counts a session as half-open, and ends it after
 * settings.login_ms, until the broker (never the child) says BROKER_LOGGED_IN.
 */
#ifndef JUMPD_BROKER_H
#define JUMPD_BROKER_H

#include <sys/types.h>

#include "common/sandbox.h"
#include "jumpd/settings.h"
#include "jumpd/stats.h"

/* Orders; descriptors: the settings (a sealed memfd that holds one struct
 * jumpd_settings), the mapping image, the key bundle (key_bundle.h; sealed). */
struct broker_orders {
	uint32_t	generation;
	uint64_t	image_octets;
	uint64_t	bundle_octets;
};

enum { BROKER_ORDER_FDS = 3 };

enum broker_news_kind {
	/* parent to broker */
	BROKER_ADOPT = 1,	/* a new session; with its pair's descriptor */
	BROKER_ENDED,		/* its process was reaped; `reason` is what the
				 * parent knows (SPINNING, SHED, CRASHED,
				 * LOGIN_GRACE...), END_NONE: it exited by
				 * itself, ask the child's own words */
	/* broker to parent */
	BROKER_LOGGED_IN,	/* half-open no longer */
	BROKER_REFUSED_LOGIN,	/* a failed attempt that counts (not a probe):
				 * SOURCE_FAILED_LOGIN */
	BROKER_END		/* the session must end: its process was told;
				 * kill it if it is there in a second */
};

/* One message of `sessions`; both ends are ours and the same program. */
struct broker_news {
	uint32_t	kind;		/* enum broker_news_kind */
	uint32_t	reason;		/* ENDED: enum end_reason */
	uint32_t	channels;	/* ADOPT: how many its process has room
					 * for */
	uint64_t	session;	/* the parent's number, never reused */
	struct endpoint	client;		/* ADOPT */
	struct endpoint	local;		/* ADOPT: where it connected to */
};

struct broker_start {
	int		channel;
	int		sessions;
	int		command;	/* -1: none */
	int		log_fd;
	const struct sandbox_ids *ids;
	struct jumpd_stats *stats;	/* the broker's block */
	const struct broker_orders *orders;
	const int	*fds;		/* BROKER_ORDER_FDS of them */
};

/* Be the broker.  Never returns. */
void broker_run(const struct broker_start *) __attribute__((noreturn));

#endif
