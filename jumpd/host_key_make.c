/* SPDX-License-Identifier: ISC */
#include "jumpd/host_key_make.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base64.h"

enum {
	RSA_BITS = 3072,
	OCTETS_MAX = 4096,	/* of anything here */
	BLOCK = 8,		/* of the cipher "none" */
	LINE = 70		/* characters */
};

/* Octets being written; once they do not fit, nothing more is. */
struct out {
	size_t		len;
	bool		failed;
	uint8_t		octet[OCTETS_MAX];
};

static void
put(struct out *out, const void *bytes, size_t len)
{
	if (out->failed || len > sizeof(out->octet) - out->len) {
		out->failed = true;
		return;
	}
	memcpy(out->octet + out->len, bytes, len);
	out->len += len;
}

static void
put_u32(struct out *out, uint32_t value)
{
	const uint8_t octets[4] = { (uint8_t)(value >> 24),
		(uint8_t)(value >> 16), (uint8_t)(value >> 8),
		(uint8_t)value };

	put(out, octets, sizeof(octets));
}

static void
put_string(struct out *out, const void *bytes, size_t len)
{
	put_u32(out, (uint32_t)len);
	put(out, bytes, len);
}

static void
put_text(struct out *out, const char *text)
{
	put_string(out, text, strlen(text));
}

/* RFC 4251 5: mpint; the key's number of that name. */
static void
put_number(struct out *out, const EVP_PKEY *key, const char *name)
{
	uint8_t octets[OCTETS_MAX / 4 + 1] = { 0 };
	BIGNUM *n = NULL;
	int len = 0;

	if (EVP_PKEY_get_bn_param(key, name, &n) != 1 ||
	    BN_num_bytes(n) > (int)sizeof(octets) - 1) {
		out->failed = true;
	} else {
		len = BN_bn2bin(n, octets + 1);
		/* A set sign bit takes an octet before it. */
		if (octets[1] & 0x80)
			put_string(out, octets, (size_t)len + 1);
		else
			put_string(out, octets + 1, (size_t)len);
	}
	BN_clear_free(n);
}

/* --- the kinds of keys ---------------------------------------------------- */

static const char *
type_name(enum host_key_type type)
{
	static const char *const names[N_HOST_KEY_TYPES] = { "ssh-ed25519",
		"ecdsa-sha2-nistp256", "ssh-rsa" };

	return names[type];
}

static EVP_PKEY *
generate(enum host_key_type type)
{
	switch (type) {
	case HOST_KEY_ED25519:
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	case HOST_KEY_ECDSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	case HOST_KEY_RSA:
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
		    (size_t)RSA_BITS);
	case N_HOST_KEY_TYPES:
		break;
	}
	return NULL;
}

static void
put_point(struct out *out, const EVP_PKEY *key)
{
	uint8_t point[256];
	size_t len = 0;

	if (EVP_PKEY_get_octet_string_param(key,
	    OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof(point),
	    &len) != 1)
		out->failed = true;
	put_string(out, point, len);
}

static void
put_ed25519(struct out *out, const EVP_PKEY *key, bool private)
{
	uint8_t octets[64];	/* the private half, then the public one */
	size_t len = 32;

	if (EVP_PKEY_get_raw_public_key(key, octets + 32, &len) != 1 ||
	    EVP_PKEY_get_raw_private_key(key, octets, &len) != 1)
		out->failed = true;
	put_string(out, octets + 32, 32);
	if (private)
		put_string(out, octets, sizeof(octets));
	OPENSSL_cleanse(octets, sizeof(octets));
}

/* What stands after the type's name: the public half, or all of it. */
static void
put_key(struct out *out, enum host_key_type type, const EVP_PKEY *key,
    bool private)
{
	switch (type) {
	case HOST_KEY_ED25519:
		put_ed25519(out, key, private);
		break;
	case HOST_KEY_ECDSA:
		put_text(out, "nistp256");
		put_point(out, key);
		if (private)
			put_number(out, key, OSSL_PKEY_PARAM_PRIV_KEY);
		break;
	case HOST_KEY_RSA:
		/* The private half begins with the public one, turned. */
		put_number(out, key, private ? OSSL_PKEY_PARAM_RSA_N :
		    OSSL_PKEY_PARAM_RSA_E);
		put_number(out, key, private ? OSSL_PKEY_PARAM_RSA_E :
		    OSSL_PKEY_PARAM_RSA_N);
		if (!private)
			break;
		put_number(out, key, OSSL_PKEY_PARAM_RSA_D);
		put_number(out, key, OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
		put_number(out, key, OSSL_PKEY_PARAM_RSA_FACTOR1);
		put_number(out, key, OSSL_PKEY_PARAM_RSA_FACTOR2);
		break;
	case N_HOST_KEY_TYPES:
		break;
	}
}

/* --- the file ------------------------------------------------------------- */

static void
put_private(struct out *out, enum host_key_type type, const EVP_PKEY *key)
{
	uint32_t check;
	uint8_t pad;

	if (getrandom(&check, sizeof(check), 0) != (ssize_t)sizeof(check))
		out->failed = true;
	put_u32(out, check);
	put_u32(out, check);
	put_text(out, type_name(type));
	put_key(out, type, key, true);
	put_text(out, "");	/* the comment */
	for (pad = 1; out->len % BLOCK != 0; pad++)
		put(out, &pad, 1);
}

static void
put_file(struct out *out, enum host_key_type type, const EVP_PKEY *key,
    const struct out *public)
{
	struct out *private = calloc(1, sizeof(*private));

	if (private == NULL) {
		out->failed = true;
		return;
	}
	put_private(private, type, key);
	put(out, "openssh-key-v1", sizeof("openssh-key-v1"));
	put_text(out, "none");		/* cipher */
	put_text(out, "none");		/* and how its key is derived */
	put_text(out, "");
	put_u32(out, 1);
	put_string(out, public->octet, public->len);
	put_string(out, private->octet, private->len);
	out->failed |= private->failed;
	OPENSSL_cleanse(private, sizeof(*private));
	free(private);
}

/* Returns 0 or an errno; what was begun is removed. */
static int
write_file(const char *path, mode_t mode, const char *head,
    const struct out *out, size_t line, const char *tail)
{
	char text[BASE64_ENCODED(OCTETS_MAX)];
	size_t len = base64_encode(out->octet, out->len, text), at, n;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	int err = file == NULL ? errno : 0;

	if (file != NULL) {
		fputs(head, file);
		for (at = 0; at < len; at += n) {
			n = len - at < line ? len - at : line;
			fwrite(text + at, 1, n, file);
			if (n == line || at + n == len)
				fputc(line < sizeof(text) ? '\n' : ' ', file);
		}
		fputs(tail, file);
		fchmod(fd, mode);
		if (fflush(file) != 0 || fsync(fd) != 0)
			err = errno;
		fclose(file);
	} else if (fd >= 0) {
		close(fd);
	}
	if (fd >= 0 && err != 0)
		unlink(path);
	OPENSSL_cleanse(text, sizeof(text));
	return err;
}

static int
write_both(const char *path, enum host_key_type type,
    const struct out *file, const struct out *public)
{
	size_t room = strlen(path) + sizeof(".pub");
	char *pub = malloc(room), head[64];
	int err = ENOMEM;

	if (pub == NULL)
		return err;
	snprintf(pub, room, "%s.pub", path);
	snprintf(head, sizeof(head), "%s ", type_name(type));
	err = write_file(path, 0600, "-----BEGIN OPENSSH PRIVATE KEY-----\n",
	    file, LINE, "-----END OPENSSH PRIVATE KEY-----\n");
	if (err == 0) {
		unlink(pub);	/* of a key that is no more */
		err = write_file(pub, 0644, head, public, SIZE_MAX, "\n");
		if (err != 0)
			unlink(path);
	}
	free(pub);
	return err;
}

bool
host_key_make(enum host_key_type type, const char *path, char *problem,
    size_t room)
{
	struct out *file = calloc(1, sizeof(*file));
	struct out *public = calloc(1, sizeof(*public));
	EVP_PKEY *key = generate(type);
	bool made = file != NULL && public != NULL && key != NULL;
	int err = 0;

	if (made) {
		put_text(public, type_name(type));
		put_key(public, type, key, false);
		put_file(file, type, key, public);
		made = !file->failed && !public->failed;
	}
	if (made)
		err = write_both(path, type, file, public);
	if (!made || err != 0)
		snprintf(problem, room, "%s", made ? strerror(err) :
		    "OpenSSL cannot make such a key");
	EVP_PKEY_free(key);
	free(public);
	if (file != NULL)
		OPENSSL_cleanse(file, sizeof(*file));
	free(file);
	return made && err == 0;
}
