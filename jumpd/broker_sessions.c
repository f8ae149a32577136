/* SPDX-License-Identifier: ISC */
/*
 * broker_sessions.c - sessions come and go, and what the parent is told of
 * them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/container_of.h"
#include "common/log.h"
#include "common/sock.h"
#include "jumpd/broker_state.h"

enum {
	BATCH = 64,		/* messages of the parent in one go */
	GONE_MS = 2000		/* the parent reaps sooner than this */
};

static struct broker_session **
head_of(struct broker *b, uint64_t number)
{
	return &b->head[number % BROKER_SESSION_HEADS];
}

static struct broker_session *
find(struct broker *b, uint64_t number)
{
	struct broker_session *s = *head_of(b, number);

	while (s != NULL && s->number != number)
		s = s->hash_next;
	return s;
}

static void
link_session(struct broker *b, struct broker_session *s)
{
	struct broker_session **head = head_of(b, s->number);

	s->hash_next = *head;
	*head = s;
	s->next = b->all;
	if (b->all != NULL)
		b->all->prev = s;
	b->all = s;
	b->n_sessions++;
}

static void
unlink_session(struct broker *b, struct broker_session *s)
{
	struct broker_session **at = head_of(b, s->number);

	while (*at != s)
		at = &(*at)->hash_next;
	*at = s->hash_next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		b->all = s->next;
	b->n_sessions--;
}

/* ------------------------------------------------------------- the end */

void
broker_session_gone(struct broker_session *s)
{
	struct broker *b = s->broker;

	if (s->fd < 0)
		return;
	loop_remove(&b->loop, &s->watch);
	deadline_clear(&s->pause);
	close(s->fd);
	s->fd = -1;
	broker_login_fini(s);
	while (s->opens != NULL)
		broker_open_free(s->opens);
	while (s->channels != NULL)
		broker_channel_drop(s, s->channels, END_SESSION_ENDED);
	deadline_set(&b->deadlines[BROKER_DEADLINE_GONE], &s->gone,
	    b->now_ms + GONE_MS);
}

void
broker_session_finish(struct broker_session *s, enum end_reason parent)
{
	struct broker *b = s->broker;
	enum end_reason reason = parent;

	broker_session_gone(s);
	deadline_clear(&s->gone);
	/* Who saw it from outside knows best, then we, then the child. */
	if (reason == END_NONE)
		reason = s->ours;
	if (reason == END_NONE)
		reason = s->child_says;
	if (reason == END_NONE)
		reason = END_CRASHED;
	counter_add(&b->stats->ended[reason], 1);
	broker_log_session(s, reason);
	unlink_session(b, s);
	if (s->logged_in)
		principal_fini(&s->principal);
	free(s->blob);
	free(s);
}

/* --------------------------------------------------------- the parent */

static bool
tell(const struct broker_session *s, enum broker_news_kind kind)
{
	const struct broker_news m = { .kind = kind, .session = s->number };
	int err;

	err = sock_send_fds(s->broker->sessions, &m, sizeof(m), NULL, 0);
	return err != -EAGAIN && err != -ENOBUFS && err != -ENOMEM;
}

/* What the parent has not been told yet. */
static void
tell_owed(struct broker_session *s)
{
	while (s->owed_logins > 0 && tell(s, BROKER_LOGGED_IN))
		s->owed_logins--;
	while (s->owed_failures > 0 && tell(s, BROKER_REFUSED_LOGIN))
		s->owed_failures--;
	if (s->owed_end && tell(s, BROKER_END))
		s->owed_end = false;
	if (s->owed_logins > 0 || s->owed_failures > 0 || s->owed_end)
		s->broker->owes = true;
}

void
broker_report(struct broker_session *s, enum broker_news_kind kind)
{
	if (kind == BROKER_LOGGED_IN)
		s->owed_logins++;
	else if (kind == BROKER_REFUSED_LOGIN)
		s->owed_failures++;
	else
		s->owed_end = true;
	tell_owed(s);
}

void
broker_reports_retry(struct broker *b)
{
	struct broker_session *s;

	if (!b->owes)
		return;
	b->owes = false;
	for (s = b->all; s != NULL; s = s->next)
		tell_owed(s);
}

static void
adopt(struct broker *b, const struct broker_news *m, int fd)
{
	struct broker_session *s = calloc(1, sizeof(*s));
	int err = s != NULL ? 0 : -ENOMEM;

	if (err == 0) {
		s->broker = b;
		s->number = m->session;
		s->client = m->client;
		s->local = m->local;
		s->channels_max = m->channels;
		s->began_ms = b->now_ms;
		token_level_fill(&s->messages, BROKER_MESSAGES_BURST,
		    b->now_ms);
		s->fd = fd;
		loop_watch_init(&s->watch);
		err = loop_add(&b->loop, &s->watch, fd, EPOLLIN,
		    broker_on_child);
	}
	if (err != 0) {
		/* The child sees the end of its pair. */
		log_error("session %llu: %s", (unsigned long long)m->session,
		    strerror(-err));
		close(fd);
		free(s);
		return;
	}
	link_session(b, s);
}

/* The process is reaped: what it said before is still there to be read. */
static void
ended(struct broker *b, const struct broker_news *m)
{
	struct broker_session *s = find(b, m->session);
	enum end_reason reason = m->reason < N_END_REASONS ?
	    (enum end_reason)m->reason :
	    END_FAULT;

	if (s == NULL)
		return;
	if (s->fd >= 0)
		broker_on_child(&s->watch, EPOLLHUP);
	broker_session_finish(s, reason);
}

/* Returns false if there is nothing more. */
static bool
read_news(struct broker *b)
{
	struct broker_news m;
	int fd = -1;
	size_t n_fds = 1;
	ssize_t n = sock_recv_fds(b->sessions, &m, sizeof(m), &fd, &n_fds);

	if (n <= 0 && n != -EBADMSG) {
		if (n != -EAGAIN)
			loop_remove(&b->loop, &b->sessions_watch);
		return false;
	}
	if (n > 0 && m.kind == BROKER_ADOPT && n_fds == 1 &&
	    find(b, m.session) == NULL)
		adopt(b, &m, fd);
	else if (n_fds == 1)
		close(fd);
	if (n > 0 && m.kind == BROKER_ENDED)
		ended(b, &m);
	return true;
}

void
broker_on_sessions(struct loop_watch *watch, uint32_t events)
{
	struct broker *b = CONTAINER_OF(struct broker, sessions_watch, watch);
	unsigned i;

	(void)events;
	for (i = 0; i < BATCH && read_news(b); i++)
		;
}
