/* SPDX-License-Identifier: ISC */
#include "jumpd/host_key_make.h"

#include <criterion/criterion.h>
#include <libssh/libssh.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/scratch_folder.h"

enum { MANY = 64 };	/* keys, of which half need an octet before a number,
			 * and one in 128 or so has a short one */

static char problem[512];

TestSuite(host_key_make, .init = scratch_enter, .fini = scratch_leave);
TestSuite(host_keys, .init = scratch_enter, .fini = scratch_leave);

static mode_t
mode_of(const char *path)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0, "%s", path);
	return st.st_mode & 07777;
}

static const char *	/* valid until the next call */
text_of(const char *path)
{
	static char text[8192];
	FILE *file = fopen(path, "r");
	size_t n;

	cr_assert_not_null(file, "%s", path);
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	return text;
}

static void
put(const char *path, const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	cr_assert_neq(fputs(text, file), EOF);
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(chmod(path, mode), 0);
}

static struct host_keys *	/* owned by the caller; NULL: see `problem` */
load(enum host_key_type type, const char *path)
{
	const char *paths[N_HOST_KEY_TYPES] = { "", "", "" };
	enum host_key_type about = N_HOST_KEY_TYPES;
	struct host_keys *keys;

	paths[type] = path;
	keys = host_keys_load(paths, problem, sizeof(problem), &about);
	if (keys == NULL)
		cr_expect_eq(about, type);
	return keys;
}

static void
expect_halves_match(const char *path)
{
	ssh_key private = NULL, public = NULL;
	char pub[64], line[2048], *text = NULL;

	cr_assert_eq(ssh_pki_import_privkey_file(path, NULL, NULL, NULL,
	    &private), SSH_OK, "%s", path);
	cr_assert_eq(ssh_pki_export_privkey_to_pubkey(private, &public),
	    SSH_OK);
	cr_assert_eq(ssh_pki_export_pubkey_base64(public, &text), SSH_OK);
	snprintf(line, sizeof(line), "%s %s \n", ssh_key_type_to_char(
	    ssh_key_type(public)), text);
	snprintf(pub, sizeof(pub), "%s.pub", path);
	cr_expect_str_eq(text_of(pub), line);
	ssh_string_free_char(text);
	ssh_key_free(public);
	ssh_key_free(private);
}

Test(host_key_make, makes_keys_that_sign_key_exchanges)
{
	static const mode_t masks[] = { 022, 077, 0 };
	enum host_key_type type;
	struct host_keys *keys;
	char path[32], pub[40];

	for (type = 0; type < N_HOST_KEY_TYPES; type++) {
		umask(masks[type]);
		snprintf(path, sizeof(path), "key-%d", (int)type);
		snprintf(pub, sizeof(pub), "%s.pub", path);
		cr_assert(host_key_make(type, path, problem,
		    sizeof(problem)), "%s", problem);
		cr_expect_eq(mode_of(path), 0600);
		cr_expect_eq(mode_of(pub), 0644);
		cr_expect_eq(strncmp(text_of(path),
		    "-----BEGIN OPENSSH PRIVATE KEY-----\n", 36), 0);
		expect_halves_match(path);
		keys = load(type, path);
		cr_assert_not_null(keys, "%s", problem);
		cr_expect(host_keys_warm(keys), "%s", path);
		host_keys_free(keys);
	}
}

Test(host_key_make, makes_no_key_twice)
{
	char first[8192];
	unsigned i;
	char path[32];

	for (i = 0; i < MANY; i++) {
		snprintf(path, sizeof(path), "ecdsa-%u", i);
		cr_assert(host_key_make(HOST_KEY_ECDSA, path, problem,
		    sizeof(problem)), "%s", problem);
		expect_halves_match(path);
		snprintf(path, sizeof(path), "ecdsa-%u.pub", i);
		if (i == 0)
			snprintf(first, sizeof(first), "%s", text_of(path));
		else
			cr_expect_str_neq(text_of(path), first);
	}
}

Test(host_key_make, writes_over_no_key)
{
	put("key", "a key\n", 0600);
	put("key.pub", "its other half\n", 0644);
	cr_expect_not(host_key_make(HOST_KEY_ED25519, "key", problem,
	    sizeof(problem)));
	cr_expect_str_eq(problem, "File exists");
	cr_expect_str_eq(text_of("key"), "a key\n");
	cr_expect_str_eq(text_of("key.pub"), "its other half\n");
	/* Nor through a link that leads nowhere yet. */
	cr_assert_eq(symlink("elsewhere", "link"), 0);
	cr_expect_not(host_key_make(HOST_KEY_ED25519, "link", problem,
	    sizeof(problem)));
	cr_expect_neq(access("elsewhere", F_OK), 0);
}

Test(host_key_make, replaces_the_other_half_of_a_key_that_is_gone)
{
	put("key.pub", "of another\n", 0600);
	cr_assert(host_key_make(HOST_KEY_ED25519, "key", problem,
	    sizeof(problem)));
	cr_expect_eq(mode_of("key.pub"), 0644);
	expect_halves_match("key");
}

Test(host_key_make, leaves_nothing_if_it_fails)
{
	cr_expect_not(host_key_make(HOST_KEY_ED25519, "no/such/folder",
	    problem, sizeof(problem)));
	cr_expect_str_eq(problem, "No such file or directory");
	cr_assert_eq(mkdir("key.pub", 0755), 0);
	cr_expect_not(host_key_make(HOST_KEY_ED25519, "key", problem,
	    sizeof(problem)));
	cr_expect_neq(access("key", F_OK), 0);
}

Test(host_keys, refuses_what_is_no_key_of_its_own)
{
	cr_assert(host_key_make(HOST_KEY_ED25519, "good", problem,
	    sizeof(problem)));
	put("text", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", 0600);
	put("empty", "", 0600);
	cr_assert_eq(mkdir("folder", 0700), 0);
	cr_expect_null(load(HOST_KEY_ECDSA, "good"));
	cr_expect_str_eq(problem, "good: a key of another type");
	cr_expect_null(load(HOST_KEY_ED25519, "text"));
	cr_expect_str_eq(problem,
	    "text: not a private key without a passphrase");
	cr_expect_null(load(HOST_KEY_ED25519, "empty"));
	cr_expect_null(load(HOST_KEY_ED25519, "good.pub"));
	cr_expect_str_eq(problem,
	    "good.pub: others may read it: chmod 600");
	cr_expect_null(load(HOST_KEY_ED25519, "folder"));
	cr_expect_str_eq(problem, "folder: not a regular file");
	cr_expect_null(load(HOST_KEY_ED25519, "missing"));
	cr_expect_str_eq(problem, "missing: No such file or directory");
	cr_assert_eq(chmod("good", 0640), 0);
	cr_expect_null(load(HOST_KEY_ED25519, "good"));
	cr_expect_str_eq(problem, "good: others may read it: chmod 600");
}
