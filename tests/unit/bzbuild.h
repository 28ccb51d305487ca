/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bzbuild.h - small bzImages in memory, for tests. What is built is sound; a hostile header is made
 * from it with bzbuild_set().
 *
 * Layout: setup header and setup code (BZBUILD_SETUP_SECTS + 1 sectors) with the version string in
 * it, BZBUILD_STUB bytes of "decompressor", the payload, as many again.
 */
#ifndef PVK_TESTS_BZBUILD_H
#define PVK_TESTS_BZBUILD_H

#include <stdint.h>

#include "streams.h"

#define BZBUILD_SETUP_SECTS 3
#define BZBUILD_CODE	    ((BZBUILD_SETUP_SECTS + 1) * 512)
#define BZBUILD_STUB	    64
#define BZBUILD_PAYLOAD	    (BZBUILD_CODE + BZBUILD_STUB)
#define BZBUILD_INIT_SIZE   (1u << 20)
#define BZBUILD_VERSION	    "6.1.0-test-amd64 (builder@example.org) #1 SMP Debian"

/* Fields of the setup header (Linux Documentation/arch/x86/boot.rst): file offsets. */
enum {
	BZ_SETUP_SECTS = 0x1f1,
	BZ_SYSSIZE = 0x1f4,
	BZ_BOOT_FLAG = 0x1fe,
	BZ_HDRS = 0x202,
	BZ_PROTOCOL = 0x206,
	BZ_KERNEL_VERSION = 0x20e,
	BZ_PAYLOAD_OFFSET = 0x248,
	BZ_PAYLOAD_LENGTH = 0x24c,
	BZ_INIT_SIZE = 0x260,
	BZ_HEADER_END = 0x268,
};

/* A bzImage around a payload, taken as it is: with its size word, if it is to have one. */
struct stream bzbuild_wrap(struct bytes payload);

/* The payload that the kernel build makes of `plain`: compressed, with its size word. CODEC_NONE:
 * a copy. */
struct stream bzbuild_payload(enum codec codec, struct bytes plain);

/* The hybrid form of a bzImage: padded, a gzip appended, the header pointed at it. */
struct stream bzbuild_hybrid(struct bytes bzimage, struct bytes gzip);

/* A PE file with `content` as its section of that name (at most 8 characters). */
struct stream bzbuild_pe(const char *section, struct bytes content);

/* An EFI zboot header with that compression name. */
struct stream bzbuild_zboot(const char *compression);

/* A good PV kernel: its ELF, and its bzImage. */
struct stream bzbuild_elf(void);
struct stream bzbuild_kernel(enum codec codec);

/* Writes a little-endian field. */
void bzbuild_set(struct stream *image, size_t offset, unsigned width, uint64_t value);

#endif
