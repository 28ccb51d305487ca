/* SPDX-License-Identifier: GPL-2.0-or-later */
/* divert.c - see divert.h */
#include "divert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "child.h"

#define ADMIN_DIR    "/var/lib/dpkg"
#define REGISTER     ADMIN_DIR "/diversions"
#define REGISTER_MAX (4u << 20)
#define DPKG_DIVERT  "/usr/bin/dpkg-divert"

/* Cuts one line off *rest; NULL at the end. */
static char *next_line(char **rest)
{
	char *line = *rest, *end;

	if (!line || *line == '\0')
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	*rest = end ? end + 1 : NULL;
	return line;
}

struct record {
	const char *path, *to, *package;
};

static bool next_record(char **rest, struct record *ret)
{
	ret->path = next_line(rest);
	ret->to = next_line(rest);
	ret->package = next_line(rest);
	return ret->package != NULL;
}

/* 1: read, 0: there is none. */
static int read_register(const struct root *root, char **ret, struct pvk_error *err)
{
	size_t size;
	int r = root_read_file(root, REGISTER, REGISTER_MAX, ret, &size);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return pvk_fail_errno(err, -r, "cannot read '" REGISTER "'");
	return 1;
}

int divert_find(const struct root *root, const char *path, const char *to, enum divert_owner *ret,
		struct pvk_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct record record;
	char *rest;
	int r = read_register(root, &text, err);

	if (r < 0)
		return r;
	*ret = DIVERT_NOBODY;
	rest = text;
	while (r == 1 && next_record(&rest, &record)) {
		if (strcmp(record.path, path) != 0)
			continue;
		*ret = strcmp(record.package, PVK_PACKAGE) == 0 && strcmp(record.to, to) == 0
			       ? DIVERT_OURS
			       : DIVERT_OTHER;
		break;
	}
	return 0;
}

int divert_each(const struct root *root,
		int (*see)(void *context, const char *path, const char *to), void *context,
		struct pvk_error *err)
{
	_cleanup_free_ char *text = NULL;
	struct record record;
	char *rest;
	int r = read_register(root, &text, err);

	rest = text;
	while (r == 1 && next_record(&rest, &record)) {
		int answer;

		if (strcmp(record.package, PVK_PACKAGE) != 0)
			continue;
		answer = see(context, record.path, record.to);
		if (answer < 0)
			return answer;
	}
	return r < 0 ? r : 0;
}

/* The last line that it wrote, for the message. */
static const char *last_words(char *output)
{
	size_t len = strlen(output);
	char *line;

	while (len > 0 && output[len - 1] == '\n')
		output[--len] = '\0';
	line = strrchr(output, '\n');
	return line ? line + 1 : output;
}

/*
 * For another tree dpkg-divert gets our own descriptors of it as its directories: opened below the
 * root, so that no symbolic link of the tree makes it write outside. (--admindir and --instdir
 * after one another: --root would derive the first from the path again.)
 */
static int run(const struct root *root, const char *action, const char *path, const char *to,
	       struct pvk_error *err)
{
	_cleanup_close_ int admin_fd = -1;
	char admin[48], instdir[48], output[CHILD_OUTPUT_MAX];
	const char *argv[16] = {DPKG_DIVERT, "--quiet", "--package", PVK_PACKAGE, "--no-rename"};
	size_t argc = 5;
	int r;

	if (!root->is_live) {
		admin_fd = root_openat(root, ADMIN_DIR, O_RDONLY | O_DIRECTORY);
		if (admin_fd < 0)
			return pvk_fail_errno(err, -admin_fd, "cannot open '" ADMIN_DIR "'");
		(void)snprintf(admin, sizeof(admin), "/proc/self/fd/%d", admin_fd);
		(void)snprintf(instdir, sizeof(instdir), "/proc/self/fd/%d", root->fd);
		argv[argc++] = "--instdir";
		argv[argc++] = instdir;
		argv[argc++] = "--admindir";
		argv[argc++] = admin;
	}
	argv[argc++] = "--divert";
	argv[argc++] = to;
	argv[argc++] = action;
	argv[argc++] = path;
	r = child_run(
		&(struct child){
			.argv = argv,
			.fds = (const int[]){admin_fd, root->fd},
			.fd_count = root->is_live ? 0 : 2,
			.must_finish = true,
		},
		output, err);
	if (r > 0)
		return pvk_fail(err, PVK_E_REFUSED, "dpkg-divert refuses: %s",
				text_escape(last_words(output)).s);
	return r;
}

/* Reads the register again: what counts is what is in it, not what a program said. */
static int change(const struct root *root, const char *action, enum divert_owner wanted,
		  const char *path, const char *to, struct pvk_error *err)
{
	enum divert_owner owner;
	int r;

	r = divert_find(root, path, to, &owner, err);
	if (r < 0 || owner == wanted)
		return r;
	if (owner == DIVERT_OTHER)
		return pvk_fail(err, PVK_E_REFUSED, "%s is diverted by somebody else",
				text_quote(path).s);
	r = run(root, action, path, to, err);
	if (r == 0)
		r = divert_find(root, path, to, &owner, err);
	if (r == 0 && owner != wanted)
		return pvk_fail(err, PVK_E_REFUSED, "dpkg-divert did not change the register");
	return r;
}

int divert_add(const struct root *root, const char *path, const char *to, struct pvk_error *err)
{
	return change(root, "--add", DIVERT_OURS, path, to, err);
}

int divert_remove(const struct root *root, const char *path, const char *to, struct pvk_error *err)
{
	return change(root, "--remove", DIVERT_NOBODY, path, to, err);
}
