/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * provenance.h - is the image in place the result of an earlier run, and of which packaged image?
 * The record knows, as long as it matches; when it is lost, or a kill came between the rename and
 * the record, the files themselves must answer.
 */
#ifndef PVK_PROVENANCE_H
#define PVK_PROVENANCE_H

#include "work.h"

/* By a few stat calls: what is in place is what is wanted, and the outcome is filled. */
bool provenance_is_current(struct work *work);

/*
 * By the files, after source_find(): the record's digests are true; or a hybrid holds its original
 * and its payload starts; or the kept image decodes to the one in place. Then work->record tells
 * what it came from. It takes as much memory as the image is large, at most.
 */
bool provenance_find(struct work *work);

/*
 * Did somebody put a bzImage of his own over ours, while the kept image is still the one that the
 * record speaks of? An update of the package takes the place of whatever is there, as everywhere;
 * nothing else does. The kernel must be one whose kept image is the source.
 */
bool provenance_is_foreign(const struct apply *apply, const struct kernel *kernel);

/*
 * Is the image in place a bare ELF of ours with other bytes in it? Its size is the record's, and
 * neither its times nor its digest are. Reads the image only if its times differ.
 */
bool provenance_is_damaged(const struct apply *apply, const struct kernel *kernel);

/* Says that the image in place, which provenance_find() knew, stays, and renews its record. */
void provenance_confirm(struct work *work);

/*
 * Writes the record of the image in place, if it is the one that `made` is the state of: dpkg may
 * have put another there by now, of which nothing is known. Without a record the next run takes
 * longer, that is all.
 */
void provenance_store(struct work *work, struct record *record, const struct stat *made);

#endif
