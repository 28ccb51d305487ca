/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record.c - see record.h */
#include "record.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../system/infile.h"
#include "../system/outfile.h"

#define SCHEMA 1
/* Ours are about 600 bytes. */
#define RECORD_MAX 8192

static const char *const state_names[] = {"prepared", "kept", "withheld"};

#define STATE_COUNT (sizeof(state_names) / sizeof(state_names[0]))

static void put_json(json_object **object)
{
	(void)json_object_put(*object);
}

#define _cleanup_json_ _cleanup_(put_json)

/* --- reading --- */

static bool get_text(json_object *from, const char *key, char *buf, size_t size)
{
	json_object *value;

	if (!json_object_object_get_ex(from, key, &value) ||
	    !json_object_is_type(value, json_type_string) ||
	    (size_t)json_object_get_string_len(value) >= size)
		return false;
	(void)snprintf(buf, size, "%s", json_object_get_string(value));
	return true;
}

static bool get_number(json_object *from, const char *key, uint64_t *ret)
{
	json_object *value;

	if (!json_object_object_get_ex(from, key, &value) ||
	    !json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
		return false;
	*ret = (uint64_t)json_object_get_int64(value);
	return true;
}

/* "1763781480.123456789": as text, since JSON numbers may be read as floating point. */
static bool get_time(json_object *from, const char *key, struct timespec *ret)
{
	long long seconds;
	char text[48];
	long nanoseconds;

	if (!get_text(from, key, text, sizeof(text)) ||
	    sscanf(text, "%lld.%9ld", &seconds, &nanoseconds) != 2)
		return false;
	*ret = (struct timespec){.tv_sec = (time_t)seconds, .tv_nsec = nanoseconds};
	return true;
}

static bool parse_source(json_object *top, struct record *record)
{
	json_object *source;

	if (!json_object_object_get_ex(top, "source", &source))
		return false;
	(void)get_text(source, "md5", record->source_md5.s, sizeof(record->source_md5.s));
	(void)get_text(source, "kept", record->kept, sizeof(record->kept));
	(void)get_number(source, "inode", &record->source_inode);
	(void)get_time(source, "mtime", &record->source_mtime);
	return get_text(source, "container", record->container, sizeof(record->container)) &&
	       get_text(source, "payload", record->payload, sizeof(record->payload)) &&
	       get_number(source, "size", &record->source_size) &&
	       get_text(source, "digest", record->source_digest.s, sizeof(record->source_digest.s));
}

static bool parse_result(json_object *top, struct record *record)
{
	json_object *result;

	return json_object_object_get_ex(top, "result", &result) &&
	       get_number(result, "size", &record->result_size) &&
	       get_text(result, "digest", record->result_digest.s,
			sizeof(record->result_digest.s)) &&
	       get_number(result, "inode", &record->inode) &&
	       get_time(result, "mtime", &record->mtime) &&
	       get_time(result, "ctime", &record->ctime);
}

static void parse_reason(json_object *top, struct pvk_error *ret)
{
	json_object *reason;
	uint64_t code;

	if (!json_object_object_get_ex(top, "reason", &reason) ||
	    !get_number(reason, "code", &code) || code > INT_MAX ||
	    !get_text(reason, "text", ret->msg, sizeof(ret->msg)))
		return;
	ret->code = (int)code;
	pvk_error_make_safe(ret);
}

static bool parse_state(const char *name, enum record_state *ret)
{
	for (size_t i = 0; i < STATE_COUNT; i++)
		if (strcmp(name, state_names[i]) == 0) {
			*ret = (enum record_state)i;
			return true;
		}
	return false;
}

static bool parse(const char *text, struct record *record)
{
	_cleanup_json_ json_object *top = json_tokener_parse(text);
	char state[16];
	uint64_t schema;

	if (!top || !json_object_is_type(top, json_type_object) ||
	    !get_number(top, "schema", &schema) || schema != SCHEMA ||
	    !get_text(top, "state", state, sizeof(state)) || !parse_state(state, &record->state) ||
	    !get_text(top, "format", record->format, sizeof(record->format)) ||
	    !get_text(top, "loader", record->loader, sizeof(record->loader)))
		return false;
	parse_reason(top, &record->reason);
	return parse_source(top, record) && parse_result(top, record);
}

int record_load(const struct bootdir *boot, const struct kernel *kernel, struct record *ret)
{
	_cleanup_infile_ struct infile file = INFILE_INIT;
	struct record record = {0};
	char text[RECORD_MAX + 1];
	ssize_t n;

	if (boot->own_fd < 0 ||
	    infile_open(boot->own_fd, kernel->record, INFILE_TRUSTED, &file, NULL) < 0)
		return 0;
	n = read(file.fd, text, RECORD_MAX);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	if (!parse(text, &record))
		return 0;
	*ret = record;
	return 1;
}

/* --- writing --- */

static void add_text(json_object *to, const char *key, const char *value)
{
	(void)json_object_object_add(to, key, json_object_new_string(value));
}

static void add_number(json_object *to, const char *key, uint64_t value)
{
	(void)json_object_object_add(to, key, json_object_new_int64((int64_t)value));
}

static void add_time(json_object *to, const char *key, struct timespec time)
{
	char text[48];

	(void)snprintf(text, sizeof(text), "%lld.%09ld", (long long)time.tv_sec, time.tv_nsec);
	add_text(to, key, text);
}

static void add_reason(json_object *top, const struct pvk_error *reason)
{
	json_object *object = json_object_new_object();

	add_number(object, "code", (uint64_t)reason->code);
	add_text(object, "text", reason->msg);
	(void)json_object_object_add(top, "reason", object);
}

static json_object *build(const struct record *record)
{
	json_object *top = json_object_new_object();
	json_object *source = json_object_new_object();
	json_object *result = json_object_new_object();

	if (!top || !source || !result) {
		(void)json_object_put(top);
		(void)json_object_put(source);
		(void)json_object_put(result);
		return NULL;
	}
	add_number(top, "schema", SCHEMA);
	add_text(top, "tool", PVK_VERSION);
	add_text(top, "state", state_names[record->state]);
	add_text(top, "format", record->format);
	add_text(top, "loader", record->loader);
	add_text(source, "container", record->container);
	add_text(source, "payload", record->payload);
	add_number(source, "size", record->source_size);
	if (record->source_md5.s[0] != '\0')
		add_text(source, "md5", record->source_md5.s);
	add_text(source, "digest", record->source_digest.s);
	if (record->kept[0] != '\0')
		add_text(source, "kept", record->kept);
	if (record->source_inode != 0) {
		add_number(source, "inode", record->source_inode);
		add_time(source, "mtime", record->source_mtime);
	}
	add_number(result, "size", record->result_size);
	add_text(result, "digest", record->result_digest.s);
	add_number(result, "inode", record->inode);
	add_time(result, "mtime", record->mtime);
	add_time(result, "ctime", record->ctime);
	(void)json_object_object_add(top, "source", source);
	(void)json_object_object_add(top, "result", result);
	if (record->reason.code != 0)
		add_reason(top, &record->reason);
	return top;
}

int record_store(const struct bootdir *boot, const struct kernel *kernel, struct record *record,
		 const struct stat *st, struct pvk_error *err)
{
	_cleanup_json_ json_object *top = NULL;
	const char *text;
	size_t size;
	int r;

	record->inode = st->st_ino;
	record->result_size = (uint64_t)st->st_size;
	record->mtime = st->st_mtim;
	record->ctime = st->st_ctim;
	top = build(record);
	text = top ? json_object_to_json_string_length(top, JSON_C_TO_STRING_PRETTY, &size) : NULL;
	if (!text)
		return pvk_fail(err, ENOMEM, "no memory for the record");
	r = outfile_replace(boot->own_fd, kernel->record, text, size, err);
	if (r < 0)
		pvk_error_prefix(err, "cannot write the record");
	return r;
}

void record_note_reason(const struct bootdir *boot, const struct kernel *kernel,
			const struct pvk_error *reason)
{
	const struct stat nothing = {0};
	struct record record;

	if (record_load(boot, kernel, &record) != 1 || record.state != RECORD_WITHHELD ||
	    strcmp(record.reason.msg, reason->msg) == 0)
		return;
	record.reason = *reason;
	(void)record_store(boot, kernel, &record, &nothing, NULL);
}

void record_remove(const struct bootdir *boot, const struct kernel *kernel)
{
	if (boot->own_fd >= 0)
		(void)unlinkat(boot->own_fd, kernel->record, 0);
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool record_matches(const struct record *record, const struct stat *st)
{
	/* Not the device: its number may differ after a reboot. */
	return S_ISREG(st->st_mode) && st->st_ino == record->inode &&
	       (uint64_t)st->st_size == record->result_size &&
	       same_time(st->st_mtim, record->mtime) && same_time(st->st_ctim, record->ctime);
}

void record_set_source(struct record *record, const struct stat *st)
{
	record->source_inode = st ? st->st_ino : 0;
	record->source_mtime = st ? st->st_mtim : (struct timespec){0};
}

bool record_matches_source(const struct record *record, const struct stat *st)
{
	/* A removed original changes nothing about the image; not ctime: links move it. */
	if (!st)
		return true;
	return S_ISREG(st->st_mode) && st->st_ino == record->source_inode &&
	       same_time(st->st_mtim, record->source_mtime);
}
