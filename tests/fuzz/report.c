/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - see report.h */
#include "../../src/policy/report.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"

void report_demand_printable(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (text[i] != '\n' && (text[i] < 0x20 || text[i] > 0x7e))
			abort();
}

void report_demand_json(json_object *json)
{
	const char *text = json_object_to_json_string(json);
	json_object *again = json_tokener_parse(text);

	if (!again)
		abort();
	report_demand_printable(text, strlen(text));
	(void)json_object_put(again);
}

void report_check_image(const struct image *image)
{
	const struct report_style style = {0};
	char *text = NULL;
	json_object *json;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	report_image(out, "/boot/vmlinuz-1", image, &style);
	if (fclose(out) != 0)
		abort();
	report_demand_printable(text, size);
	free(text);
	json = report_image_json("/boot/vmlinuz-1", "1", image);
	report_demand_json(json);
	(void)json_object_put(json);
}
