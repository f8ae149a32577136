/* SPDX-License-Identifier: ISC */
/*
 * key_command.c - runs authorized_keys_command for the broker, which cannot.
 */
#include "jumpd/key_command.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base64.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/sock.h"
#include "jumpd/key_digest.h"
#include "jumpd/ssh_wire.h"

enum { ARGUMENTS_TEXT = KEY_COMMAND_TEXT_MAX +
	    KEY_COMMAND_ARGS_MAX * BASE64_ENCODED(KEY_CERT_MAX) };

struct run {
	pid_t		pid;		/* 0: none; leads its group */
	uint32_t	id;
	uint64_t	until_ms;	/* killed then */
	bool		killed;
};

struct runner {
	const struct key_command_config *config;	/* borrowed */
	int		requests;
	struct run	run[KEY_COMMAND_RUNS_MAX];
};

/* What a request is about. */
struct asked {
	const char	*user;		/* borrowed */
	size_t		 user_len;
	const uint8_t	*blob;		/* borrowed */
	size_t		 blob_len;
};

static void
tell(const struct runner *r, uint32_t id, enum key_command_kind kind,
    bool succeeded, int fd)
{
	const struct key_command_answer a = { .id = id, .kind = kind,
		.succeeded = succeeded };

	/* The broker gives up by itself on what it does not hear of. */
	(void)sock_send_fds(r->requests, &a, sizeof(a), &fd, fd >= 0 ? 1 : 0);
}

/* ---------------------------------------------------------- arguments */

struct text {
	char	*at;
	size_t	 len, room;
	bool	 full;
};

static void
put(struct text *t, const void *bytes, size_t len)
{
	if (len > t->room - t->len) {
		t->full = true;
		return;
	}
	memcpy(t->at + t->len, bytes, len);
	t->len += len;
}

static void
put_token(struct text *t, char token, const struct asked *a)
{
	static char base64[BASE64_ENCODED(KEY_CERT_MAX)];
	char digest_text[KEY_DIGEST_TEXT_MAX];
	struct key_digest digest;
	struct bytes from = bytes_of(a->blob, a->blob_len), type;

	switch (token) {
	case '%':
		put(t, "%", 1);
		break;
	case 'u':
		put(t, a->user, a->user_len);
		break;
	case 't':
		type = ssh_wire_string(&from);
		put(t, type.at, type.left);
		break;
	case 'k':
		put(t, base64, base64_encode(a->blob, a->blob_len, base64));
		break;
	case 'f':
		digest = key_digest_of(a->blob, a->blob_len);
		key_digest_format(&digest, digest_text);
		put(t, digest_text, strlen(digest_text));
		break;
	default:
		t->full = true;		/* the configuration has been checked */
	}
}

/* argv[] for the program, in `room`.  Returns false if it does not fit. */
static bool
make_arguments(const struct key_command_config *config, const struct asked *a,
    char *room, size_t room_len, char *argv[KEY_COMMAND_ARGS_MAX + 1])
{
	struct text t = { .at = room, .room = room_len };
	const char *from = config->text;
	uint32_t i;

	for (i = 0; i < config->n_args; i++) {
		argv[i] = t.at + t.len;
		for (; *from != '\0'; from++) {
			if (*from == '%')
				put_token(&t, *++from, a);
			else
				put(&t, from, 1);
		}
		put(&t, "", 1);
		from++;
	}
	argv[i] = NULL;
	return !t.full;
}

/* ---------------------------------------------------------------- run */

/* In the child: become the user, and the program.  Only descriptors 0-2 go
 * with it. */
static void __attribute__((noreturn))
become(const struct key_command_config *config, int output, char **argv)
{
	static char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	static char lang[] = "LANG=C.UTF-8";
	char *const environment[] = { path, lang, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	if (setsid() < 0 || null < 0 || dup2(null, 0) < 0 ||
	    dup2(output, 1) < 0 || dup2(null, 2) < 0 ||
	    sandbox_enter(&config->ids) != 0)
		_exit(126);
	sandbox_close_fds_except(NULL, 0);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(argv[0], argv, environment);
	_exit(127);
}

static struct run *
free_run(struct runner *r)
{
	uint32_t i;

	for (i = 0; i < r->config->runs_max; i++)
		if (r->run[i].pid == 0)
			return &r->run[i];
	return NULL;
}

/* Returns 0, with the reading end of its output, or -errno. */
static int
start(struct runner *r, struct run *run, char **argv, int *ret_fd)
{
	int pair[2], err;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) != 0)
		return -errno;
	/* The broker reads without waiting; the program writes as it likes. */
	if (fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0 || (pid = fork()) < 0) {
		err = -errno;
		close(pair[0]);
		close(pair[1]);
		return err;
	}
	if (pid == 0)
		become(r->config, pair[1], argv);
	close(pair[1]);
	run->pid = pid;
	run->killed = false;
	run->until_ms = clock_now_ms() + r->config->timeout_ms;
	*ret_fd = pair[0];
	return 0;
}

static void
begin(struct runner *r, uint32_t id, const struct asked *a)
{
	static char room[ARGUMENTS_TEXT];
	char *argv[KEY_COMMAND_ARGS_MAX + 1];
	struct run *run = free_run(r);
	int fd = -1, err = -EBUSY;

	if (run != NULL && make_arguments(r->config, a, room, sizeof(room),
			       argv))
		err = start(r, run, argv, &fd);
	if (err != 0) {
		if (err != -EBUSY)
			log_error("authorized_keys_command: %s",
			    strerror(-err));
		tell(r, id, KEY_COMMAND_REFUSED, false, -1);
		return;
	}
	run->id = id;
	tell(r, id, KEY_COMMAND_STARTED, false, fd);
	close(fd);
}

/* A user name becomes an argument of a program that we did not write. */
static bool
is_user_name(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (name[i] == '\0' || (unsigned char)name[i] < 0x20 ||
		    name[i] == 0x7f)
			return false;
	return len > 0 && len <= AUTH_USER_NAME_MAX;
}

/* Returns false at the end of the pair. */
static bool
read_request(struct runner *r)
{
	static uint8_t bytes[KEY_COMMAND_REQUEST_MAX + 1];
	struct key_command_request q;
	struct asked a;
	ssize_t n = recv(r->requests, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	if ((size_t)n < sizeof(q))
		return true;
	memcpy(&q, bytes, sizeof(q));
	if (q.user_len > AUTH_USER_NAME_MAX || q.blob_len > KEY_CERT_MAX ||
	    (size_t)n != sizeof(q) + q.user_len + q.blob_len)
		return true;
	a.user = (const char *)bytes + sizeof(q);
	a.user_len = q.user_len;
	a.blob = bytes + sizeof(q) + q.user_len;
	a.blob_len = q.blob_len;
	if (is_user_name(a.user, a.user_len) && a.blob_len > 0)
		begin(r, q.id, &a);
	else
		tell(r, q.id, KEY_COMMAND_REFUSED, false, -1);
	return true;
}

/* ---------------------------------------------------------------- time */

static void
reap(struct runner *r)
{
	siginfo_t info = { 0 };
	uint32_t i;
	int status;
	pid_t pid;

	/* Looked at first: its number is not given away before its group has
	 * been ended, too. */
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    (pid = info.si_pid) > 0) {
		info.si_pid = 0;
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
		for (i = 0; i < KEY_COMMAND_RUNS_MAX; i++)
			if (r->run[i].pid == pid)
				break;
		if (i == KEY_COMMAND_RUNS_MAX)
			continue;	/* a grandchild that became ours */
		r->run[i].pid = 0;
		tell(r, r->run[i].id, KEY_COMMAND_ENDED,
		    WIFEXITED(status) && WEXITSTATUS(status) == 0, -1);
	}
}

/* Kill what takes too long; returns how long the next one has, -1: none. */
static int
time_out(struct runner *r, uint64_t now_ms)
{
	uint64_t next_ms = UINT64_MAX;
	struct run *run;

	for (run = r->run; run < r->run + KEY_COMMAND_RUNS_MAX; run++) {
		if (run->pid == 0 || run->killed)
			continue;
		if (run->until_ms <= now_ms) {
			log_warning("authorized_keys_command took too long: "
				    "killed");
			kill(-run->pid, SIGKILL);
			kill(run->pid, SIGKILL);
			run->killed = true;
		} else if (run->until_ms < next_ms)
			next_ms = run->until_ms;
	}
	return next_ms == UINT64_MAX ? -1 : (int)(next_ms - now_ms);
}

/* And say so: nobody else will. */
static void
kill_all(const struct runner *r)
{
	const struct run *run;

	for (run = r->run; run < r->run + KEY_COMMAND_RUNS_MAX; run++)
		if (run->pid != 0) {
			kill(-run->pid, SIGKILL);
			kill(run->pid, SIGKILL);
			tell(r, run->id, KEY_COMMAND_ENDED, false, -1);
		}
}

/* Returns true if it is to end: another one takes its place. */
static bool
read_signals(int fd)
{
	struct signalfd_siginfo info;
	bool term = false;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		term = term || info.ssi_signo == SIGTERM;
	return term;
}

/* A descriptor that becomes readable when a child ends, or we are to. */
static int
watch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		log_fatal("key command: signalfd: %s", strerror(errno));
	return fd;
}

static void
serve(struct runner *r)
{
	struct pollfd fds[2] = { { .fd = r->requests, .events = POLLIN },
		{ .fd = watch_signals(), .events = POLLIN } };
	bool term = false;

	while (!term) {
		if (poll(fds, 2, time_out(r, clock_now_ms())) < 0 &&
		    errno != EINTR)
			log_fatal("key command: poll: %s", strerror(errno));
		term = read_signals(fds[1].fd);
		reap(r);
		if (!term && fds[0].revents != 0 && !read_request(r))
			break;
	}
	kill_all(r);
}

void
key_command_run(const struct key_command_config *config, int requests,
    int log_fd)
{
	static const unsigned capabilities[] = { CAP_SETUID, CAP_SETGID,
		CAP_KILL };
	static struct runner r;
	const int keep[2] = { requests, log_fd };
	int err;

	sandbox_child_begins("jumpd-keys");
	sandbox_close_fds_except(keep, 2);
	/* What a program leaves behind comes to us, to be reaped. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	err = sandbox_keep(capabilities,
	    sizeof(capabilities) / sizeof(capabilities[0]));
	if (err != 0)
		log_fatal("key command: capabilities: %s", strerror(-err));
	r.config = config;
	r.requests = requests;
	serve(&r);
	exit(0);
}
