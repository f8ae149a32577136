/* SPDX-License-Identifier: ISC */
#include "jumpd/jumpd_config.h"

#include <string.h>

#include "common/cfgfile_address.h"
#include "common/cfgfile_text.h"
#include "jumpd/jumpd_numbers.h"

static void
print_setting(const char *name, const char *text, FILE *out)
{
	fprintf(out, "%s = ", name);
	cfgfile_print_string(text, out);
	fputs(";\n", out);
}

static void
print_flag(const char *name, bool value, FILE *out)
{
	fprintf(out, "%s = %s;\n", name, value ? "true" : "false");
}

static void
print_listeners(const struct jumpd_config *config, FILE *out)
{
	char text[ADDR_TEXT_MAX];

	fputs("listeners = (", out);
	for (uint32_t i = 0; i < config->n_listeners; i++) {
		const struct jumpd_listener *l = &config->listener[i];

		fprintf(out, "%s\n\t{ address = \"%s\"; port = %u; "
		    "backlog = %u; }", i == 0 ? "" : ",",
		    addr_format(&l->at.addr, text), l->at.port, l->backlog);
	}
	fputs("\n);\n", out);
}

static void
print_host_keys(const struct jumpd_config *config, FILE *out)
{
	enum host_key_type type;

	fputs("host_keys = {\n", out);
	for (type = 0; type < N_HOST_KEY_TYPES; type++) {
		fputc('\t', out);
		print_setting(host_key_type_name(type),
		    config->host_key[type], out);
	}
	fputs("};\n", out);
}

static void
print_patterns(const char *name, const struct jumpd_patterns *patterns,
    FILE *out)
{
	fprintf(out, "%s = [", name);
	for (uint32_t i = 0; i < patterns->n; i++) {
		fputs(i == 0 ? " " : ", ", out);
		cfgfile_print_string(patterns->pattern[i], out);
	}
	fputs(" ];", out);
}

static void
print_methods(uint8_t methods, FILE *out)
{
	static const char *const names[] = { "none", "keys",
		"certificates" };
	const char *comma = " ";

	fputs("authentication = [", out);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((methods >> i & 1) == 0)
			continue;
		fprintf(out, "%s\"%s\"", comma, names[i]);
		comma = ", ";
	}
	fputs(" ]; ", out);
}

static void
print_user(const struct jumpd_config *config, uint32_t i, FILE *out)
{
	const struct auth_user *user = &config->settings.auth.user[i];
	char text[AUTH_PRINCIPAL_MAX + 1];

	fprintf(out, "%s\n\t{ name = \"%.*s\"; ", i == 0 ? "" : ",",
	    user->name_len, user->name);
	print_methods(user->methods, out);
	fputs("principals = [", out);
	for (uint8_t p = 0; p < user->n_principals; p++) {
		fputs(p == 0 ? " " : ", ", out);
		memcpy(text, user->principal[p], user->principal_len[p]);
		text[user->principal_len[p]] = '\0';
		cfgfile_print_string(text, out);
	}
	fputs(" ];\n\t  ", out);
	print_patterns("authorized_keys", &config->authorized[i], out);
	fputs(" }", out);
}

static void
print_users(const struct jumpd_config *config, FILE *out)
{
	fputs("users = (", out);
	for (uint32_t i = 0; i < config->settings.auth.n_users; i++)
		print_user(config, i, out);
	fputs("\n);\n", out);
	fputs("authorized_keys_command = [", out);
	for (uint32_t i = 0; i < config->n_command; i++) {
		fputs(i == 0 ? " " : ", ", out);
		cfgfile_print_string(config->command[i], out);
	}
	fputs(" ];\n", out);
	print_setting("authorized_keys_command_user", config->command_user,
	    out);
	print_patterns("trusted_user_ca_keys", &config->trusted_ca, out);
	fputc('\n', out);
	print_patterns("revoked_keys", &config->revoked, out);
	fputc('\n', out);
}

static void
print_rule(const struct egress_rule *rule, bool first, FILE *out)
{
	char text[PREFIX_TEXT_MAX];

	fprintf(out, "%s\n\t{ prefix = \"%s\"; ", first ? "" : ",",
	    prefix_format(&rule->prefix, text));
	if (rule->n_ports > 0)
		fputs("ports = [", out);
	for (uint8_t i = 0; i < rule->n_ports; i++) {
		fprintf(out, "%s\"%u", i == 0 ? " " : ", ",
		    rule->ports[i].first);
		if (rule->ports[i].last != rule->ports[i].first)
			fprintf(out, "-%u", rule->ports[i].last);
		fputc('"', out);
	}
	fputs(rule->n_ports > 0 ? " ]; }" : "}", out);
}

static void
print_rules(const char *name, const struct egress_rule *rules, uint16_t n,
    FILE *out)
{
	fprintf(out, "%s = (", name);
	for (uint16_t i = 0; i < n; i++)
		print_rule(&rules[i], i == 0, out);
	fputs(n == 0 ? " );\n" : "\n);\n", out);
}

static void
print_exempt(const struct source_limits *limits, FILE *out)
{
	char text[PREFIX_TEXT_MAX];

	fputs("exempt_sources = [", out);
	for (uint32_t i = 0; i < limits->n_exempt; i++)
		fprintf(out, "%s\"%s\"", i == 0 ? " " : ", ",
		    prefix_format(&limits->exempt[i], text));
	fputs(" ];\n", out);
}

static void
print_targets(const struct jumpd_config *config, FILE *out)
{
	const struct jumpd_settings *settings = &config->settings;
	const struct egress_policy *egress = &settings->egress;
	char text[ENDPOINT_TEXT_MAX], prefix[PREFIX_TEXT_MAX] = "";

	print_rules("allow", egress->allow, egress->n_allow, out);
	print_rules("deny", egress->deny, egress->n_deny, out);
	cfgfile_print_prefixes("nat64_prefixes", egress->nat64,
	    egress->n_nat64, out);
	if (settings->has_embed_prefix)
		prefix_format(&settings->embed_prefix, prefix);
	print_setting("embed_prefix", prefix, out);
	cfgfile_print_addresses("source", settings->source_address,
	    settings->n_sources, out);
	print_exempt(&settings->source, out);
	print_flag("dns", settings->dns, out);
	fputs("resolvers = [", out);
	for (uint32_t i = 0; !config->system_resolvers &&
	    i < settings->n_resolvers; i++)
		fprintf(out, "%s\"%s\"", i == 0 ? " " : ", ",
		    endpoint_format(&settings->resolver[i], text));
	fputs(" ];\n", out);
}

static void
print_banner(const struct jumpd_settings *settings, FILE *out)
{
	char text[JUMPD_BANNER_MAX + 1];

	memcpy(text, settings->banner, settings->banner_len);
	text[settings->banner_len] = '\0';
	print_setting("banner", text, out);
}

void
jumpd_config_print(const struct jumpd_config *config, FILE *out)
{
	daemon_config_print(&config->process, out);
	print_flag("log_connections", config->settings.log_connections, out);
	print_flag("reload_kills_denied",
	    config->settings.reload_kills_denied, out);
	print_banner(&config->settings, out);
	print_listeners(config, out);
	print_host_keys(config, out);
	print_users(config, out);
	mapping_config_print(&config->mapping, "", out);
	print_targets(config, out);
	cfgfile_print_numbers(jumpd_numbers, &config->settings, out);
}
