/* SPDX-License-Identifier: ISC */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cfgfile_values.h"
#include "tests/lib/hostile.h"
#include "tests/lib/reports.h"
#include "tests/lib/scratch_folder.h"

/* What the readers found, over these defaults. */
struct found {
	const char	*text;
	bool		 flag;
	uint32_t	 number, ms, inner, n_items, n_names;
	const char	*item_text[2];
	uint32_t	 item_number[2];
	const char	*name[3];
	unsigned	 name_line[3];
};

TestSuite(cfgfile, .init = scratch_enter, .fini = scratch_leave);

static void
put_bytes(const char *name, const void *bytes, size_t len)
{
	FILE *file = fopen(name, "w");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(bytes, 1, len, file), len);
	cr_assert_eq(fclose(file), 0);
}

static void
put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

static void
read_lists(struct cfgfile *cfgfile, struct found *found)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile);
	const struct config_setting_t *list, *setting;

	list = cfgfile_groups(cfgfile, root, "items", 1, 2, &found->n_items);
	for (uint32_t i = 0; i < found->n_items; i++) {
		setting = cfgfile_groups_at(cfgfile, list, i);
		cfgfile_require(cfgfile, setting, "text");
		cfgfile_string(cfgfile, setting, "text",
		    &found->item_text[i]);
		cfgfile_uint(cfgfile, setting, "number", 1, 100,
		    &found->item_number[i]);
	}
	list = cfgfile_strings(cfgfile, root, "names", 0, 3, &found->n_names);
	for (uint32_t i = 0; i < found->n_names; i++) {
		setting = cfgfile_strings_at(cfgfile, list, i,
		    &found->name[i]);
		if (setting != NULL)
			cfgfile_where(cfgfile, setting, &found->name_line[i]);
	}
}

/* Read what is in the file, as a daemon would. */
static bool
read_settings(struct cfgfile *cfgfile, struct found *found)
{
	const struct config_setting_t *root = cfgfile_root(cfgfile), *group;

	*found = (struct found) { .text = "default", .number = 7 };
	cfgfile_require(cfgfile, root, "text");
	cfgfile_string(cfgfile, root, "text", &found->text);
	cfgfile_bool(cfgfile, root, "flag", &found->flag);
	cfgfile_uint(cfgfile, root, "number", 1, 100, &found->number);
	cfgfile_duration(cfgfile, root, "delay", 100, 86400000, &found->ms);
	group = cfgfile_group(cfgfile, root, "group");
	cfgfile_uint(cfgfile, group, "inner", 0, UINT32_MAX, &found->inner);
	read_lists(cfgfile, found);
	return cfgfile_finish(cfgfile);
}

/* Read t.conf and return what was reported, in a static buffer. */
static const char *
reports_of_file(void)
{
	static char reports[REPORTS_MAX];
	struct cfgfile *cfgfile;
	struct found found;
	bool good;

	reports[0] = '\0';
	cfgfile = cfgfile_open("t.conf", reports_collect, reports);
	good = cfgfile != NULL && read_settings(cfgfile, &found);
	cfgfile_close(cfgfile);
	cr_assert_eq(good, reports[0] == '\0', "good %d with reports:\n%s",
	    good, reports);
	return reports;
}

static const char *
reports_of(const char *text)
{
	put("t.conf", text);
	return reports_of_file();
}

static const char good_text[] =
    "# a comment with \"quotes\" and /* no comment\n"
    "text = \"one \" \"string\"; flag = true;\n"
    "number = 100; delay = 1.5; // another\n"
    "group = { inner = 4294967295L; };\n"
    "items = (\n"
    "\t{ text = \"a\"; number = 0x10; },\n"
    "\t{ text = \"b \\\" \\\\ \\x41\"; }\n"
    ");\n"
    "names = [\n"
    "\t\"first\",\n"
    "\t/* a comment\n"
    "\t   of two lines */ \"second\"\n"
    "\t    \"-half\",\n"
    "\t\"third\"\n"
    "];\n";

Test(cfgfile, reads_every_type)
{
	char reports[REPORTS_MAX] = "";
	struct cfgfile *cfgfile;
	struct found found;

	put("t.conf", good_text);
	cfgfile = cfgfile_open("t.conf", reports_collect, reports);
	cr_assert_not_null(cfgfile, "%s", reports);
	cr_expect(read_settings(cfgfile, &found), "%s", reports);
	cr_expect_str_eq(found.text, "one string");
	cr_expect(found.flag);
	cr_expect_eq(found.number, 100);
	cr_expect_eq(found.ms, 1500);
	cr_expect_eq(found.inner, UINT32_MAX);
	cr_expect_eq(found.n_items, 2);
	cr_expect_str_eq(found.item_text[0], "a");
	cr_expect_eq(found.item_number[0], 16);
	cr_expect_str_eq(found.item_text[1], "b \" \\ A");
	cr_expect_eq(found.n_names, 3);
	cr_expect_str_eq(found.name[0], "first");
	cr_expect_eq(found.name_line[0], 10);
	cr_expect_str_eq(found.name[1], "second-half");
	cr_expect_eq(found.name_line[1], 12);
	cr_expect_str_eq(found.name[2], "third");
	cr_expect_eq(found.name_line[2], 14);
	cfgfile_close(cfgfile);
}

Test(cfgfile, leaves_defaults_where_nothing_is_set)
{
	char reports[REPORTS_MAX] = "";
	struct cfgfile *cfgfile;
	struct found found;

	put("t.conf", "text = \"\"; names = ( ); flag = 1;");
	cfgfile = cfgfile_open("t.conf", reports_collect, reports);
	cr_assert_not_null(cfgfile, "%s", reports);
	cr_expect_not(read_settings(cfgfile, &found));
	cr_expect_str_eq(reports,
	    "t.conf:1: flag: must be true or false\n");
	cr_expect_str_eq(found.text, "");
	cr_expect_eq(found.number, 7);
	cr_expect_eq(found.ms, 0);
	cr_expect_eq(found.n_items, 0);
	cr_expect_eq(found.n_names, 0);
	cfgfile_close(cfgfile);
}

Test(cfgfile, a_missing_group_is_an_empty_one)
{
	cr_expect_str_eq(reports_of("text = \"x\"; inner = 1;"),
	    "t.conf:1: inner: unknown setting\n");
}

Test(cfgfile, says_where_and_what_is_wrong)
{
	static const struct wrong cases[] = {
		{ "", "t.conf: text: is mandatory\n" },
		{ "\ntext = 5;", "t.conf:2: text: must be a string\n" },
		{ "text = [ \"a\" ];", "t.conf:1: text: must be a string\n" },
		{ "text = \"\"; flag = \"true\";",
		    "t.conf:1: flag: must be true or false\n" },
		{ "text = \"\"; number = \"5\";",
		    "t.conf:1: number: must be an integer\n" },
		{ "text = \"\"; number = 5.0;",
		    "t.conf:1: number: must be an integer\n" },
		{ "text = \"\"; number = true;",
		    "t.conf:1: number: must be an integer\n" },
		{ "text = \"\"; number = 0;",
		    "t.conf:1: number: must be 1-100, not 0\n" },
		{ "text = \"\"; number = -1;",
		    "t.conf:1: number: must be 1-100, not -1\n" },
		{ "text = \"\"; number = 4294967297L;",
		    "t.conf:1: number: must be 1-100, not 4294967297\n" },
		{ "text = \"\"; delay = \"5\";",
		    "t.conf:1: delay: must be a number of seconds\n" },
		{ "text = \"\"; delay = 0;",
		    "t.conf:1: delay: must be 0.1-86400 seconds, not 0\n" },
		{ "text = \"\"; delay = 0.099;",
		    "t.conf:1: delay: must be 0.1-86400 seconds, not 0.099\n" },
		{ "text = \"\"; delay = 86400.5;",
		    "t.conf:1: delay: must be 0.1-86400 seconds, "
		    "not 86400.5\n" },
		{ "text = \"\"; delay = 1.0e400;",
		    "t.conf:1: delay: must be 0.1-86400 seconds, not inf\n" },
		{ "text = \"\"; delay = -1.0e400;",
		    "t.conf:1: delay: must be 0.1-86400 seconds, not -inf\n" },
		{ "text = \"\"; group = 5;",
		    "t.conf:1: group: must be a group: { ... }\n" },
		{ "text = \"\"; group = ( { inner = 1; } );",
		    "t.conf:1: group: must be a group: { ... }\n" },
		{ "text = \"\"; group = {\n inner = 1.5; };",
		    "t.conf:2: group.inner: must be an integer\n" },
		{ "text = \"\"; items = { text = \"a\"; };",
		    "t.conf:1: items: must be a list of groups: "
		    "( { ... }, ... )\n" },
		{ "text = \"\"; items = ( );",
		    "t.conf:1: items: must have 1-2 elements, not 0\n" },
		{ "text = \"\"; items = ( {}, {}, {} );",
		    "t.conf:1: items: must have 1-2 elements, not 3\n" },
		{ "text = \"\"; items = ( { text = \"a\"; },\n 5 );",
		    "t.conf:2: items[1]: must be a group: { ... }\n" },
		{ "text = \"\"; items = ( { text = \"a\"; },\n { } );",
		    "t.conf:2: items[1].text: is mandatory\n" },
		{ "text = \"\"; items = ( { text = \"a\"; },\n"
		    " { text = \"b\";\n number = 101; } );",
		    "t.conf:3: items[1].number: must be 1-100, not 101\n" },
		{ "text = \"\"; names = \"a\";",
		    "t.conf:1: names: must be a list of strings: "
		    "[ \"...\", ... ]\n" },
		{ "text = \"\"; names = [ 1 ];",
		    "t.conf:1: names[0]: must be a string\n" },
		{ "text = \"\"; names = ( \"a\", { } );",
		    "t.conf:1: names[1]: must be a string\n" },
		{ "text = 1; number = \"x\"; flag = 2;",
		    "t.conf:1: text: must be a string\n"
		    "t.conf:1: flag: must be true or false\n"
		    "t.conf:1: number: must be an integer\n" }
	};

	REPORTS_EXPECT(cases, reports_of);
}

Test(cfgfile, refuses_unknown_settings_at_every_depth)
{
	static const struct wrong cases[] = {
		{ "text = \"\";\nsomething = 1;",
		    "t.conf:2: something: unknown setting\n" },
		{ "text = \"\"; Text = \"\";",
		    "t.conf:1: Text: unknown setting; did you mean "
		    "\"text\"?\n" },
		{ "text = \"\"; numbers = 5;",
		    "t.conf:1: numbers: unknown setting; did you mean "
		    "\"number\"?\n" },
		{ "text = \"\"; group = {\n iner = 1; };",
		    "t.conf:2: group.iner: unknown setting; did you mean "
		    "\"inner\"?\n" },
		{ "text = \"\"; group = { deep = { deeper = ( 1 ); }; };",
		    "t.conf:1: group.deep: unknown setting\n" },
		{ "text = \"\"; items = ( { text = \"a\";\n"
		    " numbr = 1; } );",
		    "t.conf:2: items[0].numbr: unknown setting; did you mean "
		    "\"number\"?\n" },
		{ "text = \"\"; group = { }; a = { }; b = ( ); c = [ ];",
		    "t.conf:1: a: unknown setting\n"
		    "t.conf:1: b: unknown setting\n"
		    "t.conf:1: c: unknown setting\n" }
	};

	REPORTS_EXPECT(cases, reports_of);
}

Test(cfgfile, says_where_the_syntax_is_wrong)
{
	static const struct wrong cases[] = {
		{ "text = \"a\";\n\nnumber = = 5;",
		    "t.conf:3: syntax error\n" },
		{ "a = 1;\na = 2;", "t.conf:2: duplicate setting name\n" },
		{ "a = [ 1,\n\"x\" ];",
		    "t.conf:2: mismatched element type in array\n" },
		{ "a = {", "t.conf:1: syntax error\n" }
	};

	REPORTS_EXPECT(cases, reports_of);
}

/* Each of these libconfig 1.5 takes for something else, without a word. */
Test(cfgfile, refuses_what_libconfig_misreads)
{
	static const struct wrong cases[] = {
		{ "text = \"\";\nnumber = 4294967297;",
		    "t.conf:2: the number is too large\n" },
		{ "number = 2147483648;",
		    "t.conf:1: the number is too large\n" },
		{ "number = -4294967297;",
		    "t.conf:1: the number is too large\n" },
		{ "number = 0x100000001;",
		    "t.conf:1: the number is too large\n" },
		{ "number = 9223372036854775808L;",
		    "t.conf:1: the number is too large\n" },
		{ "number = [ 1,2,\n99999999999999999999999999999 ];",
		    "t.conf:2: the number is too large\n" },
		{ "text = \"\"; # 4294967297\nnames = [ \"4294967297\" ];"
		    "number = 4; /* 4294967297 */ x4294967297 = 1;",
		    "t.conf:2: x4294967297: unknown setting\n" },
		{ "text = \"a\";\nnumber = 1; text = \"b;\n",
		    "t.conf:2: syntax error: a string that never ends\n" },
		{ "text = \"a\\\"",
		    "t.conf:1: syntax error: a string that never ends\n" },
		{ "text = \"a\";\n/* number = 1;\n",
		    "t.conf:2: syntax error: a comment that never ends\n" },
		{ "text = \"a\\x00b\";",
		    "t.conf:1: a string with a NUL octet in it\n" }
	};

	REPORTS_EXPECT(cases, reports_of);
	put_bytes("t.conf", "a = 1;\n\0b = 2;", 14);
	cr_expect_str_eq(reports_of_file(),
	    "t.conf:2: a NUL octet: not a configuration file\n");
	put_bytes("t.conf", "text = \"a\0b\";", 13);
	cr_expect_str_eq(reports_of_file(),
	    "t.conf:1: a string with a NUL octet in it\n");
	put_bytes("t.conf", "text = \"a\\\0b\";", 14);
	cr_expect_str_eq(reports_of_file(),
	    "t.conf:1: a string with a NUL octet in it\n");
	put_bytes("t.conf", "text = \"\"; # \0", 14);
	cr_expect_str_eq(reports_of_file(),
	    "t.conf:1: a NUL octet: not a configuration file\n");
}

Test(cfgfile, says_why_a_file_cannot_be_read)
{
	char reports[REPORTS_MAX] = "";

	cr_expect_null(cfgfile_open("none.conf", reports_collect, reports));
	cr_expect_null(cfgfile_open("/", reports_collect, reports));
	cr_expect_str_eq(reports,
	    "none.conf: cannot read: No such file or directory\n"
	    "/: cannot read: Is a directory\n");
}

Test(cfgfile, names_the_included_file_and_its_line)
{
	put("one.inc", "\n\nnumber = \"a\";");
	put("two.inc", "\n@include \"three.inc\" delay = 0;\n\n");
	put("three.inc", "group = {\n  inner = \"x\";\n}\n");
	cr_expect_str_eq(reports_of("text = \"x\";\n  @include \"one.inc\" "
	    "flag = 1;\nitems = ( {\n@include \"two.inc\"\n text = 5;\n} );\n"
	    "@include\t\"three.inc\"\n last = 1;"),
	    "t.conf:2: flag: must be true or false\n"
	    "one.inc:3: number: must be an integer\n"
	    "three.inc:2: group.inner: must be an integer\n"
	    "t.conf:5: items[0].text: must be a string\n"
	    "three.inc:1: items[0].group: unknown setting\n"
	    "two.inc:2: items[0].delay: unknown setting\n"
	    "t.conf:8: last: unknown setting\n");
}

Test(cfgfile, keeps_syntax_errors_and_strings_of_includes_in_place)
{
	put("one.inc", "names = [\n\"a\",\n\"b\",\n");
	cr_expect_str_eq(reports_of("text = \"x\";\n@include \"one.inc\"\n"
	    "\"c\"\n,\n\"d\" \"e\"\n];"),
	    "one.inc:1: names: must have 0-3 elements, not 4\n");
	cr_expect_str_eq(reports_of("text = \"x\";\n@include \"one.inc\"\n"
	    "5 ];"), "t.conf:3: mismatched element type in array\n");
	put("one.inc", "\n=\n");
	cr_expect_str_eq(reports_of("text = \"x\";\n@include \"one.inc\"\n"),
	    "one.inc:2: syntax error\n");
	put("one.inc", "\n\"\n");
	cr_expect_str_eq(reports_of("text = \"x\";\n@include \"one.inc\"\n"),
	    "one.inc:2: syntax error: a string that never ends\n");
}

Test(cfgfile, takes_include_only_where_libconfig_would)
{
	static const struct wrong cases[] = {
		{ "text = \"x\";\n@include \"none.inc\"\n",
		    "t.conf:2: @include: cannot read none.inc: "
		    "No such file or directory\n" },
		{ "@include \"/\"\n",
		    "t.conf:1: @include: cannot read /: Is a directory\n" },
		{ "@include \"t.conf\"\n", "t.conf:1: @include: cannot read "
		    "t.conf: too many files that include each other\n" },
		{ "text = \"\"; @include \"one.inc\"\n",
		    "t.conf:1: syntax error: '@' other than in @include "
		    "\"path\" at the beginning of a line\n" },
		{ "@include \"one.inc\" @include \"one.inc\"\n",
		    "t.conf:1: syntax error: '@' other than in @include "
		    "\"path\" at the beginning of a line\n" },
		{ "@include one.inc\n",
		    "t.conf:1: syntax error: '@' other than in @include "
		    "\"path\" at the beginning of a line\n" },
		{ "@include \"one\n.inc\"\n",
		    "t.conf:1: syntax error: '@' other than in @include "
		    "\"path\" at the beginning of a line\n" },
		{ "@include \"", "t.conf:1: syntax error: '@' other than in "
		    "@include \"path\" at the beginning of a line\n" },
		{ "text = \"\n@include \\\"none.inc\\\"\n\";\n/*\n"
		    "@include \"none.inc\"\n*/\n//@include \"none.inc\"\n",
		    "" }
	};

	put("one.inc", "number = 1;");
	REPORTS_EXPECT(cases, reports_of);
}

Test(cfgfile, finds_includes_in_the_folder_of_the_file)
{
	char reports[REPORTS_MAX] = "";
	struct cfgfile *cfgfile;
	struct found found;

	cr_assert_eq(mkdir("sub", 0755), 0);
	put("sub/t.conf", "@include \"more/one.inc\"\n");
	cr_assert_eq(mkdir("sub/more", 0755), 0);
	put("sub/more/one.inc", "@include \"two.inc\"\nnumber = 0;");
	put("sub/two.inc", "text = \"two\"; flag = 0;");
	cfgfile = cfgfile_open("sub/t.conf", reports_collect, reports);
	cr_assert_not_null(cfgfile, "%s", reports);
	cr_expect_not(read_settings(cfgfile, &found));
	cr_expect_str_eq(found.text, "two");
	cr_expect_str_eq(reports,
	    "sub/two.inc:1: flag: must be true or false\n"
	    "sub/more/one.inc:2: number: must be 1-100, not 0\n");
	cfgfile_close(cfgfile);
}

Test(cfgfile, stops_reporting_at_some_point)
{
	char text[4096] = "text = \"\";\n";
	const char *reports;
	size_t len = strlen(text), lines = 0;

	for (int i = 0; i < 100; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
		    "s%d = 1;\n", i);
	reports = reports_of(text);
	for (const char *c = reports; *c != '\0'; c++)
		lines += *c == '\n';
	cr_expect_eq(lines, CFGFILE_PROBLEMS_MAX + 1, "%s", reports);
	cr_expect_not_null(strstr(reports, "t.conf:21: s19: unknown setting\n"
	    "t.conf: there are more problems than these 20\n"), "%s", reports);
}

/* Whatever the file holds: it is good, or something is reported. */
static void
survive(const uint8_t *bytes, size_t len, void *arg)
{
	(void)arg;
	put_bytes("t.conf", bytes, len);
	reports_of_file();
}

Test(cfgfile, survives_every_cut_and_bit_flip)
{
	hostile_cuts(good_text, sizeof(good_text) - 1, survive, NULL);
	hostile_bit_flips(good_text, sizeof(good_text) - 1, survive, NULL);
}
