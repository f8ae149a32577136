/* SPDX-License-Identifier: ISC */
#include "translate/tables.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/line_reader.h"
#include "common/need.h"
#include "translate/map_line.h"

enum { REPORT_OCTETS = PATH_MAX + MAPPING_PROBLEM_OCTETS };

/* Where a mapping stands. */
struct origin {
	uint32_t	source;
	uint32_t	line;		/* of its file; 0: no line's */
};

struct build {
	cfgfile_report_fn *report;
	void		*arg;
	unsigned	 n_problems;
	struct mapping_config_sources sources;	/* owned */
	struct eam	*eam;		/* owned */
	struct origin	*origin;	/* owned; of each eam */
	size_t		 n, room;
	struct line_reader reader;
};

/* --- problems -------------------------------------------------------------- */

static void __attribute__((format(printf, 3, 4)))
problem(struct build *b, const struct origin *at, const char *fmt, ...)
{
	char text[MAPPING_PROBLEM_OCTETS], out[REPORT_OCTETS];
	va_list args;

	if (b->n_problems++ >= MAPPING_PROBLEMS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	b->report(mapping_problem_format(b->sources.source[at->source].name,
	    at->line, text, out, sizeof(out)), b->arg);
}

static void
say_how_many_more(const struct build *b)
{
	unsigned more = b->n_problems - MAPPING_PROBLEMS_MAX;
	char text[64];

	if (b->n_problems <= MAPPING_PROBLEMS_MAX)
		return;
	snprintf(text, sizeof(text), "and %u more problem%s", more,
	    more == 1 ? "" : "s");
	b->report(text, b->arg);
}

/* --- reading --------------------------------------------------------------- */

static void
add_eam(struct build *b, const struct eam *eam, const struct origin *at)
{
	if (b->n == b->room) {
		b->room = 2 * b->room + 64;
		b->eam = need(reallocarray(b->eam, b->room, sizeof(*b->eam)));
		b->origin = need(reallocarray(b->origin, b->room,
		    sizeof(*b->origin)));
	}
	b->eam[b->n] = *eam;
	b->origin[b->n++] = *at;
}

/* Returns false if the rest of the source is not worth reading. */
static bool
read_line(struct build *b, const struct origin *at, const char *text,
    size_t len)
{
	char wrong[MAP_LINE_PROBLEM_MAX];
	struct eam eam;

	switch (map_line_parse(text, len, &eam, wrong)) {
	case MAP_LINE_EMPTY:
		break;
	case MAP_LINE_BAD:
		problem(b, at, "%s", wrong);
		break;
	case MAP_LINE_EAM:
		if (b->n == ADDRESS_MAP_EAMS_MAX) {
			problem(b, at, "more than %d mappings",
			    ADDRESS_MAP_EAMS_MAX);
			return false;
		}
		add_eam(b, &eam, at);
		break;
	}
	return true;
}

static void
read_source(struct build *b, uint32_t number)
{
	const struct mapping_source *source = &b->sources.source[number];
	struct origin at = { .source = number };
	const char *text;
	size_t len;

	if (source->fd >= 0)
		line_reader_file(&b->reader, source->fd, MAP_LINE_MAX);
	else
		line_reader_text(&b->reader, source->text, source->len,
		    MAP_LINE_MAX);
	for (;;) {
		enum line_read read = line_reader_next(&b->reader, &text,
		    &len);

		at.line = b->reader.line + (source->fd >= 0 ? 0 :
		    source->first_line - 1);
		if (read == LINE_NONE)
			return;
		if (read == LINE_TOO_LONG)
			problem(b, &at, "the line is longer than %d octets",
			    MAP_LINE_MAX);
		else if (read == LINE_FAILED) {
			at.line = 0;
			problem(b, &at, "cannot be read: %s",
			    strerror(b->reader.error));
			return;
		} else if (!read_line(b, &at, text, len))
			return;
	}
}

/* Returns false after a report. */
static bool
read_mappings(struct build *b, const struct xlatd_instance *instance)
{
	if (!mapping_config_open(&instance->mapping, &b->sources, b->report,
	    b->arg))
		return false;
	for (uint32_t i = 0; i < b->sources.n; i++)
		read_source(b, i);
	say_how_many_more(b);
	return b->n_problems == 0;
}

/* --- building -------------------------------------------------------------- */

static void
random_octets(void *out, size_t len)
{
	if (getrandom(out, len, 0) != (ssize_t)len)
		log_fatal("getrandom: %s", strerror(errno));
}

static void
report_map_problem(struct build *b, const struct xlatd_config *config,
    const struct xlatd_instance *instance,
    const struct address_map_problem *wrong)
{
	const char *what = address_map_strerror(wrong->error);
	char out[REPORT_OCTETS];

	switch (wrong->error) {
	case ADDRESS_MAP_SAME_V4:
	case ADDRESS_MAP_SAME_V6:
		problem(b, &b->origin[wrong->index], "%s %s:%u", what,
		    b->sources.source[b->origin[wrong->first].source].name,
		    b->origin[wrong->first].line);
		break;
	case ADDRESS_MAP_SUFFIX:
	case ADDRESS_MAP_FAMILY:
		if (wrong->index < b->n) {
			problem(b, &b->origin[wrong->index], "%s", what);
			break;
		}
		/* FALLTHROUGH */
	case ADDRESS_MAP_OK:
	case ADDRESS_MAP_NO_MEMORY:
	case ADDRESS_MAP_FULL:
	case ADDRESS_MAP_EMBEDDING:
	case ADDRESS_MAP_SAME_EMBEDDING:
		snprintf(out, sizeof(out), "%s: device %s: mapping: %s",
		    config->process.path, instance->device, what);
		b->report(out, b->arg);
		break;
	}
}

/* Addresses of the pool that already mean somebody. */
static bool
is_reserved(void *arg, uint32_t v4)
{
	const struct tables *tables = arg;
	const struct siit *siit = &tables->siit;

	for (unsigned i = 0; i < siit->n_pool; i++)
		if (siit->pool[i] == v4)
			return true;
	return v4 == siit->own4 || address_map_has_eam4(tables->map, v4);
}

void
tables_renew_pool(struct tables *tables, const struct xlatd_instance *instance)
{
	struct siphash_key key;

	dynamic_pool_free(tables->pool);
	tables->pool = NULL;
	if (!instance->has_pool)
		return;
	random_octets(&key, sizeof(key));
	tables->pool = need(dynamic_pool_new(&instance->pool,
	    instance->limits.lease_ms / 1000, &key, is_reserved, tables));
}

bool
tables_build(const struct xlatd_config *config,
    const struct xlatd_instance *instance, struct tables *ret,
    cfgfile_report_fn *report, void *arg)
{
	struct build b = { .report = report, .arg = arg };
	struct tables tables = { .siit = instance->siit };
	struct address_map_problem wrong;
	struct siphash_key key;

	random_octets(&key, sizeof(key));
	random_octets(&tables.siit.pool_key, sizeof(tables.siit.pool_key));
	if (read_mappings(&b, instance)) {
		tables.map = address_map_new(b.eam, b.n, instance->embedding,
		    instance->n_embeddings, &key, &wrong);
		if (tables.map == NULL)
			report_map_problem(&b, config, instance, &wrong);
	}
	free(b.eam);
	free(b.origin);
	mapping_config_close(&b.sources);
	if (tables.map == NULL)
		return false;
	tables.siit.map = tables.map;
	tables.n_eams = (uint32_t)b.n;
	tables_renew_pool(&tables, instance);
	*ret = tables;
	return true;
}

void
tables_free(struct tables *tables)
{
	dynamic_pool_free(tables->pool);
	address_map_free(tables->map);
	*tables = (struct tables) { 0 };
}
