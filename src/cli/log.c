/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.c - see log.h */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>

#include "../base/banned.h"

static enum log_level shown = LOG_LEVEL_NORMAL;
static bool to_journal;

void log_start(enum log_level level, bool under_hook)
{
	shown = level;
	to_journal = under_hook;
	if (under_hook)
		openlog("pvkprep", LOG_PID, LOG_DAEMON);
}

static void print(int priority, bool on_screen, const char *fmt, va_list args)
{
	char line[2048];

	(void)vsnprintf(line, sizeof(line), fmt, args);
	if (on_screen) {
		(void)fflush(stdout); /* a log has both in the order in which they were said */
		(void)fprintf(stderr, "pvkprep: %s\n", line);
	}
	if (to_journal)
		syslog(priority, "%s", line);
}

void log_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(LOG_ERR, true, fmt, args);
	va_end(args);
}

void log_warning(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print(LOG_WARNING, true, fmt, args);
	va_end(args);
}

void log_verbose(const char *fmt, ...)
{
	va_list args;

	if (shown < LOG_LEVEL_VERBOSE)
		return;
	va_start(args, fmt);
	print(LOG_INFO, true, fmt, args);
	va_end(args);
}

void log_journal(const char *fmt, ...)
{
	va_list args;

	if (!to_journal)
		return;
	va_start(args, fmt);
	print(LOG_INFO, false, fmt, args);
	va_end(args);
}
