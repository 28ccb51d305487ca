/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report.h - facts and outcomes as text for people and as JSON (schema 1, one file each in
 * schema/). Bytes from files are quoted on the way out. The streams are the caller's.
 */
#ifndef PVK_REPORT_H
#define PVK_REPORT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>

#include "../formats/image.h"
#include "../system/guest.h"
#include "apply.h"
#include "bootmodel.h"

#define PVK_JSON_SCHEMA 1

struct report_style {
	bool color; /* SGR sequences may be used */
};

/* The block that --inspect prints for one file. */
void report_image(FILE *out, const char *path, const struct image *image,
		  const struct report_style *style);

/* The object for it; the caller owns it. version: "" where the path does not tell it. */
json_object *report_image_json(const char *path, const char *version, const struct image *image);

/* The lines that --prepare and --restore print for one kernel; nothing for a failure. */
void report_outcome(FILE *out, const char *path, const struct kernel *kernel,
		    const struct outcome *outcome, const struct report_style *style);

json_object *report_outcome_json(const char *path, const struct kernel *kernel,
				 const struct outcome *outcome);

/* {"schema", "tool", "root", "guest"}: what every object of the program begins with. */
json_object *report_head_json(const struct root *root, enum guest_mode mode);

/* The tree that --check prints: steps of stage 1, what is started, findings, verdict. */
void report_check(FILE *out, const struct bootmodel *model, enum guest_mode mode,
		  enum config_profile profile, const struct report_style *style);

/* Adds "profile", "verdict", "boot", "chain" and "findings" to the head. */
void report_check_json(json_object *to, const struct bootmodel *model, enum config_profile profile);

/* A JSON string of bytes that may be anything. */
json_object *report_text_json(const char *value);

/* What would make room in /boot: older kernels with their sizes. Empty if there are none. */
void report_space_hint(FILE *out, const struct root *root, const struct bootdir *boot,
		       const struct kernel *wanted);

#endif
