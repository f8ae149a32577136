/* SPDX-License-Identifier: ISC */
/*
 * parent_accept.c - from a listener to a process of its own.
 */
#include "jumpd/parent_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/container_of.h"
#include "common/log.h"
#include "common/sock.h"

enum { ACCEPTS_MAX = 64 };	/* in one go: others wait, too */

/* A line for each, but no more than a log can take: a flood says how many
 * were left out. */
static void
log_refusal(struct parent *p, const struct endpoint *client,
    enum deny_reason reason, uint64_t now_ms)
{
	char text[ENDPOINT_TEXT_MAX];

	if (!p->now.config->settings.log_connections)
		return;
	if (!token_bucket_take(&p->refused_lines, now_ms)) {
		p->refused_silently++;
		return;
	}
	if (p->refused_silently > 0)
		log_info("refused client=many count=%llu",
		    (unsigned long long)p->refused_silently);
	p->refused_silently = 0;
	log_info("refused client=%s reason=%s", endpoint_format(client, text),
	    deny_reason_label(reason));
}

static void
refuse(struct parent *p, int fd, const struct endpoint *client,
    enum deny_reason reason, uint64_t now_ms)
{
	counter_add(&p->stats[STATS_PARENT].denied[reason], 1);
	log_refusal(p, client, reason, now_ms);
	close(fd);
}

static struct endpoint
local_of(int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		memset(&ss, 0, sizeof(ss));
	return sock_endpoint(&ss);
}

static void __attribute__((noreturn))
be_session(const struct parent *p, const struct parent_session *s, int fd,
    int to_broker)
{
	const struct worker_start start = { .client = fd,
		.broker = to_broker,
		.null_fd = p->null_fd,
		.empty_root = p->empty_root,
		.memory_octets = p->memory_octets,
		.ids = &p->ids,
		.settings = &p->now.config->settings,
		.keys = p->now.keys,
		.client_at = s->client,
		.local = s->local,
		.slots = p->slots,
		.n_slots = SESSIONS_MAX,
		.slot = (uint32_t)(s - p->session) };

	worker_run(&start);
}

/* Give one end of a pair to the broker, the other one and the client to a
 * process.  Returns 0 or -errno. */
static int
begin(struct parent *p, struct parent_session *s, int fd)
{
	const struct broker_news adopt = { .kind = BROKER_ADOPT,
		.channels = settings_channels(&p->now.config->settings),
		.session = s->number, .client = s->client,
		.local = s->local };
	int pair[2], err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	err = sock_send_fds(p->to_broker, &adopt, sizeof(adopt), &pair[0], 1);
	close(pair[0]);
	if (err != 0) {
		close(pair[1]);
		return err;
	}
	pid = fork();
	if (pid == 0)
		be_session(p, s, fd, pair[1]);
	err = pid < 0 ? -errno : 0;
	close(pair[1]);
	/* The broker has it already, and hears that it ended. */
	parent_session_begun(p, s, pid < 0 ? 0 : pid);
	return err;
}

static void
accept_one(struct parent *p, int fd, const struct endpoint *client,
    uint64_t now_ms)
{
	struct source_ticket *shed = NULL;
	struct parent_session *s = parent_session_take(p);
	enum deny_reason reason = DENY_TOTAL;
	int err;

	if (s != NULL)
		reason = source_table_enter(p->sources,
		    &p->now.config->settings.source, &client->addr, now_ms,
		    &s->ticket, &shed);
	if (shed != NULL) {
		counter_add(&p->stats[STATS_PARENT].denied[DENY_SHED], 1);
		parent_session_end(CONTAINER_OF(struct parent_session,
		    ticket, shed), END_SHED);
	}
	if (reason != DENY_NONE) {
		if (s != NULL)
			parent_session_give_back(p, s);
		refuse(p, fd, client, reason, now_ms);
		return;
	}
	s->client = *client;
	s->local = local_of(fd);
	err = begin(p, s, fd);
	if (err == 0) {
		close(fd);
		return;
	}
	source_table_leave(p->sources, &s->ticket);
	if (s->number != 0 && !s->untold)
		parent_session_give_back(p, s);
	refuse(p, fd, client, err == -EMFILE || err == -ENFILE ?
	    DENY_NO_DESCRIPTORS : err == -ENOMEM ? DENY_NO_MEMORY :
	    DENY_FAULT, now_ms);
}

static void
on_acceptable(evutil_socket_t listener, short what, void *arg)
{
	struct parent *p = arg;
	struct sockaddr_storage ss;
	struct endpoint client;
	socklen_t len;
	int fd, i;

	(void)what;
	for (i = 0; i < ACCEPTS_MAX; i++) {
		len = sizeof(ss);
		fd = accept4(listener, (struct sockaddr *)&ss, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		counter_add(
		    &p->stats[STATS_PARENT].value[JUMPD_STAT_ACCEPTED], 1);
		client = sock_endpoint(&ss);
		/* Who has logged in meanwhile is not half open any more. */
		parent_hear_broker(p);
		accept_one(p, fd, &client, clock_now_ms());
	}
}

void
parent_stop_listening(struct parent *p)
{
	while (p->n_accept_events > 0)
		event_free(p->accept_event[--p->n_accept_events]);
}

void
parent_listen(struct parent *p)
{
	parent_stop_listening(p);
	for (uint32_t i = 0; i < p->now.n_listeners; i++) {
		struct event *event = event_new(p->base, p->now.listener[i],
		    EV_READ | EV_PERSIST, on_acceptable, p);

		if (event == NULL || event_add(event, NULL) != 0)
			log_fatal("out of memory");
		p->accept_event[p->n_accept_events++] = event;
	}
}
