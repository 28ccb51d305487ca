/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signals.c - see signals.h */
#include "signals.h"

#include <stddef.h>

static const int termination[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/* A terminal's: one that is stopped in a freeze of the root file system takes the machine along. */
static const int stops[] = {SIGTSTP, SIGTTIN, SIGTTOU};

#define TERMINATION_COUNT (sizeof(termination) / sizeof(termination[0]))
#define STOP_COUNT	  (sizeof(stops) / sizeof(stops[0]))

static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

void signals_block(sigset_t *ret_old)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < TERMINATION_COUNT; i++)
		if (!is_ignored(termination[i]))
			(void)sigaddset(&set, termination[i]);
	for (size_t i = 0; i < STOP_COUNT; i++)
		(void)sigaddset(&set, stops[i]);
	(void)sigaddset(&set, SIGPIPE);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigprocmask(SIG_BLOCK, &set, ret_old);
}

void signals_restore(const sigset_t *old)
{
	(void)sigprocmask(SIG_SETMASK, old, NULL);
}

bool signals_pending(void)
{
	sigset_t set;

	if (sigpending(&set) < 0)
		return false;
	for (size_t i = 0; i < TERMINATION_COUNT; i++)
		if (sigismember(&set, termination[i]) == 1)
			return true;
	return false;
}
