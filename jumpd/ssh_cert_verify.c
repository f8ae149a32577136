/* SPDX-License-Identifier: ISC */
/*
 * ssh_cert_verify.c - is the CA's signature right?  OpenSSL says.
 *
 * The parser has checked the CA's key already (key_blob.h).
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>

#include "jumpd/ssh_cert.h"
#include "jumpd/ssh_wire.h"

enum { DER_MAX = 160 };		/* an ECDSA signature of nistp521 */

struct curve {
	const char	*ssh;		/* signature type */
	const char	*openssl;	/* group */
	size_t		 octets;	/* of a number */
	const EVP_MD	*(*digest)(void);
};

static const struct curve *
curve_of(enum key_type type)
{
	static const struct curve curves[] = {
		{ "ecdsa-sha2-nistp256", "P-256", 32, EVP_sha256 },
		{ "ecdsa-sha2-nistp384", "P-384", 48, EVP_sha384 },
		{ "ecdsa-sha2-nistp521", "P-521", 66, EVP_sha512 },
	};

	return &curves[type - KEY_ECDSA_256];
}

static EVP_PKEY *	/* owned by the caller; NULL if it is no key */
key_from_params(const char *kind, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || params == NULL ||
	    EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *
rsa_key(struct bytes *from)
{
	struct bytes e = ssh_wire_mpint(from), n = ssh_wire_mpint(from);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *e_bn = BN_bin2bn(e.at, (int)e.left, NULL);
	BIGNUM *n_bn = BN_bin2bn(n.at, (int)n.left, NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (build != NULL && e_bn != NULL && n_bn != NULL &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e_bn) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n_bn) == 1) {
		params = OSSL_PARAM_BLD_to_param(build);
		key = key_from_params("RSA", params);
	}
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(e_bn);
	BN_free(n_bn);
	return key;
}

static EVP_PKEY *
ecdsa_key(const struct curve *curve, struct bytes *from)
{
	struct bytes point;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	ssh_wire_string(from);		/* the curve's name */
	point = ssh_wire_string(from);
	if (build != NULL &&
	    OSSL_PARAM_BLD_push_utf8_string(build,
		OSSL_PKEY_PARAM_GROUP_NAME, curve->openssl, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY,
		point.at, point.left) == 1) {
		params = OSSL_PARAM_BLD_to_param(build);
		key = key_from_params("EC", params);
	}
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	return key;
}

/*
 * SSH's two mpints as DER, which OpenSSL wants: both hold a number as the
 * same octets.  Returns the length, 0 if they cannot be a signature's.
 */
static size_t
ecdsa_der(const struct curve *curve, struct bytes signature,
    uint8_t out[DER_MAX])
{
	struct bytes number[2], whole = signature;
	size_t i, body, at = 0;

	for (i = 0; i < 2; i++) {
		ssh_wire_mpint(&signature);	/* positive, no zeros */
		number[i] = ssh_wire_string(&whole);
	}
	if (signature.failed || signature.left > 0 ||
	    number[0].left > curve->octets + 1 ||
	    number[1].left > curve->octets + 1)
		return 0;
	body = 4 + number[0].left + number[1].left;
	out[at++] = 0x30;	/* SEQUENCE */
	if (body > 127)
		out[at++] = 0x81;
	out[at++] = (uint8_t)body;
	for (i = 0; i < 2; i++) {
		out[at++] = 0x02;	/* INTEGER */
		out[at++] = (uint8_t)number[i].left;
		memcpy(out + at, number[i].at, number[i].left);
		at += number[i].left;
	}
	return at;
}

static bool
verified(EVP_PKEY *key, const EVP_MD *digest, const void *signature,
    size_t len, const struct cert_span *text)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good;

	good = key != NULL && ctx != NULL &&
	    EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, signature, len, text->at, text->len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return good;
}

static enum deny_reason
verify_ed25519(const struct ssh_cert *cert, struct bytes key,
    struct bytes type, struct bytes signature)
{
	struct bytes octets = ssh_wire_string(&key);
	EVP_PKEY *pkey;
	bool good;

	if (!ssh_wire_is(&type, "ssh-ed25519"))
		return DENY_CERT_CA_TYPE;
	if (signature.left != 64)
		return DENY_CERT_SIGNATURE;
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, octets.at,
	    octets.left);
	good = verified(pkey, NULL, signature.at, signature.left,
	    &cert->signed_part);
	EVP_PKEY_free(pkey);
	return good ? DENY_NONE : DENY_CERT_SIGNATURE;
}

static enum deny_reason
verify_ecdsa(const struct ssh_cert *cert, struct bytes key, struct bytes type,
    struct bytes signature)
{
	const struct curve *curve = curve_of(cert->ca_type);
	uint8_t der[DER_MAX];
	size_t len;
	EVP_PKEY *pkey;
	bool good;

	if (!ssh_wire_is(&type, curve->ssh))
		return DENY_CERT_CA_TYPE;
	len = ecdsa_der(curve, signature, der);
	if (len == 0)
		return DENY_CERT_SIGNATURE;
	pkey = ecdsa_key(curve, &key);
	good = verified(pkey, curve->digest(), der, len, &cert->signed_part);
	EVP_PKEY_free(pkey);
	return good ? DENY_NONE : DENY_CERT_SIGNATURE;
}

static enum deny_reason
verify_rsa(const struct ssh_cert *cert, struct bytes key, struct bytes type,
    struct bytes signature)
{
	uint8_t padded[KEY_RSA_BITS_MAX / 8] = { 0 };
	const EVP_MD *digest;
	EVP_PKEY *pkey;
	size_t size;
	bool good;

	if (ssh_wire_is(&type, "rsa-sha2-256"))
		digest = EVP_sha256();
	else if (ssh_wire_is(&type, "rsa-sha2-512"))
		digest = EVP_sha512();
	else
		return DENY_CERT_CA_TYPE;	/* ssh-rsa is SHA-1 */
	pkey = rsa_key(&key);
	size = pkey != NULL ? (size_t)EVP_PKEY_get_size(pkey) : 0;
	if (size > sizeof(padded) || signature.left > size ||
	    signature.left == 0) {
		EVP_PKEY_free(pkey);
		return DENY_CERT_SIGNATURE;
	}
	/* A signer may have left out leading zeros. */
	memcpy(padded + size - signature.left, signature.at, signature.left);
	good = verified(pkey, digest, padded, size, &cert->signed_part);
	EVP_PKEY_free(pkey);
	return good ? DENY_NONE : DENY_CERT_SIGNATURE;
}

enum deny_reason
ssh_cert_verify(const struct ssh_cert *cert)
{
	struct bytes from = bytes_of(cert->signature.at, cert->signature.len);
	struct bytes type = ssh_wire_string(&from);
	struct bytes signature = ssh_wire_string(&from);
	struct bytes key = bytes_of(cert->ca.at, cert->ca.len);

	if (from.failed || from.left > 0)
		return DENY_CERT_SIGNATURE;
	ssh_wire_string(&key);		/* its type */
	switch (cert->ca_type) {
	case KEY_ED25519:
		return verify_ed25519(cert, key, type, signature);
	case KEY_ECDSA_256:
	case KEY_ECDSA_384:
	case KEY_ECDSA_521:
		return verify_ecdsa(cert, key, type, signature);
	case KEY_RSA:
		return verify_rsa(cert, key, type, signature);
	case KEY_SK_ED25519:
	case KEY_SK_ECDSA_256:
	case N_KEY_TYPES:
		break;
	}
	return DENY_CERT_CA_TYPE;
}

/* An RSA key of 2048 bits that is as good as any for warming. */
static EVP_PKEY *
some_rsa_key(void)
{
	uint8_t blob[4 + 3 + 4 + 257] = { 0, 0, 0, 3, 1, 0, 1, 0, 0, 1, 1 };
	struct bytes from = bytes_of(blob, sizeof(blob));

	memset(blob + 12, 0xff, 256);
	return rsa_key(&from);
}

static void
warm(EVP_PKEY *key, const EVP_MD *digest)
{
	static const uint8_t text[1];
	const struct cert_span span = { .at = text, .len = sizeof(text) };
	uint8_t signature[KEY_RSA_BITS_MIN / 8] = { 0 };

	verified(key, digest, signature, sizeof(signature), &span);
	EVP_PKEY_free(key);
}

void
ssh_cert_warm(void)
{
	uint8_t sha1[KEY_SHA1_OCTETS];
	enum key_type type;

	for (type = KEY_ECDSA_256; type <= KEY_ECDSA_521; type++)
		warm(EVP_PKEY_Q_keygen(NULL, NULL, "EC",
			 curve_of(type)->openssl),
		    curve_of(type)->digest());
	warm(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
	warm(some_rsa_key(), EVP_sha256());
	warm(some_rsa_key(), EVP_sha512());
	key_sha1_of("", 0, sha1);
	key_digest_of("", 0);
}
