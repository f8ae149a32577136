/* SPDX-License-Identifier: ISC */
#include "common/cfgfile_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cfgfile_token.h"
#include "common/log.h"
#include "common/need.h"

/* From line `text_line` of the text on, the lines are these of a file. */
struct segment {
	unsigned	text_line;
	unsigned	file;		/* index into source->file */
	unsigned	file_line;
};

struct cfgfile_source {
	char		*text;		/* owned */
	size_t		 len, room;	/* of text */
	unsigned	 line;		/* of text, where its end is */
	char		*folder;	/* owned; of the first file, with '/' */
	char		**file;		/* owned, as each name in it */
	size_t		 n_files;
	struct segment	*segment;	/* owned; by text_line */
	size_t		 n_segments;
	unsigned	*string_line;	/* owned */
	size_t		 n_strings;
	bool		 after_string;	/* the last token was a string */
	char		*problem;	/* borrowed from the caller of open */
};

/* One file being read. */
struct scan {
	struct cfgfile_source *source;
	unsigned	 file;		/* index into source->file */
	unsigned	 line;		/* of the file */
	const char	*at, *end;	/* what is left */
	bool		 line_start;
	int		 depth;		/* of includes */
};

static void *
grow(void *array, size_t n, size_t size)
{
	/* Powers of two: grow when n has just filled one. */
	if ((n & (n - 1)) != 0)
		return array;
	return need(reallocarray(array, n == 0 ? 1 : 2 * n, size));
}

static void __attribute__((format(printf, 2, 3)))
set_problem(struct cfgfile_source *source, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(source->problem, CFGFILE_PROBLEM_MAX, fmt, args);
	va_end(args);
}

/* Copy to the end of the text; the caller has seen that it fits. */
static void
emit(struct cfgfile_source *source, const char *bytes, size_t len)
{
	memcpy(source->text + source->len, bytes, len);
	source->len += len;
	source->text[source->len] = '\0';
	for (size_t i = 0; i < len; i++)
		source->line += bytes[i] == '\n';
}

static void
begin_segment(struct cfgfile_source *source, unsigned file, unsigned line)
{
	source->segment = grow(source->segment, source->n_segments,
	    sizeof(*source->segment));
	source->segment[source->n_segments++] = (struct segment) {
		.text_line = source->line, .file = file, .file_line = line
	};
}

static void
note_string(struct cfgfile_source *source)
{
	source->string_line = grow(source->string_line, source->n_strings,
	    sizeof(*source->string_line));
	source->string_line[source->n_strings++] = source->line;
}

/*
 * Read a whole file into a heap copy.  Its size, and one newline more, is
 * added to the room for the text.  Returns 0 or -errno.
 */
static int
read_file(struct cfgfile_source *source, const char *path, char **ret,
    size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0, room = 1 << 14;
	char *bytes = NULL;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		if (bytes == NULL || len == room) {
			room *= 2;
			bytes = need(realloc(bytes, room));
		}
		n = read(fd, bytes + len, room - len);
		if (n > 0)
			len += (size_t)n;
	} while ((n > 0 && source->room + len < CFGFILE_OCTETS_MAX) ||
	    (n < 0 && errno == EINTR));
	n = n < 0 ? -errno : n > 0 ? -EFBIG : 0;
	close(fd);
	if (n < 0) {
		free(bytes);
		return (int)n;
	}
	source->room += len + 1;
	source->text = need(realloc(source->text, source->room + 1));
	*ret = bytes;
	*ret_len = len;
	return 0;
}

static unsigned
add_file(struct cfgfile_source *source, char *path)
{
	source->file = grow(source->file, source->n_files,
	    sizeof(*source->file));
	source->file[source->n_files] = path;
	return (unsigned)source->n_files++;
}

/* The path in `@include "path"`, or NULL if that is not what is there. */
static char *
scan_include(const struct scan *scan, const char **ret_end)
{
	static const char keyword[] = "@include";
	const char *at = scan->at, *first;

	if ((size_t)(scan->end - at) < sizeof(keyword) ||
	    memcmp(at, keyword, sizeof(keyword) - 1) != 0)
		return NULL;
	at += sizeof(keyword) - 1;
	while (at < scan->end && (*at == ' ' || *at == '\t'))
		at++;
	if (at == scan->end || *at != '"')
		return NULL;
	for (first = ++at; at < scan->end && *at != '"'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return NULL;
	}
	if (at == scan->end || at == first)
		return NULL;
	*ret_end = at + 1;
	return need(strndup(first, (size_t)(at - first)));
}

static bool expand(struct scan *);	/* files include files */

static bool
expand_include(struct scan *scan, const char *name)
{
	struct cfgfile_source *source = scan->source;
	struct scan inner = {
		.source = source, .line = 1, .line_start = true,
		.depth = scan->depth + 1
	};
	char *bytes = NULL, *path = NULL;
	size_t len = 0;
	int err = inner.depth > CFGFILE_INCLUDE_DEPTH_MAX ? -ELOOP : 0;
	bool ok;

	if (asprintf(&path, "%s%s", name[0] == '/' ? "" : source->folder,
	    name) < 0)
		log_fatal("out of memory");
	if (err == 0)
		err = read_file(source, path, &bytes, &len);
	if (err < 0) {
		set_problem(source, "%s:%u: @include: cannot read %s: %s",
		    source->file[scan->file], scan->line, path,
		    err == -ELOOP ? "too many files that include each other" :
		    strerror(-err));
		free(path);
		return false;
	}
	inner.file = add_file(source, path);
	inner.at = bytes;
	inner.end = bytes + len;
	begin_segment(source, inner.file, 1);
	ok = expand(&inner);
	free(bytes);
	emit(source, "\n", 1);
	begin_segment(source, scan->file, scan->line);
	return ok;
}

static bool
expand(struct scan *scan)
{
	struct cfgfile_source *source = scan->source;

	while (scan->at < scan->end) {
		const char *end = scan->at;
		char *include = scan->line_start && *scan->at == '@' ?
		    scan_include(scan, &end) : NULL;
		enum cfgfile_token token;
		bool ok = true;

		if (include != NULL) {
			ok = expand_include(scan, include);
			free(include);
			scan->line_start = false;
			scan->at = end;
			if (!ok)
				return false;
			continue;
		}
		token = cfgfile_token(scan->at, scan->end, &end);
		if (token > CFGFILE_OTHER) {
			set_problem(source, "%s:%u: %s",
			    source->file[scan->file], scan->line,
			    cfgfile_token_problem(token));
			return false;
		}
		if (token == CFGFILE_STRING && !source->after_string)
			note_string(source);
		if (token != CFGFILE_BLANK)
			source->after_string = token == CFGFILE_STRING;
		if (*scan->at == '\n')
			scan->line_start = true;
		else if (*scan->at != ' ' && *scan->at != '\t')
			scan->line_start = false;
		emit(source, scan->at, (size_t)(end - scan->at));
		for (; scan->at < end; scan->at++)
			scan->line += *scan->at == '\n';
	}
	return true;
}

static char *	/* owned by the caller */
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return need(slash == NULL ? strdup("") :
	    strndup(path, (size_t)(slash - path) + 1));
}

struct cfgfile_source *
cfgfile_source_open(const char *path, char problem[CFGFILE_PROBLEM_MAX])
{
	struct cfgfile_source *source = need(calloc(1, sizeof(*source)));
	struct scan scan = { .line = 1, .line_start = true };
	char *bytes = NULL;
	size_t len = 0;
	int err;
	bool ok;

	source->problem = problem;
	source->line = 1;
	source->folder = folder_of(path);
	err = read_file(source, path, &bytes, &len);
	if (err < 0) {
		set_problem(source, "%s: cannot read: %s", path,
		    strerror(-err));
		cfgfile_source_close(source);
		return NULL;
	}
	source->text[0] = '\0';
	scan.source = source;
	scan.at = bytes;
	scan.end = bytes + len;
	scan.file = add_file(source, need(strdup(path)));
	begin_segment(source, scan.file, 1);
	ok = expand(&scan);
	free(bytes);
	source->problem = NULL;
	if (ok)
		return source;
	cfgfile_source_close(source);
	return NULL;
}

void
cfgfile_source_close(struct cfgfile_source *source)
{
	if (source == NULL)
		return;
	for (size_t i = 0; i < source->n_files; i++)
		free(source->file[i]);
	free(source->file);
	free(source->segment);
	free(source->string_line);
	free(source->folder);
	free(source->text);
	free(source);
}

const char *
cfgfile_source_text(const struct cfgfile_source *source)
{
	return source->text;
}

const char *
cfgfile_source_where(const struct cfgfile_source *source, unsigned line,
    unsigned *ret_line)
{
	const struct segment *segment = &source->segment[0];

	for (size_t i = 1; i < source->n_segments; i++) {
		if (source->segment[i].text_line > line)
			break;
		segment = &source->segment[i];
	}
	*ret_line = segment->file_line + (line < segment->text_line ? 0 :
	    line - segment->text_line);
	return source->file[segment->file];
}

unsigned
cfgfile_source_string_line(const struct cfgfile_source *source, size_t n)
{
	return n < source->n_strings ? source->string_line[n] : 0;
}
