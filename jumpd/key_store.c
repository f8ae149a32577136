/* SPDX-License-Identifier: ISC */
#include "jumpd/key_store.h"

#include <stdlib.h>
#include <string.h>

#include "jumpd/authorized_keys.h"
#include "jumpd/key_text.h"

enum { LINES_MAX = 1 << 22 };

struct entry {
	struct key_digest digest;
	uint32_t	next;		/* 1 + index of another of its hash;
					 * 0: none */
	enum key_role	role;
	uint64_t	users;
	const char	*text;		/* borrowed from the bundle */
	uint32_t	len;
};

/* Entries whose digests hash alike, in the order they came; 1 + index, 0: none
 * there. */
struct chain {
	uint32_t	first, last;
};

struct key_store {
	const char	*bundle;	/* borrowed */
	size_t		 len;
	struct siphash_key key;

	/* loading */
	size_t		 at;		/* the next file in the bundle */
	struct key_file	 file;		/* what is left of this one */
	uint32_t	 line;		/* its next line's number; 0: no file */
	bool		 failed;
	bool		 done;

	uint32_t	 n, room;
	struct entry	*entry;		/* owned */
	uint32_t	 n_chains;	/* a power of two, or 0 */
	struct chain	*chain;		/* owned */
	struct revocation *revoked;	/* owned */
};

struct key_store *
key_store_new(const void *bundle, size_t len, const struct siphash_key *key)
{
	struct key_store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->bundle = bundle;
	s->len = len;
	s->key = *key;
	s->revoked = revocation_new();
	if (s->revoked != NULL)
		return s;
	free(s);
	return NULL;
}

void
key_store_free(struct key_store *s)
{
	if (s == NULL)
		return;
	revocation_free(s->revoked);
	free(s->entry);
	free(s->chain);
	free(s);
}

static struct chain *
chain_of(const struct key_store *s, const struct key_digest *digest)
{
	uint64_t hash = siphash(&s->key, digest->octet, sizeof(digest->octet));

	return &s->chain[hash & (s->n_chains - 1)];
}

/* Put entry i at the end of its chain. */
static void
link_entry(struct key_store *s, uint32_t i)
{
	struct chain *chain = chain_of(s, &s->entry[i].digest);

	s->entry[i].next = 0;
	if (chain->first == 0)
		chain->first = i + 1;
	else
		s->entry[chain->last - 1].next = i + 1;
	chain->last = i + 1;
}

/* Twice the room, and everything in its new place. */
static bool
grow(struct key_store *s)
{
	uint32_t room = s->room > 0 ? 2 * s->room : 64, i;
	struct entry *entry;
	struct chain *chain;

	if (room > LINES_MAX)
		return false;
	entry = reallocarray(s->entry, room, sizeof(*entry));
	if (entry == NULL)
		return false;
	s->entry = entry;
	chain = calloc(room, sizeof(*chain));
	if (chain == NULL)
		return false;
	free(s->chain);
	s->chain = chain;
	s->room = s->n_chains = room;
	for (i = 0; i < s->n; i++)
		link_entry(s, i);
	return true;
}

static bool
insert(struct key_store *s, const struct entry *entry)
{
	if (s->n == s->room && !grow(s))
		return false;
	s->entry[s->n] = *entry;
	link_entry(s, s->n++);
	return true;
}

struct teller {
	key_problem_fn	*problem;	/* may be NULL */
	void		*arg;
};

static void
tell(struct key_store *s, const struct teller *to, uint32_t line, bool fatal,
    const char *text)
{
	if (fatal)
		s->failed = true;
	if (to->problem != NULL)
		to->problem(to->arg, &s->file, line, fatal, text);
}

/* What is wrong with a line whose key was found, or was not. */
static void
tell_authorized(struct key_store *s, const struct teller *to,
    const char *text, size_t len)
{
	struct authorized_key key;
	enum deny_reason reason;
	char problem[256];

	switch (authorized_key_parse(text, len, &key, &reason, problem,
	    sizeof(problem))) {
	case AUTHORIZED_KEY:
		authorized_key_fini(&key);
		break;
	case AUTHORIZED_BAD:
		tell(s, to, s->line, false, problem);
		break;
	case AUTHORIZED_NOTHING:
		break;
	}
}

static void
load_authorized(struct key_store *s, const struct teller *to, bool whole,
    const char *text, size_t len)
{
	struct entry e = { .users = s->file.users, .text = text,
		.len = (uint32_t)len };
	bool ca;

	if (whole)
		tell_authorized(s, to, text, len);
	if (authorized_key_peek(text, len, &e.digest, &ca) != AUTHORIZED_KEY)
		return;
	e.role = ca ? KEY_ROLE_CA : KEY_ROLE_KEY;
	if (!insert(s, &e))
		tell(s, to, 0, true, "there are too many keys");
}

static void
load_ca(struct key_store *s, const struct teller *to, const char *text,
    size_t len)
{
	struct entry e = { .role = KEY_ROLE_TRUSTED_CA,
		.users = s->file.users, .text = text, .len = (uint32_t)len };
	uint8_t blob[KEY_BLOB_MAX];
	struct key_blob key;
	enum deny_reason reason;

	key_text_trim(&text, &len);
	if (len == 0 || text[0] == '#')
		return;
	reason = key_text_read(text, len, blob, &key);
	if (reason == DENY_NONE && key_type_is_sk(key.type))
		reason = DENY_CERT_CA_TYPE;
	if (reason != DENY_NONE) {
		tell(s, to, s->line, true, deny_reason_text(reason));
		return;
	}
	e.digest = key_digest_of(key.bytes, key.len);
	if (!insert(s, &e))
		tell(s, to, 0, true, "there are too many keys");
}

static void
load_revoked(struct key_store *s, const struct teller *to)
{
	char problem[256];
	uint32_t line;

	if (!revocation_add(s->revoked, s->file.text, s->file.len, &line,
		problem, sizeof(problem)))
		tell(s, to, line, true, problem);
	s->file.len = 0;
}

/* Take the next line of the file and load it. */
static void
load_line(struct key_store *s, const struct teller *to, bool whole)
{
	const char *text = s->file.text;
	const char *newline = memchr(text, '\n', s->file.len);
	size_t len = newline != NULL ? (size_t)(newline - text) : s->file.len;

	s->file.text += len + (newline != NULL ? 1 : 0);
	s->file.len -= len + (newline != NULL ? 1 : 0);
	if (s->file.kind == KEY_FILE_TRUSTED_CA)
		load_ca(s, to, text, len);
	else
		load_authorized(s, to, whole, text, len);
	s->line++;
}

/* Returns false at the end of the bundle. */
static bool
next_file(struct key_store *s, const struct teller *to)
{
	if (!key_bundle_next(s->bundle, s->len, &s->at, &s->file)) {
		s->failed = s->failed || s->at != s->len;
		return false;
	}
	s->line = 1;
	if (s->file.kind == KEY_FILE_REVOKED)
		load_revoked(s, to);
	return true;
}

enum key_load
key_store_load(struct key_store *s, unsigned lines, bool whole,
    key_problem_fn *problem, void *arg)
{
	const struct teller to = { .problem = problem, .arg = arg };

	for (; lines > 0 && !s->done; lines--) {
		if (s->file.len > 0)
			load_line(s, &to, whole);
		else if (!next_file(s, &to))
			s->done = true;
	}
	if (!s->done)
		return KEY_LOAD_MORE;
	revocation_seal(s->revoked);
	return s->failed ? KEY_LOAD_FAILED : KEY_LOAD_DONE;
}

bool
key_store_find(const struct key_store *s, const struct key_digest *digest,
    enum key_role role, uint64_t users, uint32_t *at, struct key_line *ret)
{
	const struct entry *e;
	uint32_t i;

	if (s->n == 0)
		return false;
	i = *at == 0 ? chain_of(s, digest)->first : s->entry[*at - 1].next;
	for (; i != 0; i = e->next) {
		e = &s->entry[i - 1];
		if (e->role != role || (e->users & users) == 0 ||
		    !key_digest_equal(&e->digest, digest))
			continue;
		ret->role = e->role;
		ret->users = e->users;
		ret->text = e->text;
		ret->len = e->len;
		*at = i;
		return true;
	}
	return false;
}

const struct revocation *
key_store_revoked(const struct key_store *s)
{
	return s->revoked;
}

size_t
key_store_count(const struct key_store *s)
{
	return s->n;
}
