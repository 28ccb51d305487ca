/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubworld.c - see grubworld.h */
#include "grubworld.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <strings.h>

#include "../../src/bootcfg/menulst.h"

static const struct grubworld_file usual_files[] = {
	{"hd0", "/boot/a", "x"},  {"hd0", "/boot/b", "x"},	{"hd0", "/boot/c", "x"},
	{"hd0", "/boot/i", "x"},  {"hd0", "/boot/j", "x"},	{"hd1", "/vmlinuz", "x"},
	{"hd0", "/boot/bad", ""}, {"hd0", "/boot/maybe", NULL},
};

static const struct grub_setting usual_settings[] = {
	{"prefix", "(memdisk)/boot/grub", NULL},
};

const struct grubworld grubworld_usual = {
	.files = usual_files,
	.n_files = sizeof(usual_files) / sizeof(usual_files[0]),
	.settings = usual_settings,
	.n_settings = 1,
};

/* What the host's callbacks see: the world, and the configuration laid over it. */
struct view {
	const struct grubworld *world;
	const char *config;
};

#define CONFIG_PATH "/boot/grub/config"

static const struct grubworld_file *find(const struct view *view, const char *device,
					 const char *path)
{
	for (size_t i = 0; i < view->world->n_files; i++) {
		const struct grubworld_file *file = &view->world->files[i];

		if (strcmp(file->device, device) == 0 && strcmp(file->path, path) == 0)
			return file;
	}
	return NULL;
}

static bool is_directory(const struct view *view, const char *device, const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < view->world->n_files; i++) {
		const struct grubworld_file *file = &view->world->files[i];

		if (strcmp(file->device, device) == 0 && strncmp(file->path, path, len) == 0 &&
		    (file->path[len] == '/' || strcmp(path, "/") == 0))
			return true;
	}
	return false;
}

static enum grub_file_kind world_stat(void *context, const char *device, const char *path,
				      uint64_t *ret_size)
{
	const struct grubworld_file *file = find(context, device, path);

	if (file && !file->content)
		return GRUB_FILE_UNKNOWN;
	if (!file)
		return is_directory(context, device, path) ? GRUB_FILE_DIRECTORY : GRUB_FILE_NONE;
	*ret_size = strlen(file->content);
	return GRUB_FILE_REGULAR;
}

static enum grub_answer world_read(void *context, const char *device, const char *path,
				   struct bytes *ret)
{
	const struct view *view = context;
	const struct grubworld_file *file = find(view, device, path);

	if (strcmp(path, CONFIG_PATH) == 0) {
		*ret = bytes_make(view->config, strlen(view->config));
		return GRUB_YES;
	}
	if (!file)
		return GRUB_NO;
	if (!file->content)
		return GRUB_UNKNOWN;
	*ret = bytes_make(file->content, strlen(file->content));
	return GRUB_YES;
}

static enum grub_answer world_search(void *context, const struct grub_search *search,
				     const char **ret_device)
{
	static const char *const devices[] = {"hd0", "hd1"};
	static const char *const uuids[] = {"aaaa-0", "BBBB-1"};
	static const char *const labels[] = {"ROOT", "SECOND"};

	if (strcmp(search->key, "maybe") == 0)
		return GRUB_UNKNOWN;
	for (size_t i = 0; i < 2; i++) {
		if ((search->by == GRUB_SEARCH_FILE && find(context, devices[i], search->key)) ||
		    (search->by == GRUB_SEARCH_UUID && strcasecmp(uuids[i], search->key) == 0) ||
		    (search->by == GRUB_SEARCH_LABEL && strcmp(labels[i], search->key) == 0)) {
			*ret_device = devices[i];
			return GRUB_YES;
		}
	}
	return GRUB_NO;
}

static enum grub_answer world_load(void *context, const struct grub_load *load,
				   const char **ret_error)
{
	const struct grubworld_file *file = find(context, load->device, load->path);

	if (!file)
		return GRUB_NO;
	if (!file->content)
		return GRUB_UNKNOWN;
	if (file->content[0] || load->kind != GRUB_LOAD_KERNEL)
		return GRUB_YES;
	*ret_error = "not xen image";
	return GRUB_NO;
}

static struct grub_host make_host(struct view *view)
{
	return (struct grub_host){
		.context = view,
		.stat = world_stat,
		.read = world_read,
		.search = world_search,
		.load = world_load,
		.settings = view->world->settings,
		.n_settings = view->world->n_settings,
	};
}

struct grub_prediction *grubworld_predict(const struct grubworld *world, enum grub_dialect dialect,
					  const char *text)
{
	struct view view = {.world = world, .config = text};
	struct grub_host host = make_host(&view);
	struct grub_prediction *prediction = NULL;
	struct pvk_error err = {0};

	assert_int_equal(
		grubscript_predict(&host, dialect, "hd0", CONFIG_PATH, NULL, &prediction, &err), 0);
	return prediction;
}

struct grub_prediction *grubworld_predict_097(const struct grubworld *world, const char *text)
{
	struct view view = {.world = world, .config = text};
	struct grub_host host = make_host(&view);
	struct grub_prediction *prediction = NULL;
	struct pvk_error err = {0};

	assert_int_equal(menulst_predict(&host, "hd0", CONFIG_PATH, NULL, &prediction, &err), 0);
	return prediction;
}

static void describe(const struct grub_prediction *p, char *buf, size_t size)
{
	int len;

	if (p->end != GRUB_END_BOOTS) {
		(void)snprintf(buf, size, "%s", grubscript_end_name(p->end));
		return;
	}
	len = snprintf(buf, size, "boots %s|(%s)%s|%s|", p->title ? p->title : "", p->boot.device,
		       p->boot.path, p->boot.cmdline);
	for (size_t i = 0; i < p->boot.n_initrds && (size_t)len < size; i++)
		len += snprintf(buf + len, size - (size_t)len, "%s%s", i > 0 ? " " : "",
				p->boot.initrds[i].path);
}

void grubworld_check(enum grub_dialect dialect, const char *text, const char *expected)
{
	struct grub_prediction *p = grubworld_predict(&grubworld_usual, dialect, text);
	char found[4096];

	describe(p, found, sizeof(found));
	if (strcmp(found, expected) != 0)
		print_error("%s\n -> %s\nnot %s (%s)\n", text, found, expected, p->reason);
	assert_string_equal(found, expected);
	grubscript_free(p);
}
