/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tracer.h - runs a program under ptrace(2) and lets one of its system calls go wrong. The kernel
 * stops the program at each call that it makes, by whatever way (the C library, a raw call, a
 * library): none is missed, in the program itself, its worker, and the programs that it starts.
 */
#ifndef TORTURE_TRACER_H
#define TORTURE_TRACER_H

#include <stdbool.h>
#include <stddef.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_ERROR, /* the call is not made, and answers `error` */
	FAULT_LATE,  /* the call is made, and answers `error` all the same */
	FAULT_STUCK, /* from this call on, every one that would change a file system fails so */
	FAULT_SHORT, /* half the bytes; for read, write and their like */
	FAULT_KILL,  /* SIGKILL to the process that makes the call, before it is made */
	FAULT_TERM,  /* SIGTERM, the same */
};

struct fault {
	enum fault_kind kind;
	int error;
	int process;   /* 0: the program, 1, 2, ...: its children in the order of their birth */
	unsigned call; /* the how-manieth call of that process, from 0 */
};

/* Calls that always answer this error; ends with an error of 0. */
struct handicap {
	long number;
	int error;
};

struct call {
	int process;
	unsigned call;
	long number;
	bool is_ours; /* neither the dynamic loader's before main() nor another program's */
};

struct traced {
	int status; /* of the program, as waitpid(2) has it */
	bool hung;
	bool injected;		/* the fault's call was reached */
	long hit, hit_argument; /* with that: it, and its first argument; runs differ a little */
	struct call *calls;	/* malloc'ed; only if asked for */
	size_t count;
};

/*
 * Runs argv, its stdout and stderr going to out_fd. Returns when it and all its children are gone,
 * or kills them after `seconds`. Exits on trouble of its own.
 */
void trace_run(char *const argv[], int out_fd, const struct fault *fault,
	       const struct handicap *handicaps, bool list_calls, unsigned seconds,
	       struct traced *ret);

/* Can the kernel fail this call at all? Not brk(2), which the C library shrinks unchecked. */
bool trace_can_fail(long number);

/* Does it move bytes, so that it may move fewer than asked? */
bool trace_can_be_short(long number);

/* Does it change a file system, so that it may have done so and fail all the same? */
bool trace_can_be_late(long number);

#endif
