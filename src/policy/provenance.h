/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * provenance.h - was this bare ELF made from that kept image? The question arises when a record is
 * lost, or a kill came between the rename and the record: then the files themselves must answer.
 */
#ifndef PVK_PROVENANCE_H
#define PVK_PROVENANCE_H

#include "../system/worker.h"
#include "bootdir.h"
#include "record.h"

/*
 * Decodes the kept image of the kernel in a worker and compares it with `elf`, byte for byte. If
 * they are the same: true, and *ret has container, payload, size and digest of the source (nothing
 * else of it is touched). It takes as much memory as the image is large, once.
 */
bool provenance_find(const struct bootdir *boot, const struct kernel *kernel, struct bytes elf,
		     const struct worker_watch *watch, struct record *ret);

#endif
