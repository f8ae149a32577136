/* SPDX-License-Identifier: ISC */
#include "common/line_reader.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static void
begin(struct line_reader *r, int fd, const char *at, size_t left, size_t max)
{
	assert(max >= 1 && max <= LINE_READER_MAX);
	r->fd = fd;
	r->max = max;
	r->line = 0;
	r->at = at;
	r->left = left;
	r->ended = fd < 0;
	r->error = 0;
}

void
line_reader_file(struct line_reader *r, int fd, size_t max)
{
	begin(r, fd, r->buffer, 0, max);
}

void
line_reader_text(struct line_reader *r, const char *text, size_t len,
    size_t max)
{
	begin(r, -1, text, len, max);
}

/* Read more behind what is left; false on an error. */
static bool
fill(struct line_reader *r)
{
	ssize_t n;

	if (r->left > 0)
		memmove(r->buffer, r->at, r->left);
	r->at = r->buffer;
	do
		n = read(r->fd, r->buffer + r->left,
		    sizeof(r->buffer) - r->left);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		r->error = errno;
		r->ended = true;
		r->left = 0;
		return false;
	}
	r->ended = n == 0;
	r->left += (size_t)n;
	return true;
}

enum line_read
line_reader_next(struct line_reader *r, const char **ret, size_t *ret_len)
{
	bool too_long = false;
	const char *newline;
	size_t len;

	for (;;) {
		newline = r->left > 0 ? memchr(r->at, '\n', r->left) : NULL;
		if (newline != NULL || r->ended)
			break;
		if (r->left > r->max) {
			too_long = true;
			r->left = 0;
		}
		if (!fill(r))
			return LINE_FAILED;
	}
	if (r->error != 0)
		return LINE_FAILED;
	if (r->left == 0 && !too_long)
		return LINE_NONE;
	len = newline != NULL ? (size_t)(newline - r->at) : r->left;
	r->line++;
	too_long = too_long || len > r->max;
	if (!too_long) {
		*ret = r->at;
		*ret_len = len;
	}
	r->at += len + (newline != NULL);
	r->left -= len + (newline != NULL);
	return too_long ? LINE_TOO_LONG : LINE_READ;
}
