/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sandbox.c - see sandbox.h */
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/cleanup.h"

/*
 * Nobody else's: another process of the same user could kill or stop the worker, and as "nobody"
 * there may be some. The letters "pvkp", in what systemd.io/UIDS-GIDS calls unused (1879048192 to
 * 2147483647): no system, directory or container hands it out. It needs no entry in /etc/passwd.
 */
#define OWN_ID UINT32_C(0x70766b70)
/* "nobody": where a user namespace has no such number (EINVAL). */
#define NOBODY_ID UINT32_C(65534)

/* Reading and writing need a descriptor, and the worker holds one only: the pipe for its answer. */
static const struct sandbox_rule rules[] = {
	{SCMP_SYS(read), "read", "harmless without descriptors; stdio may end with it"},
	{SCMP_SYS(write), "write", "the answer, into the one pipe that is open"},
	{SCMP_SYS(brk), "brk", "malloc"},
	{SCMP_SYS(mmap), "mmap", "malloc; never with PROT_EXEC"},
	{SCMP_SYS(munmap), "munmap", "free"},
	{SCMP_SYS(mremap), "mremap", "realloc"},
	{SCMP_SYS(madvise), "madvise", "free gives memory back"},
	{SCMP_SYS(mprotect), "mprotect", "malloc grows an arena; never with PROT_EXEC"},
	{SCMP_SYS(exit_group), "exit_group", "the end"},
	{SCMP_SYS(exit), "exit", "the end"},
	{SCMP_SYS(rt_sigreturn), "rt_sigreturn", "return from a signal handler"},
#ifdef PVK_SANITIZE
	/* What the sanitizers' own run time asks for; never in a build that is installed. */
	{SCMP_SYS(sigaltstack), "sigaltstack", "sanitizer"},
	{SCMP_SYS(rt_sigaction), "rt_sigaction", "sanitizer"},
	{SCMP_SYS(rt_sigprocmask), "rt_sigprocmask", "sanitizer"},
	{SCMP_SYS(futex), "futex", "sanitizer"},
	{SCMP_SYS(getpid), "getpid", "sanitizer"},
	{SCMP_SYS(gettid), "gettid", "sanitizer"},
	{SCMP_SYS(sched_yield), "sched_yield", "sanitizer"},
	{SCMP_SYS(readlink), "readlink", "sanitizer"},
	{SCMP_SYS(tgkill), "tgkill", "sanitizer"},
#endif
	{0, NULL, NULL},
};

const struct sandbox_rule *sandbox_rules(void)
{
	return rules;
}

static void release_filter(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

#define _cleanup_filter_ _cleanup_(release_filter)

static int set_limit(__rlimit_resource_t resource, const char *name, rlim_t value,
		     struct pvk_error *err)
{
	const struct rlimit limit = {
		.rlim_cur = value,
		/* At the hard limit of processor time the kernel sends SIGKILL, which has many
		 * causes; at the soft one SIGXCPU, which has this one. */
		.rlim_max = value + (resource == RLIMIT_CPU),
	};
	struct rlimit now;

	/* An administrator's lower limit stays. */
	if (getrlimit(resource, &now) == 0 && now.rlim_max < limit.rlim_max)
		return 0;
	if (setrlimit(resource, &limit) < 0)
		return pvk_fail_errno(err, errno, "cannot limit the worker (%s)", name);
	return 0;
}

#ifndef PVK_SANITIZE
/* Address space in use, from /proc; without /proc (a bare chroot) a guess that errs upward. */
static uint64_t address_space_in_use(void)
{
	_cleanup_fclose_ FILE *statm = fopen("/proc/self/statm", "re");
	unsigned long pages;

	if (!statm || fscanf(statm, "%lu", &pages) != 1)
		return UINT64_C(4) << 30;
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
#endif

static int set_limits(const struct sandbox_limits *limits, struct pvk_error *err)
{
	int r = 0;

#ifndef PVK_SANITIZE /* the sanitizers' shadow is terabytes of address space */
	r = set_limit(RLIMIT_AS, "memory", (rlim_t)(address_space_in_use() + limits->memory), err);
#endif
	if (r == 0)
		r = set_limit(RLIMIT_CPU, "processor time", limits->cpu_seconds, err);
	if (r == 0)
		r = set_limit(RLIMIT_CORE, "core dumps", 0, err);
	if (r == 0)
		r = set_limit(RLIMIT_FSIZE, "file size", 0, err); /* pipe and mapping have none */
	if (r == 0)
		r = set_limit(RLIMIT_NOFILE, "open files", 0, err);
	if (r == 0)
		r = set_limit(RLIMIT_NPROC, "processes", 0, err);
	return r;
}

static bool take_ids(uint32_t id)
{
	return setresgid(id, id, id) == 0 && setresuid(id, id, id) == 0;
}

static int drop_ids(struct pvk_error *err)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) < 0 ||
	    (!take_ids(OWN_ID) && (errno != EINVAL || !take_ids(NOBODY_ID))))
		return pvk_fail_errno(err, errno, "cannot give up the worker's privileges");
	return 0;
}

static int add_rule(scmp_filter_ctx filter, int syscall)
{
	const struct scmp_arg_cmp not_exec = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);

	if (syscall == SCMP_SYS(mmap) || syscall == SCMP_SYS(mprotect))
		return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, syscall, 1, &not_exec);
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, syscall, 0);
}

static int load_filter(struct pvk_error *err)
{
	_cleanup_filter_ scmp_filter_ctx filter = NULL;
	int r = 0;

	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter) /* Linux before 4.14; one thread is the process here */
		filter = seccomp_init(SCMP_ACT_KILL);
	if (!filter)
		return pvk_fail(err, PVK_E_WORKER, "cannot build the system call filter");
	for (const struct sandbox_rule *rule = rules; rule->name && r == 0; rule++)
		r = add_rule(filter, rule->syscall);
	/* The C library's malloc merely tries this one, for its own hardening. */
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(getrandom), 0);
	if (r == 0)
		r = seccomp_load(filter);
	if (r < 0)
		return pvk_fail_errno(err, -r, "cannot load the system call filter");
	return 0;
}

int sandbox_enter(const struct sandbox_limits *limits, bool *ret_filtered, struct pvk_error *err)
{
	const bool has_seccomp = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0;
	int r;

	r = set_limits(limits, err);
	if (r == 0)
		r = drop_ids(err);
	if (r < 0)
		return r;
	/* After the change of ids, which would clear it: no orphan goes on decoding. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return pvk_fail_errno(err, errno, "cannot confine the worker");
	if (has_seccomp) {
		r = load_filter(err);
		if (r < 0)
			return r;
	}
	*ret_filtered = has_seccomp;
	return 0;
}
