/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elfcheck.h - the second, independent look at an ELF before it is installed.
 *
 * The worker's answer is not believed on its own: when it has ended, root itself walks the header,
 * the program headers and the Xen notes once more with nothing but bounds-checked reads (no
 * library, no allocation), and demands what every PV loader family demands. Deliberately small.
 */
#ifndef PVK_ELFCHECK_H
#define PVK_ELFCHECK_H

#include "../base/bytes.h"
#include "../base/errors.h"

/* 0, or -PVK_E_NOT_PV / -PVK_E_TRUNCATED / -PVK_E_FORMAT with the reason. */
int elfcheck_is_pv_kernel(struct bytes file, struct pvk_error *err);

#endif
