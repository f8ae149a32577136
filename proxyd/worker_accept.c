/* SPDX-License-Identifier: ISC */
#include "proxyd/worker_accept.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/sock.h"
#include "proxyd/conn.h"

static void
set_accepting(struct worker *w, bool accepting)
{
	if (w->accepting == accepting || w->accept_epoll < 0)
		return;
	w->accepting = accepting;
	if (accepting)
		event_add(&w->accept_event, NULL);
	else
		event_del(&w->accept_event);
}

static void
pause_accept(struct worker *w, int error)
{
	static uint64_t logged_ms;

	if (!w->accepting)
		return;
	set_accepting(w, false);
	stat_add(&w->stats->value[STAT_ACCEPT_PAUSES], 1);
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
	stat_add(&w->stats->closed[reason], 1);
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
	stat_set(&w->stats->value[STAT_ACTIVE], w->n_conns);
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
	stat_add(&w->stats->value[STAT_ACCEPTED], 1);
	admit(w, fd, &peer, &w->listener[i]);
}

static void
on_listeners_ready(evutil_socket_t epoll, short what, void *arg)
{
	struct worker *w = arg;
	struct epoll_event events[PROXYD_LISTENERS_MAX];
	int i, n;

	(void)what;
	w->now_ms = clock_now_ms();
	n = epoll_wait(epoll, events, PROXYD_LISTENERS_MAX, 0);
	for (i = 0; i < n && w->accepting; i++)
		accept_one(w, events[i].data.u32);
}

void
accept_close(struct worker *w)
{
	unsigned i;

	if (w->accept_epoll >= 0) {
		set_accepting(w, false);
		event_del(&w->accept_event);
		close(w->accept_epoll);
		w->accept_epoll = -1;
	}
	for (i = 0; i < w->n_listeners; i++)
		close(w->listener_fd[i]);
	w->n_listeners = 0;
}

/* One small epoll with EPOLLEXCLUSIVE, for which libevent has no flag, as one
 * event. */
int
accept_open(struct worker *w)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	unsigned i;

	w->accept_epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->accept_epoll < 0)
		return -errno;
	for (i = 0; i < w->n_listeners; i++) {
		ev.data.u32 = i;
		if (epoll_ctl(w->accept_epoll, EPOLL_CTL_ADD,
			w->listener_fd[i], &ev) != 0)
			return -errno;
	}
	event_assign(&w->accept_event, w->base, w->accept_epoll,
	    EV_READ | EV_PERSIST, on_listeners_ready, w);
	set_accepting(w, true);
	return 0;
}

/* Clearly more connections than the mean of those workers that show life. */
static bool
too_many(const struct worker *w)
{
	const struct worker_stats *s = w->shared->stats;
	uint64_t sum = 0, alive = 0;
	unsigned i;

	for (i = 0; i < PROXYD_WORKERS_MAX; i++) {
		if (stat_get(&s[i].heartbeat_ms) + 3 * TICK_MS < w->now_ms)
			continue;
		sum += stat_get(&s[i].value[STAT_ACTIVE]);
		alive++;
	}
	return alive > 1 && w->n_conns > 32 + sum / alive * 5 / 4;
}

void
accept_tick(struct worker *w)
{
	tell_refused(w);
	if (w->accept_epoll >= 0)
		set_accepting(w, w->n_conns < w->conns_max && !too_many(w));
}
