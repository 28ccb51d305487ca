/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook.h - what a call out of a package's script means: phase and DEB_MAINT_PARAMS in, task out.
 * Pure. The internal mode is `pvkprep --hook PHASE [VERSION [IMAGE]]`.
 */
#ifndef PVK_HOOK_H
#define PVK_HOOK_H

#include <stdbool.h>

enum hook_phase {
	HOOK_KERNEL_PREINST,
	HOOK_KERNEL_POSTINST,
	HOOK_KERNEL_POSTRM,
	HOOK_APT,	      /* the end of an apt run */
	HOOK_TRIGGER,	      /* dpkg: something changed in /boot */
	HOOK_PACKAGE_INSTALL, /* our own postinst configure */
	HOOK_PACKAGE_REMOVE,  /* our own prerm remove */
	HOOK_PHASE_COUNT
};

enum hook_task {
	HOOK_NOTHING,
	HOOK_DIVERT,	    /* before the unpack: see to the diversion */
	HOOK_PREPARE_EARLY, /* just unpacked: prepare it; a failure is not the last word */
	HOOK_PREPARE,	    /* prepare it, or withhold it */
	HOOK_ABORTED,	    /* an installation that came to nothing */
	HOOK_FORGET,	    /* the kernel is gone */
	HOOK_BACKSTOP,	    /* all kernels, quietly */
	HOOK_INSTALL,	    /* all kernels, telling what is done */
	HOOK_LEAVE,	    /* pvkprep goes */
};

/* "kernel-postinst", ... False: there is no such phase. */
bool hook_parse_phase(const char *name, enum hook_phase *ret);

/* Does the phase concern one kernel, whose version must be named? */
bool hook_phase_has_kernel(enum hook_phase phase);

/*
 * maint_params: DEB_MAINT_PARAMS, the arguments of the maintainer script in one string, each of
 * them perhaps in quotes of the shell. NULL or empty (a kernel that no dpkg installs: `make
 * install`, old bindeb-pkg) means that the kernel was just installed.
 */
enum hook_task hook_choose_task(enum hook_phase phase, const char *maint_params);

#endif
