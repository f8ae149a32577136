/* SPDX-License-Identifier: ISC */
/*
 * key_files_check.c - every line of the key files, read by a process that has
 * nothing to lose: users may have written them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox_filter.h"
#include "jumpd/key_files.h"
#include "jumpd/key_store.h"

enum {
	TEXT_MAX = 512,
	TOLD_MAX = 20,		/* lines that hold for nobody; what is fatal is
				 * told all */
	CPU_SECONDS = 60
};

/* A problem on its way: the file's name and the text follow. */
struct record {
	uint32_t	line;
	uint32_t	name_len, text_len;
};

/* ------------------------------------------------------------ the child */

struct teller {
	int		fd;
	unsigned	told;
};

static void
tell(void *arg, const struct key_file *file, uint32_t line, bool fatal,
    const char *text)
{
	struct teller *to = arg;
	struct record r = { .line = line,
		.name_len = (uint32_t)file->name_len };
	char out[sizeof(r) + KEY_FILE_NAME_MAX + TEXT_MAX];
	char *at = out + sizeof(r) + r.name_len;

	if (!fatal && to->told++ >= TOLD_MAX)
		return;
	snprintf(at, TEXT_MAX, "%s%s", text,
	    fatal ? "" : "; the line holds for nobody");
	r.text_len = (uint32_t)strlen(at);
	memcpy(out, &r, sizeof(r));
	memcpy(out + sizeof(r), file->name, r.name_len);
	/* Less than PIPE_BUF: all or nothing. */
	(void)!write(to->fd, out, sizeof(r) + r.name_len + r.text_len);
}

static bool
check(int fd, uint64_t octets, int to_fd)
{
	static const struct siphash_key key;
	struct teller to = { .fd = to_fd };
	struct key_store *store;
	void *bundle = NULL;

	if (octets > 0)
		bundle = mmap(NULL, octets, PROT_READ, MAP_SHARED, fd, 0);
	if (bundle == MAP_FAILED)
		return false;
	store = key_store_new(bundle, octets, &key);
	return store != NULL &&
	    key_store_load(store, UINT32_MAX, true, tell, &to) ==
	    KEY_LOAD_DONE;
}

static void __attribute__((noreturn))
be_checker(int fd, uint64_t octets, const struct sandbox_ids *ids, int to)
{
	const struct rlimit cpu = { CPU_SECONDS, CPU_SECONDS };
	int err;

	sandbox_child_begins("jumpd-keycheck");
	sandbox_close_fds_except((const int[]) { fd, to }, 2);
	setrlimit(RLIMIT_CPU, &cpu);
	if (sandbox_enter(ids) != 0)
		_exit(2);
	err = sandbox_filter_load(NULL, 0);
	if (err != 0 && err != -ENOSYS)
		_exit(2);
	_exit(check(fd, octets, to) ? 0 : 1);
}

/* ------------------------------------------------------------ the parent */

/* Returns false at the end, or for less than `len` octets. */
static bool
read_exactly(int fd, void *out, size_t len)
{
	char *at = out;
	ssize_t n;

	while (len > 0) {
		n = read(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* What a process that parsed said may be anything. */
static void
make_printable(char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			text[i] = '?';
	text[len] = '\0';
}

static bool
pass_on(int fd, mapping_problem_fn *problem, void *arg)
{
	char name[KEY_FILE_NAME_MAX + 1], text[TEXT_MAX + 1];
	struct record r;

	if (!read_exactly(fd, &r, sizeof(r)) ||
	    r.name_len > KEY_FILE_NAME_MAX || r.text_len > TEXT_MAX ||
	    !read_exactly(fd, name, r.name_len) ||
	    !read_exactly(fd, text, r.text_len))
		return false;
	make_printable(name, r.name_len);
	make_printable(text, r.text_len);
	problem(arg, name, r.line, text);
	return true;
}

bool
key_files_check(int fd, uint64_t octets, const struct sandbox_ids *ids,
    mapping_problem_fn *problem, void *arg)
{
	int pair[2], status = -1;
	bool told = false;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) != 0) {
		problem(arg, NULL, 0, strerror(errno));
		return false;
	}
	pid = fork();
	if (pid == 0)
		be_checker(fd, octets, ids, pair[1]);
	close(pair[1]);
	while (pid > 0 && pass_on(pair[0], problem, arg))
		told = true;
	close(pair[0]);
	if (pid < 0)
		problem(arg, NULL, 0, strerror(errno));
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (pid > 0 && !told)
		problem(arg, NULL, 0, "the key files could not be checked");
	return false;
}
