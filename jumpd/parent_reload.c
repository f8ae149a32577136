/* SPDX-License-Identifier: ISC */
/*
 * parent_reload.c - SIGHUP: the next generation is built beside the one in
 * force, and takes its place only when it is whole.
 */
#include "jumpd/parent_state.h"

#include <fcntl.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/daemon_start.h"
#include "common/log.h"
#include "common/notify.h"
#include "jumpd/parent.h"

static void reload_begin(struct parent *);

static void
reload_end(struct parent *p)
{
	jumpd_config_free(p->next);
	p->next = NULL;
	if (p->reload_again && !p->stopping) {
		p->reload_again = false;
		reload_begin(p);
	}
}

static void
reload_refused(struct parent *p)
{
	log_error("reload refused: everything stays as it was");
	notify("READY=1\nSTATUS=reload refused, see the log");
	reload_end(p);
}

static void
take_over(struct parent *p, struct generation *next)
{
	struct workers_orders orders;

	daemon_config_warn_of_kept(&p->now.config->process,
	    &next->config->process);
	jumpd_config_warn(next->config, daemon_warn, NULL);
	p->next = NULL;		/* the generation's now */
	parent_stop_listening(p);
	/* Others hold their own descriptors of what is closed here, and
	 * sessions their own memory. */
	generation_free(&p->now, next);
	p->now = *next;
	parent_listen(p);
	deadline_list_cap(&p->logins, clock_now_ms() +
	    p->now.config->settings.login_ms);
	parent_start_command(p);
	orders = generation_orders(&p->now);
	workers_order(p->workers, &orders);
}

static void
reload_compiled(struct parent *p)
{
	struct mapping_image image;
	struct generation next;

	event_free(p->compile_event);
	p->compile_event = NULL;
	if (!mapping_compile_finish(&p->compile, &image, daemon_error, NULL)) {
		reload_refused(p);
		return;
	}
	if (p->stopping) {	/* nothing may be opened any more */
		close(image.fd);
		reload_end(p);
		return;
	}
	if (!generation_make(p->next, &image, &p->now, &next, daemon_error,
		NULL)) {
		reload_refused(p);
		return;
	}
	take_over(p, &next);
	reload_end(p);
}

static void
on_compile_readable(evutil_socket_t fd, short what, void *arg)
{
	struct parent *p = arg;

	(void)fd, (void)what;
	if (!mapping_compile_read(&p->compile, daemon_error, NULL))
		reload_compiled(p);
}

static void
reload_begin(struct parent *p)
{
	notify_reloading();
	p->next = start_load_config(p->now.config->process.path,
	    daemon_error, NULL);
	if (p->next == NULL || !start_compile(p->next, &p->ids, &p->compile,
	    daemon_error, NULL)) {
		reload_refused(p);
		return;
	}
	fcntl(p->compile.messages, F_SETFL, O_NONBLOCK);
	p->compile_event = event_new(p->base, p->compile.messages,
	    EV_READ | EV_PERSIST, on_compile_readable, p);
	if (p->compile_event == NULL || event_add(p->compile_event, NULL) != 0)
		log_fatal("out of memory");
}

void
parent_reload(struct parent *p)
{
	if (p->stopping)
		return;
	if (p->compile_event != NULL || p->next != NULL)
		p->reload_again = true;
	else
		reload_begin(p);
}
