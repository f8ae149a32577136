/* SPDX-License-Identifier: ISC */
#include "jumpd/key_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* What is put together. */
struct collector {
	int		 fd;		/* owned; the memfd */
	uint64_t	 octets;
	mapping_problem_fn *problem;
	void		*arg;
	bool		 failed;
};

static void
tell(struct collector *c, const char *file, const char *text)
{
	c->failed = true;
	c->problem(c->arg, file, 0, text);
}

static bool
write_all(struct collector *c, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t n;

	while (len > 0) {
		n = write(c->fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
		c->octets += (uint64_t)n;
	}
	return true;
}

/* A whole file; it may be growing. */
static char *
read_all(int fd, size_t *ret_len)
{
	char *text = NULL, *more;
	size_t len = 0, room = 0;
	ssize_t n;

	for (;;) {
		if (len == room) {
			room = room > 0 ? 2 * room : 16384;
			more = room <= KEY_BUNDLE_OCTETS_MAX ?
			    realloc(text, room) :
			    NULL;
			if (more == NULL)
				break;
			text = more;
		}
		n = read(fd, text + len, room - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		if (n == 0) {
			*ret_len = len;
			return text;
		}
		len += (size_t)n;
	}
	free(text);
	return NULL;
}

static void
add(struct collector *c, enum key_file_kind kind, uint64_t users,
    const struct mapping_source *source)
{
	struct key_file file = { .kind = kind, .users = users,
		.name = source->name, .name_len = strlen(source->name) };
	uint8_t header[KEY_FILE_HEADER_OCTETS];
	char *text = read_all(source->fd, &file.len);

	if (text == NULL) {
		tell(c, source->name, "cannot be read, or is too large");
		return;
	}
	if (file.name_len > KEY_FILE_NAME_MAX)
		file.name_len = KEY_FILE_NAME_MAX;
	key_file_header(&file, header);
	if (c->octets + sizeof(header) + file.name_len + file.len >
	    KEY_BUNDLE_OCTETS_MAX)
		tell(c, source->name, "there is too much in all files");
	else if (!write_all(c, header, sizeof(header)) ||
	    !write_all(c, file.name, file.name_len) ||
	    !write_all(c, text, file.len))
		tell(c, source->name, strerror(errno));
	free(text);
}

/* What mapping_sources_open found for each rule of one kind. */
struct found {
	struct mapping_sources sources;
	uint64_t	users;
};

static bool
same_file(const struct mapping_source *a, const struct mapping_source *b)
{
	struct stat x, y;

	return fstat(a->fd, &x) == 0 && fstat(b->fd, &y) == 0 &&
	    x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Take a file that is in a later set too out of that one. */
static uint64_t
users_of(struct found *found, size_t n, size_t i, struct mapping_source *s)
{
	uint64_t users = found[i].users;
	struct mapping_source *other;
	size_t j, k;

	for (j = i + 1; j < n; j++)
		for (k = 0; k < found[j].sources.n; k++) {
			other = &found[j].sources.source[k];
			if (other->fd < 0 || !same_file(s, other))
				continue;
			users |= found[j].users;
			close(other->fd);
			other->fd = -1;
		}
	return users;
}

/* All rules of one kind. */
static void
collect_kind(struct collector *c, const char *folder,
    const struct key_file_rule *rule, size_t n, enum key_file_kind kind)
{
	struct found *found = calloc(n > 0 ? n : 1, sizeof(*found));
	struct mapping_source *s;
	char *pattern;
	size_t i, k, m = 0;

	if (found == NULL) {
		tell(c, NULL, "out of memory");
		return;
	}
	for (i = 0; i < n; i++) {
		if (rule[i].kind != kind)
			continue;
		pattern = strdup(rule[i].pattern);
		if (pattern == NULL ||
		    !mapping_sources_open(folder, &pattern, 1,
			&found[m].sources, c->problem, c->arg))
			c->failed = true;
		else
			found[m++].users = rule[i].users;
		free(pattern);
	}
	for (i = 0; i < m; i++)
		for (k = 0; k < found[i].sources.n; k++) {
			s = &found[i].sources.source[k];
			if (s->fd >= 0 && !c->failed)
				add(c, kind, users_of(found, m, i, s), s);
		}
	for (i = 0; i < m; i++)
		mapping_sources_close(&found[i].sources);
	free(found);
}

bool
key_files_collect(const char *folder, const struct key_file_rule *rule,
    size_t n, int *ret_fd, uint64_t *ret_octets, mapping_problem_fn *problem,
    void *arg)
{
	struct collector c = { .problem = problem, .arg = arg };
	enum key_file_kind kind;

	c.fd = memfd_create("jumpd-keys", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (c.fd < 0) {
		tell(&c, NULL, strerror(errno));
		return false;
	}
	for (kind = KEY_FILE_AUTHORIZED; kind <= KEY_FILE_REVOKED; kind++)
		collect_kind(&c, folder, rule, n, kind);
	if (!c.failed && fcntl(c.fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK |
		    F_SEAL_GROW | F_SEAL_WRITE) != 0)
		tell(&c, NULL, strerror(errno));
	if (c.failed) {
		close(c.fd);
		return false;
	}
	*ret_fd = c.fd;
	*ret_octets = c.octets;
	return true;
}
