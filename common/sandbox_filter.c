/* SPDX-License-Identifier: ISC */
#include "common/sandbox_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
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
	/* abort(3) may signal this process, and no other of the same user. */
	if (err == 0)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
		    SCMP_SYS(tgkill), 1,
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
	if (err == 0)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}

/* libseccomp writes programs to descriptors only. */
static int
export(scmp_filter_ctx filter, struct sandbox_program *ret)
{
	int fd = memfd_create("seccomp", MFD_CLOEXEC), err;
	struct stat st;
	void *code = NULL;

	if (fd < 0)
		return -errno;
	err = seccomp_export_bpf(filter, fd);
	if (err == 0 && fstat(fd, &st) != 0)
		err = -errno;
	if (err == 0 && (code = malloc((size_t)st.st_size)) == NULL)
		err = -ENOMEM;
	if (err == 0 && pread(fd, code, (size_t)st.st_size, 0) != st.st_size)
		err = -EIO;
	close(fd);
	if (err != 0) {
		free(code);
		return err;
	}
	ret->code = code;
	ret->len = (unsigned short)
	    ((size_t)st.st_size / sizeof(struct sock_filter));
	return 0;
}

int
sandbox_program_make(const struct sandbox_call *calls, size_t n,
    const char *const *deadly_too, size_t n_deadly,
    struct sandbox_program *ret)
{
	scmp_filter_ctx filter;
	int err;

	*ret = (struct sandbox_program) { 0 };
#ifdef POPGATE_SANITIZERS
	(void)calls, (void)n, (void)deadly_too, (void)n_deadly;
	return 0;
#endif
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (filter == NULL)
		return -ENOMEM;
	err = fill(filter, calls, n);
	if (err == 0)
		err = add(filter, SCMP_ACT_KILL_PROCESS, deadly_too,
		    n_deadly);
	if (err == 0)
		err = export(filter, ret);
	seccomp_release(filter);
	return err;
}

void
sandbox_program_fini(struct sandbox_program *program)
{
	free(program->code);
	*program = (struct sandbox_program) { 0 };
}

int
sandbox_program_load(const struct sandbox_program *program)
{
	const struct sock_fprog prog = { .len = program->len,
		.filter = program->code };

	if (program->len == 0)
		return 0;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0)
		return 0;
	return errno == EINVAL ? -ENOSYS : -errno;
}
