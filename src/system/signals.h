/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * signals.h - termination signals wait while a file is being replaced, so that the temp file is
 * removed before the process dies; whoever waits for a worker looks whether one has arrived. A
 * terminal's stop signals wait, too: nothing is left half done until somebody goes on with it.
 */
#ifndef PVK_SIGNALS_H
#define PVK_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

/*
 * Blocks SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGTTIN and SIGTTOU; *ret_old is the
 * mask before. A termination signal that the caller has set to be ignored (nohup, apt) stays
 * ignored: blocked, it would count as waiting. For good: SIGXFSZ is ignored, since a file that
 * exceeds the caller's ulimit -f is an error (EFBIG) like any other; SIGCHLD is not, since an
 * ignored one takes the ends of our children from us.
 */
void signals_block(sigset_t *ret_old);

/* Puts the old mask back: a signal that waits is delivered now, and ends or stops the process. */
void signals_restore(const sigset_t *old);

/* Is a termination signal waiting? (Not one that stops.) */
bool signals_pending(void);

#endif
