/* SPDX-License-Identifier: ISC */
#include "common/daemon_config.h"

#include <stdlib.h>
#include <string.h>

#include "common/cfgfile_text.h"
#include "common/cfgfile_values.h"
#include "common/log.h"
#include "common/need.h"

/* --- the process -------------------------------------------------------------- */

/* Replace an owned string by the setting's, if it is there and right. */
static const struct config_setting_t *
read_string(struct cfgfile *cfgfile, const char *name, char **text,
    char **place)
{
	const struct config_setting_t *setting;
	const char *value;

	setting = cfgfile_string(cfgfile, cfgfile_root(cfgfile), name, &value);
	*place = cfgfile_place(cfgfile, setting);
	if (setting != NULL) {
		free(*text);
		*text = need(strdup(value));
	}
	return setting;
}

void
daemon_config_read(struct daemon_config *config, struct cfgfile *cfgfile,
    const char *path)
{
	const struct config_setting_t *setting;
	char text[CFGFILE_QUOTED_MAX];

	config->path = need(strdup(path));
	config->user = need(strdup("popgate"));
	config->group = need(strdup(""));
	config->log = need(strdup("stderr"));
	setting = read_string(cfgfile, "user", &config->user,
	    &config->user_place);
	if (setting != NULL && config->user[0] == '\0')
		cfgfile_problem(cfgfile, setting, "must not be empty");
	read_string(cfgfile, "group", &config->group, &config->group_place);
	setting = read_string(cfgfile, "log", &config->log,
	    &config->log_place);
	if (setting != NULL && strcmp(config->log, "stderr") != 0 &&
	    config->log[0] != '/')
		cfgfile_problem(cfgfile, setting,
		    "must be \"stderr\" or an absolute path, not %s",
		    cfgfile_quoted(config->log, text));
}

void
daemon_config_fini(struct daemon_config *config)
{
	free(config->log_place);
	free(config->group_place);
	free(config->user_place);
	free(config->log);
	free(config->group);
	free(config->user);
	free(config->path);
}

static void
print_setting(const char *name, const char *text, FILE *out)
{
	fprintf(out, "%s = ", name);
	cfgfile_print_string(text, out);
	fputs(";\n", out);
}

void
daemon_config_print(const struct daemon_config *config, FILE *out)
{
	print_setting("user", config->user, out);
	print_setting("group", config->group, out);
	print_setting("log", config->log, out);
}

bool
daemon_config_ids(const struct daemon_config *config,
    struct sandbox_ids *ret, cfgfile_report_fn *report, void *arg)
{
	const char *place = config->user_place;
	char problem[256], message[2 * sizeof(problem)];

	if (sandbox_lookup(config->user, "", ret, problem, sizeof(problem))) {
		if (sandbox_lookup(config->user, config->group, ret, problem,
			sizeof(problem)))
			return true;
		place = config->group_place;
	}
	snprintf(message, sizeof(message), "%s: %s", place, problem);
	report(message, arg);
	return false;
}

void
daemon_config_warn_of_kept(const struct daemon_config *old,
    const struct daemon_config *new)
{
	static const char kept[] = "%s: %s: takes effect at the next start";

	if (strcmp(old->user, new->user) != 0)
		log_warning(kept, new->path, "user");
	if (strcmp(old->group, new->group) != 0)
		log_warning(kept, new->path, "group");
	if (strcmp(old->log, new->log) != 0)
		log_warning(kept, new->path, "log");
}

/* --- the mapping ---------------------------------------------------------------- */

static void
read_files(struct mapping_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *group, const char *path)
{
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, group, "mapping_files", 0,
	    MAPPING_CONFIG_FILES_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		if (value[0] == '\0') {
			cfgfile_problem(cfgfile, setting,
			    "must not be empty");
			continue;
		}
		config->file[config->n_files] = cfgfile_absolute(path, value);
		config->file_place[config->n_files++] =
		    cfgfile_place(cfgfile, setting);
	}
}

static void
read_lines(struct mapping_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *group)
{
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, group, "mapping", 0,
	    MAPPING_CONFIG_LINES_MAX, &n);
	if (n > 0)
		config->line = need(calloc(n, sizeof(*config->line)));
	for (uint32_t i = 0; i < n; i++) {
		struct mapping_config_line *line =
		    &config->line[config->n_lines];

		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		line->text = need(strdup(value));
		line->file = need(strdup(cfgfile_where(cfgfile, setting,
		    &line->line)));
		config->n_lines++;
	}
}

void
mapping_config_read(struct mapping_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *group, const char *path)
{
	read_files(config, cfgfile, group, path);
	read_lines(config, cfgfile, group);
}

void
mapping_config_fini(struct mapping_config *config)
{
	for (uint32_t i = 0; i < config->n_lines; i++) {
		free(config->line[i].text);
		free(config->line[i].file);
	}
	free(config->line);
	for (uint32_t i = 0; i < config->n_files; i++) {
		free(config->file[i]);
		free(config->file_place[i]);
	}
}

static void
print_list(const char *indent, const char *name, FILE *out)
{
	fprintf(out, "%s%s = [", indent, name);
}

static void
print_element(const char *indent, uint32_t i, const char *text, FILE *out)
{
	fprintf(out, "%s\n%s\t", i == 0 ? "" : ",", indent);
	cfgfile_print_string(text, out);
}

static void
print_list_end(const char *indent, uint32_t n, FILE *out)
{
	if (n > 0)
		fprintf(out, "\n%s", indent);
	fputs("];\n", out);
}

void
mapping_config_print(const struct mapping_config *config, const char *indent,
    FILE *out)
{
	print_list(indent, "mapping_files", out);
	for (uint32_t i = 0; i < config->n_files; i++)
		print_element(indent, i, config->file[i], out);
	print_list_end(indent, config->n_files, out);
	print_list(indent, "mapping", out);
	for (uint32_t i = 0; i < config->n_lines; i++)
		print_element(indent, i, config->line[i].text, out);
	print_list_end(indent, config->n_lines, out);
}

/* --- compiling -------------------------------------------------------------------- */

struct reporter {
	const struct mapping_config *config;
	cfgfile_report_fn *report;
	void		*arg;
};

static void
report_problem(void *arg, const char *file, uint32_t line, const char *text)
{
	const struct reporter *r = arg;
	const struct mapping_config *config = r->config;
	char out[2 * MAPPING_PROBLEM_OCTETS];
	uint32_t i;

	for (i = 0; line == 0 && i < config->n_files; i++) {
		if (strcmp(file, config->file[i]) != 0)
			continue;	/* a file, or another pattern */
		snprintf(out, sizeof(out), "%s: mapping_files[%u]: %s: %s",
		    config->file_place[i], i, file, text);
		r->report(out, r->arg);
		return;
	}
	r->report(mapping_problem_format(file, line, text, out, sizeof(out)),
	    r->arg);
}

/* The inline lines, then the files; owned by the caller. */
static struct mapping_source *
all_sources(const struct mapping_config *config,
    const struct mapping_sources *files)
{
	struct mapping_source *all =
	    need(calloc(config->n_lines + files->n + 1, sizeof(*all)));
	size_t i;

	for (i = 0; i < config->n_lines; i++) {
		all[i].name = config->line[i].file;
		all[i].fd = -1;
		all[i].text = config->line[i].text;
		all[i].len = strlen(all[i].text);
		all[i].first_line = config->line[i].line;
	}
	for (i = 0; i < files->n; i++)
		all[config->n_lines + i] = files->source[i];
	return all;
}

bool
mapping_config_open(const struct mapping_config *config,
    struct mapping_config_sources *ret, cfgfile_report_fn *report, void *arg)
{
	struct reporter reporter = { config, report, arg };
	struct mapping_config_sources sources = { 0 };

	/* The patterns are absolute. */
	if (!mapping_sources_open("/", config->file, config->n_files,
		&sources.files, report_problem, &reporter))
		return false;
	sources.n = config->n_lines + sources.files.n;
	sources.source = all_sources(config, &sources.files);
	*ret = sources;
	return true;
}

void
mapping_config_close(struct mapping_config_sources *sources)
{
	free(sources->source);
	mapping_sources_close(&sources->files);
	*sources = (struct mapping_config_sources) { 0 };
}

bool
mapping_config_compile(const struct mapping_config *config,
    const struct sandbox_ids *ids, struct mapping_job *job,
    struct mapping_compile *compile, cfgfile_report_fn *report, void *arg)
{
	struct mapping_config_sources sources;
	int err;

	if (!mapping_config_open(config, &sources, report, arg))
		return false;
	job->sources = sources.source;
	job->n_sources = sources.n;
	err = mapping_compile_start(compile, ids, job);
	job->sources = NULL;
	if (err != 0)
		report(strerror(-err), arg);
	mapping_config_close(&sources);
	return err == 0;
}
