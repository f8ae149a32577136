/* SPDX-License-Identifier: ISC */
/*
 * loop.h - wait for many descriptors at once: epoll, and little around it.
 *
 * For processes with sockets by the ten thousand.  What is watched costs the
 * 16 octets of its loop_watch, which its owner embeds, and one system call.
 * Timers are the caller's, who says how long to wait.
 */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <stdint.h>
#include <sys/epoll.h>

enum { LOOP_BATCH = 64 };	/* events taken from the kernel at once */

struct loop_watch;

/* Something happened: EPOLL* bits.  It may free its own watch, or another. */
typedef void loop_fn(struct loop_watch *, uint32_t events);

struct loop_watch {
	loop_fn		*fn;
	int		 fd;		/* borrowed; -1: none */
	uint32_t	 events;	/* EPOLL* bits waited for */
};

struct loop {
	int		 epoll;		/* owned */
	int		 n, next;	/* events in `batch`, the next to run */
	struct epoll_event batch[LOOP_BATCH];
};

/* Returns 0 or -errno. */
int loop_open(struct loop *);

void loop_close(struct loop *);

/* Nothing is watched yet. */
void loop_watch_init(struct loop_watch *);

/* Watch a descriptor until it is removed or closed; epoll_ctl(2) explains the
 * bits.  Returns 0 or -errno, and then it is not watched. */
int loop_add(struct loop *, struct loop_watch *, int fd, uint32_t events,
    loop_fn *);

/* Wait for other events (EPOLLEXCLUSIVE cannot change).  Those that are there
 * already are told of once more.  Returns 0 or -errno. */
int loop_change(struct loop *, struct loop_watch *, uint32_t events);

/* Watch no longer: not one more call.  The descriptor stays open. */
void loop_remove(struct loop *, struct loop_watch *);

/*
 * The same for a descriptor that is closed at once after this, and was never
 * duplicated: the kernel then removes it without being asked.
 */
void loop_forget(struct loop *, struct loop_watch *);

/* Wait at most `ms` milliseconds, or without an end if that is -1, for the
 * next batch.  Returns 0, also if a signal came, or -errno. */
int loop_wait(struct loop *, int ms);

/* Call whom the batch is for. */
void loop_run(struct loop *);

#endif
