/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bootpvboot.c - bootchecks_pvboot(), see bootchecks.h: the guest's own GRUB, chained. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../system/infile.h"
#include "bootchecks.h"
#include "pvboot.h"

static bool read_file(const struct bootworld *world, const struct guestfs_volume *volume,
		      const char *path, struct infile *ret)
{
	int fd = guestfs_open_file(&world->guest, volume, path, O_RDONLY | O_NONBLOCK);

	return fd >= 0 && infile_take(fd, INFILE_ANY, ret, NULL) == 0 &&
	       infile_read(ret, NULL) == 0;
}

static bool is_same(const struct bootworld *world, const struct guestfs_volume *volume,
		    const char *path, struct bytes image)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;

	return read_file(world, volume, path, &file) && file.bytes.size == image.size &&
	       memcmp(file.bytes.data, image.data, image.size) == 0;
}

bool bootchecks_pvboot(struct bootworld *world, struct bootmodel *model,
		       const struct guestfs_volume *volume, const char *path,
		       const struct guestfs_volume *config_volume)
{
	static const char boot[] = "/boot";
	const struct pvboot_place *place = &pvboot_places[PVBOOT_X86_64];
	_cleanup_infile_ struct infile image = INFILE_INIT;
	const bool is_read = read_file(world, volume, path, &image);

	/* In the file system of /, or of /boot. */
	for (size_t skip = 0; is_read && skip < sizeof(boot); skip += sizeof(boot) - 1)
		if (is_same(world, config_volume, place->core + skip, image.bytes))
			return !pvboot_needs_modules(PVBOOT_X86_64, image.bytes) ||
			       bootworld_look(world, config_volume, place->normal + skip, NULL) !=
				       GUESTFS_ABSENT;
	bootmodel_find(
		model, SEVERITY_WARNING, "pvboot-foreign", NULL,
		"%s is not the image that this guest's grub-install made: it starts, but what it reads then can only be guessed (assumed: grub.cfg)",
		text_escape(path).s);
	bootmodel_worsen(model, VERDICT_UNKNOWN);
	return true;
}
