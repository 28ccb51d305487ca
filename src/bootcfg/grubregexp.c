/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grubregexp.c - `regexp` (commands/regexp.c): POSIX extended regular expressions, in GRUB by
 * gnulib, here by the C library. */
#include "grubeval.h"

#include <regex.h>

#define GROUPS_MAX  20
#define PATTERN_MAX 256
#define TEXT_MAX    4096

static const struct grub_option regexp_options[] = {
	{"set", 's', GRUB_OPTION_STRING | GRUB_OPTION_REPEATABLE},
	{0},
};

/* "[NUMBER:]NAME" */
static int set_match(struct grub_eval *ev, const char *spec, const char *text, size_t groups,
		     const regmatch_t *matches)
{
	const char *colon = strchr(spec, ':'), *end, *name = spec;
	unsigned long i = 1;

	if (colon) {
		i = grubcommands_number(ev, spec, 10, &end);
		if (end != colon)
			return grubeval_fail(ev, GRUB_BAD_ARGUMENT,
					     "invalid variable name format %s", spec);
		name = colon + 1;
	}
	if (i >= groups || matches[i].rm_so == -1)
		grubvars_unset(ev, name);
	else
		grubvars_set(ev, name,
			     arena_strndup(&ev->arena, text + matches[i].rm_so,
					   (size_t)(matches[i].rm_eo - matches[i].rm_so)));
	return GRUB_OK;
}

/* 0: matched; nothing that could leave by longjmp() runs while the expression is compiled. */
static int match(const char *pattern, const char *text, size_t *ret_groups, regmatch_t *matches)
{
	regex_t regex;
	int ret = regcomp(&regex, pattern, REG_EXTENDED);

	if (ret != 0)
		return ret;
	*ret_groups = regex.re_nsub + 1 < GROUPS_MAX ? regex.re_nsub + 1 : GROUPS_MAX;
	ret = regexec(&regex, text, *ret_groups, matches, 0);
	regfree(&regex);
	return ret;
}

/* Repeat counts and back references can cost more time and memory than there is. */
static bool has_costly_part(const char *pattern)
{
	for (; *pattern; pattern++) {
		if (*pattern == '{')
			return true;
		if (*pattern == '\\' && pattern[1] >= '0' && pattern[1] <= '9')
			return true;
	}
	return false;
}

int grubregexp_run(struct grub_eval *ev, const struct grub_call *call)
{
	struct grub_options options;
	regmatch_t matches[GROUPS_MAX];
	const char *unknown = grubcommands_unknown_arg(call), *pattern, *text;
	size_t groups = 0;

	if (!gruboptions_parse(ev, call, regexp_options, 0, &options))
		return ev->error;
	if (options.n_args != 2)
		return grubeval_fail(ev, GRUB_BAD_ARGUMENT, "two arguments expected");
	pattern = options.args[0].text;
	text = options.args[1].text;
	if (!unknown &&
	    (strlen(pattern) > PATTERN_MAX || strlen(text) > TEXT_MAX || has_costly_part(pattern)))
		unknown = "what a complicated regexp matches";
	if (unknown)
		grubeval_stop(ev, GRUB_END_UNKNOWN, unknown);
	if (match(pattern, text, &groups, matches) != 0)
		return grubeval_fail(ev, GRUB_TEST_FAILURE, "No match");
	for (size_t i = 0; i < options.counts[0]; i++) {
		int status = set_match(ev, options.values[0][i].text, text, groups, matches);

		if (status != GRUB_OK)
			return status;
	}
	return GRUB_OK;
}
