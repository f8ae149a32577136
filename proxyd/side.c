/* SPDX-License-Identifier: ISC */
#include "proxyd/side.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void
on_nothing(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
}

void
side_init(struct side *side, struct event_base *base)
{
	event_assign(&side->event, base, -1, 0, on_nothing, NULL);
	side->readable = side->writable = side->broken = false;
}

bool
side_open(struct side *side, int fd, event_callback_fn fn, void *arg)
{
	event_assign(&side->event, event_get_base(&side->event), fd,
	    EV_READ | EV_WRITE | EV_ET | EV_PERSIST, fn, arg);
	return event_add(&side->event, NULL) == 0;
}

int
side_fd(const struct side *side)
{
	return event_get_fd(&side->event);
}

void
side_saw(struct side *side, short what)
{
	side->readable |= (what & EV_READ) != 0;
	side->writable |= (what & EV_WRITE) != 0;
}

void
side_check(struct side *side)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(side_fd(side), SOL_SOCKET, SO_ERROR, &err, &len) == 0 &&
	    err != 0)
		side->broken = true;
}

void
side_close(struct side *side, bool reset)
{
	const struct linger now = { .l_onoff = 1 };
	int fd = side_fd(side);
	int unsent = 0;

	if (fd < 0)
		return;
	event_del(&side->event);
	side_init(side, event_get_base(&side->event));
	if (reset && ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent == 0)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
}
