/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/base/cleanup.h"
#include "../../src/system/signals.h"
#include "../../src/system/worker.h"
#include "mutate.h"
#include "workerjob.h"

struct reply {
	uint64_t number;
	char text[32];
};

/* Set before the fork; a worker may not ask. */
static pid_t parent;

#define UNUSED_ALL ((void)context, (void)reply, (void)progress, (void)err)

static int run_job(workerjob_function *run, void *context, struct reply *reply, bool *answered,
		   struct pvk_error *err)
{
	parent = getpid();
	return workerjob_run(run, context, reply, sizeof(*reply), answered, err);
}

static void assert_no_child(void)
{
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* --- workers that behave --- */

WORKER_JOB(answer)
{
	struct reply *r = reply;

	(void)err;
	for (size_t i = 0; i < sizeof(*r); i++)
		if (((const unsigned char *)reply)[i] != 0)
			return -PVK_E_CORRUPT;
	r->number = *(const uint64_t *)context + 1;
	(void)snprintf(r->text, sizeof(r->text), "done");
	atomic_store(progress, 42);
	return 0;
}

static void a_worker_that_behaves_answers(void **state)
{
	struct pvk_error err;
	struct reply reply;
	uint64_t n = 1234;
	bool answered;

	(void)state;
	assert_int_equal(run_job(answer, &n, &reply, &answered, &err), 0);
	assert_true(answered);
	assert_int_equal(reply.number, 1235);
	assert_string_equal(reply.text, "done");
	assert_int_equal(err.code, 0);
	assert_false(worker_was_unfiltered());
	assert_no_child();
}

WORKER_JOB(fail_with_a_reply)
{
	(void)context;
	(void)progress;
	((struct reply *)reply)->number = 7;
	return pvk_fail(err, PVK_E_CORRUPT, "bad block %d", 3);
}

static void a_failure_of_the_job_comes_with_its_sentence_and_reply(void **state)
{
	struct pvk_error err;
	struct reply reply;
	bool answered;

	(void)state;
	assert_int_equal(run_job(fail_with_a_reply, NULL, &reply, &answered, &err), -PVK_E_CORRUPT);
	assert_true(answered);
	assert_int_equal(reply.number, 7);
	assert_string_equal(err.msg, "bad block 3");
}

WORKER_JOB(write_shared)
{
	(void)reply;
	(void)progress;
	(void)err;
	memset(context, 0x77, 4096);
	return 0;
}

static void a_worker_writes_shared_memory_and_no_other(void **state)
{
	const int flags = MAP_ANONYMOUS;
	uint8_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags | MAP_SHARED, -1, 0);
	uint8_t *own = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags | MAP_PRIVATE, -1, 0);
	struct pvk_error err;
	struct reply reply;
	bool answered;

	(void)state;
	assert_int_equal(run_job(write_shared, shared, &reply, &answered, &err), 0);
	assert_int_equal(run_job(write_shared, own, &reply, &answered, &err), 0);
	assert_int_equal(shared[4095], 0x77);
	assert_int_equal(own[4095], 0);
	(void)munmap(shared, 4096);
	(void)munmap(own, 4096);
}

/* What decoders do: allocate, grow, give back; with large pieces and small ones. */
WORKER_JOB(use_memory)
{
	UNUSED_ALL;
	for (size_t size = 1; size <= (8u << 20); size *= 2) {
		_cleanup_free_ char *piece = malloc(size);
		char *grown;

		if (!piece)
			return -ENOMEM;
		memset(piece, 1, size);
		grown = realloc(piece, size + size / 2);
		if (!grown)
			return -ENOMEM;
		piece = grown;
		memset(piece, 2, size + size / 2);
	}
	return 0;
}

static void memory_within_the_limit_is_to_be_had(void **state)
{
	struct pvk_error err;
	struct reply reply;
	bool answered;

	(void)state;
	assert_int_equal(run_job(use_memory, NULL, &reply, &answered, &err), 0);
}

/* --- workers that try to get out: each is killed by the filter --- */

WORKER_JOB(open_file)
{
	UNUSED_ALL;
	return (int)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

WORKER_JOB(open_socket)
{
	UNUSED_ALL;
	return (int)syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

WORKER_JOB(execute)
{
	static char path[] = "/bin/true";
	char *argv[] = {path, NULL};

	UNUSED_ALL;
	return (int)syscall(SYS_execve, path, argv, NULL);
}

WORKER_JOB(make_process)
{
	UNUSED_ALL;
	return (int)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
}

WORKER_JOB(kill_parent)
{
	UNUSED_ALL;
	return (int)syscall(SYS_kill, parent, SIGUSR1);
}

WORKER_JOB(trace_parent)
{
	UNUSED_ALL;
	return (int)syscall(SYS_ptrace, PTRACE_ATTACH, parent, NULL, NULL);
}

WORKER_JOB(write_parents_memory)
{
	UNUSED_ALL;
	return (int)syscall(SYS_process_vm_writev, parent, NULL, 0, NULL, 0, 0);
}

WORKER_JOB(map_executable)
{
	UNUSED_ALL;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED;
}

WORKER_JOB(make_executable)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	UNUSED_ALL;
	return mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

WORKER_JOB(raise_its_limits)
{
	const struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	UNUSED_ALL;
	return (int)syscall(SYS_prlimit64, 0, RLIMIT_CPU, &limit, NULL);
}

WORKER_JOB(unlink_file)
{
	UNUSED_ALL;
	return (int)syscall(SYS_unlinkat, AT_FDCWD, "/nowhere", 0);
}

WORKER_JOB(use_another_abi)
{
	UNUSED_ALL;
#ifdef __x86_64__
	long r;

	/* int 0x80 is the 32-bit table: 20 is getpid there, writev here. */
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
#else
	return (int)syscall(SYS_getppid);
#endif
}

static const struct {
	const char *what;
	workerjob_function *run;
} escapes[] = {
	{"open", open_file},
	{"socket", open_socket},
	{"execve", execute},
	{"fork", make_process},
	{"kill", kill_parent},
	{"ptrace", trace_parent},
	{"process_vm_writev", write_parents_memory},
	{"mmap PROT_EXEC", map_executable},
	{"mprotect PROT_EXEC", make_executable},
	{"prlimit", raise_its_limits},
	{"unlink", unlink_file},
	{"a call of the 32-bit table", use_another_abi},
};

static void a_worker_that_tries_to_get_out_is_killed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		struct pvk_error err;
		struct reply reply;
		bool answered = true;
		int r = run_job(escapes[i].run, NULL, &reply, &answered, &err);

		if (r != -PVK_E_WORKER || answered || err.code != PVK_E_WORKER ||
		    !strstr(err.msg, "system call that it is not allowed"))
			fail_msg("%s: %d, '%s'", escapes[i].what, r, err.msg);
		assert_no_child();
	}
}

/* --- workers that break down --- */

WORKER_JOB(read_past)
{
	UNUSED_ALL;
	return ((const struct guarded *)context)->data[((const struct guarded *)context)->size];
}

WORKER_JOB(write_past)
{
	const struct guarded *mapping = context;

	(void)reply;
	(void)progress;
	(void)err;
	mapping->data[mapping->size] = 1;
	return 0;
}

WORKER_JOB(write_before)
{
	const struct guarded *mapping = context;

	(void)reply;
	(void)progress;
	(void)err;
	*((uint8_t *)mapping->map - 1) = 1;
	return 0;
}

/* A page of the mapping behind the last page of its file: no memory, and no larger file. */
WORKER_JOB(write_past_the_file)
{
	(void)reply;
	(void)progress;
	(void)err;
	((uint8_t *)context)[4096] = 1;
	return 0;
}

static volatile int *volatile nowhere;

WORKER_JOB(crash)
{
	UNUSED_ALL;
	return *nowhere;
}

WORKER_JOB(loop_for_ever)
{
	UNUSED_ALL;
	for (volatile unsigned n = 0;; n++)
		;
	return 0;
}

WORKER_JOB(end_at_once)
{
	UNUSED_ALL;
	_exit(0);
}

WORKER_JOB(end_with_a_status)
{
	UNUSED_ALL;
	_exit(3);
}

/* The pipe is the only descriptor there is: the others fail. */
static void write_to_all(const void *data, size_t size)
{
	for (int fd = 0; fd < 64; fd++)
		if (write(fd, data, size) < 0)
			continue;
}

WORKER_JOB(answer_in_short)
{
	UNUSED_ALL;
	write_to_all("short", 5);
	_exit(0);
}

/* More than the pipe holds: then it would wait for a reader, for ever and at no cost. */
WORKER_JOB(answer_without_end)
{
	static char whole[PIPE_BUF];

	UNUSED_ALL;
	for (;;)
		write_to_all(whole, sizeof(whole));
	return 0;
}

WORKER_JOB(answer_and_stay)
{
	static char whole[PIPE_BUF];

	UNUSED_ALL;
	write_to_all(whole, sizeof(whole));
	for (volatile unsigned n = 0;; n++)
		;
	return 0;
}

/* A positive result, and control characters for the terminal of root. */
WORKER_JOB(answer_the_impossible)
{
	UNUSED_ALL;
	return 1;
}

WORKER_JOB(answer_with_control_bytes)
{
	(void)context;
	(void)reply;
	(void)progress;
	(void)pvk_fail(err, PVK_E_CORRUPT, "x\x1b[2J\ny");
	memset(err->msg + 7, 'z', sizeof(err->msg) - 7);
	return -PVK_E_CORRUPT;
}

#ifndef PVK_SANITIZE /* there the worker's address space is not limited */
WORKER_JOB(take_too_much_memory)
{
	_cleanup_free_ char *piece = malloc(64u << 20);

	(void)context;
	(void)progress;
	((struct reply *)reply)->number = piece == NULL;
	return piece ? 0 : pvk_fail(err, ENOMEM, "no memory");
}

WORKER_JOB(map_past_its_memory_and_crash)
{
	char *piece =
		mmap(NULL, 64u << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	UNUSED_ALL;
	*piece = 1;
	return 0;
}

static void memory_past_the_limit_is_not_to_be_had(void **state)
{
	struct pvk_error err;
	struct reply reply;
	bool answered;

	(void)state;
	assert_int_equal(run_job(take_too_much_memory, NULL, &reply, &answered, &err), -ENOMEM);
	assert_true(answered);
	assert_int_equal(reply.number, 1);
	assert_int_equal(run_job(map_past_its_memory_and_crash, NULL, &reply, &answered, &err),
			 -PVK_E_WORKER);
	assert_false(answered);
}
#endif

static void assert_breakdown(workerjob_function *run, void *context, const char *word)
{
	struct pvk_error err;
	struct reply reply;
	bool answered = true;

	assert_int_equal(run_job(run, context, &reply, &answered, &err), -PVK_E_WORKER);
	assert_int_equal(err.code, PVK_E_WORKER);
	assert_false(answered);
	assert_int_equal(reply.number, 0);
	if (!strstr(err.msg, word))
		fail_msg("'%s' has no '%s'", err.msg, word);
	assert_no_child();
}

#ifdef PVK_SANITIZE /* its own handler makes calls, and is killed for them */
#define SEGFAULT  "the worker"
#define BUS_ERROR "the worker"
#else
#define SEGFAULT  "crashed (Segmentation fault)"
#define BUS_ERROR "the output could not be written"
#endif

static void a_worker_that_crashes_is_an_error(void **state)
{
	_cleanup_(guarded_done) struct guarded memory = {0};

	(void)state;
	/* cmocka's handler, which the worker would inherit, and which is no part of pvkprep. */
	(void)signal(SIGSEGV, SIG_DFL);
	guarded_init(&memory, 100);
	assert_breakdown(read_past, &memory, SEGFAULT);
	assert_breakdown(crash, NULL, SEGFAULT);
}

static void a_worker_cannot_write_beside_its_mapping(void **state)
{
	_cleanup_(guarded_done) struct guarded mapping = {0};
	void *below;

	(void)state;
	(void)signal(SIGSEGV, SIG_DFL);
	guarded_init(&mapping, 4096);
	/* Nothing else of this process may lie right below it. */
	below = mmap((uint8_t *)mapping.map - 4096, 4096, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	assert_breakdown(write_past, &mapping, SEGFAULT);
	if (below != MAP_FAILED) {
		assert_breakdown(write_before, &mapping, SEGFAULT);
		(void)munmap(below, 4096);
	}
}

static void a_worker_cannot_make_its_file_grow(void **state)
{
	_cleanup_fclose_ FILE *file = tmpfile();
	struct stat st;
	void *mapping;

	(void)state;
	assert_non_null(file);
	(void)signal(SIGBUS, SIG_DFL);
	assert_int_equal(ftruncate(fileno(file), 4096), 0);
	mapping = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
	assert_true(mapping != MAP_FAILED);
	assert_breakdown(write_past_the_file, mapping, BUS_ERROR);
	assert_int_equal(fstat(fileno(file), &st), 0);
	assert_int_equal(st.st_size, 4096);
	(void)munmap(mapping, 8192);
}

/* The descriptors of the parent are gone before the job begins, whatever their numbers. */
static void a_worker_cannot_write_its_parents_files(void **state)
{
	_cleanup_fclose_ FILE *file = tmpfile();
	struct stat st;

	(void)state;
	assert_non_null(file);
	assert_int_equal(fcntl(fileno(file), F_DUPFD, 63), 63);
	assert_breakdown(answer_in_short, NULL, "without an answer");
	assert_int_equal(fstat(63, &st), 0);
	assert_int_equal(st.st_size, 0);
	(void)close(63);
}

static void a_worker_that_never_ends_is_killed_for_its_processor_time(void **state)
{
	(void)state;
	assert_breakdown(loop_for_ever, NULL, "too much processor time");
}

static void a_worker_without_a_whole_answer_is_an_error(void **state)
{
	(void)state;
	assert_breakdown(end_at_once, NULL, "without an answer");
	assert_breakdown(end_with_a_status, NULL, "status 3");
	assert_breakdown(answer_in_short, NULL, "without an answer");
}

static void a_worker_that_does_not_end_with_its_answer_is_an_error(void **state)
{
	(void)state;
	(void)alarm(60); /* else a failure of this test would be a test that hangs */
	assert_breakdown(answer_without_end, NULL, "did not end");
	assert_breakdown(answer_and_stay, NULL, "worker");
	(void)alarm(0);
}

static void an_impossible_result_is_an_error(void **state)
{
	(void)state;
	assert_breakdown(answer_the_impossible, NULL, "impossible answer");
}

static void a_workers_sentence_is_made_safe_for_terminals(void **state)
{
	struct pvk_error err;
	struct reply reply;
	bool answered;

	(void)state;
	assert_int_equal(run_job(answer_with_control_bytes, NULL, &reply, &answered, &err),
			 -PVK_E_CORRUPT);
	assert_memory_equal(err.msg, "x?[2J?y", 7);
	assert_int_equal(strnlen(err.msg, sizeof(err.msg)), sizeof(err.msg) - 1);
	for (const char *c = err.msg; *c; c++)
		assert_true(isprint((unsigned char)*c));
}

/* A whole answer counts only if its sender also ends well. */
WORKER_JOB(answer_and_crash)
{
	static char whole[PIPE_BUF];

	UNUSED_ALL;
	write_to_all(whole, sizeof(whole));
	return *nowhere;
}

static void an_answer_before_a_crash_is_not_believed(void **state)
{
	(void)state;
	assert_breakdown(answer_and_crash, NULL, "worker");
}

/* --- watching it --- */

/* Shared with the worker, which works until it is told to stop. */
struct watched {
	_Atomic bool stop;
	unsigned ticks;
	uint64_t last;
	char status[4096];
	char limits[4096];
	unsigned descriptors;
};

WORKER_JOB(work_until_stopped)
{
	const struct watched *watched = context;

	(void)reply;
	(void)err;
	atomic_store(progress, 1234);
	while (!atomic_load(&watched->stop))
		;
	return 0;
}

static int run_watched(struct watched *watched, void (*tick)(void *, uint64_t),
		       struct pvk_error *err)
{
	const struct worker_watch watch = {.tick = tick, .context = watched};
	const struct worker_job job = {
		.run = work_until_stopped,
		.context = watched,
		.reply_size = sizeof(struct reply),
		.memory = 16u << 20,
		.cpu_seconds = 20,
		.watch = &watch,
	};
	struct reply reply;
	bool answered;

	return worker_run(&job, &reply, &answered, err);
}

static struct watched *make_watched(void)
{
	void *page = mmap(NULL, sizeof(struct watched), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(page != MAP_FAILED);
	return page;
}

static void count_and_stop(void *context, uint64_t done)
{
	struct watched *watched = context;

	watched->last = done;
	if (++watched->ticks == 3)
		atomic_store(&watched->stop, true);
}

static void the_watcher_sees_the_progress(void **state)
{
	struct watched *watched = make_watched();
	struct pvk_error err;

	(void)state;
	assert_int_equal(run_watched(watched, count_and_stop, &err), 0);
	assert_int_equal(watched->ticks, 3);
	assert_int_equal(watched->last, 1234);
	(void)munmap(watched, sizeof(*watched));
}

static void interrupt(void *context, uint64_t done)
{
	(void)context;
	(void)done;
	(void)raise(SIGTERM);
}

static void a_signal_to_the_parent_ends_the_worker_too(void **state)
{
	struct watched *watched = make_watched();
	struct pvk_error err;
	sigset_t old;

	(void)state;
	signals_block(&old);
	assert_int_equal(run_watched(watched, interrupt, &err), -PVK_E_INTERRUPTED);
	assert_int_equal(err.code, PVK_E_INTERRUPTED);
	assert_no_child();
	(void)signal(SIGTERM, SIG_IGN); /* forgets the one that waits */
	signals_restore(&old);
	(void)signal(SIGTERM, SIG_DFL);
	(void)munmap(watched, sizeof(*watched));
}

static void read_proc(int pid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	_cleanup_close_ int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
}

static bool is_child(int pid)
{
	char status[4096], line[32];

	(void)snprintf(line, sizeof(line), "\nPPid:\t%d\n", getpid());
	read_proc(pid, "status", status, sizeof(status));
	return strstr(status, line) != NULL;
}

static int find_child(void)
{
	_cleanup_closedir_ DIR *proc = opendir("/proc");
	const struct dirent *entry;

	while (proc && (entry = readdir(proc)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    is_child((int)strtol(entry->d_name, NULL, 10)))
			return (int)strtol(entry->d_name, NULL, 10);
	return -1;
}

/* Only root may list them: the worker is not dumpable. */
static unsigned count_descriptors(int pid)
{
	_cleanup_closedir_ DIR *dir = NULL;
	char path[64];
	unsigned count = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && readdir(dir))
		count++;
	return count < 2 ? 0 : count - 2;
}

static void look_at_it(void *context, uint64_t done)
{
	struct watched *watched = context;
	int pid = find_child();

	(void)done;
	if (pid > 0) {
		read_proc(pid, "status", watched->status, sizeof(watched->status));
		read_proc(pid, "limits", watched->limits, sizeof(watched->limits));
		watched->descriptors = count_descriptors(pid);
	}
	atomic_store(&watched->stop, true);
}

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no '%s' in: %s", line, text);
}

static void look_from_outside(struct watched *watched)
{
	struct pvk_error err;

	assert_int_equal(run_watched(watched, look_at_it, &err), 0);
	assert_true(watched->status[0] != '\0');
}

static void a_worker_is_filtered_and_gets_no_new_privileges(void **state)
{
	struct watched *watched = make_watched();

	(void)state;
	look_from_outside(watched);
	assert_has(watched->status, "\nNoNewPrivs:\t1\n");
	assert_has(watched->status, "\nSeccomp:\t2\n");
	assert_has(watched->status, "\nThreads:\t1\n");
	(void)munmap(watched, sizeof(*watched));
}

#define OWN_IDS "1886808944\t1886808944\t1886808944\t1886808944\n"

static void a_workers_ids_and_descriptors_are_given_up(void **state)
{
	struct watched *watched = make_watched();

	(void)state;
	if (geteuid() != 0)
		skip();
	look_from_outside(watched);
	assert_has(watched->status, "\nUid:\t" OWN_IDS);
	assert_has(watched->status, "\nGid:\t" OWN_IDS);
	assert_has(watched->status, "\nGroups:\t \n");
	assert_has(watched->status, "\nCapPrm:\t0000000000000000\n");
	assert_has(watched->status, "\nCapEff:\t0000000000000000\n");
	assert_int_equal(watched->descriptors, 1); /* the pipe */
	assert_has(watched->limits, "Max open files            0                    0 ");
	assert_has(watched->limits, "Max core file size        0                    0 ");
	assert_has(watched->limits, "Max file size             0                    0 ");
	assert_has(watched->limits, "Max processes             0                    0 ");
	(void)munmap(watched, sizeof(*watched));
}

static bool can_nobody_kill(int pid)
{
	const pid_t helper = fork();
	int status = 0;

	if (helper == 0) {
		if (setresgid(65534, 65534, 65534) < 0 || setresuid(65534, 65534, 65534) < 0)
			_exit(2);
		_exit(kill(pid, SIGKILL) < 0 && errno == EPERM ? 0 : 1);
	}
	assert_int_equal(waitpid(helper, &status, 0), helper);
	return status != 0;
}

static void attack_it(void *context, uint64_t done)
{
	struct watched *watched = context;
	int pid = find_child();

	/* Once it is confined: before, it is root's. */
	if (done == 0 || pid < 0)
		return;
	watched->ticks = can_nobody_kill(pid) ? 1 : 2;
	atomic_store(&watched->stop, true);
}

static void no_other_user_can_stop_or_kill_a_worker(void **state)
{
	struct watched *watched = make_watched();
	struct pvk_error err;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(run_watched(watched, attack_it, &err), 0);
	assert_int_equal(watched->ticks, 2);
	(void)munmap(watched, sizeof(*watched));
}

static void kill_it(void *context, uint64_t done)
{
	int pid = find_child();

	(void)context;
	(void)done;
	if (pid > 0)
		(void)kill(pid, SIGKILL);
}

static void one_that_is_killed_is_not_said_to_have_lacked_memory(void **state)
{
	struct watched *watched = make_watched();
	struct pvk_error err;

	(void)state;
	assert_int_equal(run_watched(watched, kill_it, &err), -PVK_E_WORKER);
	assert_string_equal(
		err.msg,
		"the worker was killed (SIGKILL: by root, or by the kernel for want of memory)");
	(void)munmap(watched, sizeof(*watched));
}

/* A run from a hook may have none of the three standard descriptors. */
static void the_pipe_may_have_any_number(void **state)
{
	int saved[3];
	int r[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
	for (int closed = 0; closed < 3; closed++) {
		struct pvk_error err;
		struct reply reply;
		uint64_t n = 1;
		bool answered;

		(void)close(closed);
		r[closed] = run_job(answer, &n, &reply, &answered, &err);
	}
	for (int i = 0; i < 3; i++) {
		(void)dup2(saved[i], i);
		(void)close(saved[i]);
		assert_int_equal(r[i], 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_that_behaves_answers),
		cmocka_unit_test(a_failure_of_the_job_comes_with_its_sentence_and_reply),
		cmocka_unit_test(a_worker_writes_shared_memory_and_no_other),
		cmocka_unit_test(memory_within_the_limit_is_to_be_had),
		cmocka_unit_test(a_worker_that_tries_to_get_out_is_killed),
#ifndef PVK_SANITIZE
		cmocka_unit_test(memory_past_the_limit_is_not_to_be_had),
#endif
		cmocka_unit_test(a_worker_that_crashes_is_an_error),
		cmocka_unit_test(a_worker_cannot_write_beside_its_mapping),
		cmocka_unit_test(a_worker_cannot_make_its_file_grow),
		cmocka_unit_test(a_worker_cannot_write_its_parents_files),
		cmocka_unit_test(a_worker_that_never_ends_is_killed_for_its_processor_time),
		cmocka_unit_test(a_worker_without_a_whole_answer_is_an_error),
		cmocka_unit_test(a_worker_that_does_not_end_with_its_answer_is_an_error),
		cmocka_unit_test(an_impossible_result_is_an_error),
		cmocka_unit_test(a_workers_sentence_is_made_safe_for_terminals),
		cmocka_unit_test(an_answer_before_a_crash_is_not_believed),
		cmocka_unit_test(the_watcher_sees_the_progress),
		cmocka_unit_test(a_signal_to_the_parent_ends_the_worker_too),
		cmocka_unit_test(a_worker_is_filtered_and_gets_no_new_privileges),
		cmocka_unit_test(a_workers_ids_and_descriptors_are_given_up),
		cmocka_unit_test(no_other_user_can_stop_or_kill_a_worker),
		cmocka_unit_test(one_that_is_killed_is_not_said_to_have_lacked_memory),
		cmocka_unit_test(the_pipe_may_have_any_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
