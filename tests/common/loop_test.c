/* SPDX-License-Identifier: ISC */
#include "common/loop.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/container_of.h"

/* A socket with something at its other end, that counts its calls. */
struct ear {
	struct loop_watch watch;
	struct loop	*loop;
	struct ear	*victim;	/* forgotten at the first call */
	int		 fd, other;
	int		 calls;
	uint32_t	 heard;
};

static struct loop loop;

static void
hear(struct loop_watch *watch, uint32_t events)
{
	struct ear *ear = CONTAINER_OF(struct ear, watch, watch);

	ear->calls++;
	ear->heard |= events;
	if (ear->victim != NULL)
		loop_forget(ear->loop, &ear->victim->watch);
}

static void
ear_open(struct ear *ear, uint32_t events)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds),
	    0);
	*ear = (struct ear){ .loop = &loop, .fd = fds[0], .other = fds[1] };
	loop_watch_init(&ear->watch);
	cr_assert_eq(loop_add(&loop, &ear->watch, ear->fd, events, hear), 0);
}

static void
ear_close(struct ear *ear)
{
	close(ear->fd);
	close(ear->other);
}

static void
turn(int ms)
{
	cr_assert_eq(loop_wait(&loop, ms), 0);
	loop_run(&loop);
}

static void
open_loop(void)
{
	cr_assert_eq(loop_open(&loop), 0);
}

static void
close_loop(void)
{
	loop_close(&loop);
}

TestSuite(loop, .init = open_loop, .fini = close_loop);

Test(loop, tells_what_happened_to_whom)
{
	struct ear a, b;

	ear_open(&a, EPOLLIN | EPOLLRDHUP | EPOLLET);
	ear_open(&b, EPOLLIN);
	turn(0);
	cr_assert_eq(a.calls + b.calls, 0);
	cr_assert_eq(write(a.other, "x", 1), 1);
	turn(1000);
	cr_assert_eq(a.calls, 1);
	cr_assert_eq(a.heard, EPOLLIN);
	cr_assert_eq(b.calls, 0);
	shutdown(a.other, SHUT_WR);
	turn(1000);
	cr_assert(a.heard & EPOLLRDHUP);
	turn(0);
	cr_assert_eq(a.calls, 2, "edge-triggered");
	ear_close(&a);
	ear_close(&b);
}

Test(loop, has_no_call_for_what_was_forgotten_or_removed)
{
	struct ear a, b;

	ear_open(&a, EPOLLIN);
	ear_open(&b, EPOLLIN);
	a.victim = &b;
	b.victim = &a;
	cr_assert_eq(write(a.other, "x", 1), 1);
	cr_assert_eq(write(b.other, "x", 1), 1);
	turn(1000);
	cr_assert_eq(a.calls + b.calls, 1, "both were in the batch");
	cr_assert_eq((a.calls ? &b : &a)->watch.fd, -1);
	ear_close(&a);
	ear_close(&b);

	ear_open(&a, EPOLLIN);
	cr_assert_eq(write(a.other, "x", 1), 1);
	loop_remove(&loop, &a.watch);
	loop_remove(&loop, &a.watch);	/* harmless */
	turn(0);
	cr_assert_eq(a.calls, 0);
	cr_assert_eq(fcntl(a.fd, F_GETFD), 0, "it is still open");
	ear_close(&a);
}

Test(loop, tells_again_what_is_so_when_the_events_change)
{
	struct ear a;

	ear_open(&a, EPOLLIN | EPOLLET);
	turn(0);
	cr_assert_eq(a.calls, 0);
	cr_assert_eq(loop_change(&loop, &a.watch,
			 EPOLLIN | EPOLLOUT | EPOLLET), 0);
	turn(0);
	cr_assert_eq(a.heard, EPOLLOUT);
	ear_close(&a);
}

Test(loop, says_why_it_cannot_watch)
{
	struct loop_watch watch;
	int file = open("/dev/null", O_RDONLY);

	loop_watch_init(&watch);
	cr_assert_eq(loop_add(&loop, &watch, 9999, EPOLLIN, hear), -EBADF);
	cr_assert_eq(watch.fd, -1);
	loop_watch_init(&watch);
	cr_assert_eq(loop_add(&loop, &watch, file, EPOLLIN, hear), -EPERM);
	close(file);
}

Test(loop, takes_more_than_a_batch_in_several)
{
	enum { N = LOOP_BATCH + 6 };
	static struct ear ears[N];
	int i, calls = 0;

	for (i = 0; i < N; i++) {
		ear_open(&ears[i], EPOLLIN | EPOLLET);
		cr_assert_eq(write(ears[i].other, "x", 1), 1);
	}
	turn(0);
	turn(0);
	for (i = 0; i < N; i++) {
		calls += ears[i].calls;
		ear_close(&ears[i]);
	}
	cr_assert_eq(calls, N);
}

static void
on_alarm(int sig)
{
	(void)sig;
}

Test(loop, is_not_broken_by_a_signal)
{
	const struct itimerval soon = { .it_value = { .tv_usec = 1000 } };

	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &soon, NULL);
	turn(10000);
	cr_assert_eq(loop.n, 0);
}
