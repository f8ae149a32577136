/* SPDX-License-Identifier: ISC */
#include "common/workers.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/sock.h"

enum {
	BACKOFF_MIN_MS = 50,
	BACKOFF_MAX_MS = 800,
	YOUNG_MS = 5000,	/* who ends before this counts as crashing */
	STOPPED_MS = 500,	/* how long a SIGSTOP is borne */
	CHANNEL_OCTETS = 1 << 20	/* room for a few orders */
};

struct slot {
	struct workers	*workers;	/* borrowed */
	unsigned	 number;
	pid_t		 pid;		/* 0: none */
	int		 channel;	/* owned; -1: none */
	struct event	*readable;	/* owned */
	uint64_t	 started_ms;
	uint64_t	 stopped_ms;	/* since when stopped; 0: not */
	uint64_t	 restart_ms;	/* when to start the next; 0: not */
	uint32_t	 backoff_ms;
	uint32_t	 sent, adopted;	/* generations */
	bool		 killed;	/* by us */
};

struct workers {
	struct event_base *base;	/* borrowed */
	const struct workers_ops *ops;	/* borrowed */
	void		*arg;		/* borrowed */
	uint32_t	 hang_ms;
	struct workers_orders orders;
	uint32_t	 told_adopted;	/* generation */
	bool		 draining;
	unsigned	 n;
	struct slot	 slot[WORKERS_MAX];
};

struct workers *
workers_new(struct event_base *base, unsigned n, uint32_t hang_ms,
    const struct workers_ops *ops, void *arg)
{
	struct workers *w = calloc(1, sizeof(*w));
	unsigned i;

	assert(n >= 1 && n <= WORKERS_MAX);
	if (w == NULL)
		return NULL;
	w->base = base;
	w->ops = ops;
	w->arg = arg;
	w->hang_ms = hang_ms;
	w->n = n;
	for (i = 0; i < n; i++) {
		w->slot[i].workers = w;
		w->slot[i].number = i;
		w->slot[i].channel = -1;
	}
	return w;
}

static void
channel_close(struct slot *s)
{
	if (s->readable != NULL)
		event_free(s->readable);
	s->readable = NULL;
	if (s->channel >= 0)
		close(s->channel);
	s->channel = -1;
}

void
workers_free(struct workers *w)
{
	unsigned i;

	if (w == NULL)
		return;
	for (i = 0; i < w->n; i++)
		channel_close(&w->slot[i]);
	free(w);
}

unsigned
workers_running(const struct workers *w)
{
	unsigned i, running = 0;

	for (i = 0; i < w->n; i++)
		running += w->slot[i].pid != 0;
	return running;
}

/* Tell, once a generation, when nobody is left with an older one. */
static void
check_adopted(struct workers *w)
{
	unsigned i;

	if (w->told_adopted == w->orders.generation || w->draining)
		return;
	for (i = 0; i < w->n; i++)
		if (w->slot[i].pid != 0 &&
		    w->slot[i].adopted != w->orders.generation)
			return;
	if (workers_running(w) == 0)
		return;
	w->told_adopted = w->orders.generation;
	w->ops->adopted(w->arg, w->told_adopted);
}

static void
on_channel_readable(evutil_socket_t fd, short what, void *arg)
{
	struct slot *s = arg;
	uint32_t generation;
	ssize_t n = recv(fd, &generation, sizeof(generation), MSG_DONTWAIT);

	(void)what;
	if (n == (ssize_t)sizeof(generation)) {
		s->adopted = generation;
		check_adopted(s->workers);
	} else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		/* It is ending; SIGCHLD will say how. */
		event_del(s->readable);
	}
}

static void
schedule_restart(struct slot *s, uint64_t now_ms)
{
	if (s->workers->draining)
		return;
	if (s->started_ms != 0 && now_ms - s->started_ms > YOUNG_MS)
		s->backoff_ms = 0;
	s->restart_ms = now_ms + s->backoff_ms;
	s->backoff_ms = s->backoff_ms == 0 ? BACKOFF_MIN_MS :
					     2 * s->backoff_ms;
	if (s->backoff_ms > BACKOFF_MAX_MS)
		s->backoff_ms = BACKOFF_MAX_MS;
}

static void
run_child(struct slot *s, int channel)
{
	struct workers *w = s->workers;

	w->ops->run(w->arg, s->number, channel);
}

static void
slot_start(struct slot *s, uint64_t now_ms)
{
	struct workers *w = s->workers;
	const int room = CHANNEL_OCTETS;
	int pair[2];
	pid_t pid;

	s->restart_ms = 0;
	s->started_ms = now_ms;
	s->stopped_ms = 0;
	s->killed = false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		log_error("worker %u: socketpair: %s", s->number,
		    strerror(errno));
		schedule_restart(s, now_ms);
		return;
	}
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	pid = fork();
	if (pid == 0)
		run_child(s, pair[1]);
	close(pair[1]);
	s->channel = pair[0];
	s->readable = pid < 0 ? NULL :
				event_new(w->base, s->channel,
				    EV_READ | EV_PERSIST, on_channel_readable,
				    s);
	if (pid < 0 || s->readable == NULL ||
	    event_add(s->readable, NULL) != 0) {
		log_error("worker %u: cannot be started: %s", s->number,
		    strerror(errno));
		channel_close(s);	/* a child that did start drains */
		schedule_restart(s, now_ms);
		return;
	}
	s->pid = pid;
	s->sent = w->orders.generation;
	s->adopted = 0;
}

void
workers_start(struct workers *w, const struct workers_orders *orders)
{
	uint64_t now_ms = clock_now_ms();
	unsigned i;

	w->orders = *orders;
	for (i = 0; i < w->n; i++)
		slot_start(&w->slot[i], now_ms);
}

static void
slot_order(struct slot *s)
{
	const struct workers_orders *o = &s->workers->orders;
	int err;

	if (s->pid == 0 || s->channel < 0 || s->sent == o->generation)
		return;
	err = sock_send_fds(s->channel, o->message, o->len, o->fds, o->n_fds);
	if (err == 0)
		s->sent = o->generation;
	else if (err != -EAGAIN && err != -EPIPE && err != -ECONNRESET)
		log_error("worker %u (pid %d): orders: %s", s->number,
		    (int)s->pid, strerror(-err));
}

void
workers_order(struct workers *w, const struct workers_orders *orders)
{
	unsigned i;

	w->orders = *orders;
	for (i = 0; i < w->n; i++)
		slot_order(&w->slot[i]);
}

static void
log_end(const struct slot *s, int status)
{
	const char *next = s->workers->draining ? "" : "; starting another";

	if (WIFSIGNALED(status))
		log_warning("worker %u (pid %d) ended: signal %d%s", s->number,
		    (int)s->pid, WTERMSIG(status), next);
	else if (WEXITSTATUS(status) != 0 || !s->workers->draining)
		log_warning("worker %u (pid %d) ended: exit status %d%s",
		    s->number, (int)s->pid, WEXITSTATUS(status), next);
}

static void
slot_ended(struct slot *s, int status, uint64_t now_ms)
{
	struct workers *w = s->workers;

	log_end(s, status);
	s->pid = 0;
	s->stopped_ms = 0;
	channel_close(s);
	w->ops->ended(w->arg, s->number);
	schedule_restart(s, now_ms);
	if (s->restart_ms != 0 && s->restart_ms <= now_ms)
		slot_start(s, now_ms);
	check_adopted(w);
	if (w->draining && workers_running(w) == 0)
		w->ops->all_gone(w->arg);
}

bool
workers_reaped(struct workers *w, pid_t pid, int status)
{
	uint64_t now_ms = clock_now_ms();
	unsigned i;

	for (i = 0; i < w->n; i++)
		if (w->slot[i].pid == pid)
			break;
	if (i == w->n)
		return false;
	if (WIFSTOPPED(status))
		w->slot[i].stopped_ms = now_ms;
	else if (WIFCONTINUED(status))
		w->slot[i].stopped_ms = 0;
	else
		slot_ended(&w->slot[i], status, now_ms);
	return true;
}

static void
slot_kill(struct slot *s, const char *why)
{
	if (s->killed)
		return;
	log_warning("worker %u (pid %d) %s; killing it", s->number,
	    (int)s->pid, why);
	s->killed = true;
	kill(s->pid, SIGKILL);
}

void
workers_tick(struct workers *w, uint64_t now_ms)
{
	struct slot *s;
	uint64_t alive_ms;

	for (s = w->slot; s < w->slot + w->n; s++) {
		if (s->restart_ms != 0 && now_ms >= s->restart_ms &&
		    !w->draining)
			slot_start(s, now_ms);
		if (s->pid == 0)
			continue;
		slot_order(s);
		alive_ms = w->ops->heartbeat_ms(w->arg, s->number);
		/* The worker writes it: it may say anything. */
		if (alive_ms < s->started_ms)
			alive_ms = s->started_ms;
		if (alive_ms > now_ms)
			alive_ms = now_ms;
		if (s->stopped_ms != 0 && now_ms >= s->stopped_ms + STOPPED_MS)
			slot_kill(s, "is stopped");
		else if (now_ms > alive_ms + w->hang_ms)
			slot_kill(s, "hangs");
	}
	check_adopted(w);
}

void
workers_drain(struct workers *w)
{
	struct slot *s;

	w->draining = true;
	for (s = w->slot; s < w->slot + w->n; s++) {
		s->restart_ms = 0;
		if (s->channel >= 0)
			shutdown(s->channel, SHUT_WR);
	}
	if (workers_running(w) == 0)
		w->ops->all_gone(w->arg);
}

void
workers_kill(struct workers *w)
{
	struct slot *s;

	for (s = w->slot; s < w->slot + w->n; s++)
		if (s->pid != 0)
			kill(s->pid, SIGKILL);
}
