/* SPDX-License-Identifier: ISC */
#include "common/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
		return -errno;
	return 0;
}

/* Returns 0, with the descriptor in *ret_fd, or -errno. */
static int
begin_from(const struct endpoint *to, const struct addr *source, bool foreign,
    const struct sock_keepalive *ka, int *ret_fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sock_address6(to, &ss);
	int fd, off = 0, err = 0;

	fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (ka != NULL)
		err = sock_tune(fd, ka);
	else if (setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off,
		     sizeof(off)) != 0)
		err = -errno;
	if (err == 0 && source != NULL)
		err = dial_bind(fd, source, foreign);
	if (err == 0 && connect(fd, (struct sockaddr *)&ss, len) != 0 &&
	    errno != EINPROGRESS)
		err = -errno;
	if (err != 0)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}

int
dial_begin(const struct endpoint *to, const struct sock_keepalive *ka,
    const struct dial_sources *sources, const struct addr *embedded,
    uint32_t rotation, int *ret_fd)
{
	uint32_t i, n = sources->n;
	int err;

	if (embedded != NULL || n == 0)
		return begin_from(to, embedded, embedded != NULL, ka, ret_fd);
	for (i = 0; i < n; i++) {
		err = begin_from(to, &sources->address[(rotation + i) % n],
		    false, ka, ret_fd);
		if (err != -EADDRNOTAVAIL && err != -EADDRINUSE)
			return err;
	}
	return -EADDRNOTAVAIL;
}

int
dial_result(int fd)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0)
		err = errno;
	return -err;
}

bool
dial_embed(const struct prefix *prefix, const struct addr *client,
    struct addr *ret)
{
	if (!addr_is_v4(client))
		return false;
	*ret = prefix->addr;
	memcpy(ret->octet + 12, client->octet + 12, 4);
	return true;
}
