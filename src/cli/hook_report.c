/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_report.c - see hook_report.h */
#include "hook_report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/text.h"
#include "../system/dpkgdb.h"

#define FRAME "**********************************************************************"

static const char *payload_of(const struct outcome *outcome)
{
	if (!outcome->has_image)
		return "";
	return outcome->image.container == IMAGE_ELF ? "bare ELF"
						     : image_payload_name(&outcome->image);
}

void hook_report_ready(const struct kernel *kernel, const struct outcome *outcome)
{
	const struct text_quoted version = text_escape(kernel->version);
	const char *name = version.s;

	if (outcome->kind == OUTCOME_PREPARED) {
		(void)printf("pvkprep: %s: %s kernel of %s %s %s and checked in %s\n", name,
			     payload_of(outcome), text_size(outcome->old_size).s,
			     outcome->format == FORMAT_HYBRID ? "made into a hybrid of"
							      : "unpacked to",
			     text_size(outcome->new_size).s, text_seconds(outcome->seconds).s);
		(void)printf("pvkprep: %s: ready for the next boot through the PV boot loader\n",
			     name);
	} else if (outcome->kind == OUTCOME_KEPT && outcome->has_image) {
		(void)printf(
			"pvkprep: %s: ready for the next boot as it is: the boot loader reads its %s image of %s\n",
			name, payload_of(outcome), text_size(outcome->new_size).s);
	}
}

void hook_report_add(char *text, size_t size, const char *fmt, ...)
{
	const size_t used = strlen(text);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text + used, size - used, fmt, args);
	va_end(args);
}

static void add_heading(char *text, size_t size, const struct kernel *kernel,
			const struct withhold *withhold)
{
	const struct text_quoted version = text_escape(kernel->version);

	switch (withhold->kind) {
	case WITHHOLD_HOPELESS:
		hook_report_add(text, size, HOOK_REPORT_WILL_FAIL ": kernel %s cannot be started\n",
				version.s);
		break;
	case WITHHOLD_EARLIER:
		hook_report_add(text, size, "The update of kernel %s IS NOT IN USE YET\n",
				version.s);
		break;
	case WITHHOLD_DONE:
	case WITHHOLD_NOT_NEEDED:
		hook_report_add(text, size, "KERNEL %s CANNOT BE STARTED and is not used\n",
				version.s);
		break;
	}
}

static void add_next_boot(char *text, size_t size, const struct kernel *kernel,
			  const struct withhold *withhold)
{
	const char *fallback = withhold->fallback.version;

	switch (withhold->kind) {
	case WITHHOLD_HOPELESS:
		hook_report_add(text, size,
				HOOK_REPORT_NEXT_BOOT
				"fails in the boot loader: no other kernel here can be started\n");
		break;
	case WITHHOLD_EARLIER:
		hook_report_add(text, size,
				HOOK_REPORT_NEXT_BOOT
				"%s as it was before the update; it is left untouched\n",
				text_escape(kernel->version).s);
		break;
	case WITHHOLD_DONE:
		hook_report_add(text, size,
				HOOK_REPORT_NEXT_BOOT
				"%s instead; the other is left out of the boot menu\n",
				text_escape(fallback).s);
		break;
	case WITHHOLD_NOT_NEEDED:
		hook_report_add(text, size, HOOK_REPORT_NEXT_BOOT "%s, which is newer\n",
				text_escape(fallback).s);
		break;
	}
}

/* Whom the image belongs to, or who may write to it; not that it is another than the package's. */
static bool is_about_file(const struct outcome *outcome)
{
	return outcome->error.code == PVK_E_REFUSED && outcome->md5_package[0] == '\0';
}

static void add_cure(char *text, size_t size, const struct apply *apply,
		     const struct kernel *kernel, const struct outcome *outcome)
{
	const struct text_quoted version = text_escape(kernel->version);
	const bool is_kept =
		faccessat(apply->boot->own_fd, kernel->packaged, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	const int code = outcome->error.code;

	if (code == PVK_E_NO_SPACE || code == ENOSPC)
		hook_report_add(
			text, size,
			"  to do      make room in /boot (purge an old kernel)%s; then run: pvkprep --prepare\n",
			outcome->fits_as_hybrid ? ", or set format = auto in /etc/pvkprep.conf"
						: "");
	else if (code == PVK_E_BUSY || code == PVK_E_CHANGED)
		hook_report_add(text, size, "  to do      run: pvkprep --prepare\n");
	else if (!pvk_error_is_of_file(-code))
		hook_report_add(
			text, size,
			"  to do      that is not the image's fault; once it is mended, run: pvkprep --prepare %s\n",
			version.s);
	else if (is_about_file(outcome))
		hook_report_add(
			text, size,
			"  to do      mend that (the image is /boot/%s%s), then run: pvkprep --prepare %s\n",
			is_kept ? PVK_OWN_DIR "/" : "",
			text_escape(is_kept ? kernel->packaged : kernel->file).s, version.s);
	else if (dpkgdb_owns_image(apply->root, kernel->version, NULL) == 0)
		hook_report_add(
			text, size,
			"  to do      no package owns it: put a sound image at /boot/%s, or use another kernel\n",
			text_escape(kernel->file).s);
	else
		hook_report_add(
			text, size,
			"  to do      apt-get install --reinstall linux-image-%s, or use another kernel\n",
			version.s);
}

void hook_report_add_failure(char *text, size_t size, const struct apply *apply,
			     const struct kernel *kernel, const struct outcome *outcome,
			     const struct withhold *withhold)
{
	add_heading(text, size, kernel, withhold);
	hook_report_add(text, size, "  reason     %s\n", outcome->error.msg);
	add_next_boot(text, size, kernel, withhold);
	add_cure(text, size, apply, kernel, outcome);
	hook_report_add(
		text, size,
		"  more       every further apt run tries again; pvkprep --list; pvkprep(8)\n");
}

void hook_report_block(const char *text)
{
	(void)printf("\n" FRAME "\npvkprep: ");
	for (; *text; text++) {
		(void)putchar(*text);
		/* A second kernel's heading, too, begins with the name. */
		if (*text == '\n' && text[1] != '\0' && text[1] != ' ')
			(void)printf("pvkprep: ");
	}
	(void)printf(FRAME "\n\n");
}

void hook_report_leave(const struct kernel *kernel, const struct leave *leave)
{
	const struct text_quoted quoted = text_escape(kernel->version);
	const char *version = quoted.s;
	char cure[512] = "";

	/* What belongs to no package cannot be had from one. */
	if (!leave->original_stays)
		(void)snprintf(cure, sizeof(cure),
			       "; to get that: apt-get install --reinstall linux-image-%s",
			       version);
	switch (leave->kind) {
	case LEAVE_UNTOUCHED:
		return;
	case LEAVE_RESTORED:
		(void)printf("pvkprep: %s: the packaged image is back in place\n", version);
		break;
	case LEAVE_PREPARED:
		(void)printf(
			"pvkprep: %s: stays prepared, since the boot loader cannot read the packaged image%s\n",
			version, cure);
		break;
	case LEAVE_UNLOADABLE:
		(void)printf(
			"pvkprep: %s: CANNOT BE STARTED AS IT IS, and cannot be prepared (%s); its packaged image stays as /boot/" PVK_OWN_DIR
			"/%s\n",
			version, leave->why.msg, text_escape(kernel->packaged).s);
		break;
	case LEAVE_ABSENT:
		(void)printf("pvkprep: %s: was never prepared and stays out of /boot%s\n", version,
			     cure);
		break;
	}
	if (leave->refused_stays)
		(void)printf("pvkprep: %s: a refused update of it stays in /boot/" PVK_OWN_DIR "\n",
			     version);
	if (leave->original_stays && leave->kind != LEAVE_UNLOADABLE)
		(void)printf(
			"pvkprep: %s: belongs to no package: its original stays as /boot/" PVK_OWN_DIR
			"/%s\n",
			version, text_escape(kernel->packaged).s);
}
