/* SPDX-License-Identifier: ISC */
#include "common/sandbox_filter.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

static const char *const everybody[] = { "brk", "clock_gettime",
	"clock_nanosleep", "close", "epoll_create1", "epoll_ctl",
	"epoll_pwait", "epoll_pwait2", "epoll_wait", "exit", "exit_group",
	"fstat", "futex", "getpid", "getrandom", "gettid",
	"gettimeofday", "madvise", "mremap", "munmap", "poll", "read", "readv",
	"recvfrom", "recvmsg", "restart_syscall", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "sendmsg", "sendto",
	"write", "writev" };

static const char *const deadly[] = { "execve", "execveat", "ptrace",
	"process_vm_readv", "process_vm_writev", "pidfd_getfd", "bpf",
	"kexec_load", "init_module", "finit_module" };

/* A call that this kernel's headers do not know is none to worry about. */
static int
add(scmp_filter_ctx filter, uint32_t action, const char *const *calls,
    size_t n)
{
	int call, err = 0;
	size_t i;

	for (i = 0; i < n && err == 0; i++) {
		call = seccomp_syscall_resolve_name(calls[i]);
		if (call != __NR_SCMP_ERROR)
			err = seccomp_rule_add(filter, action, call, 0);
	}
	return err;
}

static int
add_call(scmp_filter_ctx filter, const struct sandbox_call *call)
{
	int number = seccomp_syscall_resolve_name(call->name);

	if (number == __NR_SCMP_ERROR)
		return 0;
	return call->has_arg ?
	    seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 1,
		SCMP_CMP(call->arg, SCMP_CMP_EQ, call->value, 0)) :
	    seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
}

static int
fill(scmp_filter_ctx filter, const struct sandbox_call *calls, size_t n)
{
	size_t i;
	int err;

	err = add(filter, SCMP_ACT_ALLOW, everybody,
	    sizeof(everybody) / sizeof(everybody[0]));
	for (i = 0; i < n && err == 0; i++)
		err = add_call(filter, &calls[i]);
	if (err == 0)
		err = add(filter, SCMP_ACT_KILL_PROCESS, deadly,
		    sizeof(deadly) / sizeof(deadly[0]));
	if (err == 0)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap),
		    1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* abort(3) may signal this process, and no other of the same user. */
	if (err == 0)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(tgkill), 1,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	if (err == 0)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(mprotect), 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	return err;
}

int
sandbox_filter_load(const struct sandbox_call *calls, size_t n)
{
	scmp_filter_ctx filter;
	int err;

#ifdef POPGATE_SANITIZERS
	(void)calls, (void)n;
	return 0;
#endif
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL)
		return -ENOMEM;
	err = fill(filter, calls, n);
	if (err == 0)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}
