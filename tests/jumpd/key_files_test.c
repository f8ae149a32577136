/* SPDX-License-Identifier: ISC */
#include "jumpd/key_files.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/lib/ssh_vectors.h"

static char folder[] = "/tmp/popgate-keys-XXXXXX";

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

static void
remove_folder(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_expect_eq(system(command), 0);
}

static const struct sandbox_ids ids;

struct told {
	unsigned	n;
	uint32_t	line;
	char		text[256];
};

static void
tell(void *arg, const char *file, uint32_t line, const char *text)
{
	struct told *told = arg;

	(void)file;
	told->n++;
	told->line = line;
	snprintf(told->text, sizeof(told->text), "%s", text);
}

/* "kind users text" of each file, as it stands in the memfd. */
static char *
contents(int fd, uint64_t octets)
{
	static char out[4096];
	const char *bundle = mmap(NULL, octets > 0 ? octets : 1, PROT_READ,
	    MAP_SHARED, fd, 0);
	struct key_file file;
	size_t at = 0, n = 0;

	out[0] = '\0';
	while (key_bundle_next(bundle, octets, &at, &file))
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%d %d %.*s|",
		    (int)file.kind, (int)file.users, (int)file.len,
		    file.text);
	cr_expect_eq(at, octets);
	close(fd);
	return out;
}

Test(key_files, collects_what_the_patterns_match)
{
	static const struct key_file_rule rules[] = {
		{ KEY_FILE_AUTHORIZED, 1, "a.keys" },
		{ KEY_FILE_AUTHORIZED, 2, "*.keys" },
		{ KEY_FILE_TRUSTED_CA, 3, "ca" },
		{ KEY_FILE_REVOKED, 0, "ca" },
		{ KEY_FILE_AUTHORIZED, 4, "./a.keys" },
		{ KEY_FILE_AUTHORIZED, 4, "*.none" },
	};
	struct told told = { 0 };
	uint64_t octets;
	int fd;

	cr_assert_not_null(mkdtemp(folder));
	write_file("a.keys", "a");
	write_file("b.keys", "b");
	write_file("ca", "c");
	cr_assert(key_files_collect(folder, rules, 6, &fd, &octets, tell,
		      &told), "%s", told.text);
	/* a file that several rules match is there once */
	cr_expect_str_eq(contents(fd, octets), "1 7 a|1 2 b|2 3 c|3 0 c|");
	cr_expect_eq(told.n, 0);
	cr_assert(key_files_collect(folder, rules, 0, &fd, &octets, tell,
		      &told));
	cr_expect_eq(octets, 0);
	close(fd);
	remove_folder();
}

Test(key_files, tells_what_is_missing)
{
	static const struct key_file_rule rules[] = {
		{ KEY_FILE_AUTHORIZED, 1, "a.keys" },
		{ KEY_FILE_REVOKED, 0, "no.krl" },
	};
	struct told told = { 0 };
	uint64_t octets = 7;
	int fd = 7;

	cr_assert_not_null(mkdtemp(folder));
	write_file("a.keys", "a");
	cr_expect_not(key_files_collect(folder, rules, 2, &fd, &octets, tell,
			  &told));
	cr_expect_eq(told.n, 1);
	cr_expect_eq(fd, 7);
	remove_folder();
}

Test(key_files, cannot_be_changed_afterwards)
{
	static const struct key_file_rule rule = { KEY_FILE_AUTHORIZED, 1,
		"a" };
	struct told told = { 0 };
	uint64_t octets;
	int fd;

	cr_assert_not_null(mkdtemp(folder));
	write_file("a", "a");
	cr_assert(key_files_collect(folder, &rule, 1, &fd, &octets, tell,
		      &told));
	cr_expect_lt(pwrite(fd, "x", 1, 0), 0);
	cr_expect_neq(ftruncate(fd, 0), 0);
	close(fd);
	remove_folder();
}

Test(key_files, checks_every_line)
{
	static const struct key_file_rule rule[] = {
		{ KEY_FILE_AUTHORIZED, 1, "keys" },
		{ KEY_FILE_REVOKED, 0, "revoked" },
	};
	char *key = ssh_vector_text("key-ed25519"), text[1000];
	struct told told = { 0 };
	uint64_t octets;
	int fd;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(text, sizeof(text), "%s\n\ncommand=\"x\" %s\n", key, key);
	write_file("keys", text);
	write_file("revoked", "serial: 5\n");
	cr_assert(key_files_collect(folder, rule, 2, &fd, &octets, tell,
		      &told));
	/* sshd passes such lines over, and so do we */
	cr_expect(key_files_check(fd, octets, &ids, tell, &told));
	cr_expect_eq(told.n, 1);
	cr_expect_eq(told.line, 3);
	cr_expect_str_eq(told.text, "option \"command\" cannot be honoured "
				    "here; the line holds for nobody");
	close(fd);
	write_file("revoked", "serial: 5\nserial: x\n");
	cr_assert(key_files_collect(folder, rule, 2, &fd, &octets, tell,
		      &told));
	cr_expect_not(key_files_check(fd, octets, &ids, tell, &told));
	cr_expect_eq(told.line, 2);
	close(fd);
	/* what users write to a log is what can be printed */
	write_file("keys", "fo\x1b\xff\n");
	write_file("revoked", "");
	cr_assert(key_files_collect(folder, rule, 2, &fd, &octets, tell,
		      &told));
	cr_expect(key_files_check(fd, octets, &ids, tell, &told));
	cr_expect_eq(told.line, 1);
	close(fd);
	cr_expect(key_files_check(-1, 0, &ids, tell, &told));
	free(key);
	remove_folder();
}
