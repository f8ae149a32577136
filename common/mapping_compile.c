/* SPDX-License-Identifier: ISC */
#include "common/mapping_compile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CPU_SECONDS = 300,	/* the child's; a million names take one */
	SECONDS = 600,		/* it may wait for a slow disk as well */
	MEMORY_OCTETS_LOG2 = 33	/* its address space: 8 GiB */
};

char *
mapping_problem_format(const char *file, uint32_t line, const char *text,
    char *out, size_t room)
{
	if (file == NULL)
		snprintf(out, room, "%s", text);
	else if (line == 0)
		snprintf(out, room, "%s: %s", file, text);
	else
		snprintf(out, room, "%s:%u: %s", file, line, text);
	return out;
}

/* --- in the child ------------------------------------------------------- */

static void
send_problem(void *arg, const char *file, uint32_t line, const char *text)
{
	const int *fd = arg;
	char out[sizeof(((struct mapping_compile *)0)->line) - 1];

	mapping_problem_format(file, line, text, out, sizeof(out));
	dprintf(*fd, "%s\n", out);
}

static void
limit_child(void)
{
	const struct rlimit cpu = { CPU_SECONDS, CPU_SECONDS };
	const struct rlimit memory = { (rlim_t)1 << MEMORY_OCTETS_LOG2,
		(rlim_t)1 << MEMORY_OCTETS_LOG2 };

	setrlimit(RLIMIT_CPU, &cpu);
#ifndef POPGATE_SANITIZERS
	setrlimit(RLIMIT_AS, &memory);
#else
	(void)memory;	/* AddressSanitizer reserves terabytes */
#endif
}

static void __attribute__((noreturn))
run_child(const struct mapping_job *from, const struct sandbox_ids *ids,
    int messages, int image)
{
	struct mapping_job job = *from;
	int *keep = calloc(job.n_sources + 2, sizeof(*keep));
	size_t i, n = 0;
	uint32_t names;

	sandbox_child_begins("popgate-mapping");
	alarm(SECONDS);
	if (keep == NULL)
		_exit(1);
	keep[n++] = messages;
	keep[n++] = image;
	for (i = 0; i < job.n_sources; i++)
		keep[n++] = job.sources[i].fd;
	sandbox_close_fds_except(keep, n);
	free(keep);
	job.problem = send_problem;
	job.arg = &messages;
	if (sandbox_enter(ids) != 0) {
		send_problem(&messages, NULL, 0,
		    "the mapping compiler cannot give up privileges");
		_exit(1);
	}
	limit_child();
	_exit(mapping_file_compile(&job, image, &names) ? 0 : 1);
}

/* --- in the master ------------------------------------------------------ */

int
mapping_compile_start(struct mapping_compile *c,
    const struct sandbox_ids *ids, const struct mapping_job *job)
{
	int fds[2], err;

	memset(c, 0, sizeof(*c));
	c->image = memfd_create("popgate-mapping",
	    MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (c->image < 0)
		return -errno;
	/* The child may be another user. */
	if (fchmod(c->image, 0666) != 0 || pipe2(fds, O_CLOEXEC) != 0) {
		err = errno;
		close(c->image);
		return -err;
	}
	c->pid = fork();
	if (c->pid == 0)
		run_child(job, ids, fds[1], c->image);
	err = errno;
	close(fds[1]);
	if (c->pid < 0) {
		close(fds[0]);
		close(c->image);
		c->pid = 0;
		return -err;
	}
	c->messages = fds[0];
	return 0;
}

/* Give on a line; the child is not trusted to send only printable ones. */
static void
report_line(struct mapping_compile *c, mapping_compile_report_fn *report,
    void *arg)
{
	size_t i;

	for (i = 0; i < c->len; i++)
		if ((unsigned char)c->line[i] < 0x20 || c->line[i] == 0x7f)
			c->line[i] = '?';
	c->line[c->len] = '\0';
	c->len = 0;
	report(c->line, arg);
}

bool
mapping_compile_read(struct mapping_compile *c,
    mapping_compile_report_fn *report, void *arg)
{
	char chunk[512];
	ssize_t i, n = read(c->messages, chunk, sizeof(chunk));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	for (i = 0; i < n; i++) {
		if (chunk[i] != '\n')
			c->line[c->len++] = chunk[i];
		if (chunk[i] == '\n' || c->len == sizeof(c->line) - 1)
			report_line(c, report, arg);
	}
	if (n == 0 && c->len > 0)
		report_line(c, report, arg);
	return n > 0;
}

bool
mapping_compile_reaped(struct mapping_compile *c, pid_t pid, int status)
{
	if (c->pid == 0 || pid != c->pid || c->reaped)
		return false;
	c->reaped = true;
	c->status = status;
	return true;
}

/* Seal the memfd, then look at it.  Returns what is wrong, or NULL. */
static const char *
accept_image(int fd, struct mapping_image *ret)
{
	enum mapping_fault fault;
	struct mapping mapping;
	struct stat st;
	void *image;

	if (fcntl(fd, F_ADD_SEALS,
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) !=
	    0)
		return "the mapping cannot be sealed";
	if (fstat(fd, &st) != 0 || st.st_size <= 0)
		return "the mapping is empty";
	image = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (image == MAP_FAILED)
		return "the mapping cannot be mapped";
	fault = mapping_check(image, (size_t)st.st_size, &mapping);
	if (fault == MAPPING_OK) {
		ret->fd = fd;
		ret->octets = (uint64_t)st.st_size;
		ret->names = mapping_count(&mapping);
	}
	munmap(image, (size_t)st.st_size);
	return fault == MAPPING_OK ? NULL :
				     "the mapping compiler made a bad image";
}

bool
mapping_compile_finish(struct mapping_compile *c, struct mapping_image *ret,
    mapping_compile_report_fn *report, void *arg)
{
	const char *problem = NULL;

	close(c->messages);
	if (!c->reaped) {
		while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
			;
	}
	c->pid = 0;
	if (WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0)
		problem = accept_image(c->image, ret);
	else if (WIFSIGNALED(c->status) && (WTERMSIG(c->status) == SIGALRM ||
		     WTERMSIG(c->status) == SIGXCPU))
		problem = "the mapping compiler took too long";
	else if (!WIFEXITED(c->status))
		problem = "the mapping compiler crashed";
	else
		problem = "";	/* it has told */
	if (problem == NULL)
		return true;
	if (problem[0] != '\0')
		report(problem, arg);
	close(c->image);
	return false;
}
