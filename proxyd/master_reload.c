/* SPDX-License-Identifier: ISC */
/*
 * master_reload.c - SIGHUP: the next generation is built beside the one in
 * force, and takes its place only when it is whole.
 */
#include "proxyd/master_state.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/daemon_start.h"
#include "common/log.h"
#include "common/notify.h"
#include "proxyd/embed_check.h"
#include "proxyd/start.h"

static void reload_begin(struct master *);

static void
reload_end(struct master *m)
{
	proxyd_config_free(m->next);
	m->next = NULL;
	if (m->reload_again && !m->stopping) {
		m->reload_again = false;
		reload_begin(m);
	}
}

static void
reload_refused(struct master *m)
{
	log_error("reload refused: everything stays as it was");
	notify("READY=1\nSTATUS=reload refused, see the log");
	reload_end(m);
}

/* Settings that a running daemon cannot change are said, not refused. */
static void
warn_of_kept(const struct proxyd_config *old, const struct proxyd_config *new)
{
	daemon_config_warn_of_kept(&old->process, &new->process);
	if (old->workers != new->workers)
		log_warning("%s: workers: takes effect at the next start",
		    new->process.path);
}

static void
reload_compiled(struct master *m)
{
	struct mapping_image image;
	struct generation next;
	struct workers_orders orders;
	struct proxyd_config *old = m->config;

	event_free(m->compile_event);
	m->compile_event = NULL;
	if (m->stopping) {
		/* Too late: nothing may be opened any more. */
		if (mapping_compile_finish(&m->compile, &image, daemon_error,
			NULL))
			close(image.fd);
		reload_end(m);
		return;
	}
	if (!mapping_compile_finish(&m->compile, &image, daemon_error, NULL) ||
	    !generation_make(m->next, &image, &m->now, &next,
		daemon_error, NULL)) {
		reload_refused(m);
		return;
	}
	warn_of_kept(old, m->next);
	embed_check(m->next, daemon_warn, NULL);
	/* Workers hold their own descriptors of what is closed here. */
	generation_close(&m->now, &next);
	m->now = next;
	m->config = m->next;
	m->next = NULL;
	proxyd_config_free(old);
	orders = generation_orders(&m->now);
	workers_order(m->workers, &orders);
	reload_end(m);
}

static void
on_compile_readable(evutil_socket_t fd, short what, void *arg)
{
	struct master *m = arg;

	(void)fd, (void)what;
	if (!mapping_compile_read(&m->compile, daemon_error, NULL))
		reload_compiled(m);
}

static void
reload_begin(struct master *m)
{
	notify_reloading();
	m->next = start_load_config(m->config->process.path, daemon_error, NULL);
	if (m->next == NULL ||
	    !start_compile(m->next, &m->ids, &m->compile, daemon_error, NULL)) {
		reload_refused(m);
		return;
	}
	fcntl(m->compile.messages, F_SETFL, O_NONBLOCK);
	m->compile_event = event_new(m->base, m->compile.messages,
	    EV_READ | EV_PERSIST, on_compile_readable, m);
	if (m->compile_event == NULL || event_add(m->compile_event, NULL) != 0)
		log_fatal("out of memory");
}

void
master_reload(struct master *m)
{
	if (m->stopping)
		return;
	if (m->next != NULL)
		m->reload_again = true;
	else
		reload_begin(m);
}
