/* SPDX-License-Identifier: ISC */
/*
 * sock.h - between struct endpoint and the kernel's socket addresses, and
 * descriptors over UNIX sockets.
 */
#ifndef COMMON_SOCK_H
#define COMMON_SOCK_H

#include <stdbool.h>
#include <sys/socket.h>

#include "common/addr.h"

/* Any other family than AF_INET and AF_INET6 gives the zero endpoint. */
struct endpoint sock_endpoint(const struct sockaddr_storage *);

/* IPv4 endpoints become AF_INET.  Returns the length. */
socklen_t sock_address(const struct endpoint *, struct sockaddr_storage *);

/* Always AF_INET6. */
socklen_t sock_address6(const struct endpoint *, struct sockaddr_storage *);

struct sock_keepalive {
	uint32_t	idle_s;		/* quiet time before the first probe */
	uint32_t	interval_s;	/* between probes */
	uint32_t	count;		/* unanswered probes that end it */
};

/* What the kernel takes for a receiver beyond what is on its way; by itself it
 * takes more than a megabyte for each one that stops reading. */
enum { SOCK_UNSENT_OCTETS = 256 * 1024 };

/*
 * TCP_NODELAY, keepalive and the limit of unsent data, for a stream socket or
 * for a listener, whose accepted sockets inherit them.  Returns 0 or -errno.
 */
int sock_tune(int fd, const struct sock_keepalive *);

/* Switch keepalive on or off; how often it probes stays as it is.  Returns 0
 * or -errno. */
int sock_keep_alive(int fd, bool on);

/*
 * A non-blocking listening TCP socket with SO_REUSEADDR, tuned; IPv6 ones are
 * IPV6_V6ONLY.  Returns the descriptor, owned by the caller, or -errno.
 */
int sock_listen(const struct endpoint *, int backlog,
    const struct sock_keepalive *);

/*
 * Send one message of `len` octets with `n` descriptors (0-SOCK_FDS_MAX) over
 * a SOCK_SEQPACKET socket without waiting.  Returns 0 or -errno.
 */
int sock_send_fds(int sock, const void *msg, size_t len, const int *fds,
    size_t n);

/*
 * Receive one message of exactly `len` octets and up to `*n` descriptors
 * (close-on-exec, owned by the caller); *n becomes their number.  Returns the
 * octets read: `len`, or 0 at the end of the stream; or -errno, -EBADMSG for
 * a message of another size or with too many descriptors (all closed).
 */
ssize_t sock_recv_fds(int sock, void *msg, size_t len, int *fds, size_t *n);

enum { SOCK_FDS_MAX = 128 };

/* Has the other end of this local socket read all that was sent to it?  Also
 * true if that cannot be told. */
bool sock_all_read(int sock);

/* A socket to the kernel's routes and addresses, rtnetlink(7), owned by the
 * caller, or -errno.  `flags` are socket(2)'s: 0 or SOCK_NONBLOCK. */
int sock_rtnetlink(int flags);

#endif
