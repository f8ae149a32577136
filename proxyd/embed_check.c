/* SPDX-License-Identifier: ISC */
#include "proxyd/embed_check.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/dial.h"
#include "common/sock.h"

struct route {
	uint8_t		type;		/* RTN_LOCAL... */
	uint8_t		len;		/* of its prefix */
};

/* What an IPv4 client would be given; 192.0.2.1 is nobody's. */
static struct addr
sample(const struct prefix *prefix)
{
	static const uint8_t client[4] = { 192, 0, 2, 1 };
	struct addr addr = prefix->addr;

	memcpy(addr.octet + 12, client, sizeof(client));
	return addr;
}

/* Bind as a dial does.  Returns 0 or -errno. */
static int
try_bind(const struct addr *addr)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	if (fd < 0)
		return -errno;
	err = dial_bind(fd, addr, true);
	close(fd);
	return err;
}

/* Ask for the route to an address, as it stands in the table and not as a
 * copy for that address alone.  Returns 0 or -errno. */
static int
ask_route(int fd, const struct addr *addr)
{
	struct {
		struct nlmsghdr	head;
		struct rtmsg	route;
		struct rtattr	attribute;
		struct addr	to;
	} ask = {
		.head = { .nlmsg_len = sizeof(ask),
			.nlmsg_type = RTM_GETROUTE,
			.nlmsg_flags = NLM_F_REQUEST },
		.route = { .rtm_family = AF_INET6,
			.rtm_dst_len = 128,
			.rtm_flags = RTM_F_FIB_MATCH },
		.attribute = { .rta_len = RTA_LENGTH(sizeof(*addr)),
			.rta_type = RTA_DST },
		.to = *addr
	};

	if (send(fd, &ask, sizeof(ask), 0) != (ssize_t)sizeof(ask))
		return -errno;
	return 0;
}

/* Read the kernel's answer.  Returns 0 or -errno, -ENETUNREACH for no route
 * at all. */
static int
read_route(int fd, struct route *ret)
{
	union {
		struct nlmsghdr	head;
		uint8_t		octet[8192];
	} answer;
	const struct nlmsgerr *error = NLMSG_DATA(&answer.head);
	const struct rtmsg *route = NLMSG_DATA(&answer.head);
	ssize_t n = recv(fd, &answer, sizeof(answer), 0);

	if (n < 0)
		return -errno;
	if (!NLMSG_OK(&answer.head, (size_t)n))
		return -EBADMSG;
	if (answer.head.nlmsg_type == NLMSG_ERROR &&
	    answer.head.nlmsg_len >= NLMSG_LENGTH(sizeof(*error)) &&
	    error->error < 0)
		return error->error;
	if (answer.head.nlmsg_type != RTM_NEWROUTE ||
	    answer.head.nlmsg_len < NLMSG_LENGTH(sizeof(*route)))
		return -EBADMSG;
	ret->type = route->rtm_type;
	ret->len = route->rtm_dst_len;
	return 0;
}

/* Returns 0 or -errno. */
static int
find_route(const struct addr *addr, struct route *ret)
{
	const struct timeval patience = { .tv_sec = 1 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int err;

	if (fd < 0)
		return -errno;
	/* The kernel answers at once; a start must not hang if not. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	err = ask_route(fd, addr);
	if (err == 0)
		err = read_route(fd, ret);
	close(fd);
	return err;
}

bool
embed_check(const struct proxyd_config *config, cfgfile_report_fn *report,
    void *arg)
{
	const struct prefix *prefix = &config->settings.embed_prefix;
	char text[PREFIX_TEXT_MAX], out[1024];
	struct route route = { 0 };
	struct addr addr;
	bool good = true;
	int err;

	if (!config->settings.has_embed_prefix)
		return true;
	addr = sample(prefix);
	prefix_format(prefix, text);
	if ((err = try_bind(&addr)) != 0) {
		snprintf(out, sizeof(out), "%s: embed_prefix: cannot bind to "
		    "an address in %s (IPV6_FREEBIND): %s", config->process.path,
		    text, strerror(-err));
		report(out, arg);
		good = false;
	}
	err = find_route(&addr, &route);
	if (err != 0 && err != -ENETUNREACH && err != -EHOSTUNREACH) {
		snprintf(out, sizeof(out), "%s: embed_prefix: cannot ask for "
		    "the route to %s: %s", config->process.path, text, strerror(-err));
		report(out, arg);
		good = false;
	} else if (err != 0 || route.type != RTN_LOCAL ||
	    route.len > prefix->len) {
		snprintf(out, sizeof(out), "%s: embed_prefix: %s is not "
		    "routed to this host itself, so that answers get lost; "
		    "try: ip -6 route add local %s dev lo", config->process.path,
		    text, text);
		report(out, arg);
		good = false;
	}
	return good;
}
