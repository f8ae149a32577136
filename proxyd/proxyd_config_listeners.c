/* SPDX-License-Identifier: ISC */
#include "proxyd/proxyd_config_parts.h"

#include <string.h>

#include "common/cfgfile_address.h"
#include "common/cfgfile_text.h"
#include "common/cfgfile_values.h"

enum { BACKLOG_DEFAULT = 4096 };

static void
read_protocol(struct cfgfile *cfgfile, const struct config_setting_t *group,
    struct proxyd_listener *listener)
{
	const struct config_setting_t *setting;
	char text[CFGFILE_QUOTED_MAX];
	const char *value;

	cfgfile_require(cfgfile, group, "protocol");
	setting = cfgfile_string(cfgfile, group, "protocol", &value);
	if (setting == NULL)
		return;
	if (strcmp(value, "http") == 0)
		listener->service = SERVICE_HTTP;
	else if (strcmp(value, "tls") == 0)
		listener->service = SERVICE_HTTPS;
	else
		cfgfile_problem(cfgfile, setting,
		    "must be \"http\" or \"tls\", not %s",
		    cfgfile_quoted(value, text));
}

static void
read_accept_proxy(struct cfgfile *cfgfile,
    const struct config_setting_t *group, struct proxyd_accept_proxy *accept)
{
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, group, "accept_proxy", 0,
	    PROXYD_ACCEPT_PROXY_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting != NULL && cfgfile_prefix(cfgfile, setting,
		    value, true, &accept->prefix[accept->n]))
			accept->n++;
	}
}

/* Listener i; those before it that could not be read have port 0. */
static void
read_listener(struct proxyd_config *config, struct cfgfile *cfgfile,
    const struct config_setting_t *group, uint32_t i)
{
	struct proxyd_listener *listener = &config->listener[i];
	const struct config_setting_t *address;
	const char *value = NULL;
	uint32_t port = 0;

	cfgfile_require(cfgfile, group, "address");
	cfgfile_require(cfgfile, group, "port");
	address = cfgfile_string(cfgfile, group, "address", &value);
	config->listener_place[i] = cfgfile_place(cfgfile, address);
	cfgfile_uint(cfgfile, group, "port", 1, UINT16_MAX, &port);
	read_protocol(cfgfile, group, listener);
	listener->backlog = BACKLOG_DEFAULT;
	cfgfile_uint(cfgfile, group, "backlog", 1, UINT16_MAX,
	    &listener->backlog);
	read_accept_proxy(cfgfile, group, &listener->accept_proxy);
	if (address == NULL || !cfgfile_listener_address(cfgfile, address, value,
	    &listener->at.addr) || port == 0)
		return;
	listener->at.port = (uint16_t)port;
	endpoint_format(&listener->at, listener->text);
	for (uint32_t j = 0; j < i; j++) {
		const struct proxyd_listener *other = &config->listener[j];

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
config_read_listeners(struct proxyd_config *config, struct cfgfile *cfgfile)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile), *list;
	struct target_policy *policy = &config->settings.targets;

	cfgfile_require(cfgfile, root, "listeners");
	list = cfgfile_groups(cfgfile, root, "listeners", 1,
	    PROXYD_LISTENERS_MAX, &config->n_listeners);
	for (uint32_t i = 0; i < config->n_listeners; i++) {
		read_listener(config, cfgfile,
		    cfgfile_groups_at(cfgfile, list, i), i);
		if (config->listener[i].at.port != 0 &&
		    cfgfile_addr_kind(&config->listener[i].at.addr) !=
		    ADDR_UNSPECIFIED)
			policy->own[policy->n_own++] = config->listener[i].at;
	}
}
