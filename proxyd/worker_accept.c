/* SPDX-License-Identifier: ISC */
#include "proxyd/worker_accept.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/container_of.h"
#include "common/log.h"
#include "common/sock.h"
#include "proxyd/conn.h"

static void
stop_accepting(struct worker *w)
{
	unsigned i;

	for (i = 0; i < w->n_listeners; i++)
		loop_remove(&w->loop, &w->door[i].watch);
	w->accepting = false;
}

static void
pause_accept(struct worker *w, int error)
{
	static uint64_t logged_ms;

	if (!w->accepting)
		return;
	stop_accepting(w);
	counter_add(&w->stats->value[STAT_ACCEPT_PAUSES], 1);
	if (logged_ms != 0 && w->now_ms < logged_ms + 10000)
		return;
	logged_ms = w->now_ms;
	if (error != 0)
		log_warning("accept: %s; pausing", strerror(error));
	else
		log_warning("%u connections, no room for more; pausing accept",
		    w->n_conns);
}

enum close_reason
accept_admit(struct worker *w, const struct endpoint *peer,
    struct admission_ticket *ticket)
{
	switch (admission_client_enter(&w->admission, w->slot, &w->limits,
	    &peer->addr, w->now_ms, ticket)) {
	case ADMISSION_REFUSE_TOTAL:
		return CLOSE_LIMIT_TOTAL;
	case ADMISSION_REFUSE_CLIENT:
		return CLOSE_LIMIT_CLIENT;
	case ADMISSION_REFUSE_CLIENT_RATE:
		return CLOSE_LIMIT_CLIENT_RATE;
	case ADMISSION_REFUSE_NAME:
	case ADMISSION_ADMIT:
		break;
	}
	return CLOSE_NONE;
}

static bool
is_listed(const struct proxyd_accept_proxy *list, const struct addr *addr)
{
	uint32_t i;

	for (i = 0; i < list->n; i++)
		if (prefix_contains(&list->prefix[i], addr))
			return true;
	return false;
}

/*
 * Turn a connection away before anything is spent on it: reset, so that not
 * even the kernel remembers it.  The log gets one line a second at most.
 */
static void
refuse_at_door(struct worker *w, int fd, const struct endpoint *peer,
    enum close_reason reason)
{
	const struct linger now = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	counter_add(&w->stats->closed[reason], 1);
	w->n_refused++;
	w->refused_peer = *peer;
	w->refused_reason = reason;
}

static void
tell_refused(struct worker *w)
{
	char text[ENDPOINT_TEXT_MAX];

	if (w->n_refused == 0 || w->now_ms < w->refused_ms + 1000)
		return;
	log_info("refused=%u reason=%s client=%s (the last)", w->n_refused,
	    close_reason_label(w->refused_reason),
	    endpoint_format(&w->refused_peer, text));
	w->n_refused = 0;
	w->refused_ms = w->now_ms;
}

static void
admit(struct worker *w, int fd, const struct endpoint *peer,
    const struct worker_listener *at)
{
	struct admission_ticket ticket = { 0 };
	enum close_reason reason = CLOSE_NONE;
	bool from_proxy = at->accept_proxy.n > 0;

	/* Who the client of a proxy is, its header will tell. */
	if (!from_proxy)
		reason = accept_admit(w, peer, &ticket);
	else if (!is_listed(&at->accept_proxy, &peer->addr))
		reason = CLOSE_PROXY_DENIED;
	if (reason != CLOSE_NONE)
		refuse_at_door(w, fd, peer, reason);
	else
		conn_open(w, fd, peer, at, &ticket, from_proxy);
	counter_set(&w->stats->value[STAT_ACTIVE], w->n_conns);
}

static void
accept_one(struct worker *w, unsigned i)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct endpoint peer;
	int fd;

	if (w->n_conns >= w->conns_max) {
		pause_accept(w, 0);
		return;
	}
	fd = accept4(w->listener_fd[i], (struct sockaddr *)&ss, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			pause_accept(w, errno);
		return;		/* another worker was faster, or it is gone */
	}
	peer = sock_endpoint(&ss);
	counter_add(&w->stats->value[STAT_ACCEPTED], 1);
	admit(w, fd, &peer, &w->listener[i]);
}

static void on_connection(struct loop_watch *, uint32_t);

/*
 * Each connection wakes one worker, the first of those that wait
 * (EPOLLEXCLUSIVE); a new watch is the last.
 */
static int
watch_door(struct worker *w, struct worker_door *door)
{
	return loop_add(&w->loop, &door->watch, w->listener_fd[door->number],
	    EPOLLIN | EPOLLEXCLUSIVE, on_connection);
}

static void
on_connection(struct loop_watch *watch, uint32_t events)
{
	struct worker_door *door = CONTAINER_OF(struct worker_door, watch,
	    watch);
	struct worker *w = door->worker;

	(void)events;
	accept_one(w, door->number);
	if (w->accepting && w->n_conns > w->fair_share) {
		loop_remove(&w->loop, watch);
		if (watch_door(w, door) != 0)
			stop_accepting(w);	/* until the next tick */
	}
}

static int
start_accepting(struct worker *w)
{
	unsigned i;
	int err = 0;

	for (i = 0; i < w->n_listeners && err == 0; i++)
		err = watch_door(w, &w->door[i]);
	if (err == 0)
		w->accepting = true;
	else
		stop_accepting(w);
	return err;
}

void
accept_close(struct worker *w)
{
	unsigned i;

	stop_accepting(w);
	for (i = 0; i < w->n_listeners; i++)
		close(w->listener_fd[i]);
	w->n_listeners = 0;
}

int
accept_open(struct worker *w)
{
	unsigned i;

	for (i = 0; i < w->n_listeners; i++) {
		loop_watch_init(&w->door[i].watch);
		w->door[i].worker = w;
		w->door[i].number = i;
	}
	return start_accepting(w);
}

/* How many connections are the mean of those workers that show life. */
static unsigned
mean_conns(const struct worker *w)
{
	const struct worker_stats *s = w->shared->stats;
	uint64_t sum = 0, alive = 0;
	unsigned i;

	for (i = 0; i < PROXYD_WORKERS_MAX; i++) {
		if (counter_get(&s[i].heartbeat_ms) + 3 * TICK_MS < w->now_ms)
			continue;
		sum += counter_get(&s[i].value[STAT_ACTIVE]);
		alive++;
	}
	return alive > 1 ? (unsigned)(sum / alive) : w->conns_max;
}

/*
 * Listeners are watched anew, always: what a worker was woken for that then
 * stopped or died nobody else would see.
 */
void
accept_tick(struct worker *w)
{
	unsigned mean = mean_conns(w);

	tell_refused(w);
	stop_accepting(w);
	w->fair_share = 8 + mean + mean / 4;
	if (w->n_conns < w->conns_max && w->n_conns <= 24 + w->fair_share)
		start_accepting(w);	/* or at the next tick */
}
