/* SPDX-License-Identifier: ISC */
#include "jumpd/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sock.h"

enum { SETTINGS, IMAGE, KEYS };	/* places in fds */

struct generation
generation_none(void)
{
	struct generation none = { .fds = { -1, -1, -1 } };

	return none;
}

static int
listener_of(const struct generation *g, const struct endpoint *at)
{
	for (uint32_t i = 0; i < g->n_listeners; i++)
		if (endpoint_equal(&g->config->listener[i].at, at))
			return g->listener[i];
	return -1;
}

static void
close_listeners(struct generation *old, const struct generation *kept)
{
	for (uint32_t i = 0; i < old->n_listeners; i++)
		if (kept == NULL || listener_of(kept,
		    &old->config->listener[i].at) != old->listener[i])
			close(old->listener[i]);
	old->n_listeners = 0;
}

void
generation_stop_listening(struct generation *g)
{
	close_listeners(g, NULL);
}

void
generation_free(struct generation *old, const struct generation *kept)
{
	if (old->config != NULL)
		close_listeners(old, kept);
	for (int i = 0; i < BROKER_ORDER_FDS; i++)
		if (old->fds[i] >= 0)
			close(old->fds[i]);
	host_keys_free(old->keys);
	jumpd_config_free(old->config);
	*old = generation_none();
}

/* A listener that is open already is shared with `old`. */
static bool
open_listeners(const struct jumpd_config *config,
    const struct generation *old, struct generation *ret,
    cfgfile_report_fn *report, void *arg)
{
	const struct sock_keepalive ka = {
		.idle_s = config->settings.keepalive_idle_ms / 1000,
		.interval_s = config->settings.keepalive_interval_ms / 1000,
		.count = config->settings.keepalive_count
	};
	char text[512];
	int fd;

	for (uint32_t i = 0; i < config->n_listeners; i++) {
		const struct jumpd_listener *l = &config->listener[i];

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
			    l->place, i, l->text, strerror(-fd));
			report(text, arg);
			return false;
		}
		ret->listener[i] = fd;
		ret->n_listeners = i + 1;
	}
	return true;
}

static int	/* a sealed memfd, or -1 */
settings_fd(const struct jumpd_settings *settings)
{
	int fd = memfd_create("jumpd-settings", MFD_CLOEXEC |
	    MFD_ALLOW_SEALING);

	if (fd >= 0 && (pwrite(fd, settings, sizeof(*settings), 0) !=
	    (ssize_t)sizeof(*settings) || fcntl(fd, F_ADD_SEALS,
	    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static bool
read_all(const struct jumpd_config *config, struct generation *g,
    cfgfile_report_fn *report, void *arg)
{
	g->has_command = config->settings.command;
	if (g->has_command && !start_command(config, &g->command, report,
	    arg))
		return false;
	if (!start_keys(config, &g->fds[KEYS], &g->orders.bundle_octets,
	    report, arg))
		return false;
	g->keys = start_host_keys(config, report, arg);
	if (g->keys == NULL)
		return false;
	g->fds[SETTINGS] = settings_fd(&config->settings);
	if (g->fds[SETTINGS] < 0)
		report(strerror(errno), arg);
	return g->fds[SETTINGS] >= 0;
}

bool
generation_make(struct jumpd_config *config,
    const struct mapping_image *image, const struct generation *old,
    struct generation *ret, cfgfile_report_fn *report, void *arg)
{
	struct generation g = generation_none();

	g.config = config;
	g.fds[IMAGE] = image->fd;
	g.names = image->names;
	g.orders.generation = old->orders.generation + 1;
	g.orders.image_octets = image->octets;
	if (read_all(config, &g, report, arg) &&
	    open_listeners(config, old, &g, report, arg)) {
		*ret = g;
		return true;
	}
	close_listeners(&g, old);
	g.config = NULL;	/* the caller's still */
	generation_free(&g, NULL);
	return false;
}

struct workers_orders
generation_orders(const struct generation *g)
{
	const struct workers_orders o = { .generation = g->orders.generation,
		.message = &g->orders,
		.len = sizeof(g->orders),
		.fds = g->fds,
		.n_fds = BROKER_ORDER_FDS };

	return o;
}
