/* SPDX-License-Identifier: ISC */
/*
 * broker_orders.c - settings, mapping and keys: the first ones, and new ones
 * that take the old ones' place once they are loaded.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "common/quote.h"
#include "jumpd/broker_state.h"

enum {
	LOAD_LINES = 1000,	/* a step, of a few milliseconds */
	PROBLEMS_MAX = 20	/* told of one load */
};

void
broker_generation_free(struct broker_generation *g)
{
	if (g == NULL)
		return;
	key_store_free(g->keys);
	if (g->bundle != NULL)
		munmap(g->bundle, g->bundle_len);
	if (g->mapping_map != NULL)
		munmap(g->mapping_map, g->mapping.len);
	free(g);
}

/* Map what the parent sealed; *ret is NULL if there is nothing. */
static int
map(int fd, uint64_t octets, void **ret)
{
	void *at;

	*ret = NULL;
	if (octets == 0)
		return 0;
	at = mmap(NULL, octets, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	*ret = at;
	return 0;
}

static int
read_settings(int fd, struct jumpd_settings *settings)
{
	ssize_t n = pread(fd, settings, sizeof(*settings), 0);

	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(*settings) ? 0 : -EBADMSG;
}

/* The parent has checked the image before it sealed it. */
static int
fill(struct broker *b, struct broker_generation *g,
    const struct broker_orders *o, const int fds[BROKER_ORDER_FDS])
{
	int err = read_settings(fds[0], &g->settings);

	if (err == 0)
		err = map(fds[1], o->image_octets, &g->mapping_map);
	if (err == 0)
		err = map(fds[2], o->bundle_octets, &g->bundle);
	if (err != 0)
		return err;
	g->number = o->generation;
	g->mapping.image = g->mapping_map;
	g->mapping.len = o->image_octets;
	g->bundle_len = o->bundle_octets;
	g->keys = key_store_new(g->bundle, g->bundle_len, &b->key);
	return g->keys != NULL ? 0 : -ENOMEM;
}

/* Without any there is nothing to go on with. */
static void
failed(struct broker *b, const char *why)
{
	if (b->generation == NULL)
		log_fatal("broker: orders: %s", why);
	log_error("broker: orders: %s; going on with the old ones", why);
	broker_generation_free(b->coming);
	b->coming = NULL;
}

void
broker_orders_take(struct broker *b, const struct broker_orders *o,
    const int fds[BROKER_ORDER_FDS])
{
	struct broker_generation *g = calloc(1, sizeof(*g));
	unsigned i;
	int err;

	broker_generation_free(b->coming);	/* newer ones have come */
	b->coming = g;
	err = g != NULL ? fill(b, g, o, fds) : -ENOMEM;
	for (i = 0; i < BROKER_ORDER_FDS; i++)
		close(fds[i]);
	if (err != 0)
		failed(b, strerror(-err));
}

/* Timeouts that got shorter hold for those who wait already. */
static void
cap_deadlines(struct broker *b)
{
	const struct jumpd_settings *s = b->settings;

	deadline_list_cap(&b->deadlines[BROKER_DEADLINE_CONNECT],
	    b->now_ms + s->connect_ms);
	deadline_list_cap(&b->deadlines[BROKER_DEADLINE_DNS],
	    b->now_ms + s->dns_ms);
	deadline_list_cap(&b->deadlines[BROKER_DEADLINE_OPEN],
	    b->now_ms + s->open_ms);
	deadline_list_cap(&b->deadlines[BROKER_DEADLINE_COMMAND],
	    b->now_ms + s->command_ms);
}

/* End what the new orders do not allow any more. */
static void
judge_again(struct broker *b)
{
	struct broker_session *s;

	for (s = b->all; s != NULL; s = s->next) {
		if (s->fd < 0 || !s->logged_in)
			continue;
		if (broker_login_again(s) != DENY_NONE)
			broker_session_end(s, END_RELOAD_DENIED);
		else
			broker_channels_again(s);
	}
}

static void
adopt(struct broker *b)
{
	struct broker_generation *old = b->generation;

	b->generation = b->coming;
	b->coming = NULL;
	b->settings = &b->generation->settings;
	resolver_set_servers(b->resolver, b->settings->resolver,
	    b->settings->dns ? b->settings->n_resolvers : 0);
	broker_command_forget(b);
	cap_deadlines(b);
	if (old != NULL && b->settings->reload_kills_denied)
		judge_again(b);
	broker_generation_free(old);
	(void)!send(b->channel, &b->generation->number,
	    sizeof(b->generation->number), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Lines that hold for nobody are passed over, as sshd does; but told. */
static void
tell_problem(void *arg, const struct key_file *file, uint32_t line,
    bool fatal, const char *text)
{
	struct broker *b = arg;
	char name[256];

	if (!fatal && b->coming->problems++ >= PROBLEMS_MAX)
		return;
	quote(file->name, file->name_len, name, sizeof(name));
	if (fatal)
		log_error("%s:%u: %s", name, line, text);
	else
		log_warning("%s:%u: %s; the line holds for nobody", name,
		    line, text);
}

bool
broker_orders_load(struct broker *b)
{
	if (b->coming == NULL)
		return true;
	switch (key_store_load(b->coming->keys, LOAD_LINES, true, tell_problem,
	    b)) {
	case KEY_LOAD_MORE:
		return false;
	case KEY_LOAD_FAILED:
		failed(b, "the keys cannot be loaded");
		return true;
	case KEY_LOAD_DONE:
		adopt(b);
		return true;
	}
	return true;
}
