/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubpredict.c - see grubscript.h: one evaluation, and one for each answer to an open question. */
#include "grubeval.h"

#include <errno.h>

#include "../base/cleanup.h"

/* GRUB 2.06: normal/main.c, kern/main.c. */
static const struct grub_setting built_in[] = {
	{"grub_cpu", "x86_64", NULL},
	{"grub_platform", "xen", NULL},
	{"pager", "", NULL},
	{"color_normal", "light-gray/black", NULL},
	{"color_highlight", "black/light-gray", NULL},
	{"feature_chainloader_bpb", "y", NULL},
	{"feature_ntldr", "y", NULL},
	{"feature_platform_search_hint", "y", NULL},
	{"feature_default_font_path", "y", NULL},
	{"feature_all_video_module", "y", NULL},
	{"feature_menuentry_id", "y", NULL},
	{"feature_menuentry_options", "y", NULL},
	{"feature_200_final", "y", NULL},
	{"feature_nativedisk_cmd", "y", NULL},
	{"feature_timeout_style", "y", NULL},
};

/* What grubscript_predict() allocates: the prediction first, so that its pointer frees all. */
struct run {
	struct grub_prediction prediction;
	struct grub_eval eval;
	char reason[256]; /* one that came from another run */
};

struct request {
	const struct grub_host *host;
	enum grub_dialect dialect;
	const char *root, *path, *entry;
};

const char *grubscript_end_name(enum grub_end end)
{
	static const char *const names[] = {
		[GRUB_END_BOOTS] = "boots",
		[GRUB_END_WAITS] = "waits",
		[GRUB_END_FALLS_THROUGH] = "falls-through",
		[GRUB_END_LEAVES] = "leaves",
		[GRUB_END_UNKNOWN] = "unknown",
		[GRUB_END_LIMIT] = "limit",
	};

	return names[end];
}

static void set_up(struct grub_eval *ev, const struct request *request)
{
	const struct grub_host *host = request->host;

	ev->context = ARENA_NEW(&ev->arena, struct grub_context);
	for (size_t i = 0; i < sizeof(built_in) / sizeof(built_in[0]); i++)
		grubvars_set(ev, built_in[i].name, built_in[i].value);
	if (request->root)
		grubvars_set(ev, "root", request->root);
	for (size_t i = 0; i < host->n_settings; i++) {
		const struct grub_setting *s = &host->settings[i];

		grubvars_set_value(ev, s->name,
				   (struct grub_value){s->value ? s->value : "?",
						       s->value ? NULL : s->unknown});
	}
	for (struct grub_variable *v = ev->context->variables; v; v = v->next)
		v->is_exported = true;
}

/* One evaluation, from the loader's `configfile` on. Negative: no memory. */
static int evaluate(struct run *run, const struct request *request, const bool *guesses)
{
	struct grub_eval *ev = &run->eval;
	const struct grub_value path = {.text = request->path};
	struct grub_call call = {.args = &path, .n_args = 1};
	jmp_buf full;

	ev->out = &run->prediction;
	ev->host = request->host;
	ev->guesses = guesses;
	ev->forced_entry = request->entry;
	ev->last_message = &ev->out->messages;
	ev->file = "";
	ev->arena.full = &full;
	if (setjmp(full)) {
		ev->out->end = GRUB_END_LIMIT;
		ev->out->reason = "the configuration needs too much memory";
		return ev->arena.error == ENOMEM ? -ENOMEM : 0;
	}
	if (setjmp(ev->stop))
		return 0;
	set_up(ev, request);
	if (request->dialect == GRUB_DIALECT_LEGACY) {
		call.name = "legacy_configfile";
		(void)grubconfig_legacy(ev, &call);
	} else {
		call.name = "configfile";
		(void)grubconfig_source(ev, &call);
	}
	grubeval_print_error(ev);
	ev->out->end = GRUB_END_FALLS_THROUGH;
	ev->out->reason = "the configuration has no menu entry and starts nothing";
	return 0;
}

static void free_run(struct run *run)
{
	if (run)
		grubscript_free(&run->prediction);
}

static void free_run_pointer(struct run **run)
{
	free_run(*run);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_loads(const struct grub_load *a, size_t n_a, const struct grub_load *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++)
		if (!same_text(a[i].device, b[i].device) || !same_text(a[i].path, b[i].path) ||
		    !same_text(a[i].cmdline, b[i].cmdline))
			return false;
	return true;
}

/* Do two evaluations end in the same way, as far as anybody cares? */
static bool same_end(const struct grub_prediction *a, const struct grub_prediction *b)
{
	if (a->end != b->end)
		return false;
	if (a->end != GRUB_END_BOOTS)
		return true;
	return same_text(a->boot.device, b->boot.device) && same_text(a->boot.path, b->boot.path) &&
	       same_text(a->boot.cmdline, b->boot.cmdline) && same_text(a->entry, b->entry) &&
	       same_loads(a->boot.initrds, a->boot.n_initrds, b->boot.initrds, b->boot.n_initrds) &&
	       same_loads(a->boot.modules, a->boot.n_modules, b->boot.modules, b->boot.n_modules);
}

/* The next combination of answers after one evaluation that asked `n` questions; false: all done.
 */
static bool next_guesses(bool guesses[GRUB_QUESTIONS_MAX], unsigned n)
{
	while (n > 0 && guesses[n - 1])
		n--;
	if (n == 0)
		return false;
	guesses[n - 1] = true;
	for (unsigned i = n; i < GRUB_QUESTIONS_MAX; i++)
		guesses[i] = false;
	return true;
}

static void set_unknown(struct run *run, const char *reason)
{
	(void)snprintf(run->reason, sizeof(run->reason), "%s", reason);
	run->prediction.end = GRUB_END_UNKNOWN;
	run->prediction.reason = run->reason;
}

/* What made the other run end differently: what was not followed, or the answer tried last. */
static const char *find_cause(const struct run *other, const bool guesses[GRUB_QUESTIONS_MAX])
{
	unsigned last = GRUB_QUESTIONS_MAX - 1;

	if (other->prediction.end == GRUB_END_UNKNOWN || other->prediction.end == GRUB_END_LIMIT)
		return other->prediction.reason;
	while (last > 0 && !guesses[last])
		last--;
	return other->eval.questions[last];
}

/* Tries the other answers to what the first evaluation had to ask. */
static int try_answers(struct run *first, const struct request *request)
{
	bool guesses[GRUB_QUESTIONS_MAX] = {false};
	unsigned n = first->eval.n_questions;

	while (next_guesses(guesses, n)) {
		_cleanup_(free_run_pointer) struct run *other = NULL;
		int ret;

		if (first->prediction.runs == GRUB_RUNS_MAX) {
			set_unknown(first, first->eval.questions[0]);
			return 0;
		}
		first->prediction.runs++;
		other = calloc(1, sizeof(*other));
		if (!other)
			return -ENOMEM;
		other->prediction.memory = &other->eval.arena;
		other->prediction.steps = first->prediction.steps;
		other->eval.lookups = first->eval.lookups;
		ret = evaluate(other, request, guesses);
		first->prediction.steps = other->prediction.steps;
		first->eval.lookups = other->eval.lookups;
		if (ret < 0)
			return ret;
		n = other->eval.n_questions;
		if (!same_end(&first->prediction, &other->prediction)) {
			set_unknown(first, find_cause(other, guesses));
			return 0;
		}
		/* What only one of the ways would wait for is not promised. */
		if (other->prediction.pause < first->prediction.pause)
			first->prediction.pause = other->prediction.pause;
	}
	return 0;
}

int grubscript_predict(const struct grub_host *host, enum grub_dialect dialect, const char *root,
		       const char *path, const char *entry, struct grub_prediction **ret,
		       struct pvk_error *err)
{
	static const bool no_guesses[GRUB_QUESTIONS_MAX];
	const struct request request = {host, dialect, root, path, entry};
	_cleanup_(free_run_pointer) struct run *run = calloc(1, sizeof(*run));
	int status;

	if (!run)
		return pvk_fail_errno(err, ENOMEM, "cannot evaluate the configuration");
	run->prediction.memory = &run->eval.arena;
	run->prediction.runs = 1;
	status = evaluate(run, &request, no_guesses);
	if (status == 0 && run->eval.n_questions > 0 && run->prediction.end != GRUB_END_UNKNOWN)
		status = try_answers(run, &request);
	if (status < 0)
		return pvk_fail_errno(err, -status, "cannot evaluate the configuration");
	run->prediction.questions = run->eval.n_questions;
	*ret = &TAKE_PTR(run)->prediction;
	return 0;
}

void grubscript_free(struct grub_prediction *prediction)
{
	if (prediction)
		arena_free(prediction->memory);
	free(prediction);
}
