/* SPDX-License-Identifier: ISC */
#include "proxyd/proxyd_config_parts.h"

#include <limits.h>
#include <string.h>

#include "common/cfgfile_address.h"
#include "common/cfgfile_text.h"
#include "common/cfgfile_values.h"

static bool
parse_v6(const char *text, struct addr *ret)
{
	return addr_parse(text, strlen(text), ret) && !addr_is_v4(ret);
}

static void
read_allow_targets(struct target_policy *policy, struct cfgfile *cfgfile)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile);
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;

	cfgfile_require(cfgfile, root, "allow_targets");
	list = cfgfile_strings(cfgfile, root, "allow_targets", 1,
	    TARGET_POLICY_ALLOW_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting != NULL && cfgfile_prefix(cfgfile, setting,
		    value, false, &policy->allow[policy->n_allow]))
			policy->n_allow++;
	}
}

/* The listener through which the default target is forbidden, or NULL. */
static const struct proxyd_listener *
forbidden_by(const struct proxyd_config *config, enum target_verdict *ret)
{
	for (uint32_t i = 0; i < config->n_listeners; i++) {
		struct endpoint at = {
			.addr = config->settings.default_target,
			.port = config->listener[i].at.port
		};

		*ret = target_policy_check(&config->settings.targets, &at);
		if (*ret != TARGET_ALLOWED)
			return &config->listener[i];
	}
	return NULL;
}

/* After the listeners and all prefixes, which decide on it. */
static void
read_default_target(struct proxyd_config *config, struct cfgfile *cfgfile)
{
	struct proxyd_settings *settings = &config->settings;
	const struct config_setting_t *setting;
	const struct proxyd_listener *listener;
	enum target_verdict verdict = TARGET_ALLOWED;
	char text[CFGFILE_QUOTED_MAX];
	const char *value;

	setting = cfgfile_string(cfgfile, cfgfile_root(cfgfile),
	    "default_target", &value);
	if (setting == NULL || value[0] == '\0')
		return;
	cfgfile_quoted(value, text);
	if (!parse_v6(value, &settings->default_target)) {
		cfgfile_problem(cfgfile, setting, "%s is not an IPv6 address",
		    text);
		return;
	}
	settings->has_default_target = true;
	if (settings->targets.n_allow == 0)
		return;		/* that was reported */
	listener = forbidden_by(config, &verdict);
	if (listener != NULL)
		cfgfile_problem(cfgfile, setting, "%s at port %u %s", text,
		    listener->at.port, target_verdict_text(verdict));
}

void
config_read_targets(struct proxyd_config *config, struct cfgfile *cfgfile)
{
	struct proxyd_settings *settings = &config->settings;
	struct target_policy *policy = &settings->targets;

	read_allow_targets(policy, cfgfile);
	policy->n_nat64 = cfgfile_nat64_prefixes(cfgfile, policy->nat64,
	    TARGET_POLICY_NAT64_MAX);
	settings->has_embed_prefix = cfgfile_embed_prefix(cfgfile,
	    policy->nat64, policy->n_nat64, policy->allow, policy->n_allow,
	    "allow_targets", &settings->embed_prefix);
	if (settings->has_embed_prefix)
		policy->embed[policy->n_embed++] = settings->embed_prefix;
	settings->n_sources = cfgfile_sources(cfgfile, settings->source,
	    PROXYD_SOURCES_MAX);
	read_default_target(config, cfgfile);
}

bool
proxyd_config_add_own_addresses(struct proxyd_config *config,
    const struct addr *addr, size_t n, cfgfile_report_fn *report, void *arg)
{
	struct target_policy *policy = &config->settings.targets;
	enum target_verdict verdict;
	char message[PATH_MAX + 2 * CFGFILE_QUOTED_MAX], text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < n * config->n_listeners; i++) {
		const struct proxyd_listener *listener =
		    &config->listener[i / n];

		if (!cfgfile_listens_on(&listener->at, &addr[i % n]))
			continue;
		if (policy->n_own == TARGET_POLICY_OWN_MAX) {
			snprintf(message, sizeof(message), "%s: listeners: "
			    "more than %d addresses and ports of this host; "
			    "name those to listen on instead of %s",
			    config->process.path, TARGET_POLICY_OWN_MAX,
			    listener->text);
			report(message, arg);
			return false;
		}
		policy->own[policy->n_own++] = (struct endpoint) {
			.addr = addr[i % n], .port = listener->at.port
		};
	}
	if (!config->settings.has_default_target ||
	    forbidden_by(config, &verdict) == NULL)
		return true;
	addr_format(&config->settings.default_target, text);
	snprintf(message, sizeof(message), "%s: default_target: \"%s\" %s",
	    config->process.path, text, target_verdict_text(verdict));
	report(message, arg);
	return false;
}
