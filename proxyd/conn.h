/* SPDX-License-Identifier: ISC */
/*
 * conn.h - one connection, from accept to its log line.
 *
 * conn_state.h has its life cycle; conn_step() is the only writer of `state`
 * and conn_enter_closed() the only place that releases one.
 */
#ifndef PROXYD_CONN_H
#define PROXYD_CONN_H

#include "proxyd/conn_state.h"
#include "proxyd/flow.h"
#include "proxyd/opening.h"
#include "proxyd/side.h"
#include "proxyd/worker.h"

struct conn {
	struct worker	*worker;	/* borrowed */
	struct side	 client, vm;
	struct flow	 up, down;	/* client to VM, VM to client */
	struct deadline	 deadline;
	struct deadline	 again;		/* set: relay has more to do */
	struct admission_ticket ticket;
	struct opening	*opening;	/* owned; NULL before and after */
	struct http_watch *http;	/* owned; NULL: not HTTP, or not yet */
	char		*name;		/* owned; NULL: none known */
	uint64_t	 accepted_ms;
	uint32_t	 peek_ms;	/* how long each phase took */
	uint32_t	 dial_ms;
	struct endpoint	 peer;		/* the client */
	struct endpoint	 local;		/* where it came in */
	struct endpoint	 target;	/* port 0: none yet */
	enum service	 service : 8;
	enum conn_state	 state : 8;
	enum close_reason reason : 8;
	enum deadline_kind deadline_kind : 8;
	uint8_t		 flags;	/* MAPPING_* bits of its mapping */
	bool		 from_proxy;	/* the peer is to send a PROXY header */
	bool		 settled;	/* conn_settle() was called */
	uint32_t	 number;	/* counted by its worker */
	uint8_t		 alert;		/* the peek's, for a TLS refusal */
	bool		 head_method;	/* an HTTP refusal has no body */
};

/* Take over an accepted, non-blocking descriptor, and what it was admitted
 * as; with `from_proxy` who the client is comes in a PROXY header first. */
void conn_open(struct worker *, int fd, const struct endpoint *peer,
    const struct worker_listener *, const struct admission_ticket *,
    bool from_proxy);

enum { CONN_ID_OCTETS = 24 };

/* What tells the connection from all others of this POP; NUL-ended text, in
 * the log and in PROXY headers. */
char *conn_id(const struct conn *, char out[CONN_ID_OCTETS + 1]);

/*
 * It has more than one thing to say to the VM, or lasts: set the options of
 * its sockets that others can do without.
 */
void conn_settle(struct conn *);

/* The deadline ran out; may free the connection. */
void conn_timed_out(struct conn *, enum deadline_kind);

/* Go on with a relay that had more to do; may free the connection. */
void conn_relay_again(struct conn *);

/*
 * The mapping is another since a reload: if its name is gone, a relay gets
 * timeouts.removed to finish (reload_closes_removed).
 */
void conn_mapping_changed(struct conn *);

/* End it now, whatever it is doing; frees it. */
void conn_abort(struct conn *, enum close_reason);

/* The connection that a deadline, or an entry of the again list, is of. */
struct conn *conn_of_deadline(struct deadline *);
struct conn *conn_of_again(struct deadline *);

#endif
