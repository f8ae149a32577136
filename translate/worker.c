/* SPDX-License-Identifier: ISC */
#include "translate/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/need.h"
#include "common/sandbox_filter.h"
#include "translate/vnet.h"

enum {
	/* Where a packet begins in the buffer: room before it for what the
	 * translator puts there, and for its vnet header; a multiple of 16, so
	 * that the fields of its header are aligned. */
	PACKET_AT = 64,
	READ_OCTETS = VNET_OCTETS + PACKET_MAX + 1,
	BUFFER_OCTETS = PACKET_AT - VNET_OCTETS + READ_OCTETS,

	CLOCK_PACKETS = 32,	/* the clock is read once for so many */
	CHECK_MS = 20,		/* how often a busy worker looks up */
	IDLE_MS = 1000,		/* and an idle one */
	LEASES_MS = 1000,	/* how often leases are copied */
	LEASES_AT_ONCE = 4096,	/* addresses that are looked at */
	LOG_RATE = 20,		/* lines a second about dropped packets */
	LOG_BURST = 40
};

struct worker {
	struct worker_start start;
	struct siit_queue *queue;	/* owned */
	uint8_t		*buffer;	/* owned; BUFFER_OCTETS */
	uint64_t	 now_ms;	/* monotonic */
	uint64_t	 checked_ms;	/* when we looked up last */
	uint64_t	 copied_ms;	/* leases, likewise */
	uint32_t	 copied_at;	/* where in the pool to go on */
	uint64_t	 pool_changes;	/* that were copied */
	struct token_bucket log_lines;
	uint64_t	 unlogged;	/* drops, since the last line */
};

static void
count(struct worker *w, enum xlat_stat stat, uint64_t n)
{
	counter_add(&w->start.stats->value[stat], n);
}

/* --- dropped packets ------------------------------------------------------- */

/* `what` was done, besides dropping it: "" or " answered=icmp". */
static void
drop(struct worker *w, const struct packet *packet, enum drop_reason reason,
    const char *what)
{
	char text[PACKET_TEXT_MAX];

	counter_add(&w->start.stats->dropped[reason], 1);
	if (!w->start.log_drops)
		return;
	if (!token_bucket_take(&w->log_lines, w->now_ms)) {
		w->unlogged++;
		return;
	}
	if (w->unlogged > 0)
		log_info("device=%s dropped=%llu packets more, not logged",
		    w->start.device, (unsigned long long)w->unlogged);
	w->unlogged = 0;
	log_info("device=%s reason=%s rule=\"%s\"%s packet=\"%s\"",
	    w->start.device, drop_reason_label(reason),
	    drop_reason_rule(reason), what, packet_describe(packet, text));
}

/* --- writing --------------------------------------------------------------- */

/* Is there room in our buffer for a vnet header right before it? */
static bool
is_in_buffer(const struct worker *w, const struct packet *packet)
{
	return packet->at >= w->buffer + VNET_OCTETS &&
	    packet->at < w->buffer + BUFFER_OCTETS;
}

static void
put_out(struct worker *w, const struct packet *packet)
{
	uint8_t header[VNET_OCTETS];
	struct iovec parts[] = {
		{ .iov_base = header, .iov_len = VNET_OCTETS },
		{ .iov_base = packet->at, .iov_len = packet->len }
	};
	ssize_t n;

	if (is_in_buffer(w, packet)) {
		vnet_write(&packet->offload, packet_version(packet),
		    packet->at - VNET_OCTETS);
		n = write(w->start.tun_fd, packet->at - VNET_OCTETS,
		    VNET_OCTETS + packet->len);
	} else {
		vnet_write(&packet->offload, packet_version(packet), header);
		n = writev(w->start.tun_fd, parts, 2);
	}
	if (n < 0)
		drop(w, packet, DROP_WRITE_FAILED, "");
}

static void
put_out_pieces(struct worker *w, struct siit_result *result)
{
	count(w, XLAT_CUT, 1);
	while (siit_next_piece(w->queue, result)) {
		count(w, XLAT_PIECES, 1);
		put_out(w, &result->packet);
	}
}

/* --- leases ---------------------------------------------------------------- */

/* The packet's sender may have got an address of the pool just now. */
static void
note_lease(struct worker *w, const struct addr *sender)
{
	struct dynamic_pool *pool = w->start.tables->pool;
	uint64_t now_s = (w->now_ms + w->start.epoch_ms) / 1000;
	uint32_t v4;

	if (dynamic_pool_changes(pool) == w->pool_changes)
		return;
	w->pool_changes = dynamic_pool_changes(pool);
	if (dynamic_pool_6to4(pool, sender, &v4))
		leases_put(w->start.leases, v4, sender, now_s);
}

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

/* --- packets --------------------------------------------------------------- */

static void
act(struct worker *w, const struct packet *packet, struct siit_result *result)
{
	if (result->hairpinned)
		count(w, XLAT_HAIRPINNED, 1);
	switch (result->verdict) {
	case SIIT_FORWARD:
		count(w, XLAT_FORWARDED, 1);
		put_out(w, &result->packet);
		break;
	case SIIT_PIECES:
		put_out_pieces(w, result);
		break;
	case SIIT_REPLY:
		count(w, result->reason == DROP_NONE ? XLAT_ECHO_REPLIES :
		    XLAT_ICMP_ERRORS, 1);
		if (result->reason != DROP_NONE)
			drop(w, packet, result->reason, " answered=icmp");
		put_out(w, &result->packet);
		break;
	case SIIT_DROP:
		if (result->limited)
			count(w, XLAT_ICMP_LIMITED, 1);
		drop(w, packet, result->reason, result->limited ?
		    " answered=limited" : "");
		break;
	}
}

static void
count_read(struct worker *w, const struct packet *packet)
{
	bool v4 = packet_version(packet) == 4;

	count(w, v4 ? XLAT_IN4_PACKETS : XLAT_IN6_PACKETS, 1);
	count(w, v4 ? XLAT_IN4_OCTETS : XLAT_IN6_OCTETS, packet->len);
	if (packet->offload.gso != PACKET_GSO_NONE)
		count(w, XLAT_SUPER_PACKETS, 1);
}

/* One read of `len` octets: a vnet header and a packet. */
static void
translate(struct worker *w, size_t len)
{
	struct packet packet = {
		.at = w->buffer + PACKET_AT,
		.headroom = PACKET_AT - VNET_OCTETS
	};
	struct siit_result result;
	struct addr sender = { { 0 } };

	if (len < VNET_OCTETS)
		return;		/* no TUN device does that */
	packet.len = len - VNET_OCTETS;
	if (packet.len > PACKET_MAX) {
		packet.len = PACKET_MAX;
		drop(w, &packet, DROP_TOO_LONG, "");
		return;
	}
	if (!vnet_read(packet.at - VNET_OCTETS, &packet.offload)) {
		drop(w, &packet, DROP_BAD_OFFLOAD, "");
		return;
	}
	count_read(w, &packet);
	if (w->start.leases != NULL && packet.len >= 24)
		memcpy(sender.octet, packet.at + 8, sizeof(sender.octet));
	siit_translate(&w->start.tables->siit, w->queue, w->now_ms, &packet,
	    &result);
	if (w->start.leases != NULL)
		note_lease(w, &sender);
	act(w, &packet, &result);
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
	if (p[1].revents != 0 || p[2].revents != 0 || w->now_ms >= w->checked_ms + CHECK_MS)
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
					translate(w, (size_t)n);
				return;
			}
		}
		if (n > 0)
			translate(w, (size_t)n);
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
	/* Commands come from the master, which a terminal's ^C reaches too. */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
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
