/* SPDX-License-Identifier: ISC */
#include "jumpd/jumpd_config_parts.h"

#include <stdlib.h>
#include <string.h>

#include "common/cfgfile_address.h"
#include "common/cfgfile_text.h"
#include "common/cfgfile_values.h"

/* --- allow, deny ---------------------------------------------------------- */

/* A decimal number from 1 to 65535 that ends at `end`. */
static bool
parse_port(const char *text, const char *end, uint16_t *ret)
{
	unsigned value = 0;

	if (text == end || end - text > 5)
		return false;
	for (; text < end; text++) {
		if (*text < '0' || *text > '9')
			return false;
		value = value * 10 + (unsigned)(*text - '0');
	}
	if (value < 1 || value > UINT16_MAX)
		return false;
	*ret = (uint16_t)value;
	return true;
}

/* "22" or "2200-2299". */
static bool
parse_ports(const char *text, struct egress_ports *ret)
{
	const char *end = text + strlen(text), *dash = strchr(text, '-');

	if (dash == NULL) {
		if (!parse_port(text, end, &ret->first))
			return false;
		ret->last = ret->first;
		return true;
	}
	return parse_port(text, dash, &ret->first) &&
	    parse_port(dash + 1, end, &ret->last) && ret->first <= ret->last;
}

static void
read_ports(struct cfgfile *cfgfile, const struct config_setting_t *group,
    struct egress_rule *rule)
{
	const struct config_setting_t *list, *setting;
	char text[CFGFILE_QUOTED_MAX];
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, group, "ports", 1, EGRESS_PORTS_MAX,
	    &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		if (parse_ports(value, &rule->ports[rule->n_ports]))
			rule->n_ports++;
		else
			cfgfile_problem(cfgfile, setting, "%s is neither a "
			    "port nor a range like \"2200-2299\"",
			    cfgfile_quoted(value, text));
	}
}

/* Returns the setting of the prefix, or NULL after a report. */
static const struct config_setting_t *
read_rule(struct cfgfile *cfgfile, const struct config_setting_t *group,
    struct egress_rule *rule)
{
	const struct config_setting_t *setting;
	const char *value;

	cfgfile_require(cfgfile, group, "prefix");
	setting = cfgfile_string(cfgfile, group, "prefix", &value);
	read_ports(cfgfile, group, rule);
	if (setting == NULL || !cfgfile_prefix(cfgfile, setting, value, false,
	    &rule->prefix))
		return NULL;
	return setting;
}

static void
read_allow(struct egress_policy *egress, struct cfgfile *cfgfile)
{
	const struct config_setting_t *list, *setting;
	char text[PREFIX_TEXT_MAX];
	enum deny_reason why;
	uint32_t n;

	list = cfgfile_groups(cfgfile, cfgfile_root(cfgfile), "allow", 0,
	    EGRESS_RULES_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		struct egress_rule *rule = &egress->allow[egress->n_allow];

		memset(rule, 0, sizeof(*rule));
		setting = read_rule(cfgfile,
		    cfgfile_groups_at(cfgfile, list, i), rule);
		if (setting == NULL)
			continue;
		if (rule->n_ports == 0)
			rule->ports[rule->n_ports++] =
			    (struct egress_ports) { 22, 22 };
		why = egress_rule_useless(egress, rule);
		if (why != DENY_NONE)
			cfgfile_problem(cfgfile, setting,
			    "%s can never be reached: %s",
			    prefix_format(&rule->prefix, text),
			    deny_reason_text(why));
		egress->n_allow++;
	}
}

static void
read_deny(struct egress_policy *egress, struct cfgfile *cfgfile)
{
	const struct config_setting_t *list;
	uint32_t n;

	list = cfgfile_groups(cfgfile, cfgfile_root(cfgfile), "deny", 0,
	    EGRESS_RULES_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		struct egress_rule *rule = &egress->deny[egress->n_deny];

		memset(rule, 0, sizeof(*rule));
		if (read_rule(cfgfile, cfgfile_groups_at(cfgfile, list, i),
		    rule) != NULL)
			egress->n_deny++;
	}
}

/* After nat64_prefixes and `allow`, which it is compared with. */
static void
read_embed(struct jumpd_settings *settings, struct cfgfile *cfgfile)
{
	struct egress_policy *egress = &settings->egress;
	struct prefix allow[EGRESS_RULES_MAX];

	for (uint16_t i = 0; i < egress->n_allow; i++)
		allow[i] = egress->allow[i].prefix;
	settings->has_embed_prefix = cfgfile_embed_prefix(cfgfile,
	    egress->nat64, egress->n_nat64, allow, egress->n_allow, "allow",
	    &settings->embed_prefix);
	if (settings->has_embed_prefix)
		egress->embed[egress->n_embed++] = settings->embed_prefix;
}

/* --- clients, names ------------------------------------------------------- */

static void
read_exempt(struct source_limits *limits, struct cfgfile *cfgfile)
{
	const struct config_setting_t *list, *setting;
	const char *value;
	uint32_t n;

	list = cfgfile_strings(cfgfile, cfgfile_root(cfgfile),
	    "exempt_sources", 0, SOURCE_EXEMPT_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting != NULL && cfgfile_prefix(cfgfile, setting, value,
		    true, &limits->exempt[limits->n_exempt]))
			limits->n_exempt++;
	}
}

/* "2001:db8::53", "192.0.2.53", "[2001:db8::53]:5353", "192.0.2.53:5353". */
static bool
parse_resolver(const char *text, struct endpoint *ret)
{
	const char *end = text + strlen(text), *colon = strrchr(text, ':');
	size_t len;

	ret->port = 53;
	if (addr_parse(text, (size_t)(end - text), &ret->addr))
		return true;
	if (colon == NULL || !parse_port(colon + 1, end, &ret->port))
		return false;
	len = (size_t)(colon - text);
	if (len >= 2 && text[0] == '[' && colon[-1] == ']')
		return addr_parse(text + 1, len - 2, &ret->addr) &&
		    !addr_is_v4(&ret->addr);
	return addr_parse(text, len, &ret->addr) && addr_is_v4(&ret->addr);
}

static void
read_dns(struct jumpd_config *config, struct cfgfile *cfgfile)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile), *list;
	struct jumpd_settings *settings = &config->settings;
	const struct config_setting_t *setting;
	char text[CFGFILE_QUOTED_MAX];
	const char *value;
	uint32_t n;

	settings->dns = true;
	cfgfile_bool(cfgfile, root, "dns", &settings->dns);
	list = cfgfile_strings(cfgfile, root, "resolvers", 0,
	    JUMPD_RESOLVERS_MAX, &n);
	for (uint32_t i = 0; i < n; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i, &value);
		if (setting == NULL)
			continue;
		if (parse_resolver(value,
		    &settings->resolver[settings->n_resolvers]))
			settings->n_resolvers++;
		else
			cfgfile_problem(cfgfile, setting, "%s is neither an "
			    "address nor one with a port",
			    cfgfile_quoted(value, text));
	}
	config->system_resolvers = n == 0;
}

void
config_read_targets(struct jumpd_config *config, struct cfgfile *cfgfile)
{
	struct jumpd_settings *settings = &config->settings;
	struct egress_policy *egress = &settings->egress;

	egress->n_nat64 = cfgfile_nat64_prefixes(cfgfile, egress->nat64,
	    EGRESS_NAT64_MAX);
	read_allow(egress, cfgfile);
	read_deny(egress, cfgfile);
	read_embed(settings, cfgfile);
	settings->n_sources = cfgfile_sources(cfgfile,
	    settings->source_address, JUMPD_SOURCES_MAX);
	read_exempt(&settings->source, cfgfile);
	read_dns(config, cfgfile);
}

/* --- what is hardly wanted ------------------------------------------------ */

static bool
anyone_may_log_in(const struct auth_policy *auth)
{
	for (uint32_t i = 0; i < auth->n_users; i++)
		if (auth->user[i].methods & AUTH_NONE)
			return true;
	return false;
}

void
jumpd_config_warn(const struct jumpd_config *config,
    cfgfile_report_fn *report, void *arg)
{
	const struct jumpd_settings *s = &config->settings;
	const struct {
		const char	*name;
		uint32_t	 value;
	} limits[] = {
		{ "connections", s->source.connections },
		{ "per_source", s->source.per_source },
		{ "rate_per_source", s->source.rate_per_source },
		{ "session_channels", s->scan.session_channels },
		{ "source_opens", s->scan.source_opens },
		{ "source_targets", s->scan.source_targets },
		{ "source_failed_dials", s->scan.source_failed_dials },
	};
	char message[512];
	size_t i;

	if (s->egress.n_allow == 0) {
		snprintf(message, sizeof(message), "%s: warning: allow: it "
		    "is empty: no target can be reached",
		    config->process.path);
		report(message, arg);
	}
	if (!anyone_may_log_in(&s->auth))
		return;
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (limits[i].value != 0)
			continue;
		snprintf(message, sizeof(message), "%s: warning: limits.%s: "
		    "there is none, and anyone may log in (authentication "
		    "\"none\")", config->process.path, limits[i].name);
		report(message, arg);
	}
}
