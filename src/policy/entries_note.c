/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries_note.c - see entries_note.h */
#include "entries_note.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../system/digest.h"
#include "../system/outfile.h"

#define NOTE_FILE "entries"

static void add_stat(FILE *out, const char *name, const struct stat *st)
{
	(void)fprintf(out, "%s %llu %llo %lld %lld.%09ld %lld.%09ld\n", name,
		      (unsigned long long)st->st_ino, (unsigned long long)st->st_mode,
		      (long long)st->st_size, (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
		      (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
}

/* A path of the tree, links followed; nothing is added where nothing is there. */
static void add_path(FILE *out, const struct root *root, const char *path)
{
	_cleanup_close_ int fd = root_openat(root, path, O_PATH);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0)
		add_stat(out, path, &st);
}

/* A kernel's modules: whether there are any. */
static void add_modules(FILE *out, const struct root *root, const char *name)
{
	char path[NAME_MAX + 32];
	_cleanup_close_ int fd = -1;

	if (strncmp(name, PVK_IMAGE_PREFIX, strlen(PVK_IMAGE_PREFIX)) != 0)
		return;
	(void)snprintf(path, sizeof(path), "/lib/modules/%s", name + strlen(PVK_IMAGE_PREFIX));
	fd = root_openat(root, path, O_PATH);
	(void)fprintf(out, "modules %d\n", fd >= 0);
}

/* Files of a directory, in the order of their names; directories' times move with our own files. */
static void add_directory(FILE *out, const struct root *root, const char *dir)
{
	_cleanup_close_ int fd = root_openat(root, dir, O_RDONLY | O_DIRECTORY);
	struct dirent **list = NULL;
	const int count = fd < 0 ? 0 : scandirat(fd, ".", &list, NULL, alphasort);

	(void)fprintf(out, "%s\n", dir);
	for (int i = 0; i < count; i++) {
		const char *name = list[i]->d_name;
		char path[PATH_MAX];
		struct stat st;

		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode)) {
			add_stat(out, name, &st);
			add_modules(out, root, name);
			(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
			if (S_ISLNK(st.st_mode))
				add_path(out, root, path);
		}
		free(list[i]);
	}
	free(list);
}

/* Names and where they lead; the links themselves are made anew at each start. */
static void add_links(FILE *out, const struct root *root, const char *dir)
{
	_cleanup_close_ int fd = root_openat(root, dir, O_RDONLY | O_DIRECTORY);
	struct dirent **list = NULL;
	const int count = fd < 0 ? 0 : scandirat(fd, ".", &list, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char target[PATH_MAX];
		const ssize_t n = readlinkat(fd, list[i]->d_name, target, sizeof(target));

		if (n > 0)
			(void)fprintf(out, "%s %.*s\n", list[i]->d_name, (int)n, target);
		free(list[i]);
	}
	free(list);
}

static const char *const dirs[] = {"/boot", "/boot/grub", "/boot/xen", "/boot/grub2",
				   "/grub", "/xen",	  "/grub2"};

bool entries_note_covers(const char *path)
{
	const char *slash = strrchr(path, '/');
	const size_t len = slash ? (size_t)(slash - path) : 0;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (strlen(dirs[i]) == len && strncmp(path, dirs[i], len) == 0)
			return true;
	return false;
}

static void describe(FILE *out, const struct entries_request *request)
{
	static const char *const paths[] = {"/etc/fstab",
					    "/boot/grub/x86_64-xen/core.elf",
					    "/boot/grub/i386-xen/core.elf",
					    "/usr/sbin/update-grub",
					    "/usr/sbin/update-menu-lst",
					    "/usr/sbin/grub-mkconfig",
					    "/usr/bin/grub-mkimage",
					    "/sbin/init",
					    "/vmlinuz",
					    "/vmlinuz.old",
					    "/initrd.img",
					    "/initrd.img.old"};
	const struct config *config = request->apply->config;

	(void)fprintf(out, "%s %d %d %d %d %d %d %u\n", PVK_VERSION, (int)request->guest,
		      request->apply->root->is_live, (int)config->profile, (int)config->grub_cfg,
		      (int)config->menu_lst, (int)config->pvboot, (unsigned)config->convert);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		add_directory(out, request->apply->root, dirs[i]);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		add_path(out, request->apply->root, paths[i]);
	add_links(out, request->apply->root, "/dev/disk/by-uuid");
	add_links(out, request->apply->root, "/dev/disk/by-label");
}

void entries_digest(const struct entries_request *request, struct entries_digest *ret)
{
	_cleanup_free_ char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	ret->text[0] = '\0';
	if (!out)
		return;
	describe(out, request);
	if (fclose(out) == 0)
		(void)snprintf(ret->text, sizeof(ret->text), "1 %s\n",
			       digest_fast(bytes_make(text, size)).s);
}

/* The second line: what was found. */
static const char *finding_of(const struct entries *entries)
{
	return entries->model ? boot_verdict_name(entries->model->verdict) : "not judged";
}

static bool read_note(const struct bootdir *boot, struct entries_digest *ret)
{
	_cleanup_close_ int fd = -1;
	ssize_t n;

	if (boot->own_fd < 0)
		return false;
	fd = openat(boot->own_fd, NOTE_FILE,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, ret->text, sizeof(ret->text) - 1);
	if (n < 0)
		return false;
	ret->text[n] = '\0';
	return true;
}

bool entries_is_noted(const struct entries_request *request, const struct entries_digest *now,
		      struct entries *ret)
{
	struct entries_digest found;
	const char *finding;

	if (now->text[0] == '\0' || !read_note(request->apply->boot, &found) ||
	    strncmp(found.text, now->text, strlen(now->text)) != 0)
		return false;
	finding = found.text + strlen(now->text);
	for (enum boot_verdict verdict = VERDICT_BOOTS; verdict <= VERDICT_UNKNOWN; verdict++) {
		if (strcmp(finding, boot_verdict_name(verdict)) != 0)
			continue;
		ret->is_known = verdict == VERDICT_BOOTS ||
				(verdict == VERDICT_UNKNOWN && request->is_doubt_known);
		ret->is_verdict_known = true;
		ret->known_verdict = verdict;
		return ret->is_known;
	}
	ret->is_known = strcmp(finding, "not judged") == 0;
	return ret->is_known;
}

void entries_note(const struct entries_request *request, const struct entries_digest *digest,
		  const struct entries *entries)
{
	char note[sizeof(digest->text) + 16];
	struct entries_digest found;

	if (digest->text[0] == '\0')
		return;
	(void)snprintf(note, sizeof(note), "%s%s", digest->text, finding_of(entries));
	/* The same again is not written again. */
	if (read_note(request->apply->boot, &found) && strcmp(found.text, note) == 0)
		return;
	(void)outfile_replace(request->apply->boot->own_fd, NOTE_FILE, note, strlen(note), NULL);
}

void entries_forget(const struct bootdir *boot)
{
	if (boot->own_fd >= 0)
		(void)unlinkat(boot->own_fd, NOTE_FILE, 0);
}
