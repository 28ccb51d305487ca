/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest.c - see guest.h */
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/cleanup.h"

#define FEATURE_AUTO_TRANSLATED_PHYSMAP (1ul << 2)

/* Reads one word of sysfs; empty if it is not there. */
static void read_word(const struct root *root, const char *dir, const char *name, char word[64])
{
	_cleanup_free_ char *text = NULL;
	char path[PATH_MAX];
	size_t size;

	word[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path) ||
	    root_read_file(root, path, 4096, &text, &size) < 0)
		return;
	(void)snprintf(word, 64, "%.*s", (int)strcspn(text, " \n"), text);
}

static enum guest_mode from_features(const struct root *root, const char *dir)
{
	char features[64];

	read_word(root, dir, "properties/features", features);
	if (features[0] == '\0')
		return GUEST_NOT_XEN;
	return strtoul(features, NULL, 16) & FEATURE_AUTO_TRANSLATED_PHYSMAP ? GUEST_HVM : GUEST_PV;
}

enum guest_mode guest_detect_in(const struct root *root, const char *dir)
{
	char word[64];

	read_word(root, dir, "type", word);
	if (strcmp(word, "xen") != 0)
		return GUEST_NOT_XEN;
	read_word(root, dir, "guest_type", word);
	if (strcmp(word, "PV") == 0)
		return GUEST_PV;
	if (strcmp(word, "PVH") == 0)
		return GUEST_PVH;
	if (strcmp(word, "HVM") == 0)
		return GUEST_HVM;
	return from_features(root, dir);
}

enum guest_mode guest_detect(const struct root *root)
{
	return root->is_live ? guest_detect_in(root, "/sys/hypervisor") : GUEST_PV;
}

const char *guest_mode_name(enum guest_mode mode)
{
	static const char *const names[] = {"pv", "pvh", "hvm", "none"};

	return names[mode];
}

const char *guest_mode_text(enum guest_mode mode)
{
	static const char *const texts[] = {"a Xen PV guest", "a Xen PVH guest", "a Xen HVM guest",
					    "not a Xen guest"};

	return texts[mode];
}
