/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loaders_xen.c - Xen's domain builder, as tools/libs/guest/xg_dom_bzimageloader.c,
 * xg_dom_elfloader.c and xen/common/libelf judge a kernel for a PV guest (4.11 to 4.20). Errors are
 * left empty where the builder's words are not known for sure.
 */
#include <string.h>

#include "../base/text.h"
#include "bzimage.h"
#include "limits.h"
#include "loaders_internal.h"

#define NOT_A_BZIMAGE  "kernel is not a bzImage"
#define UNKNOWN_FORMAT "unknown compression format"

#define GUNZIP_SLACK 16

/* LZMA_BLOCK_SIZE, the memory limit for xz and lzma: old, and from 4.18.5, 4.19.2, 4.20 on. */
#define OLD_LZMA_LIMIT (UINT64_C(128) << 20)
#define NEW_LZMA_LIMIT (UINT64_C(256) << 20)

static void refuse(struct loader_verdict *ret, const char *error, const char *reason)
{
	loader_decide(ret, LOADER_REFUSES, error, reason);
}

/* xc_dom_guest_type(): NULL for what a 64-bit hypervisor runs. */
static const char *foreign_guest_type(const struct elfimage *elf)
{
	switch (elf->machine) {
	case ELF_MACHINE_X86_64:
		return NULL;
	case ELF_MACHINE_386:
		return text_begins(elf->notes.pae_mode, "no") || elf->notes.pae_mode[0] == '\0'
			       ? "xen-3.0-x86_32"
			       : "xen-3.0-x86_32p";
	default:
		return "xen-3.0-unknown";
	}
}

static void refuse_builder(const struct elfimage *elf, struct loader_verdict *ret)
{
	const bool is_pvh_only = elfimage_is_pvh_capable(elf) && !elfimage_is_pv_capable(elf);

	loader_refuse(
		ret,
		is_pvh_only ? elf_entry_defect(elf)
			    : "the LOADER note is not 'generic', the GUEST_OS note not 'linux'",
		"ERROR: Will only load images built for the generic loader or Linux images (Not '%s' and '%s') or with PHYS32_ENTRY set",
		text_escape(elf->notes.loader).s, text_escape(elf->notes.guest_os).s);
}

/* elf_init() and elf_xen_note_check(): true if there is nothing to complain of. */
static bool judge_notes(const struct elfimage *elf, struct loader_verdict *ret)
{
	const struct xen_notes *notes = &elf->notes;
	const uint32_t doubtful = elf->defects & (ELF_DEFECT_TOO_MANY | ELF_DEFECT_NOTE_BROKEN |
						  ELF_DEFECT_PHENTSIZE);

	if (elf->ident_data != ELF_DATA_LSB || elf->ident_version != 1)
		refuse(ret, "", "not a little-endian ELF file of version 1");
	else if (elf->defects & ELF_DEFECT_PHDRS_OUTSIDE)
		refuse(ret, "phdr overflow", elf_defect_text(ELF_DEFECT_PHDRS_OUTSIDE));
	else if (elf->defects & ELF_DEFECT_SHDRS_OUTSIDE)
		refuse(ret, "shdr overflow", elf_defect_text(ELF_DEFECT_SHDRS_OUTSIDE));
	else if (doubtful && elf->defects & ELF_DEFECT_SEGMENT_OUTSIDE)
		refuse(ret, "", elf_defect_text(ELF_DEFECT_SEGMENT_OUTSIDE));
	else if (doubtful)
		loader_decide(ret, LOADER_UNRELIABLE, "", elf_defect_text(doubtful));
	else if (elf_features_check(notes) == ELF_FEATURES_UNKNOWN)
		refuse(ret, "", "the FEATURES note demands what Xen does not know");
	else if (notes->source == XEN_NOTES_NONE)
		refuse(ret,
		       "ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found",
		       "a kernel without Xen support");
	else if (!text_begins(notes->loader, "generic") && !text_begins(notes->guest_os, "linux"))
		refuse_builder(elf, ret);
	else if (!text_begins(notes->xen_version, XEN_VERSION_PREFIX))
		loader_refuse(ret, "the XEN_VERSION note is not 'xen-3.0'",
			      "ERROR: Xen will only load images built for Xen v3.0 (Not '%s')",
			      text_escape(notes->xen_version).s);
	else
		return true;
	return false;
}

/* elf_xen_addr_calc_check() */
static bool judge_addresses(const struct elfimage *elf, struct loader_verdict *ret)
{
	const struct xen_notes *notes = &elf->notes;
	const uint64_t entry =
		xen_notes_have(notes, XEN_NOTE_ENTRY) ? notes->number[XEN_NOTE_ENTRY] : elf->entry;

	if (xen_notes_have(notes, XEN_NOTE_PADDR_OFFSET) &&
	    !xen_notes_have(notes, XEN_NOTE_VIRT_BASE))
		refuse(ret, "", "a PADDR_OFFSET note without a VIRT_BASE note");
	else if (!elf_address_is_inside(elf, entry) ||
		 notes->number[XEN_NOTE_PADDR_OFFSET] > elf->paddr_start)
		refuse(ret, "ELF start or entries are out of bounds",
		       elf_entry_defect(elf) ? elf_entry_defect(elf)
					     : "the image does not begin above VIRT_BASE");
	else if (xen_notes_have(notes, XEN_NOTE_INIT_P2M) &&
		 elf_address_is_inside(elf, notes->number[XEN_NOTE_INIT_P2M]))
		refuse(ret, "P->M table base is out of bounds",
		       "the INIT_P2M note points into the image");
	else
		return true;
	return false;
}

static void judge_start(const struct elfimage *elf, struct loader_verdict *ret)
{
	const uint32_t doubtful = elf->defects & (ELF_DEFECT_SEGMENT_SIZES |
						  ELF_DEFECT_SEGMENT_WRAPS | ELF_DEFECT_PERMISSION);
	const char *type = foreign_guest_type(elf);

	if (type)
		loader_refuse(ret, "not a 64-bit x86 kernel; 32-bit guests ended with Xen 4.15",
			      "guest type %s not supported by xen kernel, sorry", type);
	else if (elf_features_check(&elf->notes) == ELF_FEATURES_DOM0_ONLY)
		refuse(ret, "Kernel does not support unprivileged (DomU) operation",
		       "the FEATURES note demands to be dom0");
	else if (elf->defects & ELF_DEFECT_SEGMENT_OUTSIDE)
		refuse(ret, "", elf_defect_text(ELF_DEFECT_SEGMENT_OUTSIDE));
	else if (elf->ident_class != ELF_CLASS_64)
		refuse(ret, "", "a 32-bit file that says it is for x86-64");
	else if (doubtful)
		loader_decide(ret, LOADER_UNRELIABLE, "", elf_defect_text(doubtful));
	else if (elf_entry_defect(elf))
		loader_decide(ret, LOADER_CRASHES, "", elf_entry_defect(elf));
	else if (elf->notes.number[XEN_NOTE_VIRT_BASE] & XEN_PAGE_MASK)
		loader_decide(ret, LOADER_UNRELIABLE, "", "the VIRT_BASE note is not page aligned");
	else if (!elfimage_is_pv_capable(elf))
		loader_decide(ret, LOADER_STARTS, "",
			      "no ENTRY note: the ELF entry point is taken");
	else
		loader_decide(ret, LOADER_STARTS, "", "");
}

static void judge_elf(const struct elfimage *elf, struct loader_verdict *ret)
{
	if (judge_notes(elf, ret) && judge_addresses(elf, ret))
		judge_start(elf, ret);
}

static void judge_content(const struct image *image, struct loader_verdict *ret)
{
	const int problem = image->problem.code;

	if (image->is_elf)
		judge_elf(&image->elf, ret);
	else if (problem == 0)
		loader_decide(ret, LOADER_STARTS, "", "judged by its headers only");
	else if (problem == PVK_E_FORMAT && image->container == IMAGE_ELF)
		loader_decide_problem(ret, LOADER_REFUSES, "", image);
	else if (problem == PVK_E_FORMAT && image->container == IMAGE_COMPRESSED)
		loader_decide(ret, LOADER_UNRELIABLE, "",
			      "no ELF inside; a bzImage there would be loaded");
	else if (problem == PVK_E_TRAILING && image->codec == CODEC_GZIP)
		loader_decide_problem(ret, LOADER_UNRELIABLE, "", image);
	else if (problem == PVK_E_TRUNCATED || problem == PVK_E_CORRUPT ||
		 problem == PVK_E_TRAILING || problem == PVK_E_SIZE || problem == PVK_E_FORMAT)
		loader_decide_problem(ret, LOADER_REFUSES, "", image);
	else
		loader_decide_problem(ret, LOADER_UNRELIABLE, "", image);
}

/* From which release on the builder decodes a payload that starts; "" if all do. */
static const char *version_caution(const struct image *image)
{
	const bool is_lzma = image->codec == CODEC_XZ || image->codec == CODEC_LZMA;

	if (image->codec == CODEC_ZSTD)
		return "zstd needs Xen 4.15 or later";
	if (image->codec == CODEC_LZ4_LEGACY)
		return "LZ4 needs Xen 4.4 or later";
	if (is_lzma && image->decoder_memory > OLD_LZMA_LIMIT)
		return "a dictionary of 128 MiB needs Xen 4.18.5, 4.19.2 or 4.20";
	return "";
}

/* Streams that no release decodes: tells why, or answers false. */
static bool refuse_stream(const struct image *image, struct loader_verdict *ret)
{
	if (image->codec == CODEC_LZ4_FRAME) {
		refuse(ret, UNKNOWN_FORMAT, "Xen reads only LZ4's legacy format");
		return true;
	}
	if (image->codec != CODEC_NONE && image->codec != CODEC_GZIP && !image->has_size_word) {
		refuse(ret, "", "the size behind the payload is missing");
		return true;
	}
	if ((image->codec == CODEC_XZ || image->codec == CODEC_LZMA) &&
	    image->decoder_memory > NEW_LZMA_LIMIT) {
		loader_refuse(ret, "its dictionary is too large",
			      "%s decompression error: Memory usage limit reached",
			      image->codec == CODEC_XZ ? "XZ" : "LZMA");
		return true;
	}
	return false;
}

/*
 * What some builders read and others do not; NULL: all alike. Debian's libxenguest is linked with
 * liblzma, libzstd and zlib only and refuses these two (tests/xen, the guests "direct"). A payload
 * that is not compressed all of them start, 4.4 to master, though the bzImage loader knows no such
 * format: it refuses only after it has moved on to the payload, where the ELF loader, which is
 * asked next, finds an ELF file (xg_dom_bzimageloader.c, xc_dom_find_loader()).
 */
static const char *build_caution(const struct image *image)
{
	switch (image->codec) {
	case CODEC_BZIP2:
		return "bzip2 works only where Xen's tools were built with it, which Debian's are not";
	case CODEC_LZO:
		return "LZO works only where Xen's tools were built with it, which Debian's are not";
	default:
		return NULL;
	}
}

static void judge_header(const struct image *image, struct loader_verdict *ret)
{
	if (image->problem.code == PVK_E_TRUNCATED)
		loader_decide_problem(ret, LOADER_REFUSES, "payload length overflow", image);
	else if (image->protocol >= BZIMAGE_PROTOCOL_MIN)
		loader_decide_problem(ret, LOADER_REFUSES, UNKNOWN_FORMAT, image);
	else
		loader_refuse(ret, image->problem.msg, "boot protocol too old (%04x)",
			      image->protocol);
}

static void judge_bzimage(const struct image *image, struct loader_verdict *ret)
{
	if (image->payload_start == 0) {
		judge_header(image, ret);
		return;
	}
	if (image->codec == CODEC_NONE && !image->is_elf && image->problem.code != 0) {
		loader_decide_problem(ret, LOADER_REFUSES, UNKNOWN_FORMAT, image);
		return;
	}
	if (refuse_stream(image, ret))
		return;
	judge_content(image, ret);
	if (ret->outcome != LOADER_STARTS)
		return;
	if (build_caution(image))
		loader_decide(ret, LOADER_UNRELIABLE, "", build_caution(image));
	else if (ret->reason[0] == '\0')
		loader_decide(ret, LOADER_STARTS, "", version_caution(image));
}

/*
 * xc_dom_try_gunzip() inflates into 16 bytes more than the last word says, and not at all if that
 * is over XC_DOM_DECOMPRESS_MAX; it does not mind what follows the stream.
 */
static bool gunzip_works(const struct image_wrap *wrap, struct loader_verdict *ret)
{
	const uint64_t room = (uint64_t)wrap->last_word + GUNZIP_SLACK;

	if (wrap->trailing == 0 || (wrap->last_word <= PVK_MAX_OUTPUT && wrap->plain_size <= room))
		return true;
	refuse(ret, "", "what follows the gzip stream is taken for its size, and is wrong");
	return false;
}

/* Only gzip around the whole file, and only once (xc_dom_kernel_file). */
static bool judge_wraps(const struct image *image, struct loader_verdict *ret)
{
	if (image->wrap_count == 0)
		return true;
	if (image->wraps[0].codec == CODEC_GZIP && image->wrap_count == 1 &&
	    image->container != IMAGE_COMPRESSED)
		return gunzip_works(&image->wraps[0], ret);
	refuse(ret, NOT_A_BZIMAGE, "Xen unpacks only one gzip around the file");
	return false;
}

void xen_judge(const struct image *image, struct loader_verdict *ret)
{
	if (!judge_wraps(image, ret) || !gunzip_works(&image->payload_wrap, ret))
		return;
	switch (image->container) {
	case IMAGE_ELF:
		judge_content(image, ret);
		break;
	case IMAGE_BZIMAGE:
	case IMAGE_HYBRID:
		judge_bzimage(image, ret);
		break;
	case IMAGE_COMPRESSED:
		if (image->codec == CODEC_GZIP)
			judge_content(image, ret);
		else
			refuse(ret, NOT_A_BZIMAGE,
			       "Xen unpacks only gzip when it is the whole file");
		break;
	case IMAGE_UKI:
	case IMAGE_ZBOOT:
	case IMAGE_UNKNOWN:
		loader_decide_problem(ret, LOADER_REFUSES, NOT_A_BZIMAGE, image);
		break;
	}
}
