/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootfindings.c - what bootmodel.h tells: findings with their cures, and names. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../system/root.h"
#include "bootmodel.h"

/* Room for what decides, however much a menu says before. */
#define ERRORS_KEPT 16

#define PLAIN                                                  \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789/._-+:@%,"

/* The tree's path as a word of the shell. */
static void quote_path(const char *path, char *buf, size_t size)
{
	const bool is_plain = path[strspn(path, PLAIN)] == '\0';

	if (strlen(path) > 300 || strchr(path, '\'') || strcmp(text_escape(path).s, path) != 0)
		(void)snprintf(buf, size, "DIR"); /* for people to put in */
	else
		(void)snprintf(buf, size, "%s%s%s", is_plain ? "" : "'", path, is_plain ? "" : "'");
}

/*
 * People put this into a root shell, and versions and names of packages in it are the guest's own:
 * what the shell would take for more than words is no cure.
 */
static void set_fix(const struct bootmodel *model, const char *fix, struct boot_finding *finding)
{
	static const char own[] = "pvkprep ";
	const struct root *root = model->root;
	char path[320];

	finding->fix[0] = '\0';
	if (!fix || fix[strspn(fix, PLAIN " =")] != '\0')
		return;
	if (!root || root->is_live) {
		(void)snprintf(finding->fix, sizeof(finding->fix), "%s", fix);
		return;
	}
	quote_path(root->path, path, sizeof(path));
	if (strncmp(fix, own, sizeof(own) - 1) == 0)
		(void)snprintf(finding->fix, sizeof(finding->fix), "pvkprep --root %s %s", path,
			       fix + sizeof(own) - 1);
	else if (root_has(root, "/proc/self"))
		(void)snprintf(finding->fix, sizeof(finding->fix), "chroot %s %s", path, fix);
	else /* update-grub and others fail without them; they go with the command */
		(void)snprintf(
			finding->fix, sizeof(finding->fix),
			"unshare --mount sh -c 'for d in dev proc sys; do mount --bind /$d \"$0/$d\"; done; chroot \"$0\" %s' %s",
			fix, path);
}

void bootmodel_find(struct bootmodel *model, enum boot_severity severity, const char *code,
		    const char *fix, const char *fmt, ...)
{
	struct boot_finding *finding;
	va_list args;

	model->is_last_dropped =
		model->finding_count >=
		(severity == SEVERITY_ERROR ? BOOT_FINDINGS_MAX : BOOT_FINDINGS_MAX - ERRORS_KEPT);
	if (model->is_last_dropped)
		return;
	finding = &model->findings[model->finding_count++];
	finding->severity = severity;
	finding->verdict = VERDICT_BOOTS;
	finding->code = code;
	set_fix(model, fix, finding);
	va_start(args, fmt);
	(void)vsnprintf(finding->message, sizeof(finding->message), fmt, args);
	va_end(args);
}

/* Over one another: unknown is worse than boots, fails worse than both. */
static bool is_worse(enum boot_verdict a, enum boot_verdict b)
{
	static const int badness[] = {
		[VERDICT_BOOTS] = 0, [VERDICT_UNKNOWN] = 1, [VERDICT_FAILS] = 2};

	return badness[a] > badness[b];
}

void bootmodel_worsen(struct bootmodel *model, enum boot_verdict verdict)
{
	if (model->finding_count > 0 && !model->is_last_dropped)
		model->findings[model->finding_count - 1].verdict = verdict;
	if (is_worse(verdict, model->verdict))
		model->verdict = verdict;
}

const struct boot_finding *bootmodel_cause(const struct bootmodel *model)
{
	const struct boot_finding *cause = NULL;

	for (size_t i = 0; i < model->finding_count; i++) {
		const struct boot_finding *finding = &model->findings[i];

		if (!cause || is_worse(finding->verdict, cause->verdict) ||
		    (finding->verdict == cause->verdict && finding->severity > cause->severity))
			cause = finding;
	}
	return cause;
}

/* --- names --- */

const char *boot_verdict_name(enum boot_verdict verdict)
{
	static const char *const names[] = {"boots", "fails", "unknown"};

	return names[verdict];
}

const char *boot_via_name(enum boot_via via)
{
	static const char *const names[] = {"pvboot", "grub.cfg", "menu.lst", "extlinux"};

	return names[via];
}

const char *boot_step_state_name(enum boot_step_state state)
{
	static const char *const names[] = {"absent", "used", "failed", "not-reached"};

	return names[state];
}

const char *boot_severity_name(enum boot_severity severity)
{
	static const char *const names[] = {"info", "warning", "error"};

	return names[severity];
}
