/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubload.c - linux, multiboot, initrd, module, boot as the xen platform has them
 * (loader/i386/xen.c, loader/linux.c, lib/cmdline.c), and the legacy_* commands (legacycfg.c). */
#include "grubeval.h"

/* struct xen_multiboot_mod_list fits so often into its page (MAX_MODULES, one is kept free). */
#define MODULES_MAX 255

/* Adds one argument as grub_create_loader_cmdline() does: quoted when it has a space. */
static void add_argument(struct grub_eval *ev, struct arena_text *line, const char *arg)
{
	bool has_space = strchr(arg, ' ') != NULL;

	if (has_space)
		arena_text_add(&ev->arena, line, "\"", 1);
	for (; *arg; arg++) {
		if (strchr("\\'\"", *arg))
			arena_text_add(&ev->arena, line, "\\", 1);
		arena_text_add(&ev->arena, line, arg, 1);
	}
	if (has_space)
		arena_text_add(&ev->arena, line, "\"", 1);
}

/* The length that the argument will have, with its separator. */
static size_t measure_argument(const char *arg)
{
	size_t len = strlen(arg) + 1 + (strchr(arg, ' ') ? 2 : 0);

	for (; *arg; arg++)
		len += strchr("\\'\"", *arg) != NULL;
	return len;
}

/* Arguments up to the first that does not fit into `room`; *ret_cut: there was such a one. */
static const char *join_arguments(struct grub_eval *ev, const struct grub_value *args, size_t count,
				  size_t room, bool *ret_cut, const char **ret_unknown)
{
	struct arena_text line = {0};
	size_t i;

	arena_text_add(&ev->arena, &line, "", 0);
	for (i = 0; i < count; i++) {
		size_t len = measure_argument(args[i].text);

		if (len > room)
			break;
		room -= len;
		if (i > 0)
			arena_text_add(&ev->arena, &line, " ", 1);
		add_argument(ev, &line, args[i].text);
		if (args[i].unknown)
			*ret_unknown = args[i].unknown;
	}
	*ret_cut = i < count;
	return line.s;
}

/* Asks the host; on NO the error is set. */
static bool load(struct grub_eval *ev, enum grub_load_kind kind, struct grub_value name,
		 const char *cmdline, struct grub_load *ret)
{
	enum grub_answer answer = GRUB_UNKNOWN;
	const char *text = NULL;

	*ret = (struct grub_load){.kind = kind, .cmdline = cmdline};
	if (!grubfile_resolve(ev, name, &ret->device, &ret->path))
		return false;
	if (ret->path[0] != '/') {
		(void)grubeval_fail(ev, GRUB_BAD_FILENAME, "invalid file name `%s'", ret->path);
		return false;
	}
	if (ev->host->load)
		answer = ev->host->load(ev->host->context, ret, &text);
	if (answer == GRUB_UNKNOWN &&
	    grubeval_decide(ev, arena_printf(&ev->arena, "whether GRUB can load '%s'", name.text)))
		return true;
	if (answer == GRUB_YES)
		return true;
	if (text)
		(void)grubeval_fail(ev, GRUB_BAD_OS, "%s", text);
	else
		(void)grubeval_fail(ev, GRUB_FILE_NOT_FOUND, "file `%s' not found", ret->path);
	return false;
}

static void unload(struct grub_eval *ev)
{
	ev->is_loaded = false;
	ev->boot = (struct grub_boot){0};
}

/* A kernel stays loaded only if this one can be: the one before is thrown away first. */
static int load_kernel(struct grub_eval *ev, const struct grub_value *args, size_t count)
{
	struct grub_boot boot = {0};
	struct grub_load kernel;

	if (count == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "filename expected");
	unload(ev);
	boot.cmdline = join_arguments(ev, args + 1, count - 1, GRUB_CMDLINE_MAX,
				      &boot.is_cmdline_cut, &boot.cmdline_unknown);
	if (!load(ev, GRUB_LOAD_KERNEL, args[0], boot.cmdline, &kernel))
		return ev->error;
	boot.device = kernel.device;
	boot.path = kernel.path;
	ev->boot = boot;
	ev->is_loaded = true;
	return GRUB_OK;
}

int grubload_kernel(struct grub_eval *ev, const struct grub_call *call)
{
	return load_kernel(ev, call->args, call->n_args);
}

/* "newc:NAME:PATH" puts the file into a cpio archive under that name. */
static struct grub_value skip_newc(struct grub_value name)
{
	const char *colon;

	if (strncmp(name.text, "newc:", 5) != 0)
		return name;
	colon = strchr(name.text + 5, ':');
	if (colon)
		name.text = colon + 1;
	return name;
}

static int load_initrds(struct grub_eval *ev, const struct grub_value *args, size_t count)
{
	struct grub_load *initrds;

	if (count == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "filename expected");
	if (!ev->is_loaded)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "you need to load the kernel first");
	if (ev->boot.n_initrds > 0 || ev->boot.n_modules > 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "initrd already loaded");
	initrds = arena_alloc(&ev->arena, count * sizeof(*initrds));
	for (size_t i = 0; i < count; i++) {
		if (!load(ev, GRUB_LOAD_INITRD, skip_newc(args[i]), "", &initrds[i])) {
			ev->boot.failed_initrd = args[i].text;
			return ev->error;
		}
	}
	ev->boot.initrds = initrds;
	ev->boot.n_initrds = count;
	return GRUB_OK;
}

int grubload_initrd(struct grub_eval *ev, const struct grub_call *call)
{
	return load_initrds(ev, call->args, call->n_args);
}

static int load_module(struct grub_eval *ev, const struct grub_value *args, size_t count)
{
	struct grub_load *modules;
	const char *cmdline, *unknown = NULL;
	bool is_cut;

	if (count > 0 && strcmp(args[0].text, "--nounzip") == 0) {
		args++;
		count--;
	}
	if (count == 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "filename expected");
	if (!ev->is_loaded)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "you need to load the kernel first");
	if (ev->boot.n_initrds > 0)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "initrd already loaded");
	if (ev->boot.n_modules == MODULES_MAX)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "too many modules");
	modules = arena_alloc(&ev->arena, (ev->boot.n_modules + 1) * sizeof(*modules));
	cmdline = join_arguments(ev, args + 1, count - 1, SIZE_MAX, &is_cut, &unknown);
	if (!load(ev, GRUB_LOAD_MODULE, args[0], cmdline, &modules[ev->boot.n_modules]))
		return ev->error;
	if (ev->boot.n_modules > 0)
		memcpy(modules, ev->boot.modules, ev->boot.n_modules * sizeof(*modules));
	ev->boot.modules = modules;
	ev->boot.n_modules++;
	return GRUB_OK;
}

int grubload_module(struct grub_eval *ev, const struct grub_call *call)
{
	return load_module(ev, call->args, call->n_args);
}

int grubload_boot(struct grub_eval *ev, const struct grub_call *call)
{
	(void)call;
	if (!ev->is_loaded)
		return grubeval_fail(ev, GRUB_NO_KERNEL, "you need to load the kernel first");
	ev->out->boot = ev->boot;
	grubeval_stop(ev, GRUB_END_BOOTS, "");
}

/* Takes an option of legacy_kernel away; false: it is none. */
static bool take_legacy_option(struct grub_eval *ev, const char *option)
{
	if (strcmp(option, "--no-mem-option") == 0)
		return true;
	if (strcmp(option, "--type=linux") == 0 || strcmp(option, "--type=biglinux") == 0)
		ev->legacy = GRUB_LEGACY_LINUX;
	else if (strcmp(option, "--type=multiboot") == 0)
		ev->legacy = GRUB_LEGACY_MULTIBOOT;
	else if (strcmp(option, "--type=freebsd") == 0 || strcmp(option, "--type=openbsd") == 0 ||
		 strcmp(option, "--type=netbsd") == 0)
		ev->legacy = GRUB_LEGACY_OTHER;
	else
		return false;
	return true;
}

/*
 * Its arguments are FILE, the FILE as it was written, and the kernel's. What kind of kernel it was
 * is remembered for good, also by later entries.
 */
int grubload_legacy_kernel(struct grub_eval *ev, const struct grub_call *call)
{
	const struct grub_value *args = call->args;
	size_t count = call->n_args;
	struct grub_value *cut;

	for (int i = 0; i < 2 && count > 0 && take_legacy_option(ev, args[0].text); i++) {
		args++;
		count--;
	}
	if (count < 2)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "filename expected");
	cut = arena_alloc(&ev->arena, count * sizeof(*cut));
	cut[0] = args[0];
	memcpy(cut + 1, args + 2, (count - 2) * sizeof(*cut));
	if (ev->legacy == GRUB_LEGACY_GUESS || ev->legacy == GRUB_LEGACY_LINUX) {
		if (load_kernel(ev, cut, count - 1) == GRUB_OK) {
			ev->legacy = GRUB_LEGACY_LINUX;
			return GRUB_OK;
		}
	}
	if (ev->legacy == GRUB_LEGACY_GUESS || ev->legacy == GRUB_LEGACY_MULTIBOOT) {
		if (load_kernel(ev, args, count) == GRUB_OK) {
			ev->legacy = GRUB_LEGACY_MULTIBOOT;
			return GRUB_OK;
		}
	}
	return grubeval_fail(ev, GRUB_BAD_OS, "couldn't load file %s", args[0].text);
}

int grubload_legacy_initrd(struct grub_eval *ev, const struct grub_call *call)
{
	if (ev->legacy == GRUB_LEGACY_LINUX)
		return load_initrds(ev, call->args, call->n_args > 0 ? 1 : 0);
	if (ev->legacy == GRUB_LEGACY_MULTIBOOT)
		return load_module(ev, call->args, call->n_args);
	return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "you need to load the kernel first");
}

int grubload_legacy_initrd_nounzip(struct grub_eval *ev, const struct grub_call *call)
{
	if (ev->legacy == GRUB_LEGACY_LINUX)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "can't find command `initrd16'");
	if (ev->legacy == GRUB_LEGACY_MULTIBOOT)
		return load_module(ev, call->args, call->n_args);
	return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "you need to load the kernel first");
}
