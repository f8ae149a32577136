/* SPDX-License-Identifier: ISC */
#include "common/sandbox_filter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct sandbox_call calls[] = {
	{ .name = "pipe2" },
	{ "socket", true, 0, AF_INET6 },
};

/* Run it in a child behind the filter; returns what waitpid says. */
static int
behind_filter(int (*fn)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    sandbox_filter_load(calls,
			sizeof(calls) / sizeof(calls[0])) != 0)
			_exit(99);
		_exit(fn());
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static int
open_a_file(void)
{
	return open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
}

static int
open_a_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int
fork_again(void)
{
	return fork() < 0 ? errno : 0;
}

static int
map_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ?
	    errno :
	    0;
}

static int
run_a_program(void)
{
	execl("/bin/true", "true", (char *)NULL);
	return 0;
}

static int
do_what_is_allowed(void)
{
	char *memory = malloc(1 << 20);
	int fds[2];

	if (memory == NULL)
		return 1;
	if (socket(AF_INET6, SOCK_STREAM, 0) < 0)
		return 2;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return 3;
	if (write(fds[1], "x", 1) != 1 || read(fds[0], memory, 1) != 1)
		return 4;
	free(memory);
	return 0;
}

static void
skip_without_filter(void)
{
#ifdef POPGATE_SANITIZERS
	cr_skip_test("AddressSanitizer's build loads no filter");
#endif
}

TestSuite(sandbox_filter, .init = skip_without_filter);

static void
expect_exit(int (*fn)(void), int expected, const char *what)
{
	int status = behind_filter(fn);

	cr_assert(WIFEXITED(status), "%s: status %x", what, status);
	cr_assert_eq(WEXITSTATUS(status), expected, "%s: %d", what,
	    WEXITSTATUS(status));
}

Test(sandbox_filter, refuses_what_is_not_named)
{
	expect_exit(open_a_file, EPERM, "open");
	expect_exit(open_a_socket, EPERM, "socket");
	expect_exit(fork_again, EPERM, "fork");
	expect_exit(map_code, EPERM, "executable memory");
}

Test(sandbox_filter, ends_who_runs_a_program)
{
	int status = behind_filter(run_a_program);

	cr_assert(WIFSIGNALED(status), "status %x", status);
	cr_assert_eq(WTERMSIG(status), SIGSYS);
}

Test(sandbox_filter, lets_what_is_named_through)
{
	expect_exit(do_what_is_allowed, 0, "pipe2, socket, read, write, malloc");
}
