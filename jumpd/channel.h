/* SPDX-License-Identifier: ISC */
/*
 * channel.h - one channel: bytes between an SSH client and a target.
 *
 * Both directions are half-closed on their own (RFC 4254 5.3), and hold the
 * sender back when the receiver does not take more:
 *  - to the target: what it does not take stays in libssh, which tells the
 *    client no new window meanwhile; at most two windows (1.25 MiB each) wait.
 *  - to the client: the target is read only while the client has opened its
 *    window and its socket takes bytes.
 *
 * Callbacks of libssh, which may run inside any call of it, only move bytes
 * and set flags.  A channel is freed only once both sides have closed it, for
 * libssh keeps it until then.
 */
#ifndef JUMPD_CHANNEL_H
#define JUMPD_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jumpd/end_reasons.h"

struct ssh_channel_struct;		/* libssh's */

enum {
	CHANNEL_READ_OCTETS = 64 * 1024,	/* of a target at once */
	CHANNEL_UNREAD_MAX = 4 << 20	/* more than any client may send
					 * without ignoring its window */
};

/* Octets that wait for somebody to take them. */
struct jump_channel_rest {
	uint8_t		*bytes;		/* owned */
	size_t		 at, len;	/* bytes[at .. len) wait */
};

struct jump_channel {
	struct ssh_channel_struct *ssh;	/* owned */
	void		*callbacks;	/* owned; libssh's struct */
	uint32_t	 number;	/* the broker's; 0: no target, what the
					 * client sends is thrown away */
	int		 target;	/* owned; -1: none (any more) */
	short		 wanted;	/* poll(2) events of the target */
	bool		 client_eof;	/* it sends nothing more */
	bool		 client_closed;	/* its CHANNEL_CLOSE came */
	bool		 target_eof;
	bool		 target_full;	/* wait until it takes bytes */
	bool		 shut;		/* the target knows of client_eof */
	bool		 closed;	/* we have sent CHANNEL_CLOSE */
	bool		 told;		/* the broker knows that it ended */
	enum end_reason	 end;		/* once closed */
	struct jump_channel_rest up, down;	/* to target, to client */
	uint32_t	 unread;	/* octets waiting in libssh */
	uint64_t	 up_octets, down_octets;
	uint64_t	 last_ms;	/* when bytes last moved */
};

/*
 * Take over a channel of libssh and, unless it is -1, a connected non-blocking
 * socket.  Returns NULL, taking nothing over, if there is no memory.
 */
struct jump_channel *jump_channel_new(struct ssh_channel_struct *, int target,
    uint32_t number, uint64_t now_ms);

/* Release it; only if jump_channel_is_over(), or libssh's session is gone. */
void jump_channel_free(struct jump_channel *);

/*
 * Move what can be moved.  `revents` is what poll(2) said of the target;
 * `writable`: the client's socket takes more.  `buffer` has
 * CHANNEL_READ_OCTETS.
 */
void jump_channel_run(struct jump_channel *, short revents, bool writable,
    uint8_t *buffer, uint64_t now_ms);

/* Sets channel->wanted; `writable` as above. */
void jump_channel_want(struct jump_channel *, bool writable);

/* Send CHANNEL_CLOSE, and give the target up; harmless a second time. */
void jump_channel_close(struct jump_channel *, enum end_reason);

/* Both sides have closed it. */
bool jump_channel_is_over(const struct jump_channel *);

/* Octets that it keeps in memory. */
size_t jump_channel_held(const struct jump_channel *);

#endif
