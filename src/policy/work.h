/* SPDX-License-Identifier: GPL-2.0-or-later */
/* work.h - one kernel on its way through apply_prepare(): what its steps hand on to each other. */
#ifndef PVK_WORK_H
#define PVK_WORK_H

#include "../system/infile.h"
#include "../system/scratch.h"
#include "apply.h"
#include "originals.h"
#include "record.h"

struct work {
	const struct apply *apply;
	const struct kernel *kernel;
	struct outcome *outcome;
	struct originals originals; /* as found */
	struct infile in_place;	    /* vmlinuz-<version>; read when it was needed */
	struct infile kept;	    /* packaged-<version>; likewise */
	const struct infile *file;  /* the one of the two that the source comes from */
	struct bytes source; /* what is prepared: that file, or the packaged image that it holds */
	uint8_t *cut;	     /* owned: the latter */
	struct bytes
		inside; /* what is decoded: the source, or the bzImage that is compressed in it */
	struct scratch unwrapped; /* the latter */
	struct record record;	  /* with has_record, or after provenance_find() */
	bool has_record;
	bool is_recorded;  /* the image in place is the one that the record tells of */
	bool is_ours;	   /* likewise, or told by the files: provenance_find() */
	bool has_original; /* provenance_find(): the kept image is what the one in place holds, or
			      was made from */
	bool is_update; /* provenance_find(): from another packaged image than the last one, which
			   decodes to the same */
	bool is_owned;	/* dpkg has the image in a list */
};

#define WORK_INIT(apply_, kernel_)              \
	((struct work){.apply = (apply_),       \
		       .kernel = (kernel_),     \
		       .in_place = INFILE_INIT, \
		       .kept = INFILE_INIT})

void work_done(struct work *work);

#define _cleanup_work_ _cleanup_(work_done)

/* --- source.c: what is prepared --- */

/* Reads the source: the kept image where dpkg writes that, else the one in place. */
int source_find(struct work *work, struct pvk_error *err);

/* The kept image instead; or the one that the hybrid in place holds, if it is a sound image: a
 * failure of that leaves the source as it was. */
int source_take_kept(struct work *work, struct pvk_error *err);
int source_take_cut(struct work *work, struct pvk_error *err);

/*
 * Do the names of what was read still stand for those files, with the bytes that were read? Of the
 * image in place, too, where it is not the source: it is what will be replaced.
 */
int source_verify(const struct work *work, struct pvk_error *err);

/* Opens or reads one of the two files, if it is there and was not yet. */
bool source_open_in_place(struct work *work);
bool source_read_in_place(struct work *work);
bool source_read_kept(struct work *work);

/* Container, payload, size and digest of an image, as the source of a record. */
void source_describe(const struct image *image, struct bytes bytes, struct record *record);

#endif
