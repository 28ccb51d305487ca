/* SPDX-License-Identifier: GPL-2.0-or-later */
/* notice.c - see notice.h */
#include "notice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../system/outfile.h"

#define NOTICE_DIR  "pvkprep"
#define NOTICE_FILE "notice"

static int open_run(const struct root *root)
{
	return root_openat(root, "/run", O_RDONLY | O_DIRECTORY);
}

void notice_read(const struct root *root, char text[NOTICE_MAX])
{
	_cleanup_free_ char *found = NULL;
	size_t size;

	text[0] = '\0';
	if (root_read_file(root, "/run/" NOTICE_DIR "/" NOTICE_FILE, NOTICE_MAX - 1, &found,
			   &size) == 0)
		(void)snprintf(text, NOTICE_MAX, "%s", found);
}

static void take_away(int run_fd)
{
	if (unlinkat(run_fd, NOTICE_DIR "/" NOTICE_FILE, 0) == 0 || errno == ENOENT)
		(void)unlinkat(run_fd, NOTICE_DIR, AT_REMOVEDIR);
}

int notice_set(const struct root *root, const char *text, struct pvk_error *err)
{
	_cleanup_close_ int run_fd = -1, dir = -1;
	char present[NOTICE_MAX];

	if (!root->is_live)
		return 0;
	notice_read(root, present);
	if (strcmp(present, text) == 0)
		return 0;
	run_fd = open_run(root);
	if (run_fd < 0)
		return pvk_fail_errno(err, -run_fd, "cannot open '/run'");
	if (text[0] == '\0') {
		take_away(run_fd);
		return 0;
	}
	if (mkdirat(run_fd, NOTICE_DIR, 0755) < 0 && errno != EEXIST)
		return pvk_fail_errno(err, errno, "cannot make '/run/" NOTICE_DIR "'");
	dir = openat(run_fd, NOTICE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return pvk_fail_errno(err, errno, "cannot open '/run/" NOTICE_DIR "'");
	return outfile_replace(dir, NOTICE_FILE, text, strlen(text), err);
}
