/* SPDX-License-Identifier: ISC */
#include "tests/lib/name_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/addr.h"
#include "common/sock.h"

struct reply {
	size_t	len;
	uint8_t	bytes[2048];
};

static void
put(struct reply *r, const void *bytes, size_t len)
{
	memcpy(r->bytes + r->len, bytes, len);
	r->len += len;
}

static void
put_name(struct reply *r, const char *name)
{
	uint8_t len;

	for (; *name != '\0'; name += name[len] == '.' ? len + 1 : len) {
		len = (uint8_t)strcspn(name, ".");
		put(r, &len, 1);
		put(r, name, len);
	}
	put(r, "", 1);
}

static void
put_head(struct reply *r, const char *owner, uint8_t type, uint8_t len)
{
	const uint8_t head[] = { 0, type, 0, 1, 0, 0, 0, 60, 0, len };

	r->bytes[7]++;		/* one answer more */
	put_name(r, owner);
	put(r, head, sizeof(head));
}

static void
put_address(struct reply *r, const char *owner, const char *text)
{
	struct addr addr;

	if (!addr_parse(text, strlen(text), &addr))
		abort();
	put_head(r, owner, 28, 16);
	put(r, addr.octet, 16);
}

static void
put_alias(struct reply *r, const char *owner, const char *to)
{
	struct reply name = { 0 };

	put_name(&name, to);
	put_head(r, owner, 5, (uint8_t)name.len);
	put(r, name.bytes, name.len);
}

static void
put_many(struct reply *r, const char *name)
{
	char text[32];
	unsigned i;

	for (i = 1; i <= 14; i++) {
		snprintf(text, sizeof(text), "2001:db8:0:1::%x", i);
		put_address(r, name, text);
	}
	put_address(r, name, "2001:db8::1");
}

/* Fill in the answers; false: say nothing. */
static bool
answer(struct reply *r, const char *name, bool tcp)
{
	static const char *const mixed[] = { "::1", "fe80::1",
		"::ffff:192.0.2.1", "64:ff9b::1", "2001:db8::1" };
	unsigned i;

	if (strcmp(name, "one.test") == 0 ||
	    (strcmp(name, "large.test") == 0 && tcp))
		put_address(r, name, "2001:db8::1");
	else if (strcmp(name, "large.test") == 0)
		r->bytes[2] |= 2;
	else if (strcmp(name, "many.test") == 0)
		put_many(r, name);
	else if (strcmp(name, "mixed.test") == 0)
		for (i = 0; i < 5; i++)
			put_address(r, name, mixed[i]);
	else if (strcmp(name, "bad.test") == 0) {
		put_address(r, name, "::1");
		put_address(r, name, "::ffff:127.0.0.1");
	} else if (strcmp(name, "alias.test") == 0) {
		put_alias(r, name, "one.test");
		put_address(r, "one.test", "2001:db8::1");
	} else if (strcmp(name, "loop.test") == 0) {
		put_alias(r, name, "b.test");
		put_alias(r, "b.test", name);
	} else if (strcmp(name, "failed.test") == 0)
		r->bytes[3] |= 2;
	else if (strcmp(name, "rubbish.test") == 0) {
		put_head(r, name, 28, 16);
		r->len = r->len > 9 ? r->len - 9 : 0;
	} else if (strcmp(name, "silent.test") == 0)
		return false;
	else if (strcmp(name, "none.test") != 0)
		r->bytes[3] |= 3;
	return true;
}

/* The question, with the name as text. */
static bool
read_question(const uint8_t *bytes, size_t len, struct reply *r,
    char name[256])
{
	size_t at = 12, n = 0;

	while (at < len && bytes[at] != 0 && n + bytes[at] < 250) {
		if (n > 0)
			name[n++] = '.';
		memcpy(name + n, bytes + at + 1, bytes[at]);
		n += bytes[at];
		at += 1u + bytes[at];
	}
	name[n] = '\0';
	if (at + 5 > len)
		return false;
	put(r, bytes, at + 5);
	r->bytes[2] |= 0x80;
	r->bytes[11] = 0;	/* no EDNS in what we say */
	return true;
}

static bool
make_reply(const uint8_t *bytes, size_t len, bool tcp, struct reply *r)
{
	char name[256];

	r->len = 0;
	return len > 12 && read_question(bytes, len, r, name) &&
	    answer(r, name, tcp);
}

static void
serve_udp(int fd)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	uint8_t bytes[512];
	struct reply r;
	ssize_t n = recvfrom(fd, bytes, sizeof(bytes), 0,
	    (struct sockaddr *)&from, &from_len);

	if (n > 0 && make_reply(bytes, (size_t)n, false, &r))
		(void)!sendto(fd, r.bytes, r.len, 0, (struct sockaddr *)&from,
		    from_len);
}

static void
serve_tcp(int listener)
{
	int fd = accept(listener, NULL, NULL);
	uint8_t bytes[514], len[2];
	struct reply r;
	ssize_t n = recv(fd, bytes, sizeof(bytes), 0);

	if (n > 2 && make_reply(bytes + 2, (size_t)n - 2, true, &r)) {
		len[0] = (uint8_t)(r.len >> 8);
		len[1] = (uint8_t)r.len;
		(void)!send(fd, len, 2, MSG_NOSIGNAL);
		(void)!send(fd, r.bytes, r.len, MSG_NOSIGNAL);
	}
	close(fd);
}

pid_t
name_server_start(void)
{
	struct endpoint at = { .port = 53 };
	struct sockaddr_storage ss;
	int udp = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int tcp = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd fds[2] = { { .fd = udp, .events = POLLIN },
		{ .fd = tcp, .events = POLLIN } };
	socklen_t len;
	pid_t pid;

	if (!addr_parse("2001:db8::9", 11, &at.addr))
		abort();
	len = sock_address(&at, &ss);
	if (bind(udp, (struct sockaddr *)&ss, len) != 0 ||
	    bind(tcp, (struct sockaddr *)&ss, len) != 0 ||
	    listen(tcp, 8) != 0)
		abort();
	pid = fork();
	if (pid != 0) {
		close(udp);
		close(tcp);
		return pid;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (poll(fds, 2, -1) < 0)
			_exit(1);
		if (fds[0].revents != 0)
			serve_udp(udp);
		if (fds[1].revents != 0)
			serve_tcp(tcp);
	}
}
