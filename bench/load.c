/* SPDX-License-Identifier: ISC */
/*
 * load.c - clients of the proxy that is measured: as many at a time as one
 * likes, each the next as soon as its last one is done.
 *
 * usage: load -t FILE [-c at-once] [-n total] [-r requests] [-m names]
 *	[-f first-name] [-u octets] [-d octets] [-b backend-port] [-HE]
 *	[-p MiB] [-h hold,...] address port
 *
 * FILE is what a client sends first, a ClientHello or an HTTP request.  It
 * has the name n0000000.something in it; the digits become those of another
 * name for each connection, and the sink has to say that it is that one.
 *	-r   requests on each connection
 *	-u   octets the client sends after FILE
 *	-d   octets it gets, the sink's 16 among them
 *	-H   FILE is HTTP, and so is the answer; -K: more requests may follow
 *	-E   after the first answer -r messages of 64 octets go there and back
 *	-p   take no more than so many MiB of answers a second
 *	-h   open so many connections, then so many ...; say so, and wait for
 *	     a line on standard input before going on
 *
 * Prints one line of name=value.  Times are from the connect, or from the
 * request on a connection that is open, to the first octet of the answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	ID_OCTETS = 16,
	NAME_DIGITS = 7,
	ECHO_OCTETS = 64,
	FIRST_MAX = 8192,	/* what a client sends first */
	HEAD_MAX = 2048,	/* what an answer begins with */
	CHUNK = 256 * 1024,
	TURNS = 8,
	STALL_MS = 10000	/* nothing happens: give up */
};

enum phase { SEND_FIRST, SEND_BODY, GET_HEAD, GET_BODY, GET_END, HOLD };

struct client {
	int		fd;		/* owned; -1: none */
	enum phase	phase;
	uint64_t	began_ns;
	uint64_t	left;		/* octets of the body to send or get */
	size_t		at;		/* how far FILE is sent, or head got */
	unsigned	name, requests;
	bool		paused;		/* until there is allowance again */
	char		head[HEAD_MAX];
};

static struct {
	char		first[FIRST_MAX];
	size_t		first_len, digits_at;
	unsigned	at_once, total, requests, names, first_name;
	unsigned	backend_port;
	uint64_t	up, down;
	uint64_t	pace;		/* octets a millisecond; 0: any */
	bool		http, keep, echo, hold;
	struct sockaddr_in at;
} plan = { .at_once = 1, .total = 1, .requests = 1, .names = 1, .down = 16,
	.backend_port = 443 };

static struct {
	unsigned	begun, done, failed, wrong;
	uint64_t	requests, octets;
	int		error;		/* errno of the last failure */
} sum;

static struct {
	uint64_t	octets;		/* that may be taken now */
	uint64_t	at_ns;		/* when that was found out */
} allowance;

static uint32_t *samples;	/* ns */
static size_t n_samples, samples_max;
static int epoll;
static char octets[CHUNK];

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

static void
sample(const struct client *c)
{
	if (n_samples < samples_max)
		samples[n_samples++] = (uint32_t)(now_ns() - c->began_ns);
}

/* --- one connection --------------------------------------------------- */

static void
client_begin(struct client *c)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
		.data.ptr = c };
	int on = 1;

	c->fd = -1;
	if (sum.begun == plan.total)
		return;
	/* A stride, so that neighbours in the table are not neighbours in
	 * time. */
	c->name = (unsigned)(plan.first_name +
	    (uint64_t)sum.begun * 7919 % plan.names);
	sum.begun++;
	c->phase = SEND_FIRST;
	c->at = c->requests = 0;
	c->began_ns = now_ns();
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		die("socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(c->fd, (struct sockaddr *)&plan.at, sizeof(plan.at)) != 0 &&
	    errno != EINPROGRESS)
		die("connect");
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		die("epoll_ctl");
}

static void
client_end(struct client *c)
{
	close(c->fd);
	sum.done++;
	client_begin(c);
}

/* The steps: each returns 1 to go on, 0 to wait for an event, -1 if the
 * connection failed and -2 if it is done. */

static int
after(ssize_t n)
{
	if (n > 0)
		return 1;
	if (n < 0 && errno == EAGAIN)
		return 0;
	sum.error = n < 0 ? errno : EPIPE;
	return -1;
}

static void
first_sent(struct client *c)
{
	c->at = 0;
	c->left = plan.up;
	c->phase = SEND_BODY;
}

static int
send_echo(struct client *c)
{
	char message[ECHO_OCTETS + 1];

	snprintf(message, sizeof(message), "%0*llu", ECHO_OCTETS,
	    (unsigned long long)c->began_ns);
	c->left = 0;
	c->phase = GET_HEAD;
	return after(send(c->fd, message, ECHO_OCTETS, MSG_NOSIGNAL));
}

static int
send_first(struct client *c)
{
	char digits[NAME_DIGITS + 1];
	ssize_t n;

	if (plan.echo && c->requests > 0)
		return send_echo(c);
	snprintf(digits, sizeof(digits), "%0*u", NAME_DIGITS, c->name);
	memcpy(plan.first + plan.digits_at, digits, NAME_DIGITS);
	n = send(c->fd, plan.first + c->at, plan.first_len - c->at,
	    MSG_NOSIGNAL);
	if (n > 0) {
		c->at += (size_t)n;
		if (c->at == plan.first_len)
			first_sent(c);
	}
	return after(n);
}

static int
send_body(struct client *c)
{
	ssize_t n;

	if (c->left == 0) {
		c->phase = GET_HEAD;
		return 1;
	}
	n = send(c->fd, octets, c->left < CHUNK ? (size_t)c->left : CHUNK,
	    MSG_NOSIGNAL);
	if (n > 0) {
		c->left -= (uint64_t)n;
		sum.octets += (uint64_t)n;
	}
	return after(n);
}

/* An answer is complete. */
static int
got_all(struct client *c)
{
	sum.requests++;
	c->at = 0;
	if (plan.hold) {
		c->phase = HOLD;
		return 1;
	}
	if (++c->requests < plan.requests + plan.echo) {
		c->began_ns = now_ns();
		c->phase = SEND_FIRST;
		return 1;
	}
	if (plan.keep || plan.echo)
		return -2;
	c->phase = GET_END;
	return 1;
}

/* The answer must tell the server that was asked for. */
static int
check_id(struct client *c, const char *id, size_t len)
{
	char expected[ID_OCTETS + 1];

	snprintf(expected, sizeof(expected), "%08u:%05u.\n", c->name + 1,
	    plan.backend_port);
	if (memcmp(id, expected, ID_OCTETS) != 0 || len > plan.down) {
		sum.wrong++;
		fprintf(stderr, "load: expected %.15s, got %.15s\n", expected,
		    id);
		return -1;
	}
	sum.octets += len;
	c->left = plan.down - len;
	c->phase = GET_BODY;
	return 1;
}

static int
check_echo(const struct client *c)
{
	char expected[ECHO_OCTETS + 1];

	snprintf(expected, sizeof(expected), "%0*llu", ECHO_OCTETS,
	    (unsigned long long)c->began_ns);
	return memcmp(c->head, expected, ECHO_OCTETS) == 0;
}

static int
get_head(struct client *c)
{
	ssize_t n = recv(c->fd, c->head + c->at, HEAD_MAX - c->at, 0);
	const char *id = c->head;
	char *blank;

	if (n <= 0)
		return after(n);
	if (c->at == 0 && (!plan.echo || c->requests > 0))
		sample(c);
	c->at += (size_t)n;
	if (plan.echo && c->requests > 0) {
		if (c->at < ECHO_OCTETS)
			return 1;
		sum.wrong += !check_echo(c);
		return got_all(c);
	}
	if (plan.http) {
		blank = memmem(c->head, c->at, "\r\n\r\n", 4);
		if (blank == NULL)
			return c->at < HEAD_MAX ? 1 : -1;
		id = blank + 4;
	}
	if (c->head + c->at < id + ID_OCTETS)
		return c->at < HEAD_MAX ? 1 : -1;
	return check_id(c, id, (size_t)(c->head + c->at - id));
}

static int
get_body(struct client *c)
{
	uint64_t most = c->left < CHUNK ? c->left : CHUNK;
	ssize_t n;

	if (c->left == 0)
		return got_all(c);
	if (plan.pace > 0 && most > allowance.octets)
		most = allowance.octets;
	c->paused = most == 0;
	if (c->paused)
		return 0;
	n = recv(c->fd, NULL, (size_t)most, MSG_TRUNC);
	if (n > 0) {
		c->left -= (uint64_t)n;
		sum.octets += (uint64_t)n;
		if (plan.pace > 0)
			allowance.octets -= (uint64_t)n;
	}
	return after(n);
}

/* Nothing but the end may follow. */
static int
get_end(struct client *c)
{
	ssize_t n = recv(c->fd, c->head, HEAD_MAX, 0);

	if (n == 0)
		return -2;
	if (n > 0) {
		sum.wrong++;
		return -1;
	}
	return after(n);
}

static int
hold(struct client *c)
{
	return after(recv(c->fd, c->head, HEAD_MAX, 0)) == 0 ? 0 : -1;
}

static void
on_event(struct client *c)
{
	static int (*const step[])(struct client *) = {
		[SEND_FIRST] = send_first,
		[SEND_BODY] = send_body,
		[GET_HEAD] = get_head,
		[GET_BODY] = get_body,
		[GET_END] = get_end,
		[HOLD] = hold,
	};
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
		.data.ptr = c };
	int next = 1, turns;

	for (turns = 0; next > 0 && turns < TURNS; turns++)
		next = step[c->phase](c);
	/* Nor may a fast one keep us from the others: tell of it again. */
	if (next > 0 && epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &ev) != 0)
		die("epoll_ctl");
	if (next == -1)
		sum.failed++;
	if (next < 0)
		client_end(c);
}

/* --- all of them ------------------------------------------------------ */

/* Allow for the time since the last time, and wake those who wait for it. */
static void
allow(struct client *clients)
{
	uint64_t now = now_ns(), ms = (now - allowance.at_ns) / 1000000;
	unsigned i;

	if (ms == 0)
		return;
	allowance.at_ns = now;
	allowance.octets = plan.pace * (ms < 10 ? ms : 10);
	/* Not always the same first. */
	for (i = 0; i < plan.at_once; i++) {
		struct client *c = &clients[(i + ms) % plan.at_once];

		if (c->fd >= 0 && c->paused)
			on_event(c);
	}
}

static void
wait_for_events(unsigned most, struct client *clients)
{
	struct epoll_event events[256];
	int i, n;

	n = epoll_wait(epoll, events, most < 256 ? (int)most : 256,
	    plan.pace > 0 ? 1 : STALL_MS);
	if (plan.pace > 0) {
		allow(clients);
	} else if (n == 0) {
		fprintf(stderr, "load: nothing moves; %u of %u are done\n",
		    sum.done, plan.total);
		exit(1);
	}
	for (i = 0; i < n; i++)
		on_event(events[i].data.ptr);
}

/* Open connections, a few at a time, and hold them. */
static void
hold_all(struct client *clients, char *steps)
{
	unsigned most;
	char *step, *save, line[16];

	for (step = strtok_r(steps, ",", &save); step != NULL;
	     step = strtok_r(NULL, ",", &save)) {
		most = (unsigned)strtoul(step, NULL, 10);
		while (sum.requests < most) {
			while (sum.begun < most &&
			    sum.begun < sum.requests + 64)
				client_begin(&clients[sum.begun]);
			wait_for_events(256, clients);
			if (sum.failed > 0)
				return;
		}
		printf("holding=%u\n", most);
		fflush(stdout);
		if (fgets(line, sizeof(line), stdin) == NULL)
			return;
	}
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static double
percentile_us(unsigned percent)
{
	if (n_samples == 0)
		return 0;
	return samples[(n_samples - 1) * percent / 100] / 1e3;
}

static void
report(uint64_t began_ns)
{
	qsort(samples, n_samples, sizeof(*samples), by_value);
	printf("connections=%u requests=%llu octets=%llu failed=%u wrong=%u "
	       "p50_us=%.1f p99_us=%.1f seconds=%.3f\n",
	    sum.done, (unsigned long long)sum.requests,
	    (unsigned long long)sum.octets, sum.failed, sum.wrong,
	    percentile_us(50), percentile_us(99),
	    (double)(now_ns() - began_ns) / 1e9);
	if (sum.failed > 0)
		fprintf(stderr, "load: %u failed: %s\n", sum.failed,
		    strerror(sum.error));
}

static void
read_first(const char *path)
{
	FILE *file = fopen(path, "rb");
	const char *name;

	if (file == NULL)
		die(path);
	plan.first_len = fread(plan.first, 1, sizeof(plan.first), file);
	fclose(file);
	name = memmem(plan.first, plan.first_len, "n0000000.", 9);
	if (name == NULL) {
		fprintf(stderr, "load: %s has no n0000000.\n", path);
		exit(2);
	}
	plan.digits_at = (size_t)(name - plan.first) + 1;
}

static unsigned
number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

/* Returns the steps of -h, or NULL. */
static char *
read_options(int argc, char *argv[])
{
	char *steps = NULL;
	int option;

	while ((option = getopt(argc, argv, "t:c:n:r:m:f:u:d:b:p:h:HKE")) != -1)
		switch (option) {
		case 't': read_first(optarg); break;
		case 'c': plan.at_once = number(optarg); break;
		case 'n': plan.total = number(optarg); break;
		case 'r': plan.requests = number(optarg); break;
		case 'm': plan.names = number(optarg); break;
		case 'f': plan.first_name = number(optarg); break;
		case 'u': plan.up = strtoull(optarg, NULL, 10); break;
		case 'd': plan.down = strtoull(optarg, NULL, 10); break;
		case 'b': plan.backend_port = number(optarg); break;
		case 'p': plan.pace = (uint64_t)number(optarg) * 1049; break;
		case 'h': steps = optarg; plan.hold = true; break;
		case 'H': plan.http = true; break;
		case 'K': plan.keep = true; break;
		case 'E': plan.echo = true; break;
		default: exit(2);
		}
	plan.at.sin_family = AF_INET;
	if (plan.first_len == 0 || optind + 2 != argc ||
	    inet_pton(AF_INET, argv[optind], &plan.at.sin_addr) != 1) {
		fprintf(stderr, "usage: see load.c\n");
		exit(2);
	}
	plan.at.sin_port = htons((uint16_t)number(argv[optind + 1]));
	return steps;
}

int
main(int argc, char *argv[])
{
	char *steps = read_options(argc, argv);
	uint64_t began_ns = now_ns();
	struct client *clients;
	unsigned i;

	epoll = epoll_create1(0);
	if (plan.at_once > plan.total)
		plan.at_once = plan.total;
	samples_max = (size_t)plan.total * plan.requests;
	samples = calloc(samples_max, sizeof(*samples));
	clients = calloc(steps != NULL ? plan.total : plan.at_once,
	    sizeof(*clients));
	if (epoll < 0 || samples == NULL || clients == NULL)
		die("load");
	if (steps != NULL) {
		hold_all(clients, steps);
	} else {
		for (i = 0; i < plan.at_once; i++)
			client_begin(&clients[i]);
		while (sum.done < plan.total)
			wait_for_events(256, clients);
	}
	report(began_ns);
	return sum.failed > 0 || sum.wrong > 0;
}
