/* SPDX-License-Identifier: ISC */
#include "translate/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/need.h"
#include "common/sandbox_filter.h"
#include "translate/worker_state.h"

enum {
	CLOCK_PACKETS = 32,	/* the clock is read once for so many */
	CHECK_MS = 20,		/* how often a busy worker looks up */
	IDLE_MS = 1000,		/* and an idle one */
	LEASES_MS = 1000,	/* how often leases are copied */
	LEASES_AT_ONCE = 4096,	/* addresses that are looked at */
	LOG_RATE = 20,		/* lines a second about dropped packets */
	LOG_BURST = 40
};

/* --- leases ---------------------------------------------------------------- */

static void
copy_leases(struct worker *w)
{
	if (w->start.leases == NULL || w->now_ms < w->copied_ms + LEASES_MS)
		return;
	w->copied_ms = w->now_ms;
	leases_copy(w->start.leases, w->start.tables->pool, LEASES_AT_ONCE,
	    &w->copied_at);
}

/* Wait until an event was signalled, or the master is gone. */
static void
wait_for_event(const struct worker *w, int event)
{
	struct pollfd p[] = {
		{ .fd = event, .events = POLLIN },
		{ .fd = w->start.channel, .events = POLLIN }
	};

	while (p[0].revents == 0) {
		poll(p, 2, IDLE_MS);
		atomic_store(&w->start.stats->heartbeat_ms, clock_now_ms());
		if (p[1].revents != 0)
			_exit(0);
	}
}

static void
signal_event(int event)
{
	const uint64_t one = 1;

	/* It can only fail if it is signalled more often than we can count. */
	(void)!write(event, &one, sizeof(one));
}

/* Lend on what the worker before has lent to the last. */
static void
take_over(struct worker *w)
{
	const struct worker_start *s = &w->start;
	uint64_t now_s = (clock_now_ms() + s->epoch_ms) / 1000;
	uint32_t at = 0;

	if (s->handover_before == NULL)
		return;
	signal_event(s->handover_before->wanted);
	wait_for_event(w, s->handover_before->given);
	if (!leases_catch_up(s->leases_before, s->leases, s->tables->pool,
	    now_s)) {
		/* An address has another host now. */
		tables_renew_pool(s->tables, s->config);
		leases_restore(s->leases_before, s->tables->pool, now_s);
	}
	leases_copy(s->leases, s->tables->pool, UINT32_MAX, &at);
}

/* The next worker is ready: touch nothing more, and wait for the end. */
static void __attribute__((noreturn))
hand_over(struct worker *w)
{
	struct pollfd p = { .fd = w->start.channel, .events = POLLIN };

	signal_event(w->start.handover->given);
	while (p.revents == 0) {
		poll(&p, 1, IDLE_MS);
		atomic_store(&w->start.stats->heartbeat_ms, clock_now_ms());
	}
	_exit(0);
}

/* --- life ------------------------------------------------------------------ */

/* True once the master has closed the channel, or is gone. */
static bool
is_over(const struct worker *w)
{
	char octet;
	ssize_t n = recv(w->start.channel, &octet, 1, MSG_DONTWAIT | MSG_PEEK);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static bool
is_wanted(const struct worker *w)
{
	struct pollfd p = { .events = POLLIN };

	if (w->start.handover == NULL)
		return false;
	p.fd = w->start.handover->wanted;
	return poll(&p, 1, 0) > 0;
}

/* What is due from time to time.  Returns false if it is time to end. */
static bool
look_up(struct worker *w)
{
	w->checked_ms = w->now_ms;
	atomic_store_explicit(&w->start.stats->heartbeat_ms, w->now_ms,
	    memory_order_relaxed);
	copy_leases(w);
	if (is_wanted(w))
		hand_over(w);
	return !is_over(w);
}

/* Wait for a packet, or for the end.  Returns false if that has come. */
static bool
wait_for_packet(struct worker *w)
{
	struct pollfd p[] = {
		{ .fd = w->start.tun_fd, .events = POLLIN },
		{ .fd = w->start.channel, .events = POLLIN },
		{ .fd = w->start.handover != NULL ?
		    w->start.handover->wanted : -1, .events = POLLIN }
	};

	poll(p, 3, IDLE_MS);
	w->now_ms = clock_now_ms();
	if (p[1].revents != 0 || p[2].revents != 0 ||
	    w->now_ms >= w->checked_ms + CHECK_MS)
		return look_up(w);
	return true;
}

/* Reading failed for good: the device is no more, or something is odd. */
static void __attribute__((noreturn))
device_failed(struct worker *w, int error)
{
	if (error == EBADFD) {
		atomic_store(&w->start.stats->device_gone, 1);
		exit(0);
	}
	log_fatal("device %s: read: %s", w->start.device, strerror(error));
}

static void
run(struct worker *w)
{
	uint8_t *to = w->buffer + PACKET_AT - VNET_OCTETS;
	unsigned until_clock = 0;

	for (;;) {
		ssize_t n = read(w->start.tun_fd, to, READ_OCTETS);

		if (n < 0 && errno == EAGAIN) {
			if (!wait_for_packet(w))
				return;
			until_clock = CLOCK_PACKETS;
			continue;
		}
		if (n < 0 && errno != EINTR)
			device_failed(w, errno);
		if (until_clock-- == 0) {
			until_clock = CLOCK_PACKETS;
			w->now_ms = clock_now_ms();
			if (w->now_ms >= w->checked_ms + CHECK_MS &&
			    !look_up(w)) {
				if (n > 0)
					worker_translate(w, (size_t)n);
				return;
			}
		}
		if (n > 0)
			worker_translate(w, (size_t)n);
	}
}

static void
worker_init(struct worker *w)
{
	const struct xlatd_limits *limits = w->start.limits;
	const struct siit_limits rates = {
		.rate = limits->icmp_rate,
		.burst = limits->icmp_burst,
		.peer_rate = limits->icmp_peer_rate,
		.peer_burst = limits->icmp_peer_burst
	};
	struct siphash_key key;

	w->now_ms = clock_now_ms();
	w->queue = need(malloc(sizeof(*w->queue)));
	w->buffer = need(malloc(BUFFER_OCTETS));
	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		log_fatal("getrandom: %s", strerror(errno));
	siit_queue_init(w->queue, &rates, &key, w->start.tables->pool,
	    w->now_ms, (w->now_ms + w->start.epoch_ms) / 1000);
	token_bucket_init(&w->log_lines, LOG_RATE, LOG_BURST, w->now_ms);
	if (w->start.tables->pool != NULL)
		w->pool_changes = dynamic_pool_changes(w->start.tables->pool);
}

static void
give_up_rights(const struct worker *w)
{
	int err = sandbox_enter(w->start.ids);

	if (err != 0)
		log_fatal("cannot give up privileges: %s", strerror(-err));
	/* Reading, writing and waiting is all that translating takes. */
	err = sandbox_filter_load(NULL, 0);
	if (err == -ENOSYS)
		log_warning("this kernel has no seccomp: workers run without "
			    "a system-call filter");
	else if (err != 0)
		log_fatal("seccomp: %s", strerror(-err));
}

void
worker_run(const struct worker_start *start)
{
	static struct worker w;
	const int keep[] = { start->tun_fd, start->channel, start->log_fd,
		start->handover != NULL ? start->handover->wanted : -1,
		start->handover != NULL ? start->handover->given : -1,
		start->handover_before != NULL ?
		    start->handover_before->wanted : -1,
		start->handover_before != NULL ?
		    start->handover_before->given : -1 };

	sandbox_child_begins("xlatd-worker");
	/* Commands come from the master. */
	signal(SIGTERM, SIG_IGN);
	sandbox_close_fds_except(keep, sizeof(keep) / sizeof(keep[0]));
	w.start = *start;
	log_set_dropped_counter(&w.start.stats->value[XLAT_LOG_DROPPED]);
	give_up_rights(&w);
	take_over(&w);
	worker_init(&w);
	atomic_store(&w.start.stats->heartbeat_ms, clock_now_ms());
	send(w.start.channel, &w.start.generation,
	    sizeof(w.start.generation), MSG_NOSIGNAL);
	run(&w);
	exit(0);
}
