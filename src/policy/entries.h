/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * entries.h - the boot entries, kept right: grub.cfg, menu.lst, the pvboot images. A prepared
 * kernel that no menu names does not boot.
 *
 * Each file has one owner: the program that Debian has for it (menus.h), or the administrator, or
 * us where there is nobody else. Only what is ours is written here; an owner is called where a
 * kernel that the loader can start has no entry, or an entry's kernel is gone. Then the boot model
 * tells whether the guest comes back.
 */
#ifndef PVK_ENTRIES_H
#define PVK_ENTRIES_H

#include "apply.h"
#include "bootmodel.h"

#define ENTRIES_MAX 4 /* grub.cfg, menu.lst, two pvboot images */

enum entry_state {
	ENTRY_OFF,	   /* the configuration says never */
	ENTRY_ABSENT,	   /* not there, and not needed */
	ENTRY_CURRENT,	   /* right as it is */
	ENTRY_WRITTEN,	   /* by us, in this run */
	ENTRY_RENEWED,	   /* by its owner, which we called */
	ENTRY_MOVED,	   /* broken, and now out of the loader's way */
	ENTRY_WOULD_WRITE, /* dry run */
	ENTRY_WOULD_RENEW, /* dry run */
	ENTRY_WOULD_MOVE,  /* dry run */
	ENTRY_LEFT,	   /* its owner runs after us, in this same run of the package manager */
	ENTRY_INCOMPLETE,  /* not as it should be, and not ours to mend: the reason says how */
	ENTRY_BROKEN,	   /* a pvboot image that does not start */
	ENTRY_FAILED,	   /* could not be made right */
	ENTRY_STATE_COUNT
};

struct entry {
	const char *path; /* in the guest */
	enum entry_state state;
	char reason[PVK_ERROR_MSG_MAX]; /* may be empty */
	char *diff;	  /* owned; unified, raw bytes; NULL where nothing would change or none was
			     asked for */
	char *suggestion; /* owned; what an administrator could add; NULL: nothing */
};

struct entries {
	struct entry items[ENTRIES_MAX];
	size_t count;
	bool wrote;    /* something on disk is new */
	bool is_known; /* nothing has changed since an earlier run, so nothing was looked at */
	bool is_verdict_known; /* with is_known: it found this */
	enum boot_verdict known_verdict;
	struct bootmodel *model; /* owned; NULL: the next boot was not judged */
};

struct entries_request {
	const struct apply *apply; /* its boot is locked, unless dry_run */
	enum guest_mode guest;
	bool is_kernel_hook; /* owners run after us: only what is ours is touched, nothing judged */
	bool judges_only;    /* nothing is touched, and nothing noted */
	bool is_doubt_known; /* an unknown verdict that was told before need not be told again */
	bool want_diffs;
	bool look_anyway;     /* also where nothing has changed since */
	bool assume_prepared; /* dry run: the kernels that would be prepared count as ready */
};

/* Always fills *ret (entries_done()); negative if a file could not be made right. */
int entries_settle(const struct entries_request *request, struct entries *ret);

void entries_done(struct entries *entries);

#define _cleanup_entries_ _cleanup_(entries_done)

/* What was noted of a run that found all right; for when pvkprep or the kernels' state goes. */
void entries_forget(const struct bootdir *boot);

/*
 * Has the owners of the menus that are there write them anew. The first failure, or 0; a menu that
 * an owner spoilt is again as it was.
 */
int entries_refresh_menus(const struct root *root, struct pvk_error *err);

/* "current", "written", ...: stable names for JSON. */
const char *entry_state_name(enum entry_state state);

/* Is it something that the administrator has to know: INCOMPLETE, BROKEN, FAILED? */
bool entry_needs_attention(const struct entry *entry);

/* Has something become, or would become, new? */
bool entry_is_change(const struct entry *entry);

#endif
