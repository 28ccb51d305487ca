/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply.h - carries out what was decided for one kernel: prepare it, or put the packaged image
 * back. One transaction a kernel; whatever fails, the name vmlinuz-<version> always stands for a
 * whole image, the old or the new one.
 */
#ifndef PVK_APPLY_H
#define PVK_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "../formats/image.h"
#include "../system/worker.h"
#include "bootdir.h"
#include "config.h"
#include "record.h"

struct apply {
	const struct root *root;
	const struct config *config;
	struct bootdir *boot; /* locked, unless dry_run */
	bool force;	      /* against a wrong MD5, and a doubtful kept image */
	bool dry_run;	      /* decide and check, write nothing */
	bool is_unpacking; /* dpkg is at work on this kernel's package: its lists are not in place
			      yet */
	bool leave_initrd_room; /* somebody writes an initrd into /boot after us */
	const struct worker_watch *watch;
};

enum outcome_kind {
	OUTCOME_FAILED,	       /* see the error */
	OUTCOME_PREPARED,      /* done in this run */
	OUTCOME_ALREADY,       /* prepared by an earlier run, untouched since */
	OUTCOME_KEPT,	       /* the loader reads it as it is */
	OUTCOME_WOULD_PREPARE, /* dry run */
	OUTCOME_RESTORED,
	OUTCOME_WOULD_RESTORE, /* dry run */
	OUTCOME_PACKAGED,      /* nothing to restore: the image is the packaged one */
	OUTCOME_COUNT
};

struct outcome {
	enum outcome_kind kind;
	bool wrote;	/* something on disk is new */
	bool has_image; /* `image` tells what was found */
	struct image image;
	enum config_format format; /* of what is prepared: elf or hybrid */
	bool lacks_original;	   /* another form is wanted, and there is nothing to make it of */
	bool lacks_room;	   /* the same, and there is no room for it */
	uint64_t old_size;	   /* bytes; 0: not known */
	uint64_t new_size;
	uint64_t missing;    /* -PVK_E_NO_SPACE: bytes that are missing */
	bool fits_as_hybrid; /* then: a hybrid would not lack them */
	bool has_packaged;   /* an original is kept now */
	bool is_diverted;    /* by dpkg itself */
	bool was_absent;     /* there was no such image in /boot before */
	struct pvk_error
		stash_reason;	/* why the original is stashed, not diverted; code 0: no reason */
	bool is_md5_overridden; /* md5_package's list has another sum, and force was given */
	char md5_package[128];	/* its list has the MD5 of the source; empty: none has */
	double seconds;		/* wall clock */
	struct pvk_error error; /* OUTCOME_FAILED */
};

/* Prepares one kernel. *ret is always filled; its error's message does not name the file. */
int apply_prepare(const struct apply *apply, const struct kernel *kernel, struct outcome *ret);

/* Puts the packaged image of one kernel back. */
int apply_restore(const struct apply *apply, const struct kernel *kernel, struct outcome *ret);

/* Does the record's image need nothing under this configuration? (If record_matches() it.) */
bool apply_is_current(const struct record *record, const struct config *config);

/* "prepared", "already", "kept", ...: stable names for JSON. */
const char *outcome_name(enum outcome_kind kind);

#endif
