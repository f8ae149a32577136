/* SPDX-License-Identifier: ISC */
/*
 * master_reload.c - from a configuration to running instances, at the start
 * and at SIGHUP: all tables are built and all devices opened before anything
 * changes.
 */
#include "translate/master_state.h"

#include <stdio.h>
#include <string.h>

#include "common/daemon_start.h"
#include "common/log.h"
#include "common/need.h"
#include "common/notify.h"

enum { PROBLEM_MAX = 512 };

/* What is being built: an instance for each of the configuration's. */
struct change {
	const struct xlatd_config *config;	/* borrowed; the next one */
	struct tables	tables[XLATD_INSTANCES_MAX];	/* owned */
	struct instance	*instance[XLATD_INSTANCES_MAX];	/* new ones are owned */
	bool		fresh[XLATD_INSTANCES_MAX];	/* it is a new one */
	uint32_t	n;		/* instances that are ready */
	cfgfile_report_fn *report;
	void		*arg;
};

static struct instance *
find_instance(const struct master *m, const char *device)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (strcmp(instance_config(m->instance[i])->device,
		    device) == 0)
			return m->instance[i];
	return NULL;
}

static bool
build_tables(struct change *c)
{
	bool ok = true;

	/* All of them, so that all problems are told. */
	for (uint32_t i = 0; i < c->config->n_instances; i++)
		if (!tables_build(c->config, &c->config->instance[i],
		    &c->tables[i], c->report, c->arg))
			ok = false;
	return ok;
}

static bool
ready_instance(struct master *m, struct change *c, uint32_t i)
{
	const struct xlatd_instance *config = &c->config->instance[i];
	char problem[PROBLEM_MAX], out[2 * PROBLEM_MAX];
	struct instance *instance = find_instance(m, config->device);
	bool ok;

	if (instance != NULL) {
		ok = instance_prepare(instance, config, problem,
		    sizeof(problem));
	} else {
		instance = instance_open(&m->ground, config, problem,
		    sizeof(problem));
		ok = instance != NULL;
		c->fresh[i] = ok;
	}
	c->instance[i] = instance;
	if (!ok) {
		snprintf(out, sizeof(out), "%s: %s", c->config->process.path,
		    problem);
		c->report(out, c->arg);
	}
	return ok;
}

/* Undo what was done for the first c->n instances. */
static void
change_forgo(struct change *c)
{
	while (c->n-- > 0) {
		if (c->fresh[c->n])
			instance_close(c->instance[c->n]);
		else
			instance_forgo(c->instance[c->n],
			    &c->config->instance[c->n]);
	}
	for (uint32_t i = 0; i < c->config->n_instances; i++)
		tables_free(&c->tables[i]);
}

/* Whatever can fail happens here.  Returns false after reports. */
static bool
change_prepare(struct master *m, struct change *c)
{
	bool ok = build_tables(c);

	while (ok && c->n < c->config->n_instances) {
		ok = ready_instance(m, c, c->n);
		c->n += ok;
	}
	if (!ok)
		change_forgo(c);
	return ok;
}

static bool
is_kept(const struct change *c, const struct instance *instance)
{
	for (uint32_t i = 0; i < c->n; i++)
		if (c->instance[i] == instance)
			return true;
	return false;
}

static void
change_commit(struct master *m, struct change *c)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (!is_kept(c, m->instance[i])) {
			instance_stop(m->instance[i]);
			m->leaving[m->n_leaving++] = m->instance[i];
		}
	m->n = c->n;
	memcpy(m->instance, c->instance, sizeof(m->instance));
	for (uint32_t i = 0; i < m->n; i++)
		instance_adopt(m->instance[i], &c->config->instance[i],
		    &c->tables[i]);
}

bool
master_start_instances(struct master *m, cfgfile_report_fn *report, void *arg)
{
	static struct change change;

	change = (struct change) {
		.config = m->config, .report = report, .arg = arg
	};
	if (!change_prepare(m, &change))
		return false;
	change_commit(m, &change);
	return true;
}

/* --- reloading ------------------------------------------------------------- */

static void
reload_begin(struct master *m)
{
	static struct change change;
	struct xlatd_config *next;

	notify_reloading();
	next = xlatd_config_load(m->config->process.path, daemon_error, NULL);
	change = (struct change) { .config = next, .report = daemon_error };
	if (next == NULL || !change_prepare(m, &change)) {
		log_error("reload refused: everything stays as it was");
		notify("READY=1\nSTATUS=reload refused, see the log");
		xlatd_config_free(next);
		return;
	}
	daemon_config_warn_of_kept(&m->config->process, &next->process);
	m->before = m->config;
	m->config = next;
	m->ground.log_drops = m->log_drops || next->log_drops;
	change_commit(m, &change);
}

static void
say_ready(struct master *m)
{
	char status[64];
	uint64_t eams = 0;

	for (uint32_t i = 0; i < m->n; i++)
		eams += instance_eams(m->instance[i]);
	log_info("%s: %u instance%s, %llu mapping%s",
	    m->ready ? "reloaded" : "ready", m->n, m->n == 1 ? "" : "s",
	    (unsigned long long)eams, eams == 1 ? "" : "s");
	snprintf(status, sizeof(status), "READY=1\nSTATUS=%u instances, %llu "
	    "mappings", m->n, (unsigned long long)eams);
	notify(status);
	m->ready = true;
}

void
master_settled(void *arg)
{
	struct master *m = arg;

	for (uint32_t i = 0; i < m->n; i++)
		if (!instance_settled(m->instance[i]))
			return;
	if (m->n_leaving > 0)
		return;		/* they have settings of `before`, too */
	say_ready(m);
	xlatd_config_free(m->before);
	m->before = NULL;
}

void
master_reload(struct master *m)
{
	if (m->stopping)
		return;
	m->reload_again = false;
	for (uint32_t i = 0; i < m->n; i++)
		if (!instance_settled(m->instance[i]))
			m->reload_again = true;
	if (m->n_leaving > 0)
		m->reload_again = true;
	if (!m->reload_again)
		reload_begin(m);
}
