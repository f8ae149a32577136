/* SPDX-License-Identifier: ISC */
#include "common/own_addresses.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "common/sock.h"

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
