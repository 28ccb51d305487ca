/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tmptree.h - a temporary directory tree for a test, gone afterwards. What goes wrong in here
 * aborts the test program: it is never what is tested.
 */
#ifndef PVK_TESTS_TMPTREE_H
#define PVK_TESTS_TMPTREE_H

#include <stdbool.h>
#include <sys/stat.h>

#include "streams.h"

struct tmptree {
	char path[64];
	int fd;
};

void tmptree_init(struct tmptree *tree);
void tmptree_done(struct tmptree *tree);

#define _cleanup_tmptree_ __attribute__((cleanup(tmptree_done)))

/* Paths are relative to the tree. Missing directories on the way are made. */
void tmptree_mkdir(const struct tmptree *tree, const char *path);
void tmptree_write(const struct tmptree *tree, const char *path, struct bytes content);
void tmptree_write_text(const struct tmptree *tree, const char *path, const char *text);
void tmptree_symlink(const struct tmptree *tree, const char *target, const char *path);
void tmptree_chmod(const struct tmptree *tree, const char *path, mode_t mode);
void tmptree_remove(const struct tmptree *tree, const char *path);

bool tmptree_exists(const struct tmptree *tree, const char *path);
struct stat tmptree_stat(const struct tmptree *tree, const char *path);
struct stream tmptree_read(const struct tmptree *tree, const char *path);
bool tmptree_holds(const struct tmptree *tree, const char *path, struct bytes content);

/* Entries of a directory, without "." and "..". */
unsigned tmptree_count(const struct tmptree *tree, const char *path);

#endif
