/* SPDX-License-Identifier: ISC */
#include "proxyd/worker.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/container_of.h"
#include "common/log.h"
#include "common/sandbox_filter.h"
#include "common/sock.h"
#include "proxyd/client_hello.h"
#include "proxyd/conn.h"
#include "proxyd/http_forwarded.h"
#include "proxyd/http_guard.h"
#include "proxyd/worker_accept.h"

enum {
	/* Not for connections and pipes: a reload brings all listeners anew
	 * before the old ones are closed. */
	DESCRIPTORS_KEPT = 32 + 2 * PROXYD_LISTENERS_MAX + 1,
	DESCRIPTORS_MIN = 256,
	REST_MUCH = 2 << 20,	/* octets of rests that, once they are gone,
				 * are worth giving memory back */
	CONNS_MAX = 1 << 20
};

void
worker_conn_closed(struct worker *w)
{
	w->n_conns--;
	counter_set(&w->stats->value[STAT_ACTIVE], w->n_conns);
}

/* --- orders from the master --------------------------------------------- */

/* Take the image over; its descriptor is closed.  Returns 0 or -errno. */
static int
adopt_image(struct worker *w, int fd, uint64_t octets)
{
	struct mapping mapping;
	void *image;
	int err;

	image = mmap(NULL, octets, PROT_READ, MAP_SHARED, fd, 0);
	err = image == MAP_FAILED ? -errno : 0;
	close(fd);
	if (err != 0)
		return err;
	/* The master has checked it and sealed it since. */
	mapping.image = image;
	mapping.len = octets;
	if (w->mapping.image != NULL)
		munmap(w->mapping_map, w->mapping.len);
	w->mapping = mapping;
	w->mapping_map = image;
	return 0;
}

/* A shorter timeout holds for those who wait already, too. */
static void
adopt_settings(struct worker *w, const struct proxyd_settings *s)
{
	w->settings = *s;
	w->now_ms = clock_now_ms();
	deadline_list_cap(&w->deadlines[DEADLINE_PEEK],
	    w->now_ms + s->peek_ms);
	deadline_list_cap(&w->deadlines[DEADLINE_CONNECT],
	    w->now_ms + s->connect_ms);
	deadline_list_cap(&w->deadlines[DEADLINE_IDLE],
	    w->now_ms + s->idle_ms);
	deadline_list_cap(&w->deadlines[DEADLINE_DRAIN],
	    w->now_ms + s->drain_ms);
	deadline_list_cap(&w->deadlines[DEADLINE_REMOVED],
	    w->now_ms + s->removed_ms);
	w->conns_max = (w->fds_max - DESCRIPTORS_KEPT - 2 * PIPE_POOL_MAX) / 2;
	w->limits.total = s->connections_max;
	w->limits.per_client = s->per_client_max;
	w->limits.per_name = s->per_name_max;
	w->limits.rate_per_client = s->client_rate;
	w->limits.burst = s->client_burst;
}

/* Tell every connection; each has its deadline in one of the lists. */
static void
tell_mapping_changed(struct worker *w)
{
	struct deadline *d, *next, *last;
	struct deadline_list *list;
	unsigned kind;

	for (kind = 0; kind < N_DEADLINE_KINDS; kind++) {
		list = &w->deadlines[kind];
		/* Those that are moved here on the way stand behind `last`. */
		last = list->ends.prev;
		for (d = list->ends.next; d != &list->ends; d = next) {
			next = d == last ? &list->ends : d->next;
			conn_mapping_changed(conn_of_deadline(d));
		}
	}
}

static void
adopt(struct worker *w, const struct worker_orders *o, const int *fds,
    size_t n_fds)
{
	unsigned i;
	int err;

	assert(n_fds == 1 + o->n_listeners);
	if ((err = adopt_image(w, fds[0], o->image_octets)) != 0)
		log_fatal("cannot map the mapping: %s", strerror(-err));
	accept_close(w);
	for (i = 0; i < o->n_listeners; i++) {
		w->listener[i] = o->listener[i];
		w->listener_fd[i] = fds[1 + i];
	}
	w->n_listeners = o->n_listeners;
	adopt_settings(w, &o->settings);
	tell_mapping_changed(w);
	if ((err = accept_open(w)) != 0)
		log_fatal("cannot watch the listeners: %s", strerror(-err));
	(void)!send(w->channel, &o->generation, sizeof(o->generation),
	    MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void
begin_drain(struct worker *w)
{
	w->draining = true;
	w->drain_ms = clock_now_ms() + w->settings.shutdown_ms;
	accept_close(w);
	loop_remove(&w->loop, &w->channel_watch);
}

static void
on_orders(struct loop_watch *watch, uint32_t events)
{
	struct worker *w = CONTAINER_OF(struct worker, channel_watch,
	    watch);
	static struct worker_orders orders;
	int fds[1 + PROXYD_LISTENERS_MAX];
	size_t n_fds = 1 + PROXYD_LISTENERS_MAX;
	ssize_t n;

	(void)events;
	n = sock_recv_fds(w->channel, &orders, sizeof(orders), fds, &n_fds);
	if (n > 0)
		adopt(w, &orders, fds, n_fds);
	else if (n == 0)
		begin_drain(w);
	else if (n != -EAGAIN)
		log_error("orders: %s; going on with the old ones",
		    strerror((int)-n));
}

/* --- time --------------------------------------------------------------- */

static void
end_conns(struct worker *w, enum close_reason reason)
{
	struct deadline *d;
	unsigned kind;

	for (kind = 0; kind < N_DEADLINE_KINDS; kind++)
		while ((d = deadline_expired(&w->deadlines[kind],
			    UINT64_MAX)) != NULL)
			conn_abort(conn_of_deadline(d), reason);
}

/* The C library keeps what many slow readers once needed, for the next ones;
 * the host may need it more. */
static void
give_memory_back(struct worker *w)
{
	if (w->rest_octets > w->rest_peak)
		w->rest_peak = w->rest_octets;
	if (w->rest_peak < REST_MUCH || w->rest_octets > w->rest_peak / 8)
		return;
	malloc_trim(0);
	w->rest_peak = w->rest_octets;
}

static void
tick(struct worker *w)
{
	struct deadline *d;
	unsigned kind;

	w->tick_ms = w->now_ms + TICK_MS;
	counter_set(&w->stats->heartbeat_ms, w->now_ms);
	for (kind = 0; kind < N_DEADLINE_KINDS; kind++)
		while ((d = deadline_expired(&w->deadlines[kind],
			    w->now_ms)) != NULL)
			conn_timed_out(conn_of_deadline(d), kind);
	if (atomic_load(&w->shared->stop_now) ||
	    (w->draining && w->now_ms >= w->drain_ms))
		end_conns(w, CLOSE_SHUTDOWN);
	give_memory_back(w);
	if ((w->draining || atomic_load(&w->shared->stop_now)) &&
	    w->n_conns == 0)
		w->done = true;
	else
		accept_tick(w);
}

/* Give each relay that has more to do another turn. */
static void
turn_again(struct worker *w)
{
	struct deadline *d;
	unsigned n = w->n_again;

	while (n-- > 0 && (d = deadline_expired(&w->again, UINT64_MAX)) != NULL)
		conn_relay_again(conn_of_again(d));
}

static void
loop_until_done(struct worker *w)
{
	int err, ms;

	while (!w->done) {
		ms = w->n_again > 0 || w->tick_ms <= w->now_ms ? 0 :
		    (int)(w->tick_ms - w->now_ms);
		if ((err = loop_wait(&w->loop, ms)) != 0)
			log_fatal("epoll: %s", strerror(-err));
		w->now_ms = clock_now_ms();
		loop_run(&w->loop);
		turn_again(w);
		if (w->tick_ms <= w->now_ms)
			tick(w);
	}
}

/* --- rights -------------------------------------------------------------- */

/* What carrying connections takes beyond what every process does. */
static void
restrict_calls(void)
{
	static const struct sandbox_call calls[] = {
		{ .name = "accept4" },
		{ .name = "bind" },
		{ .name = "connect" },
		{ "fcntl", true, 1, F_SETPIPE_SZ },
		{ .name = "getsockname" },
		{ .name = "getsockopt" },
		{ "ioctl", true, 1, SIOCOUTQ },
		{ .name = "pipe2" },
		{ .name = "setsockopt" },
		{ .name = "shutdown" },
		{ "socket", true, 0, AF_INET6 },
		{ .name = "splice" },
	};
	int err = sandbox_filter_load(calls, sizeof(calls) / sizeof(calls[0]));

	if (err == -ENOSYS)
		log_warning("this kernel has no seccomp: workers run without "
			    "a system-call filter");
	else if (err != 0)
		log_fatal("seccomp: %s", strerror(-err));
}

/* --- life --------------------------------------------------------------- */

static void
worker_init(struct worker *w)
{
	struct rlimit files;
	unsigned i;
	int err;

	w->buffer = malloc(WORKER_BUFFER_OCTETS);
	/* The first head, and no more later ones than may be outstanding. */
	w->rewritten = malloc(WORKER_BUFFER_OCTETS +
	    (1 + HTTP_GUARD_OUTSTANDING_MAX) * HTTP_FORWARDED_ADDS_MAX);
	if (getrandom(&w->unique, sizeof(w->unique), 0) !=
	    (ssize_t)sizeof(w->unique))
		log_fatal("getrandom: %s", strerror(errno));
	if (w->buffer == NULL || w->rewritten == NULL || !client_hello_init())
		log_fatal("out of memory");
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		log_fatal("getrlimit: %s", strerror(errno));
	w->fds_max = files.rlim_cur > 2 * CONNS_MAX ? 2 * CONNS_MAX :
						      (unsigned)files.rlim_cur;
	if (w->fds_max < DESCRIPTORS_MIN)
		log_fatal("at least %d descriptors are needed, "
			  "RLIMIT_NOFILE allows %u", DESCRIPTORS_MIN,
		    w->fds_max);
	for (i = 0; i < N_DEADLINE_KINDS; i++)
		deadline_list_init(&w->deadlines[i]);
	deadline_list_init(&w->again);
	loop_watch_init(&w->channel_watch);
	if ((err = loop_open(&w->loop)) != 0 ||
	    (err = loop_add(&w->loop, &w->channel_watch, w->channel, EPOLLIN,
		 on_orders)) != 0)
		log_fatal("epoll: %s", strerror(-err));
}

static void
worker_fini(struct worker *w)
{
	accept_close(w);
	pipe_pool_fini(&w->pipes);
	loop_close(&w->loop);
	free(w->buffer);
	free(w->rewritten);
	munmap(w->mapping_map, w->mapping.len);
}

void
worker_run(const struct worker_start *start)
{
	static struct worker w;
	int keep[2 + 1 + PROXYD_LISTENERS_MAX];
	int err;

	sandbox_child_begins("proxyd-worker");
	/* Commands come from the master. */
	signal(SIGTERM, SIG_IGN);
	keep[0] = start->channel;
	keep[1] = start->log_fd;
	memcpy(keep + 2, start->fds, start->n_fds * sizeof(start->fds[0]));
	sandbox_close_fds_except(keep, 2 + start->n_fds);
	w.slot = start->slot;
	w.shared = start->shared;
	w.stats = &start->shared->stats[start->slot];
	w.admission = *start->admission;
	w.channel = start->channel;
	log_set_dropped_counter(&w.stats->value[STAT_LOG_DROPPED]);
	worker_init(&w);
	if ((err = sandbox_enter(start->ids)) != 0)
		log_fatal("cannot give up privileges: %s", strerror(-err));
	restrict_calls();
	w.now_ms = clock_now_ms();
	counter_set(&w.stats->heartbeat_ms, w.now_ms);
	adopt(&w, start->orders, start->fds, start->n_fds);
	loop_until_done(&w);
	worker_fini(&w);
	exit(0);
}
