/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dpkgdb.c - see dpkgdb.h */
#include "dpkgdb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"

#define INFO_DIR     "/var/lib/dpkg/info"
#define UNPACKED_DIR "/var/lib/dpkg/tmp.ci"
#define MD5_SUFFIX   ".md5sums"
#define FILES_SUFFIX ".list"
#define MD5_LEN	     32
/* The list of a kernel with all its modules is about 400 kB. */
#define LIST_MAX (8u << 20)

/* "linux-image-6.1.0-50-amd64.md5sums", "linux-image-unsigned-…:amd64.md5sums" */
static bool is_list_of(const char *file, const char *version, const char *suffix)
{
	const size_t len = strlen(file), suffix_len = strlen(suffix);

	return len > suffix_len && strcmp(file + len - suffix_len, suffix) == 0 &&
	       strstr(file, version);
}

/* Finds the line of `path`; the sum stands 34 characters before it. */
static bool find_line(const char *list, const char *path, char md5[MD5_LEN + 1])
{
	const size_t path_len = strlen(path);

	for (const char *line = list; *line;) {
		const size_t len = strcspn(line, "\n");

		if (len == MD5_LEN + 2 + path_len && strspn(line, "0123456789abcdef") == MD5_LEN &&
		    strncmp(line + MD5_LEN + 2, path, path_len) == 0) {
			memcpy(md5, line, MD5_LEN);
			md5[MD5_LEN] = '\0';
			return true;
		}
		line += len + (line[len] == '\n');
	}
	return false;
}

/* Is `path` one of the lines? */
static bool has_line(const char *list, const char *path)
{
	const size_t path_len = strlen(path);

	for (const char *line = list; *line;) {
		const size_t len = strcspn(line, "\n");

		if (len == path_len && strncmp(line, path, len) == 0)
			return true;
		line += len + (line[len] == '\n');
	}
	return false;
}

static int read_list(const struct root *root, const char *path, char **ret, struct pvk_error *err)
{
	size_t size;
	int r = root_read_file(root, path, LIST_MAX, ret, &size);

	if (r == -ENOENT)
		return 0; /* dpkg removed it since the directory was read */
	if (r < 0)
		return pvk_fail_errno(err, -r, "cannot read dpkg's list %s", text_quote(path).s);
	return 1;
}

struct search {
	const struct root *root;
	const char *version;
	struct dpkg_md5 *ret;
	char *ret_package;
};

/* 1: found, 0: not in this one. */
typedef int search_fn(const struct search *search, const char *file, struct pvk_error *err);

/* "linux-image-6.1.0-50-amd64.md5sums" less its suffix */
static void name_package(const char *file, const char *suffix, char ret[128])
{
	(void)snprintf(ret, 128, "%.*s", (int)(strlen(file) - strlen(suffix)), file);
}

static int search_md5(const struct search *search, const char *file, struct pvk_error *err)
{
	_cleanup_free_ char *list = NULL;
	char path[PATH_MAX], image[NAME_MAX + 32];
	int r;

	(void)snprintf(path, sizeof(path), INFO_DIR "/%s", file);
	(void)snprintf(image, sizeof(image), "boot/vmlinuz-%s", search->version);
	r = read_list(search->root, path, &list, err);
	if (r <= 0)
		return r;
	if (!find_line(list, image, search->ret->md5))
		return 0;
	name_package(file, MD5_SUFFIX, search->ret->package);
	return 1;
}

static int search_files(const struct search *search, const char *file, struct pvk_error *err)
{
	_cleanup_free_ char *list = NULL;
	char path[PATH_MAX], image[NAME_MAX + 32];
	int r;

	(void)snprintf(path, sizeof(path), INFO_DIR "/%s", file);
	(void)snprintf(image, sizeof(image), "/boot/vmlinuz-%s", search->version);
	r = read_list(search->root, path, &list, err);
	return r <= 0 ? r : has_line(list, image);
}

/* Headers have links in that directory, too; these files, which depmod reads, only modules have. */
static int search_modules(const struct search *search, const char *file, struct pvk_error *err)
{
	static const char *const names[] = {"builtin", "order"};
	_cleanup_free_ char *list = NULL;
	char path[PATH_MAX], merged[NAME_MAX + 64];
	int r;

	(void)snprintf(path, sizeof(path), INFO_DIR "/%s", file);
	r = read_list(search->root, path, &list, err);
	if (r <= 0)
		return r;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(merged, sizeof(merged), "/usr/lib/modules/%s/modules.%s",
			       search->version, names[i]);
		if (!has_line(list, merged) && !has_line(list, merged + strlen("/usr")))
			continue;
		name_package(file, FILES_SUFFIX, search->ret_package);
		return 1;
	}
	return 0;
}

static int search_info(const struct search *search, const char *suffix, search_fn *search_one,
		       struct pvk_error *err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	int fd = root_openat(search->root, INFO_DIR, O_RDONLY | O_DIRECTORY);

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return pvk_fail_errno(err, fd < 0 ? -fd : errno, "cannot read '" INFO_DIR "'");
	while ((errno = 0, entry = readdir(dir)) != NULL) {
		int r;

		if (!is_list_of(entry->d_name, search->version, suffix))
			continue;
		r = search_one(search, entry->d_name, err);
		if (r != 0)
			return r;
	}
	return errno == 0 ? 0 : pvk_fail_errno(err, errno, "cannot read '" INFO_DIR "'");
}

int dpkgdb_find_md5(const struct root *root, const char *version, struct dpkg_md5 *ret,
		    struct pvk_error *err)
{
	const struct search search = {.root = root, .version = version, .ret = ret};

	return search_info(&search, MD5_SUFFIX, search_md5, err);
}

int dpkgdb_find_modules(const struct root *root, const char *version, char ret_package[128],
			struct pvk_error *err)
{
	const struct search search = {.root = root, .version = version, .ret_package = ret_package};

	return search_info(&search, FILES_SUFFIX, search_modules, err);
}

int dpkgdb_owns_image(const struct root *root, const char *version, struct pvk_error *err)
{
	const struct search search = {.root = root, .version = version};

	return search_info(&search, FILES_SUFFIX, search_files, err);
}

int dpkgdb_find_unpacked_md5(const struct root *root, const char *version, struct dpkg_md5 *ret,
			     struct pvk_error *err)
{
	_cleanup_free_ char *list = NULL;
	char image[NAME_MAX + 32];
	int r = read_list(root, UNPACKED_DIR "/md5sums", &list, err);

	if (r <= 0)
		return r;
	(void)snprintf(image, sizeof(image), "boot/vmlinuz-%s", version);
	if (!find_line(list, image, ret->md5))
		return 0;
	(void)snprintf(ret->package, sizeof(ret->package), "linux-image-%s", version);
	return 1;
}
