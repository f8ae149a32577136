/* SPDX-License-Identifier: ISC */
#include "common/loop.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

int
loop_open(struct loop *loop)
{
	loop->n = loop->next = 0;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	return loop->epoll < 0 ? -errno : 0;
}

void
loop_close(struct loop *loop)
{
	close(loop->epoll);
	loop->epoll = -1;
}

void
loop_watch_init(struct loop_watch *watch)
{
	watch->fn = NULL;
	watch->fd = -1;
	watch->events = 0;
}

static int
control(const struct loop *loop, int what, struct loop_watch *watch)
{
	struct epoll_event ev = { .events = watch->events, .data.ptr = watch };

	return epoll_ctl(loop->epoll, what, watch->fd, &ev) == 0 ? 0 : -errno;
}

int
loop_add(struct loop *loop, struct loop_watch *watch, int fd, uint32_t events,
    loop_fn *fn)
{
	int err;

	assert(watch->fd < 0);
	watch->fn = fn;
	watch->fd = fd;
	watch->events = events;
	err = control(loop, EPOLL_CTL_ADD, watch);
	if (err != 0)
		loop_watch_init(watch);
	return err;
}

int
loop_change(struct loop *loop, struct loop_watch *watch, uint32_t events)
{
	uint32_t before = watch->events;
	int err;

	watch->events = events;
	err = control(loop, EPOLL_CTL_MOD, watch);
	if (err != 0)
		watch->events = before;
	return err;
}

void
loop_forget(struct loop *loop, struct loop_watch *watch)
{
	int i;

	for (i = loop->next; i < loop->n; i++)
		if (loop->batch[i].data.ptr == watch)
			loop->batch[i].data.ptr = NULL;
	loop_watch_init(watch);
}

void
loop_remove(struct loop *loop, struct loop_watch *watch)
{
	if (watch->fd < 0)
		return;
	control(loop, EPOLL_CTL_DEL, watch);
	loop_forget(loop, watch);
}

int
loop_wait(struct loop *loop, int ms)
{
	assert(loop->next == loop->n);
	loop->next = 0;
	loop->n = epoll_wait(loop->epoll, loop->batch, LOOP_BATCH, ms);
	if (loop->n >= 0)
		return 0;
	loop->n = 0;
	return errno == EINTR ? 0 : -errno;
}

void
loop_run(struct loop *loop)
{
	const struct epoll_event *event;
	struct loop_watch *watch;

	while (loop->next < loop->n) {
		event = &loop->batch[loop->next++];
		watch = event->data.ptr;
		if (watch != NULL)
			watch->fn(watch, event->events);
	}
}
