/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jumpd/jumpd_numbers.h"
#include "tests/lib/addresses.h"
#include "tests/lib/jumpd_config_case.h"
#include "tests/lib/scratch_folder.h"

TestSuite(jumpd_config, .init = scratch_enter, .fini = scratch_leave);

static const char *	/* valid until the next call */
printed(const struct jumpd_config *config)
{
	static char text[CONFIG_TEXT_MAX];
	FILE *out = fmemopen(text, sizeof(text), "w");

	cr_assert_not_null(out);
	jumpd_config_print(config, out);
	cr_assert_eq(fclose(out), 0);
	return text;
}

static void
expect_endpoint(const struct endpoint *at, const char *wanted)
{
	char text[ENDPOINT_TEXT_MAX];

	cr_expect_str_eq(endpoint_format(at, text), wanted);
}

/* --- what is read --------------------------------------------------------- */

static const char everything[] =
    "user = \"www\"; group = \"web\"; log = \"/var/log/j\";\n"
    "log_connections = false; reload_kills_denied = true;\n"
    "listeners = (\n"
    "  { address = \"192.0.2.10\"; port = 2222; backlog = 9; },\n"
    "  { address = \"::\"; },\n"
    "  { address = \"2001:db8:1::1\"; port = 65535; }\n"
    ");\n"
    "host_keys = { ed25519 = \"/k/ed\"; ecdsa = \"\"; rsa = \"rsa\"; };\n"
    "banner = \"one\\ntwo \\\"q\\\"\\n\";\n"
    "authentication = [ \"keys\" ];\n"
    "authorized_keys = [ \"all.keys\", \"/k/%u/*\" ];\n"
    "users = (\n"
    "  { name = \"ann\"; authentication = [ \"certificates\", \"keys\" ];\n"
    "    principals = [ \"x y\", \"\\\"\" ];\n"
    "    authorized_keys = [ \"100%%.%u\" ]; },\n"
    "  { name = \"b.o_b-1+@\"; }\n"
    ");\n"
    "authorized_keys_command = [ \"/usr/bin/keys\", \"-u\", \"%u\" ];\n"
    "authorized_keys_command_user = \"keyer\";\n"
    "trusted_user_ca_keys = [ \"ca.pub\" ];\n"
    "revoked_keys = [ \"krl\" ];\n"
    "allow = (\n"
    "  { prefix = \"2001:db8::/32\"; },\n"
    "  { prefix = \"2001:db9::1\"; ports = [ \"22\", \"2200-2299\" ]; }\n"
    ");\n"
    "deny = ( { prefix = \"2001:db8:5::/48\"; },\n"
    "  { prefix = \"2001:db8:6::/48\"; ports = [ \"65535\" ]; } );\n"
    "nat64_prefixes = [ \"2001:db8:64::/96\" ];\n"
    "embed_prefix = \"2001:db8:e::/96\";\n"
    "mapping_files = [ \"a*.map\" ]; mapping = [ \"a.test ::1\" ];\n"
    "dns = false;\n"
    "resolvers = [ \"2001:db8::53\", \"192.0.2.53:5353\",\n"
    "  \"[2001:db8::54]:54\", \"192.0.2.54\" ];\n"
    "source = [ \"2001:db8:1::2\" ];\n"
    "exempt_sources = [ \"10.0.0.0/8\", \"2001:db8:f::/48\" ];\n"
    "timeouts = { login = 0.1; session = 604800; };\n"
    "limits = { half_open = 1; addresses = 16; };\n"
    "penalties = { max = 0; }; keepalive = { client = 1.5; };\n";

static void
expect_users(const struct jumpd_config *config)
{
	const struct auth_policy *auth = &config->settings.auth;
	struct key_file_rule *rules;
	char path[128];
	size_t n;

	cr_assert_eq(auth->n_users, 2);
	cr_expect_eq(auth->user[0].methods, AUTH_KEYS | AUTH_CERTS);
	cr_expect_eq(auth->user[0].name_len, 3);
	cr_expect_eq(auth->user[0].n_principals, 2);
	cr_expect_eq(memcmp(auth->user[0].principal[0], "x y", 3), 0);
	cr_expect_eq(auth->user[1].methods, AUTH_KEYS);
	cr_expect_eq(auth->user[1].name_len, 9);
	cr_expect(auth->user[0].command && auth->user[1].command);
	cr_expect_eq(auth->user[1].n_principals, 0);
	n = jumpd_config_key_rules(config, &rules);
	cr_assert_eq(n, 5);
	snprintf(path, sizeof(path), "%s/100%%.ann", scratch_folder);
	cr_expect_str_eq(rules[0].pattern, path);
	cr_expect_eq(rules[0].users, 1);
	snprintf(path, sizeof(path), "%s/all.keys", scratch_folder);
	cr_expect_str_eq(rules[1].pattern, path);
	cr_expect_eq(rules[1].users, 2);
	cr_expect_str_eq(rules[2].pattern, "/k/b.o_b-1+@/*");
	cr_expect_eq(rules[3].kind, KEY_FILE_TRUSTED_CA);
	cr_expect_eq(rules[3].users, ~(uint64_t)0);
	cr_expect_eq(rules[4].kind, KEY_FILE_REVOKED);
	jumpd_config_free_rules(rules, n);
	cr_assert_eq(config->n_command, 3);
	cr_expect_str_eq(config->command[2], "%u");
	cr_expect_str_eq(config->command_user, "keyer");
}

static void
expect_egress(const struct jumpd_settings *settings)
{
	const struct egress_policy *egress = &settings->egress;

	cr_assert_eq(egress->n_allow, 2);
	expect_prefix(&egress->allow[0].prefix, "2001:db8::/32");
	cr_assert_eq(egress->allow[0].n_ports, 1);
	cr_expect_eq(egress->allow[0].ports[0].first, 22);
	cr_expect_eq(egress->allow[0].ports[0].last, 22);
	expect_prefix(&egress->allow[1].prefix, "2001:db9::1/128");
	cr_assert_eq(egress->allow[1].n_ports, 2);
	cr_expect_eq(egress->allow[1].ports[1].first, 2200);
	cr_expect_eq(egress->allow[1].ports[1].last, 2299);
	cr_assert_eq(egress->n_deny, 2);
	cr_expect_eq(egress->deny[0].n_ports, 0);
	cr_expect_eq(egress->deny[1].ports[0].last, 65535);
	cr_assert_eq(egress->n_nat64, 1);
	expect_prefix(&egress->nat64[0], "2001:db8:64::/96");
	cr_assert(settings->has_embed_prefix && egress->n_embed == 1);
	expect_prefix(&egress->embed[0], "2001:db8:e::/96");
	/* Not ::, whose addresses are not known yet. */
	cr_assert_eq(egress->n_own, 2);
	expect_endpoint(&egress->own[0], "192.0.2.10:2222");
	expect_endpoint(&egress->own[1], "[2001:db8:1::1]:65535");
}

static void
expect_process(const struct jumpd_config *config)
{
	char path[64];

	cr_expect_str_eq(config->process.user, "www");
	cr_expect_str_eq(config->process.group, "web");
	cr_expect_str_eq(config->process.log, "/var/log/j");
	cr_expect_not(config->settings.log_connections);
	cr_expect(config->settings.reload_kills_denied);
	cr_assert_eq(config->n_listeners, 3);
	cr_expect_str_eq(config->listener[0].text, "192.0.2.10:2222");
	cr_expect_eq(config->listener[0].backlog, 9);
	cr_expect_str_eq(config->listener[1].text, "[::]:22");
	cr_expect_eq(config->listener[1].backlog, 1024);
	cr_expect_str_eq(config->listener[1].place, "j.conf:5");
	cr_expect_str_eq(config->host_key[HOST_KEY_ED25519], "/k/ed");
	cr_expect_str_eq(config->host_key[HOST_KEY_ECDSA], "");
	snprintf(path, sizeof(path), "%s/rsa", scratch_folder);
	cr_expect_str_eq(config->host_key[HOST_KEY_RSA], path);
	cr_expect_str_eq(config->host_key_place[HOST_KEY_RSA], "j.conf:8");
	cr_expect_eq(config->mapping.n_files, 1);
	cr_expect_eq(config->mapping.n_lines, 1);
}

Test(jumpd_config, reads_every_setting)
{
	struct jumpd_config *config = config_load_good(everything);
	const struct jumpd_settings *settings = &config->settings;

	expect_process(config);
	expect_users(config);
	expect_egress(settings);
	cr_expect_eq(settings->banner_len, 12);
	cr_expect_eq(memcmp(settings->banner, "one\ntwo \"q\"\n", 12), 0);
	cr_expect_not(settings->dns);
	cr_expect_not(config->system_resolvers);
	cr_assert_eq(settings->n_resolvers, 4);
	expect_endpoint(&settings->resolver[0], "[2001:db8::53]:53");
	expect_endpoint(&settings->resolver[1], "192.0.2.53:5353");
	expect_endpoint(&settings->resolver[2], "[2001:db8::54]:54");
	expect_endpoint(&settings->resolver[3], "192.0.2.54:53");
	cr_assert_eq(settings->n_sources, 1);
	expect_addr(&settings->source_address[0], "2001:db8:1::2");
	cr_assert_eq(settings->source.n_exempt, 2);
	expect_prefix(&settings->source.exempt[0], "10.0.0.0/8");
	cr_expect_eq(settings->login_ms, 100);
	cr_expect_eq(settings->session_ms, 604800000);
	cr_expect_eq(settings->source.half_open, 1);
	cr_expect_eq(settings->broker.addresses, 16);
	cr_expect_eq(settings->source.penalty_max_ms, 0);
	cr_expect_eq(settings->client_alive_ms, 1500);
	jumpd_config_free(config);
}

Test(jumpd_config, has_defaults_and_no_way_in_nor_out_among_them)
{
	struct jumpd_config *config = config_load_good(LISTENERS LOGIN);
	const struct jumpd_settings *settings = &config->settings;

	cr_expect_str_eq(config->process.user, "popgate");
	cr_expect_str_eq(config->process.log, "stderr");
	cr_expect_eq(config->listener[0].at.port, 22);
	cr_expect_str_eq(config->host_key[HOST_KEY_RSA], "");
	cr_expect(strstr(config->host_key[HOST_KEY_ED25519],
	    "/popgate/ssh_host_ed25519_key") != NULL);
	cr_assert_eq(settings->auth.n_users, 1);
	cr_expect_eq(memcmp(settings->auth.user[0].name, "jump", 4), 0);
	cr_expect_eq(settings->auth.user[0].methods, AUTH_NONE);
	cr_expect_eq(settings->egress.n_allow, 0);
	cr_expect_eq(settings->egress.n_deny, 0);
	cr_expect_not(settings->has_embed_prefix);
	cr_expect(settings->dns && config->system_resolvers);
	cr_expect(settings->log_connections);
	cr_expect_not(settings->reload_kills_denied);
	cr_expect_not(settings->command);
	cr_expect_eq(settings->banner_len, 0);
	jumpd_config_free(config);
}

Test(jumpd_config, prints_what_it_reads_again)
{
	static const char *const texts[] = { LISTENERS LOGIN, everything };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct jumpd_config *first = config_load_good(texts[i]);
		char *print = strdup(printed(first));
		struct jumpd_config *second = config_load_good(print);

		cr_expect_str_eq(printed(second), print);
		cr_expect_eq(memcmp(&first->settings, &second->settings,
		    sizeof(first->settings)), 0, "%s", print);
		free(print);
		jumpd_config_free(first);
		jumpd_config_free(second);
	}
}

/* --- numbers -------------------------------------------------------------- */

/* What the file has for this number: in milliseconds, seconds or octets. */
static uint32_t
value_of(const struct jumpd_config *config, const struct cfgfile_number *n)
{
	uint32_t value;

	memcpy(&value, (const char *)&config->settings + n->offset,
	    sizeof(value));
	return value;
}

/* "2.500" of 2500 ms, "7" of 7; what is one less or more than that. */
static void
write_number(const struct cfgfile_number *n, int64_t value, char text[32])
{
	if (n->kind == CFGFILE_DURATION)
		snprintf(text, 32, "%s%lld.%03lld", value < 0 ? "-" : "",
		    llabs(value) / 1000, llabs(value) % 1000);
	else
		snprintf(text, 32, "%lldL", (long long)value);
}

static void
set_number(const struct cfgfile_number *n, const char *value, char text[512])
{
	snprintf(text, 512, LISTENERS LOGIN "%s = {\n%s = %s; };", n->group,
	    n->name, value);
}

static void
expect_number(const struct cfgfile_number *n, uint32_t value)
{
	struct jumpd_config *config;
	char text[512], number[32];

	write_number(n, value, number);
	set_number(n, number, text);
	config = config_load_good(text);
	cr_expect_eq(value_of(config, n),
	    n->kind == CFGFILE_SECONDS ? value * 1000 : value, "%s.%s = %s",
	    n->group, n->name, number);
	jumpd_config_free(config);
}

static void
expect_no_number(const struct cfgfile_number *n, const char *value,
    const char *problem)
{
	char text[512], wanted[256];
	size_t len;

	set_number(n, value, text);
	cr_expect_null(config_load(text), "%s", text);
	len = (size_t)snprintf(wanted, sizeof(wanted), "j.conf:4: %s.%s: %s",
	    n->group, n->name, problem);
	cr_expect_eq(strncmp(config_reports, wanted, len), 0,
	    "%s\nsaid:\n%swanted:\n%s", text, config_reports, wanted);
}

Test(jumpd_config, keeps_every_number_within_its_bounds)
{
	struct jumpd_config *defaults = config_load_good(LISTENERS LOGIN);
	const struct cfgfile_number *n;
	char number[32];

	for (n = jumpd_numbers; n->group != NULL; n++) {
		cr_expect_eq(value_of(defaults, n), n->kind ==
		    CFGFILE_SECONDS ? n->value * 1000 : n->value, "%s.%s",
		    n->group, n->name);
		expect_number(n, n->min);
		expect_number(n, n->max);
		write_number(n, (int64_t)n->min - 1, number);
		expect_no_number(n, number, "must be ");
		write_number(n, (int64_t)n->max + 1, number);
		expect_no_number(n, number, "must be ");
		expect_no_number(n, "true", n->kind == CFGFILE_DURATION ?
		    "must be a number of seconds" : "must be an integer");
	}
	jumpd_config_free(defaults);
}

Test(jumpd_config, warns_of_open_doors)
{
	struct jumpd_config *config = config_load_good(LISTENERS LOGIN);

	config_reports[0] = '\0';
	jumpd_config_warn(config, reports_collect, config_reports);
	cr_expect_str_eq(config_reports,
	    "j.conf: warning: allow: it is empty: no target can be reached\n"
	    "j.conf: warning: limits.connections: there is none, and anyone "
	    "may log in (authentication \"none\")\n"
	    "j.conf: warning: limits.per_source: there is none, and anyone "
	    "may log in (authentication \"none\")\n"
	    "j.conf: warning: limits.rate_per_source: there is none, and "
	    "anyone may log in (authentication \"none\")\n");
	jumpd_config_free(config);
	config = config_load_good(everything);
	config_reports[0] = '\0';
	jumpd_config_warn(config, reports_collect, config_reports);
	cr_expect_str_eq(config_reports, "");
	jumpd_config_free(config);
}

Test(jumpd_config, knows_its_own_addresses)
{
	struct jumpd_config *config = config_load_good(everything);
	const struct egress_policy *egress = &config->settings.egress;
	static struct addr many[EGRESS_OWN_MAX];

	many[0] = egress->own[1].addr;
	config_reports[0] = '\0';
	cr_assert(jumpd_config_add_own_addresses(config, many, 1,
	    reports_collect, config_reports));
	cr_assert_eq(egress->n_own, 3);
	expect_endpoint(&egress->own[2], "[2001:db8:1::1]:22");
	for (size_t i = 1; i < EGRESS_OWN_MAX; i++)
		many[i] = many[0];
	cr_expect_not(jumpd_config_add_own_addresses(config, many,
	    EGRESS_OWN_MAX, reports_collect, config_reports));
	cr_expect(strstr(config_reports, "j.conf:5: listeners: more than ") ==
	    config_reports, "%s", config_reports);
	jumpd_config_free(config);
}
