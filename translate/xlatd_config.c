/* SPDX-License-Identifier: ISC */
#include "translate/xlatd_config.h"

#include <stdlib.h>

#include "common/cfgfile_values.h"
#include "common/need.h"
#include "translate/xlatd_config_parts.h"

static void
read_instances(struct xlatd_config *config, struct cfgfile *cfgfile)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile), *list;
	const struct config_setting_t *group;

	cfgfile_require(cfgfile, root, "instances");
	list = cfgfile_groups(cfgfile, root, "instances", 1,
	    XLATD_INSTANCES_MAX, &config->n_instances);
	config->instance = need(calloc(config->n_instances + 1,
	    sizeof(*config->instance)));
	for (uint32_t i = 0; i < config->n_instances; i++) {
		group = cfgfile_groups_at(cfgfile, list, i);
		config_read_instance(config, cfgfile, group, i);
	}
}

struct xlatd_config *
xlatd_config_load(const char *path, cfgfile_report_fn *report, void *arg)
{
	struct cfgfile *cfgfile = cfgfile_open(path, report, arg);
	struct xlatd_config *config;

	if (cfgfile == NULL)
		return NULL;
	config = need(calloc(1, sizeof(*config)));
	daemon_config_read(&config->process, cfgfile, path);
	cfgfile_bool(cfgfile, cfgfile_root(cfgfile), "log_drops",
	    &config->log_drops);
	read_instances(config, cfgfile);
	if (!cfgfile_finish(cfgfile)) {
		xlatd_config_free(config);
		config = NULL;
	}
	cfgfile_close(cfgfile);
	return config;
}

static void
instance_fini(struct xlatd_instance *instance)
{
	mapping_config_fini(&instance->mapping);
	free(instance->lease_file);
	free(instance->route);
}

void
xlatd_config_free(struct xlatd_config *config)
{
	if (config == NULL)
		return;
	for (uint32_t i = 0; i < config->n_instances; i++)
		instance_fini(&config->instance[i]);
	free(config->instance);
	daemon_config_fini(&config->process);
	free(config);
}
