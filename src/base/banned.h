/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * banned.h - functions that have no safe use here become compile errors.
 *
 * Include after the system headers (every base header does so through errors.h or text.h).
 */
#ifndef PVK_BANNED_H
#define PVK_BANNED_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef strcpy
#undef strcat
#undef strncpy
#undef sprintf
#undef vsprintf
#undef strtok
#undef atoi
#undef alloca
#pragma GCC poison strcpy strcat strncpy sprintf vsprintf strtok gets mktemp atoi atol alloca

#endif
