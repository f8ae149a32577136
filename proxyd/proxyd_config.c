/* SPDX-License-Identifier: ISC */
#include "proxyd/proxyd_config.h"

#include <stdlib.h>
#include <string.h>

#include "common/cfgfile_text.h"
#include "common/cfgfile_values.h"
#include "common/need.h"
#include "proxyd/proxyd_config_parts.h"
#include "proxyd/proxyd_numbers.h"

/* Replace an owned string by the setting's, if it is there and right. */
static const struct config_setting_t *
read_string(struct cfgfile *cfgfile, const char *name, char **text)
{
	const struct config_setting_t *setting;
	const char *value;

	setting = cfgfile_string(cfgfile, cfgfile_root(cfgfile), name, &value);
	if (setting != NULL) {
		free(*text);
		*text = need(strdup(value));
	}
	return setting;
}

static void
read_process(struct proxyd_config *config, struct cfgfile *cfgfile)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile), *setting;
	char text[CFGFILE_QUOTED_MAX];

	config->user = need(strdup("popgate"));
	config->group = need(strdup(""));
	config->log = need(strdup("stderr"));
	config->settings.log_connections = true;
	setting = read_string(cfgfile, "user", &config->user);
	config->user_place = cfgfile_place(cfgfile, setting);
	if (setting != NULL && config->user[0] == '\0')
		cfgfile_problem(cfgfile, setting, "must not be empty");
	setting = read_string(cfgfile, "group", &config->group);
	config->group_place = cfgfile_place(cfgfile, setting);
	cfgfile_uint(cfgfile, root, "workers", 0, PROXYD_WORKERS_MAX,
	    &config->workers);
	setting = read_string(cfgfile, "log", &config->log);
	config->log_place = cfgfile_place(cfgfile, setting);
	if (setting != NULL && strcmp(config->log, "stderr") != 0 &&
	    config->log[0] != '/')
		cfgfile_problem(cfgfile, setting,
		    "must be \"stderr\" or an absolute path, not %s",
		    cfgfile_quoted(config->log, text));
	cfgfile_bool(cfgfile, root, "log_connections",
	    &config->settings.log_connections);
	cfgfile_bool(cfgfile, root, "reload_closes_removed",
	    &config->settings.reload_closes_removed);
}

static void
read_numbers(struct proxyd_config *config, struct cfgfile *cfgfile)
{
	const struct config_setting_t *group = NULL;
	const struct proxyd_number *number = proxyd_numbers;
	const char *name = "";

	for (; number->group != NULL; number++) {
		uint32_t *value = (uint32_t *)(void *)
		    ((char *)&config->settings + number->offset);

		if (strcmp(name, number->group) != 0) {
			name = number->group;
			group = cfgfile_group(cfgfile, cfgfile_root(cfgfile),
			    name);
		}
		*value = number->value;
		if (number->kind == PROXYD_DURATION)
			cfgfile_duration(cfgfile, group, number->name,
			    number->min, number->max, value);
		else
			cfgfile_uint(cfgfile, group, number->name,
			    number->min, number->max, value);
		if (number->kind == PROXYD_SECONDS)
			*value *= 1000;
	}
	if (config->settings.client_burst == 0)
		config->settings.client_burst =
		    2 * config->settings.client_rate;
}

static void
read_mapping_files(struct proxyd_config *config, struct cfgfile *cfgfile)
{
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, cfgfile_root(cfgfile),
	    "mapping_files", 0, PROXYD_MAPPING_FILES_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		if (value[0] == '\0') {
			cfgfile_problem(cfgfile, setting,
			    "must not be empty");
			continue;
		}
		config->mapping_file[config->n_mapping_files] =
		    cfgfile_absolute(config->path, value);
		config->mapping_file_place[config->n_mapping_files++] =
		    cfgfile_place(cfgfile, setting);
	}
}

static void
read_mapping_lines(struct proxyd_config *config, struct cfgfile *cfgfile)
{
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, cfgfile_root(cfgfile), "mapping", 0,
	    PROXYD_MAPPING_LINES_MAX, &n);
	if (n > 0)
		config->mapping_line = need(calloc(n,
		    sizeof(*config->mapping_line)));
	for (uint32_t i = 0; i < n; i++) {
		struct proxyd_mapping_line *line =
		    &config->mapping_line[config->n_mapping_lines];

		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		line->text = need(strdup(value));
		line->file = need(strdup(cfgfile_where(cfgfile, setting,
		    &line->line)));
		config->n_mapping_lines++;
	}
}

struct proxyd_config *
proxyd_config_load(const char *path, cfgfile_report_fn *report, void *arg)
{
	struct cfgfile *cfgfile = cfgfile_open(path, report, arg);
	struct proxyd_config *config;

	if (cfgfile == NULL)
		return NULL;
	config = need(calloc(1, sizeof(*config)));
	config->path = need(strdup(path));
	read_process(config, cfgfile);
	config_read_listeners(config, cfgfile);
	read_mapping_files(config, cfgfile);
	read_mapping_lines(config, cfgfile);
	config_read_targets(config, cfgfile);
	read_numbers(config, cfgfile);
	if (!cfgfile_finish(cfgfile)) {
		proxyd_config_free(config);
		config = NULL;
	}
	cfgfile_close(cfgfile);
	return config;
}

void
proxyd_config_free(struct proxyd_config *config)
{
	if (config == NULL)
		return;
	for (uint32_t i = 0; i < config->n_mapping_lines; i++) {
		free(config->mapping_line[i].text);
		free(config->mapping_line[i].file);
	}
	free(config->mapping_line);
	for (uint32_t i = 0; i < config->n_mapping_files; i++) {
		free(config->mapping_file[i]);
		free(config->mapping_file_place[i]);
	}
	for (uint32_t i = 0; i < config->n_listeners; i++)
		free(config->listener_place[i]);
	free(config->log_place);
	free(config->group_place);
	free(config->user_place);
	free(config->log);
	free(config->group);
	free(config->user);
	free(config->path);
	free(config);
}
