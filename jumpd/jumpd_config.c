/* SPDX-License-Identifier: ISC */
#include "jumpd/jumpd_config.h"

#include <stdlib.h>
#include <string.h>

#include "common/cfgfile_address.h"
#include "common/cfgfile_text.h"
#include "common/cfgfile_values.h"
#include "common/need.h"
#include "jumpd/jumpd_config_parts.h"
#include "jumpd/jumpd_numbers.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

/* --- listeners ------------------------------------------------------------ */

/* Listener i; those before it that could not be read have port 0. */
static void
read_listener(struct jumpd_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *group, uint32_t i)
{
	struct jumpd_listener *listener = &config->listener[i];
	const struct config_setting_t *address;
	const char *value = NULL;
	uint32_t port = 22;

	cfgfile_require(cfgfile, group, "address");
	address = cfgfile_string(cfgfile, group, "address", &value);
	listener->place = cfgfile_place(cfgfile, address);
	cfgfile_uint(cfgfile, group, "port", 1, UINT16_MAX, &port);
	listener->backlog = 1024;
	cfgfile_uint(cfgfile, group, "backlog", 1, UINT16_MAX,
	    &listener->backlog);
	if (address == NULL || !cfgfile_listener_address(cfgfile, address,
	    value, &listener->at.addr))
		return;
	listener->at.port = (uint16_t)port;
	endpoint_format(&listener->at, listener->text);
	for (uint32_t j = 0; j < i; j++) {
		const struct jumpd_listener *other = &config->listener[j];

		if (!cfgfile_listeners_overlap(&listener->at, &other->at))
			continue;
		cfgfile_problem(cfgfile, address,
		    endpoint_equal(&listener->at, &other->at) ?
		    "%s is listeners[%u] already" :
		    "%s overlaps listeners[%u], %s", listener->text, j,
		    other->text);
		break;
	}
}

void
config_read_listeners(struct jumpd_config *config, struct cfgfile *cfgfile)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile), *list;
	struct egress_policy *egress = &config->settings.egress;

	cfgfile_require(cfgfile, root, "listeners");
	list = cfgfile_groups(cfgfile, root, "listeners", 1,
	    JUMPD_LISTENERS_MAX, &config->n_listeners);
	for (uint32_t i = 0; i < config->n_listeners; i++) {
		const struct endpoint *at = &config->listener[i].at;

		read_listener(config, cfgfile,
		    cfgfile_groups_at(cfgfile, list, i), i);
		if (at->port != 0 &&
		    cfgfile_addr_kind(&at->addr) != ADDR_UNSPECIFIED)
			egress->own[egress->n_own++] = *at;
	}
}

bool
jumpd_config_add_own_addresses(struct jumpd_config *config,
    const struct addr *addr, size_t n, cfgfile_report_fn *report, void *arg)
{
	struct egress_policy *egress = &config->settings.egress;
	char message[1024];

	for (size_t i = 0; i < n * config->n_listeners; i++) {
		const struct jumpd_listener *listener =
		    &config->listener[i / n];

		if (!cfgfile_listens_on(&listener->at, &addr[i % n]))
			continue;
		if (egress->n_own == EGRESS_OWN_MAX) {
			snprintf(message, sizeof(message), "%s: listeners: "
			    "more than %d addresses and ports of this host; "
			    "name those to listen on instead of %s",
			    listener->place, EGRESS_OWN_MAX, listener->text);
			report(message, arg);
			return false;
		}
		egress->own[egress->n_own++] = (struct endpoint) {
			.addr = addr[i % n], .port = listener->at.port
		};
	}
	return true;
}

/* --- host keys and what else there is ------------------------------------- */

static void
read_host_keys(struct jumpd_config *config, struct cfgfile *cfgfile)
{
	static const char *const defaults[N_HOST_KEY_TYPES] = {
		SYSCONFDIR "/popgate/ssh_host_ed25519_key",
		SYSCONFDIR "/popgate/ssh_host_ecdsa_key", "" };
	const struct config_setting_t *group, *setting;
	enum host_key_type type;
	bool any = false;

	group = cfgfile_group(cfgfile, cfgfile_root(cfgfile), "host_keys");
	for (type = 0; type < N_HOST_KEY_TYPES; type++) {
		const char *value = defaults[type];

		setting = cfgfile_string(cfgfile, group,
		    host_key_type_name(type), &value);
		config->host_key[type] = value[0] == '\0' ?
		    need(strdup("")) :
		    cfgfile_absolute(config->process.path, value);
		config->host_key_place[type] = cfgfile_place(cfgfile,
		    setting == NULL ? group : setting);
		any |= value[0] != '\0';
	}
	if (!any)
		cfgfile_problem(cfgfile, group, "there must be at least one");
}

static void
read_banner(struct jumpd_settings *settings, struct cfgfile *cfgfile)
{
	const struct config_setting_t *setting;
	const char *value;
	size_t len;

	setting = cfgfile_string(cfgfile, cfgfile_root(cfgfile), "banner",
	    &value);
	if (setting == NULL)
		return;
	len = strlen(value);
	if (len > JUMPD_BANNER_MAX) {
		cfgfile_problem(cfgfile, setting,
		    "must be at most %d octets, not %zu", JUMPD_BANNER_MAX,
		    len);
		return;
	}
	memcpy(settings->banner, value, len);
	settings->banner_len = (uint32_t)len;
}

static void
read_flags(struct jumpd_settings *settings, struct cfgfile *cfgfile)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile);

	settings->log_connections = true;
	cfgfile_bool(cfgfile, root, "log_connections",
	    &settings->log_connections);
	cfgfile_bool(cfgfile, root, "reload_kills_denied",
	    &settings->reload_kills_denied);
}

struct jumpd_config *
jumpd_config_load(const char *path, cfgfile_report_fn *report, void *arg)
{
	struct cfgfile *cfgfile = cfgfile_open(path, report, arg);
	struct jumpd_config *config;

	if (cfgfile == NULL)
		return NULL;
	config = need(calloc(1, sizeof(*config)));
	daemon_config_read(&config->process, cfgfile, path);
	config_read_listeners(config, cfgfile);
	read_host_keys(config, cfgfile);
	config_read_users(config, cfgfile);
	mapping_config_read(&config->mapping, cfgfile, cfgfile_root(cfgfile),
	    path);
	config_read_targets(config, cfgfile);
	read_banner(&config->settings, cfgfile);
	read_flags(&config->settings, cfgfile);
	cfgfile_read_numbers(cfgfile, jumpd_numbers, &config->settings);
	if (!cfgfile_finish(cfgfile)) {
		jumpd_config_free(config);
		config = NULL;
	}
	cfgfile_close(cfgfile);
	return config;
}

static void
free_patterns(struct jumpd_patterns *patterns)
{
	for (uint32_t i = 0; i < patterns->n; i++) {
		free(patterns->pattern[i]);
		free(patterns->place[i]);
	}
}

void
jumpd_config_free(struct jumpd_config *config)
{
	uint32_t i;

	if (config == NULL)
		return;
	mapping_config_fini(&config->mapping);
	free(config->command_place);
	free(config->command_user);
	for (i = 0; i < config->n_command; i++)
		free(config->command[i]);
	free_patterns(&config->revoked);
	free_patterns(&config->trusted_ca);
	for (i = 0; i < AUTH_USERS_MAX; i++)
		free_patterns(&config->authorized[i]);
	for (i = 0; i < N_HOST_KEY_TYPES; i++) {
		free(config->host_key[i]);
		free(config->host_key_place[i]);
	}
	for (i = 0; i < config->n_listeners; i++)
		free(config->listener[i].place);
	daemon_config_fini(&config->process);
	free(config);
}
