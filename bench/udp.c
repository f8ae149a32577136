/* SPDX-License-Identifier: ISC */
/*
 * udp.c - datagrams at a rate, counted at the other end; and there and back.
 *
 * usage: udp count ADDRESS PORT		until there are none for a while
 *        udp send ADDRESS PORT OCTETS RATE SECONDS [SEGMENTS]
 *        udp echo ADDRESS PORT
 *        udp ping ADDRESS PORT OCTETS TIMES
 *
 * RATE is datagrams a second; with SEGMENTS so many leave in one system call
 * as one super-packet (UDP_SEGMENT), as QUIC stacks send them.  Results are
 * printed as name=number.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum {
	BATCH = 64,		/* datagrams in one call, at most */
	DATAGRAM_MAX = 65536,
	BUFFER_OCTETS = 8 << 20,
	FIRST_S = 5,		/* how long to wait for the first */
	QUIET_MS = 300,		/* and for another */
	STEP_NS = 200000	/* how often a sender looks what is due */
};

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int
open_socket(const char *address, const char *port, bool local)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_DGRAM
	};
	const int octets = BUFFER_OCTETS;
	struct addrinfo *at;
	int fd;

	if (getaddrinfo(address, port, &hints, &at) != 0)
		errx(1, "%s: no address", address);
	fd = socket(at->ai_family, SOCK_DGRAM, 0);
	if (fd < 0)
		err(1, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof(octets));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &octets, sizeof(octets));
	if (local ? bind(fd, at->ai_addr, at->ai_addrlen) :
	    connect(fd, at->ai_addr, at->ai_addrlen))
		err(1, "%s", address);
	freeaddrinfo(at);
	return fd;
}

static void
set_patience(int fd, unsigned ms)
{
	const struct timeval patience = { ms / 1000, ms % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
}

/* Headers for BATCH datagrams, all in one buffer that nobody reads. */
static void
make_batch(struct mmsghdr message[BATCH], struct iovec part[BATCH],
    uint8_t *buffer, size_t octets)
{
	memset(message, 0, BATCH * sizeof(*message));
	for (int i = 0; i < BATCH; i++) {
		part[i].iov_base = buffer;
		part[i].iov_len = octets;
		message[i].msg_hdr.msg_iov = &part[i];
		message[i].msg_hdr.msg_iovlen = 1;
	}
}

static void
run_count(int fd)
{
	static uint8_t buffer[DATAGRAM_MAX];
	struct mmsghdr message[BATCH];
	struct iovec part[BATCH];
	uint64_t datagrams = 0, octets = 0;
	int n;

	make_batch(message, part, buffer, sizeof(buffer));
	puts("ready");
	fflush(stdout);
	set_patience(fd, FIRST_S * 1000);
	while ((n = recvmmsg(fd, message, BATCH, MSG_WAITFORONE, NULL)) > 0) {
		if (datagrams == 0)
			set_patience(fd, QUIET_MS);
		for (int i = 0; i < n; i++)
			octets += message[i].msg_len;
		datagrams += (uint64_t)n;
	}
	printf("datagrams=%llu octets=%llu\n", (unsigned long long)datagrams,
	    (unsigned long long)octets);
}

static void
run_send(int fd, unsigned octets, double rate, double seconds,
    unsigned segments)
{
	static uint8_t buffer[DATAGRAM_MAX];
	struct mmsghdr message[BATCH];
	struct iovec part[BATCH];
	uint64_t begun = now_ns(), sent = 0, due, errors = 0;
	const int segment = (int)octets;
	struct timespec step = { .tv_nsec = STEP_NS };

	if (octets * segments > sizeof(buffer) - 100)
		errx(1, "too many octets");
	if (segments > 1 && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment,
	    sizeof(segment)) != 0)
		err(1, "UDP_SEGMENT");
	make_batch(message, part, buffer, octets * segments);
	while (now_ns() < begun + (uint64_t)(seconds * 1e9)) {
		due = (uint64_t)((double)(now_ns() - begun) / 1e9 * rate);
		while (sent + segments <= due) {
			uint64_t calls = (due - sent) / segments;
			int n = sendmmsg(fd, message,
			    calls < BATCH ? (unsigned)calls : BATCH, 0);

			if (n < 0) {
				errors++;
				n = 1;	/* it is lost */
			}
			sent += (uint64_t)n * segments;
			if (now_ns() > begun + (uint64_t)(seconds * 1e9))
				break;
		}
		nanosleep(&step, NULL);
	}
	printf("datagrams=%llu seconds=%.6f errors=%llu\n",
	    (unsigned long long)sent, (double)(now_ns() - begun) / 1e9,
	    (unsigned long long)errors);
}

static void
run_echo(int fd)
{
	static uint8_t buffer[DATAGRAM_MAX];
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	ssize_t n;

	puts("ready");
	fflush(stdout);
	while ((n = recvfrom(fd, buffer, sizeof(buffer), 0,
	    (struct sockaddr *)&from, &len)) >= 0) {
		sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from,
		    len);
		len = sizeof(from);
	}
}

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
run_ping(int fd, size_t octets, size_t times)
{
	static uint8_t buffer[DATAGRAM_MAX];
	uint64_t *took = calloc(times + 1, sizeof(*took)), lost = 0;
	size_t n = 0;

	if (took == NULL)
		err(1, "calloc");
	set_patience(fd, 1000);
	for (size_t i = 0; i < times; i++) {
		uint64_t begun = now_ns();

		if (send(fd, buffer, octets, 0) < 0 ||
		    recv(fd, buffer, sizeof(buffer), 0) < 0)
			lost++;
		else
			took[n++] = now_ns() - begun;
	}
	qsort(took, n, sizeof(*took), compare);
	printf("lost=%llu p50_us=%.1f p99_us=%.1f\n",
	    (unsigned long long)lost, (double)took[n / 2] / 1000,
	    (double)took[n * 99 / 100] / 1000);
	free(took);
}

int
main(int argc, char **argv)
{
	const char *task = argc > 3 ? argv[1] : "";

	if (strcmp(task, "count") == 0)
		run_count(open_socket(argv[2], argv[3], true));
	else if (strcmp(task, "echo") == 0)
		run_echo(open_socket(argv[2], argv[3], true));
	else if (strcmp(task, "ping") == 0 && argc == 6)
		run_ping(open_socket(argv[2], argv[3], false),
		    strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10));
	else if (strcmp(task, "send") == 0 && (argc == 7 || argc == 8))
		run_send(open_socket(argv[2], argv[3], false),
		    (unsigned)strtoul(argv[4], NULL, 10),
		    strtod(argv[5], NULL), strtod(argv[6], NULL),
		    argc == 8 ? (unsigned)strtoul(argv[7], NULL, 10) : 1);
	else
		errx(2, "usage: see udp.c");
	return 0;
}
