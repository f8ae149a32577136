/* SPDX-License-Identifier: ISC */
#include "proxyd/start.h"

#include "common/own_addresses.h"

struct proxyd_config *
start_load_config(const char *path, cfgfile_report_fn *report, void *arg)
{
	struct addr own[TARGET_POLICY_OWN_MAX];
	struct proxyd_config *config = proxyd_config_load(path, report, arg);

	if (config == NULL)
		return NULL;
	if (!proxyd_config_add_own_addresses(config, own,
		own_addresses(own, TARGET_POLICY_OWN_MAX), report, arg)) {
		proxyd_config_free(config);
		return NULL;
	}
	return config;
}

bool
start_compile(const struct proxyd_config *config,
    const struct sandbox_ids *ids, struct mapping_compile *compile,
    cfgfile_report_fn *report, void *arg)
{
	struct mapping_job job = { .policy = &config->settings.targets,
		.services = 1u << SERVICE_HTTP | 1u << SERVICE_HTTPS,
		.embed = config->settings.has_embed_prefix };

	return mapping_config_compile(&config->mapping, ids, &job, compile,
	    report, arg);
}
