/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tracer.c - see tracer.h. Registers as the x86-64 ABI has them. */
#include "tracer.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_PROCESSES 64
#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

struct process {
	pid_t pid;
	unsigned calls;
	bool in_call;
	bool is_replaced; /* the call at hand is to answer `answer` */
	bool is_ours;
	long answer;
};

struct tracer {
	const struct fault *fault;
	const struct handicap *handicaps;
	bool list_calls;
	bool is_stuck;
	struct process processes[MAX_PROCESSES];
	int count;
	struct traced *result;
};

static volatile sig_atomic_t is_late;

static void on_alarm(int signal_number)
{
	(void)signal_number;
	is_late = 1;
}

bool trace_can_fail(long number)
{
	static const long never[] = {
		SYS_exit,
		SYS_exit_group,
		SYS_getpid,
		SYS_getppid,
		SYS_geteuid,
		SYS_getuid,
		SYS_gettid,
		SYS_umask,
		SYS_rt_sigreturn,
		SYS_set_robust_list,
		SYS_getegid,
		SYS_getgid,
		SYS_set_tid_address,
		SYS_brk,
	};

	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (number == never[i])
			return false;
	return true;
}

bool trace_can_be_short(long number)
{
	return number == SYS_read || number == SYS_write || number == SYS_pread64 ||
	       number == SYS_pwrite64 || number == SYS_getrandom || number == SYS_sendto;
}

bool trace_can_be_late(long number)
{
	static const long calls[] = {
		SYS_fsync,     SYS_fdatasync, SYS_rename,    SYS_renameat, SYS_renameat2,
		SYS_link,      SYS_linkat,    SYS_unlink,    SYS_unlinkat, SYS_mkdir,
		SYS_mkdirat,   SYS_fchmod,    SYS_fchown,    SYS_close,	   SYS_syncfs,
		SYS_ftruncate, SYS_fallocate, SYS_fsetxattr, SYS_munmap,   SYS_ioctl,
		SYS_symlinkat, SYS_fchownat,  SYS_fchmodat,  SYS_msync,	   SYS_utimensat,
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (number == calls[i])
			return true;
	return false;
}

static struct process *find_process(struct tracer *tracer, pid_t pid)
{
	for (int i = 0; i < tracer->count; i++)
		if (tracer->processes[i].pid == pid)
			return &tracer->processes[i];
	if (tracer->count == MAX_PROCESSES)
		errx(2, "more than %d processes", MAX_PROCESSES);
	tracer->processes[tracer->count] = (struct process){.pid = pid, .is_ours = true};
	return &tracer->processes[tracer->count++];
}

static void note_call(struct tracer *tracer, const struct process *process,
		      const struct user_regs_struct *regs)
{
	struct traced *result = tracer->result;

	if (!tracer->list_calls)
		return;
	if ((result->count & (result->count + 1)) == 0) { /* grows at 0, 1, 3, 7, ... */
		result->calls =
			realloc(result->calls, (2 * result->count + 2) * sizeof(*result->calls));
		if (!result->calls)
			err(2, "realloc");
	}
	result->calls[result->count++] = (struct call){
		.process = (int)(process - tracer->processes),
		.call = process->calls,
		.number = (long)regs->orig_rax,
		.is_ours = process->is_ours,
	};
}

/*
 * Another call is put in its place, one without effect that the worker's filter allows: skipping it
 * (number -1) would be a call that the filter does not know.
 */
static void replace_call(struct process *process, struct user_regs_struct *regs, int error)
{
	process->is_replaced = true;
	process->answer = -error;
	regs->orig_rax = SYS_munmap;
	regs->rdi = regs->rsi = 0;
}

static bool changes_files(const struct user_regs_struct *regs)
{
	const long number = (long)regs->orig_rax;

	if (number == SYS_openat)
		return regs->rdx & O_CREAT;
	return trace_can_be_late(number) && number != SYS_close && number != SYS_munmap &&
	       number != SYS_ioctl;
}

static void inject(struct tracer *tracer, struct process *process, struct user_regs_struct *regs)
{
	const struct fault *fault = tracer->fault;

	/* Runs differ a little (a poll more, a cached block less): this may be another call. */
	if (fault->kind == FAULT_ERROR && !trace_can_fail((long)regs->orig_rax))
		return;
	tracer->result->injected = true;
	tracer->result->hit = (long)regs->orig_rax;
	tracer->result->hit_argument = (long)regs->rdi;
	switch (fault->kind) {
	case FAULT_ERROR:
		if (regs->orig_rax != SYS_close) {
			replace_call(process, regs, fault->error);
			break;
		}
		/* Linux closes the descriptor whatever it answers. */
		__attribute__((fallthrough));
	case FAULT_LATE:
		process->is_replaced = true;
		process->answer = -fault->error;
		break;
	case FAULT_STUCK:
		tracer->is_stuck = true;
		break;
	case FAULT_SHORT:
		if (regs->orig_rax == SYS_getrandom)
			regs->rsi /= 2;
		else if (regs->rdx > 1)
			regs->rdx /= 2;
		break;
	case FAULT_KILL:
		(void)kill(process->pid, SIGKILL);
		break;
	case FAULT_TERM:
		(void)kill(process->pid, SIGTERM);
		break;
	case FAULT_NONE:
		break;
	}
}

static void enter_call(struct tracer *tracer, struct process *process)
{
	const struct fault *fault = tracer->fault;
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, process->pid, NULL, &regs) < 0)
		return; /* killed meanwhile */
	note_call(tracer, process, &regs);
	process->is_replaced = false;
	for (const struct handicap *h = tracer->handicaps; h && h->error; h++)
		if ((long)regs.orig_rax == h->number)
			replace_call(process, &regs, h->error);
	if (fault && process - tracer->processes == fault->process && process->calls == fault->call)
		inject(tracer, process, &regs);
	if (tracer->is_stuck && changes_files(&regs))
		replace_call(process, &regs, fault->error);
	process->calls++;
	(void)ptrace(PTRACE_SETREGS, process->pid, NULL, &regs);
}

static void leave_call(struct process *process)
{
	struct user_regs_struct regs;

	if (!process->is_replaced || ptrace(PTRACE_GETREGS, process->pid, NULL, &regs) < 0)
		return;
	process->is_replaced = false;
	regs.rax = (unsigned long long)process->answer;
	(void)ptrace(PTRACE_SETREGS, process->pid, NULL, &regs);
}

/* A stopped process goes on; free of us, once nothing is left to do. */
static void resume(const struct tracer *tracer, const struct process *process, int signal_number)
{
	const bool is_done = tracer->result->injected && !tracer->handicaps && !tracer->is_stuck &&
			     !process->is_replaced;

	(void)ptrace(is_done ? PTRACE_DETACH : PTRACE_SYSCALL, process->pid, NULL,
		     (void *)(intptr_t)signal_number);
}

static void handle_stop(struct tracer *tracer, pid_t pid, int status)
{
	struct process *process = find_process(tracer, pid);
	const int signal_number = WSTOPSIG(status), event = status >> 16;

	if (signal_number == (SIGTRAP | 0x80)) {
		process->in_call = !process->in_call;
		if (process->in_call)
			enter_call(tracer, process);
		else
			leave_call(process);
		resume(tracer, process, 0);
	} else if (event == PTRACE_EVENT_EXEC) {
		/* dpkg-divert and its like: their calls count, but are told apart. */
		process->is_ours = process == &tracer->processes[0];
		resume(tracer, process, 0);
	} else if (event != 0 || signal_number == SIGSTOP) {
		resume(tracer, process, 0); /* a birth */
	} else {
		resume(tracer, process, signal_number);
	}
}

static pid_t start(char *const argv[], int out_fd)
{
	pid_t pid = fork();

	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		(void)dup2(out_fd, STDOUT_FILENO);
		(void)dup2(out_fd, STDERR_FILENO);
		(void)setpgid(0, 0);
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)raise(SIGSTOP);
		execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static void follow(struct tracer *tracer, pid_t program)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, __WALL);

		if (pid < 0 && errno == ECHILD)
			return;
		if (is_late) {
			is_late = 0;
			tracer->result->hung = true;
			for (int i = 0; i < tracer->count; i++)
				(void)kill(tracer->processes[i].pid, SIGKILL);
			(void)kill(program, SIGKILL);
		}
		if (pid < 0)
			continue;
		if (WIFSTOPPED(status))
			handle_stop(tracer, pid, status);
		else if (pid == program)
			tracer->result->status = status;
	}
}

void trace_run(char *const argv[], int out_fd, const struct fault *fault,
	       const struct handicap *handicaps, bool list_calls, unsigned seconds,
	       struct traced *ret)
{
	const struct sigaction action = {.sa_handler = on_alarm};
	struct tracer tracer = {
		.fault = fault,
		.handicaps = handicaps,
		.list_calls = list_calls,
		.result = ret,
	};
	pid_t program;
	int status;

	memset(ret, 0, sizeof(*ret));
	/* Orphans come to us: a run is over when its last process is. */
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	program = start(argv, out_fd);
	if (waitpid(program, &status, 0) != program || !WIFSTOPPED(status))
		err(2, "cannot start %s", argv[0]);
	(void)find_process(&tracer, program);
	if (ptrace(PTRACE_SETOPTIONS, program, NULL, (void *)(intptr_t)OPTIONS) < 0 ||
	    ptrace(PTRACE_SYSCALL, program, NULL, NULL) < 0)
		err(2, "ptrace");
	is_late = 0;
	(void)sigaction(SIGALRM, &action, NULL);
	(void)alarm(seconds);
	follow(&tracer, program);
	(void)alarm(0);
}
