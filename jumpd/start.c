/* SPDX-License-Identifier: ISC */
#include "jumpd/start.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/own_addresses.h"

#define RESOLV_CONF "/etc/resolv.conf"

/* --- configuration -------------------------------------------------------- */

/* "nameserver" lines of resolv.conf(5); the first few count. */
static void
system_resolvers(struct jumpd_settings *settings)
{
	FILE *file = fopen(RESOLV_CONF, "re");
	char line[512], address[128];

	while (file != NULL && settings->n_resolvers < JUMPD_RESOLVERS_MAX &&
	    fgets(line, sizeof(line), file) != NULL) {
		struct endpoint *at =
		    &settings->resolver[settings->n_resolvers];

		if (sscanf(line, "nameserver %127s", address) != 1 ||
		    !addr_parse(address, strlen(address), &at->addr))
			continue;
		at->port = 53;
		settings->n_resolvers++;
	}
	if (file != NULL)
		fclose(file);
}

static bool
find_resolvers(struct jumpd_config *config, cfgfile_report_fn *report,
    void *arg)
{
	char message[1024];

	if (!config->settings.dns || !config->system_resolvers)
		return true;
	system_resolvers(&config->settings);
	if (config->settings.n_resolvers > 0)
		return true;
	snprintf(message, sizeof(message), "%s: resolvers: none is given, and "
	    RESOLV_CONF " names none; \"dns = false\" does without",
	    config->process.path);
	report(message, arg);
	return false;
}

struct jumpd_config *
start_load_config(const char *path, cfgfile_report_fn *report, void *arg)
{
	struct addr own[EGRESS_OWN_MAX];
	struct jumpd_config *config = jumpd_config_load(path, report, arg);

	if (config == NULL)
		return NULL;
	if (jumpd_config_add_own_addresses(config, own,
	    own_addresses(own, EGRESS_OWN_MAX), report, arg) &&
	    find_resolvers(config, report, arg))
		return config;
	jumpd_config_free(config);
	return NULL;
}

/* --- files ---------------------------------------------------------------- */

bool
start_compile(const struct jumpd_config *config,
    const struct sandbox_ids *ids, struct mapping_compile *compile,
    cfgfile_report_fn *report, void *arg)
{
	/* The broker judges targets when they are asked for: the files may be
	 * proxyd's, too, with names that nobody may jump to. */
	struct mapping_job job = { .policy = NULL,
		.services = 1u << SERVICE_SSH,
		.embed = config->settings.has_embed_prefix };

	return mapping_config_compile(&config->mapping, ids, &job, compile,
	    report, arg);
}

struct host_keys *
start_host_keys(const struct jumpd_config *config, cfgfile_report_fn *report,
    void *arg)
{
	const char *path[N_HOST_KEY_TYPES];
	char problem[512], message[1024];
	enum host_key_type type;
	struct host_keys *keys;

	for (type = 0; type < N_HOST_KEY_TYPES; type++)
		path[type] = config->host_key[type];
	keys = host_keys_load(path, problem, sizeof(problem), &type);
	if (keys == NULL) {
		snprintf(message, sizeof(message), "%s: host_keys.%s: %s",
		    config->host_key_place[type], host_key_type_name(type),
		    problem);
		report(message, arg);
		return NULL;
	}
	if (host_keys_warm(keys))
		return keys;
	snprintf(message, sizeof(message), "%s: host_keys: libssh cannot "
	    "exchange keys with itself", config->process.path);
	report(message, arg);
	host_keys_free(keys);
	return NULL;
}

struct key_reporter {
	const struct jumpd_config *config;
	const struct key_file_rule *rules;
	size_t		 n;
	cfgfile_report_fn *report;
	void		*arg;
};

/* Where the pattern stands that cannot be read; NULL: it is no pattern. */
static const char *
place_of(const struct key_reporter *r, const char *pattern)
{
	const struct jumpd_config *config = r->config;
	uint32_t u, i;
	size_t rule = 0;

	for (u = 0; u < config->settings.auth.n_users; u++)
		for (i = 0; i < config->authorized[u].n; i++)
			if ((config->settings.auth.user[u].methods &
			    (AUTH_KEYS | AUTH_CERTS)) != 0 && rule < r->n &&
			    strcmp(r->rules[rule++].pattern, pattern) == 0)
				return config->authorized[u].place[i];
	for (i = 0; i < config->trusted_ca.n; i++)
		if (strcmp(config->trusted_ca.pattern[i], pattern) == 0)
			return config->trusted_ca.place[i];
	for (i = 0; i < config->revoked.n; i++)
		if (strcmp(config->revoked.pattern[i], pattern) == 0)
			return config->revoked.place[i];
	return NULL;
}

static void
report_key_problem(void *arg, const char *file, uint32_t line,
    const char *text)
{
	const struct key_reporter *r = arg;
	const char *place = line == 0 && file != NULL ? place_of(r, file) :
							NULL;
	char out[2 * MAPPING_PROBLEM_OCTETS];

	if (place != NULL)
		snprintf(out, sizeof(out), "%s: %s: %s", place, file, text);
	else
		mapping_problem_format(file, line, text, out, sizeof(out));
	r->report(out, r->arg);
}

bool
start_keys(const struct jumpd_config *config, int *ret_fd,
    uint64_t *ret_octets, cfgfile_report_fn *report, void *arg)
{
	struct key_reporter r = { .config = config, .report = report,
		.arg = arg };
	struct key_file_rule *rules;
	struct sandbox_ids ids;
	uint64_t octets;
	bool good;
	int fd;

	if (!daemon_config_ids(&config->process, &ids, report, arg))
		return false;
	r.n = jumpd_config_key_rules(config, &rules);
	r.rules = rules;
	good = key_files_collect("/", rules, r.n, &fd, &octets,
	    report_key_problem, &r);
	if (good && !key_files_check(fd, octets, &ids, report_key_problem,
	    &r)) {
		close(fd);
		good = false;
	}
	jumpd_config_free_rules(rules, r.n);
	if (!good)
		return false;
	*ret_fd = fd;
	*ret_octets = octets;
	return true;
}

bool
start_command(const struct jumpd_config *config,
    struct key_command_config *ret, cfgfile_report_fn *report, void *arg)
{
	struct sandbox_ids ids;
	char problem[256], message[1024];

	if (!sandbox_lookup(config->command_user, "", &ids, problem,
	    sizeof(problem))) {
		snprintf(message, sizeof(message),
		    "%s: authorized_keys_command_%s", config->command_place,
		    problem);
		report(message, arg);
		return false;
	}
	if (key_command_config_make((const char *const *)config->command,
	    config->n_command, &ids, ret, problem, sizeof(problem))) {
		ret->timeout_ms = config->settings.command_ms;
		ret->runs_max = config->settings.broker.commands;
		return true;
	}
	snprintf(message, sizeof(message), "%s: authorized_keys_command: %s",
	    config->command_place, problem);
	report(message, arg);
	return false;
}

int
start_drop_rights(void)
{
	static const unsigned kept[] = { CAP_NET_BIND_SERVICE, CAP_SETUID,
		CAP_SETGID, CAP_KILL, CAP_SYS_CHROOT };

	return sandbox_keep(kept, sizeof(kept) / sizeof(kept[0]));
}
