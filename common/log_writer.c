/* SPDX-License-Identifier: ISC */
#include "common/log_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/sock.h"

enum {
	PIPE_OCTETS = 1 << 20,		/* lines in flight */
	COPY_OCTETS = 64 * 1024
};

int
log_destination_open(const char *path)
{
	int fd;

	if (strcmp(path, "stderr") == 0)
		fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		fd = open(path,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
	return fd >= 0 ? fd : -errno;
}

/* Write all of it, however long that takes; on an error it is lost. */
static void
write_all(int fd, const char *at, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	while (len > 0) {
		n = write(fd, at, len);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			poll(&p, 1, 1000);
		} else if (n == 0 || errno != EINTR) {
			return;
		}
	}
}

static void
take_destination(int control, int *destination)
{
	char octet;
	int fd;
	size_t n = 1;

	if (sock_recv_fds(control, &octet, 1, &fd, &n) == 1 && n == 1) {
		close(*destination);
		*destination = fd;
	}
}

static void
copy_lines(int pipe_fd, int control, int destination)
{
	static char buffer[COPY_OCTETS];
	struct pollfd p[2] = { { .fd = pipe_fd, .events = POLLIN },
		{ .fd = control, .events = POLLIN } };
	ssize_t n;

	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents & POLLIN)
			take_destination(control, &destination);
		else if (p[1].revents & (POLLHUP | POLLERR))
			p[1].fd = -1;	/* the master is gone; go on alone */
		if (p[0].revents == 0)
			continue;
		n = read(pipe_fd, buffer, sizeof(buffer));
		if (n > 0)
			write_all(destination, buffer, (size_t)n);
		else if (n == 0)
			return;
	}
}

static void
run_writer(const struct log_writer *w, int control)
{
	const int keep[] = { w->read_fd, control, w->destination };

	sandbox_child_begins("popgate-log");
	/* The pipe's end ends us. */
	signal(SIGTERM, SIG_IGN);
	sandbox_close_fds_except(keep, 3);
	if (sandbox_enter(&w->ids) != 0)
		_exit(1);
	copy_lines(w->read_fd, control, w->destination);
	_exit(0);
}

static int
start_process(struct log_writer *w)
{
	int pair[2], err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		run_writer(w, pair[1]);
	err = errno;
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -err;
	}
	if (w->control >= 0)
		close(w->control);
	w->control = pair[0];
	w->pid = pid;
	return 0;
}

int
log_writer_start(struct log_writer *w, const struct sandbox_ids *ids,
    int destination)
{
	int fds[2], err;

	memset(w, 0, sizeof(*w));
	w->control = -1;
	w->ids = *ids;
	w->destination = destination;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return -errno;
	w->read_fd = fds[0];
	w->write_fd = fds[1];
	/* Only the writing end must not wait; best effort for the size. */
	fcntl(w->write_fd, F_SETFL, O_NONBLOCK);
	fcntl(w->write_fd, F_SETPIPE_SZ, PIPE_OCTETS);
	if ((err = start_process(w)) != 0) {
		close(fds[0]);
		close(fds[1]);
		return err;
	}
	log_set_fd(w->write_fd);
	return 0;
}

bool
log_writer_reaped(struct log_writer *w, pid_t pid)
{
	if (w->pid == 0 || pid != w->pid)
		return false;
	w->pid = 0;
	return true;
}

void
log_writer_tick(struct log_writer *w)
{
	if (w->pid == 0 && start_process(w) == 0)
		log_warning("the log writer ended; started another");
}

void
log_writer_redirect(struct log_writer *w, int destination)
{
	close(w->destination);
	w->destination = destination;
	/* One that does not take it is replaced by one that has it. */
	if (w->pid != 0 &&
	    sock_send_fds(w->control, "", 1, &destination, 1) != 0)
		kill(w->pid, SIGKILL);
}

void
log_writer_stop(struct log_writer *w)
{
	const struct timespec pause = { .tv_nsec = 10 * 1000 * 1000 };
	int tries;

	log_set_fd(STDERR_FILENO);
	close(w->write_fd);
	close(w->read_fd);
	close(w->control);
	close(w->destination);
	for (tries = 0; tries < 100 && w->pid != 0; tries++) {
		if (waitpid(w->pid, NULL, WNOHANG) != 0)
			w->pid = 0;
		else
			nanosleep(&pause, NULL);
	}
}
