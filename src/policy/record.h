/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h - what was done to one kernel, in /boot/pvkprep/<version>.json, so that the next run
 * needs a few stat calls instead of reading the image again. It can be lost at any time: then the
 * image is examined anew. It is never believed against the files.
 *
 *	{ "schema": 1, "tool": "0.1.0", "state": "prepared", "format": "elf", "loader": "pvgrub",
 *	  "source": { "container": "bzimage", "payload": "lz4", "size": …, "md5": …, "digest": …,
 *	              "kept": "divert", "inode": …, "mtime": "<s>.<ns>" },
 *	  "result": { "size": …, "digest": …, "inode": …, "mtime": "<s>.<ns>", "ctime": "<s>.<ns>" }
 *}
 *
 * "kept" instead of "prepared": the image was examined, and left as it is, since the loader can
 * read it; source is then the same file as result. "withheld": it could not be prepared and was
 * taken out of /boot; there is no result, but a "reason" with code and text. "kept" tells how the
 * original is kept: "divert" (dpkg itself writes it there), "stash" (it could be diverted: dpkg
 * owns it), "foreign" (no package does), "earlier" (an update over it was refused: refuse.h),
 * "none"; inode and mtime are those of the kept file.
 */
#ifndef PVK_RECORD_H
#define PVK_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "../system/digest.h"
#include "bootdir.h"

enum record_state {
	RECORD_PREPARED,
	RECORD_KEPT,
	RECORD_WITHHELD
};

struct record {
	enum record_state state;
	char format[16];    /* config_format_name() of the result; of a kept image "" */
	char loader[16];    /* the loader family that it was judged for (loader_name()) */
	char container[16]; /* of the source */
	char payload[16];
	uint64_t source_size;
	struct digest_text source_md5; /* empty: dpkg lists none */
	struct digest_text source_digest;
	char kept[16];	       /* "divert", ..., "none"; empty: not recorded */
	uint64_t source_inode; /* of packaged-<version>; 0: there was none */
	struct timespec source_mtime;
	uint64_t result_size;
	struct digest_text result_digest;
	uint64_t inode;
	struct timespec mtime, ctime;
	struct pvk_error reason; /* RECORD_WITHHELD: why; code 0: not recorded */
};

/* Reads the record. 1, or 0 if there is none that can be used (absent, damaged, newer schema). */
int record_load(const struct bootdir *boot, const struct kernel *kernel, struct record *ret);

/* Takes inode and times from st, and writes the record. */
int record_store(const struct bootdir *boot, const struct kernel *kernel, struct record *record,
		 const struct stat *st, struct pvk_error *err);

/* Takes the identity of the kept file from st (NULL: nothing is kept). */
void record_set_source(struct record *record, const struct stat *st);

/* Is st (NULL: nothing is kept) the original that the record speaks of? */
bool record_matches_source(const struct record *record, const struct stat *st);

/* Removes it; an absent one is fine. */
void record_remove(const struct bootdir *boot, const struct kernel *kernel);

/* Adds to the record of a withheld kernel why it is. Best effort. */
void record_note_reason(const struct bootdir *boot, const struct kernel *kernel,
			const struct pvk_error *reason);

/* Is st the file that the record speaks of, untouched since? */
bool record_matches(const struct record *record, const struct stat *st);

#endif
