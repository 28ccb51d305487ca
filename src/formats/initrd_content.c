/* SPDX-License-Identifier: GPL-2.0-or-later */
/* initrd_content.c - see initrd_content.h */
#include "initrd_content.h"

#include <sys/stat.h>

static const char *const fs_names[] = {"ext4", "xfs", "btrfs"};

_Static_assert(sizeof(fs_names) / sizeof(fs_names[0]) == INITRD_FS_COUNT, "a name for each");

enum initrd_fs initrd_find_fs(const char *type)
{
	enum initrd_fs fs = 0;

	while (fs < INITRD_FS_COUNT && strcmp(fs_names[fs], type) != 0)
		fs++;
	return fs;
}

static bool take_prefix(struct bytes *text, const char *prefix)
{
	size_t size = strlen(prefix);

	if (!bytes_match(*text, 0, prefix, size))
		return false;
	*text = bytes_make(text->data + size, text->size - size);
	return true;
}

static bool is_text(struct bytes b, const char *text)
{
	return b.size == strlen(text) && memcmp(b.data, text, b.size) == 0;
}

/* The part up to the next slash; *rest becomes what is behind it. False if there is no slash. */
static bool take_component(struct bytes *rest, struct bytes *ret)
{
	const uint8_t *slash = rest->size > 0 ? memchr(rest->data, '/', rest->size) : NULL;
	size_t length;

	if (!slash)
		return false;
	length = (size_t)(slash - rest->data);
	*ret = bytes_make(rest->data, length);
	*rest = bytes_make(slash + 1, rest->size - length - 1);
	return true;
}

static struct bytes last_component(struct bytes path)
{
	struct bytes component;

	while (take_component(&path, &component))
		;
	return path;
}

static bool is_module(struct bytes name, const char *driver)
{
	static const char *const endings[] = {".ko", ".ko.xz", ".ko.zst", ".ko.gz"};

	if (!take_prefix(&name, driver))
		return false;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
		if (is_text(name, endings[i]))
			return true;
	return false;
}

/* FNV-1a, folded. */
static uint32_t name_bit(struct bytes name)
{
	uint32_t hash = UINT32_C(2166136261);

	for (size_t i = 0; i < name.size; i++)
		hash = (uint32_t)((uint64_t)(hash ^ name.data[i]) * 16777619 & UINT32_MAX);
	return (hash ^ hash >> 19) % INITRD_NAME_BITS;
}

/* Nothing is mounted yet when the kernel runs /init, but what is meant for there is not judged. */
static bool is_made_at_run_time(struct bytes path)
{
	static const char *const places[] = {"dev/", "proc/", "sys/",	  "run/",
					     "mnt/", "root/", "sysroot/", "newroot/"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (bytes_match(path, 0, places[i], strlen(places[i])))
			return true;
	return false;
}

static void note_init(struct initrd_content *content, const struct cpio_entry *entry,
		      struct initrd *initrd)
{
	struct bytes target = entry->body, name;

	initrd->has_init = true;
	initrd->init_fault = INITRD_INIT_FINE;
	content->is_init_link = S_ISLNK(entry->mode);
	if (!content->is_init_link) {
		/* Of further names for the same file the last may bring mode and body. */
		if (entry->links > 1)
			return;
		if (!(entry->mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
			initrd->init_fault = INITRD_INIT_NOT_EXECUTABLE;
		else if (entry->body.size == 0)
			initrd->init_fault = INITRD_INIT_EMPTY;
		return;
	}
	while (take_prefix(&target, "/") || take_prefix(&target, "./") ||
	       take_prefix(&target, "../"))
		;
	name = last_component(target);
	content->init_target = name.size == 0 || is_text(name, ".") || is_text(name, "..") ||
					       is_made_at_run_time(target)
				       ? INITRD_NAME_BITS
				       : name_bit(name);
}

static bool has_name(const struct initrd_content *content, uint32_t bit)
{
	return content->names[bit / 8] & 1u << bit % 8;
}

void initrd_judge_init(const struct initrd_content *content, struct initrd *initrd)
{
	const struct bytes init = bytes_make(content->init, strlen(content->init));

	if (content->is_init_link && content->init_target < INITRD_NAME_BITS &&
	    !has_name(content, content->init_target))
		initrd->init_fault = INITRD_INIT_DANGLING;
	initrd->may_have_init = !initrd->has_init && memchr(init.data, '/', init.size) &&
				has_name(content, name_bit(last_component(init)));
}

static void note_maker(struct bytes name, struct initrd *initrd)
{
	if (is_text(name, "initramfs.conf"))
		initrd->maker = INITRD_INITRAMFS_TOOLS;
	else if (is_text(name, "dracut-lib.sh"))
		initrd->maker = INITRD_DRACUT;
}

static void note_modules(const char *wanted, struct bytes path, struct initrd *initrd)
{
	struct bytes version;

	(void)take_prefix(&path, "usr/");
	if (!take_prefix(&path, "lib/modules/") || !take_component(&path, &version) ||
	    version.size == 0 || path.size == 0)
		return;
	if (!wanted || is_text(version, wanted))
		initrd->has_modules = true;
	if (initrd->modules_version[0] == '\0')
		(void)bytes_string(version, 0, initrd->modules_version,
				   sizeof(initrd->modules_version));
}

void initrd_note_entry(struct initrd_content *content, const struct cpio_entry *entry,
		       struct initrd *initrd)
{
	struct bytes path = entry->name, name;
	uint32_t bit;

	/* The kernel unpacks in the root directory, so these are all the same. */
	while (take_prefix(&path, "/") || take_prefix(&path, "./"))
		;
	initrd->entries++;
	name = last_component(path);
	if (S_ISREG(entry->mode) || S_ISLNK(entry->mode)) {
		initrd->has_blkfront |= is_module(name, "xen-blkfront");
		for (size_t i = 0; i < INITRD_FS_COUNT; i++)
			initrd->has_fs[i] |= is_module(name, fs_names[i]);
	}
	note_maker(name, initrd);
	if ((S_ISREG(entry->mode) || S_ISLNK(entry->mode)) && is_text(path, content->init)) {
		note_init(content, entry, initrd);
		return; /* it is not its own target */
	}
	bit = name_bit(name);
	content->names[bit / 8] |= (uint8_t)(1u << bit % 8);
	if (!initrd->has_modules)
		note_modules(content->version, path, initrd);
}
