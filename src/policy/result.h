/* SPDX-License-Identifier: GPL-2.0-or-later */
/* result.h - what takes the place of an image: its form, its size, its bytes, and their proof. */
#ifndef PVK_RESULT_H
#define PVK_RESULT_H

#include "../system/outfile.h"
#include "../system/scratch.h"
#include "work.h"

struct result {
	enum config_format format; /* elf or hybrid */
	uint64_t size;		   /* of the file */
	struct digest_text digest; /* after result_write() */
	struct stat st;		   /* of the file, once it is on disk */

	/* Hybrid: */
	struct scratch scratch;
	struct bytes elf, gzip; /* in scratch */
	struct digest_text elf_digest;
};

void result_done(struct result *result);

#define _cleanup_result_ _cleanup_(result_done)

/* A bare ELF of the source: image_size is what is needed, and nothing is unpacked yet. */
void result_plan_elf(const struct work *work, struct result *ret);

/*
 * A hybrid: unpacks and checks the source and compresses what came out, into scratch memory, so
 * that the size is known to the byte. -PVK_E_UNSUPPORTED if the source cannot become one.
 */
int result_pack_hybrid(struct work *work, struct result *ret, struct pvk_error *err);

/*
 * Fills `out`, which has room for exactly result->size bytes, and proves it: every loader family
 * starts what is in it, by the worker's account and by root's own look (elfcheck.h) once the worker
 * is gone. For a hybrid what the finished file decodes to is the ELF that was put into it, and what
 * is cut out of it is the source.
 */
int result_write(struct work *work, struct result *result, struct outfile *out,
		 struct pvk_error *err);

#endif
