/* SPDX-License-Identifier: ISC */
#include "common/mapping_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/line_reader.h"
#include "common/mapping_builder.h"

struct memfd {
	int		 fd;		/* borrowed */
	void		*at;		/* owned; where it is mapped, or NULL */
	size_t		 octets;
	int		 error;		/* why it could not be resized; errno */
};

struct compile {
	const struct mapping_job *job;
	struct memfd	 memfd;
	struct mapping_builder *builder;	/* owned */
	uint32_t	 n_names;
	uint64_t	 n_problems;
	bool		 stop;		/* no use in reading on */
	struct line_reader reader;
};

/* Where we are: a source and the line of its file; 0 for all of it. */
struct place {
	uint32_t	source;
	uint32_t	line;
};

/* --- problems ----------------------------------------------------------- */

/* A problem of one place, or of none if it is NULL. */
static void __attribute__((format(printf, 3, 4)))
problem(struct compile *c, const struct place *at, const char *fmt, ...)
{
	const struct mapping_job *job = c->job;
	char text[MAPPING_PROBLEM_OCTETS];
	va_list args;

	c->n_problems++;
	if (c->n_problems > MAPPING_PROBLEMS_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	job->problem(job->arg,
	    at != NULL ? job->sources[at->source].name : NULL,
	    at != NULL ? at->line : 0, text);
}

static void
say_how_many_more(const struct compile *c)
{
	char text[64];
	uint64_t more;

	if (c->n_problems <= MAPPING_PROBLEMS_MAX)
		return;
	more = c->n_problems - MAPPING_PROBLEMS_MAX;
	snprintf(text, sizeof(text), "and %llu more problem%s",
	    (unsigned long long)more, more == 1 ? "" : "s");
	c->job->problem(c->job->arg, NULL, 0, text);
}

/* --- lines -------------------------------------------------------------- */

static void
check_target(struct compile *c, const struct place *at,
    const struct mapping_line *line, const struct addr *target)
{
	const struct target_policy *policy = c->job->policy;
	unsigned services = line->services & c->job->services;
	struct endpoint ep = { .addr = *target };
	enum target_verdict address, verdict;
	char text[ENDPOINT_TEXT_MAX];
	enum service s;

	if (policy == NULL || services == 0)
		return;
	address = target_policy_check_address(policy, target);
	for (s = 0; s < N_SERVICES; s++) {
		if ((services >> s & 1) == 0)
			continue;
		ep.port = line->port[s] != 0 ? line->port[s] : service_port(s);
		verdict = target_policy_is_own(policy, &ep) ?
		    TARGET_OWN_LISTENER : address;
		if (verdict == TARGET_ALLOWED)
			continue;
		problem(c, at, "target: %s %s", endpoint_format(&ep, text),
		    target_verdict_text(verdict));
		return;		/* not again for the next service */
	}
}

static void
check_source(struct compile *c, const struct place *at,
    const struct mapping_line *line)
{
	if ((line->flags & MAPPING_SOURCE_EMBED) != 0 && !c->job->embed &&
	    (line->services & c->job->services) != 0)
		problem(c, at,
		    "source: embed needs the setting embed_prefix");
}

static void
add_line(struct compile *c, const struct place *at,
    const struct mapping_line *line)
{
	switch (mapping_builder_add(c->builder, line,
	    (struct mapping_origin) { at->source, at->line })) {
	case MAPPING_BUILT:
		c->n_names++;
		return;
	case MAPPING_FULL:
		problem(c, at, "name: too many names");
		break;
	case MAPPING_NO_MEMORY:
		problem(c, at, "name: no memory for so many names");
		break;
	}
	c->stop = true;
}

/* Returns false if the rest of the source is not worth reading. */
static bool
read_line(struct compile *c, const struct place *at, const char *text,
    size_t len)
{
	char wrong[MAPPING_PROBLEM_OCTETS];
	struct mapping_line line;
	unsigned i;

	if (c->reader.line == 1 && len >= 3 &&
	    memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (memchr(text, '\0', len) != NULL) {
		problem(c, at, "line: has a NUL octet; this is no text");
		return false;
	}
	if (!mapping_line_parse(text, len, &line, wrong, sizeof(wrong))) {
		problem(c, at, "%s", wrong);
		return true;
	}
	if (line.name_len == 0)
		return true;
	for (i = 0; i < line.n_targets; i++)
		check_target(c, at, &line, &line.target[i]);
	check_source(c, at, &line);
	add_line(c, at, &line);
	return !c->stop;
}

static void
read_source(struct compile *c, uint32_t number)
{
	const struct mapping_source *source = &c->job->sources[number];
	uint32_t before = source->fd >= 0 ? 0 : source->first_line - 1;
	struct place at = { number, 0 };
	enum line_read got;
	const char *text;
	size_t len;

	/* One octet more than a line may have: a CR. */
	if (source->fd >= 0)
		line_reader_file(&c->reader, source->fd, MAPPING_LINE_MAX + 1);
	else
		line_reader_text(&c->reader, source->text, source->len,
		    MAPPING_LINE_MAX + 1);
	for (;;) {
		got = line_reader_next(&c->reader, &text, &len);
		at.line = before + c->reader.line;
		if (got == LINE_NONE || got == LINE_FAILED)
			break;
		if (got == LINE_TOO_LONG)
			problem(c, &at, "line: longer than %d octets",
			    MAPPING_LINE_MAX);
		else if (!read_line(c, &at, text, len))
			return;
	}
	if (got == LINE_FAILED) {
		at.line = 0;
		problem(c, &at, "cannot read: %s", strerror(c->reader.error));
	}
}

/* --- the image ---------------------------------------------------------- */

/* The builder's memory is the memfd. */
static void *
resize_memfd(void *arg, size_t octets)
{
	struct memfd *m = arg;
	void *at;

	/* Pages now: a store would get SIGBUS if there were none left. */
	if (octets < m->octets ? ftruncate(m->fd, (off_t)octets) != 0 :
	    fallocate(m->fd, 0, (off_t)m->octets,
		(off_t)(octets - m->octets)) != 0) {
		m->error = errno;
		return NULL;
	}
	at = m->at == NULL ?
	    mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0) :
	    mremap(m->at, m->octets, octets, MREMAP_MAYMOVE);
	if (at == MAP_FAILED) {
		m->error = errno;
		return NULL;
	}
	m->at = at;
	m->octets = octets;
	return at;
}

static struct mapping_builder *
new_builder(struct memfd *memfd)
{
	const struct mapping_room room = { resize_memfd, memfd };
	struct siphash_key key;

	if (ftruncate(memfd->fd, 0) != 0) {
		memfd->error = errno;
		return NULL;
	}
	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return NULL;
	return mapping_builder_new(&key, room);
}

static void
on_duplicate(void *arg, const struct mapping_duplicate *d)
{
	struct compile *c = arg;
	struct mapping_origin first;
	struct place at;

	if (c->n_problems >= MAPPING_PROBLEMS_MAX) {
		c->n_problems++;
		return;
	}
	first = mapping_builder_origin(c->builder, d->entry);
	at = (struct place) { first.file, first.line };
	first = mapping_builder_origin(c->builder, d->first);
	problem(c, &at, "%.*s: already mapped at %s:%u", (int)d->name_len,
	    d->name, c->job->sources[first.file].name, first.line);
}

static void
compile(struct compile *c)
{
	enum mapping_build made = MAPPING_NO_MEMORY;
	size_t octets;
	uint32_t i;

	c->builder = new_builder(&c->memfd);
	if (c->builder == NULL && c->memfd.error == 0) {
		problem(c, NULL, "image: no memory or no random key");
		return;
	}
	for (i = 0; c->builder != NULL && i < c->job->n_sources && !c->stop;
	    i++)
		read_source(c, i);
	if (c->builder != NULL && !c->stop)
		made = mapping_builder_finish(c->builder, on_duplicate, c,
		    &octets);
	if (made != MAPPING_BUILT && !c->stop)
		problem(c, NULL, "image: cannot write it: %s",
		    strerror(c->memfd.error));
	say_how_many_more(c);
}

bool
mapping_file_compile(const struct mapping_job *job, int image_fd,
    uint32_t *ret_names)
{
	struct compile *c = calloc(1, sizeof(*c));
	bool ok;

	if (c == NULL) {
		job->problem(job->arg, NULL, 0, "image: no memory");
		return false;
	}
	c->job = job;
	c->memfd.fd = image_fd;
	compile(c);
	mapping_builder_free(c->builder);
	if (c->memfd.at != NULL)
		munmap(c->memfd.at, c->memfd.octets);
	ok = c->n_problems == 0;
	if (ok)
		*ret_names = c->n_names;
	else	/* half an image shall not be taken for one */
		(void)!ftruncate(image_fd, 0);
	free(c);
	return ok;
}
