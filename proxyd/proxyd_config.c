/* SPDX-License-Identifier: ISC */
#include "proxyd/proxyd_config.h"

#include <stdlib.h>

#include "common/cfgfile_values.h"
#include "common/need.h"
#include "proxyd/proxyd_config_parts.h"
#include "proxyd/proxyd_numbers.h"

static void
read_process(struct proxyd_config *config, struct cfgfile *cfgfile)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile);

	cfgfile_uint(cfgfile, root, "workers", 0, PROXYD_WORKERS_MAX,
	    &config->workers);
	config->settings.log_connections = true;
	cfgfile_bool(cfgfile, root, "log_connections",
	    &config->settings.log_connections);
	cfgfile_bool(cfgfile, root, "reload_closes_removed",
	    &config->settings.reload_closes_removed);
}

static void
read_numbers(struct proxyd_config *config, struct cfgfile *cfgfile)
{
	struct proxyd_settings *settings = &config->settings;

	cfgfile_read_numbers(cfgfile, proxyd_numbers, settings);
	if (settings->client_burst == 0)
		settings->client_burst = 2 * settings->client_rate;
}

struct proxyd_config *
proxyd_config_load(const char *path, cfgfile_report_fn *report, void *arg)
{
	struct cfgfile *cfgfile = cfgfile_open(path, report, arg);
	struct proxyd_config *config;

	if (cfgfile == NULL)
		return NULL;
	config = need(calloc(1, sizeof(*config)));
	daemon_config_read(&config->process, cfgfile, path);
	read_process(config, cfgfile);
	config_read_listeners(config, cfgfile);
	mapping_config_read(&config->mapping, cfgfile, cfgfile_root(cfgfile),
	    path);
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
	mapping_config_fini(&config->mapping);
	for (uint32_t i = 0; i < config->n_listeners; i++)
		free(config->listener_place[i]);
	daemon_config_fini(&config->process);
	free(config);
}
