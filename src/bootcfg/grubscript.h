/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * grubscript.h - what a GRUB for x86_64-xen would do with a grub.cfg or a menu.lst.
 *
 * The configuration is evaluated as GRUB 2.06 evaluates it (read: GRUB grub-core/script,
 * normal/menu.c, commands, lib/legacy_parse.c, loader/i386/xen.c; measured: grub-emu and a real
 * pvgrub). This module opens nothing: what lies on the disks is asked of the caller through struct
 * grub_host. What the caller cannot answer, and what GRUB alone can know, stays open: where it
 * matters, every possible answer is tried, and only if all lead to the same end is there an end,
 * else GRUB_END_UNKNOWN with the question that could not be answered.
 */
#ifndef PVK_GRUBSCRIPT_H
#define PVK_GRUBSCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/bytes.h"
#include "../base/errors.h"

/* Commands run for one prediction, in all its evaluations together. Debian's grub.cfg with six
 * kernels needs about 150 for each; a loop that never ends is stopped here. The fuzzers stop
 * earlier: it is where their time goes. */
#ifndef GRUB_STEPS_MAX
#define GRUB_STEPS_MAX 20000
#endif

/* Variables at a time. Debian's grub.cfg has about 40, most of them GRUB's own. */
#define GRUB_VARIABLES_MAX 2000

/* How often one of them is looked for, in all evaluations together: a command may name thousands.
 */
#define GRUB_LOOKUPS_MAX 200000

/* Configuration files, functions and menus inside one another. */
#define GRUB_NESTING_MAX 60

/* Entries of one menu. */
#define GRUB_ENTRIES_MAX 2000

/* Open questions in one evaluation, and evaluations to try their answers. */
#define GRUB_QUESTIONS_MAX 10
#define GRUB_RUNS_MAX	   64

/* Largest file evaluated or searched for variables; hosts need not answer for a larger one. */
#define GRUB_CONFIG_MAX ((size_t)8 << 20)

/* GRUB_XEN_MAX_GUEST_CMDLINE (include/xen/xen.h: MAX_GUEST_CMDLINE), one byte less for the NUL. */
#define GRUB_CMDLINE_MAX 1023

enum grub_answer {
	GRUB_NO,
	GRUB_YES,
	GRUB_UNKNOWN,
};

enum grub_file_kind {
	GRUB_FILE_NONE,
	GRUB_FILE_REGULAR,
	GRUB_FILE_DIRECTORY,
	GRUB_FILE_UNKNOWN,
};

enum grub_search_by {
	GRUB_SEARCH_FILE,
	GRUB_SEARCH_LABEL,
	GRUB_SEARCH_UUID,
};

struct grub_search {
	enum grub_search_by by;
	const char *key;	  /* path, label or UUID (compared without case) */
	const char *const *hints; /* device names to try first; one that ends in ',' means also
				     its partitions */
	size_t n_hints;
};

enum grub_load_kind {
	GRUB_LOAD_KERNEL,
	GRUB_LOAD_INITRD, /* one of the files of an `initrd` line; never decompressed */
	GRUB_LOAD_MODULE,
};

struct grub_load {
	enum grub_load_kind kind;
	const char *device;
	const char *path; /* absolute, on the device */
	const char *cmdline;
};

struct grub_setting {
	const char *name;
	const char *value;   /* NULL: cannot be known */
	const char *unknown; /* why, when value is NULL */
};

/*
 * The world, as the caller knows it. `device` is a GRUB device name without parentheses, as the
 * configuration has it ("hd0,msdos1", "xen/xvda,1"), never NULL. Every member but `context` may be
 * NULL: then the answer is "unknown". Strings and bytes handed back must live until the evaluation
 * ends; nothing is freed here.
 */
struct grub_host {
	void *context;

	/* What is at the path? *ret_size for a regular file. */
	enum grub_file_kind (*stat)(void *context, const char *device, const char *path,
				    uint64_t *ret_size);

	/* The content, decompressed if GRUB would do that. NO: GRUB cannot open it. */
	enum grub_answer (*read)(void *context, const char *device, const char *path,
				 struct bytes *ret);

	/* The first device that has it, in GRUB's order. UNKNOWN with a device: that one or none.
	 */
	enum grub_answer (*search)(void *context, const struct grub_search *search,
				   const char **ret_device);

	/* Names in a directory, in the order of GRUB's file system driver. UNKNOWN with names:
	 * these, but in another order. */
	enum grub_answer (*list)(void *context, const char *device, const char *path,
				 const char *const **ret_names, size_t *ret_count);

	/* Would GRUB load this? NO: *ret_error, if set, is GRUB's own message. */
	enum grub_answer (*load)(void *context, const struct grub_load *load,
				 const char **ret_error);

	/* Can the module be loaded, or is it built in? NULL: every module that is asked for. */
	enum grub_answer (*module)(void *context, const char *name);

	/* Variables that the loader has set; they win over the built-in ones (grub_platform=xen,
	 * grub_cpu=x86_64, feature_*=y, pager, colours). prefix should be here. */
	const struct grub_setting *settings;
	size_t n_settings;
};

enum grub_dialect {
	GRUB_DIALECT_SCRIPT, /* grub.cfg, as `configfile` reads it */
	GRUB_DIALECT_LEGACY, /* menu.lst, as `legacy_configfile` reads it */
};

struct grub_entry {
	const char *title;
	const char *id; /* the title where there is none */
	const char *source;
	const char *const *args; /* the title, then what else stood before the block */
	size_t n_args;
	const char *users; /* NULL: unrestricted */
	unsigned line;	   /* in `file`; 0 when made by other means */
	const char *file;  /* "(device)/path" */
	bool is_submenu;
	const char *unknown;	  /* title or id depend on something that cannot be known: why */
	const char *args_unknown; /* the same for the other arguments */
	struct grub_entry *next;
};

/* A menu at the moment when it is shown. */
struct grub_menu {
	struct grub_entry *entries;
	size_t n_entries;
	const char *default_value; /* the variables; NULL: not set */
	const char *fallback;
	const char *timeout;
	const char *timeout_style;
	struct grub_entry *chosen; /* the default entry */
	int seconds;		   /* -1: waits for ever */
};

/* The kernel that is started. */
struct grub_boot {
	const char *device;
	const char *path;
	const char *cmdline;
	bool is_cmdline_cut; /* arguments that did not fit were dropped */
	const char
		*cmdline_unknown; /* cmdline has a part, shown as ${name}, that cannot be known */
	const struct grub_load *initrds;
	size_t n_initrds;
	const struct grub_load *modules; /* loaded by `module`, which Linux does not look at */
	size_t n_modules;
	const char *failed_initrd; /* an `initrd` line that failed; NULL: none */
};

/* What GRUB would print on its console, and why it matters: errors only. */
struct grub_message {
	const char *text; /* without "error: " */
	const char *file;
	unsigned line;
	bool is_guess; /* only if an open question is answered one way */
	struct grub_message *next;
};

struct arena;

enum grub_end {
	GRUB_END_BOOTS,		/* boot is set */
	GRUB_END_WAITS,		/* at a menu or a prompt, for ever */
	GRUB_END_FALLS_THROUGH, /* no menu, nothing started: the loader goes on to its next place */
	GRUB_END_LEAVES,	/* halt, reboot or exit */
	GRUB_END_UNKNOWN,	/* reason: what could not be known */
	GRUB_END_LIMIT,		/* over one of the limits above */
};

struct grub_prediction {
	enum grub_end end;
	const char *reason; /* a sentence; may be empty for BOOTS */
	const char *entry;  /* path of the last entry that was tried, "a>b" of ids; NULL: none */
	const char *title;  /* of that entry */
	struct grub_boot boot;
	const struct grub_menu *menu; /* the first that was shown; NULL: none */
	struct grub_message *messages;
	unsigned tried;		    /* entries that were run, with the booted one */
	double pause;		    /* seconds that GRUB waits on the way */
	const char *const *modules; /* insmod'ed, in order */
	size_t n_modules;
	unsigned steps;	      /* commands run, in all evaluations */
	unsigned runs;	      /* evaluations that it took */
	unsigned questions;   /* that had no answer and did not matter, or did (UNKNOWN) */
	struct arena *memory; /* of all the above */
};

/*
 * Follows a configuration from the loader's `configfile` to the end. `root`: the device that the
 * loader's own search has set. `path`: on that device, or with a "(device)". `entry`: instead of
 * what the menu would choose, this one ("2", "title", "a>b"), at once; or NULL.
 *
 * 0 with a prediction to be freed, whatever it says; a file that cannot be read is
 * GRUB_END_FALLS_THROUGH. Negative only when memory runs out.
 */
int grubscript_predict(const struct grub_host *host, enum grub_dialect dialect, const char *root,
		       const char *path, const char *entry, struct grub_prediction **ret,
		       struct pvk_error *err);

/* NULL is fine. */
void grubscript_free(struct grub_prediction *prediction);

/* "boots", "waits", "falls-through", "leaves", "unknown", "limit". */
const char *grubscript_end_name(enum grub_end end);

static inline void grubscript_free_pointer(struct grub_prediction **prediction)
{
	grubscript_free(*prediction);
}

#endif
