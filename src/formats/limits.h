/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * limits.h - every limit on what a file may ask of us, with the reason beside it. Hitting one is an
 * error that says so, never a short success.
 */
#ifndef PVK_LIMITS_H
#define PVK_LIMITS_H

#include <stdint.h>

/* Largest kernel file read. Distribution kernels are 7-15 MB, a bare ELF 47-66 MB, a UKI with a
 * generous initrd about 150 MB. */
#define PVK_MAX_INPUT (UINT64_C(512) << 20)

/* Largest decoded image: Xen's domain builder has the same (XC_DOM_DECOMPRESS_MAX, xenguest.h). */
#define PVK_MAX_OUTPUT (UINT64_C(1) << 30)

/* Memory a decoder may use beside input and output. XZ allows dictionaries of 4 GiB; the kernel
 * build uses 32 MiB (to 6.11) and 128 MiB (from 6.12). What fits here and not into the machine
 * ends in an ordinary "not enough memory". */
#define PVK_MAX_DECODER_MEMORY (UINT64_C(1600) << 20)

/* Program headers: Linux has 3 to 5, ELF allows 65535. */
#define PVK_MAX_PHNUM 512

/* Section headers looked at in search of SHT_NOTE or __xen_guest: Linux has about 50. */
#define PVK_MAX_SHNUM 4096

/* Notes in one image; libelf of Xen gives up at 65536, Linux has about 20. */
#define PVK_MAX_NOTES 4096

/* A UKI has about ten PE sections; the format allows 96. */
#define PVK_MAX_PE_SECTIONS 96

#endif
