/* SPDX-License-Identifier: ISC */
/*
 * sandbox_test.c - what a forked child begins with.
 */
#include "common/sandbox.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void
hear(int sig)
{
	(void)sig;
}

static void __attribute__((noreturn))
child_raises(int sig)
{
	char name[16];

	sandbox_child_begins("popgate-child");
	if (prctl(PR_GET_NAME, name, 0, 0, 0) != 0 ||
	    strcmp(name, "popgate-child") != 0)
		_exit(2);
	raise(sig);
	_exit(0);
}

/* Others end it, whatever its parent does with them; SIGPIPE never does. */
Test(sandbox, children_leave_signals_for_the_first_process_alone)
{
	static const struct {
		int	sig;
		bool	ends;
	} cases[] = { { SIGINT, false }, { SIGHUP, false },
		{ SIGUSR1, false }, { SIGPIPE, false }, { SIGTERM, true },
		{ SIGUSR2, true }, { SIGALRM, true } };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		sigset_t blocked;
		int status = 0;
		pid_t pid;

		signal(cases[i].sig, hear);
		sigemptyset(&blocked);
		sigaddset(&blocked, cases[i].sig);
		sigprocmask(SIG_BLOCK, &blocked, NULL);
		pid = fork();
		cr_assert_geq(pid, 0);
		if (pid == 0)
			child_raises(cases[i].sig);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		if (cases[i].ends)
			cr_expect(WIFSIGNALED(status) &&
			    WTERMSIG(status) == cases[i].sig, "%s",
			    strsignal(cases[i].sig));
		else
			cr_expect(WIFEXITED(status) &&
			    WEXITSTATUS(status) == 0, "%s",
			    strsignal(cases[i].sig));
	}
}
