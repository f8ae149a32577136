/* SPDX-License-Identifier: ISC */
#include "jumpd/login_judge.h"

#include <string.h>

#include "jumpd/authorized_keys.h"
#include "jumpd/ssh_cert.h"

/* What is being judged: a plain key, or a certificate that was read. */
struct judged {
	const struct login_request *request;
	struct key_digest digest;	/* of the plain key, or of the CA */
	bool		 is_cert;
	struct ssh_cert	 cert;
};

static struct principal
principal_of(const struct auth_user *user, enum principal_kind kind)
{
	struct principal p = { .kind = kind, .expires_s = INT64_MAX,
		.user_len = user->name_len };

	memcpy(p.user, user->name, user->name_len);
	return p;
}

struct principal
login_anyone(const struct auth_user *user)
{
	return principal_of(user, PRINCIPAL_ANYONE);
}

static struct principal
principal_make(const struct judged *j)
{
	const struct ssh_cert *cert = &j->cert;
	struct principal p;

	if (!j->is_cert) {
		p = principal_of(j->request->user, PRINCIPAL_KEY);
		p.key = j->digest;
		return p;
	}
	p = principal_of(j->request->user, PRINCIPAL_CERT);
	p.key = cert->key;
	p.ca = cert->ca_digest;
	p.serial = cert->serial;
	p.key_id_len = cert->key_id.len < PRINCIPAL_KEY_ID_MAX ?
	    (uint8_t)cert->key_id.len :
	    PRINCIPAL_KEY_ID_MAX;
	if (p.key_id_len > 0)
		memcpy(p.key_id, cert->key_id.at, p.key_id_len);
	if (cert->valid_before < INT64_MAX)
		p.expires_s = (int64_t)cert->valid_before;
	return p;
}

static int64_t
expiry_of(const struct judged *j, const struct authorized_key *key)
{
	if (!key->expiry.set)
		return INT64_MAX;
	return key->expiry.local ?
	    j->request->utc_of_local(key->expiry.civil_s) :
	    key->expiry.civil_s;
}

/* Does a list of principals, separated by commas, have one of the
 * certificate's? */
static bool
names_principal(const struct judged *j, const char *list, size_t len)
{
	const char *comma;
	size_t n;

	for (;;) {
		comma = memchr(list, ',', len);
		n = comma != NULL ? (size_t)(comma - list) : len;
		if (ssh_cert_has_principal(&j->cert, list, n))
			return true;
		if (comma == NULL)
			return false;
		list += n + 1;
		len -= n + 1;
	}
}

static bool
has_own_name(const struct judged *j)
{
	const struct auth_user *user = j->request->user;

	return ssh_cert_has_principal(&j->cert, user->name, user->name_len);
}

/* Does a line that was read hold for this key or certificate? */
static enum deny_reason
judge_key(const struct judged *j, const struct authorized_key *key)
{
	if (!j->is_cert && key_type_is_sk(key->type) &&
	    !key->no_touch_required)
		return DENY_TOUCH;
	if (key->has_from &&
	    from_check(key->from, key->from_len, &j->request->client) !=
		FROM_MATCH)
		return DENY_KEY_FROM;
	if (j->request->now_s >= expiry_of(j, key))
		return DENY_KEY_EXPIRED;
	if (!key->may_forward)
		return DENY_KEY_NO_FORWARDING;
	if (!j->is_cert)
		return DENY_NONE;
	if (key->has_principals)
		return names_principal(j, key->principals,
			   key->principals_len) ?
		    DENY_NONE :
		    DENY_CERT_PRINCIPAL;
	return has_own_name(j) ? DENY_NONE : DENY_CERT_PRINCIPAL;
}

/*
 * One line of authorized_keys.  DENY_NONE: *ret is the principal.
 * *ret_found tells whether the line is for this key at all.
 */
static enum deny_reason
judge_line(const struct judged *j, const char *text, size_t len,
    bool *ret_found, struct principal *ret)
{
	struct authorized_key key;
	enum deny_reason reason = DENY_KEY_MALFORMED;
	char problem[128];
	int64_t expires_s;

	*ret_found = false;
	switch (authorized_key_parse(text, len, &key, &reason, problem,
	    sizeof(problem))) {
	case AUTHORIZED_KEY:
		break;
	case AUTHORIZED_BAD:
		return reason;
	case AUTHORIZED_NOTHING:
		return DENY_KEY_UNKNOWN;
	}
	*ret_found = key.cert_authority == j->is_cert &&
	    key_digest_equal(&key.digest, &j->digest);
	reason = *ret_found ? judge_key(j, &key) : DENY_KEY_UNKNOWN;
	if (reason == DENY_NONE) {
		*ret = principal_make(j);
		ret->permit = key.permit;
		key.permit = NULL;
		expires_s = expiry_of(j, &key);
		if (expires_s < ret->expires_s)
			ret->expires_s = expires_s;
	}
	authorized_key_fini(&key);
	return reason;
}

/* The lines of the store that are this key's, or the CA's. */
static enum deny_reason
judge_store(const struct judged *j, const struct key_store *store,
    struct principal *ret)
{
	enum key_role role = j->is_cert ? KEY_ROLE_CA : KEY_ROLE_KEY;
	enum deny_reason reason = j->is_cert ? DENY_CERT_CA_UNKNOWN :
					       DENY_KEY_UNKNOWN;
	struct key_line line;
	uint32_t at = 0;
	bool found;

	while (reason != DENY_NONE &&
	    key_store_find(store, &j->digest, role, j->request->user_bit, &at,
		&line))
		reason = judge_line(j, line.text, line.len, &found, ret);
	return reason;
}

static enum deny_reason
judge_text(const struct judged *j, const char *text, size_t len,
    struct principal *ret)
{
	enum deny_reason reason = j->is_cert ? DENY_CERT_CA_UNKNOWN :
					       DENY_KEY_UNKNOWN;
	enum deny_reason one;
	const char *newline;
	bool found;
	size_t n;

	while (len > 0 && reason != DENY_NONE) {
		newline = memchr(text, '\n', len);
		n = newline != NULL ? (size_t)(newline - text) : len;
		one = judge_line(j, text, n, &found, ret);
		if (found)
			reason = one;
		n += newline != NULL ? 1 : 0;
		text += n;
		len -= n;
	}
	return reason;
}

/* A trusted CA's certificate must have one of the user's principals. */
static enum deny_reason
judge_trusted(const struct judged *j, struct principal *ret)
{
	const struct auth_user *user = j->request->user;
	bool good = user->n_principals == 0 && has_own_name(j);
	unsigned i;

	for (i = 0; i < user->n_principals; i++)
		good = good ||
		    ssh_cert_has_principal(&j->cert, user->principal[i],
			user->principal_len[i]);
	if (!good)
		return DENY_CERT_PRINCIPAL;
	*ret = principal_make(j);
	return DENY_NONE;
}

static bool
is_trusted(const struct judged *j, const struct key_store *store)
{
	struct key_line line;
	uint32_t at = 0;

	return (j->request->user->methods & AUTH_CERTS) != 0 &&
	    key_store_find(store, &j->digest, KEY_ROLE_TRUSTED_CA,
		j->request->user_bit, &at, &line);
}

/* Everything about a certificate but who trusts its CA. */
static enum deny_reason
judge_cert(const struct judged *j, const struct key_store *store)
{
	enum deny_reason reason = ssh_cert_verify(&j->cert);

	if (reason == DENY_NONE)
		reason = ssh_cert_judge(&j->cert, (uint64_t)j->request->now_s,
		    &j->request->client);
	if (reason == DENY_NONE &&
	    revocation_has_cert(key_store_revoked(store), &j->cert))
		reason = DENY_CERT_REVOKED;
	return reason;
}

/* Read the blob: what it is, and of which digest lines are to be. */
static enum deny_reason
read_blob(const struct login_request *r, struct judged *j)
{
	struct key_blob key;
	enum deny_reason reason;

	j->request = r;
	j->is_cert = key_blob_is_cert(r->blob, r->len);
	if (j->is_cert) {
		reason = ssh_cert_parse(r->blob, r->len, &j->cert);
		j->digest = j->cert.ca_digest;
		return reason;
	}
	reason = key_blob_read(r->blob, r->len, &key);
	if (reason == DENY_NONE)
		j->digest = key_digest_of(r->blob, r->len);
	return reason;
}

static bool
is_revoked(const struct judged *j, const struct key_store *store)
{
	return revocation_has_key(key_store_revoked(store), j->request->blob,
	    j->request->len, &j->digest);
}

enum deny_reason
login_judge(const struct key_store *store, const struct login_request *r,
    struct principal *ret)
{
	struct judged j = { 0 };
	struct principal p;
	enum deny_reason reason = read_blob(r, &j), good;
	bool trusted;

	if (reason != DENY_NONE)
		return reason;
	if ((r->user->methods & AUTH_KEYS) == 0 &&
	    (!j.is_cert || (r->user->methods & AUTH_CERTS) == 0))
		return DENY_METHOD;
	if (!j.is_cert) {
		reason = is_revoked(&j, store) ? DENY_KEY_REVOKED :
						 judge_store(&j, store, ret);
		return reason;
	}
	trusted = is_trusted(&j, store);
	reason = trusted ? judge_trusted(&j, &p) : DENY_CERT_CA_UNKNOWN;
	if (reason != DENY_NONE && (r->user->methods & AUTH_KEYS) != 0) {
		good = judge_store(&j, store, &p);
		if (!trusted || good == DENY_NONE)
			reason = good;
	}
	if (reason == DENY_CERT_CA_UNKNOWN)
		return reason;
	/* Somebody trusts the CA: now it is worth the work. */
	good = judge_cert(&j, store);
	if (reason == DENY_NONE && good == DENY_NONE)
		*ret = p;
	else if (reason == DENY_NONE)
		principal_fini(&p);
	return good != DENY_NONE ? good : reason;
}

enum deny_reason
login_judge_lines(const struct key_store *store,
    const struct login_request *r, const char *text, size_t len,
    struct principal *ret)
{
	struct judged j = { 0 };
	struct principal p;
	enum deny_reason reason = read_blob(r, &j), good;

	if (reason != DENY_NONE)
		return reason;
	if ((r->user->methods & AUTH_KEYS) == 0)
		return DENY_METHOD;
	if (!j.is_cert && is_revoked(&j, store))
		return DENY_KEY_REVOKED;
	reason = judge_text(&j, text, len, &p);
	if (reason != DENY_NONE)
		return reason;
	good = j.is_cert ? judge_cert(&j, store) : DENY_NONE;
	if (good == DENY_NONE)
		*ret = p;
	else
		principal_fini(&p);
	return good;
}

bool
login_revoked(const struct key_store *store, const uint8_t *blob, size_t len)
{
	const struct login_request r = { .blob = blob, .len = len };
	struct judged j = { 0 };

	if (read_blob(&r, &j) != DENY_NONE)
		return true;
	return j.is_cert ?
	    revocation_has_cert(key_store_revoked(store), &j.cert) :
	    is_revoked(&j, store);
}
