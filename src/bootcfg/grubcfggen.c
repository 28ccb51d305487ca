/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubcfggen.c - see grubcfggen.h */
#include "grubcfggen.h"

#include <errno.h>
#include <inttypes.h>
#include <xxhash.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "grubscript.h"
#include "menulsttext.h"

/* Files of all versions are known by it: never to be changed. */
#define MARK	    "# grub.cfg made by pvkprep, which leaves the file alone once you change it ["
#define MARK_DIGITS 16
#define MARK_END    "]\n"

struct writer {
	struct arena *arena;
	struct arena_text out;
};

static void add(struct writer *w, const char *text)
{
	arena_text_add(w->arena, &w->out, text, strlen(text));
}

/* One word of GRUB script: nothing but a tick has a meaning between ticks. */
static const char *quote(struct arena *arena, const char *text)
{
	struct arena_text out = {0};

	arena_text_add(arena, &out, "'", 1);
	for (; *text; text++)
		if (*text == '\'')
			arena_text_add(arena, &out, "'\\''", 4);
		else
			arena_text_add(arena, &out, text, 1);
	arena_text_add(arena, &out, "'", 1);
	return out.s;
}

static const char *quote_if_needed(struct arena *arena, const char *text)
{
	return bootgen_is_plain(text) ? text : quote(arena, text);
}

/* What GRUB makes of one argument of `linux` takes so many bytes of its command line
 * (lib/cmdline.c). */
static size_t count_cmdline(const char *word)
{
	size_t len = 1 + (strchr(word, ' ') ? 2 : 0);

	for (; *word; word++)
		len += *word == '\\' || *word == '\'' || *word == '"' ? 2 : 1;
	return len;
}

/* The next word of the options, without its double quotes; NULL: none. */
static const char *next_word(struct arena *arena, const char **options)
{
	struct arena_text word = {0};
	const char *s = skip_space(*options);
	bool is_quoted = false;

	if (!*s)
		return NULL;
	arena_text_add(arena, &word, "", 0);
	for (; *s && (is_quoted || !is_space(*s)); s++)
		if (*s == '"')
			is_quoted = !is_quoted;
		else
			arena_text_add(arena, &word, s, 1);
	*options = s;
	return word.s;
}

/* The options as arguments of `linux`; NULL: too long for GRUB. */
static const char *quote_options(struct arena *arena, const struct grubcfggen_settings *settings)
{
	const char *options = bootgen_options(arena, settings->options, settings->console), *word;
	struct writer w = {.arena = arena};
	size_t len = 0;

	add(&w, "");
	while ((word = next_word(arena, &options))) {
		len += count_cmdline(word);
		add(&w, " ");
		add(&w, quote_if_needed(arena, word));
	}
	return len <= GRUB_CMDLINE_MAX ? w.out.s : NULL;
}

static void write_top(struct writer *w, const struct grubcfggen_settings *settings,
		      size_t n_kernels)
{
	add(w,
	    "\n# A prepared kernel needs none of these; one that is packed with gzip or xz does. "
	    "Above the\n# entries, where a loader without them goes on at once.\n"
	    "insmod gzio\ninsmod xzio\n\nset default=0\n");
	if (n_kernels > 1) {
		add(w, "set fallback=\"1");
		for (size_t i = 2; i < n_kernels; i++)
			add(w, arena_printf(w->arena, " %zu", i));
		add(w, "\"\n");
	}
	add(w, arena_printf(w->arena, "set timeout=%u\n", settings->timeout));
}

static void write_entry(struct writer *w, const struct grubcfggen_settings *settings,
			const struct bootgen_kernel *kernel, const char *options)
{
	struct arena *arena = w->arena;
	const char *title =
		arena_printf(arena, "%s, with Linux %s", settings->title, kernel->version);

	add(w, arena_printf(arena, "\nmenuentry %s {\n", quote(arena, title)));
	if (settings->fs_uuid)
		add(w, arena_printf(arena, "\tsearch --no-floppy --fs-uuid --set=root %s\n",
				    settings->fs_uuid));
	add(w,
	    arena_printf(arena, "\tlinux %s%s\n", quote_if_needed(arena, kernel->kernel), options));
	if (kernel->initrd)
		add(w,
		    arena_printf(arena, "\tinitrd %s\n", quote_if_needed(arena, kernel->initrd)));
	add(w, "}\n");
}

static const char *sum(struct bytes rest, char buf[MARK_DIGITS + 1])
{
	(void)snprintf(buf, MARK_DIGITS + 1, "%016" PRIx64, XXH3_64bits(rest.data, rest.size));
	return buf;
}

/* The mark, and the text behind it. */
static char *join(const struct arena_text *text, size_t *ret_size)
{
	char digits[MARK_DIGITS + 1], *file;
	int len = asprintf(&file, "%s%s%s%s", MARK, sum(bytes_make(text->s, text->len), digits),
			   MARK_END, text->s);

	if (len < 0)
		return NULL;
	*ret_size = (size_t)len;
	return file;
}

static bool is_uuid(const char *text)
{
	return *text && text[strspn(text, "0123456789abcdefABCDEF-")] == '\0';
}

static bool is_path(const char *text)
{
	return *text == '/' && bootgen_is_one_line(text);
}

static int refuse(struct pvk_error *err, const char *what, const char *text)
{
	return pvk_fail(err, PVK_E_REFUSED, "cannot make grub.cfg: %s %s", what,
			text_quote(text).s);
}

static int check(const struct grubcfggen_settings *settings, const struct bootgen_kernel *kernels,
		 size_t n_kernels, struct pvk_error *err)
{
	if (n_kernels == 0)
		return pvk_fail(err, PVK_E_REFUSED, "cannot make grub.cfg: there is no kernel");
	if (n_kernels > BOOTGEN_KERNELS_MAX)
		return pvk_fail(err, PVK_E_LIMIT, "cannot make grub.cfg: too many kernels");
	if (!bootgen_is_one_line(settings->title) || settings->title[0] == '-')
		return refuse(err, "bad title", settings->title);
	if (settings->fs_uuid && !is_uuid(settings->fs_uuid))
		return refuse(err, "bad UUID", settings->fs_uuid);
	if (!bootgen_is_one_line(settings->options))
		return refuse(err, "bad options", settings->options);
	if (settings->console && !bootgen_is_plain(settings->console))
		return refuse(err, "bad console", settings->console);
	for (size_t i = 0; i < n_kernels; i++) {
		const struct bootgen_kernel *k = &kernels[i];

		if (!bootgen_is_one_line(k->version))
			return refuse(err, "bad version", k->version);
		if (!is_path(k->kernel) || (k->initrd && !is_path(k->initrd)))
			return refuse(err, "bad path of kernel", k->version);
	}
	return 0;
}

struct job {
	struct writer w;
	const struct grubcfggen_settings *settings;
	const struct bootgen_kernel *kernels;
	size_t n_kernels;
	const char *options; /* NULL: there are too many */
};

static void run(void *context)
{
	struct job *job = context;

	job->options = quote_options(job->w.arena, job->settings);
	if (!job->options)
		return;
	write_top(&job->w, job->settings, job->n_kernels);
	for (size_t i = 0; i < job->n_kernels; i++)
		write_entry(&job->w, job->settings, &job->kernels[i], job->options);
}

static int make(struct job *job, struct pvk_error *err)
{
	if (!arena_run(job->w.arena, run, job))
		return pvk_fail(err, job->w.arena->error, "cannot make grub.cfg: it is too large");
	return job->options ? 0 : refuse(err, "too many options", job->settings->options);
}

int grubcfggen_make(const struct grubcfggen_settings *settings,
		    const struct bootgen_kernel *kernels, size_t n_kernels, char **ret_text,
		    size_t *ret_size, struct pvk_error *err)
{
	_cleanup_(arena_free) struct arena arena = {0};
	struct job job = {
		.w = {.arena = &arena},
		.settings = settings,
		.kernels = kernels,
		.n_kernels = n_kernels,
	};
	int status = check(settings, kernels, n_kernels, err);
	char *file;

	if (status == 0)
		status = make(&job, err);
	if (status < 0)
		return status;
	file = join(&job.w.out, ret_size);
	if (!file)
		return pvk_fail_errno(err, ENOMEM, "cannot make grub.cfg");
	*ret_text = file;
	return 0;
}

enum grubcfggen_maker grubcfggen_maker(struct bytes file)
{
	const size_t start = strlen(MARK), end = start + MARK_DIGITS;
	const size_t len = end + strlen(MARK_END);
	char digits[MARK_DIGITS + 1];

	if (!bytes_match(file, 0, MARK, start))
		return GRUBCFGGEN_FOREIGN;
	if (!bytes_match(file, end, MARK_END, strlen(MARK_END)))
		return GRUBCFGGEN_EDITED;
	(void)sum(bytes_make(file.data + len, file.size - len), digits);
	return bytes_match(file, start, digits, MARK_DIGITS) ? GRUBCFGGEN_OURS : GRUBCFGGEN_EDITED;
}
