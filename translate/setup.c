/* SPDX-License-Identifier: ISC */
#include "translate/setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/need.h"
#include "translate/rtnl.h"

/* What an instance asks for, as one list. */
struct wish {
	bool		 address;	/* else a route */
	struct prefix	 prefix;	/* an address may have bits beyond its
					 * length */
	bool		 granted;	/* by us: it was not there before */
};

struct wishes {
	size_t		 n;
	struct wish	*wish;		/* owned */
};

static bool
wish_equal(const struct wish *a, const struct wish *b)
{
	return a->address == b->address && a->prefix.len == b->prefix.len &&
	    addr_equal(&a->prefix.addr, &b->prefix.addr);
}

static bool
wishes_have(const struct wishes *wishes, const struct wish *wish)
{
	for (size_t i = 0; i < wishes->n; i++)
		if (wish_equal(&wishes->wish[i], wish))
			return true;
	return false;
}

static void
add(struct wishes *wishes, bool address, const struct addr *addr, uint8_t len)
{
	const struct wish wish = { .address = address,
	    .prefix = { *addr, len } };

	if (!wishes_have(wishes, &wish))
		wishes->wish[wishes->n++] = wish;
}

/* None for NULL and without `setup`. */
static struct wishes
wishes_of(const struct xlatd_instance *instance)
{
	struct wishes wishes = { 0 };
	struct addr own4;

	if (instance == NULL || !instance->setup)
		return wishes;
	wishes.wish = need(calloc(instance->n_addresses + instance->n_routes +
	    instance->n_icmp_pool + 3, sizeof(*wishes.wish)));
	for (uint32_t i = 0; i < instance->n_addresses; i++)
		add(&wishes, true, &instance->address[i].addr,
		    instance->address[i].len);
	own4 = addr_of_v4(instance->siit.own4);
	add(&wishes, false, &own4, 128);
	add(&wishes, false, &instance->siit.own6, 128);
	if (instance->has_pool)
		add(&wishes, false, &instance->pool.addr, instance->pool.len);
	for (uint32_t i = 0; i < instance->n_icmp_pool; i++)
		add(&wishes, false, &instance->icmp_pool[i].addr,
		    instance->icmp_pool[i].len);
	for (uint32_t i = 0; i < instance->n_routes; i++)
		add(&wishes, false, &instance->route[i].addr,
		    instance->route[i].len);
	return wishes;
}

/*
 * With `again` it was granted before, and somebody may have taken it: a device
 * that goes down, if only for a moment, loses its routes.
 */
static int
grant(int rtnl, unsigned ifindex, struct wish *wish, bool again)
{
	int err;

	if (wish->address)
		err = rtnl_address_add(rtnl, ifindex, &wish->prefix.addr,
		    wish->prefix.len);
	else if (again)
		err = rtnl_route_renew(rtnl, ifindex, &wish->prefix);
	else
		err = rtnl_route_add(rtnl, ifindex, &wish->prefix);
	wish->granted = err == 0;
	return err == -EALREADY ? 0 : err;
}

static void
take_back(int rtnl, unsigned ifindex, const struct wish *wish)
{
	if (wish->address)
		rtnl_address_del(rtnl, ifindex, &wish->prefix.addr,
		    wish->prefix.len);
	else
		rtnl_route_del(rtnl, ifindex, &wish->prefix);
}

static void
explain(const struct tun *tun, const struct wish *wish, int err,
    char *problem, size_t room)
{
	char text[PREFIX_TEXT_MAX];

	if (wish->address)
		snprintf(problem, room, "device %s: address %s/%u: %s",
		    tun->name, addr_format(&wish->prefix.addr, text),
		    wish->prefix.len, strerror(-err));
	else
		snprintf(problem, room, "device %s: route to %s: %s",
		    tun->name, prefix_format(&wish->prefix, text),
		    err == -EEXIST ? "there is one that leads elsewhere" :
		    strerror(-err));
}

/*
 * Grant what is new or was lost; all or nothing.  What was there before stays:
 * with its last address the device would lose the administrator's routes, too.
 */
static bool
grant_new(int rtnl, const struct tun *tun, const struct wishes *old,
    struct wishes *new, char *problem, size_t room)
{
	int err = 0;
	size_t i;

	for (i = 0; i < new->n && err == 0; i++)
		err = grant(rtnl, tun->ifindex, &new->wish[i],
		    wishes_have(old, &new->wish[i]));
	if (err == 0)
		return true;
	explain(tun, &new->wish[--i], err, problem, room);
	while (i-- > 0)
		if (new->wish[i].granted)
			take_back(rtnl, tun->ifindex, &new->wish[i]);
	return false;
}

/* The MTU that is asked for, or 0. */
static uint32_t
mtu_of(const struct xlatd_instance *instance)
{
	return instance != NULL && instance->setup ? instance->limits.mtu : 0;
}

/* Bring it up, and note what its MTU takes the place of. */
static int	/* 0 or -errno */
bring_up(int rtnl, struct tun *tun, const struct xlatd_instance *now,
    const struct xlatd_instance *next)
{
	uint32_t mtu = mtu_of(next);

	tun->mtu_before = mtu != 0 ? rtnl_mtu(rtnl, tun->name) : 0;
	if (mtu_of(now) == 0)
		tun->mtu_found = tun->mtu_before;
	return rtnl_link_up(rtnl, tun->ifindex, mtu);
}

/* The MTU as it was found, unless somebody has set another meanwhile. */
static void
take_back_mtu(int rtnl, const struct tun *tun, uint32_t mtu)
{
	if (mtu != 0 && tun->mtu_found != 0 &&
	    rtnl_mtu(rtnl, tun->name) == mtu)
		rtnl_mtu_set(rtnl, tun->ifindex, tun->mtu_found);
}

bool
setup_apply(struct tun *tun, const struct xlatd_instance *now,
    const struct xlatd_instance *next, char *problem, size_t room)
{
	struct wishes old, new;
	int rtnl, err;
	bool ok = false;

	tun->mtu_before = 0;
	if (!next->setup)
		return true;
	rtnl = rtnl_open();
	if (rtnl < 0) {
		snprintf(problem, room, "device %s: rtnetlink: %s", tun->name,
		    strerror(-rtnl));
		return false;
	}
	old = wishes_of(now);
	new = wishes_of(next);
	err = bring_up(rtnl, tun, now, next);
	if (err != 0)
		snprintf(problem, room,
		    "device %s: cannot be brought up: %s%s", tun->name,
		    strerror(-err), err == -EPERM ?
		    "; setup = true needs CAP_NET_ADMIN" : "");
	else
		ok = grant_new(rtnl, tun, &old, &new, problem, room);
	if (!ok && err == 0)
		rtnl_link_up(rtnl, tun->ifindex, tun->mtu_before);
	free(new.wish);
	free(old.wish);
	close(rtnl);
	return ok;
}

void
setup_withdraw(const struct tun *tun, const struct xlatd_instance *before,
    const struct xlatd_instance *now)
{
	struct wishes old = wishes_of(before), new = wishes_of(now);
	int rtnl = old.n > 0 ? rtnl_open() : -1;

	if (rtnl >= 0 && mtu_of(now) == 0)
		take_back_mtu(rtnl, tun, mtu_of(before));
	for (size_t i = 0; rtnl >= 0 && i < old.n; i++)
		if (!wishes_have(&new, &old.wish[i]))
			take_back(rtnl, tun->ifindex, &old.wish[i]);
	/* With its last IPv4 address a device loses all IPv4 routes. */
	for (size_t i = 0; rtnl >= 0 && i < new.n; i++)
		grant(rtnl, tun->ifindex, &new.wish[i], true);
	if (rtnl >= 0)
		close(rtnl);
	free(new.wish);
	free(old.wish);
}

void
setup_undo(const struct tun *tun, const struct xlatd_instance *now,
    const struct xlatd_instance *next)
{
	int rtnl = tun->mtu_before != 0 ? rtnl_open() : -1;

	setup_withdraw(tun, next, now);
	if (rtnl < 0)
		return;
	rtnl_link_up(rtnl, tun->ifindex, tun->mtu_before);
	close(rtnl);
}

static void
check_sysctl(const char *path, const char *family, cfgfile_report_fn *warn,
    void *arg)
{
	FILE *file = fopen(path, "re");
	char text[256];
	int first;

	if (file == NULL)
		return;
	first = fgetc(file);
	fclose(file);
	if (first != '0')
		return;
	snprintf(text, sizeof(text), "%s is 0: this host forwards no %s "
	    "packets", path, family);
	warn(text, arg);
}

void
setup_check_forwarding(cfgfile_report_fn *warn, void *arg)
{
	check_sysctl("/proc/sys/net/ipv4/ip_forward", "IPv4", warn, arg);
	check_sysctl("/proc/sys/net/ipv6/conf/all/forwarding", "IPv6", warn,
	    arg);
}
