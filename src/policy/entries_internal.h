/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries_internal.h - what the parts of entries.h share: one run over the boot entries. */
#ifndef PVK_ENTRIES_INTERNAL_H
#define PVK_ENTRIES_INTERNAL_H

#include "../bootcfg/bootgen.h"
#include "entries.h"
#include "entries_facts.h"
#include "entries_file.h"
#include "menus.h"

#define ENTRIES_GRUB_CFG "/boot/grub/grub.cfg"
#define ENTRIES_MENU_LST "/boot/grub/menu.lst"
#define ENTRIES_CFG_MAX	 ((size_t)4 << 20)

struct entries_work {
	const struct entries_request *request;
	const struct apply *apply;
	struct entries_facts facts;
	struct menus menus;
	struct entries *ret;
	bool has_grub_cfg; /* once grub.cfg is settled: there is one now, or would be */
	bool has_swept;	   /* what a killed run had left is gone now */
};

/* The parts, in the order in which they are run. */
void entries_settle_grub_cfg(struct entries_work *work);
void entries_settle_menu_lst(struct entries_work *work);
void entries_settle_pvboot(struct entries_work *work);

struct entry *entries_add(struct entries_work *work, const char *path);

/* Removes what a killed run left beside the file. */
void entries_sweep(struct entries_work *work, const struct entry_file *file);

/* Opens the entry's file and clears up beside it; where that fails, the entry has. */
bool entries_open(struct entries_work *work, struct entry *entry, size_t max,
		  struct entry_file *ret);

void entry_set(struct entry *entry, enum entry_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Keeps the difference between the file and what it is going to be, where it is asked for. */
void entry_note_diff(const struct entries_work *work, struct entry *entry,
		     const struct entry_file *file, struct bytes bytes);

/*
 * Puts bytes in the file's place unless they are there already; a dry run only says so. Sets state
 * and reason (of a change), and the diff where it is asked for.
 */
void entries_put(struct entries_work *work, struct entry *entry, const struct entry_file *file,
		 struct bytes bytes, const char *reason);

/*
 * What a menu has not, as it should: the first `count` of the kernels that the loader can start,
 * each with its initrd; and no kernel that is gone. False, with the sentence in `what`.
 */
bool entries_menu_is_complete(const struct entries_work *work, struct bytes menu, size_t count,
			      char *what, size_t size);

/* The owner of a menu is called, and what it made is looked at. */
void entries_run_owner(struct entries_work *work, struct entry *entry, const char *program,
		       const char *why, size_t count);

/*
 * The same without looking into it, 0 where there is no such menu. One that is gone or empty
 * afterwards, or that a failure left changed, is replaced by that of before.
 */
int entries_run_owner_guarded(const struct root *root, const char *path, const char *program,
			      struct pvk_error *err);

/* Does the profile's loader look for a menu.lst; for a grub.cfg; for a pvboot image? */
bool entries_reads_menu_lst(const struct entries_work *work);
bool entries_reads_grub_cfg(const struct entries_work *work);
bool entries_reads_pvboot(const struct entries_work *work);

#endif
