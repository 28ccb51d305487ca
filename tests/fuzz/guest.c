/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest.c - see guest.h */
#include "guest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/policy/report.h"
#include "report.h"
#include "tree.h"

#define KERNEL "boot/vmlinuz-1"
/* An archive of cpio's with nothing in it. */
#define EMPTY_INITRD                                                              \
	"07070100000000000000000000000000000000000000010000000000000000000000000" \
	"0000000000000000000000000000000000000B00000000TRAILER!!!"

/* An entry of cpio's without a body: its fields are inode, mode, owner, group, links, time, size,
 * four device numbers, length of the name, checksum. */
static size_t add_entry(char *archive, size_t room, unsigned mode, const char *name)
{
	const int n = snprintf(archive, room, "070701%08x%08x%016x%08x%016x%032x%08zx%08x%s", 1u,
			       mode, 0u, 1u, 0u, 0u, strlen(name) + 1, 0u, name);

	assert(n > 0 && (size_t)n + 4 < room);
	memset(archive + n, 0, 4);
	return ((size_t)n + 4) / 4 * 4;
}

/* What may be started: an initrd of initramfs-tools', and an init. */
static void write_inits(void)
{
	char archive[1024];
	size_t size = 0;

	size += add_entry(archive + size, sizeof(archive) - size, 0100644, "conf/initramfs.conf");
	size += add_entry(archive + size, sizeof(archive) - size, 0120777, "init");
	size += add_entry(archive + size, sizeof(archive) - size, 0100755, "sbin/init");
	size += add_entry(archive + size, sizeof(archive) - size, 0, "TRAILER!!!");
	tree_write("boot/initrd.img-2", (const uint8_t *)archive, size);
	tree_write("usr/bin/env", (const uint8_t *)"", 0);
	tree_write("sbin/init", (const uint8_t *)"", 0);
}

static struct bytes take_text(struct bytes *rest)
{
	const uint8_t *nul = rest->size > 0 ? memchr(rest->data, '\0', rest->size) : NULL;
	const size_t len = nul ? (size_t)(nul - rest->data) : rest->size;
	const struct bytes text = bytes_make(rest->data, len);
	const size_t taken = len + (nul != NULL);

	*rest = bytes_make(rest->data + taken, rest->size - taken);
	return text;
}

static void put(const char *path, struct bytes text)
{
	if (text.size > 0)
		tree_write(path, text.data, text.size);
	else
		tree_remove(path);
}

void guest_write(const uint8_t *data, size_t size, struct config *ret)
{
	static const char *const texts[] = {GUEST_GRUB_CFG,	  GUEST_MENU_LST,
					    "boot/extlinux.conf", "boot/grub/grubenv",
					    "etc/fstab",	  "etc/os-release"};
	static const uint8_t initrd[] = EMPTY_INITRD "\0\0\0";
	struct bytes rest = bytes_make(data, size);

	config_init(ret);
	if (size > 0) {
		ret->profile = data[0] % (PROFILE_PV_GRUB + 1);
		rest = bytes_make(data + 1, size - 1);
	}
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		put(texts[i], take_text(&rest));
	if (bytes_match(rest, 0, "\177ELF", 4))
		put(KERNEL, rest);
	else
		tree_write(KERNEL, (const uint8_t *)"no kernel", 9);
	tree_write("boot/initrd.img-1", initrd, sizeof(initrd) - 1);
	write_inits();
}

static void check_model(const struct bootmodel *model)
{
	bool has_reason = false;

	for (size_t i = 0; i < model->finding_count; i++) {
		const struct boot_finding *finding = &model->findings[i];

		assert(finding->code[0] != '\0' && finding->message[0] != '\0');
		has_reason |= finding->severity != SEVERITY_INFO;
	}
	/* Whatever is wrong is told. */
	assert(model->verdict == VERDICT_BOOTS || has_reason);
	assert(model->verdict != VERDICT_BOOTS || model->has_boot);
}

static void check_report(const struct bootmodel *model, const struct config *config)
{
	const struct report_style style = {0};
	json_object *json = json_object_new_object();
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert(out && json);
	report_check(out, model, GUEST_PV, config->profile, &style);
	assert(fclose(out) == 0);
	report_demand_printable(text, size);
	free(text);
	report_check_json(json, model, config->profile);
	report_demand_json(json);
	(void)json_object_put(json);
}

enum boot_verdict guest_check(const struct config *config)
{
	static struct bootmodel model; /* large */
	const struct bootmodel_request request = {
		.root = tree_get(),
		.config = config,
		.guest = GUEST_PV,
	};

	if (bootmodel_predict(&request, &model, NULL) < 0)
		return VERDICT_UNKNOWN;
	check_model(&model);
	check_report(&model, config);
	return model.verdict;
}
