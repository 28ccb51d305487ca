/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - see options.h */
#include "options.h"

#include <getopt.h>
#include <string.h>

#include "../base/text.h"

const char options_help[] =
	"Usage: pvkprep MODE [OPTION...] [KERNEL|FILE...]\n"
	"Make Linux kernels loadable by a Xen PV boot loader, and tell if it boots.\n"
	"\n"
	"Modes:\n"
	"  --prepare [KERNEL...]  unpack what the loader cannot read (all of /boot)\n"
	"  --check                will the guest boot? the reason, and the cure if not\n"
	"  --inspect FILE...      say what an image is and which loaders start it\n"
	"  --list                 the kernels in /boot and their state\n"
	"  --restore [KERNEL...]  put the packaged image back\n"
	"KERNEL is a version (6.1.0-50-cloud-amd64) or a path (/boot/vmlinuz-...).\n"
	"Options:\n"
	"  --root DIR             work on another tree (rescue system, installer)\n"
	"  --config FILE          instead of /etc/pvkprep.conf\n"
	"  -n, --dry-run          say what would be done, write nothing\n"
	"  --force                also off PV, and against a wrong MD5 sum\n"
	"  --format=elf|hybrid|auto  form of a prepared kernel\n"
	"  --entries-only         --prepare: only the boot entries; shows what changes\n"
	"  --profile=NAME         the hoster's loader: bitfolk, debian, pygrub, pv-grub\n"
	"  --json                 results as JSON\n"
	"  -q, --quiet    -v, --verbose    --color=auto|always|never\n"
	"  -h, --help     -V, --version\n"
	"Exit status: 0 done, nothing to do, will boot; 1 failed, will not boot;\n"
	"2 usage or configuration; 3 cannot tell (--check).\n";

enum {
	OPT_PREPARE = 256,
	OPT_CHECK,
	OPT_INSPECT,
	OPT_LIST,
	OPT_RESTORE,
	OPT_HOOK,
	OPT_ROOT,
	OPT_CONFIG,
	OPT_JSON,
	OPT_COLOR,
	OPT_FORCE,
	OPT_FORMAT,
	OPT_PROFILE,
	OPT_ENTRIES_ONLY,
};

#define SHORT_OPTIONS "nqvhV" /* none has a value */

static const struct option long_options[] = {
	{"prepare", no_argument, NULL, OPT_PREPARE},
	{"check", no_argument, NULL, OPT_CHECK},
	{"inspect", no_argument, NULL, OPT_INSPECT},
	{"list", no_argument, NULL, OPT_LIST},
	{"restore", no_argument, NULL, OPT_RESTORE},
	{"hook", no_argument, NULL, OPT_HOOK},
	{"root", required_argument, NULL, OPT_ROOT},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"json", no_argument, NULL, OPT_JSON},
	{"dry-run", no_argument, NULL, 'n'},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"color", required_argument, NULL, OPT_COLOR},
	{"force", no_argument, NULL, OPT_FORCE},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"profile", required_argument, NULL, OPT_PROFILE},
	{"entries-only", no_argument, NULL, OPT_ENTRIES_ONLY},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{0},
};

static int set_mode(struct options *options, enum mode mode, struct pvk_error *err)
{
	/* --help and --version win over everything, wherever they stand. */
	if (options->mode == MODE_HELP || options->mode == MODE_VERSION)
		return 0;
	if (options->mode != MODE_NONE && options->mode != mode && mode != MODE_HELP &&
	    mode != MODE_VERSION)
		return pvk_fail(err, PVK_E_CONFIG, "only one mode at a time");
	options->mode = mode;
	return 0;
}

static int set_color(struct options *options, const char *value, struct pvk_error *err)
{
	static const char *const words[] = {"auto", "always", "never"};

	for (int i = 0; i < 3; i++)
		if (strcmp(value, words[i]) == 0) {
			options->color = (enum color_choice)i;
			return 0;
		}
	return pvk_fail(err, PVK_E_CONFIG,
			"--color cannot be %s: it is 'auto', 'always' or 'never'",
			text_quote(value).s);
}

/* Messages put "/boot/..." behind it. */
static char *trim_slashes(char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	return path;
}

static int take_option(struct options *options, int option, struct pvk_error *err)
{
	switch (option) {
	case OPT_PREPARE:
		return set_mode(options, MODE_PREPARE, err);
	case OPT_CHECK:
		return set_mode(options, MODE_CHECK, err);
	case OPT_INSPECT:
		return set_mode(options, MODE_INSPECT, err);
	case OPT_LIST:
		return set_mode(options, MODE_LIST, err);
	case OPT_RESTORE:
		return set_mode(options, MODE_RESTORE, err);
	case OPT_HOOK:
		return set_mode(options, MODE_HOOK, err);
	case 'h':
		return set_mode(options, MODE_HELP, err);
	case 'V':
		return set_mode(options, MODE_VERSION, err);
	case OPT_COLOR:
		return set_color(options, optarg, err);
	case OPT_ROOT:
		options->root = trim_slashes(optarg);
		break;
	case OPT_CONFIG:
		options->config = optarg;
		break;
	case OPT_FORMAT:
		options->format = optarg;
		break;
	case OPT_PROFILE:
		options->profile = optarg;
		break;
	case OPT_ENTRIES_ONLY:
		options->entries_only = true;
		break;
	case OPT_JSON:
		options->json = true;
		break;
	case OPT_FORCE:
		options->force = true;
		break;
	case 'n':
		options->dry_run = true;
		break;
	case 'q':
		options->level = LOG_LEVEL_QUIET;
		break;
	case 'v':
		options->level = LOG_LEVEL_VERBOSE;
		break;
	}
	return 0;
}

/* Which options make sense where: a wrong one is told, not ignored. */
static int check_combination(const struct options *options, struct pvk_error *err)
{
	const bool writes = options->mode == MODE_PREPARE || options->mode == MODE_RESTORE;

	if (options->mode == MODE_NONE || options->mode == MODE_HELP ||
	    options->mode == MODE_VERSION)
		return 0;
	if (options->mode == MODE_HOOK &&
	    (options->operand_count < 1 || options->operand_count > 3))
		return pvk_fail(err, PVK_E_CONFIG, "--hook needs PHASE [VERSION [IMAGE]]");
	if (options->mode == MODE_INSPECT && options->operand_count == 0)
		return pvk_fail(err, PVK_E_CONFIG, "--inspect needs a file");
	if ((options->mode == MODE_LIST || options->mode == MODE_CHECK) &&
	    options->operand_count > 0)
		return pvk_fail(err, PVK_E_CONFIG, "%s takes no arguments: %s",
				options->mode == MODE_LIST ? "--list" : "--check",
				text_quote(options->operands[0]).s);
	if (options->dry_run && !writes)
		return pvk_fail(err, PVK_E_CONFIG, "--dry-run goes with --prepare or --restore");
	if (options->force && !writes && options->mode != MODE_HOOK)
		return pvk_fail(err, PVK_E_CONFIG, "--force goes with --prepare or --restore");
	if (options->entries_only && (options->mode != MODE_PREPARE || options->operand_count > 0))
		return pvk_fail(err, PVK_E_CONFIG,
				"--entries-only goes with --prepare, and without a kernel");
	if (options->format && options->mode != MODE_PREPARE)
		return pvk_fail(err, PVK_E_CONFIG, "--format goes with --prepare");
	return 0;
}

/* getopt answers '?' for what it does not know, and for a long option with a value too many. */
static int fail_option(const char *word, struct pvk_error *err)
{
	const char letter[] = {'-', (char)optopt, '\0'};

	if (optopt >= OPT_PREPARE || (optopt != 0 && strchr(SHORT_OPTIONS, optopt)))
		return pvk_fail(err, PVK_E_CONFIG, "%s: this option takes no value",
				text_quote(word).s);
	return pvk_fail(err, PVK_E_CONFIG, "unknown option %s",
			text_quote(optopt != 0 ? letter : word).s);
}

int options_parse(int argc, char **argv, struct options *ret, struct pvk_error *err)
{
	struct options options = {.level = LOG_LEVEL_NORMAL};
	int option, r;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":" SHORT_OPTIONS, long_options, NULL)) != -1) {
		if (option == ':')
			return pvk_fail(err, PVK_E_CONFIG, "option %s needs a value",
					text_quote(argv[optind - 1]).s);
		if (option == '?')
			return fail_option(argv[optind - 1], err);
		r = take_option(&options, option, err);
		if (r < 0)
			return r;
	}
	options.operands = argv + optind;
	options.operand_count = argc - optind;
	r = check_combination(&options, err);
	if (r < 0)
		return r;
	*ret = options;
	return 0;
}
