/* SPDX-License-Identifier: ISC */
/*
 * sandbox.h - giving up rights, and never getting them back.
 */
#ifndef COMMON_SANDBOX_H
#define COMMON_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sandbox_ids {
	bool	change;		/* false: we were not started as root */
	uid_t	uid;
	gid_t	gid;
};

/*
 * Look up whom to become.  Without root there is nothing to change and the
 * names are not even looked up.  Returns false with a message, such as
 * "user: \"popgate\": no such user", in problem[room].
 */
bool sandbox_lookup(const char *user, const char *group,
    struct sandbox_ids *ret, char *problem, size_t room);

/*
 * For a process that touches what peers send: become that user without
 * supplementary groups, capabilities, core dumps or the right to gain any
 * (no_new_privs).  Returns 0 or -errno; after an error the process must end.
 */
int sandbox_enter(const struct sandbox_ids *);

/*
 * For a master: keep only these capabilities, CAP_... of capabilities(7).
 * Does nothing without root.  Returns 0 or -errno.
 */
int sandbox_keep(const unsigned *capabilities, size_t n);

/* The same with what the master of a TCP service needs: NET_BIND_SERVICE,
 * SETUID, SETGID and KILL. */
int sandbox_master(void);

/*
 * Close every descriptor above 2 that is not one of the `n` given (any
 * order, -1 ignored): what a forked child must not hold.
 */
void sandbox_close_fds_except(const int *keep, size_t n);

/*
 * Name the process (15 octets) and restore default signal handling, but ignore
 * what is for the first process and reaches all where a terminal's ^C or a
 * service manager sends it to each: SIGINT, SIGHUP, SIGUSR1.
 */
void sandbox_child_begins(const char *name);

#endif
