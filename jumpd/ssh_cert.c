/* SPDX-License-Identifier: ISC */
#include "jumpd/ssh_cert.h"

#include <string.h>

#include "jumpd/permit.h"
#include "jumpd/ssh_wire.h"

enum { CERT_USER = 1 };

static struct cert_span
span_of(const struct bytes *bytes)
{
	const struct cert_span span = { .at = bytes->at, .len = bytes->left };

	return span;
}

static struct bytes
bytes_in(const struct cert_span *span)
{
	return bytes_of(span->at, span->len);
}

/* Strings, CERT_PRINCIPALS_MAX at most. */
static bool
count_principals(const struct cert_span *span, uint32_t *ret)
{
	struct bytes from = bytes_in(span);
	uint32_t n = 0;

	for (; from.left > 0 && !from.failed; n++)
		ssh_wire_string(&from);
	*ret = n;
	return !from.failed && n <= CERT_PRINCIPALS_MAX;
}

/* One option; at the end, or if there is none, *ret_name has failed. */
static void
next_option(struct bytes *from, struct bytes *ret_name, struct bytes *ret_data)
{
	*ret_name = ssh_wire_string(from);
	*ret_data = ssh_wire_string(from);
	ret_name->failed = ret_data->failed;
}

/* True if a comes before b. */
static bool
before(const struct bytes *a, const struct bytes *b)
{
	size_t less = a->left < b->left ? a->left : b->left;
	int order = less > 0 ? memcmp(a->at, b->at, less) : 0;

	return order != 0 ? order < 0 : a->left < b->left;
}

/* Pairs of strings, their names in order, each once. */
static bool
options_in_order(const struct cert_span *span)
{
	struct bytes from = bytes_in(span), name, data;
	struct bytes last = { 0 };
	bool first = true;

	while (from.left > 0) {
		next_option(&from, &name, &data);
		if (name.failed || (!first && !before(&last, &name)))
			return false;
		last = name;
		first = false;
	}
	return true;
}

/* The data of an option; failed if there is none of that name. */
static struct bytes
option(const struct cert_span *span, const char *wanted)
{
	struct bytes from = bytes_in(span), name, data;

	do {
		next_option(&from, &name, &data);
	} while (!name.failed && !ssh_wire_is(&name, wanted));
	data.failed = name.failed;
	return data;
}

/* An extension that is a flag: it has no data. */
static bool
has_flag(const struct cert_span *span, const char *wanted)
{
	struct bytes data = option(span, wanted);

	return !data.failed && data.left == 0;
}

size_t
ssh_cert_plain_key(const struct ssh_cert *cert, uint8_t out[KEY_BLOB_MAX])
{
	const char *name = key_type_name(cert->type);
	size_t len = strlen(name);

	/* ssh_cert_parse has seen that it fits. */
	memset(out, 0, 4);
	out[3] = (uint8_t)len;
	memcpy(out + 4, name, len);
	memcpy(out + 4 + len, cert->fields.at, cert->fields.len);
	return 4 + len + cert->fields.len;
}

/* The certified key's own fields. */
static enum deny_reason
parse_key(struct bytes *from, struct ssh_cert *cert)
{
	const uint8_t *begin = from->at;
	uint8_t plain[KEY_BLOB_MAX];
	enum deny_reason reason;
	uint16_t bits;

	reason = key_blob_fields(cert->type, from, &bits);
	if (reason != DENY_NONE)
		return reason == DENY_KEY_MALFORMED ? DENY_CERT_MALFORMED :
						      reason;
	cert->fields.at = begin;
	cert->fields.len = (size_t)(from->at - begin);
	if (cert->fields.len > KEY_BLOB_MAX - 64)
		return DENY_CERT_MALFORMED;
	cert->key = key_digest_of(plain, ssh_cert_plain_key(cert, plain));
	return DENY_NONE;
}

static enum deny_reason
parse_ca(const struct cert_span *span, struct ssh_cert *cert)
{
	struct key_blob ca;

	if (key_blob_read(span->at, span->len, &ca) != DENY_NONE ||
	    key_type_is_sk(ca.type))
		return DENY_CERT_CA_TYPE;
	cert->ca_type = ca.type;
	cert->ca = *span;
	cert->ca_digest = key_digest_of(span->at, span->len);
	return DENY_NONE;
}

static void
read_lists(struct bytes *from, struct ssh_cert *cert)
{
	struct bytes part;

	cert->serial = ssh_wire_u64(from);
	cert->cert_type = bytes_u32(from);
	part = ssh_wire_string(from);
	cert->key_id = span_of(&part);
	part = ssh_wire_string(from);
	cert->principals = span_of(&part);
	cert->valid_after = ssh_wire_u64(from);
	cert->valid_before = ssh_wire_u64(from);
	part = ssh_wire_string(from);
	cert->critical = span_of(&part);
	part = ssh_wire_string(from);
	cert->extensions = span_of(&part);
}

enum deny_reason
ssh_cert_parse(const void *blob, size_t len, struct ssh_cert *ret)
{
	struct bytes from = bytes_of(blob, len), part, ca, signature;
	struct ssh_cert cert = { 0 };
	struct cert_span ca_span;
	enum deny_reason reason;

	part = ssh_wire_string(&from);
	if (part.failed || part.left == 0 || len > KEY_CERT_MAX)
		return DENY_CERT_MALFORMED;
	cert.type = key_type_find_cert(part.at, part.left);
	if (cert.type == N_KEY_TYPES)
		return DENY_KEY_TYPE;
	ssh_wire_string(&from);		/* the nonce */
	reason = parse_key(&from, &cert);
	if (reason != DENY_NONE)
		return reason;
	read_lists(&from, &cert);
	ssh_wire_string(&from);		/* reserved */
	ca = ssh_wire_string(&from);
	cert.signed_part.at = blob;
	cert.signed_part.len = len - from.left;
	signature = ssh_wire_string(&from);
	if (from.failed || from.left > 0 ||
	    !count_principals(&cert.principals, &cert.n_principals) ||
	    !options_in_order(&cert.critical) ||
	    !options_in_order(&cert.extensions))
		return DENY_CERT_MALFORMED;
	cert.signature = span_of(&signature);
	cert.permits_forwarding = has_flag(&cert.extensions,
	    "permit-port-forwarding");
	cert.no_touch_required = has_flag(&cert.extensions,
	    "no-touch-required");
	ca_span = span_of(&ca);
	reason = parse_ca(&ca_span, &cert);
	if (reason == DENY_NONE)
		*ret = cert;
	return reason;
}

/* The one we know is source-address, a string inside its data. */
static enum deny_reason
judge_critical(const struct ssh_cert *cert, const struct addr *client)
{
	struct bytes from = bytes_in(&cert->critical), name, data, list;

	while (from.left > 0) {
		next_option(&from, &name, &data);
		if (name.failed || !ssh_wire_is(&name, "source-address"))
			return DENY_CERT_CRITICAL;
		list = ssh_wire_string(&data);
		if (list.failed || data.left > 0)
			return DENY_CERT_CRITICAL;
		if (source_address_check((const char *)list.at, list.left,
			client) != FROM_MATCH)
			return DENY_CERT_SOURCE;
	}
	return DENY_NONE;
}

enum deny_reason
ssh_cert_judge(const struct ssh_cert *cert, uint64_t now_s,
    const struct addr *client)
{
	enum deny_reason reason;

	if (cert->cert_type != CERT_USER)
		return DENY_CERT_NOT_USER;
	if (now_s < cert->valid_after)
		return DENY_CERT_NOT_YET;
	if (now_s >= cert->valid_before)
		return DENY_CERT_EXPIRED;
	if (cert->n_principals == 0)
		return DENY_CERT_NO_PRINCIPALS;
	reason = judge_critical(cert, client);
	if (reason != DENY_NONE)
		return reason;
	if (!cert->permits_forwarding)
		return DENY_CERT_NO_FORWARDING;
	if (key_type_is_sk(cert->type) && !cert->no_touch_required)
		return DENY_TOUCH;
	return DENY_NONE;
}

bool
ssh_cert_has_principal(const struct ssh_cert *cert, const char *name,
    size_t len)
{
	struct bytes from = bytes_in(&cert->principals), principal;

	while (from.left > 0) {
		principal = ssh_wire_string(&from);
		if (!principal.failed && principal.left == len && len > 0 &&
		    memcmp(principal.at, name, len) == 0)
			return true;
	}
	return false;
}
