/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * syscalls.h - system calls that are younger than the headers of the oldest releases that we build
 * on (Debian 11: glibc 2.31; Ubuntu 20.04: Linux 5.4 headers too). Numbers: the same on every
 * architecture, include/uapi/asm-generic/unistd.h; open_how: include/uapi/linux/openat2.h.
 */
#ifndef PVK_SYSCALLS_H
#define PVK_SYSCALLS_H

#include <sys/syscall.h>

#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#else
#include <stdint.h>

struct open_how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

#define RESOLVE_NO_MAGICLINKS 0x02
#define RESOLVE_IN_ROOT	      0x10
#endif

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

#endif
