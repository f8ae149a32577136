/* SPDX-License-Identifier: ISC */
/*
 * parent_state.h - what the parent knows; for parent*.c only.
 */
#ifndef JUMPD_PARENT_STATE_H
#define JUMPD_PARENT_STATE_H

#include <event2/event.h>
#include <sys/types.h>

#include "common/deadline.h"
#include "common/log_writer.h"
#include "common/mapping_compile.h"
#include "common/token_bucket.h"
#include "common/workers.h"
#include "jumpd/generation.h"
#include "jumpd/source_table.h"
#include "jumpd/worker.h"

enum {
	TICK_MS = 100,
	SESSIONS_MAX = 16384,
	PID_CHAINS = 16384,	/* a power of two */
	SESSION_MEMORY_OCTETS = 192 << 20	/* of one, beside what all
						 * have */
};

#define NO_SESSION UINT32_MAX

/* A session: a process, from its fork until the broker knows that it ended. */
struct parent_session {
	struct source_ticket ticket;
	struct deadline	 login;		/* set while it is half-open */
	struct deadline	 ending;	/* set when the broker told it to end */
	pid_t		 pid;		/* 0: none (any more) */
	uint32_t	 next;		/* in its chain, or free ones */
	uint64_t	 number;	/* never reused */
	struct endpoint	 client, local;
	enum end_reason	 end;		/* why we ended it; NONE: we did not */
	bool		 logged_in, failed;	/* says the broker */
	bool		 told_to_end;	/* likewise */
	bool		 untold;	/* it ended, and the broker could not
					 * be told yet */
	unsigned	 broker;	/* which one it was given to */

	/* The watch for processes that spin. */
	uint64_t	 busy_ms;	/* since when busy without moving */
	uint64_t	 busy_cpu_ms, busy_moved;	/* then */
};

enum { STATS_PARENT, STATS_BROKER, N_STATS };	/* whose counters */

struct parent {
	struct event_base *base;	/* owned */
	struct event	*signal_event, *tick_event;	/* owned */
	struct event	*compile_event;	/* owned; NULL: no reload */
	struct event	*sessions_event;	/* owned */
	struct event	*accept_event[JUMPD_LISTENERS_MAX];	/* owned */
	uint32_t	 n_accept_events;
	int		 signals;	/* owned; a signalfd */
	struct sandbox_ids ids;
	struct log_writer log;
	struct jumpd_stats *stats;	/* mapped; N_STATS */
	struct workers	*workers;	/* owned: the broker's slot */
	unsigned	 broker;	/* how many there have been */
	int		 to_broker, of_broker;	/* owned; `sessions` */
	int		 to_command, of_command;	/* owned; `command` */
	pid_t		 command_pid;	/* 0: none */
	bool		 command_due;	/* start another at the next tick */

	struct generation now;
	struct jumpd_config *next;	/* owned; being taken over */
	struct mapping_compile compile;
	bool		 reload_again;
	bool		 ready, stopping;
	bool		 drained;	/* the broker was told to end */
	uint64_t	 stop_ms;	/* when what is left is stopped */
	uint64_t	 kill_ms;	/* ... and killed */

	struct source_table *sources;	/* owned */
	struct deadline_list logins, endings;
	struct parent_session *session;	/* owned; SESSIONS_MAX */
	uint32_t	 free_session, n_sessions, high_session;
	uint32_t	 n_untold;
	uint32_t	 chain[PID_CHAINS];
	uint64_t	 sequence;
	struct worker_slot *slots;	/* mapped; SESSIONS_MAX */
	int		 null_fd, empty_root;	/* owned */
	uint64_t	 memory_octets;
	uint64_t	 watched_ms;
	struct token_bucket refused_lines;
	uint64_t	 refused_silently;
};

/* --- parent_accept.c ------------------------------------------------------ */

/* Watch the listeners of `now`, or none. */
void parent_listen(struct parent *);
void parent_stop_listening(struct parent *);

/* --- parent_session.c ----------------------------------------------------- */

void parent_sessions_init(struct parent *);
void parent_sessions_fini(struct parent *);

/* Room for one, or NULL. */
struct parent_session *parent_session_take(struct parent *);
/* It was not begun after all. */
void parent_session_give_back(struct parent *, struct parent_session *);
/* Its process runs. */
void parent_session_begun(struct parent *, struct parent_session *, pid_t);
/* End its process, and remember why. */
void parent_session_end(struct parent_session *, enum end_reason);

/* A child ended, as waitpid says: true if it was a session's. */
bool parent_session_reaped(struct parent *, pid_t, int status);

/* What the broker says. */
void parent_hear_broker(struct parent *);

/* Time: logins that take too long, processes that spin. */
void parent_sessions_tick(struct parent *, uint64_t now_ms);

/* All sessions: finish what you have (the first time), or stop. */
void parent_sessions_signal(struct parent *, int sig, enum end_reason);

/* --- parent_reload.c ------------------------------------------------------ */

void parent_reload(struct parent *);

/* --- parent_start.c ------------------------------------------------------- */

/*
 * Rights, shared memory, sockets, the first generation and the log.  Returns
 * false after reporting to stderr what is wrong with the configuration.
 */
bool parent_prepare(struct parent *, struct jumpd_config *);
/* When all is allocated: what a session's process may have beside it. */
void parent_bound_memory(struct parent *);

/* --- parent_broker.c ------------------------------------------------------ */

void parent_start_broker(struct parent *);
/* Start, or replace, the process for authorized_keys_command. */
void parent_start_command(struct parent *);

#endif
