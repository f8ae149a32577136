/* SPDX-License-Identifier: ISC */
/*
 * bare.c - the least that relays a connection by its name: what it takes is
 * the kernel's, what a proxy takes beyond it is the proxy's.
 *
 * usage: bare workers names backend-prefix address tls-port http-port
 *
 * It understands neither TLS nor HTTP, but looks for ".bench.example" in what
 * comes first, which has to come in one piece; the number before it is the
 * server's.  Nothing is checked, counted, limited or logged, and nothing has a
 * deadline.  Half-closed connections are relayed as they should be.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BUFFER = 256 * 1024,
	NAME_DIGITS = 7,
	LISTENERS = 2
};

struct end {
	int		fd;		/* owned; -1: none yet */
	bool		ready;		/* recv may have something */
	bool		ending;		/* a FIN or worse is among it */
	bool		finished;	/* and was read */
	struct end	*other;
	struct pair	*pair;		/* NULL: a listener */
	char		*unsent;	/* owned; for this end; NULL: none */
	size_t		at, len;	/* of it */
};

struct pair {
	struct end	client, vm;
	in_port_t	port_be;
	struct pair	*next_dead;
};

static struct {
	struct end	listener[LISTENERS];
	in_port_t	port_be[LISTENERS];
	struct in6_addr	prefix;
	unsigned	names;
	int		epoll;
	struct pair	*dead;		/* freed when no event can name it */
	char		buffer[BUFFER];
} bare;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
watch(struct end *e, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = e };

	if (epoll_ctl(bare.epoll, EPOLL_CTL_ADD, e->fd, &ev) != 0)
		die("epoll_ctl");
}

/* Ends may have events of the same batch still to come. */
static void
end_pair(struct pair *p)
{
	if (p->client.fd < 0)
		return;
	close(p->client.fd);
	if (p->vm.fd >= 0)
		close(p->vm.fd);
	p->client.fd = p->vm.fd = -1;
	p->next_dead = bare.dead;
	bare.dead = p;
}

static void
bury(void)
{
	struct pair *p;

	while ((p = bare.dead) != NULL) {
		bare.dead = p->next_dead;
		free(p->client.unsent);
		free(p->vm.unsent);
		free(p);
	}
}

static void
keep(struct end *to, const char *octets, size_t len)
{
	to->unsent = malloc(len);
	if (to->unsent == NULL)
		die("malloc");
	memcpy(to->unsent, octets, len);
	to->at = 0;
	to->len = len;
}

/* Each step returns true to go on with the next octets, false to wait, and
 * ends the pair if it has to. */

static bool
failed(struct pair *p)
{
	if (errno != EAGAIN)
		end_pair(p);
	return false;
}

static bool
dial(struct pair *p, const char *first, size_t len)
{
	const char *dot = memmem(first, len, ".bench.example", 14);
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
		.sin6_port = p->port_be, .sin6_addr = bare.prefix };
	unsigned name;
	int on = 1;

	if (dot == NULL || dot < first + NAME_DIGITS ||
	    (name = (unsigned)strtoul(dot - NAME_DIGITS, NULL, 10)) >=
	    bare.names) {
		end_pair(p);
		return false;
	}
	to.sin6_addr.s6_addr32[3] = htonl(name + 1);
	p->vm.fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (p->vm.fd < 0)
		die("socket");
	setsockopt(p->vm.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(p->vm.fd, (struct sockaddr *)&to, sizeof(to)) != 0 &&
	    errno != EINPROGRESS)
		return failed(p);
	keep(&p->vm, first, len);
	watch(&p->vm, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
	return false;
}

/* Send what could not be sent before; true if it is all gone. */
static bool
flush(struct pair *p, struct end *to)
{
	ssize_t n = send(to->fd, to->unsent + to->at, to->len - to->at,
	    MSG_NOSIGNAL);

	if (n < 0)
		return failed(p);
	to->at += (size_t)n;
	if (to->at < to->len)
		return false;
	free(to->unsent);
	to->unsent = NULL;
	return true;
}

static bool
finish(struct pair *p, struct end *from)
{
	from->finished = true;
	if (from->other->finished || from->other->fd < 0)
		end_pair(p);
	else
		shutdown(from->other->fd, SHUT_WR);
	return false;
}

/* Move octets from an end to the other; true if there may be more. */
static bool
move(struct pair *p, struct end *from)
{
	struct end *to = from->other;
	ssize_t n, sent = 0;

	n = recv(from->fd, bare.buffer, BUFFER, 0);
	if (n < 0)
		return failed(p);
	if (n == 0)
		return finish(p, from);
	if (to->fd < 0)
		return dial(p, bare.buffer, (size_t)n);
	sent = send(to->fd, bare.buffer, (size_t)n, MSG_NOSIGNAL);
	if (sent < 0 && errno != EAGAIN)
		return failed(p);
	sent = sent < 0 ? 0 : sent;
	if (sent < n)
		keep(to, bare.buffer + sent, (size_t)(n - sent));
	/* A short read has emptied the socket, unless its end follows. */
	return sent == n && (n == BUFFER || from->ending);
}

static void
pump(struct pair *p, struct end *from)
{
	struct end *to = from->other;

	if (to->unsent != NULL && !flush(p, to))
		return;
	while (p->client.fd >= 0 && from->ready && !from->finished &&
	    to->unsent == NULL)
		from->ready = move(p, from) || to->unsent != NULL;
}

static void
on_event(struct end *e, uint32_t events)
{
	struct pair *p = e->pair;

	if (p->client.fd < 0)
		return;		/* ended by another event of this batch */
	e->ready |= (events & ~(uint32_t)EPOLLOUT) != 0;
	e->ending |= (events & ~(uint32_t)(EPOLLOUT | EPOLLIN)) != 0;
	if (e->ready)
		pump(p, e);
	if (p->client.fd >= 0 && e->other->fd >= 0 && (events & EPOLLOUT))
		pump(p, e->other);
}

static void
on_connection(const struct end *listener, in_port_t port_be)
{
	struct pair *p;
	int on = 1;
	int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return;		/* another worker was faster, or it is gone */
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		die("calloc");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	p->port_be = port_be;
	p->client.fd = fd;
	p->vm.fd = -1;
	p->client.other = &p->vm;
	p->vm.other = &p->client;
	p->client.pair = p->vm.pair = p;
	watch(&p->client, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static void
work(void)
{
	struct epoll_event events[256];
	struct end *e;
	int i, n;

	bare.epoll = epoll_create1(0);
	for (i = 0; i < LISTENERS; i++)
		watch(&bare.listener[i], EPOLLIN | EPOLLEXCLUSIVE);
	for (;;) {
		n = epoll_wait(bare.epoll, events, 256, -1);
		for (i = 0; i < n; i++) {
			e = events[i].data.ptr;
			if (e->pair == NULL)
				on_connection(e,
				    bare.port_be[e - bare.listener]);
			else
				on_event(e, events[i].events);
		}
		bury();
	}
}

static int
listen_on(const char *address, in_port_t port_be)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = port_be };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (inet_pton(AF_INET, address, &at.sin_addr) != 1 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(fd, 65535) != 0)
		die("listen");
	return fd;
}

int
main(int argc, char *argv[])
{
	const struct rlimit files = { 20000, 20000 };
	unsigned i, workers;

	if (argc != 7 || inet_pton(AF_INET6, argv[3], &bare.prefix) != 1) {
		fprintf(stderr, "usage: see bare.c\n");
		return 2;
	}
	workers = (unsigned)strtoul(argv[1], NULL, 10);
	bare.names = (unsigned)strtoul(argv[2], NULL, 10);
	setrlimit(RLIMIT_NOFILE, &files);
	for (i = 0; i < LISTENERS; i++) {
		bare.port_be[i] = htons((uint16_t)strtoul(argv[5 + i], NULL,
		    10));
		bare.listener[i].fd = listen_on(argv[4], bare.port_be[i]);
	}
	for (i = 0; i < workers; i++)
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			work();
		}
	wait(NULL);
	return 1;
}
