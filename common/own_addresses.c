/* SPDX-License-Identifier: ISC */
#include "common/own_addresses.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "common/sock.h"

enum { ANSWER_OCTETS = 4096 };

/* RTM_GETROUTE for one IPv6 address; rtnetlink(7). */
struct request {
	struct nlmsghdr	header;
	struct rtmsg	route;
	struct rtattr	to;
	uint8_t		octet[16];
};

size_t
own_addresses(struct addr *out, size_t max)
{
	struct ifaddrs *all, *i;
	struct sockaddr_storage ss;
	struct endpoint ep;
	size_t n = 0;

	if (getifaddrs(&all) != 0)
		return 0;
	for (i = all; i != NULL && n < max; i = i->ifa_next) {
		if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_INET6)
			continue;
		memset(&ss, 0, sizeof(ss));
		memcpy(&ss, i->ifa_addr, sizeof(struct sockaddr_in6));
		ep = sock_endpoint(&ss);
		out[n++] = ep.addr;
	}
	freeifaddrs(all);
	return n;
}

int
own_addresses_open(void)
{
	return sock_rtnetlink(SOCK_NONBLOCK);
}

static int
ask(int fd, const struct addr *addr, uint32_t seq)
{
	struct request r = {
		.header = {
			.nlmsg_len = sizeof(r),
			.nlmsg_type = RTM_GETROUTE,
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = seq
		},
		.route = {
			.rtm_family = AF_INET6,
			.rtm_dst_len = 128
		},
		.to = {
			.rta_len = RTA_LENGTH(sizeof(r.octet)),
			.rta_type = RTA_DST
		}
	};
	ssize_t n;

	memcpy(r.octet, addr->octet, sizeof(r.octet));
	do {
		n = send(fd, &r, sizeof(r), 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* What the kernel says of a route that there is not. */
static int
no_route(int err, bool *ret)
{
	switch (-err) {
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EACCES:		/* RTN_PROHIBIT */
	case EINVAL:		/* RTN_BLACKHOLE */
		*ret = false;
		return 0;
	default:
		return err < 0 ? err : -EBADMSG;
	}
}

static int
judge(const uint8_t *answer, size_t len, bool *ret)
{
	struct nlmsghdr header;
	struct rtmsg route;
	int err;

	memcpy(&header, answer, sizeof(header));
	answer += NLMSG_HDRLEN;
	len -= NLMSG_HDRLEN;
	if (header.nlmsg_type == NLMSG_ERROR && len >= sizeof(err)) {
		memcpy(&err, answer, sizeof(err));
		return no_route(err, ret);
	}
	if (header.nlmsg_type != RTM_NEWROUTE || len < sizeof(route))
		return -EBADMSG;
	memcpy(&route, answer, sizeof(route));
	*ret = route.rtm_type == RTN_LOCAL || route.rtm_type == RTN_ANYCAST;
	return 0;
}

int
own_addresses_have(int fd, const struct addr *addr, bool *ret)
{
	static uint32_t seq;
	uint8_t answer[ANSWER_OCTETS];
	struct nlmsghdr header;
	ssize_t n;
	int err = ask(fd, addr, ++seq);

	if (err != 0)
		return err;
	/* The kernel has answered before send() returned. */
	for (;;) {
		n = recv(fd, answer, sizeof(answer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n < sizeof(header))
			return -EBADMSG;
		memcpy(&header, answer, sizeof(header));
		if (header.nlmsg_seq == seq)
			return judge(answer, (size_t)n, ret);
	}
}
