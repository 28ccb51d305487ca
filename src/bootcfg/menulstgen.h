/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * menulstgen.h - writes menu.lst as Debian's update-menu-lst (pv-grub-menu 1.3) and update-grub
 * (grub-legacy 0.97-80) do: entries between two marker lines, made by the options that stand there
 * as comments. Not a byte outside the markers changes (one exception: updatedefaultentry, below).
 */
#ifndef PVK_MENULSTGEN_H
#define PVK_MENULSTGEN_H

#include "../base/bytes.h"
#include "../base/errors.h"
#include "bootgen.h"

#define MENULSTGEN_BEGIN "### BEGIN AUTOMAGIC KERNELS LIST"
#define MENULSTGEN_END	 "### END DEBIAN AUTOMAGIC KERNELS LIST"

/* Largest menu.lst that is rewritten: pygrub reads no more (FS_READ_MAX). */
#define MENULSTGEN_FILE_MAX ((size_t)1 << 20)

/* What a new file, or an option that the file does not have, gets. No control characters. */
struct menulstgen_defaults {
	const char *kopt;    /* "root=UUID=... ro" */
	const char *groot;   /* "(hd0)" or "(hd0,0)" */
	const char *title;   /* "Debian GNU/Linux" */
	const char *console; /* "hvc0": " console=hvc0" is added to kopt above if that names none,
				not to a kopt of the file; NULL: nothing is added */
};

enum menulstgen_outcome {
	MENULSTGEN_SAME,    /* the file is right as it is */
	MENULSTGEN_CHANGED, /* write `text` */
	MENULSTGEN_CREATED, /* there was no file, or an empty one: write `text` */
	MENULSTGEN_FOREIGN, /* the admin's: do not write; `text` is what could be added */
};

struct menulstgen_note {
	const char *text; /* a sentence for the admin */
	struct menulstgen_note *next;
};

struct arena;

struct menulstgen_file {
	enum menulstgen_outcome outcome;
	struct bytes text;   /* the whole new file; FOREIGN: entries to add, nothing else */
	const char *foreign; /* FOREIGN: why, "line 7: a second ### BEGIN ..."; else NULL */
	struct menulstgen_note *notes;
	bool has_kopt;	      /* the file had a kopt of its own; else the defaults' is used */
	unsigned listed;      /* kernels with an entry (once each, alternatives not counted) */
	struct arena *memory; /* of all the above */
};

/*
 * `old`: the file's bytes, size 0 when there is none. `kernels`: newest first; all that are to be
 * listed, and at least one (else -PVK_E_REFUSED: an empty menu is worse than an old one).
 *
 * Markers: one of each, BEGIN first, each alone on its line (blanks and CR may follow). Anything
 * else (none, twice, only one, wrong order, text behind one, a NUL byte) makes it the admin's file.
 * New lines end as the BEGIN line does.
 *
 * Between the markers, what stands before the first title stays as it is, with the admin's comments
 * and options, except for commands other than splashimage; only where the options ("## ## Start
 * Default Options ##" to "## ## End Default Options ##") are not all there are they written anew,
 * with the values found. Then the entries follow, then the end marker. Options are read as the
 * scripts read them, but without a shell (no `$`, `*` or quote has a meaning): comment lines of the
 * form NAME=VALUE, words joined by one blank, a name given twice is one value.
 *
 *   kopt         the kernel's command line. kopt_x_y_z instead: the longest that fits the version,
 *                by whole numbers or words of it; of two with one name the last, none if empty
 *   defoptions   behind kopt, but not in the entries of altoptions
 *   groot        for the line `root` of every entry
 *   alternative  "false": no entries of altoptions (`recovery` is its old name)
 *   altoptions   each "(for the title) for the kernel" is an entry more; those outside the options
 *                do not count (update-menu-lst copies them in again with every run)
 *   lockalternative, lockold, savedefault
 *                "true": a line `lock` or `savedefault`; lockold not for the first kernel
 *   howmany      a number, else "all"; below 1 counts as 1, with a note
 *   memtest86, xenhopt, xenkopt
 *                stay, and make no entry: neither memtest86 nor a hypervisor runs in a PV guest
 *   updatedefaultentry
 *                "true": the number in the one line `default` above is changed so that it means the
 *                same title as before (0 when that is gone). `default saved`, no such line, or two:
 *                left alone, with a note
 *
 * A kernel whose version or path is not bootgen_is_plain() gets no entry but a note. A second run
 * on the result is always MENULSTGEN_SAME.
 *
 * -PVK_E_LIMIT, -ENOMEM, -PVK_E_REFUSED (no kernel; a default that cannot be written).
 */
int menulstgen_make(struct bytes old, const struct bootgen_kernel *kernels, size_t n_kernels,
		    const struct menulstgen_defaults *defaults, struct menulstgen_file **ret,
		    struct pvk_error *err);

/* NULL is fine. */
void menulstgen_free(struct menulstgen_file *file);

static inline void menulstgen_free_pointer(struct menulstgen_file **file)
{
	menulstgen_free(*file);
}

#endif
