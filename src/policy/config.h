/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.h - /etc/pvkprep.conf: defaults, reading, checking. The reference is pvkprep.conf(5).
 */
#ifndef PVK_CONFIG_H
#define PVK_CONFIG_H

#include <stdint.h>

#include "../formats/image.h"
#include "../formats/loaders.h"
#include "../system/root.h"

#define PVK_CONFIG_PATH "/etc/pvkprep.conf"

enum config_format {
	FORMAT_ELF,
	FORMAT_HYBRID,
	FORMAT_AUTO /* elf where it fits and the original is kept, else hybrid */
};
enum config_when {
	WHEN_PV,
	WHEN_ALWAYS,
	WHEN_NEVER
};
enum config_originals {
	ORIGINALS_DIVERT,
	ORIGINALS_STASH,
	ORIGINALS_NONE
};
enum config_profile {
	PROFILE_BITFOLK,
	PROFILE_DEBIAN,
	PROFILE_PYGRUB,
	PROFILE_PV_GRUB
};
enum config_keep {
	KEEP_AUTO,
	KEEP_ALWAYS,
	KEEP_NEVER
};

struct config {
	uint32_t convert; /* bit n: payloads of enum codec n are converted */
	enum config_format format;
	enum config_when when;
	enum config_originals originals;
	enum config_profile profile;
	enum config_keep grub_cfg, menu_lst, pvboot;
};

/* The built-in defaults. */
void config_init(struct config *ret);

/*
 * Reads the tree's own /etc/pvkprep.conf, or `path` (of the running system) where it is given.
 * Without `path` an absent file is no error. The file must be regular, of root or ourselves, and
 * not writable by others: checked on the open descriptor. Unknown sections, keys and values are
 * -PVK_E_CONFIG; the message names file and line of the first, and *config has what the other lines
 * say.
 */
int config_load(const struct root *root, const char *path, struct config *config,
		struct pvk_error *err);

/* One option of the command line, by the names of the file: config_set(c, "kernel", "format", …).
 */
int config_set(struct config *config, const char *section, const char *key, const char *value,
	       struct pvk_error *err);

const char *config_profile_name(enum config_profile profile);

/* "elf", "hybrid", "auto". */
const char *config_format_name(enum config_format format);

/* The loader that a profile stands for when it comes to the kernel file itself. */
enum loader_family config_loader(const struct config *config);

#endif
