/* SPDX-License-Identifier: ISC */
#include "proxyd/proxyd_config_parts.h"

#include <limits.h>
#include <string.h>

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

static void
read_nat64_prefixes(struct target_policy *policy, struct cfgfile *cfgfile)
{
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, cfgfile_root(cfgfile),
	    "nat64_prefixes", 0, TARGET_POLICY_NAT64_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		struct prefix *prefix = &policy->nat64[policy->n_nat64];

		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL ||
		    !cfgfile_prefix(cfgfile, setting, value, false,
		    prefix))
			continue;
		/* RFC 6052 2.2 */
		if (prefix->len == 96 || (prefix->len >= 32 &&
		    prefix->len <= 64 && prefix->len % 8 == 0))
			policy->n_nat64++;
		else
			cfgfile_problem(cfgfile, setting, "the length must be "
			    "32, 40, 48, 56, 64 or 96, not %u", prefix->len);
	}
}

/* The first of `list` that has an address in common with `prefix`, or NULL. */
static const struct prefix *
overlapping(const struct prefix *list, unsigned n, const struct prefix *prefix)
{
	for (unsigned i = 0; i < n; i++)
		if (prefix_within(&list[i], prefix) ||
		    prefix_within(prefix, &list[i]))
			return &list[i];
	return NULL;
}

/* The first of `list` that lies within `prefix`, or NULL. */
static const struct prefix *
inside(const struct prefix *list, unsigned n, const struct prefix *prefix)
{
	for (unsigned i = 0; i < n; i++)
		if (prefix_within(&list[i], prefix))
			return &list[i];
	return NULL;
}

/* Addresses that a VM may see as a connection's source and answer to. */
static bool
can_be_sources(const struct prefix *prefix)
{
	static const struct prefix special_but_usable[] = {
		{ { { 0xfc } }, 7 },		/* unique local, RFC 4193 */
		{ { { 0, 0x64, 0xff, 0x9b, 0, 1 } }, 48 }	/* RFC 8215 */
	};

	return special_range_find(&prefix->addr) == NULL ||
	    overlapping(special_but_usable, 2, prefix) != NULL;
}

/* After allow_targets and nat64_prefixes, which it is compared with. */
static void
read_embed_prefix(struct proxyd_settings *settings, struct cfgfile *cfgfile)
{
	struct target_policy *policy = &settings->targets;
	char text[CFGFILE_QUOTED_MAX], other[PREFIX_TEXT_MAX];
	const struct config_setting_t *setting;
	const struct prefix *nat64, *allow;
	struct prefix prefix;
	const char *value;

	setting = cfgfile_string(cfgfile, cfgfile_root(cfgfile),
	    "embed_prefix", &value);
	if (setting == NULL || value[0] == '\0' ||
	    !cfgfile_prefix(cfgfile, setting, value, false, &prefix))
		return;
	nat64 = overlapping(policy->nat64, policy->n_nat64, &prefix);
	allow = inside(policy->allow, policy->n_allow, &prefix);
	cfgfile_quoted(value, text);
	if (prefix.len != 96)
		cfgfile_problem(cfgfile, setting,
		    "the length must be 96, not %u", prefix.len);
	else if (!can_be_sources(&prefix))
		cfgfile_problem(cfgfile, setting,
		    "%s cannot be the source of a connection", text);
	else if (nat64 != NULL)
		cfgfile_problem(cfgfile, setting,
		    "%s overlaps %s of nat64_prefixes", text,
		    prefix_format(nat64, other));
	else if (allow != NULL)
		cfgfile_problem(cfgfile, setting,
		    "%s is never a target, but has all of %s of "
		    "allow_targets", text, prefix_format(allow, other));
	settings->has_embed_prefix = true;
	settings->embed_prefix = prefix;
	policy->embed[policy->n_embed++] = prefix;
}

static void
read_sources(struct proxyd_settings *settings, struct cfgfile *cfgfile)
{
	const struct config_setting_t *list, *setting;
	char text[CFGFILE_QUOTED_MAX];
	struct addr addr;
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, cfgfile_root(cfgfile), "source", 0,
	    PROXYD_SOURCES_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		if (!parse_v6(value, &addr))
			cfgfile_problem(cfgfile, setting,
			    "%s is not an IPv6 address",
			    cfgfile_quoted(value, text));
		else if (config_addr_kind(&addr) != ADDR_UNICAST)
			cfgfile_problem(cfgfile, setting,
			    "%s cannot be the source of a connection",
			    cfgfile_quoted(value, text));
		else
			settings->source[settings->n_sources++] = addr;
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

	read_allow_targets(&settings->targets, cfgfile);
	read_nat64_prefixes(&settings->targets, cfgfile);
	read_embed_prefix(settings, cfgfile);
	read_sources(settings, cfgfile);
	read_default_target(config, cfgfile);
}

/* True if a listener on :: listens on this address too. */
static bool
is_wildcard_for(const struct proxyd_listener *listener,
    const struct addr *addr)
{
	return !addr_is_v4(&listener->at.addr) && !addr_is_v4(addr) &&
	    config_addr_kind(&listener->at.addr) == ADDR_UNSPECIFIED;
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

		if (!is_wildcard_for(listener, &addr[i % n]))
			continue;
		if (policy->n_own == TARGET_POLICY_OWN_MAX) {
			snprintf(message, sizeof(message), "%s: listeners: "
			    "more than %d addresses and ports of this host; "
			    "name those to listen on instead of %s",
			    config->path, TARGET_POLICY_OWN_MAX,
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
	    config->path, text, target_verdict_text(verdict));
	report(message, arg);
	return false;
}
