/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * initrd.h - what is in an initrd: would the kernel unpack it to its end, and does it hold what a
 * PV guest needs to find its root?
 *
 * An initrd is a sequence of cpio archives, each plain or compressed, with zeros between them
 * (Linux Documentation/driver-api/early-userspace/buffer-format.rst). The judge is the kernel
 * itself: init/initramfs.c, and lib/decompress_*.c for the streams. A pure function on memory.
 */
#ifndef PVK_INITRD_H
#define PVK_INITRD_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/bytes.h"
#include "../base/errors.h"
#include "decode.h"

/* Entries of all archives together. Debian's initrds have 1000 to 4000, one with every module and
 * firmware file about 12000. */
#define PVK_MAX_INITRD_ENTRIES (UINT64_C(1) << 20)

/* Why the kernel cannot run the /init that is there. */
enum initrd_fault {
	INITRD_INIT_FINE,
	INITRD_INIT_NOT_EXECUTABLE,
	INITRD_INIT_EMPTY,
	INITRD_INIT_DANGLING, /* a symbolic link to a name that nothing in the file has */
	INITRD_FAULT_COUNT
};

/* Whose programs are in it: what the words of a command line mean to them. */
enum initrd_maker {
	INITRD_MAKER_UNKNOWN,
	INITRD_INITRAMFS_TOOLS, /* Debian's: it has conf/initramfs.conf */
	INITRD_DRACUT,		/* it has dracut-lib.sh */
	INITRD_MAKER_COUNT
};

/* File systems with one driver that is called as they are. */
enum initrd_fs {
	INITRD_EXT4,
	INITRD_XFS,
	INITRD_BTRFS,
	INITRD_FS_COUNT
};

/* Fixed size and no pointers, so that the worker can send it through a pipe. */
struct initrd {
	uint32_t segments;   /* plain archives and compressed streams, whole or not */
	uint64_t entries;    /* cpio entries read, trailers not counted */
	uint64_t plain_size; /* bytes of the archives that were read, decompressed */
	enum codec codec;    /* of the last compressed segment; CODEC_NONE: all plain */
	/* Everything was read: at least one archive, each to its TRAILER!!!, all checksums good,
	 * nothing else but zeros. (So is a file that was cut exactly between two archives: it has
	 * no init.) If not, see `problem`; then what is true below was found, what is false may
	 * merely not have been reached. */
	bool is_complete;
	bool has_init;		      /* a file or a symbolic link: what the kernel starts */
	enum initrd_fault init_fault; /* with has_init; of the last one, which is what stays */
	bool may_have_init; /* not has_init, and something of that name in another directory: links
			       of directories may lead there */
	enum initrd_maker maker;
	bool has_blkfront; /* a file xen-blkfront.ko, .ko.gz, .ko.xz or .ko.zst anywhere */
	bool has_fs[INITRD_FS_COUNT]; /* the same of file systems' drivers */
	/* An entry below lib/modules/VERSION/ or usr/lib/modules/VERSION/. */
	bool has_modules;
	/* If not has_modules: the first other version with entries there, cut to fit; or empty.
	 * Bytes from the file: quote them before they are printed. */
	char modules_version[128];
	/*
	 * The first thing that was wrong, a sentence to be put behind the file's name; code 0:
	 * none. PVK_E_TRUNCATED, PVK_E_CORRUPT: damaged. PVK_E_FORMAT: not an initrd, or other
	 * bytes where an archive should begin. PVK_E_UNSUPPORTED: of a kind that the kernel cannot
	 * read. PVK_E_LIMIT: may be fine, but is beyond what we can read.
	 */
	struct pvk_error problem;
	/* The problem is nothing but other bytes behind whole archives. The kernel complains
	 * ("Initramfs unpacking failed") and keeps what it has unpacked (init/initramfs.c). */
	bool is_junk_behind;
};

/* The file system of that type, or INITRD_FS_COUNT. */
enum initrd_fs initrd_find_fs(const char *type);

/* Is the problem the file's own (damaged, or nothing that the kernel reads)? False if there is
 * none, and where it is only we who cannot tell. */
bool initrd_is_bad(const struct initrd *initrd);

/*
 * Examines an initrd, or several behind one another as GRUB lays them into memory (it aligns each
 * to 4 bytes). `kernel_version` as in /lib/modules; NULL or empty: not known, then any version
 * makes has_modules true and modules_version names the first. `init` is what the kernel starts, as
 * rdinit= has it; NULL: /init.
 *
 * `scratch` is where compressed segments are decoded, one at a time from its beginning. Its
 * capacity limits the decompressed size of all of them together; map PVK_MAX_OUTPUT bytes
 * (anonymous, private, MAP_NORESERVE): only what an initrd really holds is ever touched. Its
 * memory_limit is for the decoder, as in decode.h. scratch->length is undefined afterwards.
 *
 * A compressed segment must hold whole archives, as for the kernel: one that is spread over two
 * streams is damaged.
 *
 * 0, and *ret is filled, whatever the file: what is wrong with it is in ret->problem. Negative only
 * for our own failure (-ENOMEM), with *ret untouched.
 */
int initrd_examine(struct bytes file, const char *kernel_version, const char *init,
		   struct decode_sink *scratch, struct initrd *ret, struct pvk_error *err);

#endif
