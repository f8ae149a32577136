/* SPDX-License-Identifier: ISC */
#include "proxyd/start.h"

#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mapping_sources.h"
#include "common/sock.h"

struct reporter {
	const struct proxyd_config *config;
	cfgfile_report_fn *report;
	void		*arg;
};

/* The host's IPv6 addresses (targets are never IPv4); returns how many, at
 * most `max`. */
static size_t
own_addresses(struct addr *out, size_t max)
{
	struct ifaddrs *all, *i;
	struct sockaddr_storage ss;
	struct endpoint ep;
	size_t n = 0;

	if (getifaddrs(&all) != 0)
		return 0;
	for (i = all; i != NULL && n < max; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET6)
			continue;
		memset(&ss, 0, sizeof(ss));
		memcpy(&ss, i->ifa_addr, sizeof(struct sockaddr_in6));
		ep = sock_endpoint(&ss);
		out[n++] = ep.addr;
	}
	freeifaddrs(all);
	return n;
}

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
start_lookup_ids(const struct proxyd_config *config, struct sandbox_ids *ret,
    cfgfile_report_fn *report, void *arg)
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

static void
report_problem(void *arg, const char *file, uint32_t line, const char *text)
{
	const struct reporter *r = arg;
	const struct proxyd_config *config = r->config;
	char out[2 * MAPPING_PROBLEM_OCTETS];
	uint32_t i;

	for (i = 0; line == 0 && i < config->n_mapping_files; i++) {
		if (strcmp(file, config->mapping_file[i]) != 0)
			continue;	/* a file, or another pattern */
		snprintf(out, sizeof(out), "%s: mapping_files[%u]: %s: %s",
		    config->mapping_file_place[i], i, file, text);
		r->report(out, r->arg);
		return;
	}
	r->report(mapping_problem_format(file, line, text, out, sizeof(out)),
	    r->arg);
}

/* The folder a relative pattern starts from; owned by the caller. */
static char *
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* The inline lines, then the files. */
static struct mapping_source *
all_sources(const struct proxyd_config *config,
    const struct mapping_sources *files, size_t *ret_n)
{
	size_t i, n = config->n_mapping_lines + files->n;
	struct mapping_source *all = calloc(n + 1, sizeof(*all));

	if (all == NULL)
		return NULL;
	for (i = 0; i < config->n_mapping_lines; i++) {
		all[i].name = config->mapping_line[i].file;
		all[i].fd = -1;
		all[i].text = config->mapping_line[i].text;
		all[i].len = strlen(all[i].text);
		all[i].first_line = config->mapping_line[i].line;
	}
	for (i = 0; i < files->n; i++)
		all[config->n_mapping_lines + i] = files->source[i];
	*ret_n = n;
	return all;
}

bool
start_compile(const struct proxyd_config *config,
    const struct sandbox_ids *ids, struct mapping_compile *compile,
    cfgfile_report_fn *report, void *arg)
{
	struct reporter reporter = { config, report, arg };
	struct mapping_sources files = { 0 };
	struct mapping_source *all = NULL;
	struct mapping_job job = { .policy = &config->settings.targets,
		.services = 1u << SERVICE_HTTP | 1u << SERVICE_HTTPS,
		.embed = config->settings.has_embed_prefix };
	char *folder = folder_of(config->path);
	int err = -ENOMEM;

	if (folder != NULL &&
	    !mapping_sources_open(folder, config->mapping_file,
		config->n_mapping_files, &files, report_problem, &reporter)) {
		free(folder);
		return false;
	}
	if (folder != NULL)
		all = all_sources(config, &files, &job.n_sources);
	if (all != NULL) {
		job.sources = all;
		err = mapping_compile_start(compile, ids, &job);
	}
	if (err != 0)
		report(strerror(-err), arg);
	free(all);
	mapping_sources_close(&files);
	free(folder);
	return err == 0;
}
