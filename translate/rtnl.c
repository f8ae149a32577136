/* SPDX-License-Identifier: ISC */
#include "translate/rtnl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sock.h"

enum {
	REQUEST_OCTETS = 256,
	ANSWER_OCTETS = 4096,
	PATIENCE_S = 5		/* the kernel answers at once, or never */
};

struct request {
	size_t	len;
	uint8_t	octet[REQUEST_OCTETS];
};

int
rtnl_open(void)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = sock_rtnetlink(0), err;

	if (fd < 0)
		return fd;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof(patience)) == 0)
		return fd;
	err = errno;
	close(fd);
	return -err;
}

/* Requests are small and of our making: they fit. */
static void
append(struct request *r, const void *octets, size_t len)
{
	memcpy(r->octet + r->len, octets, len);
	r->len += NLMSG_ALIGN(len);
}

static struct request
request_of(uint16_t type, uint16_t flags, const void *body, size_t len)
{
	const struct nlmsghdr header = {
		.nlmsg_type = type,
		.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags)
	};
	struct request r = { 0 };

	append(&r, &header, sizeof(header));
	append(&r, body, len);
	return r;
}

static void
append_attribute(struct request *r, uint16_t type, const void *value,
    size_t len)
{
	const struct rtattr attribute = {
		.rta_type = type,
		.rta_len = (uint16_t)RTA_LENGTH(len)
	};

	append(r, &attribute, sizeof(attribute));
	if (len > 0)
		append(r, value, len);
}

/* Wait for the answer to request number `seq`: 0 or -errno. */
static int
receive_answer(int fd, uint32_t seq)
{
	uint8_t answer[ANSWER_OCTETS];
	struct nlmsghdr header;
	ssize_t n;
	int err;

	for (;;) {
		n = recv(fd, answer, sizeof(answer), 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if ((size_t)n < sizeof(header) + sizeof(err))
			return -EBADMSG;
		memcpy(&header, answer, sizeof(header));
		if (header.nlmsg_seq != seq)
			continue;	/* of one we no longer wait for */
		if (header.nlmsg_type != NLMSG_ERROR)
			return -EBADMSG;
		memcpy(&err, answer + NLMSG_HDRLEN, sizeof(err));
		return err;
	}
}

static int
ask(int fd, struct request *r)
{
	static uint32_t last_seq;
	struct nlmsghdr header;
	ssize_t n;

	memcpy(&header, r->octet, sizeof(header));
	header.nlmsg_len = (uint32_t)r->len;
	header.nlmsg_seq = ++last_seq;
	memcpy(r->octet, &header, sizeof(header));
	do {
		n = send(fd, r->octet, r->len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : receive_answer(fd, header.nlmsg_seq);
}

uint32_t
rtnl_mtu(int fd, const char *device)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	return ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0 ?
	    (uint32_t)request.ifr_mtu : 0;
}

int
rtnl_mtu_set(int fd, unsigned ifindex, uint32_t mtu)
{
	const struct ifinfomsg body = { .ifi_index = (int)ifindex };
	struct request r = request_of(RTM_NEWLINK, 0, &body, sizeof(body));

	append_attribute(&r, IFLA_MTU, &mtu, sizeof(mtu));
	return ask(fd, &r);
}

/* An attribute that holds others, which are appended until it is closed. */
static size_t
open_attribute(struct request *r, uint16_t type)
{
	size_t at = r->len;

	append_attribute(r, type, NULL, 0);
	return at;
}

static void
close_attribute(struct request *r, size_t at)
{
	struct rtattr attribute;

	memcpy(&attribute, r->octet + at, sizeof(attribute));
	attribute.rta_len = (uint16_t)(r->len - at);
	memcpy(r->octet + at, &attribute, sizeof(attribute));
}

/* To be asked for before the device is up. */
static int
set_no_link_local(int fd, unsigned ifindex)
{
	const struct ifinfomsg body = { .ifi_index = (int)ifindex };
	const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
	struct request r = request_of(RTM_NEWLINK, 0, &body, sizeof(body));
	size_t families = open_attribute(&r, IFLA_AF_SPEC);
	size_t inet6 = open_attribute(&r, AF_INET6);

	append_attribute(&r, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	close_attribute(&r, inet6);
	close_attribute(&r, families);
	return ask(fd, &r);
}

int
rtnl_link_up(int fd, unsigned ifindex, uint32_t mtu)
{
	const struct ifinfomsg body = {
		.ifi_index = (int)ifindex,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP
	};
	struct request r = request_of(RTM_NEWLINK, 0, &body, sizeof(body));

	if (mtu != 0)
		append_attribute(&r, IFLA_MTU, &mtu, sizeof(mtu));
	/* Without IPv6 there is nothing to forgo. */
	set_no_link_local(fd, ifindex);
	return ask(fd, &r);
}

/* The octets of an address as the kernel counts them. */
static const uint8_t *
family_octets(const struct addr *addr, size_t *ret_len)
{
	*ret_len = addr_is_v4(addr) ? 4 : 16;
	return addr->octet + sizeof(addr->octet) - *ret_len;
}

static int
address(int fd, uint16_t type, uint16_t flags, unsigned ifindex,
    const struct addr *addr, uint8_t len)
{
	const struct ifaddrmsg body = {
		.ifa_family = addr_is_v4(addr) ? AF_INET : AF_INET6,
		.ifa_prefixlen = len,
		.ifa_index = ifindex
	};
	struct request r = request_of(type, flags, &body, sizeof(body));
	size_t n;
	const uint8_t *octets = family_octets(addr, &n);

	append_attribute(&r, IFA_LOCAL, octets, n);
	append_attribute(&r, IFA_ADDRESS, octets, n);
	return ask(fd, &r);
}

int
rtnl_address_add(int fd, unsigned ifindex, const struct addr *addr,
    uint8_t len)
{
	int err = address(fd, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, ifindex,
	    addr, len);

	return err == -EEXIST ? -EALREADY : err;
}

int
rtnl_address_del(int fd, unsigned ifindex, const struct addr *addr,
    uint8_t len)
{
	return address(fd, RTM_DELADDR, 0, ifindex, addr, len);
}

static int
route(int fd, uint16_t type, uint16_t flags, unsigned ifindex,
    const struct prefix *prefix)
{
	const bool v4 = addr_is_v4(&prefix->addr) && prefix->len >= 96;
	const bool made = type == RTM_NEWROUTE;
	const struct rtmsg body = {
		.rtm_family = v4 ? AF_INET : AF_INET6,
		.rtm_dst_len = v4 ? prefix->len - 96 : prefix->len,
		.rtm_table = RT_TABLE_MAIN,
		/* What is deleted may be of any protocol and scope. */
		.rtm_protocol = made ? RTPROT_STATIC : RTPROT_UNSPEC,
		.rtm_scope = !made ? RT_SCOPE_NOWHERE :
		    v4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST
	};
	struct request r = request_of(type, flags, &body, sizeof(body));
	const uint32_t oif = ifindex;
	size_t n;
	const uint8_t *octets = family_octets(&prefix->addr, &n);

	append_attribute(&r, RTA_DST, octets, n);
	append_attribute(&r, RTA_OIF, &oif, sizeof(oif));
	return ask(fd, &r);
}

int
rtnl_route_add(int fd, unsigned ifindex, const struct prefix *prefix)
{
	int err = route(fd, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, ifindex,
	    prefix);

	/* Only one that leads to this device can be taken back. */
	if (err != -EEXIST || rtnl_route_del(fd, ifindex, prefix) != 0)
		return err;
	err = route(fd, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, ifindex,
	    prefix);
	return err == 0 ? -EALREADY : err;
}

int
rtnl_route_renew(int fd, unsigned ifindex, const struct prefix *prefix)
{
	int err = route(fd, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, ifindex,
	    prefix);

	return err == -EEXIST ? -EALREADY : err;
}

int
rtnl_route_del(int fd, unsigned ifindex, const struct prefix *prefix)
{
	return route(fd, RTM_DELROUTE, 0, ifindex, prefix);
}
