/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "jumpd/jumpd_config.h"
#include "jumpd/jumpd_numbers.h"

enum { TEXT_MAX = 65536 };

/* The mandatory settings, lines 1 and 2 of most files here. */
#define LISTENERS "listeners = ( { address = \"192.0.2.1\"; } );\n"
#define LOGIN "authentication = [ \"none\" ];\n"

static char folder[] = "/tmp/jumpd_config_test.XXXXXX";

static void
enter_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
}

static void
leave_folder(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	cr_assert_eq(chdir("/"), 0);
	cr_assert_eq(system(command), 0);
}

TestSuite(jumpd_config, .init = enter_folder, .fini = leave_folder);

static void
collect(const char *message, void *arg)
{
	char *reports = arg;
	size_t len = strlen(reports);

	snprintf(reports + len, TEXT_MAX - len, "%s\n", message);
}

/* What was reported by the last load. */
static char reports[TEXT_MAX];

static struct jumpd_config *	/* owned by the caller, or NULL */
load(const char *text)
{
	FILE *file = fopen("j.conf", "w");
	struct jumpd_config *config;

	cr_assert_not_null(file);
	cr_assert_neq(fputs(text, file), EOF);
	cr_assert_eq(fclose(file), 0);
	reports[0] = '\0';
	config = jumpd_config_load("j.conf", collect, reports);
	cr_assert_eq(config != NULL, reports[0] == '\0',
	    "%s\nis %sloaded with reports:\n%s", text,
	    config == NULL ? "not " : "", reports);
	return config;
}

static struct jumpd_config *
load_good(const char *text)
{
	struct jumpd_config *config = load(text);

	cr_assert_not_null(config, "%s\nsaid:\n%s", text, reports);
	return config;
}

static const char *	/* valid until the next call */
printed(const struct jumpd_config *config)
{
	static char text[TEXT_MAX];
	FILE *out = fmemopen(text, sizeof(text), "w");

	cr_assert_not_null(out);
	jumpd_config_print(config, out);
	cr_assert_eq(fclose(out), 0);
	return text;
}

static void
expect_prefix(const struct prefix *prefix, const char *wanted)
{
	char text[PREFIX_TEXT_MAX];

	cr_expect_str_eq(prefix_format(prefix, text), wanted);
}

static void
expect_endpoint(const struct endpoint *at, const char *wanted)
{
	char text[ENDPOINT_TEXT_MAX];

	cr_expect_str_eq(endpoint_format(at, text), wanted);
}

static void
expect_addr(const struct addr *addr, const char *wanted)
{
	char text[ADDR_TEXT_MAX];

	cr_expect_str_eq(addr_format(addr, text), wanted);
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
	snprintf(path, sizeof(path), "%s/100%%.ann", folder);
	cr_expect_str_eq(rules[0].pattern, path);
	cr_expect_eq(rules[0].users, 1);
	snprintf(path, sizeof(path), "%s/all.keys", folder);
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
	snprintf(path, sizeof(path), "%s/rsa", folder);
	cr_expect_str_eq(config->host_key[HOST_KEY_RSA], path);
	cr_expect_str_eq(config->host_key_place[HOST_KEY_RSA], "j.conf:8");
	cr_expect_eq(config->mapping.n_files, 1);
	cr_expect_eq(config->mapping.n_lines, 1);
}

Test(jumpd_config, reads_every_setting)
{
	struct jumpd_config *config = load_good(everything);
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
	struct jumpd_config *config = load_good(LISTENERS LOGIN);
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
		struct jumpd_config *first = load_good(texts[i]);
		char *print = strdup(printed(first));
		struct jumpd_config *second = load_good(print);

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
	config = load_good(text);
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
	cr_expect_null(load(text), "%s", text);
	len = (size_t)snprintf(wanted, sizeof(wanted), "j.conf:4: %s.%s: %s",
	    n->group, n->name, problem);
	cr_expect_eq(strncmp(reports, wanted, len), 0,
	    "%s\nsaid:\n%swanted:\n%s", text, reports, wanted);
}

Test(jumpd_config, keeps_every_number_within_its_bounds)
{
	struct jumpd_config *defaults = load_good(LISTENERS LOGIN);
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

/* --- what is wrong -------------------------------------------------------- */

struct wrong {
	const char	*text;
	const char	*reports;
};

static void
check_all(const struct wrong *wrong, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cr_expect_null(load(wrong[i].text), "%s", wrong[i].text);
		cr_expect_str_eq(reports, wrong[i].reports,
		    "%s\nsaid:\n%swanted:\n%s", wrong[i].text, reports,
		    wrong[i].reports);
	}
}

#define CHECK_ALL(cases) check_all(cases, sizeof(cases) / sizeof((cases)[0]))

Test(jumpd_config, says_what_is_wrong_with_the_process)
{
	static const struct wrong cases[] = {
		{ "", "j.conf: listeners: is mandatory\n"
		    "j.conf: authentication: is mandatory\n" },
		{ LISTENERS LOGIN "user = 5;",
		    "j.conf:3: user: must be a string\n" },
		{ LISTENERS LOGIN "user = \"\";",
		    "j.conf:3: user: must not be empty\n" },
		{ LISTENERS LOGIN "group = 0;",
		    "j.conf:3: group: must be a string\n" },
		{ LISTENERS LOGIN "log = \"a.log\";",
		    "j.conf:3: log: must be \"stderr\" or an absolute path, "
		    "not \"a.log\"\n" },
		{ LISTENERS LOGIN "log_connections = 1;",
		    "j.conf:3: log_connections: must be true or false\n" },
		{ LISTENERS LOGIN "reload_kills_denied = \"yes\";",
		    "j.conf:3: reload_kills_denied: must be true or "
		    "false\n" },
		{ LISTENERS LOGIN "timeouts = 5;",
		    "j.conf:3: timeouts: must be a group: { ... }\n" },
		{ LISTENERS LOGIN "limits = [ 5 ];",
		    "j.conf:3: limits: must be a group: { ... }\n" },
		{ LISTENERS LOGIN "penalties = ( );",
		    "j.conf:3: penalties: must be a group: { ... }\n" },
		{ LISTENERS LOGIN "keepalive = \"\";",
		    "j.conf:3: keepalive: must be a group: { ... }\n" },
		{ LISTENERS LOGIN "limits = { per_sourse = 5; };",
		    "j.conf:3: limits.per_sourse: unknown setting; did you "
		    "mean \"per_source\"?\n" },
		{ LISTENERS LOGIN "banner = [ ];",
		    "j.conf:3: banner: must be a string\n" },
		{ LISTENERS LOGIN "host_keys = \"x\";",
		    "j.conf:3: host_keys: must be a group: { ... }\n" },
		{ LISTENERS LOGIN "host_keys = { rsa = 5; dh = \"\"; };",
		    "j.conf:3: host_keys.rsa: must be a string\n"
		    "j.conf:3: host_keys.dh: unknown setting\n" },
		{ LISTENERS LOGIN "host_keys = {\ned25519 = \"\";\n"
		    "ecdsa = \"\"; };",
		    "j.conf:3: host_keys: there must be at least one\n" },
	};

	CHECK_ALL(cases);
}

Test(jumpd_config, bounds_the_banner)
{
	static char text[JUMPD_BANNER_MAX + 256], line[JUMPD_BANNER_MAX + 2];
	struct jumpd_config *config;

	memset(line, 'x', sizeof(line) - 1);
	snprintf(text, sizeof(text), LISTENERS LOGIN "banner = \"%.*s\";",
	    JUMPD_BANNER_MAX, line);
	config = load_good(text);
	cr_expect_eq(config->settings.banner_len, JUMPD_BANNER_MAX);
	jumpd_config_free(config);
	snprintf(text, sizeof(text), LISTENERS LOGIN "banner = \"%s\";",
	    line);
	cr_expect_null(load(text));
	cr_expect_str_eq(reports, "j.conf:3: banner: must be at most 4096 "
	    "octets, not 4097\n");
}

#define SECOND(settings) "listeners = ( { address = \"192.0.2.1\"; }, {\n" \
	settings "} );\n" LOGIN

Test(jumpd_config, says_what_is_wrong_with_listeners)
{
	static const struct wrong cases[] = {
		{ LOGIN "listeners = \"192.0.2.1\";",
		    "j.conf:2: listeners: must be a list of groups: "
		    "( { ... }, ... )\n" },
		{ LOGIN "listeners = ( );",
		    "j.conf:2: listeners: must have 1-64 elements, not 0\n" },
		{ SECOND(""),
		    "j.conf:1: listeners[1].address: is mandatory\n" },
		{ SECOND("address = 5; port = \"22\"; backlog = 0;"),
		    "j.conf:2: listeners[1].address: must be a string\n"
		    "j.conf:2: listeners[1].port: must be an integer\n"
		    "j.conf:2: listeners[1].backlog: must be 1-65535, not "
		    "0\n" },
		{ SECOND("address = \"::1\"; port = 0; backlog = 65536;"),
		    "j.conf:2: listeners[1].port: must be 1-65535, not 0\n"
		    "j.conf:2: listeners[1].backlog: must be 1-65535, not "
		    "65536\n" },
		{ SECOND("address = \"gate\";"),
		    "j.conf:2: listeners[1].address: \"gate\" is not an IPv4 "
		    "or IPv6 address\n" },
		{ SECOND("address = \"fe80::1\";"),
		    "j.conf:2: listeners[1].address: \"fe80::1\" is a "
		    "link-local address\n" },
		{ SECOND("address = \"192.0.2.1\";"),
		    "j.conf:2: listeners[1].address: 192.0.2.1:22 is "
		    "listeners[0] already\n" },
		{ SECOND("address = \"0.0.0.0\";"),
		    "j.conf:2: listeners[1].address: 0.0.0.0:22 overlaps "
		    "listeners[0], 192.0.2.1:22\n" },
		{ SECOND("address = \"::1\"; protocol = \"tls\";"),
		    "j.conf:2: listeners[1].protocol: unknown setting\n" },
	};

	CHECK_ALL(cases);
}

Test(jumpd_config, says_what_is_wrong_with_logins)
{
	static const struct wrong cases[] = {
		{ LISTENERS "authentication = \"none\";",
		    "j.conf:2: authentication: must be a list of strings: "
		    "[ \"...\", ... ]\n" },
		{ LISTENERS "authentication = [ ];",
		    "j.conf:2: authentication: must have 1-3 elements, not "
		    "0\n" },
		{ LISTENERS "authentication = [ \"none\",\n\"password\" ];",
		    "j.conf:3: authentication[1]: must be \"none\", "
		    "\"keys\" or \"certificates\", not \"password\"\n" },
		{ LISTENERS "authentication = [ \"keys\" ];",
		    "j.conf:2: authentication: \"keys\" needs "
		    "authorized_keys or authorized_keys_command\n" },
		{ LISTENERS "authentication = [ \"certificates\" ];",
		    "j.conf:2: authentication: \"certificates\" needs "
		    "trusted_user_ca_keys\n" },
		{ LISTENERS LOGIN "authorized_keys = \"x\";",
		    "j.conf:3: authorized_keys: must be a list of strings: "
		    "[ \"...\", ... ]\n" },
		{ LISTENERS LOGIN "authorized_keys = [ \"x\",\n\"\" ];",
		    "j.conf:4: authorized_keys[1]: must not be empty\n" },
		{ LISTENERS LOGIN "trusted_user_ca_keys = [ 5 ];",
		    "j.conf:3: trusted_user_ca_keys[0]: must be a "
		    "string\n" },
		{ LISTENERS LOGIN "revoked_keys = { };",
		    "j.conf:3: revoked_keys: must be a list of strings: "
		    "[ \"...\", ... ]\n" },
		{ LISTENERS LOGIN "authorized_keys_command = \"/k\";\n"
		    "authorized_keys_command_user = 5;",
		    "j.conf:3: authorized_keys_command: must be a list of "
		    "strings: [ \"...\", ... ]\n"
		    "j.conf:4: authorized_keys_command_user: must be a "
		    "string\n" },
		{ LISTENERS LOGIN "authorized_keys_command = [ \"/k\" ];",
		    "j.conf: authorized_keys_command_user: is mandatory\n" },
	};

	CHECK_ALL(cases);
}

#define USERS(settings) LISTENERS LOGIN "users = ( { name = \"a\"; }, {\n" \
	settings " } );"

Test(jumpd_config, says_what_is_wrong_with_users)
{
	static const struct wrong cases[] = {
		{ LISTENERS LOGIN "users = ( 5 );",
		    "j.conf:3: users[0]: must be a group: { ... }\n" },
		{ LISTENERS "users = ( { name = \"a\"; } );",
		    "j.conf:2: users[0].authentication: is mandatory\n" },
		{ USERS(""), "j.conf:3: users[1].name: is mandatory\n" },
		{ USERS("name = 5;"),
		    "j.conf:4: users[1].name: must be a string\n" },
		{ USERS("name = \"a\";"),
		    "j.conf:4: users[1].name: \"a\" is users[0] already\n" },
		{ USERS("name = \"../b\";"),
		    "j.conf:4: users[1].name: \"../b\" must be 1-64 "
		    "letters, digits and ._-+@, and begin with a letter or "
		    "digit\n" },
		{ USERS("name = \".b\"; }, { name = \"-b\";"),
		    "j.conf:4: users[1].name: \".b\" must be 1-64 letters, "
		    "digits and ._-+@, and begin with a letter or digit\n"
		    "j.conf:4: users[2].name: \"-b\" must be 1-64 letters, "
		    "digits and ._-+@, and begin with a letter or digit\n" },
		{ USERS("name = \"b\"; authentication = [ \"keys\" ];"),
		    "j.conf:4: users[1].authentication: \"keys\" needs "
		    "authorized_keys or authorized_keys_command\n" },
		{ USERS("name = \"b\"; authorized_keys = [ \"\" ];"),
		    "j.conf:4: users[1].authorized_keys[0]: must not be "
		    "empty\n" },
		{ USERS("name = \"b\"; principals = [ \"x\", \"\" ];"),
		    "j.conf:4: users[1].principals[1]: must be 1-64 "
		    "octets\n" },
		{ USERS("name = \"b\"; principal = [ ];"),
		    "j.conf:4: users[1].principal: unknown setting; did you "
		    "mean \"principals\"?\n" },
	};

	CHECK_ALL(cases);
}

Test(jumpd_config, says_what_is_wrong_with_targets)
{
	static const struct wrong cases[] = {
		{ LISTENERS LOGIN "allow = \"2001:db8::/32\"; deny = [ 5 ];",
		    "j.conf:3: allow: must be a list of groups: "
		    "( { ... }, ... )\n"
		    "j.conf:3: deny[0]: must be a group: { ... }\n" },
		{ LISTENERS LOGIN "allow = ( {\nports = [ \"0\", \"1-\",\n"
		    "\"9-8\", \"65536\", \"x\", \"22 \" ]; } );",
		    "j.conf:3: allow[0].prefix: is mandatory\n"
		    "j.conf:4: allow[0].ports[0]: \"0\" is neither a port "
		    "nor a range like \"2200-2299\"\n"
		    "j.conf:4: allow[0].ports[1]: \"1-\" is neither a port "
		    "nor a range like \"2200-2299\"\n"
		    "j.conf:5: allow[0].ports[2]: \"9-8\" is neither a port "
		    "nor a range like \"2200-2299\"\n"
		    "j.conf:5: allow[0].ports[3]: \"65536\" is neither a "
		    "port nor a range like \"2200-2299\"\n"
		    "j.conf:5: allow[0].ports[4]: \"x\" is neither a port "
		    "nor a range like \"2200-2299\"\n"
		    "j.conf:5: allow[0].ports[5]: \"22 \" is neither a port "
		    "nor a range like \"2200-2299\"\n" },
		{ LISTENERS LOGIN "allow = ( { prefix = \"10.0.0.0/8\"; },\n"
		    "{ prefix = \"ff00::/8\"; } );",
		    "j.conf:3: allow[0].prefix: \"10.0.0.0/8\" is not an "
		    "IPv6 prefix\n"
		    "j.conf:4: allow[1].prefix: ff00::/8 can never be "
		    "reached: the address is in a special-purpose range\n" },
		{ LISTENERS LOGIN "nat64_prefixes = [ \"2001:db8:64::/96\" "
		    "];\nallow = ( { prefix = \"2001:db8:64::/100\"; } );",
		    "j.conf:4: allow[0].prefix: 2001:db8:64::/100 can never "
		    "be reached: the address is in a NAT64 prefix: it stands "
		    "for IPv4\n" },
		{ LISTENERS LOGIN "deny = ( { prefix = \"::/129\"; } );",
		    "j.conf:3: deny[0].prefix: \"::/129\" has a length "
		    "beyond its address's bits\n" },
		{ LISTENERS LOGIN "nat64_prefixes = [ \"64:ff9b::/95\" ];",
		    "j.conf:3: nat64_prefixes[0]: the length must be 32, 40, "
		    "48, 56, 64 or 96, not 95\n" },
		{ LISTENERS LOGIN "embed_prefix = \"2001:db8::/64\";",
		    "j.conf:3: embed_prefix: the length must be 96, not "
		    "64\n" },
		{ LISTENERS LOGIN "source = [ \"192.0.2.1\", \"ff02::1\" ];",
		    "j.conf:3: source[0]: \"192.0.2.1\" is not an IPv6 "
		    "address\n"
		    "j.conf:3: source[1]: \"ff02::1\" cannot be the source "
		    "of a connection\n" },
		{ LISTENERS LOGIN "exempt_sources = [ \"10.0.0.1/8\" ];",
		    "j.conf:3: exempt_sources[0]: \"10.0.0.1/8\" has bits "
		    "set beyond its length; did you mean 10.0.0.0/8?\n" },
		{ LISTENERS LOGIN "dns = 0;",
		    "j.conf:3: dns: must be true or false\n" },
		{ LISTENERS LOGIN "resolvers = [ \"localhost\",\n"
		    "\"2001:db8::53:\", \"[::1]\", \"[192.0.2.1]:53\" ];",
		    "j.conf:3: resolvers[0]: \"localhost\" is neither an "
		    "address nor one with a port\n"
		    "j.conf:4: resolvers[1]: \"2001:db8::53:\" is neither an "
		    "address nor one with a port\n"
		    "j.conf:4: resolvers[2]: \"[::1]\" is neither an "
		    "address nor one with a port\n"
		    "j.conf:4: resolvers[3]: \"[192.0.2.1]:53\" is neither "
		    "an address nor one with a port\n" },
		{ LISTENERS LOGIN "mapping_files = [ \"\" ];",
		    "j.conf:3: mapping_files[0]: must not be empty\n" },
		{ LISTENERS LOGIN "mapping = 5;",
		    "j.conf:3: mapping: must be a list of strings: "
		    "[ \"...\", ... ]\n" },
	};

	CHECK_ALL(cases);
}

Test(jumpd_config, warns_of_open_doors)
{
	struct jumpd_config *config = load_good(LISTENERS LOGIN);

	reports[0] = '\0';
	jumpd_config_warn(config, collect, reports);
	cr_expect_str_eq(reports,
	    "j.conf: warning: allow: it is empty: no target can be reached\n"
	    "j.conf: warning: limits.connections: there is none, and anyone "
	    "may log in (authentication \"none\")\n"
	    "j.conf: warning: limits.per_source: there is none, and anyone "
	    "may log in (authentication \"none\")\n"
	    "j.conf: warning: limits.rate_per_source: there is none, and "
	    "anyone may log in (authentication \"none\")\n");
	jumpd_config_free(config);
	config = load_good(everything);
	reports[0] = '\0';
	jumpd_config_warn(config, collect, reports);
	cr_expect_str_eq(reports, "");
	jumpd_config_free(config);
}

Test(jumpd_config, knows_its_own_addresses)
{
	struct jumpd_config *config = load_good(everything);
	const struct egress_policy *egress = &config->settings.egress;
	static struct addr many[EGRESS_OWN_MAX];

	many[0] = egress->own[1].addr;
	reports[0] = '\0';
	cr_assert(jumpd_config_add_own_addresses(config, many, 1, collect,
	    reports));
	cr_assert_eq(egress->n_own, 3);
	expect_endpoint(&egress->own[2], "[2001:db8:1::1]:22");
	for (size_t i = 1; i < EGRESS_OWN_MAX; i++)
		many[i] = many[0];
	cr_expect_not(jumpd_config_add_own_addresses(config, many,
	    EGRESS_OWN_MAX, collect, reports));
	cr_expect(strstr(reports, "j.conf:5: listeners: more than ") ==
	    reports, "%s", reports);
	jumpd_config_free(config);
}
