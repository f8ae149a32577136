/* SPDX-License-Identifier: ISC */
#include "translate/xlatd_config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/scratch_folder.h"
#include "translate/tables.h"
#include "translate/xlatd_numbers.h"

enum { TEXT_MAX = 65536 };

/* The mandatory settings of an instance, on the line where it begins. */
#define OWN "device = \"nat64\"; ipv4_address = \"192.0.2.1\"; " \
	"ipv6_address = \"2001:db8:46::1\"; "
#define HOSTS "translatable = [ \"192.0.2.0/24\" ]; "
#define PREFIX "prefixes = ( { prefix = \"2001:db8:64::/96\"; } ); " HOSTS
#define INSTANCE(more) "instances = ( { " OWN PREFIX "\n" more "\n} );\n"

TestSuite(xlatd_config, .init = scratch_enter, .fini = scratch_leave);
TestSuite(tables, .init = scratch_enter, .fini = scratch_leave);

/* What was reported by the last load or build, without the folder's name. */
static char reports[TEXT_MAX];

static void
collect(const char *message, void *arg)
{
	size_t len = strlen(reports);

	(void)arg;
	if (strncmp(message, scratch_folder, strlen(scratch_folder)) == 0)
		message += strlen(scratch_folder) + 1;
	snprintf(reports + len, TEXT_MAX - len, "%s\n", message);
}

static void
put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	cr_assert_not_null(file);
	cr_assert_neq(fputs(text, file), EOF);
	cr_assert_eq(fclose(file), 0);
}

static struct xlatd_config *	/* owned by the caller, or NULL */
load(const char *text)
{
	struct xlatd_config *config;

	put("x.conf", text);
	reports[0] = '\0';
	config = xlatd_config_load("x.conf", collect, NULL);
	cr_assert_eq(config != NULL, reports[0] == '\0',
	    "%s\nis %sloaded with reports:\n%s", text,
	    config == NULL ? "not " : "", reports);
	return config;
}

static struct xlatd_config *
load_good(const char *text)
{
	struct xlatd_config *config = load(text);

	cr_assert_not_null(config, "%s\nsaid:\n%s", text, reports);
	return config;
}

static const char *	/* valid until the next call */
printed(const struct xlatd_config *config)
{
	static char text[TEXT_MAX];
	FILE *out = fmemopen(text, sizeof(text), "w");

	cr_assert_not_null(out);
	xlatd_config_print(config, out);
	cr_assert_eq(fclose(out), 0);
	return text;
}

Test(xlatd_config, has_the_defaults_of_the_rfcs)
{
	struct xlatd_config *config = load_good(INSTANCE(""));
	const struct xlatd_instance *instance = &config->instance[0];
	const struct siit *siit = &instance->siit;

	cr_expect_str_eq(config->process.user, "popgate");
	cr_expect_str_eq(config->process.log, "stderr");
	cr_expect_not(config->log_drops);
	cr_assert_eq(config->n_instances, 1);
	cr_expect_str_eq(instance->device, "nat64");
	cr_expect(instance->offload);
	cr_expect_not(instance->setup);
	cr_expect_not(instance->has_pool);
	cr_expect_eq(instance->limits.queues, 1);
	cr_expect(siit->has_own4 && siit->has_own6);
	cr_expect_eq(siit->own4, 0xc0000201);
	cr_expect_eq(siit->own6.octet[15], 1);
	cr_expect_eq(siit->mtu4, 1500);
	cr_expect_eq(siit->mtu6, 1500);
	cr_expect_eq(siit->lowest_mtu6, 1280);
	cr_expect_eq(siit->tos, SIIT_TOS_COPY);
	cr_expect_eq(siit->traffic_class, SIIT_TOS_COPY);
	cr_expect_eq(siit->udp_zero, SIIT_UDP_ZERO_COMPUTE);
	cr_expect_eq(siit->hairpin, SIIT_HAIRPIN_INTRINSIC);
	cr_expect(siit->icmp_errors);
	cr_assert_eq(instance->n_embeddings, 1);
	cr_expect_not(siit->any_translatable);
	cr_expect_eq(siit->n_translatable, 1);
	cr_expect_eq(siit->translatable[0].addr, 0xc0000200);
	cr_expect_eq(siit->translatable[0].mask, 0xffffff00);
	cr_expect_eq(instance->embedding[0].prefix.len, 96);
	cr_expect_eq(instance->embedding[0].range.len, 96);
	cr_expect_not(instance->embedding[0].any);
	xlatd_config_free(config);
}

/* Everything said, so that -T must print it all. */
static const char everything[] =
    "user = \"nobody\"; group = \"nogroup\"; log = \"/tmp/x \\\"log\";\n"
    "log_drops = true;\n"
    "instances = (\n"
    "{ " OWN "queues = 4; offload = false; setup = true; mtu = 1480;\n"
    "addresses = [ \"192.0.2.2/24\", \"2001:db8::2/64\" ];\n"
    "routes = [ \"198.51.100.0/24\", \"2001:db8:64::/96\" ];\n"
    "prefixes = ( { prefix = \"64:ff9b::/96\"; non_global = true; },\n"
    "  { prefix = \"2001:db8:64::/48\"; range = \"10.0.0.0/8\"; } );\n"
    "translatable = [ \"10.1.0.0/16\", \"0.0.0.0/0\", "
    "\"192.0.2.1\" ];\n"
    "ipv4_mtu = 1400; ipv6_mtu = 1420; lowest_ipv6_mtu = 1300;\n"
    "tos = \"copy\"; traffic_class = \"46\";\n"
    "udp_zero_checksum = \"pass\"; hairpinning = \"off\";\n"
    "icmp = { errors = false; rate = 1; burst = 2; peer_rate = 3;\n"
    "  peer_burst = 4; pool = [ \"192.0.2.8/29\", \"192.0.2.99\" ];\n"
    "  pool_extension = true; };\n"
    "mapping = [ \"192.0.2.4 2001:db8::4 # \\\"four\\\"\" ];\n"
    "mapping_files = [ \"/etc/eam/*.map\" ]; },\n"
    "{ device = \"clat\"; ipv4_address = \"192.0.0.2\";\n"
    "ipv6_address = \"2001:db8::c1a7\"; " PREFIX "\n"
    "dynamic_pool = { prefix = \"10.64.0.0/16\";\n"
    "  leases = \"/var/lib/leases\"; lease_time = 12.5; }; } );\n";

Test(xlatd_config, prints_what_it_reads)
{
	struct xlatd_config *config = load_good(everything), *again;
	const struct xlatd_instance *one = &config->instance[0];
	char first[TEXT_MAX];

	cr_expect_eq(one->limits.queues, 4);
	cr_expect_eq(one->limits.mtu, 1480);
	cr_expect_eq(one->n_addresses, 2);
	cr_expect_eq(one->address[1].len, 64);
	cr_expect_eq(one->address[1].addr.octet[15], 2);
	cr_expect_eq(one->n_routes, 2);
	cr_expect(one->embedding[0].any);
	cr_expect_eq(one->siit.n_translatable, 3);
	cr_expect_eq(one->siit.translatable[1].mask, 0);
	cr_expect_eq(one->siit.translatable[2].mask, UINT32_MAX);
	cr_expect_eq(one->embedding[1].range.len, 104);
	cr_expect_eq(one->siit.mtu4, 1400);
	cr_expect_eq(one->siit.mtu6, 1420);
	cr_expect_eq(one->siit.lowest_mtu6, 1300);
	cr_expect_eq(one->siit.traffic_class, 46);
	cr_expect_eq(one->siit.udp_zero, SIIT_UDP_ZERO_PASS);
	cr_expect_eq(one->siit.hairpin, SIIT_HAIRPIN_OFF);
	cr_expect_not(one->siit.icmp_errors);
	cr_expect_eq(one->limits.icmp_peer_burst, 4);
	cr_assert_eq(one->siit.n_pool, 9);
	cr_expect_eq(one->siit.pool[7], 0xc000020f);
	cr_expect_eq(one->siit.pool[8], 0xc0000263);
	cr_expect(config->instance[1].has_pool);
	cr_expect_eq(config->instance[1].limits.lease_ms, 12500);
	snprintf(first, sizeof(first), "%s", printed(config));
	again = load_good(first);
	cr_expect_str_eq(printed(again), first);
	xlatd_config_free(config);
	xlatd_config_free(again);
}

/* The text, and the one report that it gets. */
static const struct {
	const char *text, *report;
} mistakes[] = {
	{ "", "x.conf: instances: is mandatory" },
	{ "instances = ();", "x.conf:1: instances: must have 1-32 elements, "
	    "not 0" },
	{ INSTANCE("colour = 1;"), "x.conf:2: instances[0].colour: unknown "
	    "setting" },
	{ INSTANCE("queue = 2;"), "x.conf:2: instances[0].queue: unknown "
	    "setting; did you mean \"queues\"?" },
	{ "log = \"x\"; " INSTANCE(""), "x.conf:1: log: must be \"stderr\" or "
	    "an absolute path, not \"x\"" },
	{ "user = \"\"; " INSTANCE(""), "x.conf:1: user: must not be empty" },
	{ "instances = ( { " OWN " } );", "x.conf:1: instances[0]: no IPv6 "
	    "host can have an IPv4 address: mapping, mapping_files, "
	    "dynamic_pool or translatable is needed" },
	{ "instances = ( { " OWN "translatable = [ \"2001:db8::/32\" ]; } );",
	    "x.conf:1: instances[0].translatable[0]: must be an IPv4 "
	    "prefix" },
	{ "instances = ( { device = \"a\";\nipv4_address = \"192.0.2.1\"; "
	    PREFIX "} );", "x.conf:1: instances[0].ipv6_address: is "
	    "mandatory" },
	{ "instances = ( { device = \"a/b\"; ipv4_address = \"192.0.2.1\"; "
	    "ipv6_address = \"2001:db8::1\"; " PREFIX "} );", "x.conf:1: "
	    "instances[0].device: \"a/b\" is no device's name: 1-15 letters, "
	    "digits, '.', '_' and '-'" },
	{ "instances = ( { device = \"sixteen-letters-\"; "
	    "ipv4_address = \"192.0.2.1\"; "
	    "ipv6_address = \"2001:db8::1\"; " PREFIX "} );", "x.conf:1: "
	    "instances[0].device: \"sixteen-letters-\" is no device's name: "
	    "1-15 letters, digits, '.', '_' and '-'" },
	{ "instances = ( { " OWN PREFIX "},\n{ " OWN PREFIX "} );",
	    "x.conf:2: instances[1].device: \"nat64\" is the device of "
	    "instances[0] already" },
	{ "instances = ( { device = \"a\"; ipv4_address = \"2001:db8::1\"; "
	    "ipv6_address = \"2001:db8::1\"; " PREFIX "} );", "x.conf:1: "
	    "instances[0].ipv4_address: \"2001:db8::1\" is no unicast IPv4 "
	    "address" },
	{ "instances = ( { device = \"a\"; ipv4_address = \"127.0.0.1\"; "
	    "ipv6_address = \"2001:db8::1\"; " PREFIX "} );", "x.conf:1: "
	    "instances[0].ipv4_address: \"127.0.0.1\" is no unicast IPv4 "
	    "address" },
	{ "instances = ( { device = \"a\"; ipv4_address = \"192.0.2.1\"; "
	    "ipv6_address = \"fe80::1\"; " PREFIX "} );", "x.conf:1: "
	    "instances[0].ipv6_address: \"fe80::1\" is no unicast IPv6 "
	    "address" },
	{ INSTANCE("queues = 0;"), "x.conf:2: instances[0].queues: must be "
	    "1-64, not 0" },
	{ INSTANCE("ipv6_mtu = 1279;"), "x.conf:2: instances[0].ipv6_mtu: "
	    "must be 1280-65535, not 1279" },
	{ INSTANCE("ipv6_mtu = 1400; lowest_ipv6_mtu = 1401;"), "x.conf:2: "
	    "instances[0].lowest_ipv6_mtu: must not be more than ipv6_mtu, "
	    "which is 1400" },
	{ INSTANCE("routes = [ \"192.0.2.0/24\" ];"), "x.conf:2: "
	    "instances[0].routes: needs setup = true" },
	{ INSTANCE("mtu = 1500;"), "x.conf:2: instances[0].mtu: needs setup = "
	    "true" },
	{ INSTANCE("setup = true; addresses = [ \"192.0.2.1\" ];"),
	    "x.conf:2: instances[0].addresses[0]: \"192.0.2.1\" is no address "
	    "with the length of its network, such as \"192.0.2.1/24\"" },
	{ INSTANCE("setup = true; addresses = [ \"192.0.2.1/33\" ];"),
	    "x.conf:2: instances[0].addresses[0]: \"192.0.2.1/33\" is no "
	    "address with the length of its network, such as "
	    "\"192.0.2.1/24\"" },
	{ INSTANCE("setup = true; routes = [ \"192.0.2.1/24\" ];"),
	    "x.conf:2: instances[0].routes[0]: \"192.0.2.1/24\" has bits set "
	    "beyond its length; did you mean 192.0.2.0/24?" },
	{ "instances = ( { " OWN HOSTS "prefixes = ( {\nprefix = "
	    "\"2001:db8::/95\"; } ); } );", "x.conf:2: "
	    "instances[0].prefixes[0].prefix: \"2001:db8::/95\" has a length "
	    "other than 32, 40, 48, 56, 64 and 96" },
	{ "instances = ( { " OWN HOSTS "prefixes = ( { prefix = "
	    "\"192.0.2.0/24\"; } ); } );", "x.conf:1: "
	    "instances[0].prefixes[0].prefix: \"192.0.2.0/24\" is not an IPv6 "
	    "prefix" },
	{ "instances = ( { " OWN HOSTS "prefixes = ( { range = \"10.0.0.0/8\"; } ); "
	    "} );", "x.conf:1: instances[0].prefixes[0].prefix: is "
	    "mandatory" },
	{ "instances = ( { " OWN HOSTS "prefixes = ( { prefix = "
	    "\"2001:db8::/96\"; range = \"2001:db8::/32\"; } ); } );",
	    "x.conf:1: instances[0].prefixes[0].range: must be an IPv4 "
	    "prefix" },
	{ "instances = ( { " OWN HOSTS "prefixes = ( { prefix = "
	    "\"2001:db8::/96\"; },\n{ prefix = \"2001:db8::/96\"; } ); } );",
	    "x.conf:2: instances[0].prefixes[1].prefix: \"2001:db8::/96\" is "
	    "prefixes[0] already" },
	{ INSTANCE("tos = \"256\";"), "x.conf:2: instances[0].tos: must be "
	    "\"copy\" or \"0\"-\"255\", not \"256\"" },
	{ INSTANCE("traffic_class = \"-1\";"), "x.conf:2: "
	    "instances[0].traffic_class: must be \"copy\" or \"0\"-\"255\", "
	    "not \"-1\"" },
	{ INSTANCE("udp_zero_checksum = \"x\";"), "x.conf:2: "
	    "instances[0].udp_zero_checksum: must be \"drop\", \"compute\" or "
	    "\"pass\", not \"x\"" },
	{ INSTANCE("hairpinning = \"on\";"), "x.conf:2: "
	    "instances[0].hairpinning: must be \"off\", \"simple\" or "
	    "\"intrinsic\", not \"on\"" },
	{ INSTANCE("icmp = { pool = [ \"192.0.0.0/16\" ]; };"), "x.conf:2: "
	    "instances[0].icmp.pool[0]: makes more than 256 addresses in "
	    "all" },
	{ INSTANCE("icmp = { pool = [ \"224.0.0.1\" ]; };"), "x.conf:2: "
	    "instances[0].icmp.pool[0]: must be a prefix of IPv4 unicast "
	    "addresses" },
	{ INSTANCE("icmp = { rate = 0; };"), "x.conf:2: "
	    "instances[0].icmp.rate: must be 1-1000000, not 0" },
	{ INSTANCE("mapping_files = [ \"\" ];"), "x.conf:2: "
	    "instances[0].mapping_files[0]: must not be empty" },
	{ INSTANCE("dynamic_pool = { prefix = \"10.0.0.0/8\"; leases = "
	    "\"/l\"; };"), "x.conf:2: instances[0].dynamic_pool.prefix: must "
	    "be an IPv4 prefix of /12 to /32" },
	{ INSTANCE("dynamic_pool = { prefix = \"2001:db8::/120\"; leases = "
	    "\"/l\"; };"), "x.conf:2: instances[0].dynamic_pool.prefix: must "
	    "be an IPv4 prefix of /12 to /32" },
	{ INSTANCE("dynamic_pool = { prefix = \"10.0.0.0/24\"; };"),
	    "x.conf:2: instances[0].dynamic_pool.leases: is mandatory" },
	{ INSTANCE("dynamic_pool = { prefix = \"10.0.0.0/24\"; leases = "
	    "\"l\"; };"), "x.conf:2: instances[0].dynamic_pool.leases: must be "
	    "an absolute path" },
	{ INSTANCE("queues = 2; dynamic_pool = { prefix = \"10.0.0.0/24\"; "
	    "leases = \"/l\"; };"), "x.conf:2: instances[0].dynamic_pool: "
	    "needs queues = 1: who has which address is known to one queue "
	    "only" }
};

Test(xlatd_config, names_file_line_and_mistake)
{
	for (unsigned i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		char wanted[TEXT_MAX];

		cr_expect_null(load(mistakes[i].text), "%s", mistakes[i].text);
		snprintf(wanted, sizeof(wanted), "%s\n", mistakes[i].report);
		cr_expect_str_eq(reports, wanted, "%s\nwanted: %sgot: %s",
		    mistakes[i].text, wanted, reports);
	}
}

Test(xlatd_config, refuses_two_instances_with_one_lease_file)
{
	cr_assert_null(load("instances = ( { " OWN PREFIX
	    "dynamic_pool = { prefix = \"10.0.0.0/24\"; leases = \"/l\"; }; },"
	    "\n{ device = \"b\"; ipv4_address = \"192.0.2.1\"; "
	    "ipv6_address = \"2001:db8::1\"; " PREFIX
	    "dynamic_pool = { prefix = \"10.0.1.0/24\"; leases = \"/l\"; }; } "
	    ");\n"));
	cr_expect_str_eq(reports, "x.conf:2: instances[1].dynamic_pool.leases:"
	    " is the file of instances[0] already\n");
}

/* Each number is accepted at both ends of its range, and not beyond. */
Test(xlatd_config, numbers_have_their_ranges)
{
	const struct xlatd_number *number = xlatd_numbers;

	for (; number->group != NULL; number++) {
		uint32_t scale = number->duration ? 1000 : 1;
		long long ends[] = { number->min, number->max };

		if (strcmp(number->group, "dynamic_pool") == 0 ||
		    strcmp(number->name, "mtu") == 0 ||
		    strcmp(number->name, "lowest_ipv6_mtu") == 0)
			continue;	/* need more than themselves */
		for (int i = 0; i < 4; i++) {
			long long value = ends[i / 2] / scale +
			    (i == 0 ? -1 : i == 3 ? 1 : 0);
			bool in_group = number->group[0] != '\0';
			char text[1024];
			struct xlatd_config *config;

			snprintf(text, sizeof(text), "instances = ( { " OWN
			    PREFIX "%s%s%s = %lld; %s } );\n", number->group,
			    in_group ? " = { " : "", number->name, value,
			    in_group ? "};" : "");
			config = load(text);
			cr_expect_eq(config != NULL, i == 1 || i == 2, "%s%s",
			    text, reports);
			xlatd_config_free(config);
		}
	}
}

/* --- tables.h, which reads what the configuration names -------------------- */

/* Build the tables of the first instance; returns false if it refused. */
static bool
build(const char *text, struct tables *ret)
{
	struct xlatd_config *config = load_good(text);
	bool built;

	reports[0] = '\0';
	built = tables_build(config, &config->instance[0], ret, collect, NULL);
	cr_expect_eq(built, reports[0] == '\0', "%s", reports);
	xlatd_config_free(config);
	return built;
}

static uint32_t
six_to_four(const struct tables *tables, const char *v6)
{
	struct addr addr;
	uint32_t v4 = 0;

	cr_assert(addr_parse(v6, strlen(v6), &addr));
	address_map_6to4(tables->map, &addr, &v4);
	return v4;
}

Test(tables, have_the_lines_of_all_files)
{
	struct tables tables;

	put("a.map", "# ours\n192.0.2.5 2001:db8::5\n\n");
	put("b.map", "192.0.2.6/31 2001:db8::6/127");
	cr_assert(build(INSTANCE("mapping_files = [ \"*.map\" ];\n"
	    "mapping = [ \"192.0.2.4\t2001:db8::4\", \"# nothing\" ];"),
	    &tables));
	cr_expect_eq(tables.n_eams, 3);
	cr_expect_eq(tables.siit.map, tables.map);
	cr_expect_eq(six_to_four(&tables, "2001:db8::4"), 0xc0000204);
	cr_expect_eq(six_to_four(&tables, "2001:db8::5"), 0xc0000205);
	cr_expect_eq(six_to_four(&tables, "2001:db8::7"), 0xc0000207);
	cr_expect_eq(six_to_four(&tables, "2001:db8:64::cb00:7101"),
	    0xcb007101);
	tables_free(&tables);
	tables_free(&tables);
}

Test(tables, name_file_and_line_of_each_bad_mapping)
{
	struct tables tables;

	put("a.map", "192.0.2.5 2001:db8::5\n192.0.2.6\n");
	cr_assert_not(build(INSTANCE("mapping_files = [ \"a.map\" ];\n"
	    "mapping = [ \"192.0.2.4/24 2001:db8::4\" ];"), &tables));
	cr_expect(strncmp(reports, "x.conf:3: ", 10) == 0, "%s", reports);
	cr_expect_not_null(strstr(reports, "\na.map:2: "), "%s", reports);
}

Test(tables, name_both_lines_of_a_contradiction)
{
	struct tables tables;

	put("a.map", "192.0.2.5 2001:db8::5\n");
	put("b.map", "\n\n192.0.2.6 2001:db8::5\n");
	cr_assert_not(build(INSTANCE("mapping_files = [ \"[ab].map\" ];"),
	    &tables));
	cr_expect(strncmp(reports, "b.map:3: ", 9) == 0, "%s", reports);
	cr_expect_not_null(strstr(reports, "a.map:1\n"), "%s", reports);
}

Test(tables, say_that_a_file_is_missing)
{
	struct tables tables;

	cr_assert_not(build(INSTANCE("mapping_files = [ \"no.map\" ];"),
	    &tables));
	cr_expect(strncmp(reports, "x.conf:2: mapping_files[0]: ", 28) == 0,
	    "%s", reports);
	cr_expect_not_null(strstr(reports, "no.map: cannot open: No such file "
	    "or directory\n"), "%s", reports);
}

Test(tables, report_twenty_problems_and_count_the_rest)
{
	struct tables tables;
	FILE *file = fopen("a.map", "w");
	unsigned lines = 0;

	for (unsigned i = 0; i < 30; i++)
		fputs("nonsense\n", file);
	fclose(file);
	cr_assert_not(build(INSTANCE("mapping_files = [ \"a.map\" ];"),
	    &tables));
	for (const char *c = reports; *c != '\0'; c++)
		lines += *c == '\n';
	cr_expect_eq(lines, 21, "%s", reports);
	cr_expect_not_null(strstr(reports, "and 10 more problems\n"));
}
