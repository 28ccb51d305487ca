/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_check.c - a prediction as a tree for people, and as JSON; see report.h. */
#include <string.h>

#include "../base/text.h"
#include "report.h"

static const char *paint(const struct report_style *style, const char *code)
{
	return style->color ? code : "";
}

#define GREEN  "\033[32m"
#define RED    "\033[31m"
#define YELLOW "\033[33m"
#define OFF    "\033[0m"

static void print_step(FILE *out, const struct boot_step *step, const struct report_style *style)
{
	static const char *const marks[] = {"-", "*", "!", " "};
	static const char *const colors[] = {"", GREEN, RED, ""};

	(void)fprintf(out, "  %s%s%s %-30s %s", paint(style, colors[step->state]),
		      marks[step->state], paint(style, colors[step->state][0] ? OFF : ""),
		      text_escape(step->path).s,
		      step->state == STEP_NOT_REACHED ? "not looked at"
						      : boot_step_state_name(step->state));
	if (strcmp(step->path, step->guest_path) != 0)
		(void)fprintf(out, " (here %s)", text_escape(step->guest_path).s);
	if (step->reason[0])
		(void)fprintf(out, ": %s", step->reason);
	if (step->pause > 0)
		(void)fprintf(out, " (pause %.0f s)", step->pause);
	(void)fprintf(out, "\n");
}

static void print_boot(FILE *out, const struct boot_target *boot, const struct report_style *style)
{
	const bool starts = boot->loader.outcome == LOADER_STARTS;

	(void)fprintf(out, "    entry    %s\n",
		      text_quote(boot->title[0] ? boot->title : boot->entry).s);
	(void)fprintf(out, "    kernel   %s%s%s %s, %s", paint(style, starts ? GREEN : RED),
		      starts ? "*" : "!", paint(style, OFF), text_escape(boot->kernel).s,
		      image_container_name(&boot->image));
	if (image_needs_sink(&boot->image))
		(void)fprintf(out, " with %s payload", image_payload_name(&boot->image));
	(void)fprintf(out, ", %s\n", text_size(boot->image.file_size).s);
	for (size_t i = 0; i < boot->initrd_count; i++)
		(void)fprintf(out, "    initrd   %s\n", text_escape(boot->initrd[i]).s);
	(void)fprintf(out, "    cmdline  %s\n", text_escape(boot->cmdline).s);
}

static void print_findings(FILE *out, const struct bootmodel *model,
			   const struct report_style *style)
{
	static const char *const colors[] = {"", YELLOW, RED};

	for (size_t i = 0; i < model->finding_count; i++) {
		const struct boot_finding *finding = &model->findings[i];

		(void)fprintf(out, "%s%s%s: %s [%s]\n", paint(style, colors[finding->severity]),
			      boot_severity_name(finding->severity),
			      paint(style, colors[finding->severity][0] ? OFF : ""),
			      finding->message, finding->code);
		if (finding->fix[0])
			(void)fprintf(out, "  what to do: %s\n", finding->fix);
	}
}

void report_check(FILE *out, const struct bootmodel *model, enum guest_mode mode,
		  enum config_profile profile, const struct report_style *style)
{
	static const char *const sentences[] = {
		"the guest will boot",
		"the guest will NOT come back from its next start",
		"cannot tell whether the guest will boot",
	};
	static const char *const colors[] = {GREEN, RED, YELLOW};

	if (mode == GUEST_PV)
		(void)fprintf(out, "loader (profile %s):\n", config_profile_name(profile));
	else
		(void)fprintf(out, "loader (%s):\n", guest_mode_text(mode));
	for (size_t i = 0; i < model->step_count; i++) {
		print_step(out, &model->steps[i], style);
		if (model->steps[i].state == STEP_USED && model->boot.kernel[0] &&
		    strcmp(model->boot.config, model->steps[i].guest_path) == 0)
			print_boot(out, &model->boot, style);
	}
	print_findings(out, model, style);
	(void)fprintf(out, "verdict: %s%s%s", paint(style, colors[model->verdict]),
		      sentences[model->verdict], paint(style, OFF));
	if (model->pause > 0)
		(void)fprintf(out, " (after %.0f s of waiting)", model->pause);
	(void)fprintf(out, "\n");
}

static void add_text(json_object *to, const char *key, const char *value)
{
	(void)json_object_object_add(to, key, report_text_json(value));
}

static json_object *boot_json(const struct bootmodel *model)
{
	const struct boot_target *boot = &model->boot;
	json_object *object, *initrds;

	if (!model->has_boot)
		return NULL;
	object = json_object_new_object();
	initrds = json_object_new_array();
	add_text(object, "via", boot_via_name(boot->via));
	add_text(object, "config", boot->config);
	add_text(object, "entry", boot->entry);
	add_text(object, "title", boot->title);
	add_text(object, "kernel", boot->kernel);
	for (size_t i = 0; i < boot->initrd_count; i++)
		(void)json_object_array_add(initrds, report_text_json(boot->initrd[i]));
	(void)json_object_object_add(object, "initrd", initrds);
	add_text(object, "cmdline", boot->cmdline);
	return object;
}

static json_object *steps_json(const struct bootmodel *model)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < model->step_count; i++) {
		const struct boot_step *step = &model->steps[i];
		json_object *object = json_object_new_object();

		add_text(object, "path", step->guest_path);
		add_text(object, "via", boot_via_name(step->via));
		add_text(object, "state", boot_step_state_name(step->state));
		add_text(object, "reason", step->reason);
		(void)json_object_object_add(object, "pause", json_object_new_double(step->pause));
		(void)json_object_array_add(array, object);
	}
	return array;
}

static json_object *findings_json(const struct bootmodel *model)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < model->finding_count; i++) {
		const struct boot_finding *finding = &model->findings[i];
		json_object *object = json_object_new_object();

		add_text(object, "severity", boot_severity_name(finding->severity));
		add_text(object, "code", finding->code);
		add_text(object, "message", finding->message);
		add_text(object, "fix", finding->fix);
		(void)json_object_array_add(array, object);
	}
	return array;
}

void report_check_json(json_object *to, const struct bootmodel *model, enum config_profile profile)
{
	add_text(to, "profile", config_profile_name(profile));
	add_text(to, "verdict", boot_verdict_name(model->verdict));
	(void)json_object_object_add(to, "boot", boot_json(model));
	(void)json_object_object_add(to, "chain", steps_json(model));
	(void)json_object_object_add(to, "findings", findings_json(model));
}
