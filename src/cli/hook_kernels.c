/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook_kernels.c - see hook_kernels.h */
#include "hook_kernels.h"

#include <stdio.h>
#include <stdlib.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../policy/refuse.h"
#include "../system/signals.h"
#include "hook_report.h"
#include "hook_undone.h"

bool hook_is_quiet(const struct hook *hook)
{
	return hook->command->options.level == LOG_LEVEL_QUIET;
}

static void say_stashed(const struct kernel *kernel, const struct pvk_error *why)
{
	if (why->code != 0)
		log_verbose("%s: kept without a diversion: %s", text_escape(kernel->version).s,
			    why->msg);
}

static int prepare(struct hook *hook, const struct kernel *kernel, struct outcome *ret)
{
	struct digest_text kept;
	const bool is_refused = refuse_is_in_force(&hook->apply, kernel, &kept);
	int r = apply_prepare(&hook->apply, kernel, ret);

	hook->wrote |= ret->wrote;
	say_stashed(kernel, &ret->stash_reason);
	if (r < 0)
		return r;
	if (ret->wrote) {
		log_journal("%s: %s, %s, now %s", text_escape(kernel->version).s,
			    outcome_name(ret->kind), text_size(ret->old_size).s,
			    text_size(ret->new_size).s);
		if (!hook_is_quiet(hook))
			hook_report_ready(kernel, ret);
		if (is_refused || ret->kind == OUTCOME_PREPARED)
			refuse_follow(&hook->apply, kernel, is_refused ? &kept : NULL);
	}
	return 0;
}

/* It could not be prepared: keeps it from being what boots, and notes it for the block. */
static void settle_failure(struct hook *hook, const struct kernel *kernel,
			   const struct outcome *outcome, bool is_new)
{
	struct withhold withhold;
	struct pvk_error err;

	log_journal("%s: not prepared: %s", text_escape(kernel->version).s, outcome->error.msg);
	if (outcome->error.code == PVK_E_INTERRUPTED)
		return;
	if (withhold_settle(&hook->apply, kernel, is_new, &withhold, &err) < 0) {
		hook_undone_add_unsettled(hook->notice, sizeof(hook->notice), kernel, outcome,
					  &err);
		return;
	}
	hook->wrote |= withhold.changed;
	/* An old kernel that never boots is told when pvkprep comes, not at every apt run. */
	if (withhold.kind == WITHHOLD_NOT_NEEDED && hook->task == HOOK_BACKSTOP)
		return;
	hook_report_add_failure(hook->notice, sizeof(hook->notice), &hook->apply, kernel, outcome,
				&withhold);
}

void hook_prepare_named(struct hook *hook, const struct kernel *kernel)
{
	struct outcome outcome;

	hook->apply.leave_initrd_room = true;
	if (prepare(hook, kernel, &outcome) == 0)
		return;
	settle_failure(hook, kernel, &outcome, true);
	record_note_reason(hook->apply.boot, kernel, &outcome.error);
	if (hook->notice[0] == '\0')
		return;
	hook_report_block(hook->notice);
	if (outcome.missing > 0)
		report_space_hint(stdout, hook->apply.root, hook->apply.boot, kernel);
	(void)notice_set(hook->apply.root, hook->notice, NULL);
}

void hook_prepare_early(struct hook *hook, const struct kernel *kernel)
{
	struct outcome outcome;

	hook->apply.is_unpacking = true;
	if (prepare(hook, kernel, &outcome) < 0)
		log_verbose("%s: not prepared yet: %s", text_escape(kernel->version).s,
			    outcome.error.msg);
}

void hook_divert(struct hook *hook, const struct kernel *kernel)
{
	struct pvk_error why = {0}, err;

	if (leave_room_for_update(&hook->apply, kernel, &why, &err) < 0)
		log_warning("%s: no diversion: %s, going on without",
			    text_escape(kernel->version).s, err.msg);
	say_stashed(kernel, &why);
}

/* --- all kernels --- */

enum attempt_kind {
	ATTEMPT_NONE, /* not due yet */
	ATTEMPT_DONE,
	ATTEMPT_FAILED,
	ATTEMPT_FAILED_BEFORE, /* and not made again */
};

struct attempt {
	enum attempt_kind kind;
	struct outcome outcome;
};

/* Without its initrd it is not tried again: what is known is told. */
static enum attempt_kind recall(const struct hook *hook, const struct kernel *kernel,
				struct outcome *ret)
{
	struct record record = {0};

	if (!withhold_is_known(&hook->apply, kernel)) {
		log_verbose("%s: left out of /boot until its initrd is there",
			    text_escape(kernel->version).s);
		return ATTEMPT_NONE;
	}
	(void)record_load(hook->apply.boot, kernel, &record);
	*ret = (struct outcome){.kind = OUTCOME_FAILED};
	(void)pvk_fail(
		&ret->error, record.reason.code != 0 ? record.reason.code : PVK_E_FORMAT,
		"%.300s, and its initrd is missing ('pvkprep --prepare %.100s' tries without)",
		record.reason.code != 0 ? record.reason.msg
					: "could not be prepared when it was installed",
		text_escape(kernel->version).s);
	return ATTEMPT_FAILED_BEFORE;
}

static void try(struct hook *hook, const struct kernel *kernel, struct attempt *ret)
{
	/* dpkg's triggers may run before the kernel's own scripts are through (Ubuntu). */
	if (hook->task == HOOK_BACKSTOP && withhold_awaits_initrd(&hook->apply, kernel))
		ret->kind = recall(hook, kernel, &ret->outcome);
	else if (prepare(hook, kernel, &ret->outcome) == 0)
		ret->kind = ATTEMPT_DONE;
	else
		ret->kind = ATTEMPT_FAILED;
}

static void settle(struct hook *hook, const struct kernel *kernel, const struct attempt *attempt)
{
	if (attempt->kind == ATTEMPT_DONE)
		hook_undone_add_refused(hook->notice, sizeof(hook->notice), &hook->apply, kernel);
	else if (attempt->kind != ATTEMPT_NONE)
		settle_failure(hook, kernel, &attempt->outcome, false);
	if (attempt->kind == ATTEMPT_FAILED)
		record_note_reason(hook->apply.boot, kernel, &attempt->outcome.error);
}

void hook_prepare_each(struct hook *hook, const struct kernel_list *list)
{
	_cleanup_free_ struct attempt *attempts = calloc(list->count + 1, sizeof(*attempts));

	if (!attempts) {
		log_error("no memory for a list of %zu kernels: none is prepared", list->count);
		return;
	}
	for (size_t i = 0; i < list->count && !signals_pending(); i++)
		try(hook, &list->items[i], &attempts[i]);
	for (size_t i = 0; i < list->count && !signals_pending(); i++)
		settle(hook, &list->items[i], &attempts[i]);
}
