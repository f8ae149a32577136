/* SPDX-License-Identifier: ISC */
#include "proxyd/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sock.h"

static enum close_reason
reason_of(int err)
{
	switch (err) {
	case 0:
		return CLOSE_NONE;
	case ECONNREFUSED:
	case ECONNRESET:
		return CLOSE_DIAL_REFUSED;
	case ETIMEDOUT:
		return CLOSE_DIAL_TIMEOUT;
	case EADDRNOTAVAIL:
	case EADDRINUSE:
		return CLOSE_DIAL_NO_PORT;
	case EMFILE:
	case ENFILE:
		return CLOSE_NO_DESCRIPTORS;
	case ENOMEM:
	case ENOBUFS:
		return CLOSE_NO_MEMORY;
	default:	/* no route, a firewall, a router's word */
		return CLOSE_DIAL_UNREACHABLE;
	}
}

int
dial_bind(int fd, const struct addr *source, bool foreign)
{
	struct endpoint ep = { .addr = *source };
	struct sockaddr_storage ss;
	socklen_t len = sock_address6(&ep, &ss);
	int on = 1;

	/* The port is chosen at connect, so that one port serves many
	 * targets. */
	if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
		sizeof(on)) != 0 ||
	    (foreign &&
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on,
		    sizeof(on)) != 0) ||
	    bind(fd, (struct sockaddr *)&ss, len) != 0)
		return errno;
	return 0;
}

/* Returns 0, with the descriptor in *ret_fd, or an errno. */
static int
begin_from(const struct endpoint *to, const struct addr *source, bool foreign,
    const struct proxyd_settings *settings, int *ret_fd)
{
	const struct sock_keepalive ka = {
		.idle_s = settings->keepalive_idle_ms / 1000,
		.interval_s = settings->keepalive_interval_ms / 1000,
		.count = settings->keepalive_count
	};
	struct sockaddr_storage ss;
	socklen_t len = sock_address6(to, &ss);
	int fd, off = 0, err = 0;

	fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	err = -sock_tune(fd, &ka);
	if (err == 0 && source != NULL)
		err = dial_bind(fd, source, foreign);
	/* Something to send is there: it goes with the ACK of the handshake,
	 * in one packet. */
	if (err == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off)) != 0)
		err = errno;
	if (err == 0 && connect(fd, (struct sockaddr *)&ss, len) != 0 &&
	    errno != EINPROGRESS)
		err = errno;
	if (err != 0)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}

enum close_reason
dial_begin(const struct endpoint *to, const struct proxyd_settings *settings,
    const struct addr *embedded, uint32_t rotation, int *ret_fd)
{
	uint32_t i, n = settings->n_sources;
	int err;

	if (embedded != NULL || n == 0)
		return reason_of(begin_from(to, embedded, embedded != NULL,
		    settings, ret_fd));
	for (i = 0; i < n; i++) {
		err = begin_from(to, &settings->source[(rotation + i) % n],
		    false, settings, ret_fd);
		if (err != EADDRNOTAVAIL && err != EADDRINUSE)
			return reason_of(err);
	}
	return CLOSE_DIAL_NO_PORT;
}

enum close_reason
dial_result(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		err = errno;
	return reason_of(err);
}
