/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxyd/proxyd_config.h"
#include "proxyd/proxyd_numbers.h"
#include "tests/lib/addresses.h"
#include "tests/lib/reports.h"
#include "tests/lib/scratch_folder.h"

enum { TEXT_MAX = 65536 };

/* The mandatory settings, lines 1 and 2 of most files here. */
#define LISTENERS "listeners = ( { address = \"192.0.2.1\"; port = 80; " \
	"protocol = \"http\"; } );\n"
#define ALLOW "allow_targets = [ \"2001:db8::/32\" ];\n"

TestSuite(proxyd_config, .init = scratch_enter, .fini = scratch_leave);

static void
put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	cr_assert_not_null(file);
	cr_assert_neq(fputs(text, file), EOF);
	cr_assert_eq(fclose(file), 0);
}

/* What was reported by the last load. */
static char reports[REPORTS_MAX];

static struct proxyd_config *	/* owned by the caller, or NULL */
load(const char *text)
{
	struct proxyd_config *config;

	put("p.conf", text);
	reports[0] = '\0';
	config = proxyd_config_load("p.conf", reports_collect, reports);
	cr_assert_eq(config != NULL, reports[0] == '\0',
	    "%s\nis %sloaded with reports:\n%s", text,
	    config == NULL ? "not " : "", reports);
	return config;
}

static struct proxyd_config *
load_good(const char *text)
{
	struct proxyd_config *config = load(text);

	cr_assert_not_null(config, "%s\nsaid:\n%s", text, reports);
	return config;
}

static const char *	/* valid until the next call */
printed(const struct proxyd_config *config)
{
	static char text[TEXT_MAX];
	FILE *out = fmemopen(text, sizeof(text), "w");

	cr_assert_not_null(out);
	proxyd_config_print(config, out);
	cr_assert_eq(fclose(out), 0);
	return text;
}

static const char everything[] =
    "user = \"www\"; group = \"web\"; workers = 3;\n"
    "log = \"/var/log/a \\\"b\\\" \\\\c\"; log_connections = false;\n"
    "listeners = (\n"
    "  { address = \"192.0.2.10\"; port = 80; protocol = \"http\"; },\n"
    "  { address = \"::\"; port = 443; protocol = \"tls\"; backlog = 9;\n"
    "    accept_proxy = ( \"10.0.0.0/8\", \"2001:db8:b::1\",\n"
    "      \"::ffff:192.0.2.0/120\", \"::/0\" ); },\n"
    "  { address = \"2001:db8:1::1\"; port = 65535; protocol = \"tls\"; }\n"
    ");\n"
    "mapping_files = [ \"/etc/a*.map\", \"b?.map\" ];\n"
    "mapping = [\n"
    "  \"www.example.com\\t2001:db8::1 # \\\"x\\\" \\x01\",\n"
    "  \"*.example.com 2001:db8::2\"\n"
    "];\n"
    "allow_targets = [ \"2001:db8::/32\", \"::ffff:192.0.2.0/120\",\n"
    "  \"2001:db9::1\", \"::/0\" ];\n"
    "nat64_prefixes = ( \"2001:db8:64::/96\", \"2001:db8:6400::/40\" );\n"
    "embed_prefix = \"2001:db8:e::/96\"; reload_closes_removed = true;\n"
    "source = [ \"2001:db8:1::2\", \"2001:db8:1::3\" ];\n"
    "default_target = \"2001:db8:2::1\";\n"
    "timeouts = { peek = 0.1; connect = 1.5; idle = 86400;\n"
    "  drain = 2.001; shutdown = 30L; removed = 0.1; };\n"
    "limits = { http_head = 1024; client_hello = 131072;\n"
    "  connections = 10000000; per_client = 100; per_name = 5000;\n"
    "  rate_per_client = 20; rate_burst = 30; };\n"
    "keepalive = { idle = 32767; interval = 1; count = 127; };\n";

static void
expect_process(const struct proxyd_config *config)
{
	cr_expect_str_eq(config->process.path, "p.conf");
	cr_expect_str_eq(config->process.user, "www");
	cr_expect_str_eq(config->process.group, "web");
	cr_expect_str_eq(config->process.log, "/var/log/a \"b\" \\c");
	cr_expect_eq(config->workers, 3);
	cr_expect_not(config->settings.log_connections);
	cr_expect(config->settings.reload_closes_removed);
}

static void
expect_listeners(const struct proxyd_config *config)
{
	const struct proxyd_listener *listener = config->listener;

	cr_assert_eq(config->n_listeners, 3);
	cr_expect_str_eq(listener[0].text, "192.0.2.10:80");
	cr_expect_eq(listener[0].at.port, 80);
	expect_addr(&listener[0].at.addr, "192.0.2.10");
	cr_expect_eq(listener[0].service, SERVICE_HTTP);
	cr_expect_eq(listener[0].backlog, 4096);
	cr_expect_str_eq(listener[1].text, "[::]:443");
	cr_expect_eq(listener[1].service, SERVICE_HTTPS);
	cr_expect_eq(listener[1].backlog, 9);
	cr_expect_str_eq(listener[2].text, "[2001:db8:1::1]:65535");
	cr_expect_eq(listener[0].accept_proxy.n, 0);
	cr_assert_eq(listener[1].accept_proxy.n, 4);
	expect_prefix(&listener[1].accept_proxy.prefix[0], "10.0.0.0/8");
	expect_prefix(&listener[1].accept_proxy.prefix[1],
	    "2001:db8:b::1/128");
	expect_prefix(&listener[1].accept_proxy.prefix[2], "192.0.2.0/24");
	expect_prefix(&listener[1].accept_proxy.prefix[3], "::/0");
	cr_expect_eq(listener[2].accept_proxy.n, 0);
}

static void
expect_mapping(const struct proxyd_config *config)
{
	char pattern[128];

	cr_assert_eq(config->mapping.n_files, 2);
	cr_expect_str_eq(config->mapping.file[0], "/etc/a*.map");
	snprintf(pattern, sizeof(pattern), "%s/b?.map", scratch_folder);
	cr_expect_str_eq(config->mapping.file[1], pattern);
	cr_assert_eq(config->mapping.n_lines, 2);
	cr_expect_str_eq(config->mapping.line[0].text,
	    "www.example.com\t2001:db8::1 # \"x\" \x01");
	cr_expect_str_eq(config->mapping.line[0].file, "p.conf");
	cr_expect_eq(config->mapping.line[0].line, 12);
	cr_expect_str_eq(config->mapping.line[1].text,
	    "*.example.com 2001:db8::2");
	cr_expect_eq(config->mapping.line[1].line, 13);
}

static void
expect_targets(const struct proxyd_settings *settings)
{
	const struct target_policy *policy = &settings->targets;
	char text[ENDPOINT_TEXT_MAX];

	cr_assert_eq(policy->n_allow, 4);
	expect_prefix(&policy->allow[0], "2001:db8::/32");
	expect_prefix(&policy->allow[1], "192.0.2.0/24");
	expect_prefix(&policy->allow[2], "2001:db9::1/128");
	expect_prefix(&policy->allow[3], "::/0");
	cr_assert_eq(policy->n_nat64, 2);
	expect_prefix(&policy->nat64[0], "2001:db8:64::/96");
	expect_prefix(&policy->nat64[1], "2001:db8:6400::/40");
	cr_expect(settings->has_embed_prefix);
	expect_prefix(&settings->embed_prefix, "2001:db8:e::/96");
	cr_assert_eq(policy->n_embed, 1);
	expect_prefix(&policy->embed[0], "2001:db8:e::/96");
	cr_assert_eq(policy->n_own, 2);
	cr_expect_str_eq(endpoint_format(&policy->own[0], text),
	    "192.0.2.10:80");
	cr_expect_str_eq(endpoint_format(&policy->own[1], text),
	    "[2001:db8:1::1]:65535");
	cr_assert_eq(settings->n_sources, 2);
	expect_addr(&settings->source[0], "2001:db8:1::2");
	expect_addr(&settings->source[1], "2001:db8:1::3");
	cr_expect(settings->has_default_target);
	expect_addr(&settings->default_target, "2001:db8:2::1");
}

Test(proxyd_config, reads_every_setting)
{
	struct proxyd_config *config = load_good(everything);
	const struct proxyd_settings *settings = &config->settings;

	expect_process(config);
	expect_listeners(config);
	expect_mapping(config);
	expect_targets(settings);
	cr_expect_eq(settings->peek_ms, 100);
	cr_expect_eq(settings->connect_ms, 1500);
	cr_expect_eq(settings->idle_ms, 86400000);
	cr_expect_eq(settings->drain_ms, 2001);
	cr_expect_eq(settings->shutdown_ms, 30000);
	cr_expect_eq(settings->removed_ms, 100);
	cr_expect_eq(settings->http_head_octets, 1024);
	cr_expect_eq(settings->client_hello_octets, 131072);
	cr_expect_eq(settings->connections_max, 10000000);
	cr_expect_eq(settings->per_client_max, 100);
	cr_expect_eq(settings->per_name_max, 5000);
	cr_expect_eq(settings->client_rate, 20);
	cr_expect_eq(settings->client_burst, 30);
	cr_expect_eq(settings->keepalive_idle_ms, 32767000);
	cr_expect_eq(settings->keepalive_interval_ms, 1000);
	cr_expect_eq(settings->keepalive_count, 127);
	proxyd_config_free(config);
}

Test(proxyd_config, has_defaults)
{
	struct proxyd_config *config = load_good(LISTENERS ALLOW);
	const struct proxyd_settings *settings = &config->settings;

	cr_expect_str_eq(config->process.user, "popgate");
	cr_expect_str_eq(config->process.group, "");
	cr_expect_str_eq(config->process.log, "stderr");
	cr_expect_eq(config->workers, 0);
	cr_expect_eq(config->listener[0].backlog, 4096);
	cr_expect_eq(config->mapping.n_files, 0);
	cr_expect_eq(config->mapping.n_lines, 0);
	cr_expect_eq(config->listener[0].accept_proxy.n, 0);
	cr_expect(settings->log_connections);
	cr_expect_not(settings->reload_closes_removed);
	cr_expect_not(settings->has_embed_prefix);
	cr_expect_eq(settings->targets.n_embed, 0);
	cr_expect_not(settings->has_default_target);
	cr_expect_eq(settings->n_sources, 0);
	cr_expect_eq(settings->targets.n_nat64, 0);
	cr_expect_eq(settings->peek_ms, 10000);
	cr_expect_eq(settings->connect_ms, 5000);
	cr_expect_eq(settings->idle_ms, 600000);
	cr_expect_eq(settings->drain_ms, 30000);
	cr_expect_eq(settings->shutdown_ms, 30000);
	cr_expect_eq(settings->removed_ms, 30000);
	cr_expect_eq(settings->http_head_octets, 16384);
	cr_expect_eq(settings->client_hello_octets, 65536);
	cr_expect_eq(settings->connections_max, 0);
	cr_expect_eq(settings->per_client_max, 0);
	cr_expect_eq(settings->per_name_max, 0);
	cr_expect_eq(settings->client_rate, 0);
	cr_expect_eq(settings->client_burst, 0);
	cr_expect_eq(settings->keepalive_idle_ms, 120000);
	cr_expect_eq(settings->keepalive_interval_ms, 30000);
	cr_expect_eq(settings->keepalive_count, 4);
	proxyd_config_free(config);
}

Test(proxyd_config, a_burst_is_twice_the_rate_unless_said)
{
	static const struct {
		const char *limits;
		uint32_t rate, burst;
	} cases[] = {
		{ "rate_per_client = 7;", 7, 14 },
		{ "rate_per_client = 7; rate_burst = 0;", 7, 14 },
		{ "rate_per_client = 7; rate_burst = 1;", 7, 1 },
		{ "rate_per_client = 100000;", 100000, 200000 },
		{ "rate_burst = 5;", 0, 5 },
		{ "", 0, 0 },
	};
	struct proxyd_config *config;
	char text[512];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), LISTENERS ALLOW
		    "limits = { %s };", cases[i].limits);
		config = load_good(text);
		cr_expect_eq(config->settings.client_rate, cases[i].rate,
		    "%s", cases[i].limits);
		cr_expect_eq(config->settings.client_burst, cases[i].burst,
		    "%s", cases[i].limits);
		proxyd_config_free(config);
	}
}

Test(proxyd_config, takes_embed_prefixes_a_vm_can_answer_to)
{
	static const char *const prefixes[] = { "2001:db8:e::/96",
		"2a00:1:2:3::/96", "fd00:e::/96", "64:ff9b:1:2::/96",
		"2001:db8:64::1:0:0/96" };
	struct proxyd_config *config;
	char text[512];

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		snprintf(text, sizeof(text), LISTENERS ALLOW
		    "nat64_prefixes = [ \"2001:db8:64::/96\" ];\n"
		    "embed_prefix = \"%s\";", prefixes[i]);
		config = load_good(text);
		expect_prefix(&config->settings.embed_prefix, prefixes[i]);
		expect_prefix(&config->settings.targets.embed[0],
		    prefixes[i]);
		proxyd_config_free(config);
	}
	config = load_good(LISTENERS ALLOW "embed_prefix = \"\";");
	cr_expect_not(config->settings.has_embed_prefix);
	proxyd_config_free(config);
}

Test(proxyd_config, prints_what_it_reads_again)
{
	static const char *const texts[] = { LISTENERS ALLOW, everything,
		LISTENERS ALLOW "limits = { rate_per_client = 7; };" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct proxyd_config *first = load_good(texts[i]);
		char *print = strdup(printed(first));
		struct proxyd_config *second = load_good(print);

		cr_expect_str_eq(printed(second), print);
		cr_expect_eq(memcmp(&first->settings, &second->settings,
		    sizeof(first->settings)), 0, "%s", print);
		cr_expect_eq(memcmp(first->listener, second->listener,
		    sizeof(first->listener)), 0, "%s", print);
		if (i == 1) {
			expect_process(second);
			cr_expect_str_eq(second->mapping.line[0].text,
			    first->mapping.line[0].text);
			cr_expect_str_eq(second->mapping.file[1],
			    first->mapping.file[1]);
		}
		free(print);
		proxyd_config_free(first);
		proxyd_config_free(second);
	}
}

static const char *
refused(const char *text)
{
	cr_expect_null(load(text), "%s", text);
	return reports;
}

Test(proxyd_config, says_what_is_wrong_with_the_process)
{
	static const struct wrong cases[] = {
		{ "", "p.conf: listeners: is mandatory\n"
		    "p.conf: allow_targets: is mandatory\n" },
		{ LISTENERS ALLOW "user = 5;",
		    "p.conf:3: user: must be a string\n" },
		{ LISTENERS ALLOW "user = \"\";",
		    "p.conf:3: user: must not be empty\n" },
		{ LISTENERS ALLOW "group = 0;",
		    "p.conf:3: group: must be a string\n" },
		{ LISTENERS ALLOW "workers = \"2\";",
		    "p.conf:3: workers: must be an integer\n" },
		{ LISTENERS ALLOW "workers = -1;",
		    "p.conf:3: workers: must be 0-64, not -1\n" },
		{ LISTENERS ALLOW "workers = 65;",
		    "p.conf:3: workers: must be 0-64, not 65\n" },
		{ LISTENERS ALLOW "log = true;",
		    "p.conf:3: log: must be a string\n" },
		{ LISTENERS ALLOW "log = \"a\\x1b.log\";",
		    "p.conf:3: log: must be \"stderr\" or an absolute path, "
		    "not \"a\\x1b.log\"\n" },
		{ LISTENERS ALLOW "log_connections = 1;",
		    "p.conf:3: log_connections: must be true or false\n" },
		{ LISTENERS ALLOW "reload_closes_removed = \"yes\";",
		    "p.conf:3: reload_closes_removed: must be true or "
		    "false\n" },
		{ LISTENERS ALLOW "timeouts = 5;",
		    "p.conf:3: timeouts: must be a group: { ... }\n" },
		{ LISTENERS ALLOW "limits = [ 5 ];",
		    "p.conf:3: limits: must be a group: { ... }\n" },
		{ LISTENERS ALLOW "keepalive = \"\";",
		    "p.conf:3: keepalive: must be a group: { ... }\n" }
	};

	REPORTS_EXPECT(cases, refused);
}

#define LISTENER(settings) "listeners = ( {" settings "} );\n" ALLOW
#define SECOND(settings) "listeners = ( { address = \"192.0.2.1\"; " \
	"port = 80; protocol = \"http\"; }, {\n" settings "} );\n" ALLOW

Test(proxyd_config, says_what_is_wrong_with_listeners)
{
	static const struct wrong cases[] = {
		{ ALLOW "listeners = \"192.0.2.1\";",
		    "p.conf:2: listeners: must be a list of groups: "
		    "( { ... }, ... )\n" },
		{ ALLOW "listeners = ( );",
		    "p.conf:2: listeners: must have 1-64 elements, not 0\n" },
		{ ALLOW "listeners = [ \"192.0.2.1\" ];",
		    "p.conf:2: listeners[0]: must be a group: { ... }\n" },
		{ LISTENER(""),
		    "p.conf:1: listeners[0].address: is mandatory\n"
		    "p.conf:1: listeners[0].port: is mandatory\n"
		    "p.conf:1: listeners[0].protocol: is mandatory\n" },
		{ LISTENER("address = 5; port = \"80\"; protocol = 4;"),
		    "p.conf:1: listeners[0].address: must be a string\n"
		    "p.conf:1: listeners[0].port: must be an integer\n"
		    "p.conf:1: listeners[0].protocol: must be a string\n" },
		{ SECOND("address = \"2001:db8::1\"; port = 0;\n"
		    "protocol = \"https\"; backlog = 0;"),
		    "p.conf:2: listeners[1].port: must be 1-65535, not 0\n"
		    "p.conf:3: listeners[1].protocol: must be \"http\" or "
		    "\"tls\", not \"https\"\n"
		    "p.conf:3: listeners[1].backlog: must be 1-65535, "
		    "not 0\n" },
		{ SECOND("address = \"\"; port = 65536; protocol = \"tls\";\n"
		    "backlog = 65536;"),
		    "p.conf:2: listeners[1].port: must be 1-65535, "
		    "not 65536\n"
		    "p.conf:3: listeners[1].backlog: must be 1-65535, "
		    "not 65536\n"
		    "p.conf:2: listeners[1].address: \"\" is not an IPv4 or "
		    "IPv6 address\n" },
		{ SECOND("address = \"[::1]\"; port = 80;"
		    "protocol = \"tls\";"),
		    "p.conf:2: listeners[1].address: \"[::1]\" is not an "
		    "IPv4 or IPv6 address\n" },
		{ SECOND("address = \"fe80::1\"; port = 80;"
		    "protocol = \"tls\";"),
		    "p.conf:2: listeners[1].address: \"fe80::1\" is a "
		    "link-local address\n" },
		{ SECOND("address = \"ff02::1\"; port = 80;"
		    "protocol = \"tls\";"),
		    "p.conf:2: listeners[1].address: \"ff02::1\" is a "
		    "multicast or reserved address\n" },
		{ SECOND("address = \"255.255.255.255\"; port = 80;"
		    "protocol = \"tls\";"),
		    "p.conf:2: listeners[1].address: \"255.255.255.255\" is "
		    "a multicast or reserved address\n" },
		{ SECOND("address = \"192.0.2.1\"; port = 80;"
		    "protocol = \"tls\";"),
		    "p.conf:2: listeners[1].address: 192.0.2.1:80 is "
		    "listeners[0] already\n" },
		{ SECOND("address = \"::ffff:192.0.2.1\"; port = 80;"
		    "protocol = \"tls\";"),
		    "p.conf:2: listeners[1].address: 192.0.2.1:80 is "
		    "listeners[0] already\n" },
		{ SECOND("address = \"0.0.0.0\"; port = 80;"
		    "protocol = \"tls\";"),
		    "p.conf:2: listeners[1].address: 0.0.0.0:80 overlaps "
		    "listeners[0], 192.0.2.1:80\n" }
	};
	struct proxyd_config *config;

	REPORTS_EXPECT(cases, refused);
	/* The same port elsewhere, and another port, are fine. */
	config = load_good(SECOND("address = \"::\"; port = 80;"
	    "protocol = \"http\"; }, { address = \"0.0.0.0\"; port = 81; "
	    "protocol = \"http\";"));
	cr_expect_eq(config->n_listeners, 3);
	cr_expect_eq(config->settings.targets.n_own, 1);
	proxyd_config_free(config);
}

Test(proxyd_config, says_what_is_wrong_with_prefixes)
{
	static const struct wrong cases[] = {
		{ LISTENERS "allow_targets = \"2001:db8::/32\";",
		    "p.conf:2: allow_targets: must be a list of strings: "
		    "[ \"...\", ... ]\n" },
		{ LISTENERS "allow_targets = [ ];",
		    "p.conf:2: allow_targets: must have 1-256 elements, "
		    "not 0\n" },
		{ LISTENERS "allow_targets = [\n5\n];",
		    "p.conf:3: allow_targets[0]: must be a string\n" },
		{ LISTENERS "allow_targets = [ \"2001:db8::/32\",\n"
		    "\"192.0.2.0/24\"\n];",
		    "p.conf:3: allow_targets[1]: \"192.0.2.0/24\" is not an "
		    "IPv6 prefix\n" },
		{ LISTENERS "allow_targets = [ \"2001:db8::1/32\" ];",
		    "p.conf:2: allow_targets[0]: \"2001:db8::1/32\" has bits "
		    "set beyond its length; did you mean 2001:db8::/32?\n" },
		{ LISTENERS "allow_targets = [ \"2001:db8:ffff::/34\" ];",
		    "p.conf:2: allow_targets[0]: \"2001:db8:ffff::/34\" has "
		    "bits set beyond its length; did you mean "
		    "2001:db8:c000::/34?\n" },
		{ LISTENERS "allow_targets = [ \"::ffff:192.0.2.9/120\" ];",
		    "p.conf:2: allow_targets[0]: \"::ffff:192.0.2.9/120\" has "
		    "bits set beyond its length; did you mean "
		    "::ffff:192.0.2.0/120?\n" },
		{ LISTENERS "allow_targets = [ \"2001:db8::/129\" ];",
		    "p.conf:2: allow_targets[0]: \"2001:db8::/129\" has a "
		    "length beyond its address's bits\n" },
		{ LISTENERS "allow_targets = [ \"2001:db8::/\" ];",
		    "p.conf:2: allow_targets[0]: \"2001:db8::/\" is not an "
		    "address prefix\n" },
		{ LISTENERS ALLOW "nat64_prefixes = \"64:ff9b::/96\";",
		    "p.conf:3: nat64_prefixes: must be a list of strings: "
		    "[ \"...\", ... ]\n" },
		{ LISTENERS ALLOW "nat64_prefixes = [ \"10.0.0.0/8\" ];",
		    "p.conf:3: nat64_prefixes[0]: \"10.0.0.0/8\" is not an "
		    "IPv6 prefix\n" },
		{ LISTENERS ALLOW "nat64_prefixes = [ \"64:ff9b::/95\",\n"
		    "\"2001:db8::/44\", \"2001:db8::\", \"2000::/24\" ];",
		    "p.conf:3: nat64_prefixes[0]: the length must be 32, 40, "
		    "48, 56, 64 or 96, not 95\n"
		    "p.conf:4: nat64_prefixes[1]: the length must be 32, 40, "
		    "48, 56, 64 or 96, not 44\n"
		    "p.conf:4: nat64_prefixes[2]: the length must be 32, 40, "
		    "48, 56, 64 or 96, not 128\n"
		    "p.conf:4: nat64_prefixes[3]: the length must be 32, 40, "
		    "48, 56, 64 or 96, not 24\n" }
	};

	REPORTS_EXPECT(cases, refused);
}

Test(proxyd_config, says_what_is_wrong_with_accept_proxy)
{
	static const struct wrong cases[] = {
		{ SECOND("address = \"::\"; port = 80; protocol = \"tls\";\n"
		    "accept_proxy = \"10.0.0.0/8\";"),
		    "p.conf:3: listeners[1].accept_proxy: must be a list of "
		    "strings: [ \"...\", ... ]\n" },
		{ SECOND("address = \"::\"; port = 80; protocol = \"tls\";\n"
		    "accept_proxy = [\n\"10.0.0.0/8\",\n\"10.1.2.3/15\",\n"
		    "\"lb\",\n\"\",\n\"10.0.0.0/33\",\n\"2001:db8::1/32\","
		    "\n\"::ffff:192.0.2.9/120\"];"),
		    "p.conf:5: listeners[1].accept_proxy[1]: \"10.1.2.3/15\" "
		    "has bits set beyond its length; did you mean "
		    "10.0.0.0/15?\n"
		    "p.conf:6: listeners[1].accept_proxy[2]: \"lb\" is not "
		    "an address prefix\n"
		    "p.conf:7: listeners[1].accept_proxy[3]: \"\" is not an "
		    "address prefix\n"
		    "p.conf:8: listeners[1].accept_proxy[4]: \"10.0.0.0/33\" "
		    "has a length beyond its address's bits\n"
		    "p.conf:9: listeners[1].accept_proxy[5]: "
		    "\"2001:db8::1/32\" has bits set beyond its length; did "
		    "you mean 2001:db8::/32?\n"
		    "p.conf:10: listeners[1].accept_proxy[6]: "
		    "\"::ffff:192.0.2.9/120\" has bits set beyond its length; "
		    "did you mean ::ffff:192.0.2.0/120?\n" },
		{ LISTENER("address = \"::\"; port = 80; protocol = \"tls\";\n"
		    "accept_proxy = [ \"::1\", \"::2\", \"::3\", \"::4\", "
		    "\"::5\", \"::6\", \"::7\", \"::8\", \"::9\", "
		    "\"::a\", \"::b\", \"::c\", \"::d\", \"::e\", "
		    "\"::f\", \"::10\", \"::11\" ];"),
		    "p.conf:2: listeners[0].accept_proxy: must have 0-16 "
		    "elements, not 17\n" },
		{ LISTENERS ALLOW "accept_proxy = [ ];",
		    "p.conf:3: accept_proxy: unknown setting\n" }
	};

	REPORTS_EXPECT(cases, refused);
}

#define EMBED(prefix) LISTENERS ALLOW "nat64_prefixes = " \
	"[ \"2001:db8:64::/96\", \"2001:db8:6400::/40\" ];\n" \
	"embed_prefix = \"" prefix "\";"

Test(proxyd_config, says_what_is_wrong_with_the_embed_prefix)
{
	static const struct wrong cases[] = {
		{ LISTENERS ALLOW "embed_prefix = [ \"2001:db8:e::/96\" ];",
		    "p.conf:3: embed_prefix: must be a string\n" },
		{ EMBED("192.0.2.0/24"), "p.conf:4: embed_prefix: "
		    "\"192.0.2.0/24\" is not an IPv6 prefix\n" },
		{ EMBED("2001:db8:e::/64"), "p.conf:4: embed_prefix: the "
		    "length must be 96, not 64\n" },
		{ EMBED("2001:db8:e::"), "p.conf:4: embed_prefix: the "
		    "length must be 96, not 128\n" },
		{ EMBED("2001:db8:e::1/96"), "p.conf:4: embed_prefix: "
		    "\"2001:db8:e::1/96\" has bits set beyond its length; did "
		    "you mean 2001:db8:e::/96?\n" },
		{ EMBED("64:ff9b::/96"), "p.conf:4: embed_prefix: "
		    "\"64:ff9b::/96\" cannot be the source of a "
		    "connection\n" },
		{ EMBED("::ffff:0:0/96"), "p.conf:4: embed_prefix: "
		    "\"::ffff:0:0/96\" cannot be the source of a "
		    "connection\n" },
		{ EMBED("fe80::/96"), "p.conf:4: embed_prefix: "
		    "\"fe80::/96\" cannot be the source of a connection\n" },
		{ EMBED("2001:db8:64::/96"), "p.conf:4: embed_prefix: "
		    "\"2001:db8:64::/96\" overlaps 2001:db8:64::/96 of "
		    "nat64_prefixes\n" },
		{ EMBED("2001:db8:64ff:1::/96"), "p.conf:4: embed_prefix: "
		    "\"2001:db8:64ff:1::/96\" overlaps 2001:db8:6400::/40 of "
		    "nat64_prefixes\n" },
		{ LISTENERS "allow_targets = [ \"2001:db8::/32\", "
		    "\"2001:db8:e::7\" ];\nembed_prefix = "
		    "\"2001:db8:e::/96\";",
		    "p.conf:3: embed_prefix: \"2001:db8:e::/96\" is never a "
		    "target, but has all of 2001:db8:e::7/128 of "
		    "allow_targets\n" },
		{ EMBED("2001:db8:e::/96")
		    "default_target = \"2001:db8:e::1\";",
		    "p.conf:4: default_target: \"2001:db8:e::1\" at port 80 "
		    "is in the embed prefix, whose addresses are clients\n" }
	};

	REPORTS_EXPECT(cases, refused);
}

Test(proxyd_config, says_what_is_wrong_with_addresses)
{
	static const struct wrong cases[] = {
		{ LISTENERS ALLOW "source = \"2001:db8::1\";",
		    "p.conf:3: source: must be a list of strings: "
		    "[ \"...\", ... ]\n" },
		{ LISTENERS ALLOW "source = [ \"192.0.2.1\" ];",
		    "p.conf:3: source[0]: \"192.0.2.1\" is not an IPv6 "
		    "address\n" },
		{ LISTENERS ALLOW "source = [ \"::ffff:192.0.2.1\",\n\"::\","
		    "\n\"ff02::1\",\n\"fe80::1\",\n\"x\" ];",
		    "p.conf:3: source[0]: \"::ffff:192.0.2.1\" is not an "
		    "IPv6 address\n"
		    "p.conf:4: source[1]: \"::\" cannot be the source of a "
		    "connection\n"
		    "p.conf:5: source[2]: \"ff02::1\" cannot be the source "
		    "of a connection\n"
		    "p.conf:6: source[3]: \"fe80::1\" cannot be the source "
		    "of a connection\n"
		    "p.conf:7: source[4]: \"x\" is not an IPv6 address\n" },
		{ LISTENERS ALLOW "default_target = 1;",
		    "p.conf:3: default_target: must be a string\n" },
		{ LISTENERS ALLOW "default_target = \"192.0.2.1\";",
		    "p.conf:3: default_target: \"192.0.2.1\" is not an IPv6 "
		    "address\n" },
		{ LISTENERS ALLOW "default_target = \"[2001:db8::1]\";",
		    "p.conf:3: default_target: \"[2001:db8::1]\" is not an "
		    "IPv6 address\n" },
		{ LISTENERS ALLOW "default_target = \"2001:db9::1\";",
		    "p.conf:3: default_target: \"2001:db9::1\" at port 80 is "
		    "in no prefix of allow_targets\n" },
		{ LISTENERS "allow_targets = [ \"::/0\" ];\n"
		    "default_target = \"fd00::1\";",
		    "p.conf:3: default_target: \"fd00::1\" at port 80 is in "
		    "a special-purpose range that allow_targets does not "
		    "name\n" },
		{ LISTENERS ALLOW "default_target = \"2001:db8:64::1\";\n"
		    "nat64_prefixes = [ \"2001:db8:64::/96\" ];",
		    "p.conf:3: default_target: \"2001:db8:64::1\" at port 80 "
		    "is in a NAT64 prefix that allow_targets does not "
		    "name\n" },
		{ SECOND("address = \"2001:db8::1\"; port = 443;"
		    "protocol = \"tls\";") "default_target = \"2001:db8::1\";",
		    "p.conf:4: default_target: \"2001:db8::1\" at port 443 "
		    "is one of our own listeners\n" }
	};

	REPORTS_EXPECT(cases, refused);
}

Test(proxyd_config, says_what_is_wrong_with_the_mapping)
{
	static const struct wrong cases[] = {
		{ LISTENERS ALLOW "mapping_files = \"a.map\";",
		    "p.conf:3: mapping_files: must be a list of strings: "
		    "[ \"...\", ... ]\n" },
		{ LISTENERS ALLOW "mapping_files = [ 1 ];",
		    "p.conf:3: mapping_files[0]: must be a string\n" },
		{ LISTENERS ALLOW "mapping_files = [ \"a\",\n\"\"\n ];",
		    "p.conf:4: mapping_files[1]: must not be empty\n" },
		{ LISTENERS ALLOW "mapping = { };",
		    "p.conf:3: mapping: must be a list of strings: "
		    "[ \"...\", ... ]\n" },
		{ LISTENERS ALLOW "mapping = ( \"a\", 5 );",
		    "p.conf:3: mapping[1]: must be a string\n" }
	};

	REPORTS_EXPECT(cases, refused);
}

Test(proxyd_config, refuses_unknown_settings_at_every_depth)
{
	static const struct wrong cases[] = {
		{ LISTENERS ALLOW "timeout = { };",
		    "p.conf:3: timeout: unknown setting; did you mean "
		    "\"timeouts\"?\n" },
		{ LISTENERS ALLOW "timeouts = { peek = 5; read = 4; };",
		    "p.conf:3: timeouts.read: unknown setting\n" },
		{ LISTENERS ALLOW "limits = { http_heads = 5000; };",
		    "p.conf:3: limits.http_heads: unknown setting; did you "
		    "mean \"http_head\"?\n" },
		{ LISTENERS ALLOW "keepalive = {\n time = 5; };",
		    "p.conf:4: keepalive.time: unknown setting\n" },
		{ LISTENER("address = \"192.0.2.1\"; port = 80;\n"
		    "protocol = \"http\"; service = \"http\";"),
		    "p.conf:2: listeners[0].service: unknown setting\n" }
	};

	REPORTS_EXPECT(cases, refused);
}

static void
check_limit(const struct cfgfile_number *number, long long value, bool good)
{
	bool is_ms = number->kind == CFGFILE_DURATION;
	struct proxyd_config *config;
	char text[1024], wanted[256];

	snprintf(text, sizeof(text), LISTENERS ALLOW "%s = { %s = %.*f; };",
	    number->group, number->name, is_ms ? 3 : 0,
	    is_ms ? (double)value / 1000 : (double)value);
	config = load(text);
	cr_expect_eq(config != NULL, good, "%s\nsaid:\n%s", text, reports);
	if (config != NULL) {
		const void *at = (char *)&config->settings + number->offset;

		cr_expect_eq(*(const uint32_t *)at, value *
		    (number->kind == CFGFILE_SECONDS ? 1000 : 1), "%s", text);
	} else if (!is_ms) {
		snprintf(wanted, sizeof(wanted),
		    "p.conf:3: %s.%s: must be %u-%u, not %lld\n",
		    number->group, number->name, number->min, number->max,
		    value);
		cr_expect_str_eq(reports, wanted);
	} else {
		snprintf(wanted, sizeof(wanted),
		    "p.conf:3: %s.%s: must be 0.1-86400 seconds, not %.10g\n",
		    number->group, number->name, (double)value / 1000);
		cr_expect_str_eq(reports, wanted);
	}
	proxyd_config_free(config);
}

Test(proxyd_config, holds_every_number_to_its_range)
{
	const struct cfgfile_number *number = proxyd_numbers;
	char text[1024], wanted[256];

	for (; number->group != NULL; number++) {
		check_limit(number, number->min, true);
		check_limit(number, number->max, true);
		check_limit(number, (long long)number->min - 1, false);
		check_limit(number, (long long)number->max + 1, false);
		snprintf(text, sizeof(text), LISTENERS ALLOW
		    "%s = { %s = \"5\"; };", number->group, number->name);
		snprintf(wanted, sizeof(wanted), "p.conf:3: %s.%s: must be "
		    "%s\n", number->group, number->name,
		    number->kind == CFGFILE_DURATION ? "a number of seconds" :
		    "an integer");
		cr_expect_null(load(text));
		cr_expect_str_eq(reports, wanted);
	}
}

Test(proxyd_config, reads_included_files)
{
	struct proxyd_config *config;

	put("more.inc", "mapping = [\n\"a.example 2001:db8::1\",\n"
	    "\"b.example 2001:db8::2\"\n];");
	config = load_good(LISTENERS ALLOW "@include \"more.inc\"\n");
	cr_assert_eq(config->mapping.n_lines, 2);
	cr_expect_str_eq(config->mapping.line[1].file, "more.inc");
	cr_expect_eq(config->mapping.line[1].line, 3);
	proxyd_config_free(config);
	put("more.inc", "\nworkers = -5;\n");
	cr_expect_null(load(LISTENERS ALLOW "@include \"more.inc\"\n"));
	cr_expect_str_eq(reports,
	    "more.inc:2: workers: must be 0-64, not -5\n");
}

Test(proxyd_config, counts_what_it_can_hold)
{
	static char text[TEXT_MAX];
	struct proxyd_config *config;
	int n = 0;

	for (int extra = 0; extra < 2; extra++) {
		n = snprintf(text, sizeof(text), ALLOW "listeners = (");
		for (int i = 1; i <= PROXYD_LISTENERS_MAX + extra; i++)
			n += snprintf(text + n, sizeof(text) - (size_t)n,
			    "%s{ address = \"::\"; port = %d; "
			    "protocol = \"tls\"; }", i == 1 ? "" : ",", i);
		snprintf(text + n, sizeof(text) - (size_t)n, ");");
		config = load(text);
		cr_expect_eq(config != NULL, extra == 0, "%s", reports);
		proxyd_config_free(config);
	}
	cr_expect_str_eq(reports,
	    "p.conf:2: listeners: must have 1-64 elements, not 65\n");
}

Test(proxyd_config, folder_names_are_no_pattern)
{
	struct proxyd_config *config;
	char wanted[128];

	cr_assert_eq(system("mkdir 'a*[b'"), 0);
	put("a*[b/p.conf", LISTENERS ALLOW
	    "mapping_files = [ \"*.map\", \"one.map\" ];");
	config = proxyd_config_load("a*[b/p.conf", reports_collect, reports);
	cr_assert_not_null(config, "%s", reports);
	snprintf(wanted, sizeof(wanted), "%s/a\\*\\[b/*.map", scratch_folder);
	cr_expect_str_eq(config->mapping.file[0], wanted);
	snprintf(wanted, sizeof(wanted), "%s/a*[b/one.map", scratch_folder);
	cr_expect_str_eq(config->mapping.file[1], wanted);
	proxyd_config_free(config);
}

Test(proxyd_config, adds_own_addresses_to_wildcards)
{
	struct proxyd_config *config = load_good(everything);
	const struct target_policy *policy = &config->settings.targets;
	struct addr own[3] = {
		addr_of("2001:db8::a"), addr_of("192.0.2.77"),
		addr_of("2001:db8::b")
	};
	char text[ENDPOINT_TEXT_MAX];

	cr_expect(proxyd_config_add_own_addresses(config, own, 3, reports_collect,
	    reports), "%s", reports);
	cr_assert_eq(policy->n_own, 4);
	cr_expect_str_eq(endpoint_format(&policy->own[2], text),
	    "[2001:db8::a]:443");
	cr_expect_str_eq(endpoint_format(&policy->own[3], text),
	    "[2001:db8::b]:443");
	cr_expect(proxyd_config_add_own_addresses(config, own, 0, reports_collect,
	    reports), "%s", reports);
	cr_expect_str_eq(reports, "");
	own[0] = addr_of("2001:db8:2::1");
	cr_expect_not(proxyd_config_add_own_addresses(config, own, 1, reports_collect,
	    reports));
	cr_expect_str_eq(reports, "p.conf: default_target: \"2001:db8:2::1\" "
	    "is one of our own listeners\n");
	proxyd_config_free(config);
}

Test(proxyd_config, has_room_for_so_many_own_addresses)
{
	struct proxyd_config *config = load_good(everything);
	static struct addr own[TARGET_POLICY_OWN_MAX];

	for (unsigned i = 0; i < TARGET_POLICY_OWN_MAX; i++) {
		own[i] = addr_of("2001:db8:3::");
		own[i].octet[14] = (uint8_t)(i >> 8);
		own[i].octet[15] = (uint8_t)i;
	}
	cr_expect(proxyd_config_add_own_addresses(config, own,
	    TARGET_POLICY_OWN_MAX - 2, reports_collect, reports), "%s", reports);
	cr_expect_not(proxyd_config_add_own_addresses(config, own, 1, reports_collect,
	    reports));
	cr_expect_str_eq(reports, "p.conf: listeners: more than 512 addresses "
	    "and ports of this host; name those to listen on instead of "
	    "[::]:443\n");
	cr_expect_eq(config->settings.targets.n_own, TARGET_POLICY_OWN_MAX);
	proxyd_config_free(config);
}

Test(proxyd_config, survives_a_file_cut_anywhere)
{
	char text[sizeof(everything)];

	for (size_t len = 0; len < sizeof(everything); len++) {
		memcpy(text, everything, len);
		text[len] = '\0';
		proxyd_config_free(load(text));
	}
}
