/* SPDX-License-Identifier: ISC */
/*
 * own_addresses_test.c - what is this host's, in a network of the test's own.
 */
#include "common/own_addresses.h"

#include <criterion/criterion.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	LOOPBACK = 1,		/* the interface */
	PATIENCE_MS = 20000
};

static int control;		/* for ioctl() */

static void
begin(void)
{
	struct ifreq up = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (unshare(CLONE_NEWNET) != 0 &&
	    unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
		cr_skip_test("no network namespaces here");
	control = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert_geq(control, 0);
	cr_assert_eq(ioctl(control, SIOCSIFFLAGS, &up), 0);
}

static struct addr
address(const char *text)
{
	struct addr addr;

	cr_assert(addr_parse(text, strlen(text), &addr), "%s", text);
	return addr;
}

static int
change_address(unsigned long request, const char *text)
{
	struct in6_ifreq change = { .ifr6_prefixlen = 128,
		.ifr6_ifindex = LOOPBACK };
	struct addr addr = address(text);

	memcpy(&change.ifr6_addr, addr.octet, 16);
	return ioctl(control, request, &change);
}

static void
route(const char *to, uint16_t bits)
{
	struct in6_rtmsg add = { .rtmsg_dst_len = bits, .rtmsg_metric = 1,
		.rtmsg_flags = RTF_UP, .rtmsg_ifindex = LOOPBACK };
	struct addr addr = address(to);

	memcpy(&add.rtmsg_dst, addr.octet, 16);
	cr_assert_eq(ioctl(control, SIOCADDRT, &add), 0);
}

static bool
have(int fd, const char *text)
{
	struct addr addr = address(text);
	bool answer = false;

	cr_expect_eq(own_addresses_have(fd, &addr, &answer), 0, "%s", text);
	return answer;
}

/* An address is there a moment after it was added. */
static bool
becomes(int fd, const char *text, bool wanted)
{
	const struct timespec nap = { .tv_nsec = 1000 * 1000 };
	int i;

	for (i = 0; i < PATIENCE_MS && have(fd, text) != wanted; i++)
		nanosleep(&nap, NULL);
	return i < PATIENCE_MS;
}

Test(own_addresses, are_what_the_kernel_keeps_to_itself_now)
{
	int fd;

	begin();
	fd = own_addresses_open();
	cr_assert_geq(fd, 0);
	cr_expect(have(fd, "::1"));
	cr_expect_not(have(fd, "2001:db8::1"), "no route");
	cr_assert_eq(change_address(SIOCSIFADDR, "2001:db8::1"), 0);
	cr_expect(becomes(fd, "2001:db8::1", true));
	cr_expect_not(have(fd, "2001:db8::2"));
	/* Where a packet would go is no matter, unless it is here. */
	route("2001:db8:1::", 48);
	cr_expect_not(have(fd, "2001:db8:1::1"));
	cr_assert_eq(change_address(SIOCDIFADDR, "2001:db8::1"), 0);
	cr_expect(becomes(fd, "2001:db8::1", false));
	close(fd);
	close(control);
}

Test(own_addresses, cannot_be_told_without_a_socket_that_works)
{
	struct addr addr = address("2001:db8::1");
	bool answer = true;

	cr_expect_lt(own_addresses_have(-1, &addr, &answer), 0);
	cr_expect(answer);
}
