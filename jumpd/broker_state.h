/* SPDX-License-Identifier: ISC */
/*
 * broker_state.h - what the broker's files have of each other; nobody else
 * includes it.
 *
 *	broker.c		life, time, rights
 *	broker_orders.c		settings, mapping and keys, first and anew
 *	broker_sessions.c	sessions come and go; what the parent is told
 *	broker_session.c	what a child says
 *	broker_login.c		LOGIN: who is it?
 *	broker_command.c	runs of authorized_keys_command
 *	broker_open.c		OPEN: from a name to addresses
 *	broker_dial.c		from addresses to a connected descriptor
 *	broker_channel.c	what is connected
 *	broker_log.c		lines for the log
 */
#ifndef JUMPD_BROKER_STATE_H
#define JUMPD_BROKER_STATE_H

#include "common/deadline.h"
#include "common/loop.h"
#include "common/mapping.h"
#include "common/token_bucket.h"
#include "jumpd/broker.h"
#include "jumpd/broker_msg.h"
#include "jumpd/key_command.h"
#include "jumpd/login_judge.h"
#include "jumpd/resolver.h"
#include "jumpd/settings.h"

enum {
	BROKER_TICK_MS = 100,
	BROKER_SESSION_HEADS = 4096,	/* of the hash table */
	BROKER_TOLD_MAX = 30,		/* lines about refused channels of a
					 * session; then they are counted */
	/* Messages of a child: more have to wait, so that no client can keep
	 * us from the others. */
	BROKER_MESSAGES_BURST = 512,
	BROKER_MESSAGES_PER_MINUTE = 12000,
	BROKER_PAUSE_MS = 100
};

/* One list for each way to run out of time. */
enum broker_deadline {
	BROKER_DEADLINE_CONNECT,	/* one address */
	BROKER_DEADLINE_DNS,		/* one look-up */
	BROKER_DEADLINE_OPEN,		/* all of an open */
	BROKER_DEADLINE_COMMAND,
	BROKER_DEADLINE_PAUSE,		/* a child that said too much: to be
					 * heard again */
	BROKER_DEADLINE_GONE,		/* a child that is gone: its parent has
					 * not said why yet */
	N_BROKER_DEADLINES
};

struct broker_session;
struct broker_command;
struct command_cache;

/* A connected channel: the child has its descriptor. */
struct broker_channel {
	struct broker_channel *prev, *next;	/* of the session */
	uint32_t	 id;		/* never 0 */
	struct jump_target asked;
	struct endpoint	 to;
	uint64_t	 connected_ms;
	uint32_t	 open_ms;	/* how long that took */
	enum end_reason	 told;		/* CLOSE_CHANNEL was sent, why */
};

/* A channel that is being opened. */
struct broker_open {
	struct broker_open *prev, *next;	/* of the session */
	struct broker_open *all_prev, *all_next;
	struct broker_session *session;	/* borrowed: its owner */
	uint32_t	 request;
	struct jump_target asked;
	uint64_t	 began_ms;
	uint16_t	 port;		/* the mapping's, or what was asked */
	uint8_t		 flags;		/* MAPPING_* */
	uint8_t		 n, at;		/* addresses, the next to try */
	struct addr	 address[RESOLVER_ADDRESSES_MAX];
	enum deny_reason reason;	/* why the last one failed */
	struct endpoint	 to;		/* the one being tried; port 0: none */
	struct loop_watch watch;
	int		 fd;		/* owned; -1: none */
	struct resolver_query *query;	/* owned; NULL: none */
	struct deadline	 attempt;	/* CONNECT or DNS */
	struct deadline	 whole;		/* OPEN */
	struct source_ticket place;	/* of its site, in `opening` */
};

/* A login that is being judged. */
struct broker_login_state {
	bool		 pending;	/* no answer yet: nothing is read */
	uint32_t	 request;
	enum broker_login how;
	uint8_t		 user_len;
	char		 user[BROKER_MSG_USER_MAX];	/* any octets */
	struct auth_choice choice;
	struct broker_command *command;	/* borrowed; NULL: none */
	size_t		 len;
	uint8_t		*blob;		/* owned; NULL: none */
};

/* The last key that would do: it is asked for again with a signature. */
struct broker_probe {
	bool		 good;
	uint32_t	 generation;
	uint32_t	 user;		/* index */
	struct key_digest blob;
	bool		 by_command;
	struct principal principal;	/* owned parts */
};

struct broker_session {
	struct broker	*broker;	/* borrowed */
	struct broker_session *prev, *next;	/* all */
	struct broker_session *hash_next;
	uint64_t	 number;
	struct endpoint	 client, local;
	uint64_t	 began_ms;
	int		 fd;		/* owned; -1: the child is gone */
	struct loop_watch watch;
	struct token_level messages;
	struct deadline	 pause, gone;

	struct auth_attempts attempts;
	struct broker_login_state login;
	struct broker_probe probe;
	bool		 logged_in;
	bool		 by_command;	/* its key is in no file */
	uint32_t	 user;		/* index in the policy, at the login */
	struct principal principal;	/* once logged in */
	size_t		 blob_len;
	uint8_t		*blob;		/* owned; what it logged in with */

	struct scan_session scan;
	uint32_t	 channels_max;	/* for which its process has room */
	uint32_t	 n_unsettled;	/* channels that have ended and still
					 * count in `scan` */
	uint32_t	 last_channel;	/* id */
	uint32_t	 n_opens, n_connected, n_refused;
	struct broker_open *opens;	/* owned */
	struct broker_channel *channels;	/* owned */
	uint64_t	 up_octets, down_octets;	/* of closed ones */
	uint32_t	 turned_away;	/* requests that were not for us */

	enum end_reason	 child_says;	/* its last word */
	enum end_reason	 ours;		/* why we end it */
	bool		 last_words;	/* the child is gone: what it said is
					 * still to be read, nobody hears us */
	bool		 end_told;	/* to the child and the parent */
	unsigned	 owed_logins;	/* reports the parent has not got: */
	unsigned	 owed_failures;
	bool		 owed_end;

	bool		 has_facts;
	char		 software[BROKER_MSG_FACT_MAX];	/* any octets */
	uint8_t		 software_len;
	char		 algorithms[3][64];	/* quoted: kex, cipher,
						 * host_key */
};

/* Settings and what belongs to them. */
struct broker_generation {
	uint32_t	 number;
	struct jumpd_settings settings;
	struct mapping	 mapping;	/* borrows mapping_map */
	void		*mapping_map;	/* owned */
	void		*bundle;	/* owned map; NULL: empty */
	size_t		 bundle_len;
	struct key_store *keys;		/* owned; borrows the bundle */
	unsigned	 problems;	/* of its lines */
};

struct broker {
	struct loop	 loop;
	uint64_t	 now_ms, tick_ms;
	bool		 draining, done;
	int		 channel, sessions, command;
	int		 routes;	/* own_addresses_have() */
	struct loop_watch channel_watch, sessions_watch, command_watch;
	struct jumpd_stats *stats;	/* borrowed: shared memory */
	struct siphash_key key;

	struct broker_generation *generation;	/* owned */
	struct broker_generation *coming;	/* owned; being loaded */
	const struct jumpd_settings *settings;	/* the generation's */

	struct broker_session *all;
	struct broker_session *head[BROKER_SESSION_HEADS];
	unsigned	 n_sessions, n_channels;
	struct broker_open *opens;	/* all; the sessions' */
	struct source_table *opening;	/* owned; their places: each is a
					 * half-open connection of a site */
	bool		 owes;		/* some session owes reports */
	struct deadline_list deadlines[N_BROKER_DEADLINES];

	struct scan_guard *guard;	/* owned */
	struct resolver	*resolver;	/* owned */
	uint32_t	 rotation;	/* of targets and source addresses */

	struct broker_command *commands;	/* owned; all under way */
	unsigned	 n_commands;
	uint32_t	 last_command;	/* id */
	struct command_cache *cache;	/* owned */
};

/* --- broker_orders.c ------------------------------------------------------ */

/* Take orders over, with their descriptors; loading then goes on in steps. */
void broker_orders_take(struct broker *, const struct broker_orders *,
    const int fds[BROKER_ORDER_FDS]);

/* Some steps of loading; true when there is nothing left to do. */
bool broker_orders_load(struct broker *);

void broker_generation_free(struct broker_generation *);

/* --- broker_sessions.c ---------------------------------------------------- */

/* Something came through `sessions`. */
void broker_on_sessions(struct loop_watch *, uint32_t events);

/* Tell the parent, now or at a later tick. */
void broker_report(struct broker_session *, enum broker_news_kind);
void broker_reports_retry(struct broker *);

/* The child is gone, or done with: nothing is read from it any more.  The
 * session is freed when the parent has said why, or has not in time. */
void broker_session_gone(struct broker_session *);

/* It is over; logs it and frees it. */
void broker_session_finish(struct broker_session *, enum end_reason parent);

/* --- broker_session.c ----------------------------------------------------- */

void broker_on_child(struct loop_watch *, uint32_t events);

/* Hear the child (again), unless it waits for an answer. */
void broker_session_listen(struct broker_session *);

/* Send a message, with a descriptor or -1.  A child that does not read is
 * done with: false, and the session is gone.  One that has ended does not
 * miss it. */
bool broker_send(struct broker_session *, const struct broker_msg *, int fd);

/* The session must end: the child is told, and the parent to see to it. */
void broker_session_end(struct broker_session *, enum end_reason);

/* --- broker_login.c ------------------------------------------------------- */

/* Each may end with the session gone. */
void broker_login(struct broker_session *, const struct broker_msg *);
void broker_login_command_done(struct broker_session *, enum deny_reason,
    const char *text, size_t len);

/* After a reload: does the session still hold?  DENY_NONE, or why not. */
enum deny_reason broker_login_again(struct broker_session *);

void broker_login_fini(struct broker_session *);

/* --- broker_command.c ----------------------------------------------------- */

/*
 * Have authorized_keys_command run for a user's key; the session's
 * broker_login_command_done is called, later, unless the answer is cached:
 * then before this returns.  DENY_NONE, or why not, and nothing is called.
 */
enum deny_reason broker_command_ask(struct broker_session *,
    const struct auth_user *, const void *blob, size_t len);
void broker_command_cancel(struct broker_command *);
void broker_command_timed_out(struct deadline *);

/* Something came from the process that runs it. */
void broker_on_command(struct loop_watch *, uint32_t events);

/* Nothing that a command said before counts any more. */
void broker_command_forget(struct broker *);
bool broker_command_init(struct broker *);

/* --- broker_open.c -------------------------------------------------------- */

/* What holds for the session: nothing per source for those that are exempt. */
struct scan_limits broker_scan_limits(const struct broker_session *);

/* Each may end with the session gone. */
void broker_open_begin(struct broker_session *, const struct broker_msg *);
void broker_open_timed_out(struct deadline *, enum broker_deadline);

/* Release it without an answer. */
void broker_open_free(struct broker_open *);

/* Everything that could be tried was: answer so, and release it. */
void broker_open_refuse(struct broker_open *, enum deny_reason);

/* It is an open no longer; a connected channel goes on counting. */
void broker_open_unlink(struct broker_open *);

/* --- broker_dial.c -------------------------------------------------------- */

/* What the operator's rules say of the target, now: DENY_NONE, or why not. */
enum deny_reason broker_egress(const struct broker_session *,
    const struct endpoint *to);

/* Try the addresses that are left, up to one that may answer; refuse the open
 * if there is none. */
void broker_dial_next(struct broker_open *);

/* The attempt has ended: hand over what is connected, or try the next. */
void broker_dial_ended(struct broker_open *, enum deny_reason);

/* Give the attempt up, if there is one. */
void broker_dial_stop(struct broker_open *);

/* An address or a name led nowhere; what was our own fault is not held
 * against the source. */
void broker_dial_failed(struct broker_open *, enum deny_reason);

/* --- broker_channel.c ----------------------------------------------------- */

/* Hand a connected descriptor to the child; false: the session is gone. */
bool broker_channel_hand_over(struct broker_open *);
void broker_channel_closed(struct broker_session *, const struct broker_msg *);

/*
 * Channels that have ended count no more, once the child has read all that we
 * sent it: one that says of a channel that it is closed could still keep its
 * descriptor, unread.
 */
void broker_channels_settle(struct broker_session *);

/* It ended without its child's word. */
void broker_channel_drop(struct broker_session *, struct broker_channel *,
    enum end_reason);

/* After a reload: end what policy does not allow any more. */
void broker_channels_again(struct broker_session *);

/* --- broker_log.c --------------------------------------------------------- */

void broker_log_login(const struct broker_session *, enum deny_reason);
void broker_log_channel(const struct broker_session *,
    const struct broker_channel *, enum end_reason, bool counted,
    uint64_t up_octets, uint64_t down_octets);
void broker_log_refused(struct broker_session *, const void *host, size_t len,
    uint32_t port, const struct endpoint *to, enum deny_reason);
/* The host that was asked for; returns `out`. */
const char *broker_asked(const struct jump_target *,
    char out[HOSTNAME_MAX + 1]);
void broker_log_session(const struct broker_session *, enum end_reason);

#endif
