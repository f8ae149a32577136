/* SPDX-License-Identifier: ISC */
/*
 * jump_target.c - what is behind the jump host that is measured, and the other
 * end of it.
 *
 * usage: jump_target serve PORT
 *	jump_target down|up OCTETS ADDRESS
 *
 * "serve" listens on every address, and says first which one a connection
 * came to, as a line.  Then it does what it is told, in lines of 16 octets:
 *	d N	send N octets
 *	u N	take N octets, check each, and answer "u N" when they are right
 *	e	send back whatever comes from here on
 *
 * "down" and "up" are the other end of a connection whose first line has been
 * read: they speak to standard output, listen to standard input, and exit
 * with 0 only if each octet was the one that ADDRESS sends.
 *
 * Octets repeat after a prime number of them, so that nothing can be left out
 * or come twice without being noticed, and differ between addresses.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE = 16, PERIOD = 262139, CHUNK = 64 * 1024 };

static uint8_t pattern[PERIOD + CHUNK];

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
make_pattern(const char *address)
{
	uint64_t x = 0x9e3779b97f4a7c15u;
	size_t i;

	for (; *address != '\0'; address++)
		x = (x ^ (uint8_t)*address) * 0x100000001b3u;
	for (i = 0; i < sizeof(pattern); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		pattern[i] = i < PERIOD ? (uint8_t)(x >> 32) :
					  pattern[i - PERIOD];
	}
}

static bool
put(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	ssize_t n;

	for (; len > 0; at += n, len -= (size_t)n)
		if ((n = write(fd, at, len)) <= 0)
			return false;
	return true;
}

static bool
get(int fd, void *bytes, size_t len)
{
	char *at = bytes;
	ssize_t n;

	for (; len > 0; at += n, len -= (size_t)n)
		if ((n = read(fd, at, len)) <= 0)
			return false;
	return true;
}

static bool
put_line(int fd, char what, uint64_t n)
{
	char line[LINE + 1];

	snprintf(line, sizeof(line), "%c %013llu\n", what,
	    (unsigned long long)n);
	return put(fd, line, LINE);
}

static bool
send_octets(int fd, uint64_t len)
{
	uint64_t at, n;

	for (at = 0; at < len; at += n) {
		n = len - at < CHUNK ? len - at : CHUNK;
		if (!put(fd, pattern + at % PERIOD, n))
			return false;
	}
	return true;
}

static bool
check_octets(int fd, uint64_t len)
{
	static uint8_t bytes[CHUNK];
	uint64_t at;
	ssize_t n;

	for (at = 0; at < len; at += (uint64_t)n) {
		n = read(fd, bytes, len - at < CHUNK ? len - at : CHUNK);
		if (n <= 0)
			return false;
		if (memcmp(bytes, pattern + at % PERIOD, (size_t)n) != 0) {
			fprintf(stderr, "other octets after %llu\n",
			    (unsigned long long)at);
			return false;
		}
	}
	return true;
}

/* --- the target --------------------------------------------------------------- */

static void
echo(int fd)
{
	static char bytes[CHUNK];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		if (!put(fd, bytes, (size_t)n))
			return;
}

static void
serve_one(int fd)
{
	struct sockaddr_in6 at = { 0 };
	socklen_t len = sizeof(at);
	char name[INET6_ADDRSTRLEN], line[LINE + 1] = "";
	uint64_t n;
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	getsockname(fd, (struct sockaddr *)&at, &len);
	inet_ntop(AF_INET6, &at.sin6_addr, name, sizeof(name));
	make_pattern(name);
	if (!put(fd, name, strlen(name)) || !put(fd, "\n", 1))
		return;
	while (get(fd, line, LINE)) {
		n = strtoull(line + 1, NULL, 10);
		if (line[0] == 'd' && send_octets(fd, n))
			continue;
		if (line[0] == 'u' && check_octets(fd, n) &&
		    put_line(fd, 'u', n))
			continue;
		if (line[0] == 'e')
			echo(fd);
		return;
	}
}

static void
serve(uint16_t port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	int listener = socket(AF_INET6, SOCK_STREAM, 0), on = 1, fd;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&any, sizeof(any)) != 0 ||
	    listen(listener, 4096) != 0)
		die("listen");
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			serve_one(fd);
			_exit(0);
		}
		close(fd);
	}
}

/* --- the client ------------------------------------------------------------------ */

static bool
transfer(char what, uint64_t n)
{
	char line[LINE + 1] = "", answer[LINE + 1] = "";

	if (!put_line(1, what, n))
		return false;
	if (what == 'd')
		return check_octets(0, n);
	snprintf(line, sizeof(line), "u %013llu\n", (unsigned long long)n);
	return send_octets(1, n) && get(0, answer, LINE) &&
	    strcmp(line, answer) == 0;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "serve") == 0) {
		serve((uint16_t)strtoul(argv[2], NULL, 10));
		die("accept");
	}
	if (argc != 4) {
		fprintf(stderr, "usage: jump_target serve PORT\n"
		    "       jump_target down|up OCTETS ADDRESS\n");
		return 2;
	}
	make_pattern(argv[3]);
	return transfer(argv[1][0], strtoull(argv[2], NULL, 10)) ? 0 : 1;
}
