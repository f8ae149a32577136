/* SPDX-License-Identifier: ISC */
#include "jumpd/channel.h"

#include <assert.h>
#include <errno.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Packets of bulk go out together: what a send costs depends little on its
 * size, up to the 64 KiB that TCP takes as one. */
enum { GATHER_FROM = 16 * 1024, GATHER_OCTETS = 64 * 1024 };

/* --- what waits ----------------------------------------------------------- */

static size_t
rest_len(const struct jump_channel_rest *rest)
{
	return rest->len - rest->at;
}

static void
rest_clear(struct jump_channel_rest *rest)
{
	free(rest->bytes);
	memset(rest, 0, sizeof(*rest));
}

static void
rest_pass(struct jump_channel_rest *rest, size_t n)
{
	rest->at += n;
	if (rest->at == rest->len)
		rest_clear(rest);
}

/* Keep a copy, where nothing is kept yet; false: there is no memory. */
static bool
rest_keep(struct jump_channel_rest *rest, const uint8_t *bytes, size_t len)
{
	rest->bytes = malloc(len);
	if (rest->bytes == NULL)
		return false;
	memcpy(rest->bytes, bytes, len);
	rest->at = 0;
	rest->len = len;
	return true;
}

/* --- to the target -------------------------------------------------------- */

static void
give_target_up(struct jump_channel *c)
{
	if (c->target >= 0)
		close(c->target);
	c->target = -1;
	c->wanted = 0;
	rest_clear(&c->up);
	rest_clear(&c->down);
}

/* Returns how much was taken; after an error, all, for nobody wants it. */
static size_t
send_up(struct jump_channel *c, const void *bytes, size_t len)
{
	ssize_t n;

	if (len == 0)
		return 0;
	n = send(c->target, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n >= 0) {
		c->up_octets += (uint64_t)n;
		c->target_full = (size_t)n < len;
		return (size_t)n;
	}
	if (errno == EAGAIN || errno == EINTR) {
		c->target_full = true;
		return 0;
	}
	/* What it sent before it went can still be read. */
	c->shut = true;
	return len;
}

static bool
takes_bytes(const struct jump_channel *c)
{
	return c->target >= 0 && !c->shut && !c->closed;
}

/* Called from inside libssh; `bytes` is all that is unread so far. */
static int
on_data(ssh_session session, ssh_channel ssh, void *bytes, uint32_t len,
    int is_stderr, void *arg)
{
	struct jump_channel *c = arg;
	uint32_t taken = 0;

	(void)session, (void)ssh;
	/* Clients have no business with stderr. */
	if (!takes_bytes(c) || is_stderr)
		return (int)len;
	/* Of a large packet another one may follow in this turn. */
	if (!c->target_full && rest_len(&c->up) == 0 &&
	    (len < GATHER_FROM || len >= GATHER_OCTETS))
		taken = (uint32_t)send_up(c, bytes, len);
	c->unread = len - taken;
	return (int)taken;
}

static void
on_eof(ssh_session session, ssh_channel ssh, void *arg)
{
	struct jump_channel *c = arg;

	(void)session, (void)ssh;
	c->client_eof = true;
}

static void
on_close(ssh_session session, ssh_channel ssh, void *arg)
{
	struct jump_channel *c = arg;

	(void)session, (void)ssh;
	c->client_eof = true;
	c->client_closed = true;
}

/*
 * Fetch all that is unread at once: libssh opens the client's window anew at
 * each read, however little that took.
 */
static void
fetch_unread(struct jump_channel *c)
{
	int n;

	c->up.bytes = malloc(c->unread);
	if (c->up.bytes == NULL) {
		jump_channel_close(c, END_MEMORY);
		return;
	}
	n = ssh_channel_read_nonblocking(c->ssh, c->up.bytes, c->unread, 0);
	c->up.at = 0;
	c->up.len = n > 0 ? (size_t)n : 0;
	c->unread -= (uint32_t)c->up.len;
	if (n <= 0) {		/* the session has ended, or so it seems */
		rest_clear(&c->up);
		c->unread = 0;
	}
}

/* What was gathered, without memory of its own if the target takes it all. */
static void
send_gathered(struct jump_channel *c, uint8_t *buffer)
{
	size_t left;
	int n;

	n = ssh_channel_read_nonblocking(c->ssh, buffer, c->unread, 0);
	if (n <= 0) {
		c->unread = 0;
		return;
	}
	c->unread -= (uint32_t)n;
	left = (size_t)n - send_up(c, buffer, (size_t)n);
	if (left > 0 && !rest_keep(&c->up, buffer + n - left, left))
		jump_channel_close(c, END_MEMORY);
}

static void
run_up(struct jump_channel *c, uint8_t *buffer)
{
	if (takes_bytes(c) && !c->target_full && rest_len(&c->up) == 0 &&
	    c->unread > 0 && c->unread <= CHANNEL_READ_OCTETS)
		send_gathered(c, buffer);
	while (takes_bytes(c) && !c->target_full) {
		if (rest_len(&c->up) == 0 && c->unread > 0)
			fetch_unread(c);
		if (!takes_bytes(c) || rest_len(&c->up) == 0)
			break;
		rest_pass(&c->up, send_up(c, c->up.bytes + c->up.at,
		    rest_len(&c->up)));
	}
	if (takes_bytes(c) && c->client_eof && c->unread == 0 &&
	    rest_len(&c->up) == 0) {
		shutdown(c->target, SHUT_WR);
		c->shut = true;
	}
}

/* --- to the client -------------------------------------------------------- */

/* libssh may take less than the window, or nothing: while keys are being
 * exchanged. */
static void
send_down(struct jump_channel *c, const uint8_t *bytes, size_t len)
{
	int n = ssh_channel_write(c->ssh, bytes, (uint32_t)len);
	size_t left;

	if (n < 0) {		/* it or the session is closed */
		jump_channel_close(c, END_CLIENT_CLOSED);
		return;
	}
	c->down_octets += (uint64_t)n;
	left = len - (size_t)n;
	if (left == 0)
		return;
	if (!rest_keep(&c->down, bytes + n, left))
		jump_channel_close(c, END_MEMORY);
}

static void
send_down_rest(struct jump_channel *c)
{
	uint32_t window = ssh_channel_window_size(c->ssh);
	size_t len = rest_len(&c->down);
	int n;

	if (len > window)
		len = window;
	if (len == 0)
		return;
	n = ssh_channel_write(c->ssh, c->down.bytes + c->down.at,
	    (uint32_t)len);
	if (n < 0) {
		jump_channel_close(c, END_CLIENT_CLOSED);
		return;
	}
	c->down_octets += (uint64_t)n;
	rest_pass(&c->down, (size_t)n);
}

static void
read_target(struct jump_channel *c, uint8_t *buffer)
{
	uint32_t window = ssh_channel_window_size(c->ssh);
	size_t room = window < CHANNEL_READ_OCTETS ? window :
						     CHANNEL_READ_OCTETS;
	ssize_t n;

	if (room == 0)
		return;
	n = recv(c->target, buffer, room, MSG_DONTWAIT);
	if (n > 0) {
		send_down(c, buffer, (size_t)n);
	} else if (n == 0) {
		c->target_eof = true;
		ssh_channel_send_eof(c->ssh);
	} else if (errno != EAGAIN && errno != EINTR) {
		jump_channel_close(c, END_TARGET_RESET);
	}
}

static void
run_down(struct jump_channel *c, bool readable, uint8_t *buffer)
{
	if (c->target < 0 || c->closed || c->target_eof)
		return;
	if (rest_len(&c->down) > 0)
		send_down_rest(c);
	if (readable && !c->closed && rest_len(&c->down) == 0)
		read_target(c, buffer);
}

/* --- life ----------------------------------------------------------------- */

struct jump_channel *
jump_channel_new(ssh_channel ssh, int target, uint32_t number, uint64_t now_ms)
{
	struct ssh_channel_callbacks_struct *callbacks;
	struct jump_channel *c = calloc(1, sizeof(*c));

	callbacks = calloc(1, sizeof(*callbacks));
	if (c == NULL || callbacks == NULL) {
		free(callbacks);
		free(c);
		return NULL;
	}
	c->ssh = ssh;
	c->callbacks = callbacks;
	c->number = number;
	c->target = target;
	c->last_ms = now_ms;
	callbacks->userdata = c;
	callbacks->channel_data_function = on_data;
	callbacks->channel_eof_function = on_eof;
	callbacks->channel_close_function = on_close;
	ssh_callbacks_init(callbacks);
	if (ssh_set_channel_callbacks(ssh, callbacks) != SSH_OK) {
		free(callbacks);
		free(c);
		return NULL;
	}
	return c;
}

void
jump_channel_free(struct jump_channel *c)
{
	if (c == NULL)
		return;
	give_target_up(c);
	if (c->ssh != NULL) {
		ssh_remove_channel_callbacks(c->ssh, c->callbacks);
		ssh_channel_free(c->ssh);
	}
	free(c->callbacks);
	free(c);
}

void
jump_channel_close(struct jump_channel *c, enum end_reason reason)
{
	if (c->closed)
		return;
	c->closed = true;
	c->end = reason;
	give_target_up(c);
	/* The first call may do no more than send EOF. */
	if (ssh_channel_close(c->ssh) != SSH_OK)
		ssh_channel_close(c->ssh);
}

void
jump_channel_run(struct jump_channel *c, short revents, bool writable,
    uint8_t *buffer, uint64_t now_ms)
{
	uint64_t before = c->up_octets + c->down_octets;

	if (c->target < 0 || c->closed)
		return;
	if (revents & (POLLOUT | POLLERR | POLLHUP))
		c->target_full = false;
	run_up(c, buffer);
	if (writable)
		run_down(c, revents & (POLLIN | POLLERR | POLLHUP), buffer);
	if (c->up_octets + c->down_octets != before)
		c->last_ms = now_ms;
	if (c->closed)
		return;
	if (c->unread > CHANNEL_UNREAD_MAX)
		c->end = END_WINDOW_IGNORED;	/* the session's end */
	else if (c->target_eof && c->shut)
		jump_channel_close(c, END_DONE);
	else if (c->client_closed && c->shut)
		jump_channel_close(c, END_CLIENT_CLOSED);
}

void
jump_channel_want(struct jump_channel *c, bool writable)
{
	c->wanted = 0;
	if (c->target < 0 || c->closed)
		return;
	if ((c->target_full || c->unread > 0) && !c->shut)
		c->wanted |= POLLOUT;
	if (writable && !c->target_eof && rest_len(&c->down) == 0 &&
	    ssh_channel_window_size(c->ssh) > 0)
		c->wanted |= POLLIN;
}

bool
jump_channel_is_over(const struct jump_channel *c)
{
	return c->closed && c->client_closed;
}

size_t
jump_channel_held(const struct jump_channel *c)
{
	return rest_len(&c->up) + rest_len(&c->down) + c->unread;
}
