/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenario.h - a run of pvkprep on a small tree, what the tree is before it and after it, and the
 * rules that hold for whatever lies between:
 *
 *   - every file is as it was before, or as a run without a fault leaves it: bytes, owner, mode
 *     (records and notes, which may be lost, and temporary files apart; where a damaged update is
 *     refused, the kernel may also be as packaged);
 *   - each packaged image is there, byte for byte, under one of its names;
 *   - the file system is not left frozen;
 *   - no name appears that is neither before nor after, but a temporary one, and that only when
 *     the program had no chance to remove it;
 *   - exit status 0 means that all was done (not for a hook), another one that a message says why;
 *   - the same run again, without a fault, succeeds and leaves what it always leaves; and once
 *     more it writes nothing (a damaged kernel apart, which is tried again).
 */
#ifndef TORTURE_SCENARIO_H
#define TORTURE_SCENARIO_H

#include <limits.h>

#include "tracer.h"
#include "tree.h"

#define IMAGE	   "boot/vmlinuz-1"
#define PACKAGED   "boot/pvkprep/packaged-1"
#define REFUSED	   "boot/pvkprep/refused-1"
#define IMAGE_2	   "boot/vmlinuz-2"
#define PACKAGED_2 "boot/pvkprep/packaged-2"

struct world;

struct scenario {
	const char *name;
	const char *args[6];
	const char *config;
	const char *menu;  /* menu.lst; NULL: an administrator's own */
	const char *fstab; /* NULL: empty */
	const char *needs; /* a word of --help without which there is no such scenario */
	void (*setup)(struct world *world);
	const struct handicap *handicaps;
	const char *may_lag;	/* a file that a run may leave as it was and still be content */
	bool keeps_other;	/* the packaged image is the second one */
	bool gives_up_original; /* its package has it; the prepared one stays in its place */
	bool is_in_hybrid;	/* the packaged image is kept inside the hybrid alone */
	bool has_damaged;	/* kernel 2 is there, too, and damaged */
	bool has_refused;	/* an update of kernel 1 is there, too, and damaged */
	bool is_hook;		/* its exit status is 0 whatever happens */
};

extern const struct scenario scenarios[];

struct world {
	const struct scenario *scenario;
	const char *program;
	char root[PATH_MAX];
	char *argv[12];
	int output;		       /* what the program says, a memory file */
	void *image, *other, *damaged; /* the last has the size of the second */
	size_t image_size, other_size;
	char help[8192];
	struct snapshot before, after, now, again;
	char reason[512];
};

/* How a run ended. */
struct ending {
	bool is_ours; /* by itself, with `status` */
	int status;
	bool crashed; /* by a signal that nobody sent */
	bool hung;
	bool may_leave_temp;
	bool could_not_remove; /* it then stays until the next run that works in its directory */
	bool may_be_silent;
};

void world_init(struct world *world, const char *program, const char *directory, const char *image,
		const char *other);
void world_done(struct world *world);

/* Does --help know the word (NULL: yes)? */
bool world_offers(const struct world *world, const char *word);

/* Learns before and after from a run without a fault; exits if that does not work. */
void world_begin(struct world *world, const struct scenario *scenario);

/* The tree as before. */
void world_reset(struct world *world);

/* The output file, emptied. */
int world_output(struct world *world);

/* Runs it without tracing, with that environment; waitpid(2)'s status, or -1: killed after so many
 * seconds. */
int world_run(struct world *world, char *const environment[], unsigned seconds);

/* A sentence about the rule that is broken, or NULL. */
const char *world_check(struct world *world, const struct ending *ending);
const char *world_repair(struct world *world, const struct ending *ending);

#endif
