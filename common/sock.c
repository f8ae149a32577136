/* SPDX-License-Identifier: ISC */
#include "common/sock.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

struct endpoint
sock_endpoint(const struct sockaddr_storage *from)
{
	struct endpoint ep = { 0 };
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (from->ss_family == AF_INET) {
		memcpy(&in, from, sizeof(in));
		ep.addr.octet[10] = ep.addr.octet[11] = 0xff;
		memcpy(ep.addr.octet + 12, &in.sin_addr, 4);
		ep.port = ntohs(in.sin_port);
	} else if (from->ss_family == AF_INET6) {
		memcpy(&in6, from, sizeof(in6));
		memcpy(ep.addr.octet, &in6.sin6_addr, 16);
		ep.port = ntohs(in6.sin6_port);
	}
	return ep;
}

socklen_t
sock_address6(const struct endpoint *ep, struct sockaddr_storage *out)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	in6.sin6_port = htons(ep->port);
	memcpy(&in6.sin6_addr, ep->addr.octet, 16);
	memset(out, 0, sizeof(*out));
	memcpy(out, &in6, sizeof(in6));
	return sizeof(in6);
}

socklen_t
sock_address(const struct endpoint *ep, struct sockaddr_storage *out)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (!addr_is_v4(&ep->addr))
		return sock_address6(ep, out);
	in.sin_port = htons(ep->port);
	memcpy(&in.sin_addr, ep->addr.octet + 12, 4);
	memset(out, 0, sizeof(*out));
	memcpy(out, &in, sizeof(in));
	return sizeof(in);
}

static int
set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) == 0 ?
	    0 :
	    -errno;
}

int
sock_tune(int fd, const struct sock_keepalive *ka)
{
	int err;

	if ((err = set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1)) != 0 ||
	    (err = set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1)) != 0 ||
	    (err = set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)ka->idle_s)) !=
	    0 ||
	    (err = set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL,
		 (int)ka->interval_s)) != 0 ||
	    (err = set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, (int)ka->count)) != 0 ||
	    (err = set_int(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT,
		 SOCK_UNSENT_OCTETS)) != 0)
		return err;
	return 0;
}

int
sock_keep_alive(int fd, bool on)
{
	return set_int(fd, SOL_SOCKET, SO_KEEPALIVE, on);
}

static int
listen_on(int fd, const struct endpoint *ep, int backlog,
    const struct sock_keepalive *ka)
{
	struct sockaddr_storage ss;
	socklen_t len = sock_address(ep, &ss);
	int err;

	if ((err = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1)) != 0)
		return err;
	if (ss.ss_family == AF_INET6 &&
	    (err = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) != 0)
		return err;
	if ((err = sock_tune(fd, ka)) != 0)
		return err;
	if (bind(fd, (struct sockaddr *)&ss, len) != 0 ||
	    listen(fd, backlog) != 0)
		return -errno;
	return 0;
}

int
sock_listen(const struct endpoint *ep, int backlog,
    const struct sock_keepalive *ka)
{
	int fd = socket(addr_is_v4(&ep->addr) ? AF_INET : AF_INET6,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int err;

	if (fd < 0)
		return -errno;
	if ((err = listen_on(fd, ep, backlog, ka)) == 0)
		return fd;
	close(fd);
	return err;
}

union fd_space {
	struct cmsghdr	align;
	char		octets[CMSG_SPACE(sizeof(int) * SOCK_FDS_MAX)];
};

int
sock_send_fds(int sock, const void *msg, size_t len, const int *fds, size_t n)
{
	union fd_space space;
	struct iovec iov = { .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cm;

	assert(n <= SOCK_FDS_MAX);
	memcpy(&iov.iov_base, &msg, sizeof(msg));
	if (n > 0) {
		memset(&space, 0, sizeof(space));
		mh.msg_control = space.octets;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		cm = CMSG_FIRSTHDR(&mh);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(cm), fds, sizeof(int) * n);
	}
	if (sendmsg(sock, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

/* Copy out the first `room` descriptors, close the rest; returns how many
 * there were. */
static size_t
take_fds(struct msghdr *mh, int *fds, size_t room)
{
	struct cmsghdr *cm;
	size_t i, n, total = 0;
	int fd;

	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level != SOL_SOCKET ||
		    cm->cmsg_type != SCM_RIGHTS)
			continue;
		n = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int),
			    sizeof(fd));
			if (total < room)
				fds[total] = fd;
			else
				close(fd);
			total++;
		}
	}
	return total;
}

ssize_t
sock_recv_fds(int sock, void *msg, size_t len, int *fds, size_t *n)
{
	union fd_space space;
	struct iovec iov = { .iov_base = msg, .iov_len = len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	size_t i, got_fds;
	ssize_t got;

	mh.msg_control = space.octets;
	mh.msg_controllen = sizeof(space.octets);
	do {
		got = recvmsg(sock, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	got_fds = take_fds(&mh, fds, *n);
	if ((got == 0 && got_fds == 0) ||
	    ((size_t)got == len && got_fds <= *n &&
		(mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)) {
		*n = got_fds;
		return got;
	}
	for (i = 0; i < got_fds && i < *n; i++)
		close(fds[i]);
	*n = 0;
	return -EBADMSG;
}

bool
sock_all_read(int sock)
{
	uint32_t memory[SK_MEMINFO_VARS];
	socklen_t len = sizeof(memory);

	return getsockopt(sock, SOL_SOCKET, SO_MEMINFO, memory, &len) != 0 ||
	    memory[SK_MEMINFO_WMEM_ALLOC] == 0;
}

int
sock_rtnetlink(int flags)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags,
	    NETLINK_ROUTE);
	int err;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&kernel,
		sizeof(kernel)) == 0)
		return fd;
	err = errno;
	close(fd);
	return -err;
}
