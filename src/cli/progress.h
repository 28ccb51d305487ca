/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * progress.h - on a terminal, a run that takes longer than half a second shows how far it is: one
 * line on stderr that is wiped when the work is done. Elsewhere it does nothing.
 */
#ifndef PVK_PROGRESS_H
#define PVK_PROGRESS_H

#include <stdbool.h>
#include <time.h>

#include "../system/worker.h"

struct progress {
	struct worker_watch watch; /* hand this to whoever runs the worker */
	bool enabled;
	bool shown;
	const char *what; /* borrowed: the file at work */
	struct timespec start;
};

void progress_init(struct progress *progress, bool enabled);

/* A new piece of work begins; the half second counts from here. */
void progress_begin(struct progress *progress, const char *what);

/* Wipes the line. */
void progress_end(struct progress *progress);

#endif
