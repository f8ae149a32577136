/* SPDX-License-Identifier: ISC */
/*
 * jump_load.c - run a command over and over, so many at a time, and look at
 * what each says.
 *
 * usage: jump_load AT-ONCE TOTAL TARGETS COMMAND [ARGUMENT ...]
 *
 * In arguments "%t" stands for a target's number, 1 to TARGETS in turns.  The
 * command is a connection to target 2001:db8:b::%t by its standard input and
 * output.  It must say that address in a line, and then send back what it is
 * sent after a line of 16 octets, which are other octets each time; and it
 * must exit with 0.
 *
 * Prints one line of name=value: what failed, the commands a second over all,
 * and milliseconds from the start of a command until all octets were back.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum {
	AT_ONCE_MAX = 1024,
	ARGUMENTS_MAX = 64,
	LINE = 16,
	NONCE = 32,		/* octets there and back */
	EXPECTED_MAX = 128,
	STALL_MS = 60000	/* nothing happens: give up */
};

struct command {
	pid_t		pid;		/* 0: none */
	int		fd;		/* owned; -1: at its end */
	uint64_t	began_ns;
	double		took_ms;
	bool		good;
	size_t		got, expected_len;
	char		expected[EXPECTED_MAX];
};

static struct command command[AT_ONCE_MAX];
static double *took_ms;		/* of those that were good */
static unsigned n_good, n_failed, n_started;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* --- one command ------------------------------------------------------------ */

static char *
with_target(const char *argument, unsigned target)
{
	const char *at = strstr(argument, "%t");
	char *text;

	if (at == NULL)
		text = strdup(argument);
	else if (asprintf(&text, "%.*s%x%s", (int)(at - argument), argument,
	    target, at + 2) < 0)
		text = NULL;
	if (text == NULL)
		die("memory");
	return text;
}

static void
spawn(struct command *c, char **argv, unsigned target, int fd)
{
	char *arguments[ARGUMENTS_MAX + 1] = { NULL };
	posix_spawn_file_actions_t actions;
	int i, err;

	for (i = 0; argv[i] != NULL && i < ARGUMENTS_MAX; i++)
		arguments[i] = with_target(argv[i], target);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, 0);
	posix_spawn_file_actions_adddup2(&actions, fd, 1);
	err = posix_spawnp(&c->pid, arguments[0], &actions, NULL, arguments,
	    environ);
	posix_spawn_file_actions_destroy(&actions);
	while (i-- > 0)
		free(arguments[i]);
	if (err != 0) {
		fprintf(stderr, "%s: %s\n", argv[0], strerror(err));
		exit(1);
	}
}

static void
begin(struct command *c, char **argv, unsigned n_targets)
{
	unsigned target = n_started++ % n_targets + 1;
	unsigned char random[NONCE / 2];
	char sent[LINE + NONCE + 1] = "e 0000000000000\n";
	int pair[2], i;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		die("socketpair");
	for (i = 0; i < NONCE / 2; i++)
		snprintf(sent + LINE + 2 * i, 3, "%02x", random[i]);
	c->expected_len = (size_t)snprintf(c->expected, EXPECTED_MAX,
	    "2001:db8:b::%x\n%s", target, sent + LINE);
	c->got = 0;
	c->began_ns = now_ns();
	c->fd = pair[0];
	spawn(c, argv, target, pair[1]);
	close(pair[1]);
	/* It may have ended already. */
	c->good = write(c->fd, sent, LINE + NONCE) == LINE + NONCE;
}

/* What comes must be what is expected, no more and no less. */
static void
hear(struct command *c)
{
	char bytes[4096];
	ssize_t n = read(c->fd, bytes, sizeof(bytes));

	if (n <= 0) {
		c->good = c->good && c->got == c->expected_len;
		close(c->fd);
		c->fd = -1;
		return;
	}
	if ((size_t)n > c->expected_len - c->got ||
	    memcmp(bytes, c->expected + c->got, (size_t)n) != 0) {
		fprintf(stderr, "wrong answer: %.*s\n", (int)n, bytes);
		c->good = false;
		kill(c->pid, SIGKILL);
		return;
	}
	c->got += (size_t)n;
	if (c->got == c->expected_len) {
		c->took_ms = (double)(now_ns() - c->began_ns) / 1e6;
		shutdown(c->fd, SHUT_WR);
	}
}

static void
end(struct command *c)
{
	int status;

	if (waitpid(c->pid, &status, 0) != c->pid)
		die("waitpid");
	c->pid = 0;
	if (c->good && status == 0)
		took_ms[n_good++] = c->took_ms;
	else
		n_failed++;
}

/* --- all ----------------------------------------------------------------------- */

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
report(double seconds)
{
	qsort(took_ms, n_good, sizeof(*took_ms), compare);
	printf("good=%u failed=%u per_s=%.3f p50_ms=%.3f p99_ms=%.3f\n",
	    n_good, n_failed, n_good / seconds,
	    n_good == 0 ? 0 : took_ms[(n_good - 1) / 2],
	    n_good == 0 ? 0 : took_ms[(n_good - 1) * 99 / 100]);
}

/* Returns false if nothing is left to do. */
static bool
turn(char **argv, unsigned at_once, unsigned total, unsigned n_targets)
{
	struct pollfd polled[AT_ONCE_MAX];
	struct command *of[AT_ONCE_MAX];
	unsigned i, n = 0;

	for (i = 0; i < at_once; i++) {
		if (command[i].pid == 0 && n_started < total)
			begin(&command[i], argv, n_targets);
		if (command[i].pid == 0)
			continue;
		polled[n] = (struct pollfd) { command[i].fd, POLLIN, 0 };
		of[n++] = &command[i];
	}
	if (n == 0)
		return false;
	if (poll(polled, n, STALL_MS) <= 0) {
		for (i = 0; i < n; i++)
			kill(of[i]->pid, SIGKILL);
		fprintf(stderr, "nothing happens\n");
		exit(1);
	}
	for (i = 0; i < n; i++) {
		if (polled[i].revents != 0)
			hear(of[i]);
		if (of[i]->fd < 0)
			end(of[i]);
	}
	return true;
}

int
main(int argc, char **argv)
{
	unsigned at_once, total, n_targets;
	uint64_t began;

	if (argc < 5 || argc - 4 > ARGUMENTS_MAX) {
		fprintf(stderr, "usage: jump_load AT-ONCE TOTAL TARGETS "
		    "COMMAND [ARGUMENT ...]\n");
		return 2;
	}
	at_once = (unsigned)strtoul(argv[1], NULL, 10);
	total = (unsigned)strtoul(argv[2], NULL, 10);
	n_targets = (unsigned)strtoul(argv[3], NULL, 10);
	took_ms = calloc(total, sizeof(*took_ms));
	if (at_once == 0 || at_once > AT_ONCE_MAX || total == 0 ||
	    n_targets == 0 || took_ms == NULL)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	began = now_ns();
	while (turn(argv + 4, at_once, total, n_targets))
		;
	report((double)(now_ns() - began) / 1e9);
	return 0;
}
