/* SPDX-License-Identifier: ISC */
/*
 * session.h - one SSH connection, from the key exchange to its end.
 *
 *	HELLO --> LOGIN --> READY --> PARTING --> OVER
 *	   \---------\---------\----------------/
 *
 * HELLO: banners and keys.  LOGIN: the broker is asked about each attempt.
 * READY: channels.  PARTING: DISCONNECT was sent, and the client may read it.
 * session_settle() is the only way to the last two.
 *
 * libssh runs in queue mode, without callbacks for messages, so that a request
 * is kept until the broker has answered; and it is told to read only while
 * there is room for what comes (session_wants()).
 */
#ifndef JUMPD_SESSION_H
#define JUMPD_SESSION_H

#include "common/addr.h"
#include "jumpd/broker_link.h"
#include "jumpd/channel.h"
#include "jumpd/host_keys.h"
#include "jumpd/settings.h"

struct ssh_counter_struct;		/* libssh's */
struct ssh_message_struct;
struct ssh_session_struct;

enum {
	/* Asked of the broker beyond what it opens at once: it answers these
	 * immediately, and all answers have room in the socket. */
	SESSION_REQUESTS_MORE = 32,
	SESSION_SHELLS_MAX = 8,		/* channels for shells, at once */
	SESSION_TEXT_MAX = 512,		/* octets of a farewell, with NUL */
	SESSION_HELD_MUCH = 32 << 20,	/* nothing more is read meanwhile */
	SESSION_UNSENT_MUCH = 1 << 20,	/* likewise: answers not sent yet */
	SESSION_HELD_MAX = 96 << 20	/* the session's end */
};

enum { SESSION_RAW, SESSION_PACKETS };	/* places in counters */

enum session_phase {
	SESSION_HELLO,
	SESSION_LOGIN,
	SESSION_READY,
	SESSION_PARTING,
	SESSION_OVER
};

/* A request that the broker is asked about. */
struct session_request {
	struct session_request *next;	/* owned */
	uint32_t	number;
	uint64_t	asked_ms;
	struct ssh_message_struct *message;	/* owned; NULL: libssh could not
						 * parse it */
};

struct session {
	struct ssh_session_struct *ssh;	/* owned */
	const struct jumpd_settings *settings;	/* borrowed */
	struct broker_link *broker;	/* borrowed */
	struct endpoint	 client, local;
	int		 fd;		/* owned; beside libssh's own */
	enum session_phase phase;
	enum end_reason	 end;		/* END_NONE: it goes on */
	char		 text[SESSION_TEXT_MAX];	/* for the client */
	uint64_t	 now_ms;	/* set by the loop */
	uint64_t	 phase_ms;	/* since when */
	uint64_t	 in_octets;	/* that had come by then: */
	uint64_t	 heard_ms;	/* when the client last sent anything */
	uint64_t	 active_ms;	/* when bytes of a channel last moved */
	uint64_t	 asked_ms;	/* last keepalive; 0: none yet */
	bool		 reset;		/* poll(2) saw an error */
	uint64_t	 drained_octets;	/* that had come when no
						 * message was left */
	uint64_t	 sent_mark;	/* put_out() when all was sent */
	bool		 draining;	/* end when the last channel ends */

	uint32_t	 next_request, n_requests;
	struct session_request *requests;	/* owned; LOGIN: one at most */
	struct ssh_message_struct *refusal;	/* owned; an attempt by which
						 * others can be refused */
	uint32_t	 attempts_seen, attempts_answered;
	bool		 gssapi;	/* tried, and not offered */

	uint32_t	 opens;		/* direct-tcpip asked for, ever */
	bool		 advised;	/* told about ssh -J */
	uint32_t	 n_channels, n_room;
	struct jump_channel	**channel;	/* owned */
	uint32_t	 turn;		/* who goes first */
	uint64_t	 moved;		/* octets, of channels that are gone */

	struct ssh_counter_struct *counters;	/* owned; two, libssh counts
						 * octets and packets there */
};

struct session_start {
	int		 fd;		/* the client; taken over */
	const struct jumpd_settings *settings;
	struct host_keys *keys;
	struct broker_link *broker;
	struct endpoint	 client, local;
};

/* Begin.  Returns false if there is no memory. */
bool session_open(struct session *, const struct session_start *);
void session_close(struct session *);

/* poll(2) events of session->fd that it waits for now, 0: none. */
short session_wants(const struct session *);

/* True if it has something to do without an event: what was held back. */
bool session_is_due(const struct session *);

/* Notice whether the client has sent anything. */
void session_heard(struct session *);

/* Channels to targets that are not closed. */
uint32_t session_live(const struct session *);

/* Let libssh read and write, and act on what came. */
void session_run(struct session *, short revents);

/* The broker's answers and orders.  `fd` is taken over. */
void session_answered(struct session *, const struct broker_msg *, int fd);

/* The broker is gone: nothing can be opened any more. */
void session_broker_gone(struct session *);

/* Move bytes of all channels; revents[i] is of channel[i]'s target. */
void session_relay(struct session *, const short *revents, size_t n,
    uint8_t *buffer);

/* What time has brought about.  Returns the milliseconds until it has to be
 * called again, -1: never. */
int session_tick(struct session *);

/*
 * It is to end: session_settle() does it.  `text` goes to the client if that
 * can still hear; NULL: the reason's own.  Harmless a second time.
 */
void session_end(struct session *, enum end_reason, const char *text);

/* At the end of each turn of the loop: carry out session_end(), where no
 * channel is in use. */
void session_settle(struct session *);

/* The socket takes bytes at once: channels may read their targets. */
bool session_writable(const struct session *);

/* Octets relayed so far: what shows that it does something useful. */
uint64_t session_moved(const struct session *);

/* --- between the session*.c files ----------------------------------------- */

/* Has libssh given it up?  And why? */
bool session_is_dead(const struct session *);
enum end_reason session_why_dead(const struct session *);
/* The same, and then it ends.  Returns true if it ends. */
bool session_check(struct session *);

/* Close a channel and tell the broker. */
void session_close_channel(struct session *, struct jump_channel *,
    enum end_reason);
/* All of them are gone, and the broker is told. */
void session_free_channels(struct session *);
/* Octets of the client that wait in its channels. */
size_t session_held(const struct session *);

/* Is there room for what the client may send, and for the answers? */
bool session_may_read(const struct session *);
/* Notice whether all that libssh had to send has left it. */
void session_sent(struct session *);
/* Act on the messages that have come, and on those that come meanwhile. */
void session_run_messages(struct session *);

void session_hello_run(struct session *);
/* It ends before there are keys.  Returns true if the client was told why. */
bool session_hello_part(struct session *);

void session_login_message(struct session *, struct ssh_message_struct *);
void session_login_answered(struct session *, const struct broker_msg *);
/* Refuse what libssh could not parse and left without an answer. */
void session_login_unanswered(struct session *);
void session_login_begins(struct session *);

void session_request_message(struct session *, struct ssh_message_struct *);
void session_open_answered(struct session *, const struct broker_msg *,
    int fd);
void session_turned_away(struct session *, enum deny_reason);
void session_phase(struct session *, enum session_phase);
/* Keep a message under a new number, to be answered later. */
struct session_request *session_keep(struct session *,
    struct ssh_message_struct *);
/* Take the request of that number out; NULL: there is none. */
struct session_request *session_take(struct session *, uint32_t number);
void session_free_requests(struct session *);

#endif
