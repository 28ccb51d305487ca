/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_undone.c - see hook_undone.h */
#include "hook_undone.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/text.h"
#include "../policy/notice.h"
#include "../policy/originals.h"
#include "../policy/record.h"
#include "../policy/refuse.h"
#include "../policy/stash.h"
#include "hook_report.h"
#include "log.h"

void hook_undone_add_unsettled(char *text, size_t size, const struct kernel *kernel,
			       const struct outcome *outcome, const struct pvk_error *why)
{
	const struct text_quoted version = text_escape(kernel->version);

	hook_report_add(
		text, size,
		"THE NEXT BOOT MAY FAIL: kernel %s cannot be started, and may be what boots\n"
		"  reason     %s\n"
		"  besides    it cannot be kept out of the boot menu: %s\n"
		"  to do      %s; then run: pvkprep --prepare\n"
		"  more       every further apt run tries again; pvkprep --check; pvkprep(8)\n",
		version.s, outcome->error.msg, why->msg,
		outcome->error.code == PVK_E_NO_SPACE ? "make room in /boot (purge an old kernel)"
						      : "mend that, or purge this kernel");
}

/* Is what dpkg keeps beside the image another one than the image was made of? */
static bool is_outdated(const struct apply *apply, const struct kernel *kernel,
			const struct originals *originals, bool is_new)
{
	struct record record;
	struct stat st;

	if (originals->diversion != DIVERT_OURS || !originals->is_packaged)
		return false;
	if (!originals->in_place)
		return true;
	if (record_load(apply->boot, kernel, &record) == 1)
		return !record_matches_source(&record, &originals->packaged);
	return is_new && fstatat(apply->boot->fd, kernel->file, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_ino != originals->packaged.st_ino;
}

void hook_undone_add_diverted(char *text, size_t size, const struct apply *apply,
			      const struct kernel *kernel, bool is_new)
{
	const struct text_quoted version = text_escape(kernel->version);
	struct originals originals;

	if (originals_look(apply->root, apply->boot, kernel, &originals, NULL) < 0 ||
	    !is_outdated(apply, kernel, &originals, is_new))
		return;
	hook_report_add(
		text, size,
		"UPDATE NOT IN USE: kernel %s, since pvkprep is switched off here\n"
		"  reason     dpkg still puts its image into /boot/" PVK_OWN_DIR
		", by a diversion\n"
		"  in /boot   %s\n"
		"  to do      pvkprep --restore %s (puts the packaged image into /boot, for good)\n"
		"  more       pvkprep(8), KERNEL UPGRADES\n",
		version.s,
		originals.in_place ? "the image of before the update" : "no image of this kernel",
		version.s);
}

void hook_undone_add_refused(char *text, size_t size, const struct apply *apply,
			     const struct kernel *kernel)
{
	const struct withhold withhold = {.kind = WITHHOLD_EARLIER};
	struct outcome outcome = {.kind = OUTCOME_FAILED};

	if (!refuse_is_in_force(apply, kernel, NULL))
		return;
	(void)pvk_fail(&outcome.error, PVK_E_FORMAT,
		       "it cannot be started; it is kept as /boot/" PVK_OWN_DIR
		       "/" PVK_REFUSED_PREFIX "%s",
		       text_escape(kernel->version).s);
	hook_report_add_failure(text, size, apply, kernel, &outcome, &withhold);
}

void hook_undone_tell(const struct root *root, const char *text)
{
	char present[NOTICE_MAX];
	struct pvk_error err;

	notice_read(root, present);
	if (text[0] != '\0' && strcmp(present, text) != 0)
		hook_report_block(text);
	else if (text[0] != '\0')
		(void)printf("pvkprep: %.*s (still; see /run/pvkprep/notice)\n",
			     (int)strcspn(text, "\n"), text);
	if (notice_set(root, text, &err) < 0)
		log_verbose("%s", err.msg);
}
