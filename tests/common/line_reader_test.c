/* SPDX-License-Identifier: ISC */
#include "common/line_reader.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A descriptor to read the text from; the caller's to close. */
static int
file_of(const char *text, size_t len)
{
	int fd = memfd_create("line_reader_test", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, len), (ssize_t)len);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Every line as "number:text|", too long ones as "number!|". */
static char *
all_lines(struct line_reader *r)
{
	const char *line;
	enum line_read got;
	size_t len, out_len;
	char *out;
	FILE *to = open_memstream(&out, &out_len);

	while ((got = line_reader_next(r, &line, &len)) != LINE_NONE) {
		cr_assert_neq(got, LINE_FAILED);
		if (got == LINE_READ)
			fprintf(to, "%u:%.*s|", r->line, (int)len, line);
		else
			fprintf(to, "%u!|", r->line);
	}
	cr_assert_eq(line_reader_next(r, &line, &len), LINE_NONE);
	fclose(to);
	return out;
}

Test(line_reader, reads_files_and_memory_alike)
{
	static const struct {
		const char *text, *lines;
	} cases[] = {
		{ "", "" },
		{ "\n", "1:|" },
		{ "a", "1:a|" },
		{ "a\n", "1:a|" },
		{ "a\n\nb\r\nc", "1:a|2:|3:b\r|4:c|" },
		{ "12345678\n123456789\n12345678",
		    "1:12345678|2!|3:12345678|" },
		{ "123456789", "1!|" },
		{ "123456789\n", "1!|" },
	};
	struct line_reader *r = malloc(sizeof(*r));
	char *lines;
	int fd;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].text);

		line_reader_text(r, cases[i].text, len, 8);
		lines = all_lines(r);
		cr_assert_str_eq(lines, cases[i].lines);
		free(lines);
		fd = file_of(cases[i].text, len);
		line_reader_file(r, fd, 8);
		lines = all_lines(r);
		cr_assert_str_eq(lines, cases[i].lines);
		free(lines);
		close(fd);
	}
	free(r);
}

Test(line_reader, reads_lines_that_lie_across_its_buffer)
{
	enum { SIZE = 1 << 20 };
	struct line_reader *r = malloc(sizeof(*r));
	char *text = malloc(SIZE), *from_text, *from_file;
	uint32_t state = 1;
	int fd;

	/* Lines up to 20,000 octets; those above 5,000 are too long. */
	for (size_t i = 0; i < SIZE; i++)
		text[i] = (char)('a' + i % 26);
	for (size_t i = 0; i < SIZE; i += (state >> 8) % 20000) {
		text[i] = '\n';
		state = state * 1664525 + 1013904223;
	}
	line_reader_text(r, text, SIZE, 5000);
	from_text = all_lines(r);
	fd = file_of(text, SIZE);
	line_reader_file(r, fd, 5000);
	from_file = all_lines(r);
	cr_assert(strcmp(from_text, from_file) == 0);
	cr_assert_gt(r->line, 50);
	cr_assert_not_null(strchr(from_file, '!'));
	close(fd);
	free(from_text);
	free(from_file);
	free(text);
	free(r);
}

Test(line_reader, skips_a_line_longer_than_its_buffer)
{
	struct line_reader *r = malloc(sizeof(*r));
	size_t len = 3 * sizeof(r->buffer);
	char *text = malloc(len), *lines;
	int fd;

	memset(text, 'x', len);
	memcpy(text, "a\n", 2);
	memcpy(text + len - 3, "\nb\n", 3);
	fd = file_of(text, len);
	line_reader_file(r, fd, LINE_READER_MAX);
	lines = all_lines(r);
	cr_assert_str_eq(lines, "1:a|2!|3:b|");
	free(lines);
	close(fd);
	free(text);
	free(r);
}

Test(line_reader, takes_what_a_pipe_gives)
{
	struct line_reader *r = malloc(sizeof(*r));
	const char *line;
	size_t len;
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	line_reader_file(r, fds[0], 100);
	for (unsigned i = 1; i <= 3; i++) {
		cr_assert_eq(write(fds[1], "ab\nc", 4), 4);
		cr_assert_eq(line_reader_next(r, &line, &len), LINE_READ);
		cr_assert_eq(len, i == 1 ? 2 : 3);
	}
	close(fds[1]);
	cr_assert_eq(line_reader_next(r, &line, &len), LINE_READ);
	cr_assert_eq(len, 1);
	cr_assert_eq(line_reader_next(r, &line, &len), LINE_NONE);
	close(fds[0]);
	free(r);
}

Test(line_reader, says_that_reading_failed_and_stays_failed)
{
	struct line_reader *r = malloc(sizeof(*r));
	int fd = open("/", O_RDONLY | O_DIRECTORY);
	const char *line;
	size_t len;

	line_reader_file(r, fd, 100);
	cr_assert_eq(line_reader_next(r, &line, &len), LINE_FAILED);
	cr_assert_eq(r->error, EISDIR);
	cr_assert_eq(line_reader_next(r, &line, &len), LINE_FAILED);
	close(fd);
	free(r);
}
