/* SPDX-License-Identifier: ISC */
/*
 * broker_link.h - a session's end of its socket to the broker (broker_msg.h).
 *
 * Never waits: what the socket does not take is kept, in order, and while
 * something is kept the session should read nothing more from its client,
 * so that little is.
 */
#ifndef JUMPD_BROKER_LINK_H
#define JUMPD_BROKER_LINK_H

#include "jumpd/broker_msg.h"

struct broker_link {
	int	fd;			/* borrowed */
	bool	gone;			/* the broker ended: nothing is sent */
	struct broker_unsent *first;	/* owned */
	struct broker_unsent **last;
	uint8_t	received[BROKER_MSG_MAX];	/* what messages borrow from */
	uint8_t	sending[BROKER_MSG_MAX];
};

void broker_link_init(struct broker_link *, int fd);
void broker_link_fini(struct broker_link *);

/* Send now, or as soon as there is room.  A lack of memory, or an error, is
 * the end of the link. */
void broker_link_send(struct broker_link *, const struct broker_msg *);

/* Send what was kept.  Returns true if nothing is left. */
bool broker_link_flush(struct broker_link *);

/*
 * Receive one message.  On true, *ret borrows from the link until the next
 * call, and *ret_fd is a descriptor that came with it (owned by the caller,
 * close-on-exec) or -1.  False: there is none now, or the link is gone; a
 * message that is malformed ends it.
 */
bool broker_link_receive(struct broker_link *, struct broker_msg *ret,
    int *ret_fd);

#endif
