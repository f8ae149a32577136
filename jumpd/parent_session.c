/* SPDX-License-Identifier: ISC */
/*
 * parent_session.c - the sessions' processes: which there are, and which have
 * to go.
 */
#include "jumpd/parent_state.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>

#include "common/clock.h"
#include "common/container_of.h"
#include "common/log.h"
#include "common/sock.h"

enum {
	SOURCES = 65536,	/* that are remembered */
	ENDING_MS = 1000,	/* for a process to end when it was told to */
	WATCH_MS = 1000,	/* how often CPU time is looked at */
	SPIN_CPU_MS = 5000,	/* so much of it with nothing moved ... */
	SPIN_PERCENT = 5	/* ... and not less than this all the time */
};

/* --- places --------------------------------------------------------------- */

void
parent_sessions_init(struct parent *p)
{
	struct siphash_key key;
	uint32_t i;

	if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
		log_fatal("getrandom: %s", strerror(errno));
	p->sources = source_table_new(SOURCES, &key);
	p->session = calloc(SESSIONS_MAX, sizeof(*p->session));
	p->slots = mmap(NULL, SESSIONS_MAX * sizeof(*p->slots),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS |
	    MAP_NORESERVE, -1, 0);
	if (p->sources == NULL || p->session == NULL ||
	    p->slots == MAP_FAILED)
		log_fatal("out of memory");
	deadline_list_init(&p->logins);
	deadline_list_init(&p->endings);
	p->free_session = NO_SESSION;
	for (i = 0; i < PID_CHAINS; i++)
		p->chain[i] = NO_SESSION;
}

void
parent_sessions_fini(struct parent *p)
{
	munmap(p->slots, SESSIONS_MAX * sizeof(*p->slots));
	source_table_free(p->sources);
	free(p->session);
}

struct parent_session *
parent_session_take(struct parent *p)
{
	struct parent_session *s;
	uint32_t place = p->free_session;

	if (place != NO_SESSION)
		p->free_session = p->session[place].next;
	else if (p->high_session < SESSIONS_MAX)
		place = p->high_session++;
	else
		return NULL;
	s = &p->session[place];
	memset(s, 0, sizeof(*s));
	s->number = ++p->sequence * SESSIONS_MAX + place;
	s->broker = p->broker;
	return s;
}

void
parent_session_give_back(struct parent *p, struct parent_session *s)
{
	s->number = 0;
	s->next = p->free_session;
	p->free_session = (uint32_t)(s - p->session);
}

static uint32_t *
chain_of(struct parent *p, pid_t pid)
{
	return &p->chain[(uint32_t)pid & (PID_CHAINS - 1)];
}

static void
count(struct parent *p)
{
	_Atomic uint64_t *value = p->stats[STATS_PARENT].value;

	counter_set(&value[JUMPD_STAT_SESSIONS],
	    source_table_connections(p->sources));
	counter_set(&value[JUMPD_STAT_HALF_OPEN],
	    source_table_half_open(p->sources));
}

static void tell_ended(struct parent *, struct parent_session *);

void
parent_session_begun(struct parent *p, struct parent_session *s, pid_t pid)
{
	uint32_t *chain = chain_of(p, pid);

	if (pid == 0) {		/* fork failed */
		s->end = END_FAULT;
		tell_ended(p, s);
		return;
	}
	s->pid = pid;
	s->next = *chain;
	*chain = (uint32_t)(s - p->session);
	atomic_store_explicit(&p->slots[s - p->session].moved, 0,
	    memory_order_relaxed);
	deadline_set(&p->logins, &s->login, clock_now_ms() +
	    p->now.config->settings.login_ms);
	p->n_sessions++;
	count(p);
}

/* --- to and from the broker ----------------------------------------------- */

/* The place is free once the broker knows. */
static void
tell_ended(struct parent *p, struct parent_session *s)
{
	const struct broker_news ended = { .kind = BROKER_ENDED,
		.reason = s->end, .session = s->number };

	if (sock_send_fds(p->to_broker, &ended, sizeof(ended), NULL, 0) ==
	    -EAGAIN) {
		p->n_untold += !s->untold;
		s->untold = true;
		return;
	}
	p->n_untold -= s->untold;
	s->untold = false;
	parent_session_give_back(p, s);
}

static struct parent_session *
session_numbered(struct parent *p, uint64_t number)
{
	struct parent_session *s = &p->session[number % SESSIONS_MAX];

	return s->number == number && s->pid != 0 ? s : NULL;
}

void
parent_hear_broker(struct parent *p)
{
	struct broker_news msg;
	struct parent_session *s;
	size_t no_fds = 0;

	while (sock_recv_fds(p->to_broker, &msg, sizeof(msg), NULL,
	    &no_fds) > 0) {
		s = session_numbered(p, msg.session);
		if (s == NULL)
			continue;
		switch ((int)msg.kind) {
		case BROKER_LOGGED_IN:
			s->logged_in = true;
			deadline_clear(&s->login);
			source_table_logged_in(p->sources, &s->ticket);
			count(p);
			break;
		case BROKER_REFUSED_LOGIN:
			s->failed = true;
			source_table_offend(p->sources,
			    &p->now.config->settings.source, &s->client.addr,
			    SOURCE_FAILED_LOGIN, clock_now_ms());
			break;
		case BROKER_END:
			s->told_to_end = true;
			deadline_set(&p->endings, &s->ending,
			    clock_now_ms() + ENDING_MS);
			break;
		default:
			break;
		}
	}
}

/* --- the end -------------------------------------------------------------- */

void
parent_session_end(struct parent_session *s, enum end_reason reason)
{
	deadline_clear(&s->login);
	if (s->end == END_NONE)
		s->end = reason;
	assert(s->pid > 0);	/* 0 would be all of ours */
	kill(s->pid, SIGKILL);
}

static enum end_reason
why_ended(const struct parent_session *s, int status)
{
	/* Why it was told to end the broker knows. */
	if (s->end != END_NONE || s->told_to_end)
		return s->end;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGVTALRM ? END_SPINNING :
						       END_CRASHED;
	return WEXITSTATUS(status) == 0 ? END_NONE : END_CRASHED;
}

/* What its source is to be blamed for. */
static void
blame(struct parent *p, const struct parent_session *s)
{
	enum source_offence offence;

	switch ((int)s->end) {
	case END_SPINNING:
	case END_CRASHED:
		offence = SOURCE_CRASHED;
		break;
	case END_LOGIN_GRACE:
		offence = SOURCE_GRACE;
		break;
	case END_NONE:
	case END_SHED:
		/* Nor is anybody to be blamed for what the broker's end
		 * brought about. */
		if (s->logged_in || s->failed || s->told_to_end ||
		    s->broker != p->broker)
			return;
		offence = SOURCE_HUNG_UP;
		break;
	default:
		return;
	}
	source_table_offend(p->sources, &p->now.config->settings.source,
	    &s->client.addr, offence, clock_now_ms());
}

/* Lines are the broker's; but that one has died since. */
static void
log_orphan(const struct parent *p, const struct parent_session *s)
{
	char text[ENDPOINT_TEXT_MAX];

	if (s->broker != p->broker)
		log_info("session client=%s session=%llu reason=%s",
		    endpoint_format(&s->client, text),
		    (unsigned long long)s->number,
		    end_reason_label(s->end == END_NONE ? END_BROKER_GONE :
							  s->end));
}

bool
parent_session_reaped(struct parent *p, pid_t pid, int status)
{
	uint32_t *at = chain_of(p, pid);
	struct parent_session *s;

	while (*at != NO_SESSION && p->session[*at].pid != pid)
		at = &p->session[*at].next;
	if (*at == NO_SESSION)
		return false;
	s = &p->session[*at];
	if (!WIFEXITED(status) && !WIFSIGNALED(status))
		return true;
	/* Its login may be news that wait: then nobody is to be blamed. */
	if (!s->logged_in)
		parent_hear_broker(p);
	*at = s->next;
	s->pid = 0;
	s->end = why_ended(s, status);
	deadline_clear(&s->login);
	deadline_clear(&s->ending);
	blame(p, s);
	source_table_leave(p->sources, &s->ticket);
	p->n_sessions--;
	count(p);
	log_orphan(p, s);
	tell_ended(p, s);
	return true;
}

void
parent_sessions_signal(struct parent *p, int sig, enum end_reason reason)
{
	for (uint32_t i = 0; i < p->high_session; i++) {
		struct parent_session *s = &p->session[i];

		if (s->pid == 0)
			continue;
		if (sig == SIGKILL && s->end == END_NONE)
			s->end = reason;
		kill(s->pid, sig);
	}
}

/* --- time ----------------------------------------------------------------- */

/* CPU time of the process in milliseconds, or 0. */
static uint64_t
cpu_ms(pid_t pid)
{
	struct timespec used;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) != 0 ||
	    clock_gettime(clock, &used) != 0)
		return 0;
	return (uint64_t)used.tv_sec * 1000 +
	    (uint64_t)used.tv_nsec / 1000000;
}

/*
 * A process may use the CPU as long as it moves bytes.  CPU time counts, not
 * how long it took: where many spin each gets little of it.
 */
static void
watch(struct parent *p, struct parent_session *s, uint64_t now_ms)
{
	uint64_t moved = atomic_load_explicit(
	    &p->slots[s - p->session].moved, memory_order_relaxed);
	uint64_t cpu = cpu_ms(s->pid), since = now_ms - s->busy_ms;

	if (s->busy_ms == 0 || moved != s->busy_moved ||
	    (cpu - s->busy_cpu_ms) * 100 < since * SPIN_PERCENT) {
		s->busy_ms = now_ms;
		s->busy_cpu_ms = cpu;
		s->busy_moved = moved;
	} else if (cpu - s->busy_cpu_ms >= SPIN_CPU_MS) {
		parent_session_end(s, END_SPINNING);
	}
}

void
parent_sessions_tick(struct parent *p, uint64_t now_ms)
{
	struct deadline *d;
	uint32_t i;

	while ((d = deadline_expired(&p->logins, now_ms)) != NULL)
		parent_session_end(CONTAINER_OF(struct parent_session, login,
		    d), END_LOGIN_GRACE);
	while ((d = deadline_expired(&p->endings, now_ms)) != NULL) {
		deadline_clear(d);
		kill(CONTAINER_OF(struct parent_session, ending, d)->pid,
		    SIGKILL);
	}
	for (i = 0; p->n_untold > 0 && i < p->high_session; i++)
		if (p->session[i].untold)
			tell_ended(p, &p->session[i]);
	if (now_ms < p->watched_ms + WATCH_MS)
		return;
	p->watched_ms = now_ms;
	for (i = 0; i < p->high_session; i++)
		if (p->session[i].pid != 0)
			watch(p, &p->session[i], now_ms);
}
