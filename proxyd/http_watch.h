/* SPDX-License-Identifier: ISC */
/*
 * http_watch.h - the guard at work in a relay: no request reaches the VM
 * before its host was judged (http_guard.h).
 */
#ifndef PROXYD_HTTP_WATCH_H
#define PROXYD_HTTP_WATCH_H

#include "proxyd/conn.h"
#include "proxyd/http_guard.h"

/* What an HTTP connection has beside its flows. */
struct http_watch {
	struct http_guard guard;
	bool	in_head;	/* the client has begun a request head */
	bool	waiting;	/* for an answer, before more is judged */
	bool	head_method;	/* of the request that was stopped */
	enum close_reason stopped;	/* NONE; why no request is taken */
	char	*refused_name;	/* owned; whom that request named, or NULL */
};

/*
 * Begin with the connection's first head, which the peek accepted.  Returns
 * NULL with *ret_reason: its body cannot be framed, or there is no memory.
 */
struct http_watch *http_watch_new(const uint8_t *head, size_t len,
    enum close_reason *ret_reason);
void http_watch_free(struct http_watch *);

/* What of the client's bytes may go to the VM. */
struct http_passed {
	size_t		 taken;		/* of the client's octets; the others
					 * are held back, or of no use once
					 * `stopped` */
	const uint8_t	*bytes;		/* borrowed: the same octets, or what
					 * stands for them in the worker's
					 * second buffer */
	size_t		 len;
};

/*
 * Judge the client's next bytes, those held back before included; at most
 * WORKER_BUFFER_OCTETS.  With forwarded=yes heads are rewritten on the way
 * (http_forwarded.h).
 */
struct http_passed http_watch_requests(struct conn *, const uint8_t *bytes,
    size_t len);

/* Take no further request, for this reason. */
void http_watch_stop(struct http_watch *, enum close_reason);

/* The VM's next bytes. */
void http_watch_answers(struct http_watch *, const uint8_t *bytes,
    size_t len);

/* True while requests are judged: no 101 was received. */
bool http_watch_active(const struct http_watch *);

/* True if the client may be told why it is turned away: all requests taken
 * before were answered. */
bool http_watch_answered(const struct http_watch *);

#endif
