/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bootmodel.h - the prediction behind --check: what will the loader do at the next start of the
 * guest, and does the guest come back?
 *
 * The loader is followed, not the intention: the places that the profile's loader looks at, in its
 * order; each as that loader would judge it; a configuration by evaluating it (bootcfg); then the
 * kernel that it names, decoded to its last byte, its initrds and its command line.
 *
 * Sources of the profiles' orders: bitfolk: pvboot, grub.cfg, menu.lst as its pvgrub image does;
 * debian: grub2's debian/grub-xen-host_grub.cfg; pygrub: Xen tools/pygrub/src/pygrub; pv-grub:
 * Xen stubdom (GRUB 0.97).
 */
#ifndef PVK_BOOTMODEL_H
#define PVK_BOOTMODEL_H

#include <limits.h>

#include "../formats/image.h"
#include "../formats/loaders.h"
#include "../system/guest.h"
#include "../system/worker.h"
#include "config.h"

#define BOOT_STEPS_MAX	  16
#define BOOT_FINDINGS_MAX 48
#define BOOT_INITRDS_MAX  8

enum boot_verdict {
	VERDICT_BOOTS,	 /* the guest comes back */
	VERDICT_FAILS,	 /* it does not */
	VERDICT_UNKNOWN, /* cannot be told; a finding says why */
};

enum boot_via {
	VIA_PVBOOT,
	VIA_GRUB_CFG,
	VIA_MENU_LST,
	VIA_EXTLINUX, /* pygrub only */
};

enum boot_step_state {
	STEP_ABSENT,
	STEP_USED,
	STEP_FAILED,
	STEP_NOT_REACHED
};

/* One place that the loader looks at. */
struct boot_step {
	enum boot_via via;
	const char *path; /* on the volume: "/boot/grub/grub.cfg" */
	char guest_path[PATH_MAX];
	enum boot_step_state state;
	char reason[512];
	double pause; /* seconds that this step costs the boot */
};

enum boot_severity {
	SEVERITY_INFO,
	SEVERITY_WARNING,
	SEVERITY_ERROR
};

struct boot_finding {
	enum boot_severity severity;
	enum boot_verdict verdict; /* that it forces; boots: none */
	const char *code;	   /* stable: "initrd-missing", ... */
	char message[512];
	char fix[1024]; /* a command, or empty; for a tree one that works on it */
};

/* What the loader would start. */
struct boot_target {
	enum boot_via via;
	char config[PATH_MAX]; /* in the guest */
	char entry[512];       /* "a>b" of ids or titles; empty: none (a bare `linux` line) */
	char title[512];
	char kernel[PATH_MAX]; /* in the guest, links followed */
	char initrd[BOOT_INITRDS_MAX][PATH_MAX];
	size_t initrd_count;
	char cmdline[1100];
	struct image image; /* of the kernel */
	struct loader_verdict loader;
};

struct bootmodel {
	const struct root *root; /* borrowed; what the cures are for */
	enum boot_verdict verdict;
	bool has_boot; /* something is started that does not crash at once */
	struct boot_target boot;
	struct boot_step steps[BOOT_STEPS_MAX];
	size_t step_count;
	struct boot_finding findings[BOOT_FINDINGS_MAX];
	size_t finding_count;
	bool is_last_dropped; /* there was no room for it */
	double pause;	      /* seconds of waiting on the way, all steps together */
	/* A configuration, kernel or initrd was read that is in none of the directories in which a
	 * loader looks by itself (entries_note.h). */
	bool depends_on_others;
};

struct bootmodel_request {
	const struct root *root;
	const struct config *config;
	enum guest_mode guest;
	const struct worker_watch *watch;
	/* Only which kernel is started: nothing is unpacked, initrds are not looked into. */
	bool is_quick;
};

/* Predicts. Always fills *ret; negative only when nothing at all could be looked at. */
int bootmodel_predict(const struct bootmodel_request *request, struct bootmodel *ret,
		      struct pvk_error *err);

const char *boot_verdict_name(enum boot_verdict verdict); /* "boots", "fails", "unknown" */
const char *boot_via_name(enum boot_via via); /* "pvboot", "grub.cfg", "menu.lst", "extlinux" */
const char *boot_step_state_name(enum boot_step_state state); /* "absent", "used", ... */
const char *boot_severity_name(enum boot_severity severity);  /* "info", "warning", "error" */

/*
 * Adds a finding; fix, a command for the running guest, may be NULL. For a tree pvkprep is given
 * its --root, and other commands run in it. Over the limit the finding is dropped; errors have some
 * room of their own.
 */
void bootmodel_find(struct bootmodel *model, enum boot_severity severity, const char *code,
		    const char *fix, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* For the reason of the finding just added. The verdict can only get worse: boots, unknown, fails.
 */
void bootmodel_worsen(struct bootmodel *model, enum boot_verdict verdict);

/* The finding that says why the verdict is as it is: the first of the worst. NULL: there is none.
 */
const struct boot_finding *bootmodel_cause(const struct bootmodel *model);

#endif
