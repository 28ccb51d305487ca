/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootworld.c - see bootworld.h */
#include "bootworld.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "bootsight.h"
#include "entries_note.h"

/* The file system in the loader's own image. Nothing of the guest is on it. */
#define MEMDISK "memdisk"

/* --- struct grub_host --- */

static enum guestfs_found look_up(const struct bootworld *world, const char *device,
				  const char *path, const struct guestfs_volume **ret_volume,
				  struct stat *ret)
{
	enum guestfs_found found;

	if (strcmp(device, MEMDISK) == 0)
		return GUESTFS_ABSENT;
	found = guestfs_find_volume(&world->guest, device, ret_volume);
	return found == GUESTFS_FOUND ? bootworld_look(world, *ret_volume, path, ret) : found;
}

enum guestfs_found bootworld_look(const struct bootworld *world,
				  const struct guestfs_volume *volume, const char *path,
				  struct stat *ret)
{
	enum guestfs_found found;

	if (volume->sight == GUESTFS_UNSEEN)
		return GUESTFS_ABSENT;
	found = guestfs_look(&world->guest, volume, path, ret);
	return found == GUESTFS_FOUND && volume->sight == GUESTFS_DOUBTED ? GUESTFS_UNKNOWN : found;
}

static enum grub_file_kind kind_of(enum guestfs_found found, const struct stat *st)
{
	if (found != GUESTFS_FOUND)
		return found == GUESTFS_ABSENT ? GRUB_FILE_NONE : GRUB_FILE_UNKNOWN;
	if (S_ISREG(st->st_mode))
		return GRUB_FILE_REGULAR;
	return S_ISDIR(st->st_mode) ? GRUB_FILE_DIRECTORY : GRUB_FILE_NONE;
}

static enum grub_file_kind host_stat(void *context, const char *device, const char *path,
				     uint64_t *ret_size)
{
	const struct guestfs_volume *volume;
	struct stat st = {0};
	enum grub_file_kind kind = kind_of(look_up(context, device, path, &volume, &st), &st);

	*ret_size = (uint64_t)st.st_size;
	return kind;
}

/* Keeps a buffer until the world closes. */
static bool keep_buffer(struct bootworld *world, void *buffer)
{
	void **grown = realloc(world->buffers, (world->buffer_count + 1) * sizeof(*grown));

	if (!grown)
		return false;
	world->buffers = grown;
	world->buffers[world->buffer_count++] = buffer;
	return true;
}

/* The volume that has something of that kind at the path. */
static enum grub_answer find_kind(const struct bootworld *world, const char *device,
				  const char *path, enum grub_file_kind wanted,
				  const struct guestfs_volume **ret)
{
	struct stat st = {0};
	enum grub_file_kind kind = kind_of(look_up(world, device, path, ret, &st), &st);

	if (kind == GRUB_FILE_UNKNOWN)
		return GRUB_UNKNOWN;
	return kind == wanted ? GRUB_YES : GRUB_NO;
}

/* Is a change to this file seen by entries_is_noted()? */
static void note_read(struct bootworld *world, const struct guestfs_volume *volume,
		      const char *path)
{
	char guest_path[PATH_MAX];

	guestfs_guest_path(&world->guest, volume, path, guest_path, sizeof(guest_path));
	world->read_others |= !entries_note_covers(guest_path);
}

static enum grub_answer host_read(void *context, const char *device, const char *path,
				  struct bytes *ret)
{
	struct bootworld *world = context;
	const struct guestfs_volume *volume;
	_cleanup_free_ char *text = NULL;
	enum grub_answer answer;
	size_t size;
	int r;

	answer = find_kind(world, device, path, GRUB_FILE_REGULAR, &volume);
	if (answer != GRUB_YES)
		return answer;
	note_read(world, volume, path);
	r = root_read_file(&volume->top, path, GRUB_CONFIG_MAX, &text, &size);
	/* A configuration that is compressed itself is nothing that we can read for GRUB. */
	if (r < 0 || (size > 2 && memcmp(text, "\x1f\x8b", 2) == 0) || !keep_buffer(world, text))
		return GRUB_UNKNOWN;
	*ret = bytes_make(TAKE_PTR(text), size);
	return GRUB_YES;
}

/* In an order that only the file system knows: of more than one match nothing can be said. */
static enum grub_answer host_list(void *context, const char *device, const char *path,
				  const char *const **ret_names, size_t *ret_count)
{
	struct bootworld *world = context;
	const struct guestfs_volume *volume;
	_cleanup_free_ char **names = NULL;
	enum grub_answer answer = find_kind(world, device, path, GRUB_FILE_DIRECTORY, &volume);

	if (answer != GRUB_YES)
		return answer;
	if (guestfs_list(&world->guest, volume, path, &names, ret_count) < 0 ||
	    !keep_buffer(world, names))
		return GRUB_UNKNOWN;
	*ret_names = (const char *const *)TAKE_PTR(names);
	return GRUB_UNKNOWN;
}

/*
 * GRUB 2 looks at a disk, then at its partitions from the last to the first (kern/device.c:
 * iterate_partition puts each before those it has); at what LVM and RAID make before the disks or
 * behind them, as it has met them already or not (disk/diskfilter.c).
 */
static bool may_come_before(const struct bootworld *world, const struct guestfs_volume *a,
			    const struct guestfs_volume *b)
{
	const bool is_one_disk = strcmp(a->fs->disk, b->fs->disk) == 0;

	if (a->fs->disk[0] == '\0' || b->fs->disk[0] == '\0' ||
	    (!is_one_disk && (a->fs->is_named_here || b->fs->is_named_here)))
		return true;
	if (world->is_ascending)
		return filesystem_compare(a->fs, b->fs) < 0;
	if (filesystem_is_on_disk(a->fs) != filesystem_is_on_disk(b->fs))
		return true;
	if (is_one_disk && a->fs->partition > 0 && b->fs->partition > 0)
		return a->fs->partition > b->fs->partition;
	return filesystem_compare(a->fs, b->fs) < 0;
}

static enum guestfs_found look_for_any(const struct bootworld *world,
				       const struct guestfs_volume *volume,
				       const struct boot_place *places)
{
	enum guestfs_found best = GUESTFS_ABSENT;

	for (; places->path && best != GUESTFS_FOUND; places++) {
		const enum guestfs_found found = bootworld_look(world, volume, places->path, NULL);

		if (found != GUESTFS_ABSENT)
			best = found;
	}
	return best;
}

enum grub_answer bootworld_find(const struct bootworld *world, const char *path,
				const struct guestfs_volume **ret)
{
	const struct boot_place places[] = {{.path = path}, {.path = NULL}};

	return bootworld_find_any(world, places, ret);
}

enum grub_answer bootworld_find_any(const struct bootworld *world, const struct boot_place *places,
				    const struct guestfs_volume **ret)
{
	const struct guestfs_volume *first = NULL, *rivals[PVK_MAX_FILESYSTEMS];
	size_t rival_count = 0;

	/* Who has it, or cannot be asked. */
	for (size_t i = 0; i < world->guest.count; i++) {
		const struct guestfs_volume *volume = &world->guest.volumes[i];
		enum guestfs_found found = look_for_any(world, volume, places);

		if (found == GUESTFS_ABSENT)
			continue;
		if (found == GUESTFS_FOUND && (!first || !may_come_before(world, first, volume))) {
			const struct guestfs_volume *beaten = first;

			first = volume;
			volume = beaten;
		}
		if (volume)
			rivals[rival_count++] = volume;
	}
	if (!first)
		return rival_count > 0 ? GRUB_UNKNOWN : GRUB_NO;
	*ret = first;
	for (size_t i = 0; i < rival_count; i++)
		if (may_come_before(world, rivals[i], first))
			return GRUB_UNKNOWN;
	return GRUB_YES;
}

/* UUIDs are compared without case, labels with it (GRUB commands/search.c). */
static bool has_tag(const struct guestfs_volume *volume, const struct grub_search *search)
{
	const struct filesystem *fs = volume->fs;

	if (fs->is_blank || volume->sight == GUESTFS_UNSEEN)
		return false;
	return search->by == GRUB_SEARCH_UUID ? strcasecmp(fs->uuid, search->key) == 0
					      : strcmp(fs->label, search->key) == 0;
}

static enum grub_answer search_tag(const struct bootworld *world, const struct grub_search *search,
				   const char **ret_device)
{
	const struct guestfs_volume *first = NULL, *candidate = NULL, *hinted;
	size_t candidates = world->guest.is_complete ? 0 : 2;

	/* A copy of a disk has its UUID, too. */
	for (size_t i = 0; i < search->n_hints; i++) {
		if (guestfs_find_volume(&world->guest, search->hints[i], &hinted) !=
			    GUESTFS_FOUND ||
		    !has_tag(hinted, search))
			continue;
		*ret_device = hinted->name;
		return GRUB_YES;
	}
	for (size_t i = 0; i < world->guest.count; i++) {
		const struct guestfs_volume *volume = &world->guest.volumes[i];
		const char *tag =
			search->by == GRUB_SEARCH_UUID ? volume->fs->uuid : volume->fs->label;

		if (volume->fs->is_blank || volume->sight == GUESTFS_UNSEEN)
			continue;
		if (tag[0] != '\0' && has_tag(volume, search) &&
		    (!first || !may_come_before(world, first, volume)))
			first = volume;
		if (tag[0] == '\0') {
			candidate = volume;
			candidates++;
		}
	}
	if (first) {
		*ret_device = first->name;
		return GRUB_YES;
	}
	if (candidates == 1)
		*ret_device = candidate->name; /* this one or none */
	return candidates > 0 ? GRUB_UNKNOWN : GRUB_NO;
}

static enum grub_answer search_file(const struct bootworld *world, const struct grub_search *search,
				    const char **ret_device)
{
	const struct guestfs_volume *volume;
	enum grub_answer answer;

	for (size_t i = 0; i < search->n_hints; i++) {
		if (look_up(world, search->hints[i], search->key, &volume, NULL) != GUESTFS_FOUND)
			continue;
		*ret_device = volume->name;
		return GRUB_YES;
	}
	answer = bootworld_find(world, search->key, &volume);
	if (answer == GRUB_YES)
		*ret_device = volume->name;
	return answer;
}

static enum grub_answer host_search(void *context, const struct grub_search *search,
				    const char **ret_device)
{
	const struct bootworld *world = context;

	return search->by == GRUB_SEARCH_FILE ? search_file(world, search, ret_device)
					      : search_tag(world, search, ret_device);
}

static enum grub_answer load_kernel(struct bootworld *world, const struct guestfs_volume *volume,
				    const char *path, const char **ret_error)
{
	const struct judged_kernel *kernel = bootworld_judge(world, volume, path);

	if (!kernel || !kernel->is_readable)
		return GRUB_UNKNOWN;
	switch (kernel->loader.outcome) {
	case LOADER_STARTS:
	case LOADER_CRASHES: /* it is loaded; what comes then is judged by the model */
		return GRUB_YES;
	case LOADER_REFUSES:
		*ret_error = kernel->loader.error;
		return GRUB_NO;
	case LOADER_UNRELIABLE:
		break;
	}
	return GRUB_UNKNOWN;
}

static enum grub_answer host_load(void *context, const struct grub_load *load,
				  const char **ret_error)
{
	struct bootworld *world = context;
	const struct guestfs_volume *volume = NULL;
	struct stat st = {0};

	switch (kind_of(look_up(world, load->device, load->path, &volume, &st), &st)) {
	case GRUB_FILE_NONE:
		/* NULL: GRUB's "file not found", which the evaluator knows */
		*ret_error =
			volume && volume->sight == GUESTFS_UNSEEN ? "unknown filesystem" : NULL;
		return GRUB_NO;
	case GRUB_FILE_DIRECTORY:
		*ret_error = "not a regular file";
		return GRUB_NO;
	case GRUB_FILE_UNKNOWN:
		return GRUB_UNKNOWN;
	case GRUB_FILE_REGULAR:
		break;
	}
	note_read(world, volume, load->path);
	return load->kind == GRUB_LOAD_KERNEL ? load_kernel(world, volume, load->path, ret_error)
					      : GRUB_YES;
}

/* --- the world --- */

int bootworld_open(const struct bootmodel_request *request, struct bootworld *ret,
		   struct pvk_error *err)
{
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->request = request;
	ret->is_ascending =
		request->guest == GUEST_PV && (request->config->profile == PROFILE_PYGRUB ||
					       request->config->profile == PROFILE_PV_GRUB);
	r = guestfs_open(request->root, &ret->guest, err);
	if (r < 0)
		return r;
	bootsight_look(request, &ret->guest);
	ret->host = (struct grub_host){
		.context = ret,
		.stat = host_stat,
		.read = host_read,
		.search = host_search,
		.list = host_list,
		.load = host_load,
		.settings = ret->settings,
	};
	bootworld_set_prefix(ret, MEMDISK, "/boot/grub");
	return 0;
}

void bootworld_set_prefix(struct bootworld *world, const char *device, const char *path)
{
	(void)snprintf(world->prefix, sizeof(world->prefix), "(%s)%s", device, path);
	world->settings[0] = (struct grub_setting){"prefix", world->prefix, NULL};
	world->host.n_settings = 1;
}

void bootworld_close(struct bootworld *world)
{
	for (size_t i = 0; i < world->kernel_count; i++)
		free(world->kernels[i]);
	for (size_t i = 0; i < world->buffer_count; i++)
		free(world->buffers[i]);
	free(world->buffers);
	world->buffers = NULL;
	world->kernel_count = world->buffer_count = 0;
	guestfs_close(&world->guest);
}
