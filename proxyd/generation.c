/* SPDX-License-Identifier: ISC */
#include "proxyd/generation.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sock.h"

struct generation
generation_none(void)
{
	struct generation none = { .fds = { -1 } };

	return none;
}

static int
listener_of(const struct generation *g, const struct endpoint *at)
{
	unsigned i;

	for (i = 0; i < g->orders.n_listeners; i++)
		if (endpoint_equal(&g->orders.listener[i].at, at))
			return g->fds[1 + i];
	return -1;
}

void
generation_close(struct generation *old, const struct generation *kept)
{
	unsigned i, n = old->orders.n_listeners;

	if (old->fds[0] >= 0)
		close(old->fds[0]);
	for (i = 0; i < n; i++)
		if (kept == NULL ||
		    listener_of(kept, &old->orders.listener[i].at) !=
			old->fds[1 + i])
			close(old->fds[1 + i]);
	old->orders.n_listeners = 0;
	old->fds[0] = -1;
}

/* A listener that is open already is shared with `old`. */
static bool
open_listeners(const struct proxyd_config *config,
    const struct generation *old, struct generation *ret,
    cfgfile_report_fn *report, void *arg)
{
	const struct sock_keepalive ka = {
		.idle_s = config->settings.keepalive_idle_ms / 1000,
		.interval_s = config->settings.keepalive_interval_ms / 1000,
		.count = config->settings.keepalive_count
	};
	const struct proxyd_listener *l;
	char text[256];
	unsigned i;
	int fd;

	for (i = 0; i < config->n_listeners; i++) {
		l = &config->listener[i];
		fd = listener_of(old, &l->at);
		if (fd >= 0) {
			/* A new backlog or keepalive holds from now on. */
			listen(fd, (int)l->backlog);
			sock_tune(fd, &ka);
		} else {
			fd = sock_listen(&l->at, (int)l->backlog, &ka);
		}
		if (fd < 0) {
			snprintf(text, sizeof(text),
			    "%s: listeners[%u]: cannot listen on %s: %s",
			    config->listener_place[i], i, l->text, strerror(-fd));
			report(text, arg);
			generation_close(ret, old);
			return false;
		}
		sock_keep_alive(fd, false);	/* see conn_settle() */
		ret->orders.listener[i].at = l->at;
		ret->orders.listener[i].service = l->service;
		ret->orders.listener[i].accept_proxy = l->accept_proxy;
		ret->fds[1 + i] = fd;
		ret->orders.n_listeners = i + 1;
	}
	return true;
}

bool
generation_make(const struct proxyd_config *config,
    const struct mapping_image *image, const struct generation *old,
    struct generation *ret, cfgfile_report_fn *report, void *arg)
{
	memset(ret, 0, sizeof(*ret));
	ret->fds[0] = image->fd;
	ret->names = image->names;
	ret->orders.image_octets = image->octets;
	ret->orders.generation = old->orders.generation + 1;
	ret->orders.settings = config->settings;
	return open_listeners(config, old, ret, report, arg);
}

struct workers_orders
generation_orders(const struct generation *g)
{
	const struct workers_orders o = { .generation = g->orders.generation,
		.message = &g->orders,
		.len = sizeof(g->orders),
		.fds = g->fds,
		.n_fds = 1 + g->orders.n_listeners };

	return o;
}
