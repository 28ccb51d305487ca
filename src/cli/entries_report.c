/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entries_report.c - see entries_report.h */
#include "entries_report.h"

#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../policy/notice.h"
#include "hook_report.h"

/* A file's own bytes: its lines stay lines, nothing in them reaches a terminal as a command. */
static void print_text(const char *text)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '\n' || c == '\t' || (c >= ' ' && c < 0x7f))
			(void)putchar(c);
		else
			(void)printf("\\x%02x", c);
	}
}

static void print_line(const struct command *command, const struct entry *entry)
{
	(void)printf("%s%s%s: %s%s%s\n", command->options.mode == MODE_HOOK ? "pvkprep: " : "",
		     text_escape(command->root.path).s, entry->path, entry_state_name(entry->state),
		     entry->reason[0] ? ": " : "", entry->reason);
}

static void warn(const struct command *command, const struct entry *entry)
{
	char path[PATH_MAX + 64];

	(void)snprintf(path, sizeof(path), "%s%s", command->root.path, entry->path);
	if (entry->state == ENTRY_FAILED)
		log_error("%s: %s", text_quote(path).s, entry->reason);
	else
		log_warning("%s: %s", text_quote(path).s, entry->reason);
	if (entry->suggestion && !command->json && command->options.level > LOG_LEVEL_QUIET) {
		(void)printf("%s: could be added to it:\n", text_escape(path).s);
		print_text(entry->suggestion);
	}
}

void entries_report_files(const struct command *command, const struct entries *entries, bool all)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct entry *entry = &entries->items[i];

		if (entry_needs_attention(entry))
			warn(command, entry);
		else if (!command->json && (all || entry_is_change(entry)))
			print_line(command, entry);
		if (entry->state >= ENTRY_WRITTEN && entry->state <= ENTRY_MOVED)
			log_journal("%s: %s: %s", entry->path, entry_state_name(entry->state),
				    entry->reason);
		if (entry->diff && !command->json)
			print_text(entry->diff);
	}
}

/* --- JSON --- */

static json_object *text_or_null(const char *text)
{
	return text ? report_text_json(text) : NULL;
}

static json_object *entry_json(const struct entry *entry)
{
	json_object *object = json_object_new_object();

	(void)json_object_object_add(object, "path", report_text_json(entry->path));
	(void)json_object_object_add(object, "state",
				     report_text_json(entry_state_name(entry->state)));
	(void)json_object_object_add(object, "reason", report_text_json(entry->reason));
	(void)json_object_object_add(object, "diff", text_or_null(entry->diff));
	(void)json_object_object_add(object, "suggestion", text_or_null(entry->suggestion));
	return object;
}

void entries_report_json(json_object *to, const struct entries *entries)
{
	json_object *array = json_object_new_array();
	const char *verdict = entries->is_verdict_known ? boot_verdict_name(entries->known_verdict)
			      : entries->model		? boot_verdict_name(entries->model->verdict)
							: NULL;

	for (size_t i = 0; i < entries->count; i++)
		(void)json_object_array_add(array, entry_json(&entries->items[i]));
	(void)json_object_object_add(to, "entries", array);
	(void)json_object_object_add(to, "verdict", text_or_null(verdict));
}

/* --- the verdict --- */

static const struct boot_finding *find_cause(const struct bootmodel *model)
{
	static const struct boot_finding none = {.message = "not known"};
	const struct boot_finding *cause = bootmodel_cause(model);

	return cause ? cause : &none;
}

/* Between the reason and what to do. */
static const char *joint(const char *fix)
{
	return fix[0] ? "; what to do: " : " (--check tells more)";
}

int entries_report_verdict(const struct entries *entries)
{
	const struct bootmodel *model = entries->model;
	const struct boot_finding *cause;
	const char *fix;

	if (!model || model->verdict == VERDICT_BOOTS)
		return EXIT_DONE;
	cause = find_cause(model);
	fix = cause->fix;
	/* This is --prepare, and what kept it from curing that was told before. */
	if (strstr(fix, "pvkprep ") && strstr(fix, " --prepare"))
		fix = "mend what is told above, and run this again";
	if (model->verdict == VERDICT_FAILS) {
		log_error("the guest will NOT come back from its next start: %s%s%s",
			  cause->message, joint(fix), fix);
		return EXIT_FAILED;
	}
	log_warning("cannot tell whether the guest will come back from its next start: %s%s%s",
		    cause->message, joint(fix), fix);
	return EXIT_DONE;
}

void entries_warn_of_restored(const struct command *command, const struct apply *apply)
{
	const struct entries_request request = {
		.apply = apply,
		.guest = command->guest,
		.look_anyway = true,
		.judges_only = true,
	};
	_cleanup_entries_ struct entries entries = {0};
	const struct boot_finding *cause;

	if (entries_settle(&request, &entries) < 0 || !entries.model ||
	    entries.model->verdict != VERDICT_FAILS)
		return;
	cause = find_cause(entries.model);
	log_warning(
		"through a PV boot loader the guest will NOT come back from its next start: %s%s%s",
		cause->message, joint(cause->fix), cause->fix);
}

/* --- hooks --- */

/* Without its lines on the next boot: those knew the kernels only. */
static void drop_next_boot(char *text)
{
	char *line;

	while ((line = strstr(text, "\n" HOOK_REPORT_NEXT_BOOT)) != NULL) {
		const char *end = line + 1 + strcspn(line + 1, "\n");

		memmove(line, end, strlen(end) + 1);
	}
}

/* Before what is there: it is the worst of what can be told. */
static void put_verdict(const struct bootmodel *model, char *text, size_t size)
{
	const struct boot_finding *cause = find_cause(model);
	char kernels[NOTICE_MAX];

	/* Of a kernel that nothing replaces it has been told. */
	if (strncmp(text, HOOK_REPORT_WILL_FAIL, strlen(HOOK_REPORT_WILL_FAIL)) == 0 ||
	    strstr(text, "\n" HOOK_REPORT_WILL_FAIL))
		return;
	(void)snprintf(kernels, sizeof(kernels), "%s", text);
	drop_next_boot(kernels);
	(void)snprintf(text, size,
		       HOOK_REPORT_WILL_FAIL "\n  reason     %s\n  to do      %s\n"
					     "  more       pvkprep --check; pvkprep(8)\n%s",
		       cause->message, cause->fix[0] ? cause->fix : "see pvkprep --check", kernels);
}

bool entries_report_hook(const struct command *command, const struct apply *apply, bool is_last,
			 char *notice, size_t size)
{
	const struct entries_request request = {
		.apply = apply,
		.guest = command->guest,
		.is_kernel_hook = !is_last,
		.is_doubt_known = true,
	};
	_cleanup_entries_ struct entries entries = {0};
	int r = entries_settle(&request, &entries);

	/* What somebody else has to mend is told once, at the end of the run. */
	if (is_last || r < 0)
		entries_report_files(command, &entries, false);
	if (entries.model && entries.model->verdict == VERDICT_FAILS)
		put_verdict(entries.model, notice, size);
	if (entries.model && entries.model->verdict == VERDICT_UNKNOWN)
		(void)entries_report_verdict(&entries);
	return entries.wrote;
}
