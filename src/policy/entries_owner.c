/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries_owner.c - a menu's owner is called, and what it made is looked at; see entries.h. */
#include <fcntl.h>
#include <string.h>

#include "../base/text.h"
#include "../system/disk.h"
#include "entries_internal.h"

/* A menu of ten kernels with its modules' lines has 30 kB. */
#define OWNER_ROOM (256u << 10)

/* What the owner would write; only grub-mkconfig can be asked without writing anything. */
static void foresee(struct entries_work *work, struct entry *entry, const char *program)
{
	_cleanup_entry_file_ struct entry_file file = ENTRY_FILE_INIT;
	_cleanup_free_ char *text = NULL;
	size_t size;

	if (work->request->want_diffs && work->menus.grub_mkconfig &&
	    program == work->menus.grub_cfg &&
	    entry_file_open(work->apply->root, entry->path, ENTRIES_CFG_MAX, &file, NULL) == 0 &&
	    menus_make_grub_cfg(&work->menus, &text, &size, NULL) == 0)
		entry_note_diff(work, entry, &file, bytes_make(text, size));
}

/* grub-mkconfig does not look whether its output fitted on the disk. */
static int check_room(const struct entries_work *work, struct pvk_error *err)
{
	_cleanup_close_ int dirfd = root_openat(work->apply->root, "/boot/grub", O_RDONLY);
	uint64_t missing;
	int r = dirfd < 0 ? 0 : disk_check_space(dirfd, OWNER_ROOM, &missing, err);

	return r == -PVK_E_NO_SPACE ? pvk_fail(err, PVK_E_NO_SPACE, "no space for a new menu") : r;
}

/* A menu that is gone, empty or cut short is worse than the old one. `failure` may be NULL. */
static void put_back(struct entry *entry, const struct entry_file *before, const char *program,
		     const char *failure)
{
	const char *what = failure ? "left a broken menu" : "wrote no menu";
	struct pvk_error err;

	if (before->bytes.size == 0)
		entry_set(entry, ENTRY_FAILED, "%s %s", program, what);
	else if (entry_file_replace(before, before->bytes, false, &err) < 0)
		entry_set(entry, ENTRY_FAILED, "%s %s; the old one: %s", program, what, err.msg);
	else
		entry_set(entry, ENTRY_FAILED,
			  failure ? "%s left a broken menu: the old one is back in place"
				  : "%s wrote no menu: the old one is back in place",
			  program);
	if (failure)
		entry_set(entry, ENTRY_FAILED, "%s (%s)", entry->reason, failure);
}

static bool is_same(const struct entry_file *a, const struct entry_file *b)
{
	return entry_file_exists(a) == entry_file_exists(b) && a->bytes.size == b->bytes.size &&
	       (a->bytes.size == 0 || memcmp(a->bytes.data, b->bytes.data, a->bytes.size) == 0);
}

/* Whole, as far as can be told: one that is cut short can list every kernel all the same. */
static bool is_good(const struct entries_work *work, const struct entry *entry,
		    const struct entry_file *file, size_t count)
{
	char what[PVK_ERROR_MSG_MAX];

	return file->bytes.size > 0 && file->bytes.data[file->bytes.size - 1] == '\n' &&
	       entries_menu_is_complete(work, file->bytes, count, what, sizeof(what)) &&
	       (strcmp(entry->path, ENTRIES_GRUB_CFG) != 0 ||
		menus_check_grub_cfg(file->fd, NULL) == 0);
}

/* The owner has failed, or was stopped: it may have been writing. */
static void clear_up(struct entries_work *work, struct entry *entry,
		     const struct entry_file *before, const char *program, const char *why,
		     size_t count, const char *failure)
{
	_cleanup_entry_file_ struct entry_file file = ENTRY_FILE_INIT;
	const bool is_open =
		entry_file_open(work->apply->root, entry->path, ENTRIES_CFG_MAX, &file, NULL) == 0;

	entry_set(entry, ENTRY_FAILED, "%s: %s", why, failure);
	if (is_open && is_same(before, &file))
		return;
	work->ret->wrote = true;
	if (is_open && is_good(work, entry, &file, count))
		entry_note_diff(work, entry, before, file.bytes);
	else
		put_back(entry, before, program, failure);
}

/* The owner has run: is the file new, and is everything in it? */
static void verify(struct entries_work *work, struct entry *entry, const struct entry_file *before,
		   const char *program, const char *why, size_t count)
{
	_cleanup_entry_file_ struct entry_file file = ENTRY_FILE_INIT;
	char what[PVK_ERROR_MSG_MAX];
	struct pvk_error err;

	if (entry_file_open(work->apply->root, entry->path, ENTRIES_CFG_MAX, &file, &err) < 0) {
		entry_set(entry, ENTRY_FAILED, "%s", err.msg);
		return;
	}
	work->ret->wrote = true;
	if (file.bytes.size == 0) {
		put_back(entry, before, program, NULL);
		return;
	}
	entry_note_diff(work, entry, before, file.bytes);
	if (!entries_menu_is_complete(work, file.bytes, count, what, sizeof(what)))
		entry_set(entry, ENTRY_INCOMPLETE, "%s ran, but the menu %s", program, what);
	else
		entry_set(entry, ENTRY_RENEWED, "%s; %s", why, program);
}

void entries_run_owner(struct entries_work *work, struct entry *entry, const char *program,
		       const char *why, size_t count)
{
	_cleanup_entry_file_ struct entry_file before = ENTRY_FILE_INIT;
	struct pvk_error err;

	if (work->request->is_kernel_hook) {
		entry_set(entry, ENTRY_LEFT, "%s; left to %s", why, program);
	} else if (!work->apply->root->is_live) {
		entry_set(entry, ENTRY_INCOMPLETE, "%s: run  chroot %s %s", why,
			  text_escape(work->apply->root->path).s, program);
	} else if (work->apply->dry_run) {
		foresee(work, entry, program);
		entry_set(entry, ENTRY_WOULD_RENEW, "%s; %s", why, program);
	} else if (entry_file_open(work->apply->root, entry->path, ENTRIES_CFG_MAX, &before, &err) <
			   0 ||
		   check_room(work, &err) < 0) {
		entry_set(entry, ENTRY_FAILED, "%s: %s", why, err.msg);
	} else if (menus_run(program, &err) < 0) {
		clear_up(work, entry, &before, program, why, count, err.msg);
	} else {
		verify(work, entry, &before, program, why, count);
	}
}

/* --- nothing is known but that there are other kernels than before --- */

int entries_run_owner_guarded(const struct root *root, const char *path, const char *program,
			      struct pvk_error *err)
{
	_cleanup_entry_file_ struct entry_file before = ENTRY_FILE_INIT, after = ENTRY_FILE_INIT;
	struct pvk_error why = {0};
	int r = entry_file_open(root, path, ENTRIES_CFG_MAX, &before, err);

	if (r < 0 || !entry_file_exists(&before))
		return r;
	r = menus_run(program, &why);
	if (entry_file_open(root, path, ENTRIES_CFG_MAX, &after, NULL) == 0 &&
	    (is_same(&before, &after) || (r == 0 && after.bytes.size > 0)))
		return r < 0 ? pvk_fail(err, why.code, "%s", why.msg) : 0;
	if (r == 0)
		(void)pvk_fail(&why, PVK_E_REFUSED, "%s wrote no menu", program);
	if (entry_file_replace(&before, before.bytes, false, err) < 0) {
		pvk_error_prefix(err, "%s; the old menu cannot be put back", why.msg);
		return -why.code;
	}
	return pvk_fail(err, why.code, "%s; the old menu is back in place", why.msg);
}

int entries_refresh_menus(const struct root *root, struct pvk_error *err)
{
	struct menus menus;
	int r = 0;

	menus_find(root, &menus);
	if (menus.grub_cfg)
		r = entries_run_owner_guarded(root, ENTRIES_GRUB_CFG, menus.grub_cfg, err);
	if (r == 0 && menus.menu_lst)
		r = entries_run_owner_guarded(root, ENTRIES_MENU_LST, menus.menu_lst, err);
	return r;
}
