/* SPDX-License-Identifier: ISC */
#include "common/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

bool
sandbox_lookup(const char *user, const char *group, struct sandbox_ids *ret,
    char *problem, size_t room)
{
	struct sandbox_ids ids = { 0 };
	const struct passwd *pw;
	const struct group *gr;

	if (geteuid() != 0) {
		*ret = ids;
		return true;
	}
	pw = getpwnam(user);
	if (pw == NULL) {
		snprintf(problem, room, "user: \"%s\": no such user", user);
		return false;
	}
	if (pw->pw_uid == 0) {
		snprintf(problem, room, "user: \"%s\": must not be root", user);
		return false;
	}
	ids.change = true;
	ids.uid = pw->pw_uid;
	ids.gid = pw->pw_gid;
	if (group[0] != '\0') {
		gr = getgrnam(group);
		if (gr == NULL) {
			snprintf(problem, room, "group: \"%s\": no such group",
			    group);
			return false;
		}
		ids.gid = gr->gr_gid;
	}
	*ret = ids;
	return true;
}

int
sandbox_enter(const struct sandbox_ids *ids)
{
	const struct rlimit none = { 0, 0 };

	if (ids->change) {
		if (setgroups(0, NULL) != 0 ||
		    setresgid(ids->gid, ids->gid, ids->gid) != 0 ||
		    setresuid(ids->uid, ids->uid, ids->uid) != 0)
			return -errno;
		/* Nothing may be left to go back with. */
		if (setresuid(0, 0, 0) == 0)
			return -EPERM;
	}
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) != 0)
		return -EPERM;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    setrlimit(RLIMIT_CORE, &none) != 0)
		return -errno;
	return 0;
}

int
sandbox_keep(const unsigned *capabilities, size_t n)
{
	size_t i;

	if (geteuid() != 0)
		return 0;
	capng_clear(CAPNG_SELECT_BOTH);
	for (i = 0; i < n; i++)
		if (capng_update(CAPNG_ADD,
			(capng_type_t)(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
			capabilities[i]) != 0)
			return -EPERM;
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -EPERM;
}

int
sandbox_master(void)
{
	static const unsigned kept[] = { CAP_NET_BIND_SERVICE, CAP_SETUID,
		CAP_SETGID, CAP_KILL };

	return sandbox_keep(kept, sizeof(kept) / sizeof(kept[0]));
}

void
sandbox_close_fds_except(const int *keep, size_t n)
{
	unsigned first = 3, next;
	size_t i;

	for (;;) {	/* the gaps between those kept, from below */
		next = ~0u;
		for (i = 0; i < n; i++)
			if (keep[i] >= 0 && (unsigned)keep[i] >= first &&
			    (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next > first)
			close_range(first, next == ~0u ? next : next - 1, 0);
		if (next == ~0u)
			return;
		first = next + 1;
	}
}

void
sandbox_child_begins(const char *name)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig < NSIG; sig++)
		signal(sig, sig == SIGPIPE || sig == SIGINT || sig == SIGHUP ||
		    sig == SIGUSR1 ? SIG_IGN : SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, name, 0, 0, 0);
}
