/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootmodel.c - see bootmodel.h: stage 1, place by place; the checks of what it starts are in
 * bootchecks.c. */
#include "bootmodel.h"

#include <stdio.h>
#include <string.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../bootcfg/menulst.h"
#include "bootchecks.h"
#include "bootcure.h"
#include "bootplaces.h"
#include "bootsight.h"
#include "bootworld.h"

/* BitFolk's image shows each step for two seconds and its menu for five (its own configuration). */
#define STEP_PAUSE 2.0

/* --- one step --- */

enum step_result {
	STEP_GOES_ON, /* the loader looks at its next place */
	STEP_ENDS,    /* for better or worse: nothing else is looked at */
};

static enum step_result fail_step_with(struct bootmodel *model, struct boot_step *step,
				       enum boot_verdict verdict, const char *code, const char *fix,
				       const char *reason)
{
	step->state = STEP_FAILED;
	(void)snprintf(step->reason, sizeof(step->reason), "%s", reason);
	bootmodel_find(model, SEVERITY_ERROR, code, fix, "%s: %s", text_escape(step->guest_path).s,
		       reason);
	bootmodel_worsen(model, verdict);
	return STEP_ENDS;
}

static enum step_result fail_step(struct bootmodel *model, struct boot_step *step,
				  enum boot_verdict verdict, const char *code, const char *reason)
{
	return fail_step_with(model, step, verdict, code, NULL, reason);
}

static void skip_step(struct bootmodel *model, struct boot_step *step, const char *reason)
{
	step->state = STEP_FAILED;
	step->pause += STEP_PAUSE;
	(void)snprintf(step->reason, sizeof(step->reason), "%s", reason);
	bootmodel_find(model, SEVERITY_WARNING,
		       step->via == VIA_PVBOOT ? "pvboot-broken" : "config-unusable", NULL,
		       "%s: %s; the loader goes on to its next place",
		       text_escape(step->guest_path).s, reason);
}

static void take_boot(struct bootworld *world, struct bootmodel *model,
		      const struct boot_step *step, const struct grub_prediction *prediction)
{
	struct boot_target *boot = &model->boot;

	boot->via = step->via;
	(void)snprintf(boot->config, sizeof(boot->config), "%s", step->guest_path);
	(void)snprintf(boot->entry, sizeof(boot->entry), "%s",
		       prediction->entry ? prediction->entry : "");
	(void)snprintf(boot->title, sizeof(boot->title), "%s",
		       prediction->title ? prediction->title : "");
	bootchecks_target(world, model, &prediction->boot);
	bootchecks_prediction(world, model, prediction);
}

/* Where the end is unknown, the messages are only those of one of the ways that it may go. */
static void describe_messages(const struct grub_prediction *prediction, char *buf, size_t size)
{
	const struct grub_message *message =
		prediction->end == GRUB_END_UNKNOWN ? NULL : prediction->messages;
	size_t used = 0;

	buf[0] = '\0';
	for (unsigned n = 0; message && !message->is_guess && n < 3 && used < size;
	     message = message->next, n++)
		used += (size_t)snprintf(buf + used, size - used, "%s\"error: %s\"",
					 n ? ", " : "; the console says ",
					 text_escape(message->text).s);
}

/* A kernel that was refused has its own cure; if none was there to be refused, it is the menu. */
static const char *cure_of_waiting(const struct bootworld *world, const struct bootmodel *model,
				   const struct boot_step *step,
				   const struct grub_prediction *prediction)
{
	for (size_t i = 0; i < model->finding_count; i++)
		if (strcmp(model->findings[i].code, "kernel-refused") == 0)
			return NULL;
	return prediction->tried > 0 ? bootcure_menu(world->request->root, step) : NULL;
}

static enum step_result take_prediction(struct bootworld *world, struct bootmodel *model,
					struct boot_step *step,
					const struct grub_prediction *prediction)
{
	char reason[512], messages[256], unknown[512];

	step->pause += prediction->pause;
	describe_messages(prediction, messages, sizeof(messages));
	(void)snprintf(reason, sizeof(reason), "%.250s%s",
		       prediction->reason ? text_escape(prediction->reason).s : "", messages);
	switch (prediction->end) {
	case GRUB_END_BOOTS:
		step->state = STEP_USED;
		(void)snprintf(step->reason, sizeof(step->reason), "entry '%.200s'",
			       prediction->title ? text_escape(prediction->title).s : "(none)");
		take_boot(world, model, step, prediction);
		return STEP_ENDS;
	case GRUB_END_FALLS_THROUGH:
		skip_step(model, step, reason[0] ? reason : "no menu entry in it");
		return STEP_GOES_ON;
	case GRUB_END_WAITS:
		bootchecks_refused(world, model);
		return fail_step_with(model, step, VERDICT_FAILS, "loader-waits",
				      cure_of_waiting(world, model, step, prediction), reason);
	case GRUB_END_LEAVES:
		return fail_step(model, step, VERDICT_FAILS, "loader-leaves", reason);
	case GRUB_END_UNKNOWN:
	case GRUB_END_LIMIT:
		break;
	}
	(void)snprintf(unknown, sizeof(unknown), "cannot be followed to its end: %.450s", reason);
	return fail_step(model, step, VERDICT_UNKNOWN, "config-unknown", unknown);
}

static enum step_result read_config(struct bootworld *world, struct bootmodel *model,
				    struct boot_step *step, const struct guestfs_volume *volume,
				    const char *path)
{
	_cleanup_(grubscript_free_pointer) struct grub_prediction *prediction = NULL;
	const enum config_profile profile = world->request->config->profile;
	char name[GUESTFS_NAME_MAX];
	struct pvk_error err;
	int r;

	if (profile == PROFILE_PYGRUB && !bootplaces_is_native(world->request))
		return bootchecks_pygrub(world, model, step, volume, path) ? STEP_ENDS
									   : STEP_GOES_ON;
	if (profile == PROFILE_PV_GRUB && !bootplaces_is_native(world->request)) {
		world->guest.is_zero_based = true;
		guestfs_legacy_name(&world->guest, volume, name, sizeof(name));
		r = menulst_predict(&world->host, name, path, NULL, &prediction, &err);
	} else {
		r = grubscript_predict(&world->host,
				       step->via == VIA_MENU_LST ? GRUB_DIALECT_LEGACY
								 : GRUB_DIALECT_SCRIPT,
				       volume->name, path, NULL, &prediction, &err);
	}
	if (r < 0)
		return fail_step(model, step, VERDICT_UNKNOWN, "config-unknown", err.msg);
	return take_prediction(world, model, step, prediction);
}

/* "the loader refuses it: "not xen image" (why)" */
static void describe_verdict(const struct loader_verdict *loader, char *buf, size_t size)
{
	const bool has_error = loader->error[0] != '\0', has_reason = loader->reason[0] != '\0';

	(void)snprintf(buf, size, "the loader %s it%s%s%s%s%s%s",
		       loader_outcome_name(loader->outcome), has_error ? ": \"" : "", loader->error,
		       has_error ? "\"" : "", has_reason ? " (" : "", loader->reason,
		       has_reason ? ")" : "");
}

/* The guest's own GRUB: when it starts, it reads the guest's own grub.cfg. */
static enum step_result chain_pvboot(struct bootworld *world, struct bootmodel *model,
				     struct boot_step *step, const struct guestfs_volume *volume)
{
	const struct judged_kernel *image = bootworld_judge(world, volume, step->path);
	const struct guestfs_volume *config_volume;
	const char *config = "/boot/grub/grub.cfg";
	char reason[512];

	if (!image || !image->is_readable)
		return fail_step(model, step, VERDICT_UNKNOWN, "pvboot-unknown",
				 image ? image->error.msg : "no memory");
	describe_verdict(&image->loader, reason, sizeof(reason));
	if (image->loader.outcome == LOADER_REFUSES) {
		skip_step(model, step, reason);
		return STEP_GOES_ON;
	}
	if (image->loader.outcome == LOADER_CRASHES)
		return fail_step(model, step, VERDICT_FAILS, "pvboot-crashes", reason);
	if (image->loader.outcome == LOADER_UNRELIABLE)
		return fail_step(model, step, VERDICT_UNKNOWN, "pvboot-unknown", reason);
	if (bootworld_find(world, config, &config_volume) != GRUB_YES) {
		config = "/grub/grub.cfg";
		if (bootworld_find(world, config, &config_volume) != GRUB_YES)
			return fail_step(model, step, VERDICT_FAILS, "pvboot-without-config",
					 "it starts, but finds no grub.cfg");
	}
	/* grub-install gives its image a prefix on the guest's own disk, so grubenv counts. */
	bootworld_set_prefix(world, config_volume->name,
			     strcmp(config, "/grub/grub.cfg") == 0 ? "/grub" : "/boot/grub");
	if (!bootchecks_pvboot(world, model, volume, step->path, config_volume))
		return fail_step_with(
			model, step, VERDICT_FAILS, "pvboot-without-modules",
			"grub-install --target=x86_64-xen",
			"it starts and stops at \"grub rescue>\": its modules are not where grub-install put them");
	return read_config(world, model, step, config_volume, config);
}

/* A file system that a loader reads and we cannot; NULL: none of that kind. */
static const struct filesystem *find_unopened(const struct bootworld *world)
{
	for (size_t i = 0; i < world->guest.count; i++) {
		const struct guestfs_volume *volume = &world->guest.volumes[i];

		if (volume->top.fd < 0 && !volume->fs->is_blank && volume->sight != GUESTFS_UNSEEN)
			return volume->fs;
	}
	return NULL;
}

/* Why it cannot be known which file is the first. */
static void describe_hidden(const struct bootworld *world, const char *path, char *buf, size_t size)
{
	const struct guestfs_volume *doubted = bootsight_find(world, path, GUESTFS_DOUBTED);
	const struct filesystem *fs = find_unopened(world);

	if (doubted)
		(void)snprintf(buf, size,
			       "whether the loader can read it is not known: it is on %s",
			       doubted->obstacle);
	else if (fs && fs->wanted[0] != '\0')
		(void)snprintf(
			buf, size,
			"cannot be looked for: the file system that /etc/fstab has at %s is not mounted in this tree, and may come first; mount it there",
			text_escape(fs->wanted).s);
	else if (fs && fs->mountpoint[0] == '\0')
		(void)snprintf(
			buf, size,
			"cannot be looked for: the file system on /dev/%.80s is not mounted, and the loader may find it there; mount it, if only to be read",
			text_escape(fs->device).s);
	else
		(void)snprintf(
			buf, size, "cannot be looked for: %s",
			world->request->root->is_live
				? "a file system before it, or the file itself, cannot be read (are you root?)"
				: "more than one file system has it, or it cannot be read (are you root?)");
}

/* pygrub looks for all of the places on a partition before it goes to the next. */
static enum grub_answer find_place(const struct bootworld *world, const struct boot_place *place,
				   const struct guestfs_volume **ret)
{
	const struct bootmodel_request *request = world->request;
	enum grub_answer answer;

	if (request->config->profile != PROFILE_PYGRUB || bootplaces_is_native(request))
		return bootworld_find(world, place->path, ret);
	answer = bootworld_find_any(world, bootplaces_of(request), ret);
	if (answer != GRUB_YES)
		return answer;
	switch (bootworld_look(world, *ret, place->path, NULL)) {
	case GUESTFS_FOUND:
		return GRUB_YES;
	case GUESTFS_ABSENT:
		return GRUB_NO;
	case GUESTFS_UNKNOWN:
		break;
	}
	return GRUB_UNKNOWN;
}

static enum step_result take_step(struct bootworld *world, struct bootmodel *model,
				  const struct boot_place *place)
{
	char reason[512];
	struct boot_step *step = &model->steps[model->step_count++];
	const struct guestfs_volume *volume = NULL;

	step->via = place->via;
	step->path = place->path;
	(void)snprintf(step->guest_path, sizeof(step->guest_path), "%s", place->path);
	switch (find_place(world, place, &volume)) {
	case GRUB_NO:
		step->state = STEP_ABSENT;
		return STEP_GOES_ON;
	case GRUB_UNKNOWN:
		describe_hidden(world, place->path, reason, sizeof(reason));
		return fail_step(model, step, VERDICT_UNKNOWN, "place-unreadable", reason);
	case GRUB_YES:
		break;
	}
	guestfs_guest_path(&world->guest, volume, place->path, step->guest_path,
			   sizeof(step->guest_path));
	if (place->via == VIA_PVBOOT)
		return chain_pvboot(world, model, step, volume);
	return read_config(world, model, step, volume, place->path);
}

/* The places that were not looked at, since an earlier one ended it. */
static void add_unreached(struct bootmodel *model, const struct boot_place *place)
{
	for (; place->path; place++) {
		struct boot_step *step = &model->steps[model->step_count++];

		step->via = place->via;
		step->path = place->path;
		(void)snprintf(step->guest_path, sizeof(step->guest_path), "%s", place->path);
		step->state = STEP_NOT_REACHED;
	}
}

/* Of places that would do, if the loader could read what they are on. */
static bool tell_unseen(const struct bootworld *world, struct bootmodel *model)
{
	const struct guestfs_volume *volume = NULL;
	const struct boot_place *place = bootplaces_of(world->request);
	char path[PATH_MAX];

	while (place->path && !(volume = bootsight_find(world, place->path, GUESTFS_UNSEEN)))
		place++;
	if (!volume)
		return false;
	guestfs_guest_path(&world->guest, volume, place->path, path, sizeof(path));
	bootmodel_find(model, SEVERITY_ERROR, "fs-not-read", NULL,
		       "%s is there, and the loader cannot read it: it is on %s",
		       text_escape(path).s, volume->obstacle);
	bootmodel_worsen(model, VERDICT_FAILS);
	return true;
}

static void walk_places(struct bootworld *world, struct bootmodel *model)
{
	const struct boot_place *place = bootplaces_of(world->request);
	bool is_unseen;

	for (; place->path; place++) {
		if (take_step(world, model, place) == STEP_ENDS) {
			add_unreached(model, place + 1);
			return;
		}
	}
	is_unseen = tell_unseen(world, model);
	bootmodel_find(model, SEVERITY_ERROR, "nothing-to-boot",
		       is_unseen ? NULL
				 : bootcure_no_menu(world->request->root,
						    bootplaces_have(world->request, VIA_GRUB_CFG),
						    bootplaces_have(world->request, VIA_MENU_LST)),
		       "the loader finds nothing that it can start in any of its places");
	bootmodel_worsen(model, VERDICT_FAILS);
}

int bootmodel_predict(const struct bootmodel_request *request, struct bootmodel *ret,
		      struct pvk_error *err)
{
	_cleanup_bootworld_ struct bootworld world = {0};
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->verdict = VERDICT_BOOTS;
	ret->root = request->root;
	r = bootworld_open(request, &world, err);
	if (r < 0)
		return r;
	if (bootplaces_is_native(request))
		bootchecks_native(&world, ret);
	walk_places(&world, ret);
	ret->depends_on_others = world.read_others;
	if (!request->root->is_live)
		bootmodel_find(
			ret, SEVERITY_INFO, "tree-only", NULL,
			"judged by this tree alone: a disk of the guest that no fstab names is not seen, and one of these places on a disk that comes first would win");
	if (world.guest.list.left_out[0] != '\0')
		bootmodel_find(
			ret, SEVERITY_INFO, "tree-disks", NULL,
			"judged without the file systems that /etc/fstab has at %s: their disks are not on this machine",
			text_escape(world.guest.list.left_out).s);
	for (size_t i = 0; i < ret->step_count; i++)
		ret->pause += ret->steps[i].pause;
	return 0;
}
