/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * faults - whole runs of pvkprep in which one thing goes wrong: each system call in turn fails, is
 * cut short, or is the last one before a signal; each allocation fails. After each, the tree must
 * be in a state that scenario.h's rules allow, and a normal run must repair it.
 *
 *	faults [--every N] [--only SCENARIO] PROGRAM DIRECTORY IMAGE OTHER-IMAGE MALLOC-LIBRARY
 *
 * Two packaged images of one kernel; DIRECTORY is scratch, a file system may be mounted on its
 *root/boot. N takes a sample: every Nth fault. Speaks TAP.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failmalloc.h"
#include "scenario.h"
#include "tracer.h"

#define SECONDS_MAX 90

static const struct kind {
	const char *name;
	enum fault_kind kind;
	int error;
	bool worker_only;
} kinds[] = {
	{"EIO", FAULT_ERROR, EIO, false},
	{"ENOSPC", FAULT_ERROR, ENOSPC, false},
	{"EDQUOT", FAULT_ERROR, EDQUOT, false},
	{"EROFS", FAULT_ERROR, EROFS, false},
	{"EINTR", FAULT_ERROR, EINTR, false},
	{"ENOMEM", FAULT_ERROR, ENOMEM, false},
	{"done, but EIO", FAULT_LATE, EIO, false},
	{"read-only from here on", FAULT_STUCK, EROFS, false},
	{"short", FAULT_SHORT, 0, false},
	{"SIGKILL", FAULT_KILL, 0, false},
	{"SIGTERM", FAULT_TERM, 0, false},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static unsigned every = 1;
static unsigned injections, violations;
static unsigned kind_count[KINDS + 2];

static struct failmalloc *allocations;
static char preload[PATH_MAX + 16], malloc_plan[PATH_MAX + 16];

/* What happened to one run, in the words of scenario_check(). */
static struct ending describe(const struct fault *fault, const struct traced *run)
{
	struct ending ending = {.is_ours = WIFEXITED(run->status), .hung = run->hung};
	const long number = run->injected ? run->hit : -1;

	ending.status = ending.is_ours ? WEXITSTATUS(run->status) : -1;
	if (!ending.is_ours) {
		const int wanted = fault->kind == FAULT_KILL   ? SIGKILL
				   : fault->kind == FAULT_TERM ? SIGTERM
							       : 0;

		ending.crashed = WTERMSIG(run->status) != wanted;
	}
	ending.may_leave_temp = (!ending.is_ours && fault->kind == FAULT_KILL) ||
				fault->kind == FAULT_STUCK || fault->kind == FAULT_LATE ||
				number == SYS_unlinkat || number == SYS_getdents64;
	ending.could_not_remove = number == SYS_unlinkat || fault->kind == FAULT_STUCK;
	ending.may_be_silent =
		number == SYS_write || (number == SYS_newfstatat && run->hit_argument <= 2);
	return ending;
}

static void tell(const char *scenario, const char *what, const char *reason)
{
	printf("# VIOLATION %s, %s: %s\n", scenario, what, reason);
	violations++;
}

static void inject_one(struct world *world, const struct call *call, size_t k)
{
	const struct fault fault = {
		.kind = kinds[k].kind,
		.error = kinds[k].error,
		.process = call->process,
		.call = call->call,
	};
	struct ending ending;
	struct traced run;
	const char *reason;
	char what[128], *name;

	world_reset(world);
	trace_run(world->argv, world_output(world), &fault, world->scenario->handicaps, false,
		  SECONDS_MAX, &run);
	injections += run.injected;
	kind_count[k] += run.injected;
	ending = describe(&fault, &run);
	reason = world_check(world, &ending);
	if (!reason)
		reason = world_repair(world, &ending);
	if (!reason)
		return;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)run.hit);
	(void)snprintf(what, sizeof(what), "%s at %s (process %d, call %u)", kinds[k].name,
		       name ? name : "?", call->process, call->call);
	free(name);
	tell(world->scenario->name, what, reason);
}

static bool applies(const struct call *call, const struct kind *kind)
{
	switch (kind->kind) {
	case FAULT_ERROR:
		return trace_can_fail(call->number);
	case FAULT_LATE:
	case FAULT_STUCK:
		return trace_can_be_late(call->number);
	case FAULT_SHORT:
		return trace_can_be_short(call->number);
	default:
		return true;
	}
}

/* The dynamic loader's calls end where main() closes what it inherited. */
static unsigned first_of_main(const struct traced *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		if (listing->calls[i].process == 0 && listing->calls[i].number == SYS_close_range)
			return listing->calls[i].call - 2; /* open and close of /dev/null */
	errx(2, "no close_range among the calls");
}

static void inject_calls(struct world *world)
{
	struct traced listing;
	unsigned first, chosen = 0, calls = 0;

	world_reset(world);
	trace_run(world->argv, world_output(world), NULL, world->scenario->handicaps, true,
		  SECONDS_MAX, &listing);
	first = first_of_main(&listing);
	for (size_t i = 0; i < listing.count; i++) {
		const struct call *call = &listing.calls[i];

		if (call->process == 0 && call->call < first)
			continue;
		calls++;
		for (size_t k = 0; k < KINDS; k++) {
			if (!applies(call, &kinds[k]))
				continue;
			/* Programs that it starts are others' work: only what a kill leaves. */
			if (!call->is_ours && kinds[k].kind != FAULT_KILL)
				continue;
			if (chosen++ % every == 0)
				inject_one(world, call, k);
		}
	}
	free(listing.calls);
	printf("# %s: %u system calls\n", world->scenario->name, calls);
}

/* --- allocations --- */

/*
 * Libraries that end the program when memory is short (json-c 0.16: in its parser): allowed, since
 * the rules hold after a kill too; but counted.
 */
static unsigned deaths;

static struct ending run_without_memory(struct world *world, unsigned fail_at, bool and_all_later)
{
	char *const environment[] = {preload, malloc_plan, NULL};
	struct ending ending = {0};
	int status;

	*allocations = (struct failmalloc){.fail_at = fail_at, .and_all_later = and_all_later};
	status = world_run(world, environment, SECONDS_MAX);
	ending.is_ours = WIFEXITED(status);
	ending.status = ending.is_ours ? WEXITSTATUS(status) : -1;
	ending.hung = status == -1;
	deaths += !ending.is_ours;
	return ending;
}

static void inject_allocations(struct world *world)
{
	unsigned count;

	if (world->scenario->handicaps)
		return; /* the same allocations as without */
	world_reset(world);
	(void)run_without_memory(world, 0, false);
	count = allocations->count;
	for (unsigned i = 0; i < 2 * count; i++) {
		struct ending ending;
		const char *reason;
		char what[64];

		if ((i / 2 + i % 2) % every != 0)
			continue;
		world_reset(world);
		ending = run_without_memory(world, i / 2 + 1, i % 2);
		ending.may_leave_temp = true; /* opendir(3) of the sweep */
		injections++;
		kind_count[KINDS + i % 2]++;
		(void)snprintf(what, sizeof(what), "allocation %u%s", i / 2 + 1,
			       i % 2 ? " and all later ones" : "");
		reason = world_check(world, &ending);
		if (!reason)
			reason = world_repair(world, &ending);
		if (reason)
			tell(world->scenario->name, what, reason);
	}
	printf("# %s: %u allocations\n", world->scenario->name, count);
}

static void map_allocations(const char *directory, const char *library)
{
	char path[PATH_MAX];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/allocations", directory);
	(void)snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", library);
	(void)snprintf(malloc_plan, sizeof(malloc_plan), "PVK_MALLOC=%s", path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(*allocations)) < 0)
		err(2, "%s", path);
	allocations = mmap(NULL, sizeof(*allocations), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (allocations == MAP_FAILED)
		err(2, "mmap");
	(void)close(fd);
}

static void report(void)
{
	for (size_t k = 0; k < KINDS; k++)
		printf("# %-24s %6u\n", kinds[k].name, kind_count[k]);
	printf("# %-24s %6u\n", "no memory, once", kind_count[KINDS]);
	printf("# %-24s %6u\n", "no memory, from there on", kind_count[KINDS + 1]);
	printf("# %-24s %6u\n", "  of these, died of it", deaths);
	printf("# %u faults, %u violations\n", injections, violations);
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	struct world world;
	unsigned done = 0;

	for (; argc > 2 && strncmp(argv[1], "--", 2) == 0; argc -= 2, argv += 2)
		if (strcmp(argv[1], "--every") == 0)
			every = (unsigned)strtoul(argv[2], NULL, 10);
		else
			only = argv[2];
	if (argc != 6 || every == 0)
		errx(2, "see the head of tests/torture/faults.c");
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	world_init(&world, argv[1], argv[2], argv[3], argv[4]);
	map_allocations(argv[2], argv[5]);
	for (const struct scenario *scenario = scenarios; scenario->name; scenario++) {
		const unsigned faults_before = injections, violations_before = violations;

		if ((only && strcmp(only, scenario->name) != 0) ||
		    !world_offers(&world, scenario->needs))
			continue;
		world_begin(&world, scenario);
		inject_calls(&world);
		inject_allocations(&world);
		printf("%sok %u - %s: old or new and whole after each of %u faults\n",
		       violations > violations_before ? "not " : "", ++done, scenario->name,
		       injections - faults_before);
	}
	printf("1..%u\n", done);
	report();
	world_done(&world);
	return violations > 0 || injections == 0;
}
