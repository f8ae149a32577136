/* SPDX-License-Identifier: ISC */
#include "tests/lib/xlat_vector.h"

#include <ctype.h>
#include <err.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "translate/lease_line.h"

enum { EAMS_MAX = 16, EMBEDDINGS_MAX = 4, LINES_MAX = 8, WORDS_MAX = 8,
	LINE_MAX_LEN = 256 };

const struct siphash_key xlat_key = { { 1, 2, 3, 4, 5, 6, 7, 8 } };

/* A file being read, and what is only whole when it has been. */
struct reader {
	const char	*path;
	unsigned	 line;
	struct xlat_vector *vector;
	struct eam	 eam[EAMS_MAX];
	struct embedding embedding[EMBEDDINGS_MAX];
	size_t		 n_eams, n_embeddings, n_leases;
	struct prefix	 dynamic;
	bool		 has_dynamic;
	char		 lease[LINES_MAX][LEASE_LINE_MAX];
};

static void __attribute__((noreturn))
bad(const struct reader *r, const char *what)
{
	errx(1, "%s:%u: %s", r->path, r->line, what);
}

static struct prefix
read_prefix(const struct reader *r, const char *word)
{
	struct prefix prefix;

	if (word == NULL ||
	    prefix_parse(word, strlen(word), &prefix) != PREFIX_OK)
		bad(r, "not a prefix");
	return prefix;
}

static uint32_t
read_v4(const struct reader *r, const char *word)
{
	struct prefix prefix = read_prefix(r, word);

	return addr_to_v4(&prefix.addr);
}

static unsigned
read_number(const struct reader *r, const char *word)
{
	char *end;
	unsigned long n;

	if (word == NULL || !isdigit((unsigned char)*word))
		bad(r, "not a number");
	n = strtoul(word, &end, 10);
	if (*end != '\0')
		bad(r, "not a number");
	return (unsigned)n;
}

/* The index of the word among those given. */
static int
read_choice(const struct reader *r, const char *word, const char *const *of)
{
	int i;

	for (i = 0; of[i] != NULL; i++)
		if (word != NULL && strcmp(word, of[i]) == 0)
			return i;
	bad(r, "no such choice");
}

static void
read_offload(const struct reader *r, char **word, unsigned n,
    struct packet_offload *ret)
{
	unsigned i;

	for (i = 1; i + 2 < n; i += 3) {
		uint16_t a = (uint16_t)read_number(r, word[i + 1]);
		uint16_t b = (uint16_t)read_number(r, word[i + 2]);

		if (strcmp(word[i], "partial") == 0) {
			ret->partial = true;
			ret->csum_start = a;
			ret->csum_offset = b;
			continue;
		}
		ret->gso = strcmp(word[i], "tcp") == 0 ? PACKET_GSO_TCP :
		    PACKET_GSO_UDP;
		ret->gso_size = a;
		ret->hdr_len = b;
	}
	if (i != n)
		bad(r, "offload of what?");
}

static void
read_translatable(const struct reader *r, const char *word)
{
	struct siit *siit = &r->vector->siit;
	struct prefix prefix;

	siit->any_translatable = false;
	if (strcmp(word, "none") == 0)
		return;
	prefix = read_prefix(r, word);
	siit->translatable[siit->n_translatable++] = (struct siit_range) {
		addr_to_v4(&prefix.addr),
		prefix.len == 96 ? 0 : UINT32_MAX << (128 - prefix.len)
	};
}

/* What is not in struct siit itself; false for other settings. */
static bool
read_tables(struct reader *r, char **word, unsigned n)
{
	struct xlat_vector *v = r->vector;
	const char *name = word[0];
	bool ranged;

	if (strcmp(name, "prefix") == 0) {
		ranged = n > 2 && strcmp(word[2], "any") != 0;
		r->embedding[r->n_embeddings++] = (struct embedding) {
			read_prefix(r, word[1]),
			read_prefix(r, ranged ? word[2] : "0.0.0.0/0"),
			n > 2 && strcmp(word[n - 1], "any") == 0
		};
	} else if (strcmp(name, "eam") == 0) {
		r->eam[r->n_eams++] = (struct eam) {
			read_prefix(r, word[1]), read_prefix(r, word[2]) };
	} else if (strcmp(name, "rate") == 0) {
		v->limits.rate = v->limits.burst = read_number(r, word[1]);
	} else if (strcmp(name, "dynamic") == 0) {
		r->has_dynamic = true;
		r->dynamic = read_prefix(r, word[1]);
	} else if (strcmp(name, "lease") == 0 && n == 3) {
		snprintf(r->lease[r->n_leases++], LEASE_LINE_MAX,
		    "%.40s %.40s %d", word[1], word[2], XLAT_NOW_S);
	} else if (strcmp(name, "offload") == 0) {
		read_offload(r, word, n, &v->offload);
	} else {
		return false;
	}
	return true;
}

static void
read_setting(struct reader *r, char **word, unsigned n)
{
	static const char *const zeros[] = { "drop", "compute", "pass",
		NULL };
	static const char *const hairpins[] = { "off", "simple", "intrinsic",
		NULL };
	struct siit *siit = &r->vector->siit;
	const char *name = word[0];

	if (read_tables(r, word, n))
		return;
	if (strcmp(name, "own4") == 0) {
		siit->has_own4 = true;
		siit->own4 = read_v4(r, word[1]);
	} else if (strcmp(name, "own6") == 0) {
		siit->has_own6 = true;
		siit->own6 = read_prefix(r, word[1]).addr;
	} else if (strcmp(name, "pool") == 0) {
		siit->pool[siit->n_pool++] = read_v4(r, word[1]);
	} else if (strcmp(name, "mtu4") == 0) {
		siit->mtu4 = read_number(r, word[1]);
	} else if (strcmp(name, "mtu6") == 0) {
		siit->mtu6 = read_number(r, word[1]);
	} else if (strcmp(name, "lowest_mtu6") == 0) {
		siit->lowest_mtu6 = read_number(r, word[1]);
	} else if (strcmp(name, "tos") == 0) {
		siit->tos = (int16_t)read_number(r, word[1]);
	} else if (strcmp(name, "traffic_class") == 0) {
		siit->traffic_class = (int16_t)read_number(r, word[1]);
	} else if (strcmp(name, "udp_zero") == 0) {
		siit->udp_zero = (enum siit_udp_zero)read_choice(r, word[1],
		    zeros);
	} else if (strcmp(name, "hairpin") == 0) {
		siit->hairpin = (enum siit_hairpin)read_choice(r, word[1],
		    hairpins);
	} else if (strcmp(name, "icmp_errors") == 0) {
		siit->icmp_errors = false;
	} else if (strcmp(name, "pool_extension") == 0) {
		siit->pool_extension = true;
	} else if (strcmp(name, "translatable") == 0) {
		read_translatable(r, word[1]);
	} else {
		bad(r, "unknown setting");
	}
}

static void
read_expected(struct reader *r, char **word, unsigned n)
{
	static const char *const verdicts[] = { "forward", "pieces", "reply",
		"drop", NULL };
	struct xlat_vector *v = r->vector;
	enum drop_reason reason;

	if (strcmp(word[0], "offload") == 0) {
		read_offload(r, word, n, &v->out_offload);
		return;
	}
	v->verdict = (enum siit_verdict)read_choice(r, word[0], verdicts);
	v->reason = DROP_NONE;
	if (n < 2)
		return;
	for (reason = 0; reason < N_DROP_REASONS; reason++)
		if (strcmp(drop_reason_label(reason), word[1]) == 0)
			break;
	if (reason == N_DROP_REASONS)
		bad(r, "unknown reason");
	v->reason = reason;
}

/* Append a line of hex. */
static void
read_octets(const struct reader *r, const char *word, struct xlat_octets *to)
{
	size_t n = strlen(word) / 2, i;
	unsigned octet;

	to->octets = realloc(to->octets, to->len + n + 1);
	to->known = realloc(to->known, to->len + n + 1);
	if (to->octets == NULL || to->known == NULL)
		err(1, "%s", r->path);
	for (i = 0; i < n; i++, to->len++) {
		to->known[to->len] = strncmp(word + 2 * i, "xx", 2) != 0;
		octet = 0;
		if (to->known[to->len] &&
		    sscanf(word + 2 * i, "%2x", &octet) != 1)
			bad(r, "not hex");
		to->octets[to->len] = (uint8_t)octet;
	}
}

static unsigned
split(char *line, char **word)
{
	unsigned n = 0;
	char *save = NULL;

	line = strtok_r(line, " \n", &save);
	for (; line != NULL && n < WORDS_MAX; line = strtok_r(NULL, " \n",
	    &save))
		word[n++] = line;
	return n;
}

/* Read one of the files; returns how many packets it had. */
static unsigned
read_file(struct reader *r,
    void (*setting)(struct reader *, char **, unsigned),
    struct xlat_octets *packets, unsigned max)
{
	FILE *in = fopen(r->path, "r");
	char line[LINE_MAX_LEN], *word[WORDS_MAX];
	unsigned n, packet = 0;

	if (in == NULL)
		err(1, "%s", r->path);
	for (r->line = 1; fgets(line, sizeof(line), in) != NULL; r->line++) {
		n = split(line, word);
		if (n == 0 || word[0][0] == '#')
			continue;
		if (strcmp(word[0], "packet") == 0) {
			if (packet++ == max)
				bad(r, "too many packets");
		} else if (packet > 0) {
			read_octets(r, word[0], &packets[packet - 1]);
		} else {
			setting(r, word, n);
		}
	}
	fclose(in);
	return packet;
}

static void
finish(struct reader *r)
{
	struct xlat_vector *v = r->vector;
	struct address_map_problem problem;
	struct lease_line lease;
	size_t i;

	v->map = address_map_new(r->eam, r->n_eams, r->embedding,
	    r->n_embeddings, &xlat_key, &problem);
	if (v->map == NULL)
		bad(r, address_map_strerror(problem.error));
	v->siit.map = v->map;
	if (!r->has_dynamic)
		return;
	v->pool = dynamic_pool_new(&r->dynamic, 3600, &xlat_key, NULL, NULL);
	if (v->pool == NULL)
		bad(r, "no pool");
	for (i = 0; i < r->n_leases; i++)
		if (lease_line_parse(r->lease[i], strlen(r->lease[i]),
			&lease) != LEASE_LINE_LEASE ||
		    dynamic_pool_restore(v->pool, lease.v4, &lease.host,
			lease.heard_s, XLAT_NOW_S) != DYNAMIC_POOL_TAKEN)
			bad(r, "no such lease");
}

static void
load(const char *path, struct xlat_vector *v)
{
	struct xlat_octets in = { 0 };
	struct reader r = { .path = path, .vector = v };
	size_t len = strlen(path);
	char *out_path = strdup(path);

	*v = (struct xlat_vector) {
		.name = strdup(strrchr(path, '/') + 1),
		.limits = { 1000, 1000, 1000, 1000 }
	};
	if (out_path == NULL || v->name == NULL)
		err(1, "%s", path);
	v->name[strlen(v->name) - strlen(".in")] = '\0';
	siit_init(&v->siit, NULL);
	if (read_file(&r, read_setting, &in, 1) != 1)
		bad(&r, "no packet");
	if (in.octets == NULL)	/* of no octets at all */
		in.octets = calloc(1, 1);
	v->octets = in.octets;
	v->len = in.len;
	free(in.known);
	finish(&r);
	memcpy(out_path + len - strlen(".in"), ".ou", 3);
	out_path = realloc(out_path, len + 2);
	if (out_path == NULL)
		err(1, "%s", path);
	strcat(out_path, "t");
	r.path = out_path;
	v->n_out = read_file(&r, read_expected, v->out, XLAT_OUT_MAX);
	free(out_path);
}

static void
unload(struct xlat_vector *v)
{
	unsigned i;

	for (i = 0; i < v->n_out; i++) {
		free(v->out[i].octets);
		free(v->out[i].known);
	}
	free(v->octets);
	dynamic_pool_free(v->pool);
	address_map_free(v->map);
	free(v->name);
}

unsigned
xlat_vectors_each(xlat_vector_fn *fn, void *arg)
{
	const char *srcdir = getenv("srcdir");
	struct xlat_vector vector;
	char pattern[4096];
	glob_t found;
	size_t i, n;

	snprintf(pattern, sizeof(pattern), "%s/tests/vectors/xlat/*.in",
	    srcdir != NULL ? srcdir : ".");
	if (glob(pattern, 0, NULL, &found) != 0)
		errx(1, "%s: nothing there", pattern);
	n = found.gl_pathc;
	for (i = 0; i < n; i++) {
		load(found.gl_pathv[i], &vector);
		fn(&vector, arg);
		unload(&vector);
	}
	globfree(&found);
	return (unsigned)n;
}

struct packet
xlat_packet(const uint8_t *octets, size_t len,
    const struct packet_offload *offload)
{
	uint8_t *room = malloc(PACKET_HEADROOM + len);

	if (room == NULL)
		err(1, "malloc");
	if (len > 0)
		memcpy(room + PACKET_HEADROOM, octets, len);
	return (struct packet) {
		.at = room + PACKET_HEADROOM,
		.len = len,
		.headroom = PACKET_HEADROOM,
		.offload = *offload
	};
}
