/* SPDX-License-Identifier: ISC */
#include "proxyd/side.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sock.h"

/* What a recv will tell of. */
#define RECEIVED (EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLHUP | EPOLLERR)

void
side_init(struct side *side)
{
	loop_watch_init(&side->watch);
	side->readable = side->writable = side->broken = false;
	side->ending = side->urgent = side->unprobed = false;
}

bool
side_open(struct side *side, struct loop *loop, int fd, bool connects,
    loop_fn *fn)
{
	uint32_t events = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;

	/* Most sockets take all they are given: only one that did not is
	 * waited for. */
	side->writable = !connects;
	if (connects)
		events |= EPOLLOUT;
	if (loop_add(loop, &side->watch, fd, events, fn) == 0)
		return true;
	side->watch.fd = fd;
	return false;
}

int
side_fd(const struct side *side)
{
	return side->watch.fd;
}

void
side_saw(struct side *side, uint32_t events)
{
	side->readable |= (events & RECEIVED) != 0;
	side->writable |= (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
	side->ending |= (events & EPOLLRDHUP) != 0;
	side->urgent |= (events & (EPOLLPRI | EPOLLHUP | EPOLLERR)) != 0;
}

/*
 * With less than was asked for the socket is empty, and there will be an event
 * when it is not; but what an event told of before, none will tell again.
 */
bool
side_received(struct side *side, size_t asked, size_t got)
{
	bool empty = got < asked && !side->urgent;

	if (empty && !side->ending)
		side->readable = false;
	return empty && side->ending;
}

void
side_leave_unprobed(struct side *side)
{
	/* This cannot fail. */
	if (!side->unprobed)
		sock_keep_alive(side_fd(side), false);
	side->unprobed = true;
}

void
side_full(struct side *side, struct loop *loop)
{
	side->writable = false;
	if ((side->watch.events & EPOLLOUT) == 0 &&
	    loop_change(loop, &side->watch, side->watch.events | EPOLLOUT) != 0)
		side->broken = true;
}

void
side_close(struct side *side, struct loop *loop, bool reset)
{
	const struct linger now = { .l_onoff = 1 };
	int fd = side_fd(side);
	int unsent = 0;

	if (fd < 0)
		return;
	loop_forget(loop, &side->watch);
	side_init(side);
	if (reset && ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent == 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}
