/* SPDX-License-Identifier: ISC */
#include "jumpd/key_revocation.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jumpd/key_revocation_store.h"

static const struct key_digest any_ca;

struct revocation *
revocation_new(void)
{
	struct revocation *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->serials.size = sizeof(struct revoked_serials);
	r->ids.size = sizeof(struct revoked_id);
	r->digests.size = sizeof(struct key_digest);
	r->sha1s.size = sizeof(struct revoked_sha1);
	return r;
}

void
revocation_free(struct revocation *r)
{
	if (r == NULL)
		return;
	free(r->serials.at);
	free(r->ids.at);
	free(r->digests.at);
	free(r->sha1s.at);
	free(r);
}

size_t
revocation_count(const struct revocation *r)
{
	return r->serials.n + r->ids.n + r->digests.n + r->sha1s.n;
}

static bool
store(struct revocation *r, struct revoked_list *list, const void *element)
{
	size_t room = list->room > 0 ? 2 * list->room : 16;
	void *at;

	assert(!r->sealed);
	if (revocation_count(r) >= REVOCATION_ENTRIES_MAX)
		return false;
	if (list->n == list->room) {
		at = reallocarray(list->at, room, list->size);
		if (at == NULL)
			return false;
		list->at = at;
		list->room = room;
	}
	memcpy((char *)list->at + list->n++ * list->size, element,
	    list->size);
	return true;
}

bool
revocation_store_serials(struct revocation *r, const struct key_digest *ca,
    uint64_t first, uint64_t last)
{
	const struct revoked_serials serials = { .ca = *ca, .first = first,
		.last = last };

	return store(r, &r->serials, &serials);
}

bool
revocation_store_id(struct revocation *r, const struct key_digest *ca,
    const void *id, size_t len)
{
	const struct revoked_id revoked = { .ca = *ca,
		.id = key_digest_of(id, len) };

	return store(r, &r->ids, &revoked);
}

bool
revocation_store_digest(struct revocation *r, const struct key_digest *digest)
{
	return store(r, &r->digests, digest);
}

bool
revocation_store_sha1(struct revocation *r,
    const uint8_t sha1[KEY_SHA1_OCTETS])
{
	struct revoked_sha1 revoked;

	memcpy(revoked.octet, sha1, KEY_SHA1_OCTETS);
	return store(r, &r->sha1s, &revoked);
}

bool
revocation_add(struct revocation *r, const void *bytes, size_t len,
    uint32_t *ret_line, char *problem, size_t room)
{
	const char *wrong;
	uint32_t line = 0;

	if (len > REVOCATION_OCTETS_MAX)
		wrong = "the file is too large";
	else if (revocation_is_krl(bytes, len))
		wrong = revocation_read_krl(r, bytes, len);
	else
		wrong = revocation_read_text(r, bytes, len, &line);
	if (wrong == NULL)
		return true;
	*ret_line = line;
	snprintf(problem, room, "%s", wrong);
	return false;
}

/* ---------------------------------------------------------- look-up */

static int
compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct key_digest));
}

static int
compare_sha1s(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct revoked_sha1));
}

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct revoked_id));
}

static int
compare_serials(const void *a, const void *b)
{
	const struct revoked_serials *x = a, *y = b;
	int order = compare_digests(&x->ca, &y->ca);

	if (order != 0)
		return order;
	return (x->first > y->first) - (x->first < y->first);
}

static void
sort(struct revoked_list *list, int (*compare)(const void *, const void *))
{
	if (list->n > 0)
		qsort(list->at, list->n, list->size, compare);
}

/* Ranges of a CA that overlap or touch become one, so that of all that begin
 * at or before a number only the last need be looked at. */
static void
merge_serials(struct revoked_list *list)
{
	struct revoked_serials *all = list->at, *last, *next;
	size_t i, n = 0;

	for (i = 0; i < list->n; i++) {
		last = n > 0 ? &all[n - 1] : NULL;
		next = &all[i];
		if (last == NULL ||
		    !key_digest_equal(&last->ca, &next->ca) ||
		    (last->last != UINT64_MAX &&
			next->first > last->last + 1))
			all[n++] = *next;
		else if (next->last > last->last)
			last->last = next->last;
	}
	list->n = n;
}

void
revocation_seal(struct revocation *r)
{
	if (r->sealed)
		return;
	sort(&r->serials, compare_serials);
	merge_serials(&r->serials);
	sort(&r->ids, compare_ids);
	sort(&r->digests, compare_digests);
	sort(&r->sha1s, compare_sha1s);
	r->sealed = true;
}

static bool
has(const struct revoked_list *list, const void *element,
    int (*compare)(const void *, const void *))
{
	return list->n > 0 &&
	    bsearch(element, list->at, list->n, list->size, compare) != NULL;
}

static bool
has_serial(const struct revocation *r, const struct key_digest *ca,
    uint64_t serial)
{
	const struct revoked_serials *all = r->serials.at;
	const struct revoked_serials wanted = { .ca = *ca, .first = serial };
	size_t low = 0, high = r->serials.n, middle;

	/* The last range that does not begin after it. */
	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare_serials(&all[middle], &wanted) > 0)
			high = middle;
		else
			low = middle + 1;
	}
	return low > 0 && key_digest_equal(&all[low - 1].ca, ca) &&
	    serial <= all[low - 1].last;
}

static bool
has_id(const struct revocation *r, const struct key_digest *ca,
    const struct key_digest *id)
{
	const struct revoked_id wanted = { .ca = *ca, .id = *id };

	return has(&r->ids, &wanted, compare_ids);
}

bool
revocation_has_key(const struct revocation *r, const void *blob, size_t len,
    const struct key_digest *digest)
{
	struct revoked_sha1 sha1;

	if (r == NULL)
		return false;
	assert(r->sealed);
	if (has(&r->digests, digest, compare_digests))
		return true;
	if (r->sha1s.n == 0)
		return false;
	key_sha1_of(blob, len, sha1.octet);
	return has(&r->sha1s, &sha1, compare_sha1s);
}

bool
revocation_has_cert(const struct revocation *r, const struct ssh_cert *cert)
{
	uint8_t plain[KEY_BLOB_MAX];
	struct key_digest id;
	size_t len;

	if (r == NULL)
		return false;
	assert(r->sealed);
	len = ssh_cert_plain_key(cert, plain);
	if (revocation_has_key(r, plain, len, &cert->key) ||
	    revocation_has_key(r, cert->ca.at, cert->ca.len,
		&cert->ca_digest))
		return true;
	/* A serial of zero means that the CA does not number: OpenSSH passes
	 * it over, and so could nobody revoke all of them by one entry. */
	if (cert->serial != 0 &&
	    (has_serial(r, &cert->ca_digest, cert->serial) ||
		has_serial(r, &any_ca, cert->serial)))
		return true;
	if (r->ids.n == 0)
		return false;
	id = key_digest_of(cert->key_id.at, cert->key_id.len);
	return has_id(r, &cert->ca_digest, &id) || has_id(r, &any_ca, &id);
}
