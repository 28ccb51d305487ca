/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.h - what is printed, as text and as JSON, has no byte in it that a terminal or a JSON
 * reader would not take. Aborts otherwise. */
#ifndef PVK_FUZZ_REPORT_H
#define PVK_FUZZ_REPORT_H

#include <json-c/json.h>

#include "../../src/formats/image.h"

void report_demand_printable(const char *text, size_t size);
void report_demand_json(json_object *json);

/* What --inspect prints of an image. */
void report_check_image(const struct image *image);

#endif
