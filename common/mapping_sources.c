/* SPDX-License-Identifier: ISC */
#include "common/mapping_sources.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/quote.h"

struct opener {
	const char	*folder;	/* borrowed */
	mapping_problem_fn *problem;
	void		*arg;
	bool		 failed;
	char		**path;		/* owned, and what it points to */
	size_t		 n, room;	/* of `path` */
	struct stat	*stat;		/* owned; of out.source */
	struct mapping_sources out;
};

static void __attribute__((format(printf, 3, 4)))
problem(struct opener *o, const char *path, const char *fmt, ...)
{
	char text[MAPPING_PROBLEM_OCTETS];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	o->problem(o->arg, path, 0, text);
	o->failed = true;
}

/* --- which files -------------------------------------------------------- */

/* Add a path, which is ours from now on; NULL: there was no memory. */
static void
add_path(struct opener *o, char *path)
{
	size_t room = o->room + o->room / 2 + 16;
	char **more;

	if (path != NULL && o->n == o->room) {
		more = reallocarray(o->path, room, sizeof(*more));
		if (more == NULL) {
			free(path);
			path = NULL;
		} else {
			o->path = more;
			o->room = room;
		}
	}
	if (path == NULL)
		problem(o, NULL, "mapping files: no memory");
	else
		o->path[o->n++] = path;
}

/* A pattern as a path, with the folder's own wildcards escaped or not. */
static char *
join(const char *folder, const char *pattern, bool escape)
{
	char *path = malloc(2 * strlen(folder) + strlen(pattern) + 2);
	char *at = path;

	if (path == NULL)
		return NULL;
	for (; pattern[0] != '/' && *folder != '\0'; folder++) {
		if (escape && strchr("*?[\\", *folder) != NULL)
			*at++ = '\\';
		*at++ = *folder;
	}
	if (at > path && at[-1] != '/')
		*at++ = '/';
	memcpy(at, pattern, strlen(pattern) + 1);
	return path;
}

static void
expand_wildcards(struct opener *o, const char *pattern)
{
	char *path = join(o->folder, pattern, true);
	glob_t found = { 0 };
	size_t i;

	if (path == NULL) {
		problem(o, NULL, "mapping files: no memory");
		return;
	}
	errno = 0;
	switch (glob(path, GLOB_ERR | GLOB_NOSORT, NULL, &found)) {
	case 0:
		for (i = 0; i < found.gl_pathc; i++)
			add_path(o, strdup(found.gl_pathv[i]));
		break;
	case GLOB_NOMATCH:
		break;
	case GLOB_NOSPACE:
		problem(o, NULL, "mapping files: no memory");
		break;
	default:
		problem(o, pattern, "cannot read the folder: %s",
		    strerror(errno));
		break;
	}
	globfree(&found);
	free(path);
}

static int
compare_paths(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Sort the paths, and keep each once. */
static void
sort_paths(struct opener *o)
{
	size_t i, kept = 0;

	if (o->n > 0)
		qsort(o->path, o->n, sizeof(*o->path), compare_paths);
	for (i = 0; i < o->n; i++) {
		if (kept > 0 && strcmp(o->path[kept - 1], o->path[i]) == 0)
			free(o->path[i]);
		else
			o->path[kept++] = o->path[i];
	}
	o->n = kept;
}

static void
expand(struct opener *o, char *const *patterns, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strpbrk(patterns[i], "*?[") != NULL)
			expand_wildcards(o, patterns[i]);
		else
			add_path(o, join(o->folder, patterns[i], false));
	}
	sort_paths(o);
}

/* --- opening ------------------------------------------------------------ */

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

/* A descriptor of a regular file, or -1 after reporting a problem. */
static int
open_file(struct opener *o, const char *path, struct stat *ret)
{
	char quoted[256];
	int fd;

	if (!is_printable(path)) {
		quote(path, strlen(path), quoted, sizeof(quoted));
		problem(o, quoted, "a control character in a file's name");
		return -1;
	}
	/* Not to wait for a pipe's writer. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		problem(o, path, "cannot open: %s", strerror(errno));
		return -1;
	}
	if (fstat(fd, ret) != 0 || !S_ISREG(ret->st_mode)) {
		problem(o, path, "is not a regular file");
		close(fd);
		return -1;
	}
	return fd;
}

static bool
is_open_already(const struct opener *o, const struct stat *st)
{
	size_t i;

	for (i = 0; i < o->out.n; i++) {
		if (o->stat[i].st_dev == st->st_dev &&
		    o->stat[i].st_ino == st->st_ino)
			return true;
	}
	return false;
}

/* Open one file, unless that was done; true: it is a source with this path. */
static bool
add_file(struct opener *o, char *path)
{
	struct mapping_sources *out = &o->out;
	struct stat st;
	int fd = open_file(o, path, &st);

	if (fd < 0)
		return false;
	if (is_open_already(o, &st)) {
		close(fd);
		return false;
	}
	out->path[out->n] = path;
	out->source[out->n] = (struct mapping_source) {
		.name = path, .fd = fd
	};
	o->stat[out->n++] = st;
	return true;
}

/* Open all paths; a path is taken out of o->path by becoming a source's. */
static void
open_all(struct opener *o)
{
	struct mapping_sources *out = &o->out;
	size_t most = o->n < MAPPING_SOURCES_MAX ? o->n : MAPPING_SOURCES_MAX;
	size_t i;

	out->source = calloc(most + 1, sizeof(*out->source));
	out->path = calloc(most + 1, sizeof(*out->path));
	o->stat = calloc(most + 1, sizeof(*o->stat));
	if (out->source == NULL || out->path == NULL || o->stat == NULL) {
		problem(o, NULL, "mapping files: no memory");
		return;
	}
	for (i = 0; i < o->n; i++) {
		if (out->n == MAPPING_SOURCES_MAX) {
			problem(o, o->path[i], "more than %d mapping files",
			    MAPPING_SOURCES_MAX);
			return;
		}
		if (add_file(o, o->path[i]))
			o->path[i] = NULL;
	}
}

bool
mapping_sources_open(const char *folder, char *const *patterns, size_t n,
    struct mapping_sources *ret, mapping_problem_fn *fn, void *arg)
{
	struct opener o = { .folder = folder, .problem = fn, .arg = arg };
	size_t i;

	expand(&o, patterns, n);
	if (!o.failed)
		open_all(&o);
	if (o.failed)
		mapping_sources_close(&o.out);
	else
		*ret = o.out;
	for (i = 0; i < o.n; i++)
		free(o.path[i]);
	free(o.path);
	free(o.stat);
	return !o.failed;
}

void
mapping_sources_close(struct mapping_sources *s)
{
	while (s->n > 0) {
		s->n--;
		close(s->source[s->n].fd);
		free(s->path[s->n]);
	}
	free(s->source);
	free(s->path);
	*s = (struct mapping_sources) { 0 };
}
