/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any texts, with NUL bytes between them, as what a menu is made of: title, UUID, options, console,
 * and the version, image and initrd of up to three kernels. What is written is read back by our
 * evaluation of the loaders: it names the first kernel, and nothing else.
 */
#include <assert.h>

#include "../../src/base/cleanup.h"
#include "../../src/bootcfg/grubcfggen.h"
#include "../../src/bootcfg/menulst.h"
#include "../../src/bootcfg/menulstgen.h"
#include "boothost.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KERNELS 3
#define WORDS	(4 + 3 * KERNELS)

struct wish {
	const char *title, *uuid, *options, *console;
	struct bootgen_kernel kernels[KERNELS];
	size_t count;
};

static const char *none_if_empty(const char *text)
{
	return *text ? text : NULL;
}

/* `text` is the input with a NUL byte behind it. */
static struct wish read_wish(const char *text, size_t size)
{
	const char *words[WORDS], *end = text + size;
	struct wish wish;

	for (size_t i = 0; i < WORDS; i++) {
		words[i] = text;
		text += strlen(text);
		text += text < end;
	}
	wish = (struct wish){words[0], none_if_empty(words[1]), words[2], none_if_empty(words[3]),
			     .count = 0};
	for (size_t i = 4; i < WORDS && *words[i + 1]; i += 3)
		wish.kernels[wish.count++] = (struct bootgen_kernel){words[i], words[i + 1],
								     none_if_empty(words[i + 2])};
	return wish;
}

/* Words that this host gives another answer to than yes. */
static bool is_doubted(const char *text)
{
	static const char *const words[] = {"missing", "maybe", "bad"};

	for (size_t i = 0; text && i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

static void demand_boots(struct grub_prediction *prediction, const struct bootgen_kernel *kernel)
{
	if (!is_doubted(kernel->kernel) && !is_doubted(kernel->initrd)) {
		const struct grub_boot *boot = &prediction->boot;

		assert(prediction->end == GRUB_END_BOOTS);
		assert(strcmp(boot->path, kernel->kernel) == 0);
		assert(boot->n_initrds == (kernel->initrd != NULL));
		assert(!kernel->initrd || strcmp(boot->initrds[0].path, kernel->initrd) == 0);
	}
	boothost_finish(prediction);
}

static void make_grub_cfg(const struct wish *wish)
{
	const struct grubcfggen_settings settings = {.title = wish->title,
						     .fs_uuid = wish->uuid,
						     .options = wish->options,
						     .console = wish->console};
	struct grub_prediction *prediction;
	_cleanup_free_ char *text = NULL;
	const struct grub_host *host;
	size_t size;

	if (grubcfggen_make(&settings, wish->kernels, wish->count, &text, &size, NULL) < 0)
		return;
	assert(strlen(text) == size);
	assert(grubcfggen_maker(bytes_make(text, size)) == GRUBCFGGEN_OURS);
	host = boothost_init((const uint8_t *)text, size);
	if (grubscript_predict(host, GRUB_DIALECT_SCRIPT, BOOTHOST_DEVICE, BOOTHOST_CONFIG, NULL,
			       &prediction, NULL) < 0)
		return;
	assert(!prediction->menu || prediction->menu->n_entries == wish->count);
	demand_boots(prediction, &wish->kernels[0]);
}

/* The first that a menu.lst can name; the others get a note. */
static const struct bootgen_kernel *first_plain(const struct wish *wish)
{
	for (size_t i = 0; i < wish->count; i++) {
		const struct bootgen_kernel *k = &wish->kernels[i];

		if (bootgen_is_plain(k->version) && bootgen_is_plain(k->kernel) &&
		    (!k->initrd || bootgen_is_plain(k->initrd)))
			return k;
	}
	return NULL;
}

static void make_menu_lst(const struct wish *wish)
{
	const struct menulstgen_defaults defaults = {.kopt = wish->options,
						     .groot = "(hd0,0)",
						     .title = wish->title,
						     .console = wish->console};
	_cleanup_(menulstgen_free_pointer) struct menulstgen_file *file = NULL, *again = NULL;
	const struct bootgen_kernel *first = first_plain(wish);
	struct grub_prediction *prediction;
	const struct grub_host *host;

	if (menulstgen_make(bytes_make(NULL, 0), wish->kernels, wish->count, &defaults, &file,
			    NULL) < 0)
		return;
	assert(file->outcome == MENULSTGEN_CREATED && (file->listed > 0) == (first != NULL));
	assert(menulstgen_make(file->text, wish->kernels, wish->count, &defaults, &again, NULL) ==
	       0);
	assert(again->outcome == MENULSTGEN_SAME);
	if (!first || first->kernel[0] != '/' || (first->initrd && first->initrd[0] != '/'))
		return;
	host = boothost_init(file->text.data, file->text.size);
	if (menulst_predict(host, "hd0,0", BOOTHOST_CONFIG, NULL, &prediction, NULL) == 0)
		demand_boots(prediction, first);
	if (grubscript_predict(host, GRUB_DIALECT_LEGACY, BOOTHOST_DEVICE, BOOTHOST_CONFIG, NULL,
			       &prediction, NULL) == 0)
		demand_boots(prediction, first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = calloc(1, size + 1);
	struct wish wish;

	assert(text);
	if (size > 0)
		memcpy(text, data, size);
	wish = read_wish(text, size);
	make_grub_cfg(&wish);
	make_menu_lst(&wish);
	return 0;
}
