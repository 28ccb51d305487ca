/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress.c - see progress.h */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "../base/text.h"

#define DELAY_SECONDS 0.5

static void tick(void *context, uint64_t done)
{
	struct progress *progress = context;
	struct timespec now;
	double elapsed;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	elapsed = (double)(now.tv_sec - progress->start.tv_sec) +
		  (double)(now.tv_nsec - progress->start.tv_nsec) / 1e9;
	if (elapsed < DELAY_SECONDS)
		return;
	/* ESC [K: erase what an earlier, longer line left. */
	(void)fprintf(stderr, "\r%s: %s unpacked, %.1f s\033[K", text_escape(progress->what).s,
		      text_size(done).s, elapsed);
	(void)fflush(stderr);
	progress->shown = true;
}

void progress_init(struct progress *progress, bool enabled)
{
	*progress = (struct progress){.enabled = enabled && isatty(STDERR_FILENO)};
	progress->watch.context = progress;
	progress->watch.tick = tick;
}

void progress_begin(struct progress *progress, const char *what)
{
	progress->what = what;
	(void)clock_gettime(CLOCK_MONOTONIC, &progress->start);
}

void progress_end(struct progress *progress)
{
	if (progress->shown)
		(void)fprintf(stderr, "\r\033[K");
	progress->shown = false;
}
