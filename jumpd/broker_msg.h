/* SPDX-License-Identifier: ISC */
/*
 * broker_msg.h - what a session's process (child) and the broker say to each
 * other.
 *
 * One message is one packet of a SOCK_SEQPACKET pair.  Integers are
 * big-endian; strings are a length and octets.  Neither side trusts the
 * other: every field is bounded here, a message that is malformed, too long or
 * for the other direction is not decoded, and its sender is done with.
 *
 *	child                       broker
 *	LOGIN         ->
 *	              <-            LOGIN_ANSWER   exactly one, in order
 *	OPEN          ->
 *	              <-            OPEN_ANSWER    exactly one, in any order;
 *	                                           with a descriptor, connected
 *	                                           and non-blocking, or a reason
 *	CLOSED        ->                           a channel that was connected
 *	TURNED_AWAY   ->                           for the log: shell, X11...
 *	FACTS         ->                           for the log: once
 *	ENDING        ->                           for the log: why, last
 *	              <-            CLOSE_CHANNEL  end it, then CLOSED
 *	              <-            END_SESSION    end it all, then ENDING
 *
 * Pure.
 */
#ifndef JUMPD_BROKER_MSG_H
#define JUMPD_BROKER_MSG_H

#include "common/addr.h"
#include "jumpd/deny_reasons.h"
#include "jumpd/end_reasons.h"
#include "jumpd/key_blob.h"

enum {
	BROKER_MSG_USER_MAX = 255,	/* octets; a longer user name is
					 * refused by the child */
	BROKER_MSG_HOST_MAX = 1024,	/* likewise, DENY_TARGET_SYNTAX */
	BROKER_MSG_ORIGINATOR_MAX = 64,	/* cut there by the child */
	BROKER_MSG_FACT_MAX = 255,	/* cut there by the child */
	BROKER_MSG_MAX = KEY_CERT_MAX + 1024	/* octets of a message */
};

enum broker_msg_type {
	BROKER_LOGIN = 1,
	BROKER_OPEN,
	BROKER_CLOSED,
	BROKER_TURNED_AWAY,
	BROKER_FACTS,
	BROKER_ENDING,
	BROKER_LOGIN_ANSWER = 65,
	BROKER_OPEN_ANSWER,
	BROKER_CLOSE_CHANNEL,
	BROKER_END_SESSION
};

/* How far a login is. */
enum broker_login {
	BROKER_LOGIN_NONE = 1,	/* method "none"; no blob */
	BROKER_LOGIN_PROBE,	/* publickey without signature: would it do? */
	BROKER_LOGIN_SIGNED,	/* publickey, and libssh verified the
				 * signature */
	BROKER_LOGIN_FAILED	/* any other attempt, a wrong signature,
				 * passwords...: to be counted; blob optional */
};

/* Octets inside a message. */
struct broker_text {
	const uint8_t	*at;		/* borrowed */
	size_t		 len;
};

struct broker_msg {
	enum broker_msg_type type;
	union {
		struct {
			uint32_t	request;	/* echoed */
			enum broker_login how;
			struct broker_text user;
			struct broker_text blob;	/* plain key or
							 * certificate, at
							 * most KEY_CERT_MAX */
		} login;
		struct {
			uint32_t	request;	/* echoed */
			uint32_t	port;
			uint32_t	originator_port;
			struct broker_text host;
			struct broker_text originator;
		} open;
		struct {
			uint32_t	channel;
			enum end_reason	reason;
			uint64_t	up_octets;	/* to the target */
			uint64_t	down_octets;	/* to the client */
		} closed;
		struct {
			enum deny_reason reason;	/* SESSION_REQUEST... */
		} turned_away;
		struct {
			struct broker_text software;	/* its banner */
			struct broker_text kex;
			struct broker_text cipher;	/* from the client */
			struct broker_text host_key;
		} facts;
		struct {
			enum end_reason	reason;
		} ending;		/* also END_SESSION */
		struct {
			uint32_t	request;
			bool		accepted;	/* PROBE: "it would" */
			bool		last;		/* refused, and there
							 * are no more
							 * attempts */
		} login_answer;
		struct {
			uint32_t	request;
			enum deny_reason reason;	/* NONE: connected */
			uint32_t	channel;	/* not 0 if connected */
		} open_answer;
		struct {
			uint32_t	channel;
			enum end_reason	reason;
		} close_channel;
	} u;
};

enum broker_msg_from {
	BROKER_MSG_FROM_CHILD,
	BROKER_MSG_FROM_BROKER
};

/*
 * Decode one whole message; texts borrow from `bytes`.  Returns false, with
 * *ret untouched, if it is not one that this sender may send.
 */
bool broker_msg_decode(enum broker_msg_from, const void *bytes, size_t len,
    struct broker_msg *ret);

/* Write it; returns its length.  What does not keep to the bounds above is a
 * fault of the caller (assert). */
size_t broker_msg_encode(const struct broker_msg *,
    uint8_t out[BROKER_MSG_MAX]);

#endif
