/* SPDX-License-Identifier: ISC */
/*
 * tun.h - a TUN device: one descriptor a queue, offloads where the kernel has
 * them.
 *
 * Packets are read and written with the header of vnet.h before them.  Making
 * a device takes CAP_NET_ADMIN; one that was made for our user beforehand
 * ("ip tuntap add mode tun name NAME user USER") takes nothing.
 */
#ifndef TRANSLATE_TUN_H
#define TRANSLATE_TUN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TUN_QUEUES_MAX = 64 };

/* What the kernel agreed to leave to us, and to take from us: bits. */
enum tun_offloads {
	TUN_OFFLOAD_CHECKSUM = 1,	/* partial checksums */
	TUN_OFFLOAD_TCP = 2,		/* TCP super-packets (TSO) */
	TUN_OFFLOAD_UDP = 4		/* UDP ones (USO); Linux 6.2 */
};

struct tun {
	char		name[IFNAMSIZ];
	unsigned	ifindex;
	bool		made;		/* by us: it goes when we close it */
	unsigned	n;		/* queues */
	int		fd[TUN_QUEUES_MAX];	/* owned; non-blocking */
	unsigned	offloads;	/* enum tun_offloads */
	/* The MTU before the last setup_apply(), and before the first of those
	 * in a row that had one; 0: it did not change. */
	uint32_t	mtu_before, mtu_found;
};

/*
 * Make the device `name`, or attach to it if it is there, with 1 to
 * TUN_QUEUES_MAX queues.  Returns false with what is wrong, and what to do
 * about it, in problem[room]; *ret is untouched then.
 */
bool tun_open(const char *name, unsigned queues, struct tun *ret,
    char *problem, size_t room);

/* Ask for all offloads there are, or for none. */
void tun_set_offloads(struct tun *, bool wanted);

/* Close all queues; a device that we made is gone then.  Also for the empty
 * value. */
void tun_close(struct tun *);

#endif
