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

#define INFO_DIR "/var/lib/dpkg/info"
#define SUFFIX	 ".md5sums"
#define MD5_LEN	 32
/* The list of a kernel with all its modules is about 400 kB. */
#define LIST_MAX (8u << 20)

/* "linux-image-6.1.0-50-amd64.md5sums", "linux-image-unsigned-…:amd64.md5sums" */
static bool is_list_of(const char *file, const char *version)
{
	const size_t len = strlen(file), suffix = sizeof(SUFFIX) - 1;

	return len > suffix && strcmp(file + len - suffix, SUFFIX) == 0 && strstr(file, version);
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

static int search_list(const struct root *root, const char *file, const char *version,
		       struct dpkg_md5 *ret, struct pvk_error *err)
{
	_cleanup_free_ char *list = NULL;
	char path[PATH_MAX], image[NAME_MAX + 32];
	size_t size;
	int r;

	(void)snprintf(path, sizeof(path), INFO_DIR "/%s", file);
	(void)snprintf(image, sizeof(image), "boot/vmlinuz-%s", version);
	r = root_read_file(root, path, LIST_MAX, &list, &size);
	if (r < 0)
		return pvk_fail_errno(err, -r, "cannot read dpkg's list %s", text_quote(path).s);
	if (!find_line(list, image, ret->md5))
		return 0;
	(void)snprintf(ret->package, sizeof(ret->package), "%.*s",
		       (int)(strlen(file) - (sizeof(SUFFIX) - 1)), file);
	return 1;
}

int dpkgdb_find_md5(const struct root *root, const char *version, struct dpkg_md5 *ret,
		    struct pvk_error *err)
{
	_cleanup_closedir_ DIR *dir = NULL;
	const struct dirent *entry;
	int fd = root_openat(root, INFO_DIR, O_RDONLY | O_DIRECTORY);

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return pvk_fail_errno(err, fd < 0 ? -fd : errno, "cannot read '" INFO_DIR "'");
	while ((entry = readdir(dir)) != NULL) {
		int r;

		if (!is_list_of(entry->d_name, version))
			continue;
		r = search_list(root, entry->d_name, version, ret, err);
		if (r != 0)
			return r;
	}
	return 0;
}
