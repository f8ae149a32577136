/* SPDX-License-Identifier: ISC */
#include "common/cfgfile.h"

#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cfgfile_source.h"
#include "common/need.h"

enum {
	PATH_TEXT_MAX = 256,	/* of "listeners[1].port", with NUL */
	NAME_TEXT_MAX = 32,	/* longest name that gets a suggestion */
	ASKED_MAX = 512		/* names remembered for suggestions */
};

/* What we know of a setting; its hook points here. */
struct note {
	unsigned	line;		/* of the source's text */
	bool		read;		/* a reader looked at it */
	bool		refused;	/* and reported it; what is inside
					 * does not matter */
};

/* A name that a reader looked for. */
struct asked {
	const struct config_setting_t *group;
	const char	*name;		/* borrowed from the reader's caller */
};

struct cfgfile {
	config_t	 config;
	struct cfgfile_source *source;	/* owned */
	char		*path;		/* owned */
	struct note	*note;		/* owned */
	struct asked	 asked[ASKED_MAX];
	size_t		 n_asked;
	unsigned	 n_problems;
	cfgfile_report_fn *report;
	void		*arg;		/* for report */
};

/* Gives each setting its note, in the order of the text. */
struct noting {
	const struct cfgfile_source *source;
	struct note	*note;		/* the next one */
	size_t		 n_strings;	/* seen so far */
};

static struct note *
note_of(const struct config_setting_t *setting)
{
	return config_setting_get_hook(setting);
}

static unsigned
length_of(const struct config_setting_t *setting)
{
	return config_setting_is_aggregate(setting) ?
	    (unsigned)config_setting_length(setting) : 0;
}

static size_t
count_settings(const struct config_setting_t *setting)
{
	size_t n = 1;

	for (unsigned i = 0; i < length_of(setting); i++)
		n += count_settings(config_setting_get_elem(setting, i));
	return n;
}

/* libconfig gives a string at the end of a line the number of the next. */
static void
note_settings(struct noting *noting, struct config_setting_t *setting)
{
	struct note *note = noting->note++;

	note->line = config_setting_source_line(setting);
	if (config_setting_type(setting) == CONFIG_TYPE_STRING &&
	    config_setting_name(setting) == NULL)
		note->line = cfgfile_source_string_line(noting->source,
		    noting->n_strings);
	noting->n_strings +=
	    config_setting_type(setting) == CONFIG_TYPE_STRING;
	config_setting_set_hook(setting, note);
	for (unsigned i = 0; i < length_of(setting); i++)
		note_settings(noting, config_setting_get_elem(setting, i));
}

static void
format_path(const struct config_setting_t *setting, char out[PATH_TEXT_MAX])
{
	const struct config_setting_t *parent =
	    config_setting_parent(setting);
	size_t len;

	out[0] = '\0';
	if (parent == NULL)
		return;
	format_path(parent, out);
	len = strlen(out);
	if (config_setting_name(setting) == NULL)
		snprintf(out + len, PATH_TEXT_MAX - len, "[%d]",
		    config_setting_index(setting));
	else
		snprintf(out + len, PATH_TEXT_MAX - len, "%s%s",
		    len == 0 ? "" : ".", config_setting_name(setting));
}

const char *
cfgfile_where(const struct cfgfile *cfgfile,
    const struct config_setting_t *setting, unsigned *ret_line)
{
	return cfgfile_source_where(cfgfile->source, note_of(setting)->line,
	    ret_line);
}

/* Report "where: text", where `setting` is, or the file if it is NULL. */
static void
report(struct cfgfile *cfgfile, const struct config_setting_t *setting,
    const char *text)
{
	char message[CFGFILE_PROBLEM_MAX];
	const char *file = cfgfile->path;
	unsigned line = 0;

	if (cfgfile->n_problems++ > CFGFILE_PROBLEMS_MAX)
		return;
	if (cfgfile->n_problems > CFGFILE_PROBLEMS_MAX)
		snprintf(message, sizeof(message),
		    "%s: there are more problems than these %d", file,
		    CFGFILE_PROBLEMS_MAX);
	else if (setting == NULL || config_setting_is_root(setting))
		snprintf(message, sizeof(message), "%s: %s", file, text);
	else {
		file = cfgfile_where(cfgfile, setting, &line);
		snprintf(message, sizeof(message), "%s:%u: %s", file, line,
		    text);
	}
	cfgfile->report(message, cfgfile->arg);
}

void
cfgfile_problem(struct cfgfile *cfgfile,
    const struct config_setting_t *setting, const char *fmt, ...)
{
	char text[CFGFILE_PROBLEM_MAX];
	size_t len = 0;
	va_list args;

	if (setting != NULL && !config_setting_is_root(setting)) {
		format_path(setting, text);
		len = strlen(text);
		len += (size_t)snprintf(text + len, sizeof(text) - len, ": ");
		note_of(setting)->refused = true;
	}
	va_start(args, fmt);
	vsnprintf(text + len, sizeof(text) - len, fmt, args);
	va_end(args);
	report(cfgfile, setting, text);
}

char *
cfgfile_place(const struct cfgfile *cfgfile,
    const struct config_setting_t *setting)
{
	const char *file;
	char *place;
	unsigned line;

	if (setting == NULL)
		return need(strdup(cfgfile->path));
	file = cfgfile_where(cfgfile, setting, &line);
	return need(asprintf(&place, "%s:%u", file, line) < 0 ? NULL : place);
}

/* Read the text; report what libconfig says of it if it says no. */
static bool
parse(struct cfgfile *cfgfile)
{
	struct noting noting = { .source = cfgfile->source };
	const char *file, *text = cfgfile_source_text(cfgfile->source);
	char message[CFGFILE_PROBLEM_MAX];
	unsigned line;

	if (!config_read_string(&cfgfile->config, text)) {
		file = cfgfile_source_where(cfgfile->source,
		    (unsigned)config_error_line(&cfgfile->config), &line);
		snprintf(message, sizeof(message), "%s:%u: %s", file, line,
		    config_error_text(&cfgfile->config));
		cfgfile->report(message, cfgfile->arg);
		return false;
	}
	cfgfile->note = need(calloc(count_settings(
	    config_root_setting(&cfgfile->config)), sizeof(struct note)));
	noting.note = cfgfile->note;
	note_settings(&noting, config_root_setting(&cfgfile->config));
	return true;
}

struct cfgfile *
cfgfile_open(const char *path, cfgfile_report_fn *report_fn, void *arg)
{
	struct cfgfile *cfgfile = need(calloc(1, sizeof(*cfgfile)));
	char problem[CFGFILE_PROBLEM_MAX];

	config_init(&cfgfile->config);
	cfgfile->path = need(strdup(path));
	cfgfile->report = report_fn;
	cfgfile->arg = arg;
	cfgfile->source = cfgfile_source_open(path, problem);
	if (cfgfile->source == NULL)
		report_fn(problem, arg);
	else if (parse(cfgfile))
		return cfgfile;
	cfgfile_close(cfgfile);
	return NULL;
}

void
cfgfile_close(struct cfgfile *cfgfile)
{
	if (cfgfile == NULL)
		return;
	config_destroy(&cfgfile->config);
	free(cfgfile->note);
	cfgfile_source_close(cfgfile->source);
	free(cfgfile->path);
	free(cfgfile);
}

static unsigned
least(unsigned a, unsigned b, unsigned c)
{
	a = a < b ? a : b;
	return a < c ? a : c;
}

/* How many letters to insert, drop or change (Levenshtein). */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[NAME_TEXT_MAX + 1];
	size_t len = strlen(b);

	if (strlen(a) > NAME_TEXT_MAX || len > NAME_TEXT_MAX)
		return NAME_TEXT_MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t j = 1; j <= len; j++) {
			unsigned above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1,
			    diagonal + (a[i] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[len];
}

/* The name asked of this group that is most like it, or NULL. */
static const char *
suggestion(const struct cfgfile *cfgfile,
    const struct config_setting_t *setting)
{
	const char *name = config_setting_name(setting), *best = NULL;
	unsigned nearest = strlen(name) > 4 ? 3 : 2;

	for (size_t i = 0; i < cfgfile->n_asked; i++) {
		const struct asked *asked = &cfgfile->asked[i];
		unsigned n;

		if (asked->group != config_setting_parent(setting))
			continue;
		n = distance(name, asked->name);
		if (n < nearest) {
			nearest = n;
			best = asked->name;
		}
	}
	return best;
}

static void
report_unread(struct cfgfile *cfgfile, struct config_setting_t *setting)
{
	const struct note *note = note_of(setting);
	const char *meant;

	if (note->refused)
		return;
	if (!note->read && !config_setting_is_root(setting)) {
		meant = config_setting_name(setting) == NULL ? NULL :
		    suggestion(cfgfile, setting);
		if (meant == NULL)
			cfgfile_problem(cfgfile, setting, "unknown setting");
		else
			cfgfile_problem(cfgfile, setting,
			    "unknown setting; did you mean \"%s\"?", meant);
		return;
	}
	for (unsigned i = 0; i < length_of(setting); i++)
		report_unread(cfgfile, config_setting_get_elem(setting, i));
}

bool
cfgfile_finish(struct cfgfile *cfgfile)
{
	report_unread(cfgfile, config_root_setting(&cfgfile->config));
	return cfgfile->n_problems == 0;
}

const struct config_setting_t *
cfgfile_root(const struct cfgfile *cfgfile)
{
	return config_root_setting(&cfgfile->config);
}

const struct config_setting_t *
cfgfile_find(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const char *name)
{
	const struct config_setting_t *setting;

	if (group == NULL)
		return NULL;
	if (cfgfile->n_asked < ASKED_MAX)
		cfgfile->asked[cfgfile->n_asked++] =
		    (struct asked) { .group = group, .name = name };
	setting = config_setting_get_member(group, name);
	if (setting != NULL)
		note_of(setting)->read = true;
	return setting;
}

void
cfgfile_require(struct cfgfile *cfgfile, const struct config_setting_t *group,
    const char *name)
{
	if (group == NULL || config_setting_get_member(group, name) != NULL)
		return;
	if (config_setting_is_root(group))
		cfgfile_problem(cfgfile, NULL, "%s: is mandatory", name);
	else {
		char path[PATH_TEXT_MAX], text[CFGFILE_PROBLEM_MAX];

		format_path(group, path);
		snprintf(text, sizeof(text), "%s.%s: is mandatory", path,
		    name);
		report(cfgfile, group, text);
	}
}

const struct config_setting_t *
cfgfile_element(const struct config_setting_t *list, uint32_t i)
{
	const struct config_setting_t *setting =
	    config_setting_get_elem(list, i);

	note_of(setting)->read = true;
	return setting;
}

const char *
cfgfile_library(void)
{
#define TEXT_OF(number) #number
#define VERSION(major, minor, revision) \
	"libconfig " TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(revision)
	return VERSION(LIBCONFIG_VER_MAJOR, LIBCONFIG_VER_MINOR,
	    LIBCONFIG_VER_REVISION);
}
