/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as an environment block, with the signature put before them: read as it is, and by a
 * grub.cfg. */
#include "../../src/base/cleanup.h"
#include "../../src/bootcfg/grubenv.h"
#include "boothost.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With the NUL byte behind which boothost.h expects the other files' content. */
static const char script[] = "load_env\n"
			     "load_env --file /env saved_entry next_entry\n"
			     "if load_env --skip-sig -f /env nothing; then list_env -f /env; fi\n"
			     "list_env -f /missing\n"
			     "menuentry a --id \"$saved_entry\" { linux $kernel $args; }\n"
			     "menuentry b { save_env -f /env saved_entry; linux /k $args; }\n"
			     "default=\"$next_entry\"\n";
static const char signature[] = "# GRUB Environment Block\n";

static void read_block(struct bytes block)
{
	struct grubenv_reader reader;
	struct grubenv_pair pair;

	if (!grubenv_open(&reader, block))
		return;
	while (grubenv_next(&reader, &pair)) {
		char *value = malloc(pair.value.size + 1);

		if (value)
			grubenv_unescape(pair.value, value);
		free(value);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t head = sizeof(script), len = sizeof(signature) - 1;
	const size_t all = head + len + size;
	_cleanup_free_ uint8_t *files = malloc(all);
	struct grub_prediction *prediction;

	if (!files)
		return 0;
	memcpy(files, script, head);
	memcpy(files + head, signature, len);
	if (size > 0)
		memcpy(files + head + len, data, size);
	read_block(bytes_make(files + head, len + size));
	if (grubscript_predict(boothost_init(files, all), GRUB_DIALECT_SCRIPT, BOOTHOST_DEVICE,
			       BOOTHOST_CONFIG, NULL, &prediction, NULL) == 0)
		boothost_finish(prediction);
	return 0;
}
