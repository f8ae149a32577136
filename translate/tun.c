/* SPDX-License-Identifier: ISC */
#include "translate/tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "translate/vnet.h"

#ifndef TUN_F_USO4	/* Linux 6.2; both or none */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

/* What is being opened, for messages. */
struct opening {
	const char	*name;		/* of the device */
	bool		 existed;
	unsigned	 queues;
	char		*problem;
	size_t		 room;
};

static void
explain_file(const struct opening *o, int error)
{
	snprintf(o->problem, o->room, "/dev/net/tun: %s%s", strerror(error),
	    error == ENOENT || error == ENODEV || error == ENXIO ?
	    "; the kernel's module \"tun\" is missing" : "");
}

static void
explain_attach(const struct opening *o, int error)
{
	char *out = o->problem;

	if (error == EPERM && o->existed)
		snprintf(out, o->room, "device %s: is another user's, and "
		    "taking it needs CAP_NET_ADMIN", o->name);
	else if (error == EPERM)
		snprintf(out, o->room, "device %s: making it needs "
		    "CAP_NET_ADMIN; or have root make it for this user: "
		    "ip tuntap add mode tun name %s user USER",
		    o->name, o->name);
	else if (error == EBUSY)
		snprintf(out, o->room,
		    "device %s: another program has it", o->name);
	else if (error == EINVAL && o->existed && o->queues > 1)
		snprintf(out, o->room, "device %s: is no TUN device, or was "
		    "made without multi_queue", o->name);
	else if (error == EINVAL && o->existed)
		snprintf(out, o->room, "device %s: is no TUN device", o->name);
	else
		snprintf(out, o->room, "device %s: %s", o->name,
		    strerror(error));
}

static int	/* 0 or -errno */
attach(int fd, const char *name, bool several)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
	if (several)
		request.ifr_flags |= IFF_MULTI_QUEUE;
	return ioctl(fd, TUNSETIFF, &request) == 0 ? 0 : -errno;
}

/* A device that is there, but not to stay, is one that a program has. */
static int	/* 0 or -errno */
check_free(int fd)
{
	struct ifreq request = { 0 };

	if (ioctl(fd, TUNGETIFF, &request) != 0)
		return -errno;
	return request.ifr_flags & IFF_PERSIST ? 0 : -EBUSY;
}

/* Whoever had a persistent device before us may have set these. */
static int	/* 0 or -errno */
normalise(int fd)
{
	const int octets = VNET_OCTETS, host_order = 0;

	if (ioctl(fd, TUNSETVNETHDRSZ, &octets) != 0 ||
	    ioctl(fd, TUNSETVNETLE, &host_order) != 0)
		return -errno;
	return 0;
}

static int	/* a descriptor, owned by the caller, or -1 after a message */
open_queue(const struct opening *o, unsigned number)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int err;

	if (fd < 0) {
		explain_file(o, errno);
		return -1;
	}
	err = attach(fd, o->name, o->queues > 1);
	/* One queue will do of a device that could have several. */
	if (err == -EINVAL && o->existed && o->queues == 1)
		err = attach(fd, o->name, true);
	if (err == 0 && o->existed && number == 0)
		err = check_free(fd);
	if (err == 0)
		err = normalise(fd);
	if (err == 0)
		return fd;
	explain_attach(o, -err);
	close(fd);
	return -1;
}

bool
tun_open(const char *name, unsigned queues, struct tun *ret, char *problem,
    size_t room)
{
	const struct opening o = {
		.name = name,
		.existed = if_nametoindex(name) != 0,
		.queues = queues,
		.problem = problem,
		.room = room
	};
	struct tun tun = { .made = !o.existed };

	snprintf(tun.name, sizeof(tun.name), "%s", name);
	for (; tun.n < queues; tun.n++) {
		tun.fd[tun.n] = open_queue(&o, tun.n);
		if (tun.fd[tun.n] < 0) {
			tun_close(&tun);
			return false;
		}
	}
	tun.ifindex = if_nametoindex(name);
	*ret = tun;
	return true;
}

void
tun_set_offloads(struct tun *tun, bool wanted)
{
	static const struct {
		unsigned	flags;
		unsigned	offloads;
	} tries[] = {	/* the most first; older kernels refuse the last bits */
		{ TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN |
		  TUN_F_USO4 | TUN_F_USO6, TUN_OFFLOAD_CHECKSUM |
		  TUN_OFFLOAD_TCP | TUN_OFFLOAD_UDP },
		{ TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN,
		  TUN_OFFLOAD_CHECKSUM | TUN_OFFLOAD_TCP },
		{ TUN_F_CSUM, TUN_OFFLOAD_CHECKSUM },
		{ 0, 0 }
	};
	enum { N_TRIES = sizeof(tries) / sizeof(tries[0]) };
	unsigned i = wanted ? 0 : N_TRIES - 1;

	/* They belong to the device, not to the queue. */
	while (i < N_TRIES - 1 && ioctl(tun->fd[0], TUNSETOFFLOAD,
	    (unsigned long)tries[i].flags) != 0)
		i++;
	if (i == N_TRIES - 1)
		ioctl(tun->fd[0], TUNSETOFFLOAD, 0ul);
	tun->offloads = tries[i].offloads;
}

void
tun_close(struct tun *tun)
{
	/* The next program to open a persistent device may not expect them. */
	if (tun->n > 0 && !tun->made)
		tun_set_offloads(tun, false);
	for (unsigned i = 0; i < tun->n; i++)
		close(tun->fd[i]);
	*tun = (struct tun) { 0 };
}
