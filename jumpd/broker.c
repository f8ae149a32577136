/* SPDX-License-Identifier: ISC */
/*
 * broker.c - the broker's life: how it begins, what it may do, and time.
 */
#include "jumpd/broker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/container_of.h"
#include "common/log.h"
#include "common/own_addresses.h"
#include "common/sandbox_filter.h"
#include "common/sock.h"
#include "jumpd/broker_state.h"
#include "jumpd/ssh_cert.h"

enum {
	GUARD_SOURCES = 16384,
	GUARD_TARGETS = 65536,
	OPENING_SITES = 16384
};

/* ------------------------------------------------------------- orders */

static void
on_orders(struct loop_watch *watch, uint32_t events)
{
	struct broker *b = CONTAINER_OF(struct broker, channel_watch, watch);
	struct broker_orders orders;
	int fds[BROKER_ORDER_FDS];
	size_t i, n_fds = BROKER_ORDER_FDS;
	ssize_t n;

	(void)events;
	n = sock_recv_fds(b->channel, &orders, sizeof(orders), fds, &n_fds);
	if (n > 0 && n_fds == BROKER_ORDER_FDS) {
		broker_orders_take(b, &orders, fds);
	} else if (n == 0) {
		b->draining = true;
		loop_remove(&b->loop, &b->channel_watch);
	} else if (n != -EAGAIN) {
		for (i = 0; n > 0 && i < n_fds; i++)
			close(fds[i]);
		log_error("broker: malformed orders");
	}
}

/* --------------------------------------------------------------- time */

static void
time_out(struct deadline *d, enum broker_deadline kind)
{
	switch (kind) {
	case BROKER_DEADLINE_CONNECT:
	case BROKER_DEADLINE_DNS:
	case BROKER_DEADLINE_OPEN:
		broker_open_timed_out(d, kind);
		break;
	case BROKER_DEADLINE_COMMAND:
		broker_command_timed_out(d);
		break;
	case BROKER_DEADLINE_PAUSE:
		broker_session_listen(CONTAINER_OF(struct broker_session,
		    pause, d));
		break;
	case BROKER_DEADLINE_GONE:
		broker_session_finish(CONTAINER_OF(struct broker_session, gone,
				d), END_NONE);
		break;
	case N_BROKER_DEADLINES:
		break;
	}
}

static void
tick(struct broker *b)
{
	enum broker_deadline kind;
	struct deadline *d;

	b->tick_ms = b->now_ms + BROKER_TICK_MS;
	counter_set(&b->stats->heartbeat_ms, b->now_ms);
	for (kind = 0; kind < N_BROKER_DEADLINES; kind++)
		while ((d = deadline_expired(&b->deadlines[kind],
			    b->now_ms)) != NULL) {
			deadline_clear(d);
			time_out(d, kind);
		}
	resolver_tick(b->resolver);
	broker_reports_retry(b);
	if (b->draining && b->n_sessions == 0)
		b->done = true;
}

static void
loop_until_done(struct broker *b)
{
	bool loaded = true;
	int err, ms;

	while (!b->done) {
		ms = !loaded || b->tick_ms <= b->now_ms ? 0 :
		    (int)(b->tick_ms - b->now_ms);
		if ((err = loop_wait(&b->loop, ms)) != 0)
			log_fatal("broker: epoll: %s", strerror(-err));
		b->now_ms = clock_now_ms();
		loop_run(&b->loop);
		loaded = broker_orders_load(b);
		if (b->tick_ms <= b->now_ms)
			tick(b);
	}
}

/* -------------------------------------------------------------- rights */

/* What connecting, and asking name servers, takes beyond what every process
 * does. */
static void
restrict_calls(void)
{
	static const struct sandbox_call calls[] = {
		{ .name = "bind" },
		{ .name = "connect" },
		{ "fcntl", true, 1, F_GETFD },
		{ "fcntl", true, 1, F_GETFL },
		{ "fcntl", true, 1, F_SETFD },
		{ "fcntl", true, 1, F_SETFL },
		{ .name = "getsockname" },
		{ .name = "getsockopt" },
		{ .name = "pread64" },
		{ .name = "setsockopt" },
		{ "socket", true, 0, AF_INET },
		{ "socket", true, 0, AF_INET6 },
	};
	int err = sandbox_filter_load(calls, sizeof(calls) / sizeof(calls[0]));

	if (err == -ENOSYS)
		log_warning("this kernel has no seccomp: the broker runs "
			    "without a system-call filter");
	else if (err != 0)
		log_fatal("broker: seccomp: %s", strerror(-err));
}

/*
 * The time zone, for expiry-time=: named, so that the C library does not look
 * at its file again, which it could not open later and would take for UTC.
 */
static void
warm_time_zone(void)
{
	struct tm tm = { .tm_year = 126, .tm_mday = 1, .tm_isdst = -1 };

	if (getenv("TZ") == NULL)
		setenv("TZ", ":/etc/localtime", 1);
	tzset();
	(void)mktime(&tm);
}

/* ---------------------------------------------------------------- life */

static void
watch(struct broker *b, struct loop_watch *watch, int fd, loop_fn *fn)
{
	int err;

	loop_watch_init(watch);
	if (fd < 0)
		return;
	err = loop_add(&b->loop, watch, fd, EPOLLIN, fn);
	if (err != 0)
		log_fatal("broker: epoll: %s", strerror(-err));
}

static void
init(struct broker *b)
{
	unsigned i;
	int err;

	for (i = 0; i < N_BROKER_DEADLINES; i++)
		deadline_list_init(&b->deadlines[i]);
	if (getrandom(&b->key, sizeof(b->key), 0) != (ssize_t)sizeof(b->key))
		log_fatal("broker: getrandom: %s", strerror(errno));
	if ((b->routes = own_addresses_open()) < 0)
		log_fatal("broker: rtnetlink: %s", strerror(-b->routes));
	if ((err = loop_open(&b->loop)) != 0)
		log_fatal("broker: epoll: %s", strerror(-err));
	b->guard = scan_guard_new(GUARD_SOURCES, GUARD_TARGETS, &b->key);
	b->opening = source_table_new(OPENING_SITES, &b->key);
	b->resolver = resolver_new(&b->loop);
	if (b->guard == NULL || b->opening == NULL || b->resolver == NULL ||
	    !broker_command_init(b))
		log_fatal("broker: out of memory");
	warm_time_zone();
	ssh_cert_warm();
	watch(b, &b->channel_watch, b->channel, on_orders);
	watch(b, &b->sessions_watch, b->sessions, broker_on_sessions);
	watch(b, &b->command_watch, b->command, broker_on_command);
}

void
broker_run(const struct broker_start *start)
{
	static struct broker b;
	int keep[4 + BROKER_ORDER_FDS] = { start->channel, start->sessions,
		start->command, start->log_fd };
	int err;

	sandbox_child_begins("jumpd-broker");
	/* Commands come from the parent. */
	signal(SIGTERM, SIG_IGN);
	memcpy(keep + 4, start->fds, BROKER_ORDER_FDS * sizeof(*start->fds));
	sandbox_close_fds_except(keep, sizeof(keep) / sizeof(keep[0]));
	b.channel = start->channel;
	b.sessions = start->sessions;
	b.command = start->command;
	b.stats = start->stats;
	log_set_dropped_counter(&b.stats->value[JUMPD_STAT_LOG_DROPPED]);
	b.now_ms = clock_now_ms();
	counter_set(&b.stats->heartbeat_ms, b.now_ms);
	init(&b);
	if ((err = sandbox_enter(start->ids)) != 0)
		log_fatal("broker: cannot give up privileges: %s",
		    strerror(-err));
	restrict_calls();
	broker_orders_take(&b, start->orders, start->fds);
	while (!broker_orders_load(&b))
		counter_set(&b.stats->heartbeat_ms, clock_now_ms());
	loop_until_done(&b);
	exit(0);
}
