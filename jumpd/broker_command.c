/* SPDX-License-Identifier: ISC */
/*
 * broker_command.c - runs of authorized_keys_command, as the broker sees
 * them: a descriptor to read from, and word of how it ended.
 *
 * What a command wrote may be kept for a while, in a table of fixed size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/container_of.h"
#include "common/sock.h"
#include "jumpd/broker_state.h"

enum {
	CACHE_CELLS = 1024,
	CACHE_TEXT_MAX = 8 * 1024,	/* longer ones are not kept */
	READ_OCTETS = 16 * 1024
};

struct broker_command {
	struct broker_command *prev, *next;
	struct broker	*broker;	/* borrowed */
	struct broker_session *session;	/* borrowed; NULL: given up */
	struct addr	 source;	/* source_of its client */
	uint32_t	 id;
	struct key_digest asked;	/* user and blob */
	struct deadline	 deadline;
	struct loop_watch watch;
	int		 fd;		/* owned; -1: none, or at its end */
	bool		 started, ended, succeeded;
	size_t		 len, room;
	char		*text;		/* owned */
};

struct cache_cell {
	struct key_digest asked;
	uint64_t	 until_ms;	/* 0: free */
	size_t		 len;
	char		*text;		/* owned */
};

struct command_cache {
	struct cache_cell cell[CACHE_CELLS];
};

/* --------------------------------------------------------------- cache */

bool
broker_command_init(struct broker *b)
{
	b->cache = calloc(1, sizeof(*b->cache));
	return b->cache != NULL;
}

static struct cache_cell *
cell_of(struct broker *b, const struct key_digest *asked)
{
	uint64_t hash = siphash(&b->key, asked->octet, sizeof(asked->octet));

	return &b->cache->cell[hash % CACHE_CELLS];
}

static void
cell_clear(struct cache_cell *cell)
{
	free(cell->text);
	memset(cell, 0, sizeof(*cell));
}

void
broker_command_forget(struct broker *b)
{
	unsigned i;

	for (i = 0; i < CACHE_CELLS; i++)
		cell_clear(&b->cache->cell[i]);
}

/* Keep what a run wrote; its text is taken over. */
static void
keep(struct broker *b, struct broker_command *c)
{
	struct cache_cell *cell = cell_of(b, &c->asked);

	if (b->settings->command_cache_ms == 0 || c->len > CACHE_TEXT_MAX)
		return;
	cell_clear(cell);
	cell->asked = c->asked;
	cell->until_ms = b->now_ms + b->settings->command_cache_ms;
	cell->len = c->len;
	cell->text = c->text;
	c->text = NULL;
}

static const struct cache_cell *
kept(struct broker *b, const struct key_digest *asked)
{
	struct cache_cell *cell = cell_of(b, asked);

	if (cell->until_ms <= b->now_ms ||
	    !key_digest_equal(&cell->asked, asked))
		return NULL;
	return cell;
}

/* ---------------------------------------------------------------- runs */

static void
command_free(struct broker_command *c)
{
	struct broker *b = c->broker;

	deadline_clear(&c->deadline);
	loop_remove(&b->loop, &c->watch);
	if (c->fd >= 0)
		close(c->fd);
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		b->commands = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	b->n_commands--;
	free(c->text);
	free(c);
}

static void
done(struct broker_command *c, enum deny_reason reason)
{
	struct broker_session *s = c->session;
	struct broker *b = c->broker;
	char *text = c->text;
	size_t len = c->len;

	if (s == NULL) {
		command_free(c);
		return;
	}
	c->text = NULL;
	if (reason == DENY_NONE)
		broker_login_command_done(s, reason, text, len);
	else
		broker_login_command_done(s, reason, "", 0);
	c->text = text;
	if (reason == DENY_NONE)
		keep(b, c);
	command_free(c);
}

/* Both its output has ended and so has it. */
static void
check_done(struct broker_command *c)
{
	if (c->ended && c->fd < 0)
		done(c, c->succeeded ? DENY_NONE : DENY_KEY_COMMAND);
}

void
broker_command_cancel(struct broker_command *c)
{
	/* It is there, and counts, until it has ended. */
	c->session = NULL;
}

void
broker_command_timed_out(struct deadline *d)
{
	struct broker_command *c = CONTAINER_OF(struct broker_command,
	    deadline, d);

	/* The other process kills it, and its output ends with it. */
	done(c, DENY_KEY_COMMAND);
}

/* Room for one more read; false: it wrote too much, or there is no memory. */
static bool
grow(struct broker_command *c)
{
	char *text;

	if (c->room - c->len >= READ_OCTETS)
		return true;
	if (c->room >= KEY_COMMAND_OUTPUT_MAX)
		return false;
	text = realloc(c->text, c->room + 4 * READ_OCTETS);
	if (text == NULL)
		return false;
	c->text = text;
	c->room += 4 * READ_OCTETS;
	return true;
}

static void
on_output(struct loop_watch *watch, uint32_t events)
{
	struct broker_command *c = CONTAINER_OF(struct broker_command, watch,
	    watch);
	ssize_t n;

	(void)events;
	if (!grow(c)) {
		done(c, DENY_KEY_COMMAND);
		return;
	}
	n = read(c->fd, c->text + c->len, READ_OCTETS);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		c->len += (size_t)n;
		return;
	}
	loop_remove(&c->broker->loop, &c->watch);
	close(c->fd);
	c->fd = -1;
	check_done(c);
}

static bool
send_request(struct broker *b, uint32_t id, const struct auth_user *user,
    const void *blob, size_t len)
{
	static uint8_t out[KEY_COMMAND_REQUEST_MAX];
	const struct key_command_request r = { .id = id,
		.user_len = user->name_len, .blob_len = (uint32_t)len };
	size_t n = sizeof(r);

	memcpy(out, &r, n);
	memcpy(out + n, user->name, user->name_len);
	n += user->name_len;
	memcpy(out + n, blob, len);
	return sock_send_fds(b->command, out, n + len, NULL, 0) == 0;
}

static struct key_digest
digest_of(const struct auth_user *user, const void *blob, size_t len)
{
	static uint8_t both[1 + AUTH_USER_NAME_MAX + KEY_CERT_MAX];
	size_t n = 0;

	both[n++] = user->name_len;
	memcpy(both + n, user->name, user->name_len);
	n += user->name_len;
	memcpy(both + n, blob, len);
	return key_digest_of(both, n + len);
}

/* Half of the runs are for one source, so that it leaves some to others. */
static bool
too_many(const struct broker_session *s)
{
	const struct broker *b = s->broker;
	uint32_t most = b->settings->broker.commands, n = 0;
	struct addr mine = source_of(&s->client.addr);
	const struct broker_command *c;

	if (b->n_commands >= most)
		return true;
	if (source_is_exempt(&b->settings->source, &s->client.addr))
		return false;
	for (c = b->commands; c != NULL; c = c->next)
		n += addr_equal(&c->source, &mine);
	return n >= (most + 1) / 2;
}

enum deny_reason
broker_command_ask(struct broker_session *s, const struct auth_user *user,
    const void *blob, size_t len)
{
	struct broker *b = s->broker;
	struct key_digest asked = digest_of(user, blob, len);
	const struct cache_cell *cell = kept(b, &asked);
	struct broker_command *c;

	if (cell != NULL) {
		broker_login_command_done(s, DENY_NONE, cell->text, cell->len);
		return DENY_NONE;
	}
	if (b->command < 0)
		return DENY_KEY_COMMAND;
	if (too_many(s))
		return DENY_KEY_BUSY;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return DENY_NO_MEMORY;
	c->id = ++b->last_command;
	if (!send_request(b, c->id, user, blob, len)) {
		free(c);
		return DENY_KEY_BUSY;
	}
	c->broker = b;
	c->session = s;
	c->source = source_of(&s->client.addr);
	c->asked = asked;
	c->fd = -1;
	loop_watch_init(&c->watch);
	deadline_set(&b->deadlines[BROKER_DEADLINE_COMMAND], &c->deadline,
	    b->now_ms + b->settings->command_ms);
	c->next = b->commands;
	if (c->next != NULL)
		c->next->prev = c;
	b->commands = c;
	b->n_commands++;
	s->login.command = c;
	counter_add(&b->stats->value[JUMPD_STAT_COMMANDS], 1);
	return DENY_NONE;
}

/* ------------------------------------------------- the other process */

static struct broker_command *
find(struct broker *b, uint32_t id)
{
	struct broker_command *c = b->commands;

	while (c != NULL && c->id != id)
		c = c->next;
	return c;
}

/* Its output begins; the descriptor is taken over. */
static void
started(struct broker_command *c, int fd)
{
	c->started = true;
	c->fd = fd;
	if (loop_add(&c->broker->loop, &c->watch, fd, EPOLLIN, on_output) != 0)
		done(c, DENY_KEY_COMMAND);
}

/* Returns false if there is nothing more. */
static bool
read_answer(struct broker *b)
{
	struct key_command_answer a;
	struct broker_command *c;
	int fd = -1;
	size_t n_fds = 1;
	ssize_t n = sock_recv_fds(b->command, &a, sizeof(a), &fd, &n_fds);

	if (n <= 0)
		return n == -EBADMSG;
	/* One that timed out is not known any more. */
	c = find(b, a.id);
	if (c != NULL && a.kind == KEY_COMMAND_STARTED && n_fds == 1 &&
	    !c->started) {
		started(c, fd);
		return true;
	}
	if (n_fds == 1)
		close(fd);
	if (c != NULL && a.kind == KEY_COMMAND_ENDED) {
		c->ended = true;
		c->succeeded = a.succeeded == 1;
		check_done(c);
	} else if (c != NULL && a.kind == KEY_COMMAND_REFUSED)
		done(c, DENY_KEY_COMMAND);
	return true;
}

void
broker_on_command(struct loop_watch *watch, uint32_t events)
{
	struct broker *b = CONTAINER_OF(struct broker, command_watch, watch);
	unsigned i;

	(void)events;
	for (i = 0; i < 16 && read_answer(b); i++)
		;
}
