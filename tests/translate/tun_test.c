/* SPDX-License-Identifier: ISC */
#include "translate/tun.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A kernel that has some of the offloads, for this descriptor. */
enum { FAKE_FD = 1 << 20 };
enum { CSUM = 0x01, TSO = 0x02 | 0x04 | 0x08, USO = 0x20 | 0x40 };
static unsigned long known, in_force;

int
ioctl(int fd, unsigned long request, ...)
{
	unsigned long value;
	va_list args;

	va_start(args, request);
	value = va_arg(args, unsigned long);
	va_end(args);
	if (fd != FAKE_FD)
		return (int)syscall(SYS_ioctl, fd, request, value);
	cr_assert_eq(request, TUNSETOFFLOAD);
	if ((value & ~known) != 0) {
		errno = EINVAL;		/* and nothing has changed */
		return -1;
	}
	in_force = value;
	return 0;
}

/* "Falls back": all a kernel has is used, and what it lacks is not expected. */
Test(tun, takes_the_offloads_that_there_are)
{
	static const struct {
		unsigned long known, in_force;
		unsigned offloads;
	} cases[] = {
		{ ~0ul, CSUM | TSO | USO, TUN_OFFLOAD_CHECKSUM |
		    TUN_OFFLOAD_TCP | TUN_OFFLOAD_UDP },
		/* Linux before 6.2 */
		{ CSUM | TSO, CSUM | TSO,
		    TUN_OFFLOAD_CHECKSUM | TUN_OFFLOAD_TCP },
		{ CSUM | TSO | 0x20, CSUM | TSO,
		    TUN_OFFLOAD_CHECKSUM | TUN_OFFLOAD_TCP },
		{ CSUM, CSUM, TUN_OFFLOAD_CHECKSUM },
		{ CSUM | 0x02, CSUM, TUN_OFFLOAD_CHECKSUM },
		{ 0, 0, 0 },
	};
	struct tun tun = { .n = 1, .fd = { FAKE_FD } };
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		known = cases[i].known;
		in_force = ~0ul;
		tun_set_offloads(&tun, true);
		cr_expect_eq(in_force, cases[i].in_force, "%zu: %lx", i,
		    in_force);
		cr_expect_eq(tun.offloads, cases[i].offloads, "%zu: %x", i,
		    tun.offloads);
		tun_set_offloads(&tun, false);
		cr_expect_eq(in_force, 0);
		cr_expect_eq(tun.offloads, 0);
	}
}
