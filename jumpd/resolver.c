/* SPDX-License-Identifier: ISC */
/*
 * resolver.c - c-ares, driven by our loop.
 *
 * c-ares changes name servers only while it has no queries, and making a new
 * channel reads files, which the sandbox forbids.  So there are two channels:
 * new servers go to the idle one, which takes the new queries, while the
 * other one finishes its own.
 */
#include "jumpd/resolver.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/container_of.h"

enum {
	CHANNELS = 2,
	SOCKETS = 4 * JUMPD_RESOLVERS_MAX,	/* of a channel; UDP and TCP
						 * to each server, twice */
	TRY_MS = 1000,		/* for the first answer of a server */
	TRIES = 2,		/* of all servers; then it times out */
	EDNS_OCTETS = 1232	/* a UDP answer that is not fragmented */
};

struct channel;

struct channel_socket {
	struct channel	*channel;	/* borrowed: it is part of it */
	struct loop_watch watch;	/* fd -1: not used */
};

struct channel {
	struct resolver	*resolver;	/* borrowed: it is part of it */
	ares_channel	 ares;		/* owned */
	unsigned	 queries;
	struct channel_socket socket[SOCKETS];
};

struct resolver {
	struct loop	*loop;		/* borrowed */
	struct channel	 channel[CHANNELS];
	unsigned	 current;	/* the channel for new queries */
	bool		 waiting;	/* `server` is not in use yet */
	unsigned	 n_servers;
	struct endpoint	 server[JUMPD_RESOLVERS_MAX];
};

struct resolver_query {
	struct channel	*channel;	/* borrowed */
	resolver_fn	*fn;		/* NULL: given up */
	void		*arg;
	bool		 asking;	/* inside resolver_ask */
	bool		 answered;	/* there already, with: */
	enum deny_reason reason;
};

/* ------------------------------------------------------------- sockets */

static void
on_socket(struct loop_watch *watch, uint32_t events)
{
	struct channel_socket *s = CONTAINER_OF(struct channel_socket, watch,
	    watch);
	uint32_t in = EPOLLIN | EPOLLERR | EPOLLHUP;
	int fd = watch->fd;

	ares_process_fd(s->channel->ares,
	    (events & in) != 0 ? fd : ARES_SOCKET_BAD,
	    (events & EPOLLOUT) != 0 ? fd : ARES_SOCKET_BAD);
}

static struct channel_socket *
socket_find(struct channel *c, int fd)
{
	unsigned i;

	for (i = 0; i < SOCKETS; i++)
		if (c->socket[i].watch.fd == fd)
			return &c->socket[i];
	return NULL;
}

/* c-ares wants to hear of a socket, or no longer. */
static void
on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct channel *c = arg;
	struct loop *loop = c->resolver->loop;
	struct channel_socket *s = socket_find(c, fd);
	uint32_t events = (readable ? EPOLLIN : 0) | (writable ? EPOLLOUT : 0);

	if (s != NULL && events == 0)
		loop_remove(loop, &s->watch);
	else if (s != NULL)
		(void)loop_change(loop, &s->watch, events);
	else if (events != 0 && (s = socket_find(c, -1)) != NULL)
		/* One that cannot be watched times out. */
		(void)loop_add(loop, &s->watch, fd, events, on_socket);
}

/* ------------------------------------------------------------- servers */

static bool
channel_open(struct channel *c, struct resolver *r)
{
	static char dns_only[] = "b", no_file[] = "/dev/null";
	struct ares_options options = { .flags = ARES_FLAG_NOSEARCH |
		    ARES_FLAG_NOALIASES | ARES_FLAG_EDNS,
		.timeout = TRY_MS,
		.tries = TRIES,
		.ednspsz = EDNS_OCTETS,
		.lookups = dns_only,
		.resolvconf_path = no_file,
		.sock_state_cb = on_state,
		.sock_state_cb_data = c };
	unsigned i;

	c->resolver = r;
	for (i = 0; i < SOCKETS; i++) {
		c->socket[i].channel = c;
		loop_watch_init(&c->socket[i].watch);
	}
	return ares_init_options(&c->ares, &options,
		   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
		       ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS |
		       ARES_OPT_DOMAINS | ARES_OPT_RESOLVCONF |
		       ARES_OPT_SOCK_STATE_CB) == ARES_SUCCESS;
}

struct resolver *
resolver_new(struct loop *loop)
{
	struct resolver *r = calloc(1, sizeof(*r));
	unsigned i;

	if (r == NULL)
		return NULL;
	r->loop = loop;
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
		free(r);
		return NULL;
	}
	for (i = 0; i < CHANNELS; i++)
		if (!channel_open(&r->channel[i], r)) {
			resolver_free(r);
			return NULL;
		}
	return r;
}

void
resolver_free(struct resolver *r)
{
	unsigned i;

	if (r == NULL)
		return;
	for (i = 0; i < CHANNELS; i++)
		if (r->channel[i].ares != NULL)
			ares_destroy(r->channel[i].ares);
	ares_library_cleanup();
	free(r);
}

static struct ares_addr_port_node
node_of(const struct endpoint *server)
{
	struct ares_addr_port_node node = { .udp_port = server->port,
		.tcp_port = server->port };

	if (addr_is_v4(&server->addr)) {
		node.family = AF_INET;
		memcpy(&node.addr.addr4, server->addr.octet + 12, 4);
	} else {
		node.family = AF_INET6;
		memcpy(&node.addr.addr6, server->addr.octet, 16);
	}
	return node;
}

/* Give the servers to a channel that is idle, and use it. */
static void
use_servers(struct resolver *r)
{
	struct ares_addr_port_node node[JUMPD_RESOLVERS_MAX];
	unsigned i, next = r->current;

	if (r->channel[next].queries > 0)
		next = (next + 1) % CHANNELS;
	if (r->channel[next].queries > 0)
		return;		/* a later tick */
	for (i = 0; i < r->n_servers; i++) {
		node[i] = node_of(&r->server[i]);
		node[i].next = i + 1 < r->n_servers ? &node[i + 1] : NULL;
	}
	if (ares_set_servers_ports(r->channel[next].ares,
		r->n_servers > 0 ? node : NULL) != ARES_SUCCESS)
		return;
	r->current = next;
	r->waiting = false;
}

static bool
same_servers(const struct resolver *r, const struct endpoint *server,
    unsigned n)
{
	unsigned i;

	if (n != r->n_servers)
		return false;
	for (i = 0; i < n; i++)
		if (!endpoint_equal(&server[i], &r->server[i]))
			return false;
	return true;
}

void
resolver_set_servers(struct resolver *r, const struct endpoint *server,
    unsigned n)
{
	assert(n <= JUMPD_RESOLVERS_MAX);
	if (same_servers(r, server, n))
		return;
	memcpy(r->server, server, n * sizeof(*server));
	r->n_servers = n;
	r->waiting = true;
	use_servers(r);
}

/* ------------------------------------------------------------- queries */

static enum deny_reason
reason_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return DENY_NONE;
	case ARES_ENOTFOUND:
		return DENY_NAME_UNKNOWN;
	case ARES_ENODATA:
		return DENY_NAME_NO_IPV6;
	case ARES_ETIMEOUT:
		return DENY_DNS_TIMEOUT;
	case ARES_ENOMEM:
		return DENY_NO_MEMORY;
	default:
		return DENY_DNS_FAILED;
	}
}

/* The addresses of an answer, RESOLVER_ADDRESSES_MAX at most. */
static enum deny_reason
read_answer(const unsigned char *bytes, int len,
    struct addr address[RESOLVER_ADDRESSES_MAX], unsigned *ret_n)
{
	struct ares_addr6ttl found[RESOLVER_ADDRESSES_MAX];
	int i, n = RESOLVER_ADDRESSES_MAX;
	enum deny_reason reason;

	reason = reason_of(ares_parse_aaaa_reply(bytes, len, NULL, found, &n));
	if (reason != DENY_NONE)
		return reason;
	for (i = 0; i < n && i < RESOLVER_ADDRESSES_MAX; i++)
		memcpy(address[i].octet, &found[i].ip6addr, 16);
	*ret_n = (unsigned)i;
	return i > 0 ? DENY_NONE : DENY_NAME_NO_IPV6;
}

static void
on_answer(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct resolver_query *q = arg;
	struct addr address[RESOLVER_ADDRESSES_MAX];
	resolver_fn *fn = q->fn;
	void *fn_arg = q->arg;
	enum deny_reason reason = reason_of(status);
	unsigned n = 0;

	(void)timeouts;
	q->channel->queries--;
	if (reason == DENY_NONE)
		reason = read_answer(bytes, len, address, &n);
	if (q->asking) {
		/* It failed at once; resolver_ask frees it. */
		q->answered = true;
		q->reason = reason != DENY_NONE ? reason : DENY_DNS_FAILED;
		return;
	}
	free(q);
	if (fn != NULL && status != ARES_EDESTRUCTION)
		fn(fn_arg, reason, address, n);
}

unsigned
resolver_busy(const struct resolver *r)
{
	unsigned i, n = 0;

	for (i = 0; i < CHANNELS; i++)
		n += r->channel[i].queries;
	return n;
}

enum deny_reason
resolver_ask(struct resolver *r, const char *name, resolver_fn *fn, void *arg,
    struct resolver_query **ret)
{
	struct resolver_query *q;
	enum deny_reason reason;

	if (r->n_servers == 0)
		return DENY_DNS_OFF;
	if (resolver_busy(r) >= RESOLVER_QUERIES_MAX)
		return DENY_PENDING;
	q = calloc(1, sizeof(*q));
	if (q == NULL)
		return DENY_NO_MEMORY;
	q->channel = &r->channel[r->current];
	q->fn = fn;
	q->arg = arg;
	q->asking = true;
	q->channel->queries++;
	ares_query(q->channel->ares, name, ns_c_in, ns_t_aaaa, on_answer, q);
	q->asking = false;
	if (!q->answered) {
		*ret = q;
		return DENY_NONE;
	}
	reason = q->reason;
	free(q);
	return reason;
}

void
resolver_cancel(struct resolver_query *q)
{
	q->fn = NULL;
}

void
resolver_tick(struct resolver *r)
{
	unsigned i;

	for (i = 0; i < CHANNELS; i++)
		if (r->channel[i].queries > 0)
			ares_process_fd(r->channel[i].ares, ARES_SOCKET_BAD,
			    ARES_SOCKET_BAD);
	if (r->waiting)
		use_servers(r);
}
