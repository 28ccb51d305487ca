/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries_menulst.c - menu.lst: whose is it, and what is to be done about it; see entries.h. */
#include <stdio.h>
#include <string.h>

#include "../bootcfg/menulstgen.h"
#include "entries_internal.h"

#define _cleanup_gen_ _cleanup_(menulstgen_free_pointer)

/* Is one to be made where none is? */
static bool is_wanted(const struct entries_work *work)
{
	const struct menus *menus = &work->menus;
	/* It is not there yet: its owner is to be run, by us or by somebody who was told so. */
	const bool grub_cfg_comes = entries_reads_grub_cfg(work) &&
				    work->apply->config->grub_cfg != KEEP_NEVER &&
				    (menus->grub_cfg || menus->grub_mkconfig);

	if (work->apply->config->menu_lst == KEEP_ALWAYS || menus->menu_lst)
		return true;
	/* The loader's last resort; a pvboot image without a grub.cfg boots nothing anyway. */
	return entries_reads_menu_lst(work) && !work->has_grub_cfg && !grub_cfg_comes;
}

static int generate(const struct entries_work *work, const struct entry_file *file,
		    struct menulstgen_file **ret, struct pvk_error *err)
{
	const struct entries_facts *facts = &work->facts;
	char kopt[ENTRIES_OPTIONS_MAX];
	const struct menulstgen_defaults defaults = {
		.kopt = kopt,
		.groot = facts->groot,
		.title = facts->title,
		.console = "hvc0",
	};

	entries_facts_options(facts, kopt);
	return menulstgen_make(file->bytes, facts->listed, facts->count, &defaults, ret, err);
}

/* What the generator has to say beside its result. */
static void add_notes(struct entry *entry, const struct menulstgen_file *gen)
{
	for (const struct menulstgen_note *note = gen->notes; note; note = note->next) {
		const size_t used = strlen(entry->reason);

		(void)snprintf(entry->reason + used, sizeof(entry->reason) - used, "%s%s",
			       used ? "; " : "", note->text);
	}
}

static void report_foreign(const struct entries_work *work, struct entry *entry,
			   const struct entry_file *file, const struct menulstgen_file *gen)
{
	char what[PVK_ERROR_MSG_MAX];

	if (entries_menu_is_complete(work, file->bytes, work->facts.count, what, sizeof(what))) {
		entry_set(entry, ENTRY_CURRENT, "the administrator's (%s)", gen->foreign);
		return;
	}
	entry_set(entry, ENTRY_INCOMPLETE,
		  "%.200s; it is the administrator's (%.200s), not touched", what, gen->foreign);
	entry->suggestion = strndup((const char *)gen->text.data, gen->text.size);
}

static void write_own(struct entries_work *work, struct entry *entry, const struct entry_file *file,
		      const struct menulstgen_file *gen)
{
	const bool is_new = gen->outcome == MENULSTGEN_CREATED;
	char reason[256];

	if (gen->outcome == MENULSTGEN_SAME) {
		entry_set(entry, ENTRY_CURRENT, "%s", "");
		return;
	}
	if (is_new && work->facts.is_in_subvolume) {
		entry_set(entry, ENTRY_INCOMPLETE, ENTRIES_IN_SUBVOLUME);
		return;
	}
	/* Entries without root= would not boot; those that are there may. */
	if (!gen->has_kopt && work->facts.root_spec[0] == '\0') {
		entry_set(entry,
			  is_new && !work->facts.has_fstab_root ? ENTRY_ABSENT : ENTRY_INCOMPLETE,
			  "cannot be made: /etc/fstab does not tell the root device");
		return;
	}
	(void)snprintf(reason, sizeof(reason), "lists %u kernel%s%s%s%s", gen->listed,
		       gen->listed == 1 ? "" : "s",
		       is_new && !work->facts.is_groot_known ? "; assumed that /boot is on " : "",
		       is_new && !work->facts.is_groot_known ? work->facts.groot : "",
		       is_new && !work->facts.is_groot_known
			       ? ": if not, mend groot in it and run pvkprep again"
			       : "");
	entries_put(work, entry, file, gen->text, reason);
}

static void settle(struct entries_work *work, struct entry *entry, const struct entry_file *file)
{
	_cleanup_gen_ struct menulstgen_file *gen = NULL;
	char what[PVK_ERROR_MSG_MAX] = "there was none";
	struct pvk_error err;

	if (file->bytes.size == 0 && !is_wanted(work)) {
		entry_set(entry, ENTRY_ABSENT, "not needed");
		return;
	}
	if (work->facts.count == 0) {
		entry_set(entry, file->bytes.size ? ENTRY_INCOMPLETE : ENTRY_ABSENT,
			  "no kernel here that the loader can start");
		return;
	}
	if (generate(work, file, &gen, &err) < 0) {
		entry_set(entry, ENTRY_FAILED, "%s", err.msg);
		return;
	}
	if (gen->outcome == MENULSTGEN_FOREIGN)
		report_foreign(work, entry, file, gen);
	else if (!work->menus.menu_lst)
		write_own(work, entry, file, gen);
	/* By the file's own howmany the owner lists no more than we would. */
	else if (file->bytes.size > 0 &&
		 entries_menu_is_complete(work, file->bytes, gen->listed, what, sizeof(what)))
		entry_set(entry, ENTRY_CURRENT, "%s", "");
	else
		entries_run_owner(work, entry, work->menus.menu_lst, what, gen->listed);
	add_notes(entry, gen);
}

void entries_settle_menu_lst(struct entries_work *work)
{
	struct entry *entry = entries_add(work, ENTRIES_MENU_LST);
	_cleanup_entry_file_ struct entry_file file = ENTRY_FILE_INIT;

	if (!entries_open(work, entry, ENTRIES_CFG_MAX, &file))
		return;
	if (work->apply->config->menu_lst == KEEP_NEVER)
		entry_set(entry, ENTRY_OFF, "menu-lst = never");
	else
		settle(work, entry, &file);
}
