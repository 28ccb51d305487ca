/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loaders_grub.c - GRUB for x86_64-xen, as grub-core/loader/i386/xen.c, xen_file.c, xen_fileXX.c
 * and grub-core/io judge a kernel. The order of the checks is theirs, since it decides which error
 * is told; a refusal in xen_file.c hides the filters' own messages behind "not xen image".
 */
#include <stdio.h>
#include <string.h>

#include "bzimage.h"
#include "loaders_internal.h"

#define NOT_XEN_IMAGE "not xen image"
#define TOO_OLD	      "version too old for xen boot"
#define GZIO_WINDOW   UINT64_C(0x8000)
#define PREMATURE_END "premature end of file"

static void refuse(struct loader_verdict *ret, const char *error, const char *reason)
{
	loader_decide(ret, LOADER_REFUSES, error, reason);
}

/* What GRUB says of bytes that are no ELF and no bzImage: a short one cannot even be read. */
static const char *no_kernel_error(uint64_t size)
{
	return size >= BZIMAGE_HEADER_SIZE ? TOO_OLD : NOT_XEN_IMAGE;
}

static bool is_whole_file(const struct image *image)
{
	return image->container == IMAGE_ELF || image->container == IMAGE_COMPRESSED;
}

/* The error for bytes that ought to be an ELF, and which GRUB does not take for one. */
static const char *no_elf_error(const struct image *image)
{
	if (!is_whole_file(image))
		return NOT_XEN_IMAGE;
	return no_kernel_error(image->container == IMAGE_ELF ? image_inner_size(image)
							     : image->image_size);
}

/* GRUB's numbers for 32-bit guests: 1 without PAE, 2 with it, 3 for both. */
static int arch_of_32_bit(const struct xen_notes *notes)
{
	if (strcmp(notes->pae_mode, "yes") == 0)
		return 2;
	if (strcmp(notes->pae_mode, "bimodal") == 0 || strcmp(notes->pae_mode, "yes,bimodal") == 0)
		return 3;
	return 1;
}

/* grub_xen_get_info(): true if it finds nothing to complain of. */
static bool judge_info(const struct image *image, struct loader_verdict *ret)
{
	const struct elfimage *elf = &image->elf;
	const uint32_t doubtful = elf->defects & (ELF_DEFECT_TOO_MANY | ELF_DEFECT_NOTE_BROKEN);
	const bool is_386 = elf->ident_class == ELF_CLASS_32 && elf->machine == ELF_MACHINE_386;
	const bool is_x86_64 =
		elf->ident_class == ELF_CLASS_64 && elf->machine == ELF_MACHINE_X86_64;

	if (elf->ident_data != ELF_DATA_LSB || elf->ident_version != 1 || elf->version != 1)
		refuse(ret, no_elf_error(image), "not a little-endian ELF file of version 1");
	else if (!is_386 && !is_x86_64)
		refuse(ret, "unknown ELF type", "the kernel is for another machine");
	else if (elf->defects & ELF_DEFECT_PHDRS_OUTSIDE)
		refuse(ret, PREMATURE_END, elf_defect_text(ELF_DEFECT_PHDRS_OUTSIDE));
	else if (doubtful && elf->defects & ELF_DEFECT_SEGMENT_OUTSIDE)
		refuse(ret, PREMATURE_END, elf_defect_text(ELF_DEFECT_SEGMENT_OUTSIDE));
	else if (doubtful && is_386) /* whatever its notes say, in the end it is 32-bit */
		loader_refuse(ret, "a 32-bit kernel", "incompatible architecture: %d",
			      arch_of_32_bit(&elf->notes));
	else if (doubtful)
		loader_decide(ret, LOADER_UNRELIABLE, "", elf_defect_text(doubtful));
	else if (elf->notes.source == XEN_NOTES_NONE)
		refuse(ret, elf->sections > 0 ? "no XEN note found" : "no XEN note",
		       "a kernel without Xen support");
	else if (elf->notes.other_loaders > 0)
		refuse(ret, "invalid loader", "the LOADER note is not 'generic'");
	else if (is_386)
		loader_refuse(ret, "a 32-bit kernel", "incompatible architecture: %d",
			      arch_of_32_bit(&elf->notes));
	else
		return true;
	return false;
}

/* What grub_cmd_xen() and grub_elf64_load() complain of. */
static bool judge_loading(const struct elfimage *elf, struct loader_verdict *ret)
{
	const uint32_t doubtful =
		elf->defects & (ELF_DEFECT_SEGMENT_SIZES | ELF_DEFECT_SEGMENT_WRAPS);

	if (elf->notes.number[XEN_NOTE_VIRT_BASE] & XEN_PAGE_MASK)
		refuse(ret, "unaligned virt_base", "the VIRT_BASE note is not page aligned");
	else if (elf->defects & ELF_DEFECT_SEGMENT_OUTSIDE)
		refuse(ret, PREMATURE_END, elf_defect_text(ELF_DEFECT_SEGMENT_OUTSIDE));
	else if (elf->paddr_end <= elf->paddr_start)
		/* `linux` fails without a word; what follows it finds nothing loaded. */
		refuse(ret, "you need to load the kernel first",
		       elf_defect_text(ELF_DEFECT_NO_LOAD));
	else if (doubtful)
		loader_decide(ret, LOADER_UNRELIABLE, "", elf_defect_text(doubtful));
	else
		return true;
	return false;
}

/* Leniencies: GRUB starts it, others would not. */
static const char *find_caution(enum loader_family family, const struct elfimage *elf)
{
	const struct xen_notes *notes = &elf->notes;

	if (notes->source == XEN_NOTES_SHT_NOTE && family == LOADER_PVGRUB)
		return "GRUB 2.02 would not find the Xen notes: they are in no program header";
	if (!elfimage_is_pv_capable(elf))
		return "no ENTRY note: the ELF entry point is taken";
	if (!text_begins(notes->xen_version, XEN_VERSION_PREFIX))
		return "the XEN_VERSION note is not 'xen-3.0': Xen's own builder would refuse it";
	return "";
}

static void judge_elf(enum loader_family family, const struct image *image,
		      struct loader_verdict *ret)
{
	const struct elfimage *elf = &image->elf;
	const char *defect;

	if (!judge_info(image, ret) || !judge_loading(elf, ret))
		return;
	defect = elf_entry_defect(elf);
	if (defect)
		loader_decide(ret, LOADER_CRASHES, "", defect);
	else
		loader_decide(ret, LOADER_STARTS, "", find_caution(family, elf));
}

static void judge_trailing(const struct image *image, struct loader_verdict *ret)
{
	const bool is_gzip = image->codec == CODEC_GZIP;

	/* gzio takes the last 8 bytes of what it is given for the check sum and the size. */
	if (is_gzip && is_whole_file(image))
		loader_decide_problem(ret, LOADER_UNRELIABLE, "", image);
	else if (is_gzip)
		loader_decide_problem(ret, LOADER_REFUSES, "checksum mismatch", image);
	else
		loader_decide_problem(ret, LOADER_REFUSES,
				      is_whole_file(image) ? no_kernel_error(image->file_size)
							   : NOT_XEN_IMAGE,
				      image);
}

/* There is no ELF to judge, for a reason that was found while decoding. */
static void judge_problem(const struct image *image, struct loader_verdict *ret)
{
	switch (image->problem.code) {
	case PVK_E_TRAILING:
		judge_trailing(image, ret);
		break;
	case PVK_E_TRUNCATED:
		/* Both filters look at the end of the stream before they take it. */
		loader_decide_problem(ret, LOADER_REFUSES,
				      is_whole_file(image) ? no_kernel_error(image->file_size)
							   : NOT_XEN_IMAGE,
				      image);
		break;
	case PVK_E_CORRUPT:
		/* Noticed only while it is being loaded, in words that depend on the place. */
		loader_decide_problem(ret, LOADER_REFUSES, "", image);
		break;
	case PVK_E_FORMAT:
		if (image->container == IMAGE_COMPRESSED && image->is_decoded)
			loader_decide(ret, LOADER_UNRELIABLE, "",
				      "no ELF inside; a bzImage there would be loaded");
		else
			loader_decide_problem(ret, LOADER_REFUSES, no_elf_error(image), image);
		break;
	default:
		/* The size word, which GRUB does not read, or a limit of ours. */
		loader_decide_problem(ret, LOADER_UNRELIABLE, "", image);
	}
}

static void judge_content(enum loader_family family, const struct image *image,
			  struct loader_verdict *ret)
{
	if (image->is_elf)
		judge_elf(family, image, ret);
	else if (image->problem.code != 0)
		judge_problem(image, ret);
	else
		loader_decide(ret, LOADER_STARTS, "", "judged by its headers only");
}

static bool family_reads(enum loader_family family, enum codec codec)
{
	return codec == CODEC_NONE || codec == CODEC_GZIP || codec == CODEC_XZ ||
	       codec == CODEC_LZO || (codec == CODEC_ZSTD && family == LOADER_PVGRUB_2_14);
}

/* The payload cannot be read, whatever is in it: tells why, or answers false. */
static bool refuse_stream(enum loader_family family, const struct image *image,
			  struct loader_verdict *ret)
{
	/* A file that no filter takes is read as it is. */
	const char *error = image->container == IMAGE_COMPRESSED ? no_kernel_error(image->file_size)
								 : NOT_XEN_IMAGE;
	char reason[64];

	if (!family_reads(family, image->codec)) {
		(void)snprintf(reason, sizeof(reason), "GRUB cannot read %s",
			       codec_name(image->codec));
		refuse(ret, error, reason);
		return true;
	}
	if (image->codec == CODEC_LZO && image->has_size_word) {
		refuse(ret, error, "GRUB's lzopio fails on the size behind an LZO payload");
		return true;
	}
	if (image->codec == CODEC_XZ && image->decoder_memory > XZ_MEMORY_OF_128_MIB_DICTIONARY) {
		/* In a bzImage the error itself is mishandled: grub-file 2.06 follows a NULL
		 * pointer there, so no message is sure. */
		refuse(ret, is_whole_file(image) ? NOT_XEN_IMAGE : "",
		       "GRUB's xzio takes dictionaries of 128 MiB at most");
		return true;
	}
	return false;
}

/* A bzImage whose payload is xz without the word that xen_file.c cuts off: "YZ" ends the stream. */
static bool xz_lacks_size_word(const struct image *image)
{
	const uint32_t footer_magic = 'Y' | 'Z' << 8;

	return image->codec == CODEC_XZ && !is_whole_file(image) &&
	       (!image->has_size_word || image->size_word >> 16 == footer_magic);
}

static void caution_about_stream(const struct image *image, struct loader_verdict *ret)
{
	if (ret->outcome != LOADER_STARTS)
		return;
	if (image->codec == CODEC_ZSTD)
		loader_decide(ret, LOADER_UNRELIABLE, "",
			      "GRUB 2.14's zstdio overflows its heap while it reads zstd");
	else if (image->codec == CODEC_LZO && ret->reason[0] == '\0')
		loader_decide(ret, LOADER_STARTS, "", "needs GRUB's module lzopio");
	else if (image->codec == CODEC_XZ && ret->reason[0] == '\0' &&
		 image->decoder_memory > XZ_MEMORY_OF_64_MIB_DICTIONARY)
		loader_decide(ret, LOADER_STARTS, "",
			      "GRUB needs 128 MiB of the guest's memory to unpack it");
}

static void judge_stream(enum loader_family family, const struct image *image,
			 struct loader_verdict *ret)
{
	if (refuse_stream(family, image, ret))
		return;
	judge_content(family, image, ret);
	caution_about_stream(image, ret);
}

/* A header that says nothing useful about the payload: bzimage_parse() failed. */
static void judge_header(const struct image *image, struct loader_verdict *ret)
{
	const char *error = NOT_XEN_IMAGE;

	if (image->protocol < BZIMAGE_PROTOCOL_MIN && image->problem.code == PVK_E_FORMAT)
		error = TOO_OLD;
	else if (image->problem.code == PVK_E_FORMAT)
		error = "payload too short";
	loader_decide_problem(ret, LOADER_REFUSES, error, image);
}

static void judge_bzimage(enum loader_family family, const struct image *image,
			  struct loader_verdict *ret)
{
	if (image->payload_start == 0)
		judge_header(image, ret);
	else if (image->codec == CODEC_NONE && !image->is_elf && image->problem.code != 0)
		loader_decide_problem(ret, LOADER_REFUSES, NOT_XEN_IMAGE, image);
	else if (xz_lacks_size_word(image))
		refuse(ret, NOT_XEN_IMAGE, "the XZ payload lacks the size behind it");
	else
		judge_stream(family, image, ret);
}

/*
 * gzio takes the last word of what it is given for the size, and reads in windows; where so many
 * bytes have come it compares the checksum, which it has also taken from the end
 * (grub-core/io/gzio.c: test_gzip_header, inflate_window). So bytes behind the stream do no harm
 * if they announce a size that is enough and never met. True if `need` bytes can be read.
 */
static bool gzio_reads(const struct image_wrap *wrap, uint64_t need, struct loader_verdict *ret)
{
	const uint64_t size = wrap->last_word;
	uint64_t end;

	if (wrap->trailing == 0)
		return true;
	if (size < need) {
		refuse(ret, size < BZIMAGE_HEADER_SIZE ? NOT_XEN_IMAGE : "",
		       "what follows the gzip stream is taken for its size, and is too small");
		return false;
	}
	end = (need + GZIO_WINDOW - 1) / GZIO_WINDOW * GZIO_WINDOW;
	if (end > wrap->plain_size)
		end = wrap->plain_size;
	if (size == end || (size < end && size % GZIO_WINDOW == 0)) {
		refuse(ret, "checksum mismatch",
		       "what follows the gzip stream is taken for its checksum");
		return false;
	}
	return true;
}

/* GZIO, XZIO, LZOPIO: the order of grub_file_filters. */
static unsigned filter_order(enum codec codec)
{
	return codec == CODEC_GZIP ? 1 : codec == CODEC_XZ ? 2 : codec == CODEC_LZO ? 3 : 0;
}

/* Do the file filters come to what is inside? */
static bool judge_wraps(const struct image *image, struct loader_verdict *ret)
{
	uint64_t size = image->file_size;
	unsigned order = 0;

	for (uint8_t i = 0; i < image->wrap_count; i++) {
		const struct image_wrap *wrap = &image->wraps[i];
		const bool is_last = i + 1 == image->wrap_count;

		if (filter_order(wrap->codec) <= order) {
			refuse(ret, no_kernel_error(size),
			       "GRUB unpacks gzip, then xz, then LZO, each once");
			return false;
		}
		order = filter_order(wrap->codec);
		size = wrap->plain_size;
		if (wrap->decoder_memory > XZ_MEMORY_OF_128_MIB_DICTIONARY) {
			refuse(ret, NOT_XEN_IMAGE,
			       "GRUB's xzio takes dictionaries of 128 MiB at most");
			return false;
		}
		if (wrap->trailing > 0 && !is_last) {
			refuse(ret, "", "bytes follow the outer of two streams");
			return false;
		}
		if (is_last && !gzio_reads(wrap, image_inner_need(image), ret))
			return false;
	}
	if (image->wrap_count == 0 || image->container != IMAGE_COMPRESSED)
		return true;
	refuse(ret, no_kernel_error(image_inner_size(image)), "a stream inside a stream");
	return false;
}

void grub_judge(enum loader_family family, const struct image *image, struct loader_verdict *ret)
{
	if (!judge_wraps(image, ret) ||
	    !gzio_reads(&image->payload_wrap, image->elf.load_file_end, ret))
		return;
	switch (image->container) {
	case IMAGE_ELF:
		judge_content(family, image, ret);
		break;
	case IMAGE_BZIMAGE:
	case IMAGE_HYBRID:
		judge_bzimage(family, image, ret);
		break;
	case IMAGE_COMPRESSED:
		judge_stream(family, image, ret);
		break;
	case IMAGE_UKI:
	case IMAGE_ZBOOT:
	case IMAGE_UNKNOWN:
		loader_decide_problem(ret, LOADER_REFUSES, no_kernel_error(image_inner_size(image)),
				      image);
		break;
	}
}
