/* SPDX-License-Identifier: ISC */
#include "jumpd/key_blob.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/lib/hostile.h"
#include "tests/lib/ssh_vectors.h"

Test(key_blob, reads_every_type_of_key)
{
	static const struct {
		const char		*name;
		enum deny_reason	 reason;
		enum key_type		 type;
		unsigned		 bits;
	} cases[] = {
		{ "key-ed25519", DENY_NONE, KEY_ED25519, 0 },
		{ "key-ecdsa256", DENY_NONE, KEY_ECDSA_256, 0 },
		{ "key-ecdsa384", DENY_NONE, KEY_ECDSA_384, 0 },
		{ "key-ecdsa521", DENY_NONE, KEY_ECDSA_521, 0 },
		{ "key-rsa2048", DENY_NONE, KEY_RSA, 2048 },
		{ "key-rsa4096", DENY_NONE, KEY_RSA, 4096 },
		{ "key-rsa1024", DENY_KEY_WEAK, KEY_RSA, 0 },
		{ "key-dsa", DENY_KEY_TYPE, 0, 0 },
		{ "cert-key-ed25519", DENY_KEY_TYPE, 0, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ssh_vector v = ssh_vector_load(cases[i].name);
		struct key_blob key = { 0 };

		cr_expect_eq(key_blob_read(v.bytes, v.len, &key),
		    cases[i].reason, "%s", cases[i].name);
		if (cases[i].reason == DENY_NONE) {
			cr_expect_eq(key.type, cases[i].type, "%s",
			    cases[i].name);
			cr_expect_eq(key.rsa_bits, cases[i].bits, "%s",
			    cases[i].name);
		}
		cr_expect_eq(key_blob_is_cert(v.bytes, v.len),
		    strncmp(cases[i].name, "cert", 4) == 0, "%s",
		    cases[i].name);
		ssh_vector_free(&v);
	}
}

/* fields: name, then strings of so many octets that begin with `first`. */
static enum deny_reason
read_made(const char *type, const char *curve, uint8_t first, size_t octets,
    const char *application)
{
	struct ssh_build b = { 0 };
	uint8_t point[200] = { 0 };
	struct key_blob key;

	point[0] = first;
	ssh_build_text(&b, type);
	if (curve != NULL)
		ssh_build_text(&b, curve);
	ssh_build_string(&b, point, octets);
	if (application != NULL)
		ssh_build_text(&b, application);
	return key_blob_read(b.bytes, b.len, &key);
}

Test(key_blob, wants_fields_of_the_right_size)
{
	static const struct {
		const char		*type, *curve;
		uint8_t			 first;
		size_t			 octets;
		const char		*application;
		enum deny_reason	 reason;
	} cases[] = {
		{ "ssh-ed25519", NULL, 1, 32, NULL, DENY_NONE },
		{ "ssh-ed25519", NULL, 1, 31, NULL, DENY_KEY_MALFORMED },
		{ "ssh-ed25519", NULL, 1, 33, NULL, DENY_KEY_MALFORMED },
		{ "ssh-ed25519", NULL, 1, 32, "x", DENY_KEY_MALFORMED },
		{ "ecdsa-sha2-nistp256", "nistp256", 4, 65, NULL, DENY_NONE },
		{ "ecdsa-sha2-nistp256", "nistp384", 4, 65, NULL,
		    DENY_KEY_MALFORMED },
		{ "ecdsa-sha2-nistp256", "nistp256", 2, 33, NULL,
		    DENY_KEY_MALFORMED },	/* a compressed point */
		{ "ecdsa-sha2-nistp256", "nistp256", 4, 97, NULL,
		    DENY_KEY_MALFORMED },
		{ "ecdsa-sha2-nistp521", "nistp521", 4, 133, NULL,
		    DENY_NONE },
		{ "sk-ssh-ed25519@openssh.com", NULL, 1, 32, "ssh:",
		    DENY_NONE },
		{ "sk-ssh-ed25519@openssh.com", NULL, 1, 32, NULL,
		    DENY_KEY_MALFORMED },
		{ "sk-ssh-ed25519@openssh.com", NULL, 1, 32, "",
		    DENY_KEY_MALFORMED },
		{ "sk-ecdsa-sha2-nistp256@openssh.com", "nistp256", 4, 65,
		    "ssh:", DENY_NONE },
		{ "ssh-ed448", NULL, 1, 57, NULL, DENY_KEY_TYPE },
		{ "", NULL, 1, 32, NULL, DENY_KEY_MALFORMED },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(read_made(cases[i].type, cases[i].curve,
				 cases[i].first, cases[i].octets,
				 cases[i].application),
		    cases[i].reason, "case %zu: %s", i, cases[i].type);
}

static enum deny_reason
read_rsa(const void *e, size_t e_len, size_t n_octets, const uint8_t n_start[2],
    uint8_t n_end)
{
	struct ssh_build b = { 0 };
	uint8_t n[4096] = { 0 };
	struct key_blob key;

	memcpy(n, n_start, 2);
	n[n_octets - 1] = n_end;
	ssh_build_text(&b, "ssh-rsa");
	ssh_build_string(&b, e, e_len);
	ssh_build_string(&b, n, n_octets);
	return key_blob_read(b.bytes, b.len, &key);
}

Test(key_blob, wants_sane_rsa_numbers)
{
	static const uint8_t f4[] = { 1, 0, 1 }, one[] = { 1 }, even[] = { 2 },
			     padded[] = { 0, 1, 0, 1 }, negative[] = { 0x81 },
			     nine[9] = { 1, 0, 0, 0, 0, 0, 0, 0, 1 };
	static const uint8_t top[2] = { 0, 0x80 }, none[2] = { 0x80, 0 },
			     small[2] = { 0, 1 };

	cr_expect_eq(read_rsa(f4, 3, 257, top, 1), DENY_NONE);
	cr_expect_eq(read_rsa(f4, 3, 2049, top, 1), DENY_NONE);
	cr_expect_eq(read_rsa(f4, 3, 2050, top, 1), DENY_KEY_MALFORMED);
	cr_expect_eq(read_rsa(f4, 3, 256, top, 1), DENY_KEY_WEAK);
	cr_expect_eq(read_rsa(f4, 3, 257, top, 2), DENY_KEY_MALFORMED);
	cr_expect_eq(read_rsa(f4, 3, 257, none, 1), DENY_KEY_MALFORMED);
	cr_expect_eq(read_rsa(f4, 3, 257, small, 1), DENY_KEY_MALFORMED);
	cr_expect_eq(read_rsa(one, 1, 257, top, 1), DENY_KEY_MALFORMED);
	cr_expect_eq(read_rsa(even, 1, 257, top, 1), DENY_KEY_MALFORMED);
	cr_expect_eq(read_rsa(padded, 4, 257, top, 1), DENY_KEY_MALFORMED);
	cr_expect_eq(read_rsa(negative, 1, 257, top, 1), DENY_KEY_MALFORMED);
	cr_expect_eq(read_rsa(nine, 9, 257, top, 1), DENY_KEY_MALFORMED);
	cr_expect_eq(read_rsa("", 0, 257, top, 1), DENY_KEY_MALFORMED);
}

static void
survives(const uint8_t *bytes, size_t len, void *arg)
{
	struct key_blob key;
	size_t whole = *(const size_t *)arg;

	if (len < whole)
		cr_assert_neq(key_blob_read(bytes, len, &key), DENY_NONE);
	else
		(void)key_blob_read(bytes, len, &key);
}

Test(key_blob, survives_every_cut_and_bit_flip)
{
	static const char *const names[] = { "key-ed25519", "key-ecdsa521",
		"key-rsa2048" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct ssh_vector v = ssh_vector_load(names[i]);

		hostile_cuts(v.bytes, v.len, survives, &v.len);
		hostile_bit_flips(v.bytes, v.len, survives, &v.len);
		ssh_vector_free(&v);
	}
}
