/* SPDX-License-Identifier: ISC */
/*
 * sink.c - all the servers behind the proxy that is measured, in one process.
 *
 * usage: sink tls-port http-port
 *
 * It listens on every address, and the address a connection came to is the
 * server it is for: each answer begins with 16 octets that tell the address
 * and the port, so that the client sees where its connection ended up.
 *
 * On the TLS port a client sends a ClientHello whose random is text and says
 * what to do; there is no TLS after it.
 *     d N    answer N octets, and close
 *     u N    take N more octets, answer 16 and close
 *     e      answer 16, then send back whatever comes
 * On the HTTP port it sends requests for /d/N and /u/N, which mean the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ASK_MAX = 4096,		/* a ClientHello or a request head */
	ID_OCTETS = 16,
	CHUNK = 256 * 1024,
	TURNS = 8,
	RECORD_HEADER = 5,
	RANDOM_AT = 11,		/* in a ClientHello with its record header */
	RANDOM_OCTETS = 32
};

enum phase { ASKED, TAKING, ANSWERING, ECHOING, ENDING };

struct peer {
	int		fd;		/* owned */
	bool		http;
	bool		close;		/* after this answer */
	bool		listener;
	enum phase	phase;
	uint64_t	take;		/* octets of the body still to come */
	uint64_t	give;		/* octets of `octets` still to go */
	size_t		head_at, head_len;	/* and before them these */
	size_t		ask_len;
	char		head[256];
	char		id[ID_OCTETS + 1];
	char		ask[ASK_MAX];
};

static char octets[CHUNK];	/* whatever is sent; never written */
static char echoes[CHUNK];

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* Which server this is, as load.c expects it. */
static void
identify(struct peer *p)
{
	struct sockaddr_in6 at;
	socklen_t len = sizeof(at);
	const uint8_t *low = at.sin6_addr.s6_addr + 12;

	memset(&at, 0, sizeof(at));
	getsockname(p->fd, (struct sockaddr *)&at, &len);
	snprintf(p->id, sizeof(p->id), "%08u:%05u.\n",
	    (unsigned)low[0] << 24 | (unsigned)low[1] << 16 |
		(unsigned)low[2] << 8 | low[3],
	    ntohs(at.sin6_port));
}

/* What has to go out before `give` octets do. */
static void
begin_answer(struct peer *p, uint64_t len)
{
	int n = 0;

	if (p->http)
		n = snprintf(p->head, sizeof(p->head),
		    "HTTP/1.1 200 OK\r\n"
		    "Content-Type: application/octet-stream\r\n"
		    "Content-Length: %llu\r\n"
		    "Connection: %s\r\n\r\n",
		    (unsigned long long)len,
		    p->close ? "close" : "keep-alive");
	memcpy(p->head + n, p->id, ID_OCTETS);
	p->head_at = 0;
	p->head_len = (size_t)n + ID_OCTETS;
	p->give = len - ID_OCTETS;
	p->phase = ANSWERING;
}

/* Act on "d N", "u N" or "e"; false if it is something else. */
static bool
begin(struct peer *p, const char *what)
{
	uint64_t n = strtoull(what + 2, NULL, 10);

	p->take = 0;
	switch (what[0]) {
	case 'u':
		p->take = n;
		p->phase = TAKING;
		return true;
	case 'd':
		begin_answer(p, n < ID_OCTETS ? ID_OCTETS : n);
		return true;
	case 'e':
		begin_answer(p, ID_OCTETS);
		p->close = false;
		return true;
	default:
		return false;
	}
}

/* What of `ask` is not the request is the beginning of its body. */
static void
rest_is_body(struct peer *p, size_t request_len)
{
	size_t rest = p->ask_len - request_len;

	p->take -= rest < p->take ? rest : p->take;
	p->ask_len = 0;
}

/* 1: understood; 0: more is to come; -1: nonsense. */
static int
understand_hello(struct peer *p)
{
	const uint8_t *bytes = (const uint8_t *)p->ask;
	size_t len;

	if (p->ask_len < RANDOM_AT + RANDOM_OCTETS)
		return 0;
	len = RECORD_HEADER + (size_t)(bytes[3] << 8 | bytes[4]);
	if (len > ASK_MAX)
		return -1;
	if (p->ask_len < len)
		return 0;
	p->close = true;
	if (!begin(p, p->ask + RANDOM_AT))
		return -1;
	rest_is_body(p, len);
	return 1;
}

static int
understand_http(struct peer *p)
{
	char *end = memmem(p->ask, p->ask_len, "\r\n\r\n", 4);
	const char *slash;

	if (end == NULL)
		return p->ask_len < ASK_MAX ? 0 : -1;
	*end = '\0';
	slash = strchr(p->ask, '/');
	p->close = strcasestr(p->ask, "\r\nConnection: close") != NULL;
	if (slash == NULL || !begin(p, slash + 1))
		return -1;
	rest_is_body(p, (size_t)(end - p->ask) + 4);
	return 1;
}

/* The steps: each returns 1 to go on, 0 to wait for an event, -1 to close. */

static int
after(ssize_t n)
{
	if (n > 0)
		return 1;
	return n < 0 && errno == EAGAIN ? 0 : -1;
}

static int
listen_to_ask(struct peer *p)
{
	ssize_t n = recv(p->fd, p->ask + p->ask_len, ASK_MAX - p->ask_len, 0);
	int understood;

	if (n <= 0)
		return after(n);
	p->ask_len += (size_t)n;
	understood = p->http ? understand_http(p) : understand_hello(p);
	return understood < 0 ? -1 : 1;
}

static int
take(struct peer *p)
{
	ssize_t n;

	if (p->take == 0) {
		begin_answer(p, ID_OCTETS);
		return 1;
	}
	n = recv(p->fd, NULL, p->take < CHUNK ? (size_t)p->take : CHUNK,
	    MSG_TRUNC);
	if (n > 0)
		p->take -= (uint64_t)n;
	return after(n);
}

static int
answer(struct peer *p)
{
	size_t len = p->give < CHUNK ? (size_t)p->give : CHUNK;
	struct iovec iov[2] = {
		{ p->head + p->head_at, p->head_len - p->head_at },
		{ octets, len }
	};
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	n = sendmsg(p->fd, &msg, MSG_NOSIGNAL);
	if (n <= 0)
		return after(n);
	len = p->head_len - p->head_at;
	len = (size_t)n < len ? (size_t)n : len;
	p->head_at += len;
	p->give -= (size_t)n - len;
	if (p->head_at < p->head_len || p->give > 0)
		return 1;
	if (p->close) {
		shutdown(p->fd, SHUT_WR);
		p->phase = ENDING;
	} else {
		p->phase = p->http ? ASKED : ECHOING;
	}
	return 1;
}

static int
echo(struct peer *p)
{
	ssize_t n = recv(p->fd, echoes, sizeof(echoes), 0);

	/* A few octets at a time: they always fit. */
	if (n > 0 && send(p->fd, echoes, (size_t)n, MSG_NOSIGNAL) != n)
		return -1;
	return after(n);
}

static int
end(struct peer *p)
{
	return after(recv(p->fd, NULL, CHUNK, MSG_TRUNC));
}

/* Tell of it again behind the others: no peer may have us for itself, however
 * fast it is. */
static void
come_back(int epoll, struct peer *p)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET,
		.data.ptr = p };

	if (epoll_ctl(epoll, EPOLL_CTL_MOD, p->fd, &ev) != 0)
		die("epoll_ctl");
}

static void
on_event(int epoll, struct peer *p)
{
	static int (*const step[])(struct peer *) = {
		[ASKED] = listen_to_ask,
		[TAKING] = take,
		[ANSWERING] = answer,
		[ECHOING] = echo,
		[ENDING] = end,
	};
	int next = 1, turns;

	for (turns = 0; next > 0 && turns < TURNS; turns++)
		next = step[p->phase](p);
	if (next > 0) {
		come_back(epoll, p);
	} else if (next < 0) {
		close(p->fd);
		free(p);
	}
}

static void
on_connection(int epoll, const struct peer *listener)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	struct peer *p;
	int on = 1;
	int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0) {
		if (errno == EAGAIN || errno == ECONNABORTED)
			return;
		die("accept");
	}
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		die("calloc");
	p->fd = fd;
	p->http = listener->http;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	identify(p);
	ev.data.ptr = p;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) != 0)
		die("epoll_ctl");
}

static void
listen_on(int epoll, const char *port, bool http)
{
	struct sockaddr_in6 at = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	struct epoll_event ev = { .events = EPOLLIN };
	struct peer *p = calloc(1, sizeof(*p));
	int on = 1;

	if (p == NULL)
		die("calloc");
	p->listener = true;
	p->http = http;
	p->fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(p->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	ev.data.ptr = p;
	if (bind(p->fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(p->fd, 65535) != 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, p->fd, &ev) != 0)
		die("listen");
}

int
main(int argc, char *argv[])
{
	struct epoll_event events[256];
	struct peer *p;
	int epoll = epoll_create1(0), i, n;

	if (argc != 3) {
		fprintf(stderr, "usage: sink tls-port http-port\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	listen_on(epoll, argv[1], false);
	listen_on(epoll, argv[2], true);
	for (;;) {
		n = epoll_wait(epoll, events, 256, -1);
		for (i = 0; i < n; i++) {
			p = events[i].data.ptr;
			if (p->listener)
				on_connection(epoll, p);
			else
				on_event(epoll, p);
		}
	}
}
