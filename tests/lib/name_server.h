/* SPDX-License-Identifier: ISC */
/*
 * name_server.h - a name server that lies as it is told.
 *
 * It runs in a child process, over UDP and TCP at [2001:db8::9]:53, and says
 * for a question about
 *	one.test		2001:db8::1
 *	many.test		2001:db8:0:1::1 ... ::14, then 2001:db8::1
 *	mixed.test		::1, fe80::1, ::ffff:192.0.2.1, 64:ff9b::1, then
 *				2001:db8::1
 *	bad.test		::1 and ::ffff:127.0.0.1
 *	alias.test		a CNAME to one.test, and its address
 *	loop.test		CNAMEs in a loop
 *	none.test		nothing
 *	failed.test		SERVFAIL
 *	large.test		truncated; over TCP 2001:db8::1
 *	silent.test		nothing at all
 *	rubbish.test		octets that are no answer
 * and NXDOMAIN for all others.
 */
#ifndef TESTS_LIB_NAME_SERVER_H
#define TESTS_LIB_NAME_SERVER_H

#include <sys/types.h>

/* Returns its process; kill it at the end. */
pid_t name_server_start(void);

#endif
