/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest.c - see guest.h */
#include "guest.h"

#include <assert.h>
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
