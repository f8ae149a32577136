/* SPDX-License-Identifier: ISC */
#include "translate/leases.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/line_reader.h"
#include "common/need.h"
#include "translate/lease_line.h"

enum {
	PROBLEMS_MAX = 5,	/* reported of one file */
	TRIES_MAX = 100		/* to read a lease that is being written */
};

static size_t
octets(uint32_t n)
{
	return sizeof(struct leases_shared) + n * sizeof(struct lease);
}

int
leases_new(const struct prefix *pool, struct leases *ret)
{
	struct leases leases = {
		.first = addr_to_v4(&pool->addr),
		.n = UINT32_C(1) << (128 - pool->len)
	};
	void *memory = mmap(NULL, octets(leases.n), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return -errno;
	leases.shared = memory;
	*ret = leases;
	return 0;
}

void
leases_free(struct leases *leases)
{
	if (leases->shared != NULL)
		munmap(leases->shared, octets(leases->n));
	*leases = (struct leases) { 0 };
}

/* --- for the worker -------------------------------------------------------- */

void
leases_put(struct leases *leases, uint32_t v4, const struct addr *v6,
    uint64_t heard_s)
{
	struct lease *lease;

	if (v4 - leases->first >= leases->n)
		return;
	lease = &leases->shared->lease[v4 - leases->first];
	if (atomic_load_explicit(&lease->heard_s, memory_order_relaxed) != 0 &&
	    addr_equal(&lease->v6, v6)) {
		atomic_store_explicit(&lease->heard_s, heard_s,
		    memory_order_relaxed);
		return;
	}
	/* A reader never takes one lease's host with another's time. */
	atomic_store(&lease->heard_s, 0);
	lease->v6 = *v6;
	atomic_store(&lease->heard_s, heard_s == 0 ? 1 : heard_s);
	atomic_fetch_add(&leases->shared->changes, 1);
}

void
leases_copy(struct leases *leases, const struct dynamic_pool *pool,
    uint32_t most, uint32_t *at)
{
	struct addr host;
	uint64_t heard_s;

	for (; most > 0 && *at < leases->n; most--, ++*at)
		if (dynamic_pool_lease(pool, leases->first + *at, &host,
		    &heard_s))
			leases_put(leases, leases->first + *at, &host, heard_s);
	if (*at >= leases->n)
		*at = 0;
}

/* --- for the master -------------------------------------------------------- */

/* Read lease i.  Returns false if there is none. */
static bool
get(const struct leases *leases, uint32_t i, struct lease_line *ret)
{
	const struct lease *lease = &leases->shared->lease[i];
	uint64_t before, after;

	for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
		before = atomic_load(&lease->heard_s);
		ret->host = lease->v6;
		after = atomic_load(&lease->heard_s);
		if (before == after) {
			ret->v4 = leases->first + i;
			ret->heard_s = after;
			return after != 0;
		}
	}
	return false;
}

static int
compare_heard(const void *a, const void *b)
{
	const struct lease_line *x = a, *y = b;

	return (x->heard_s > y->heard_s) - (x->heard_s < y->heard_s);
}

/* All leases, the one silent longest first; owned by the caller. */
static struct lease_line *
sorted(const struct leases *leases, size_t *ret_n)
{
	struct lease_line *all = need(calloc(leases->n, sizeof(*all)));
	size_t n = 0;

	for (uint32_t i = 0; i < leases->n; i++)
		n += get(leases, i, &all[n]);
	qsort(all, n, sizeof(*all), compare_heard);
	*ret_n = n;
	return all;
}

size_t
leases_count(const struct leases *leases)
{
	struct lease_line lease;
	size_t n = 0;

	for (uint32_t i = 0; i < leases->n; i++)
		n += get(leases, i, &lease);
	return n;
}

void
leases_restore(const struct leases *leases, struct dynamic_pool *pool,
    uint64_t now_s)
{
	size_t n;
	struct lease_line *all = sorted(leases, &n);

	for (size_t i = 0; i < n; i++)
		dynamic_pool_restore(pool, all[i].v4, &all[i].host,
		    all[i].heard_s, now_s);
	free(all);
}

bool
leases_catch_up(const struct leases *from, const struct leases *known,
    struct dynamic_pool *pool, uint64_t now_s)
{
	struct lease_line new, old;

	if (from->first != known->first || from->n != known->n)
		return false;
	for (uint32_t i = 0; i < from->n; i++) {
		if (!get(from, i, &new) || (get(known, i, &old) &&
		    addr_equal(&new.host, &old.host)))
			continue;
		if (dynamic_pool_restore(pool, new.v4, &new.host,
		    new.heard_s, now_s) == DYNAMIC_POOL_CONFLICT)
			return false;
	}
	return true;
}

static void
report_line(const char *path, uint32_t line, const char *text,
    cfgfile_report_fn *report, void *arg)
{
	char out[PATH_MAX + 128];

	snprintf(out, sizeof(out), "%s:%u: %s", path, line, text);
	report(out, arg);
}

/* Lend what a line says, or report what is wrong with it.  What the pool no
 * longer has, or another line said, is no mistake of the file. */
static bool
restore_line(const char *path, uint32_t number, const char *line, size_t len,
    struct dynamic_pool *pool, uint64_t now_s, cfgfile_report_fn *report,
    void *arg)
{
	struct lease_line lease;

	switch (lease_line_parse(line, len, &lease)) {
	case LEASE_LINE_LEASE:
		dynamic_pool_restore(pool, lease.v4, &lease.host,
		    lease.heard_s, now_s);
		return true;
	case LEASE_LINE_EMPTY:
		return true;
	case LEASE_LINE_BAD:
		break;
	}
	report_line(path, number, "is no lease, and left out", report, arg);
	return false;
}

bool
leases_read(const char *path, struct dynamic_pool *pool, uint64_t now_s,
    cfgfile_report_fn *report, void *arg)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct line_reader *reader;
	unsigned n_problems = 0;
	enum line_read read;
	const char *line;
	size_t len;

	if (fd < 0 && errno == ENOENT)
		return true;
	reader = malloc(sizeof(*reader));
	if (fd < 0 || reader == NULL) {
		report_line(path, 0, strerror(errno), report, arg);
		free(reader);
		return false;
	}
	line_reader_file(reader, fd, LEASE_LINE_MAX);
	while ((read = line_reader_next(reader, &line, &len)) != LINE_NONE &&
	    read != LINE_FAILED && n_problems < PROBLEMS_MAX)
		if (read == LINE_TOO_LONG || !restore_line(path, reader->line,
		    line, len, pool, now_s, report, arg))
			n_problems++;
	if (read == LINE_FAILED)
		report_line(path, reader->line, strerror(reader->error),
		    report, arg);
	close(fd);
	free(reader);
	return read != LINE_FAILED;
}

static int	/* 0 or -errno */
write_leases(const struct leases *leases, FILE *out)
{
	char line[LEASE_LINE_MAX];
	size_t n;
	/* In the order in which the pool takes them up again. */
	struct lease_line *all = sorted(leases, &n);

	for (size_t i = 0; i < n; i++) {
		lease_line_format(&all[i], line);
		fputs(line, out);
	}
	free(all);
	if (fflush(out) != 0 || fsync(fileno(out)) != 0)
		return -errno;
	return ferror(out) ? -EIO : 0;
}

int
leases_check(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	/* With its slash, and so of "/lease", too. */
	if (slash == NULL || slash - path + 2 > (int)sizeof(folder))
		return -ENAMETOOLONG;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1),
	    path);
	return access(folder, W_OK | X_OK) == 0 ? 0 : -errno;
}

int
leases_write(const struct leases *leases, const char *path)
{
	char fresh[PATH_MAX];
	FILE *out;
	int err;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >=
	    (int)sizeof(fresh))
		return -ENAMETOOLONG;
	unlink(fresh);		/* what a crash left */
	out = fopen(fresh, "wxe");
	if (out == NULL)
		return -errno;
	fchmod(fileno(out), 0640);
	err = write_leases(leases, out);
	if (fclose(out) != 0 && err == 0)
		err = -errno;
	if (err == 0 && rename(fresh, path) != 0)
		err = -errno;
	if (err != 0)
		unlink(fresh);
	return err;
}
