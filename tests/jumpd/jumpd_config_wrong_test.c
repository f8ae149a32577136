/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/jumpd_config_case.h"
#include "tests/lib/reports.h"
#include "tests/lib/scratch_folder.h"

TestSuite(jumpd_config_wrong, .init = scratch_enter, .fini = scratch_leave);

static const char *
refused(const char *text)
{
	cr_expect_null(config_load(text), "%s", text);
	return config_reports;
}

Test(jumpd_config_wrong, says_what_is_wrong_with_the_process)
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

	REPORTS_EXPECT(cases, refused);
}

Test(jumpd_config_wrong, bounds_the_banner)
{
	static char text[JUMPD_BANNER_MAX + 256], line[JUMPD_BANNER_MAX + 2];
	struct jumpd_config *config;

	memset(line, 'x', sizeof(line) - 1);
	snprintf(text, sizeof(text), LISTENERS LOGIN "banner = \"%.*s\";",
	    JUMPD_BANNER_MAX, line);
	config = config_load_good(text);
	cr_expect_eq(config->settings.banner_len, JUMPD_BANNER_MAX);
	jumpd_config_free(config);
	snprintf(text, sizeof(text), LISTENERS LOGIN "banner = \"%s\";",
	    line);
	cr_expect_null(config_load(text));
	cr_expect_str_eq(config_reports, "j.conf:3: banner: must be at most "
	    "4096 octets, not 4097\n");
}

#define SECOND(settings) "listeners = ( { address = \"192.0.2.1\"; }, {\n" \
	settings "} );\n" LOGIN

Test(jumpd_config_wrong, says_what_is_wrong_with_listeners)
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

	REPORTS_EXPECT(cases, refused);
}

Test(jumpd_config_wrong, says_what_is_wrong_with_logins)
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

	REPORTS_EXPECT(cases, refused);
}

#define USERS(settings) LISTENERS LOGIN "users = ( { name = \"a\"; }, {\n" \
	settings " } );"

Test(jumpd_config_wrong, says_what_is_wrong_with_users)
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

	REPORTS_EXPECT(cases, refused);
}

Test(jumpd_config_wrong, says_what_is_wrong_with_targets)
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

	REPORTS_EXPECT(cases, refused);
}
