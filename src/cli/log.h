/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log.h - everything that is not a result: one line each on stderr, and also to the journal when
 * a package's script called us, since nobody reads the screen of an unattended upgrade.
 */
#ifndef PVK_LOG_H
#define PVK_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_LEVEL_QUIET,
	LOG_LEVEL_NORMAL,
	LOG_LEVEL_VERBOSE
};

/* under_hook: copy to syslog. Call once, before the others. */
void log_start(enum log_level level, bool under_hook);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A result's line: only to the journal (the screen has it on stdout). */
void log_journal(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
