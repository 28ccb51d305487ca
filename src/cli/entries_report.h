/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * entries_report.h - the boot entries at the end of a run, as the administrator reads of them:
 * lines for what changed, warnings for what is not as it should be, the verdict on the next boot.
 */
#ifndef PVK_ENTRIES_REPORT_H
#define PVK_ENTRIES_REPORT_H

#include "../policy/entries.h"
#include "command.h"

/* Files: stdout for what became new (and all with `all`), stderr for what needs attention. */
void entries_report_files(const struct command *command, const struct entries *entries, bool all);

/* "entries" and "verdict" of --prepare --json. */
void entries_report_json(json_object *to, const struct entries *entries);

/*
 * The verdict where the guest will not come back, or where that cannot be told: one line. Returns
 * the exit status that it means for --prepare.
 */
int entries_report_verdict(const struct entries *entries);

/* After --restore: does the next boot fail, through a PV loader? Then a warning says so. */
void entries_warn_of_restored(const struct command *command, const struct apply *apply);

/*
 * The boot entries out of a hook. In a kernel's own (not is_last) its initrd may not be there yet,
 * and the owners of the menus run after us: only what is ours is written. At the end of the run all
 * is there, and the next boot is judged; where it fails, that comes first in the notice
 * (hook_report.h), if nothing in it says so yet. True: something was written.
 */
bool entries_report_hook(const struct command *command, const struct apply *apply, bool is_last,
			 char *notice, size_t size);

#endif
