/* SPDX-License-Identifier: ISC */
/*
 * criterion.c - runs the tests that cross/criterion/criterion.h gathered.
 *
 * Last line: "N tests, N failed".  Exit status 0 if there were tests and none
 * failed.
 */
#include <criterion/criterion.h>

#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct cross_test *tests;	/* borrowed from the tests themselves */
static bool failed;			/* the test that runs */

void
cross_add(struct cross_test *test)
{
	test->next = tests;
	tests = test;
}

void
cross_say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

void
cross_failed(const char *file, int line, const char *claim, bool ends)
{
	printf("%s:%d: %s\n", file, line, claim);
	failed = true;
	if (ends)
		exit(1);
}

void
cross_skip(void)
{
	exit(0);
}

static bool
passes(const struct cross_test *test)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return false;
	if (pid == 0) {
		if (test->options != NULL && test->options->init != NULL)
			test->options->init();
		test->run();
		if (test->options != NULL && test->options->fini != NULL)
			test->options->fini();
		exit(failed ? 1 : 0);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0;
}

int
main(void)
{
	unsigned ran = 0, bad = 0;

	for (const struct cross_test *test = tests; test != NULL;
	    test = test->next) {
		ran++;
		if (!passes(test)) {
			bad++;
			printf("FAILED: %s.%s\n", test->suite, test->name);
		}
	}
	printf("%u tests, %u failed\n", ran, bad);
	return ran > 0 && bad == 0 ? 0 : 1;
}
