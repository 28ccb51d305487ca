/* SPDX-License-Identifier: GPL-2.0-or-later */
/* main.c - puts the process in order, reads command line and configuration, calls one mode. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../system/signals.h"
#include "../system/syscalls.h"
#include "command.h"

/* What a child (dpkg, update-grub) may see of our caller's environment. */
static const char *const kept_variables[] = {"TERM",
					     "NO_COLOR",
					     "DEB_MAINT_PARAMS",
					     "DPKG_ROOT",
					     "DPKG_MAINTSCRIPT_NAME",
					     "DPKG_MAINTSCRIPT_PACKAGE"};

#define KEPT_COUNT (sizeof(kept_variables) / sizeof(kept_variables[0]))

/* 0, 1 and 2 must be open, or the first file that we open would become stdout. */
static bool open_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		(void)close(fd);
	/* A bare chroot may have no /dev/null; then they must have been open already. */
	return fd > 2 ||
	       (fcntl(0, F_GETFD) >= 0 && fcntl(1, F_GETFD) >= 0 && fcntl(2, F_GETFD) >= 0);
}

static void clean_environment(void)
{
	char *values[KEPT_COUNT];

	for (size_t i = 0; i < KEPT_COUNT; i++) {
		const char *value = getenv(kept_variables[i]);

		values[i] = value ? strdup(value) : NULL;
	}
	(void)clearenv();
	(void)setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	(void)setenv("LC_ALL", "C", 1);
	for (size_t i = 0; i < KEPT_COUNT; i++) {
		if (values[i])
			(void)setenv(kept_variables[i], values[i], 1);
		free(values[i]);
	}
}

static bool is_under_hook(const struct options *options)
{
	return options->mode == MODE_HOOK || getenv("DPKG_MAINTSCRIPT_NAME") ||
	       getenv("DEB_MAINT_PARAMS");
}

static bool use_color(enum color_choice choice)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (choice != COLOR_AUTO)
		return choice == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]) &&
	       !(term && strcmp(term, "dumb") == 0);
}

static int configure(struct command *command, struct pvk_error *err)
{
	const struct options *options = &command->options;
	int r;

	config_init(&command->config);
	r = config_load(&command->root, options->config, &command->config, err);
	if (r == 0 && options->format)
		r = config_set(&command->config, "kernel", "format", options->format, err);
	if (r == 0 && options->profile)
		r = config_set(&command->config, "boot", "profile", options->profile, err);
	return r;
}

/* Results that could not be written are no results. */
static int finish_output(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	log_error("cannot write the result: %s", strerror(errno));
	return EXIT_FAILED;
}

static int run_mode(struct command *command)
{
	switch (command->options.mode) {
	case MODE_PREPARE:
		return cmd_prepare(command);
	case MODE_INSPECT:
		return cmd_inspect(command);
	case MODE_LIST:
		return cmd_list(command);
	case MODE_CHECK:
		return cmd_check(command);
	case MODE_RESTORE:
		return cmd_restore(command);
	case MODE_HOOK:
		return cmd_hook(command);
	default:
		return EXIT_USAGE;
	}
}

static int run(struct command *command)
{
	struct pvk_error err;
	sigset_t old_signals;
	int status;

	if (root_open(command->options.root, &command->root, &err) < 0) {
		log_error("%s", err.msg);
		return EXIT_USAGE;
	}
	if (configure(command, &err) < 0) {
		log_error("%s", err.msg);
		if (command->options.mode != MODE_HOOK) {
			root_close(&command->root);
			return EXIT_USAGE;
		}
		/* Nobody is there to mend it before the menus are written and the guest restarts.
		 */
		log_warning(
			"going on with what is right in it, and the built-in defaults for the rest");
	}
	command->guest = guest_detect(&command->root);
	command->style.color = use_color(command->options.color);
	/* apt gives its hooks a terminal of their own, and keeps in its log what they draw there.
	 */
	progress_init(&command->progress, command->options.level > LOG_LEVEL_QUIET &&
						  !command->json &&
						  command->options.mode != MODE_HOOK);
	if (command->options.json)
		command->json = report_head_json(&command->root, command->guest);
	signals_block(&old_signals);
	status = run_mode(command);
	if (worker_was_unfiltered())
		log_warning(
			"this kernel has no seccomp: images were decoded with limits and without privileges, but without a system call filter");
	if (command->json) {
		(void)printf("%s\n",
			     json_object_to_json_string_ext(
				     command->json,
				     JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
		(void)json_object_put(command->json);
	}
	status = finish_output(status);
	root_close(&command->root);
	signals_restore(&old_signals); /* one that waited ends us here */
	return status;
}

int main(int argc, char **argv)
{
	struct command command = {.root = {.fd = -1}};
	struct pvk_error err;

	if (!open_standard_fds())
		return EXIT_FAILED;
	(void)syscall(SYS_close_range, 3u, ~0u, 0u);
	(void)umask(022);
	clean_environment();
	if (options_parse(argc, argv, &command.options, &err) < 0) {
		log_error("%s (try 'pvkprep --help')", err.msg);
		return EXIT_USAGE;
	}
	log_start(command.options.level, is_under_hook(&command.options));
	switch (command.options.mode) {
	case MODE_NONE:
		log_error(
			"say what to do: --prepare, --check, --inspect, --list or --restore (try 'pvkprep --help')");
		return EXIT_USAGE;
	case MODE_HELP:
		(void)fputs(options_help, stdout);
		return finish_output(EXIT_DONE);
	case MODE_VERSION:
		(void)printf("pvkprep %s\n", PVK_VERSION);
		return finish_output(EXIT_DONE);
	default:
		return run(&command);
	}
}
