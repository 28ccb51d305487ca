/* SPDX-License-Identifier: GPL-2.0-or-later */
/* menulstgen.c - see menulstgen.h */
#include <errno.h>

#include "../base/text.h"
#include "menulstgen_internal.h"

struct making {
	struct menulstgen_file file; /* first: what the caller holds */
	struct arena arena;
	struct menulstgen_note **last_note;
	const struct menulstgen_defaults *defaults;
	const struct bootgen_kernel *const *kernels; /* those that can be listed */
	size_t n_kernels;
};

static void add_note(struct making *m, const char *text)
{
	struct menulstgen_note *note = ARENA_NEW(&m->arena, struct menulstgen_note);

	note->text = text;
	*m->last_note = note;
	m->last_note = &note->next;
}

static bool is_path(const char *path)
{
	return *path == '/' && bootgen_is_plain(path);
}

static bool can_be_listed(const struct bootgen_kernel *kernel)
{
	return bootgen_is_plain(kernel->version) && is_path(kernel->kernel) &&
	       (!kernel->initrd || is_path(kernel->initrd));
}

static void choose_kernels(struct making *m, const struct bootgen_kernel *kernels, size_t n_kernels)
{
	const struct bootgen_kernel **chosen =
		arena_alloc(&m->arena, n_kernels * sizeof(const struct bootgen_kernel *));

	for (size_t i = 0; i < n_kernels; i++)
		if (can_be_listed(&kernels[i]))
			chosen[m->n_kernels++] = &kernels[i];
		else
			add_note(m, arena_printf(&m->arena,
						 "no entry for kernel %s: menu.lst has no way to "
						 "write its name",
						 text_quote(kernels[i].version).s));
	m->kernels = chosen;
}

static void add_lock_note(struct making *m, const struct menulstgen_options *options)
{
	bool old_ones = menulstgen_is_true(options, MENULSTGEN_LOCKOLD) && m->file.listed > 1;
	bool others = menulstgen_is_true(options, MENULSTGEN_LOCKALTERNATIVE) &&
		      menulstgen_has_alternatives(options);

	if (old_ones || others)
		add_note(m,
			 arena_printf(&m->arena, "%s=true: GRUB 2 cannot boot an entry with `lock'",
				      old_ones ? "lockold" : "lockalternative"));
}

static void write_kernels(struct making *m, struct menulstgen_writer *w,
			  const struct menulstgen_options *options)
{
	bool is_raised;
	size_t count = menulstgen_howmany(options, &is_raised);

	if (count > m->n_kernels)
		count = m->n_kernels;
	for (size_t i = 0; i < count; i++)
		menulstgen_write_kernel(w, options, m->defaults->title, m->kernels[i], i == 0);
	m->file.listed = (unsigned)count;
	if (is_raised)
		add_note(m, "howmany is below 1: one kernel is listed, for none would not boot");
	add_lock_note(m, options);
}

static void finish(struct making *m, enum menulstgen_outcome outcome,
		   const struct menulstgen_writer *w)
{
	if (w->out.len > MENULSTGEN_FILE_MAX)
		arena_leave(&m->arena, PVK_E_LIMIT);
	m->file.outcome = outcome;
	m->file.text = bytes_make(w->out.s, w->out.len);
}

static void create(struct making *m)
{
	struct menulstgen_writer w = {.arena = &m->arena, .eol = "\n"};
	struct menulstgen_options options = {0};

	menulstgen_complete(&m->arena, m->defaults, &options);
	menulstgen_write_top(&w);
	menulstgen_write(&w, MENULSTGEN_BEGIN);
	menulstgen_write_options(&w, &options);
	write_kernels(m, &w, &options);
	menulstgen_write(&w, MENULSTGEN_END);
	finish(m, MENULSTGEN_CREATED, &w);
}

/* Entries that the admin may copy: without alternatives, which he can write himself. */
static void show(struct making *m, const char *reason)
{
	struct menulstgen_writer w = {.arena = &m->arena, .eol = "\n"};
	struct menulstgen_options options = {.values[MENULSTGEN_ALTERNATIVE] = "false"};

	menulstgen_complete(&m->arena, m->defaults, &options);
	write_kernels(m, &w, &options);
	m->file.foreign = reason;
	finish(m, MENULSTGEN_FOREIGN, &w);
}

/* From behind the BEGIN line to the first title. */
static struct bytes find_head(struct bytes area)
{
	size_t pos = 0, start = 0;
	struct bytes line, rest;

	while (menulstgen_next_line(area, &pos, &line) &&
	       !menulstgen_is_command(line, "title", &rest))
		start = pos;
	return bytes_make(area.data, start);
}

/* The scripts keep a splashimage, too; any other command without a title could only do harm, for
 * GRUB would run it before the menu. */
static void write_head(struct menulstgen_writer *w, struct bytes head)
{
	size_t pos = 0, start = 0;
	struct bytes line, rest;

	for (; menulstgen_next_line(head, &pos, &line); start = pos) {
		line = menulstgen_trim(line);
		if (line.size == 0 || line.data[0] == '#' ||
		    menulstgen_is_command(line, "splashimage", &rest))
			arena_text_add(w->arena, &w->out, (const char *)head.data + start,
				       pos - start);
	}
}

static void update_default(struct making *m, struct bytes old, size_t begin,
			   struct menulstgen_writer *w)
{
	struct bytes changed = bytes_make(w->out.s, w->out.len);
	struct arena_text out = {0};
	const char *note = NULL, *number;
	size_t at, len;

	number = menulstgen_find_default(&m->arena, old, begin, changed, &at, &len, &note);
	if (note)
		add_note(m, note);
	if (!number)
		return;
	arena_text_add(&m->arena, &out, w->out.s, at);
	arena_text_add(&m->arena, &out, number, strlen(number));
	arena_text_add(&m->arena, &out, w->out.s + at + len, w->out.len - at - len);
	w->out = out;
}

static void rewrite(struct making *m, struct bytes old, const struct menulstgen_block *block)
{
	struct menulstgen_writer w = {.arena = &m->arena, .eol = block->eol};
	const char *bytes = (const char *)old.data;
	struct bytes area = bytes_make(old.data + block->head, block->end - block->head);
	struct bytes head = find_head(area);
	struct menulstgen_options options;
	bool is_kept = menulstgen_read_options(&m->arena, head, &options), is_same;

	if (!is_kept)
		(void)menulstgen_read_options(&m->arena, area, &options);
	m->file.has_kopt = options.values[MENULSTGEN_KOPT] != NULL;
	menulstgen_complete(&m->arena, m->defaults, &options);
	arena_text_add(&m->arena, &w.out, bytes, block->head);
	if (is_kept)
		write_head(&w, head);
	else
		menulstgen_write_options(&w, &options);
	write_kernels(m, &w, &options);
	arena_text_add(&m->arena, &w.out, bytes + block->end, old.size - block->end);
	if (menulstgen_is_true(&options, MENULSTGEN_UPDATEDEFAULTENTRY))
		update_default(m, old, block->begin, &w);
	is_same = w.out.len == old.size && memcmp(w.out.s, bytes, old.size) == 0;
	finish(m, is_same ? MENULSTGEN_SAME : MENULSTGEN_CHANGED, &w);
}

struct job {
	struct making *m;
	struct bytes old;
	const struct bootgen_kernel *kernels;
	size_t n_kernels;
};

static void run(void *context)
{
	const struct job *job = context;
	struct making *m = job->m;
	struct menulstgen_block block;
	const char *reason;

	choose_kernels(m, job->kernels, job->n_kernels);
	if (m->n_kernels == 0)
		return;
	if (job->old.size == 0) {
		create(m);
		return;
	}
	reason = menulstgen_find_block(&m->arena, job->old, &block);
	if (reason)
		show(m, reason);
	else
		rewrite(m, job->old, &block);
}

static int make(struct job *job, struct pvk_error *err)
{
	if (!arena_run(&job->m->arena, run, job))
		return pvk_fail(err, job->m->arena.error, "menu.lst would become too large");
	if (job->m->n_kernels == 0)
		return pvk_fail(err, PVK_E_REFUSED, "there is no kernel to be listed in menu.lst");
	return 0;
}

static int check_defaults(const struct menulstgen_defaults *d, struct pvk_error *err)
{
	const char *const texts[] = {d->kopt, d->groot, d->title, d->console ? d->console : ""};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!bootgen_is_one_line(texts[i]))
			return pvk_fail(err, PVK_E_REFUSED, "cannot be written into menu.lst: %s",
					text_quote(texts[i]).s);
	return 0;
}

int menulstgen_make(struct bytes old, const struct bootgen_kernel *kernels, size_t n_kernels,
		    const struct menulstgen_defaults *defaults, struct menulstgen_file **ret,
		    struct pvk_error *err)
{
	struct making *m;
	int status = check_defaults(defaults, err);

	if (status < 0)
		return status;
	if (old.size > MENULSTGEN_FILE_MAX || n_kernels > BOOTGEN_KERNELS_MAX)
		return pvk_fail(err, PVK_E_LIMIT, "menu.lst or the list of kernels is too large");
	m = calloc(1, sizeof(*m));
	if (!m)
		return pvk_fail_errno(err, ENOMEM, "cannot make menu.lst");
	m->file.memory = &m->arena;
	m->last_note = &m->file.notes;
	m->defaults = defaults;
	status = make(&(struct job){m, old, kernels, n_kernels}, err);
	if (status < 0) {
		menulstgen_free(&m->file);
		return status;
	}
	*ret = &m->file;
	return 0;
}

void menulstgen_free(struct menulstgen_file *file)
{
	if (file)
		arena_free(file->memory);
	free(file);
}
