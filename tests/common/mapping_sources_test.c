/* SPDX-License-Identifier: ISC */
#include "common/mapping_sources.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of our own, what was opened in it and what was said. */
struct fixture {
	char		root[64];	/* with a wildcard in its name */
	struct mapping_sources sources;
	size_t		len;
	char		said[4096];
};

static void
say(void *arg, const char *file, uint32_t line, const char *text)
{
	struct fixture *f = arg;

	cr_assert_eq(line, 0);
	/* Paths without the folder, whose name is a new one each time. */
	if (file != NULL && strncmp(file, f->root, strlen(f->root)) == 0)
		file += strlen(f->root) + 1;
	f->len += (size_t)snprintf(f->said + f->len, sizeof(f->said) - f->len,
	    "%s: %s\n", file != NULL ? file : "-", text);
	cr_assert_lt(f->len, sizeof(f->said));
}

static char *
path(const struct fixture *f, const char *name)
{
	static char out[128];

	snprintf(out, sizeof(out), "%s/%s", f->root, name);
	return out;
}

static void
touch(const struct fixture *f, const char *name)
{
	int fd = open(path(f, name), O_WRONLY | O_CREAT, 0600);

	cr_assert_geq(fd, 0, "%s", name);
	close(fd);
}

static void
set_up(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->root, sizeof(f->root),
	    "/tmp/mapping_sources_test[ab]*XXXXXX");
	cr_assert_not_null(mkdtemp(f->root));
	touch(f, "b.map");
	touch(f, "a.map");
	touch(f, ".hidden.map");
	touch(f, "c.map~");
	cr_assert_eq(mkdir(path(f, "sub"), 0700), 0);
	touch(f, "sub/d.map");
}

static int
remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(name);
}

static void
tear_down(struct fixture *f)
{
	mapping_sources_close(&f->sources);
	cr_assert_eq(f->sources.n, 0);
	nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/*
 * Open what up to three patterns match.  Returns the paths, with a space
 * behind each, or what was said.
 */
static const char *
open_all(struct fixture *f, const char *a, const char *b, const char *c)
{
	static char names[512];
	char pattern[3][64];
	char *patterns[3] = { pattern[0], pattern[1], pattern[2] };
	size_t n = 0, len = 0;

	mapping_sources_close(&f->sources);
	f->said[0] = '\0';
	f->len = 0;
	if (a != NULL)
		snprintf(pattern[n++], sizeof(pattern[0]), "%s", a);
	if (b != NULL)
		snprintf(pattern[n++], sizeof(pattern[0]), "%s", b);
	if (c != NULL)
		snprintf(pattern[n++], sizeof(pattern[0]), "%s", c);
	if (!mapping_sources_open(f->root, patterns, n, &f->sources, say, f)) {
		cr_assert_eq(f->sources.n, 0);
		cr_assert_neq(f->said[0], '\0');
		return f->said;
	}
	cr_assert_str_eq(f->said, "");
	names[0] = '\0';
	for (size_t i = 0; i < f->sources.n; i++) {
		const struct mapping_source *s = &f->sources.source[i];

		cr_assert_geq(s->fd, 0);
		cr_assert(fcntl(s->fd, F_GETFD) & FD_CLOEXEC);
		cr_assert_eq(fcntl(s->fd, F_GETFL) & O_ACCMODE, O_RDONLY);
		cr_assert_eq(strncmp(s->name, f->root, strlen(f->root)), 0);
		len += (size_t)snprintf(names + len, sizeof(names) - len,
		    "%s ", s->name + strlen(f->root) + 1);
	}
	return names;
}

Test(mapping_sources, opens_what_patterns_match_sorted_and_once)
{
	struct fixture f;

	set_up(&f);
	cr_assert_str_eq(open_all(&f, NULL, NULL, NULL), "");
	cr_assert_str_eq(open_all(&f, "*.map", NULL, NULL), "a.map b.map ");
	cr_assert_str_eq(open_all(&f, "b.map", "*.map", "b.map"),
	    "a.map b.map ");
	cr_assert_str_eq(open_all(&f, "sub/*", "[b]?map", NULL),
	    "b.map sub/d.map ");
	cr_assert_str_eq(open_all(&f, "*/*.map", ".hidden.map", NULL),
	    ".hidden.map sub/d.map ");
	/* the same files under other names */
	cr_assert_str_eq(open_all(&f, "./a.map", "sub/../*.map", NULL),
	    "./a.map sub/../b.map ");
	cr_assert_eq(symlink("a.map", path(&f, "link.map")), 0);
	cr_assert_str_eq(open_all(&f, "*.map", NULL, NULL), "a.map b.map ");
	cr_assert_str_eq(open_all(&f, "link.map", NULL, NULL), "link.map ");
	tear_down(&f);
}

Test(mapping_sources, takes_absolute_patterns_as_they_are)
{
	char folder[] = "/tmp/mapping_sources_testXXXXXX";
	char file[64], pattern[64], *patterns = pattern;
	struct fixture f = { .root = "/nowhere" };
	struct mapping_sources s;
	int fd;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/a.map", folder);
	snprintf(pattern, sizeof(pattern), "%s/*.map", folder);
	close(open(file, O_WRONLY | O_CREAT, 0600));
	cr_assert(mapping_sources_open(f.root, &patterns, 1, &s, say, &f));
	cr_assert_eq(s.n, 1);
	cr_assert_str_eq(s.source[0].name, file);
	fd = s.source[0].fd;
	mapping_sources_close(&s);
	cr_assert_eq(fcntl(fd, F_GETFD), -1);
	mapping_sources_close(&s);
	unlink(file);
	rmdir(folder);
}

Test(mapping_sources, says_which_file_is_missing)
{
	struct fixture f;

	set_up(&f);
	cr_assert_str_eq(open_all(&f, "*.none", "no/[x]", NULL),
	    "no/[x]: cannot read the folder: No such file or directory\n");
	cr_assert_str_eq(open_all(&f, "*.none", "sub/x*", NULL), "");
	cr_assert_str_eq(open_all(&f, "x.map", "y.map", "a.map"),
	    "x.map: cannot open: No such file or directory\n"
	    "y.map: cannot open: No such file or directory\n");
	cr_assert_eq(symlink("nowhere", path(&f, "link.map")), 0);
	cr_assert_str_eq(open_all(&f, "*.map", NULL, NULL),
	    "link.map: cannot open: No such file or directory\n");
	tear_down(&f);
}

Test(mapping_sources, opens_regular_files_only_and_never_waits)
{
	struct fixture f;

	set_up(&f);
	cr_assert_eq(mkfifo(path(&f, "pipe.map"), 0600), 0);
	cr_assert_str_eq(open_all(&f, "*.map", NULL, NULL),
	    "pipe.map: is not a regular file\n");
	cr_assert_str_eq(open_all(&f, "sub", "/dev/null", NULL),
	    "/dev/null: is not a regular file\n"
	    "sub: is not a regular file\n");
	touch(&f, "new\nline");
	cr_assert_not_null(strstr(open_all(&f, "new*", NULL, NULL),
	    "/new\\x0aline\": a control character in a file's name\n"));
	tear_down(&f);
}

Test(mapping_sources, opens_at_most_1024_files)
{
	struct rlimit limit;
	struct fixture f;
	char name[32];

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < MAPPING_SOURCES_MAX + 64)
		cr_skip("the limit of descriptors is too low");
	set_up(&f);
	for (unsigned i = 2; i < MAPPING_SOURCES_MAX; i++) {
		snprintf(name, sizeof(name), "n%u.map", i);
		touch(&f, name);
	}
	/* too many to have their names compared */
	char *pattern = (char[]) { "*.map" };
	cr_assert(mapping_sources_open(f.root, &pattern, 1, &f.sources, say,
	    &f));
	cr_assert_eq(f.sources.n, MAPPING_SOURCES_MAX);
	touch(&f, "z.map");
	cr_assert_str_eq(open_all(&f, "*.map", NULL, NULL),
	    "z.map: more than 1024 mapping files\n");
	tear_down(&f);
}
