/* SPDX-License-Identifier: ISC */
#include "common/mapping_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mapping_line.h"

enum { HTTP = 1 << SERVICE_HTTP, HTTPS = 1 << SERVICE_HTTPS };

/* A job over up to four sources, what it said and what it made. */
struct fixture {
	struct target_policy policy;
	struct mapping_source source[4];
	struct mapping_job job;
	int		 image;
	uint32_t	 names;
	size_t		 len;		/* of `said` */
	char		 said[8192];	/* "file:line: text\n" for each */
};

static void
say(void *arg, const char *file, uint32_t line, const char *text)
{
	struct fixture *f = arg;

	f->len += (size_t)snprintf(f->said + f->len, sizeof(f->said) - f->len,
	    "%s:%u: %s\n", file != NULL ? file : "-", line, text);
	cr_assert_lt(f->len, sizeof(f->said));
}

static void
set_up(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	cr_assert_eq(prefix_parse("2001:db8::/32", 13, &f->policy.allow[0]),
	    PREFIX_OK);
	f->policy.n_allow = 1;
	f->job = (struct mapping_job) { .sources = f->source,
		.policy = &f->policy, .services = HTTP | HTTPS,
		.problem = say, .arg = f };
	f->image = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	cr_assert_geq(f->image, 0);
}

static void
tear_down(struct fixture *f)
{
	for (size_t i = 0; i < f->job.n_sources; i++) {
		if (f->source[i].fd >= 0)
			close(f->source[i].fd);
	}
	close(f->image);
}

static int
file_of(const char *text, size_t len)
{
	int fd = memfd_create("mapping_file_test", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, len), (ssize_t)len);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void
add_file(struct fixture *f, const char *name, const char *text, size_t len)
{
	f->source[f->job.n_sources++] = (struct mapping_source) {
		.name = name, .fd = file_of(text, len)
	};
}

static void
add_text(struct fixture *f, const char *name, const char *text, uint32_t line)
{
	f->source[f->job.n_sources++] = (struct mapping_source) {
		.name = name, .fd = -1, .text = text, .len = strlen(text),
		.first_line = line
	};
}

static bool
compile(struct fixture *f)
{
	return mapping_file_compile(&f->job, f->image, &f->names);
}

/*
 * What is said of one file "a.map" of this text; "" if it is right.  It is
 * read from a file and from an exact-size copy in memory.
 */
static void
assert_said(const char *text, size_t len, const char *said)
{
	char *copy = malloc(len);
	struct fixture f;

	set_up(&f);
	add_file(&f, "a.map", text, len);
	cr_assert_eq(compile(&f), said[0] == '\0', "%s%s", f.said, text);
	cr_assert_str_eq(f.said, said);
	tear_down(&f);

	set_up(&f);
	cr_assert_not_null(copy);
	memcpy(copy, text, len);
	add_text(&f, "a.map", "", 1);
	f.source[0].text = copy;
	f.source[0].len = len;
	cr_assert_eq(compile(&f), said[0] == '\0', "%s%s", f.said, text);
	cr_assert_str_eq(f.said, said);
	tear_down(&f);
	free(copy);
}

Test(mapping_file, makes_one_image_of_files_and_text)
{
	struct fixture f;
	struct mapping m;
	struct stat st;
	void *image;

	set_up(&f);
	add_file(&f, "a.map", "a.example 2001:db8::1\n# none\n", 28);
	add_text(&f, "proxyd.conf", "b.example 2001:db8::2", 12);
	add_file(&f, "empty.map", "", 0);
	add_text(&f, "proxyd.conf", "*.b.example 2001:db8::3\n\n"
				    "d.example 2001:db8::4", 13);
	/* What the memfd held before is gone, although it was longer. */
	cr_assert_eq(ftruncate(f.image, 1 << 20), 0);
	cr_assert(compile(&f), "%s", f.said);
	cr_assert_eq(f.names, 4);
	cr_assert_eq(fstat(f.image, &st), 0);
	cr_assert_lt(st.st_size, 1 << 20);
	image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, f.image,
	    0);
	cr_assert_eq(mapping_check(image, (size_t)st.st_size, &m),
	    MAPPING_OK);
	cr_assert_eq(mapping_count(&m), 4);
	cr_assert_not_null(mapping_find(&m, SERVICE_HTTP, "x.b.example", 11));
	cr_assert_not_null(mapping_find(&m, SERVICE_SSH, "d.example", 9));
	munmap(image, (size_t)st.st_size);
	tear_down(&f);
}

Test(mapping_file, takes_files_as_editors_leave_them)
{
	static const char bom[] = "\xef\xbb\xbf"
				  "a.example 2001:db8::1\r\n\r\n"
				  "b.example 2001:db8::1";
	static const char late_bom[] = "#\n\xef\xbb\xbf" "a.b 2001:db8::1\n";
	char line[MAPPING_LINE_MAX + 3];

	assert_said(bom, strlen(bom), "");
	assert_said(bom, 3, "");
	assert_said(bom, 2, "a.map:1: name: \"\\xef\\xbb\" is not ASCII; "
			    "write its A-label (xn--...)\n");
	assert_said(late_bom, strlen(late_bom),
	    "a.map:2: name: \"\\xef\\xbb\\xbf" "a.b\" is not ASCII; write its "
	    "A-label (xn--...)\n");
	memset(line, ' ', sizeof(line));
	memcpy(line, "a.b 2001:db8::1", 15);
	line[MAPPING_LINE_MAX] = '\r';
	line[MAPPING_LINE_MAX + 1] = '\n';
	assert_said(line, MAPPING_LINE_MAX + 2, "");
	assert_said(line, MAPPING_LINE_MAX + 1, "");
}

Test(mapping_file, names_the_line_of_each_problem)
{
	static const char wrong[] = "a.example 2001:db8::1\n"
				    "b.example 192.0.2.1\n"
				    "\n"
				    "b..example 2001:db8::1\n"
				    "A.example. 2001:db8::2 services=ssh\n"
				    "c.example 2001:db8::1 x=y";
	static const char nul[] = "a.example 2001:db8::1\n"
				  "#\0\n"
				  "never read\n";
	char *text;
	size_t len = 100000;

	assert_said(wrong, strlen(wrong),
	    "a.map:2: target: \"192.0.2.1\" is not an IPv6 address\n"
	    "a.map:4: name: \"b..example\" has an empty label\n"
	    "a.map:6: option: \"x\" is unknown\n"
	    "a.map:5: a.example: already mapped at a.map:1\n");
	assert_said(nul, sizeof(nul) - 1,
	    "a.map:2: line: has a NUL octet; this is no text\n");

	text = malloc(len);
	cr_assert_not_null(text);
	memset(text, ' ', len);
	text[2] = text[MAPPING_LINE_MAX + 4] = '\n';
	memcpy(text + len - 5, "\n!!!\n", 5);
	assert_said(text, len,
	    "a.map:2: line: longer than 4096 octets\n"
	    "a.map:3: line: longer than 4096 octets\n"
	    "a.map:4: name: \"!!!\" has a character that no host name has\n");
	free(text);
}

Test(mapping_file, finds_duplicates_across_sources)
{
	struct fixture f;

	set_up(&f);
	add_file(&f, "a.map",
	    "\n\nwww.example.com 2001:db8::1 services=http\n", 44);
	add_text(&f, "proxyd.conf", "*.example.com 2001:db8::1", 40);
	add_file(&f, "b.map",
	    "www.example.com 2001:db8::2 services=https\n"
	    "*.Example.com 2001:db8::1\n"
	    "www.example.com 2001:db8::2 services=ssh,http\n", 115);
	cr_assert_not(compile(&f));
	cr_assert_str_eq(f.said,
	    "b.map:2: *.example.com: already mapped at proxyd.conf:40\n"
	    "b.map:3: www.example.com: already mapped at a.map:3\n");
	tear_down(&f);
}

Test(mapping_file, holds_targets_to_the_policy)
{
	static const char text[] =
	    "a.example 2001:db8::1,2001:db9::1,::1\n"
	    "b.example 2001:db8::53\n"
	    "c.example 2001:db8::53 http=81\n"
	    "d.example 2001:db8::53 http=8080 https=80\n"
	    "e.example 2001:db9::1 services=ssh\n";
	struct fixture f;

	set_up(&f);
	f.policy.n_own = 2;
	cr_assert(addr_parse("2001:db8::53", 12, &f.policy.own[0].addr));
	f.policy.own[1].addr = f.policy.own[0].addr;
	f.policy.own[0].port = 80;
	f.policy.own[1].port = 22;
	add_file(&f, "a.map", text, strlen(text));
	cr_assert_not(compile(&f));
	cr_assert_str_eq(f.said,
	    "a.map:1: target: [2001:db9::1]:80 is in no prefix of "
	    "allow_targets\n"
	    "a.map:1: target: [::1]:80 is in a special-purpose range that "
	    "allow_targets does not name\n"
	    "a.map:2: target: [2001:db8::53]:80 is one of our own "
	    "listeners\n"
	    "a.map:4: target: [2001:db8::53]:80 is one of our own "
	    "listeners\n");
	tear_down(&f);
}

Test(mapping_file, reports_20_problems_and_counts_the_rest)
{
	struct fixture f;
	char text[100] = "";

	for (unsigned n = 19; n <= 22; n++) {
		unsigned lines = 0;

		memset(text, '!', sizeof(text));
		for (unsigned i = 1; i < 2 * n; i += 2)
			text[i] = '\n';
		set_up(&f);
		add_file(&f, "a.map", text, n);
		add_file(&f, "b.map", text, n);
		add_text(&f, "c", "", 1);
		cr_assert_not(compile(&f));
		for (const char *c = f.said; *c != '\0'; c++)
			lines += *c == '\n';
		cr_assert_eq(lines, n <= 20 ? (n + 1) / 2 * 2 : 21, "%u", n);
		cr_assert_eq(strstr(f.said, "-:0: and 2 more problems\n") !=
		    NULL, n > 20, "%u: %s", n, f.said);
		tear_down(&f);
	}
	memset(text, '!', sizeof(text));
	for (unsigned i = 1; i < 42; i += 2)
		text[i] = '\n';
	set_up(&f);
	add_file(&f, "a.map", text, 42);
	cr_assert_not(compile(&f));
	cr_assert_not_null(strstr(f.said, "\n-:0: and 1 more problem\n"));
	tear_down(&f);
}

Test(mapping_file, refuses_source_embed_without_a_prefix_for_it)
{
	static const char text[] =
	    "a.example 2001:db8::1 source=embed\n"
	    "b.example 2001:db8::1 services=ssh source=embed\n"
	    "c.example 2001:db8::1 proxy=v2\n"
	    "d.example 2001:db9::1 services=https source=embed\n";
	struct fixture f;

	set_up(&f);
	add_file(&f, "a.map", text, strlen(text));
	cr_assert_not(compile(&f));
	cr_assert_str_eq(f.said,
	    "a.map:1: source: embed needs the setting embed_prefix\n"
	    "a.map:4: target: [2001:db9::1]:443 is in no prefix of "
	    "allow_targets\n"
	    "a.map:4: source: embed needs the setting embed_prefix\n");
	tear_down(&f);

	set_up(&f);
	f.job.embed = true;
	add_text(&f, "proxyd.conf", "a.example 2001:db8::1 source=embed", 7);
	cr_assert(compile(&f), "%s", f.said);
	tear_down(&f);
}

Test(mapping_file, refuses_a_target_in_an_embed_prefix)
{
	struct fixture f;

	set_up(&f);
	cr_assert_eq(prefix_parse("2001:db8:e::/96", 15,
			 &f.policy.embed[0]),
	    PREFIX_OK);
	f.policy.n_embed = 1;
	f.job.embed = true;
	add_text(&f, "a", "a.example 2001:db8:e::192.0.2.1", 3);
	cr_assert_not(compile(&f));
	cr_assert_str_eq(f.said, "a:3: target: [2001:db8:e::c000:201]:80 is "
	    "in the embed prefix, whose addresses are clients\n");
	tear_down(&f);
}

Test(mapping_file, counts_duplicates_among_the_problems)
{
	struct fixture f;
	char text[23 * 32], *at = text;
	unsigned n;

	/* a problem of another kind, and 22 duplicates behind it */
	at += sprintf(at, "a.example 192.0.2.1\n");
	for (n = 2; n <= 24; n++)
		at += sprintf(at, "b.example 2001:db8::%u\n", n);
	set_up(&f);
	add_file(&f, "a.map", text, (size_t)(at - text));
	cr_assert_not(compile(&f));
	cr_assert_not_null(strstr(f.said,
	    "\na.map:3: b.example: already mapped at a.map:2\n"));
	cr_assert_not_null(strstr(f.said,
	    "\na.map:21: b.example: already mapped at a.map:2\n"
	    "-:0: and 3 more problems\n"));
	tear_down(&f);
}

Test(mapping_file, leaves_no_half_image_after_a_problem)
{
	char before[] = "the image before";
	struct fixture f;

	set_up(&f);
	f.names = 77;
	cr_assert_eq(write(f.image, before, sizeof(before)),
	    (ssize_t)sizeof(before));
	add_text(&f, "c", "a.example 2001:db8::1\nb.example", 1);
	cr_assert_not(compile(&f));
	cr_assert_str_eq(f.said, "c:2: target: none given for b.example\n");
	cr_assert_eq(lseek(f.image, 0, SEEK_END), 0);
	cr_assert_eq(f.names, 77);
	tear_down(&f);
}

Test(mapping_file, says_when_it_cannot_read_or_write)
{
	struct fixture f;

	set_up(&f);
	f.source[f.job.n_sources++] = (struct mapping_source) {
		.name = "/", .fd = open("/", O_RDONLY | O_DIRECTORY)
	};
	cr_assert_not(compile(&f));
	cr_assert_str_eq(f.said, "/:0: cannot read: Is a directory\n");
	tear_down(&f);

	set_up(&f);
	add_text(&f, "c", "a.example 2001:db8::1\n", 1);
	cr_assert_eq(fcntl(f.image, F_ADD_SEALS, F_SEAL_GROW), 0);
	cr_assert_not(compile(&f));
	cr_assert_str_eq(f.said,
	    "-:0: image: cannot write it: Operation not permitted\n");
	tear_down(&f);
}
