/* SPDX-License-Identifier: ISC */
#include "jumpd/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/sandbox_filter.h"
#include "jumpd/session.h"

enum {
	TURN_SECONDS = 1,	/* CPU time that a turn of the loop may take */
	DESCRIPTORS_MORE = 16	/* than targets: the client's two, the
				 * broker's, /dev/null's, and some to spare */
};

enum { CLIENT, BROKER, TARGETS };	/* places in the pollfds */

struct worker {
	const struct worker_start *start;	/* borrowed */
	struct session	 session;
	struct broker_link broker;
	struct worker_slot *slot;	/* shared with the parent */
	struct pollfd	*polled;	/* owned */
	short		*revents;	/* owned; of the targets */
	size_t		 room;		/* in both */
	uint8_t		 buffer[CHANNEL_READ_OCTETS];
};

static struct sandbox_program filter;	/* made by worker_prepare */
static volatile sig_atomic_t terms;	/* SIGTERMs so far */

/* --- the loop ------------------------------------------------------------- */

static void
on_term(int sig)
{
	(void)sig;
	if (terms < 2)
		terms++;
}

/* SIGTERM is noticed only while the loop waits. */
static void
catch_term(void)
{
	struct sigaction action = { .sa_handler = on_term };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int
wait_for_events(struct pollfd *polled, size_t n, int timeout)
{
	const struct timespec t = { .tv_sec = timeout / 1000,
		.tv_nsec = timeout % 1000 * 1000000L };
	sigset_t none;

	sigemptyset(&none);
	return ppoll(polled, n, timeout < 0 ? NULL : &t, &none);
}

/* A turn that never ends is ended by SIGVTALRM's default action. */
static void
turn_begins(void)
{
	const struct itimerval once = { .it_value.tv_sec = TURN_SECONDS };

	setitimer(ITIMER_VIRTUAL, &once, NULL);
}

static bool
make_room(struct worker *w, size_t n)
{
	size_t room = w->room == 0 ? 8 : w->room;
	struct pollfd *polled;
	short *revents;

	while (room < n)
		room *= 2;
	if (room == w->room)
		return true;
	polled = reallocarray(w->polled, room, sizeof(*polled));
	if (polled != NULL)
		w->polled = polled;
	revents = reallocarray(w->revents, room, sizeof(*revents));
	if (revents != NULL)
		w->revents = revents;
	if (polled == NULL || revents == NULL)
		return false;
	w->room = room;
	return true;
}

/* A descriptor from which nothing is wanted must not wake us for ever.  And
 * there may be more channels, that the client has yet to close, than ppoll()
 * takes, which are as many as there may be descriptors. */
static struct pollfd
wait_for(int fd, short events)
{
	return (struct pollfd) { .fd = events == 0 ? -1 : fd,
		.events = events };
}

/* Returns how many there are; channels that wait for nothing are left out. */
static size_t
fill_polled(struct worker *w)
{
	struct session *s = &w->session;
	bool writable = session_writable(s);
	short events = POLLIN;
	size_t n = TARGETS;
	uint32_t i;

	if (!make_room(w, TARGETS + s->n_channels)) {
		session_end(s, END_MEMORY, NULL);
		session_settle(s);
	}
	w->polled[CLIENT] = wait_for(s->fd, session_wants(s));
	if (w->broker.first != NULL)
		events |= POLLOUT;
	w->polled[BROKER] = wait_for(w->broker.gone ? -1 : w->broker.fd,
	    events);
	for (i = 0; i < s->n_channels; i++) {
		jump_channel_want(s->channel[i], writable);
		if (s->channel[i]->wanted != 0)
			w->polled[n++] = wait_for(s->channel[i]->target,
			    s->channel[i]->wanted);
	}
	return n;
}

/* What was seen of each channel; returns how many these are. */
static size_t
fill_revents(struct worker *w)
{
	const struct session *s = &w->session;
	size_t n = TARGETS;
	uint32_t i;

	for (i = 0; i < s->n_channels; i++)
		w->revents[i] = s->channel[i]->wanted != 0 ?
		    w->polled[n++].revents : 0;
	return s->n_channels;
}

static void
run_broker(struct worker *w)
{
	struct broker_msg msg;
	int fd;

	broker_link_flush(&w->broker);
	while (broker_link_receive(&w->broker, &msg, &fd))
		session_answered(&w->session, &msg, fd);
}

static void
turn(struct worker *w, int timeout)
{
	struct session *s = &w->session;
	size_t n = fill_polled(w), i;
	bool due = session_is_due(s);

	if (wait_for_events(w->polled, n, due ? 0 : timeout) < 0)
		for (i = 0; i < n; i++)
			w->polled[i].revents = 0;
	turn_begins();
	s->now_ms = clock_now_ms();
	n = fill_revents(w);
	if (w->polled[BROKER].revents != 0)
		run_broker(w);
	if (w->polled[CLIENT].revents != 0 || session_is_due(s))
		session_run(s, w->polled[CLIENT].revents);
	session_relay(s, w->revents, n, w->buffer);
	atomic_store_explicit(&w->slot->moved, session_moved(s),
	    memory_order_relaxed);
}

static void
run(struct worker *w)
{
	struct session *s = &w->session;
	int timeout;

	while (s->phase != SESSION_OVER) {
		s->draining = terms > 0;
		if (terms > 1)
			session_end(s, END_SHUTDOWN, NULL);
		timeout = session_tick(s);
		session_settle(s);
		if (s->phase == SESSION_OVER)
			break;
		if (s->phase == SESSION_PARTING)
			timeout = session_tick(s);
		turn(w, timeout);
		session_settle(s);
	}
	broker_link_flush(&w->broker);
}

/* --- rights --------------------------------------------------------------- */

void
worker_prepare(void)
{
	static const struct sandbox_call calls[] = {
		/* Not F_SETOWN: it sends signals to other processes. */
		{ "fcntl", true, 1, F_DUPFD_CLOEXEC },
		{ "fcntl", true, 1, F_GETFD },
		{ "fcntl", true, 1, F_GETFL },
		{ "fcntl", true, 1, F_SETFD },
		{ "fcntl", true, 1, F_SETFL },
		{ .name = "getsockopt" },
		{ .name = "ppoll" },
		{ .name = "setitimer" },
		{ "setsockopt", true, 2, TCP_QUICKACK },
		{ .name = "shutdown" },
	};
	/* Nothing of this is ever done here, but by an attacker. */
	static const char *const deadly[] = { "socket", "socketpair",
		"connect", "bind", "listen", "accept", "accept4", "fork",
		"vfork", "clone", "clone3", "setuid", "setresuid", "chroot",
		"mount", "unshare", "setns", "io_uring_setup", "userfaultfd",
		"perf_event_open", "keyctl", "add_key" };
	int err = sandbox_program_make(calls,
	    sizeof(calls) / sizeof(calls[0]), deadly,
	    sizeof(deadly) / sizeof(deadly[0]), &filter);

	if (err != 0)
		log_fatal("the system-call filter: %s", strerror(-err));
}

static void
limit(int what, rlim_t most)
{
	const struct rlimit r = { .rlim_cur = most, .rlim_max = most };

	setrlimit(what, &r);
}

/* Everybody else's page is not for us to see. */
static struct worker_slot *
keep_own_slot(const struct worker_start *start)
{
	size_t page = sizeof(struct worker_slot), own = start->slot;

	if (own > 0)
		munmap(start->slots, own * page);
	if (own + 1 < start->n_slots)
		munmap(start->slots + own + 1,
		    (start->n_slots - own - 1) * page);
	return start->slots + own;
}

static void
enter_sandbox(const struct worker_start *start)
{
	int err;

	log_set_fd(2);
	dup2(start->null_fd, 0);
	dup2(start->null_fd, 1);
#ifndef POPGATE_SANITIZERS	/* whose runtime looks into /proc, and speaks */
	if (start->empty_root >= 0 && (fchdir(start->empty_root) != 0 ||
	    chroot(".") != 0))
		log_fatal("chroot: %s", strerror(errno));
	dup2(start->null_fd, 2);
#endif
	sandbox_close_fds_except((const int[]) { start->client,
		start->broker }, 2);
	limit(RLIMIT_NOFILE, settings_channels(start->settings) +
	    DESCRIPTORS_MORE);
	limit(RLIMIT_FSIZE, 0);
#ifndef POPGATE_SANITIZERS
	if (start->memory_octets != 0)
		limit(RLIMIT_AS, start->memory_octets);
#endif
	if ((err = sandbox_enter(start->ids)) != 0)
		log_fatal("cannot give up privileges: %s", strerror(-err));
#ifndef POPGATE_SANITIZERS	/* who looks for leaks is another thread */
	limit(RLIMIT_NPROC, 0);
#endif
	err = sandbox_program_load(&filter);
	if (err != 0 && err != -ENOSYS)
		log_fatal("seccomp: %s", strerror(-err));
}

/* --- life ----------------------------------------------------------------- */

/* What a bulk transfer needed goes back to the system. */
static void
tune_malloc(void)
{
	mallopt(M_MMAP_THRESHOLD, 64 * 1024);
	mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

void
worker_run(const struct worker_start *start)
{
	static struct worker w;
	const struct session_start session = { .fd = start->client,
		.settings = start->settings,
		.keys = start->keys,
		.broker = &w.broker,
		.client = start->client_at,
		.local = start->local };

	sandbox_child_begins("jumpd-session");
	catch_term();
	w.start = start;
	w.slot = keep_own_slot(start);
	enter_sandbox(start);
	tune_malloc();
	broker_link_init(&w.broker, start->broker);
	if (!session_open(&w.session, &session))
		_exit(1);
	w.session.now_ms = clock_now_ms();
	w.session.heard_ms = w.session.phase_ms = w.session.now_ms;
	turn_begins();
	session_run(&w.session, 0);	/* our banner */
	run(&w);
	session_close(&w.session);
	broker_link_fini(&w.broker);
	free(w.polled);
	free(w.revents);
#ifdef POPGATE_SANITIZERS
	if (!w.session.gssapi)	/* libssh leaks all of that */
		exit(0);	/* looks for leaks */
#endif
	_exit(0);
}
