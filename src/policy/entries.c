/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries.c - see entries.h: one run over the files, and what they have in common. */
#include "entries.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "../base/udiff.h"
#include "entries_internal.h"
#include "entries_note.h"
#include "entries_scan.h"

struct entry *entries_add(struct entries_work *work, const char *path)
{
	struct entry *entry = &work->ret->items[work->ret->count++];

	*entry = (struct entry){.path = path, .state = ENTRY_CURRENT};
	return entry;
}

void entries_sweep(struct entries_work *work, const struct entry_file *file)
{
	if (!work->apply->dry_run)
		work->has_swept |= entry_file_sweep(file) > 0;
}

bool entries_open(struct entries_work *work, struct entry *entry, size_t max,
		  struct entry_file *ret)
{
	struct pvk_error err;

	if (entry_file_open(work->apply->root, entry->path, max, ret, &err) < 0) {
		entry_set(entry, ENTRY_FAILED, "%s", err.msg);
		return false;
	}
	entries_sweep(work, ret);
	return true;
}

void entry_set(struct entry *entry, enum entry_state state, const char *fmt, ...)
{
	char reason[sizeof(entry->reason)]; /* the old one may be among the arguments */
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	entry->state = state;
	memcpy(entry->reason, reason, sizeof(reason));
}

/* --- what the profile's loader looks at (bootmodel.c has the places themselves) --- */

bool entries_reads_menu_lst(const struct entries_work *work)
{
	return work->apply->config->profile != PROFILE_DEBIAN;
}

bool entries_reads_grub_cfg(const struct entries_work *work)
{
	return work->apply->config->profile != PROFILE_PV_GRUB;
}

bool entries_reads_pvboot(const struct entries_work *work)
{
	const enum config_profile profile = work->apply->config->profile;

	return profile == PROFILE_BITFOLK || profile == PROFILE_DEBIAN;
}

/* --- what a menu names --- */

/* Does a path of a menu lead to this file of the tree? On a /boot of its own, "/" is /boot. */
static bool leads_to(const struct entries_work *work, const char *path, const struct stat *wanted)
{
	static const char *const tops[] = {"", "/boot"};

	for (size_t i = 0; i < 2; i++) {
		_cleanup_close_ int fd = -1;
		char full[1100];
		struct stat st;

		(void)snprintf(full, sizeof(full), "%s%s", tops[i], path);
		fd = root_openat(work->apply->root, full, O_PATH);
		if (fd >= 0 && fstat(fd, &st) == 0 &&
		    (!wanted || (st.st_dev == wanted->st_dev && st.st_ino == wanted->st_ino)))
			return true;
	}
	return false;
}

static bool has_initrd_of(const struct entries_work *work, const struct entries_scan *scan,
			  const struct entries_kernel *kernel)
{
	char paths[sizeof(scan->initrd)], *path, *rest = paths;

	if (!kernel->has_initrd)
		return true;
	memcpy(paths, scan->initrd, sizeof(paths));
	while ((path = strsep(&rest, " ")) != NULL)
		if (entries_scan_is_opaque(path) || leads_to(work, path, &kernel->initrd))
			return true;
	return false;
}

/* A path with a variable in it is compared by its last component. */
static bool is_image_of(const struct entries_work *work, const char *path,
			const struct entries_kernel *kernel)
{
	const char *slash = strrchr(path, '/');

	if (entries_scan_is_opaque(path))
		return slash && strcmp(slash + 1, kernel->kernel->file) == 0;
	return leads_to(work, path, &kernel->image);
}

static bool lists(const struct entries_work *work, struct bytes menu,
		  const struct entries_kernel *kernel)
{
	struct entries_scan scan = entries_scan_begin(menu);

	while (entries_scan_next(&scan))
		if (is_image_of(work, scan.kernel, kernel) && has_initrd_of(work, &scan, kernel))
			return true;
	return false;
}

static bool names_lost_kernel(const struct entries_work *work, struct bytes menu, char *what,
			      size_t size)
{
	struct entries_scan scan = entries_scan_begin(menu);

	while (entries_scan_next(&scan)) {
		const char *slash = strrchr(scan.kernel, '/');

		if (!slash || entries_scan_is_opaque(scan.kernel) ||
		    strncmp(slash + 1, PVK_IMAGE_PREFIX, strlen(PVK_IMAGE_PREFIX)) != 0 ||
		    leads_to(work, scan.kernel, NULL))
			continue;
		(void)snprintf(what, size, "names %s, which is not there",
			       text_escape(scan.kernel).s);
		return true;
	}
	return false;
}

bool entries_menu_is_complete(const struct entries_work *work, struct bytes menu, size_t count,
			      char *what, size_t size)
{
	const struct entries_facts *facts = &work->facts;
	size_t used = 0;

	for (size_t i = 0; i < facts->count && i < count; i++) {
		if (lists(work, menu, &facts->kernels[i]) || used >= size)
			continue;
		used += (size_t)snprintf(what + used, size - used, "%s%s",
					 used ? ", " : "has no entry for ",
					 text_escape(facts->kernels[i].kernel->version).s);
	}
	return used == 0 && !names_lost_kernel(work, menu, what, size);
}

/* --- writing --- */

void entry_note_diff(const struct entries_work *work, struct entry *entry,
		     const struct entry_file *file, struct bytes bytes)
{
	size_t size;

	/* Of an image nobody wants to read one. */
	if (!work->request->want_diffs || memchr(bytes.data, '\0', bytes.size))
		return;
	free(entry->diff);
	entry->diff = NULL;
	if (udiff_make(file->bytes, bytes, entry_file_exists(file) ? file->path : "/dev/null",
		       file->path, &entry->diff, &size, NULL) < 0)
		entry->diff = NULL;
}

void entries_put(struct entries_work *work, struct entry *entry, const struct entry_file *file,
		 struct bytes bytes, const char *reason)
{
	struct pvk_error err;

	if (bytes.size == file->bytes.size &&
	    (bytes.size == 0 || memcmp(bytes.data, file->bytes.data, bytes.size) == 0)) {
		entry_set(entry, ENTRY_CURRENT, "%s", "");
		return;
	}
	entry_note_diff(work, entry, file, bytes);
	if (work->apply->dry_run) {
		entry_set(entry, ENTRY_WOULD_WRITE, "%s", reason);
	} else if (entry_file_replace(file, bytes, true, &err) < 0) {
		entry_set(entry, ENTRY_FAILED, "%s: %s", reason, err.msg);
	} else {
		work->ret->wrote = true;
		entry_set(entry, ENTRY_WRITTEN, "%s", reason);
	}
}

/* --- one run --- */

static bool is_any(const struct entries *entries, enum entry_state state)
{
	for (size_t i = 0; i < entries->count; i++)
		if (entries->items[i].state == state)
			return true;
	return false;
}

/*
 * The next boot of another machine cannot be judged (off PV: the image build in a chroot), nor that
 * of a tree that is no system yet: no fstab, no menu. A guest without a kernel is one that is being
 * made, unless it has had a menu.
 */
static bool can_be_judged(const struct entries_work *work)
{
	static const char *const menus[] = {ENTRIES_GRUB_CFG, ENTRIES_MENU_LST,
					    "/boot/xen/pvboot-x86_64.elf"};
	const struct root *root = work->apply->root;
	bool has_menu = false;

	if (work->request->is_kernel_hook || work->apply->dry_run ||
	    (root->is_live && work->request->guest != GUEST_PV))
		return false;
	for (size_t i = 0; i < sizeof(menus) / sizeof(menus[0]); i++)
		has_menu |= root_has(root, menus[i]);
	if (has_menu || work->facts.list.count == 0)
		return has_menu;
	return root->is_live || work->facts.has_fstab_root;
}

static void judge(struct entries_work *work)
{
	const struct bootmodel_request request = {
		.root = work->apply->root,
		.config = work->apply->config,
		.guest = GUEST_PV,
		.watch = work->apply->watch,
	};
	_cleanup_free_ struct bootmodel *model = calloc(1, sizeof(*model));
	struct pvk_error err;

	if (!model)
		return;
	if (bootmodel_predict(&request, model, &err) < 0) {
		memset(model, 0, sizeof(*model));
		model->verdict = VERDICT_UNKNOWN;
		bootmodel_find(model, SEVERITY_ERROR, "boot-unreadable", NULL, "%s", err.msg);
	}
	work->ret->model = TAKE_PTR(model);
}

/* Is what this run finds of use to the next one? */
static bool keeps_note(const struct entries_request *request)
{
	return !request->is_kernel_hook && !request->judges_only && !request->apply->dry_run;
}

/* The next run need not look, as long as nothing changes; what failed is looked at each time. */
static void note(const struct entries_work *work, const struct entries_digest *digest)
{
	const struct entries *entries = work->ret;

	if (!keeps_note(work->request) || work->apply->boot->own_fd < 0)
		return;
	if (is_any(entries, ENTRY_FAILED) ||
	    (entries->model &&
	     (entries->model->verdict == VERDICT_FAILS || entries->model->depends_on_others)))
		entries_forget(work->apply->boot);
	else
		entries_note(work->request, digest, entries);
}

int entries_settle(const struct entries_request *request, struct entries *ret)
{
	struct entries_work work = {.request = request, .apply = request->apply, .ret = ret};
	struct entries_digest digest = {""};
	struct pvk_error err;
	int r;

	*ret = (struct entries){0};
	if (keeps_note(request))
		entries_digest(request, &digest);
	if (keeps_note(request) && !request->look_anyway && entries_is_noted(request, &digest, ret))
		return 0;
	*ret = (struct entries){0};
	r = entries_facts_gather(request->apply, request->guest, request->assume_prepared,
				 &work.facts, &err);
	if (r < 0) {
		entry_set(entries_add(&work, "/boot"), ENTRY_FAILED, "%s", err.msg);
		return r;
	}
	/* Without a kernel there is nothing to list. */
	if (work.facts.list.count > 0 && !request->judges_only) {
		menus_find(request->apply->root, &work.menus);
		entries_settle_grub_cfg(&work);
		entries_settle_menu_lst(&work);
		entries_settle_pvboot(&work);
	}
	/* What we changed ourselves is to be known; what others change from now on is not. */
	if ((ret->wrote || work.has_swept) && keeps_note(request))
		entries_digest(request, &digest);
	if (can_be_judged(&work))
		judge(&work);
	note(&work, &digest);
	entries_facts_done(&work.facts);
	return is_any(ret, ENTRY_FAILED) ? -PVK_E_REFUSED : 0;
}

void entries_done(struct entries *entries)
{
	for (size_t i = 0; i < entries->count; i++) {
		free(entries->items[i].diff);
		free(entries->items[i].suggestion);
	}
	free(entries->model);
	*entries = (struct entries){0};
}

const char *entry_state_name(enum entry_state state)
{
	static const char *const names[] = {
		[ENTRY_OFF] = "off",
		[ENTRY_ABSENT] = "absent",
		[ENTRY_CURRENT] = "current",
		[ENTRY_WRITTEN] = "written",
		[ENTRY_RENEWED] = "renewed",
		[ENTRY_MOVED] = "moved",
		[ENTRY_WOULD_WRITE] = "would-write",
		[ENTRY_WOULD_RENEW] = "would-renew",
		[ENTRY_WOULD_MOVE] = "would-move",
		[ENTRY_LEFT] = "left",
		[ENTRY_INCOMPLETE] = "incomplete",
		[ENTRY_BROKEN] = "broken",
		[ENTRY_FAILED] = "failed",
	};

	_Static_assert(sizeof(names) / sizeof(names[0]) == ENTRY_STATE_COUNT, "a name for each");
	return names[state];
}

bool entry_needs_attention(const struct entry *entry)
{
	return entry->state == ENTRY_INCOMPLETE || entry->state == ENTRY_BROKEN ||
	       entry->state == ENTRY_FAILED;
}

bool entry_is_change(const struct entry *entry)
{
	return entry->state >= ENTRY_WRITTEN && entry->state <= ENTRY_WOULD_MOVE;
}
