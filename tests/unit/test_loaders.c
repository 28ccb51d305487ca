/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/base/cleanup.h"
#include "../../src/formats/elfcheck.h"
#include "../../src/formats/loaders.h"
#include "elfbuild.h"
#include "mutate.h"

#define MIB (UINT64_C(1) << 20)

#define NOT_XEN	      "not xen image"
#define TOO_OLD	      "version too old for xen boot"
#define PREMATURE     "premature end of file"
#define NO_BZIMAGE    "kernel is not a bzImage"
#define UNKNOWN	      "unknown compression format"
#define OUT_OF_BOUNDS "ELF start or entries are out of bounds"

/* ---- bare ELF files ---- */

static void as_it_is(struct elfbuild *b)
{
	(void)b;
}

static void linux_6_12(struct elfbuild *b)
{
	elfbuild_linux_6_12(b);
}

/* 6.1 with CONFIG_XEN_PV=n: everything but ENTRY. */
static void no_entry(struct elfbuild *b)
{
	elfbuild_drop_note(b, XEN_NOTE_ENTRY);
}

/* 6.12 with CONFIG_XEN_PV=n and CONFIG_PVH=n. */
static void no_pv_6_12(struct elfbuild *b)
{
	elfbuild_linux_6_12(b);
	elfbuild_drop_note(b, XEN_NOTE_ENTRY);
	elfbuild_drop_note(b, XEN_NOTE_VIRT_BASE);
	elfbuild_drop_note(b, XEN_NOTE_INIT_P2M);
	elfbuild_drop_note(b, XEN_NOTE_PADDR_OFFSET);
	elfbuild_drop_note(b, XEN_NOTE_PHYS32_ENTRY);
}

/* As grub-mkimage makes it, less ENTRY, with the right e_entry: seen to start. */
static void small_os(struct elfbuild *b)
{
	b->note_count = 0;
	b->entry = ELFBUILD_VIRT_BASE + 0x1003010;
	elfbuild_text_note(b, XEN_NOTE_GUEST_OS, "GRUB");
	elfbuild_text_note(b, XEN_NOTE_LOADER, "generic");
	elfbuild_text_note(b, XEN_NOTE_XEN_VERSION, "xen-3.0");
	elfbuild_number_note(b, XEN_NOTE_VIRT_BASE, ELFBUILD_VIRT_BASE, 8);
}

static void small_os_astray(struct elfbuild *b)
{
	small_os(b);
	b->entry = 0x1003010;
}

static void entry_outside(struct elfbuild *b)
{
	elfbuild_number_note(b, XEN_NOTE_ENTRY, ELFBUILD_VIRT_BASE + 0x1004001, 8);
}

static void entry_at_end(struct elfbuild *b)
{
	elfbuild_number_note(b, XEN_NOTE_ENTRY, ELFBUILD_VIRT_BASE + 0x1004000, 8);
}

static void no_virt_base(struct elfbuild *b)
{
	elfbuild_drop_note(b, XEN_NOTE_VIRT_BASE);
	elfbuild_drop_note(b, XEN_NOTE_PADDR_OFFSET);
}

static void no_virt_base_but_offset(struct elfbuild *b)
{
	elfbuild_drop_note(b, XEN_NOTE_VIRT_BASE);
}

static void unaligned_virt_base(struct elfbuild *b)
{
	elfbuild_number_note(b, XEN_NOTE_VIRT_BASE, ELFBUILD_VIRT_BASE + 0x800, 8);
}

static void paddr_offset(struct elfbuild *b)
{
	/* Physical addresses that count from 0x100000, and virtual ones likewise. */
	elfbuild_number_note(b, XEN_NOTE_PADDR_OFFSET, 0x100000, 8);
	elfbuild_number_note(b, XEN_NOTE_VIRT_BASE, ELFBUILD_VIRT_BASE + 0x100000, 8);
}

static void paddr_offset_too_high(struct elfbuild *b)
{
	elfbuild_number_note(b, XEN_NOTE_PADDR_OFFSET, 0x1001000, 8);
	elfbuild_number_note(b, XEN_NOTE_VIRT_BASE, ELFBUILD_VIRT_BASE + 0x1001000, 8);
}

static void p2m_inside(struct elfbuild *b)
{
	elfbuild_number_note(b, XEN_NOTE_INIT_P2M, ELFBUILD_VIRT_BASE + 0x1001000, 8);
}

static void xen_version(struct elfbuild *b)
{
	elfbuild_text_note(b, XEN_NOTE_XEN_VERSION, "xen-9.9");
}

static void loader(struct elfbuild *b)
{
	elfbuild_text_note(b, XEN_NOTE_LOADER, "special");
}

static void loader_of_other_os(struct elfbuild *b)
{
	elfbuild_text_note(b, XEN_NOTE_LOADER, "special");
	elfbuild_text_note(b, XEN_NOTE_GUEST_OS, "plan9");
}

/* GRUB refuses it where it stands, Xen forgets it over the one that follows. */
static void two_loaders(struct elfbuild *b)
{
	elfbuild_text_note(b, XEN_NOTE_LOADER, "special");
	elfbuild_raw_note(b, "Xen", XEN_NOTE_LOADER, "generic", 8);
}

static void longer_loader(struct elfbuild *b)
{
	elfbuild_text_note(b, XEN_NOTE_LOADER, "generic2");
}

static void no_loader(struct elfbuild *b)
{
	elfbuild_drop_note(b, XEN_NOTE_LOADER);
}

static void demands_dom0(struct elfbuild *b)
{
	elfbuild_text_note(b, XEN_NOTE_FEATURES, "!writable_page_tables|!dom0");
}

static void mentions_dom0(struct elfbuild *b)
{
	elfbuild_text_note(b, XEN_NOTE_FEATURES, "dom0|strange|!writable_page_tables");
}

static void demands_the_unknown(struct elfbuild *b)
{
	elfbuild_text_note(b, XEN_NOTE_FEATURES, "!dom0|!dom");
}

static void sht_note(struct elfbuild *b)
{
	b->place = ELFBUILD_SHT_NOTE;
}

static void guest_section(struct elfbuild *b)
{
	static const char text[] =
		"GUEST_OS=linux,XEN_VER=xen-3.0,LOADER=generic,ELF_PADDR_OFFSET=0,"
		"VIRT_BASE=0xffffffff80000000,VIRT_ENTRY=0xffffffff81000000";

	b->place = ELFBUILD_GUEST;
	memcpy(b->guest_text, text, sizeof(text));
}

static void no_xen_notes(struct elfbuild *b)
{
	b->note_count = 0;
	elfbuild_raw_note(b, "GNU", 3, "12345678", 8);
}

static void no_notes_no_sections(struct elfbuild *b)
{
	b->place = ELFBUILD_NOWHERE;
	b->has_sections = false;
}

static void class_32(struct elfbuild *b)
{
	b->ident_class = 1;
	b->machine = 3;
	elfbuild_drop_note(b, XEN_NOTE_PAE_MODE);
	elfbuild_number_note(b, XEN_NOTE_VIRT_BASE, 0xc0000000, 4);
	elfbuild_number_note(b, XEN_NOTE_ENTRY, 0xc1003010, 4);
}

static void class_32_pae(struct elfbuild *b)
{
	class_32(b);
	elfbuild_text_note(b, XEN_NOTE_PAE_MODE, "yes");
}

static void class_32_bimodal(struct elfbuild *b)
{
	class_32(b);
	elfbuild_text_note(b, XEN_NOTE_PAE_MODE, "yes,bimodal");
}

/* As grub-mkimage -O i386-xen makes it, one of whose notes is too short. */
static void class_32_short_note(struct elfbuild *b)
{
	class_32_pae(b);
	elfbuild_number_note(b, XEN_NOTE_ENTRY, 1, 2);
}

static void aarch64(struct elfbuild *b)
{
	b->machine = 183;
}

static void elf64_386(struct elfbuild *b)
{
	b->machine = 3;
}

static void msb(struct elfbuild *b)
{
	b->ident_data = 2;
}

static void ident_version(struct elfbuild *b)
{
	b->ident_version = 0;
}

static void version(struct elfbuild *b)
{
	b->version = 0;
}

static void et_dyn(struct elfbuild *b)
{
	b->type = 3;
}

static void no_load(struct elfbuild *b)
{
	b->load_count = 0;
}

static void smaller_in_memory(struct elfbuild *b)
{
	b->loads[1].memsz = 1;
}

static void short_entry(struct elfbuild *b)
{
	elfbuild_number_note(b, XEN_NOTE_ENTRY, 1, 2);
}

#define STARTS	   LOADER_STARTS, ""
#define CRASHES	   LOADER_CRASHES, ""
#define UNRELIABLE LOADER_UNRELIABLE, ""

/*
 * `grub_file` is what grub-file 2.06 to 2.14 --is-x86_64-xen-domu answers. Its parser is pvgrub's,
 * but it does not load: where the answers part, grub-file is the one that is wrong.
 */
static const struct elf_row {
	const char *name;
	void (*change)(struct elfbuild *b);
	bool accepted; /* by loaders_accept_elf() */
	bool grub_file;
	enum loader_outcome grub;
	const char *grub_error;
	enum loader_outcome xen;
	const char *xen_error;
} elf_rows[] = {
	{"6.1", as_it_is, true, true, STARTS, STARTS},
	{"6.12", linux_6_12, true, true, STARTS, STARTS},
	{"entry at end", entry_at_end, true, true, STARTS, STARTS},
	{"paddr offset", paddr_offset, true, true, STARTS, STARTS},
	{"ET_DYN", et_dyn, true, true, STARTS, STARTS},
	{"mentions dom0", mentions_dom0, true, true, STARTS, STARTS},
	/* lenient GRUB, lenient Xen */
	{"XEN_VERSION", xen_version, false, true, STARTS, LOADER_REFUSES,
	 "ERROR: Xen will only load images built for Xen v3.0 (Not 'xen-9.9')"},
	{"no LOADER", no_loader, false, true, STARTS, STARTS},
	{"no ENTRY, good e_entry", small_os, false, true, STARTS, STARTS},
	{"!dom0", demands_dom0, false, true, STARTS, LOADER_REFUSES,
	 "Kernel does not support unprivileged (DomU) operation"},
	{"!unknown", demands_the_unknown, false, true, STARTS, LOADER_REFUSES, ""},
	{"SHT_NOTE", sht_note, false, true, STARTS, STARTS},
	{"__xen_guest", guest_section, false, true, STARTS, STARTS},
	{"PADDR_OFFSET above", paddr_offset_too_high, false, true, STARTS, LOADER_REFUSES,
	 OUT_OF_BOUNDS},
	{"P2M inside", p2m_inside, false, true, STARTS, LOADER_REFUSES,
	 "P->M table base is out of bounds"},
	/* started, although they cannot run */
	{"no ENTRY", no_entry, false, true, CRASHES, LOADER_REFUSES, OUT_OF_BOUNDS},
	{"no PV in 6.12", no_pv_6_12, false, true, CRASHES, CRASHES},
	{"no ENTRY, bad e_entry", small_os_astray, false, true, CRASHES, LOADER_REFUSES,
	 OUT_OF_BOUNDS},
	{"PVH only", elfbuild_pvh_only, false, true, CRASHES, LOADER_REFUSES,
	 "ERROR: Will only load images built for the generic loader or Linux images (Not '' and '') or with PHYS32_ENTRY set"},
	{"ENTRY outside", entry_outside, false, true, CRASHES, LOADER_REFUSES, OUT_OF_BOUNDS},
	{"no VIRT_BASE", no_virt_base, false, true, CRASHES, LOADER_REFUSES, OUT_OF_BOUNDS},
	{"no VIRT_BASE, PADDR_OFFSET", no_virt_base_but_offset, false, true, CRASHES,
	 LOADER_REFUSES, ""},
	/* refused */
	{"VIRT_BASE", unaligned_virt_base, false, true, LOADER_REFUSES, "unaligned virt_base",
	 UNRELIABLE},
	{"LOADER", loader, false, false, LOADER_REFUSES, "invalid loader", STARTS},
	{"LOADER, other OS", loader_of_other_os, false, false, LOADER_REFUSES, "invalid loader",
	 LOADER_REFUSES,
	 "ERROR: Will only load images built for the generic loader or Linux images (Not 'special' and 'plan9') or with PHYS32_ENTRY set"},
	{"LOADER generic2", longer_loader, false, false, LOADER_REFUSES, "invalid loader", STARTS},
	{"LOADER twice", two_loaders, false, false, LOADER_REFUSES, "invalid loader", STARTS},
	{"no Xen notes", no_xen_notes, false, false, LOADER_REFUSES, "no XEN note found",
	 LOADER_REFUSES, "ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found"},
	{"no notes, no sections", no_notes_no_sections, false, false, LOADER_REFUSES, "no XEN note",
	 LOADER_REFUSES, "ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found"},
	{"i386", class_32, false, false, LOADER_REFUSES, "incompatible architecture: 1",
	 LOADER_REFUSES, "guest type xen-3.0-x86_32 not supported by xen kernel, sorry"},
	{"i386 PAE", class_32_pae, false, false, LOADER_REFUSES, "incompatible architecture: 2",
	 LOADER_REFUSES, "guest type xen-3.0-x86_32p not supported by xen kernel, sorry"},
	{"i386 bimodal", class_32_bimodal, false, false, LOADER_REFUSES,
	 "incompatible architecture: 3", LOADER_REFUSES,
	 "guest type xen-3.0-x86_32p not supported by xen kernel, sorry"},
	{"i386, broken note", class_32_short_note, false, false, LOADER_REFUSES,
	 "incompatible architecture: 2", UNRELIABLE},
	{"aarch64", aarch64, false, false, LOADER_REFUSES, "unknown ELF type", LOADER_REFUSES,
	 "guest type xen-3.0-unknown not supported by xen kernel, sorry"},
	{"ELF64 for i386", elf64_386, false, false, LOADER_REFUSES, "unknown ELF type",
	 LOADER_REFUSES, "guest type xen-3.0-x86_32p not supported by xen kernel, sorry"},
	{"big-endian", msb, false, false, LOADER_REFUSES, TOO_OLD, LOADER_REFUSES, ""},
	{"EI_VERSION", ident_version, false, false, LOADER_REFUSES, TOO_OLD, LOADER_REFUSES, ""},
	{"e_version", version, false, false, LOADER_REFUSES, TOO_OLD, STARTS},
	{"no PT_LOAD", no_load, false, true, LOADER_REFUSES, "you need to load the kernel first",
	 LOADER_REFUSES, OUT_OF_BOUNDS},
	/* damage that a loader does not look at */
	{"p_memsz", smaller_in_memory, false, true, UNRELIABLE, UNRELIABLE},
	{"short note", short_entry, false, true, UNRELIABLE, UNRELIABLE},
};

#define ELF_ROWS (sizeof(elf_rows) / sizeof(elf_rows[0]))

static uint8_t *build_row(const struct elf_row *row, size_t *ret_size)
{
	struct elfbuild b;

	elfbuild_linux_6_1(&b);
	row->change(&b);
	return elfbuild_make(&b, ret_size);
}

/* What image_identify() and image_examine() tell of a bare ELF. */
static void examine_elf(struct bytes file, struct image *image)
{
	memset(image, 0, sizeof(*image));
	image->container = IMAGE_ELF;
	image->file_size = file.size;
	image->payload_size = file.size;
	image->image_size = file.size;
	image->is_decoded = true;
	image->is_elf = elfimage_examine(file, &image->elf, &image->problem) == 0;
}

static void check_verdict(const char *name, enum loader_family family, const struct image *image,
			  enum loader_outcome outcome, const char *error)
{
	struct loader_verdict verdict;

	loader_judge(family, image, &verdict);
	if (verdict.outcome != outcome || strcmp(verdict.error, error) != 0)
		fail_msg("%s: %s %s, error '%s', reason '%s'", name, loader_name(family),
			 loader_outcome_name(verdict.outcome), verdict.error, verdict.reason);
	/* Whatever does not simply start says why. */
	if (outcome != LOADER_STARTS)
		assert_string_not_equal(verdict.reason, "");
	else
		assert_string_equal(verdict.error, "");
}

static void each_family_judges_an_elf_in_its_own_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ELF_ROWS; i++) {
		const struct elf_row *row = &elf_rows[i];
		struct image image;
		size_t size;
		_cleanup_free_ uint8_t *data = build_row(row, &size);

		examine_elf(bytes_make(data, size), &image);
		assert_true(image.is_elf);
		check_verdict(row->name, LOADER_PVGRUB, &image, row->grub, row->grub_error);
		check_verdict(row->name, LOADER_PVGRUB_2_14, &image, row->grub, row->grub_error);
		check_verdict(row->name, LOADER_XEN, &image, row->xen, row->xen_error);
	}
}

static void what_is_installed_must_please_every_family(void **state)
{
	(void)state;
	for (size_t i = 0; i < ELF_ROWS; i++) {
		const struct elf_row *row = &elf_rows[i];
		struct pvk_error err = {0};
		struct image image;
		size_t size;
		_cleanup_free_ uint8_t *data = build_row(row, &size);
		int r;

		examine_elf(bytes_make(data, size), &image);
		r = loaders_accept_elf(&image.elf, &err);
		if (r != (row->accepted ? 0 : -PVK_E_NOT_PV))
			fail_msg("%s: %d %s", row->name, r, err.msg);
		assert_int_equal(err.msg[0] == '\0', row->accepted);
	}
}

static void the_reason_of_a_refusal_is_told_in_plain_words(void **state)
{
	static const struct {
		void (*change)(struct elfbuild *b);
		const char *reason;
	} rows[] = {
		{elfbuild_pvh_only, "no ENTRY note: not a PV kernel (it can start as PVH only)"},
		{no_entry, "no ENTRY note: not a PV kernel (it can start as PVH only)"},
		{no_pv_6_12, "no ENTRY note: a Linux kernel without PV support"},
		{small_os, "no ENTRY note: not a PV kernel"},
		{no_virt_base, "no VIRT_BASE note: the ENTRY note points outside the image"},
		{no_xen_notes, "no Xen notes: a kernel without Xen support"},
		{aarch64, "for another machine (ELF machine 183), not x86-64"},
		{short_entry,
		 "the ELF file is damaged: an ELF note runs over the end of its segment"},
		{xen_version, "the XEN_VERSION note says 'xen-9.9', not 'xen-3.0'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct elf_row row = {.change = rows[i].change};
		struct pvk_error err = {0};
		struct image image;
		size_t size;
		_cleanup_free_ uint8_t *data = build_row(&row, &size);

		examine_elf(bytes_make(data, size), &image);
		assert_int_equal(loaders_accept_elf(&image.elf, &err), -PVK_E_NOT_PV);
		assert_string_equal(err.msg, rows[i].reason);
	}
}

static void text_of_the_image_is_escaped(void **state)
{
	struct elfbuild b;
	struct pvk_error err = {0};
	struct image image;
	size_t size;
	_cleanup_free_ uint8_t *data = NULL;

	(void)state;
	elfbuild_linux_6_1(&b);
	elfbuild_text_note(&b, XEN_NOTE_XEN_VERSION, "x\x1b[2J\n");
	data = elfbuild_make(&b, &size);
	examine_elf(bytes_make(data, size), &image);
	check_verdict("escape", LOADER_XEN, &image, LOADER_REFUSES,
		      "ERROR: Xen will only load images built for Xen v3.0 (Not 'x\\x1b[2J\\n')");
	assert_int_equal(loaders_accept_elf(&image.elf, &err), -PVK_E_NOT_PV);
	assert_non_null(strstr(err.msg, "x\\x1b[2J\\n"));
}

static void a_cut_off_elf_ends_prematurely(void **state)
{
	struct elfbuild b;
	struct image image;
	size_t size;
	_cleanup_free_ uint8_t *data = NULL;

	(void)state;
	elfbuild_linux_6_1(&b);
	b.has_sections = false;
	data = elfbuild_make(&b, &size);
	for (size_t i = 64; i < size; i++) {
		examine_elf(bytes_make(data, i), &image);
		check_verdict("cut", LOADER_PVGRUB, &image, LOADER_REFUSES, PREMATURE);
		assert_int_equal(loaders_accept_elf(&image.elf, NULL), -PVK_E_NOT_PV);
	}
	/* Not even a header: as any other small file. */
	examine_elf(bytes_make(data, 63), &image);
	assert_false(image.is_elf);
	check_verdict("63 bytes", LOADER_PVGRUB, &image, LOADER_REFUSES, NOT_XEN);
}

/* ---- other containers ---- */

enum content {
	GOOD,	       /* decoded, a good PV kernel */
	PVH,	       /* decoded, a PVH kernel */
	UNSEEN,	       /* identified only */
	NO_ELF,	       /* decoded, no ELF */
	TRAILING_JUNK, /* the other ways to fail */
	CUT_OFF,
	DAMAGED,
	WRONG_SIZE,
	OVER_LIMIT,
	NO_FORMAT, /* the payload is not recognised */
};

static int problem_of(enum content content)
{
	switch (content) {
	case NO_ELF:
	case NO_FORMAT:
		return PVK_E_FORMAT;
	case TRAILING_JUNK:
		return PVK_E_TRAILING;
	case CUT_OFF:
		return PVK_E_TRUNCATED;
	case DAMAGED:
		return PVK_E_CORRUPT;
	case WRONG_SIZE:
		return PVK_E_SIZE;
	case OVER_LIMIT:
		return PVK_E_LIMIT;
	case GOOD:
	case PVH:
	case UNSEEN:
		break;
	}
	return 0;
}

static void make_image(enum image_container container, enum codec codec, enum content content,
		       uint64_t memory, struct image *image)
{
	struct elfbuild b;
	size_t size;
	_cleanup_free_ uint8_t *data = NULL;

	memset(image, 0, sizeof(*image));
	image->container = container;
	image->codec = codec;
	image->file_size = 8 * MIB;
	image->image_size = 60 * MIB;
	image->decoder_memory = memory;
	if (container == IMAGE_BZIMAGE || container == IMAGE_HYBRID) {
		image->protocol = 0x020f;
		image->payload_start = 0x52cc;
	}
	image->has_size_word =
		container == IMAGE_BZIMAGE && codec != CODEC_GZIP && codec != CODEC_NONE;
	image->size_word = image->has_size_word ? 60 * MIB : 0;
	if (content == GOOD || content == PVH) {
		content == GOOD ? elfbuild_linux_6_1(&b) : elfbuild_pvh_only(&b);
		data = elfbuild_make(&b, &size);
		assert_int_equal(elfimage_examine(bytes_make(data, size), &image->elf, NULL), 0);
		image->is_elf = true;
	} else if (content != UNSEEN) {
		(void)pvk_fail(&image->problem, problem_of(content), "what is wrong");
	}
	image->is_decoded = content == GOOD || content == PVH || content == NO_ELF;
}

static void each_family_reads_its_containers_and_codecs(void **state)
{
	static const struct {
		const char *name;
		enum image_container container;
		enum codec codec;
		enum content content;
		uint64_t memory;
		enum loader_outcome grub;
		const char *grub_error;
		enum loader_outcome grub_2_14;
		const char *grub_2_14_error;
		enum loader_outcome xen;
		const char *xen_error;
	} rows[] = {
#define REFUSES LOADER_REFUSES
#define BZ	IMAGE_BZIMAGE
#define FILE_	IMAGE_COMPRESSED
		/* bzImages as the kernel build makes them */
		{"gzip", BZ, CODEC_GZIP, GOOD, 0, STARTS, STARTS, STARTS},
		{"xz", BZ, CODEC_XZ, GOOD, 33 * MIB, STARTS, STARTS, STARTS},
		{"xz 128 MiB", BZ, CODEC_XZ, GOOD, 129 * MIB, STARTS, STARTS, STARTS},
		{"xz 192 MiB", BZ, CODEC_XZ, GOOD, 193 * MIB, REFUSES, "", REFUSES, "", STARTS},
		{"xz 256 MiB", BZ, CODEC_XZ, GOOD, 257 * MIB, REFUSES, "", REFUSES, "", REFUSES,
		 "XZ decompression error: Memory usage limit reached"},
		{"lz4", BZ, CODEC_LZ4_LEGACY, GOOD, 0, REFUSES, NOT_XEN, REFUSES, NOT_XEN, STARTS},
		{"zstd", BZ, CODEC_ZSTD, GOOD, 0, REFUSES, NOT_XEN, UNRELIABLE, STARTS},
		{"lzma", BZ, CODEC_LZMA, GOOD, 0, REFUSES, NOT_XEN, REFUSES, NOT_XEN, STARTS},
		{"bzip2", BZ, CODEC_BZIP2, GOOD, 0, REFUSES, NOT_XEN, REFUSES, NOT_XEN, UNRELIABLE},
		{"lzo", BZ, CODEC_LZO, GOOD, 0, REFUSES, NOT_XEN, REFUSES, NOT_XEN, UNRELIABLE},
		/* other payloads */
		{"lz4 frame", BZ, CODEC_LZ4_FRAME, GOOD, 0, REFUSES, NOT_XEN, REFUSES, NOT_XEN,
		 REFUSES, UNKNOWN},
		{"plain", BZ, CODEC_NONE, GOOD, 0, STARTS, STARTS, STARTS},
		{"unknown", BZ, CODEC_NONE, NO_FORMAT, 0, REFUSES, NOT_XEN, REFUSES, NOT_XEN,
		 REFUSES, UNKNOWN},
		{"hybrid", IMAGE_HYBRID, CODEC_GZIP, GOOD, 0, STARTS, STARTS, STARTS},
		/* the content decides too */
		{"gzip PVH", BZ, CODEC_GZIP, PVH, 0, CRASHES, CRASHES, REFUSES,
		 "ERROR: Will only load images built for the generic loader or Linux images (Not '' and '') or with PHYS32_ENTRY set"},
		{"zstd PVH", BZ, CODEC_ZSTD, PVH, 0, REFUSES, NOT_XEN, CRASHES, REFUSES,
		 "ERROR: Will only load images built for the generic loader or Linux images (Not '' and '') or with PHYS32_ENTRY set"},
		{"unseen gzip", BZ, CODEC_GZIP, UNSEEN, 0, STARTS, STARTS, STARTS},
		{"unseen lz4", BZ, CODEC_LZ4_LEGACY, UNSEEN, 0, REFUSES, NOT_XEN, REFUSES, NOT_XEN,
		 STARTS},
		{"gzip of text", BZ, CODEC_GZIP, NO_ELF, 0, REFUSES, NOT_XEN, REFUSES, NOT_XEN,
		 REFUSES, ""},
		{"gzip with size word", BZ, CODEC_GZIP, TRAILING_JUNK, 0, REFUSES,
		 "checksum mismatch", REFUSES, "checksum mismatch", UNRELIABLE},
		{"xz and junk", BZ, CODEC_XZ, TRAILING_JUNK, 0, REFUSES, NOT_XEN, REFUSES, NOT_XEN,
		 REFUSES, ""},
		{"gzip cut off", BZ, CODEC_GZIP, CUT_OFF, 0, REFUSES, NOT_XEN, REFUSES, NOT_XEN,
		 REFUSES, ""},
		{"xz cut off", BZ, CODEC_XZ, CUT_OFF, 0, REFUSES, NOT_XEN, REFUSES, NOT_XEN,
		 REFUSES, ""},
		{"xz damaged", BZ, CODEC_XZ, DAMAGED, 0, REFUSES, "", REFUSES, "", REFUSES, ""},
		{"xz wrong size word", BZ, CODEC_XZ, WRONG_SIZE, 0, UNRELIABLE, UNRELIABLE, REFUSES,
		 ""},
		{"over our limit", BZ, CODEC_GZIP, OVER_LIMIT, 0, UNRELIABLE, UNRELIABLE,
		 UNRELIABLE},
		/* the whole file compressed */
		{"file.gz", FILE_, CODEC_GZIP, GOOD, 0, STARTS, STARTS, STARTS},
		{"file.xz", FILE_, CODEC_XZ, GOOD, 9 * MIB, STARTS, STARTS, REFUSES, NO_BZIMAGE},
		{"file.lzo", FILE_, CODEC_LZO, GOOD, 0, STARTS, STARTS, REFUSES, NO_BZIMAGE},
		{"file.xz 192", FILE_, CODEC_XZ, GOOD, 193 * MIB, REFUSES, NOT_XEN, REFUSES,
		 NOT_XEN, REFUSES, NO_BZIMAGE},
		{"file.lz4", FILE_, CODEC_LZ4_FRAME, GOOD, 0, REFUSES, TOO_OLD, REFUSES, TOO_OLD,
		 REFUSES, NO_BZIMAGE},
		{"file.zst", FILE_, CODEC_ZSTD, GOOD, 0, REFUSES, TOO_OLD, UNRELIABLE, REFUSES,
		 NO_BZIMAGE},
		{"file.bz2", FILE_, CODEC_BZIP2, GOOD, 0, REFUSES, TOO_OLD, REFUSES, TOO_OLD,
		 REFUSES, NO_BZIMAGE},
		{"file.lzma", FILE_, CODEC_LZMA, GOOD, 0, REFUSES, TOO_OLD, REFUSES, TOO_OLD,
		 REFUSES, NO_BZIMAGE},
		{"file.gz and junk", FILE_, CODEC_GZIP, TRAILING_JUNK, 0, UNRELIABLE, UNRELIABLE,
		 UNRELIABLE},
		{"file.xz and junk", FILE_, CODEC_XZ, TRAILING_JUNK, 0, REFUSES, TOO_OLD, REFUSES,
		 TOO_OLD, REFUSES, NO_BZIMAGE},
		{"gzip of bzImage", FILE_, CODEC_GZIP, NO_ELF, 0, UNRELIABLE, UNRELIABLE,
		 UNRELIABLE},
		/* no kernel for any of them */
		{"uki", IMAGE_UKI, CODEC_NONE, NO_FORMAT, 0, REFUSES, TOO_OLD, REFUSES, TOO_OLD,
		 REFUSES, NO_BZIMAGE},
		{"zboot", IMAGE_ZBOOT, CODEC_NONE, NO_FORMAT, 0, REFUSES, TOO_OLD, REFUSES, TOO_OLD,
		 REFUSES, NO_BZIMAGE},
		{"text", IMAGE_UNKNOWN, CODEC_NONE, NO_FORMAT, 0, REFUSES, TOO_OLD, REFUSES,
		 TOO_OLD, REFUSES, NO_BZIMAGE},
#undef REFUSES
#undef BZ
#undef FILE_
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct image image;

		make_image(rows[i].container, rows[i].codec, rows[i].content, rows[i].memory,
			   &image);
		check_verdict(rows[i].name, LOADER_PVGRUB, &image, rows[i].grub,
			      rows[i].grub_error);
		check_verdict(rows[i].name, LOADER_PVGRUB_2_14, &image, rows[i].grub_2_14,
			      rows[i].grub_2_14_error);
		check_verdict(rows[i].name, LOADER_XEN, &image, rows[i].xen, rows[i].xen_error);
	}
}

static void the_size_word_matters_to_grub(void **state)
{
	struct image image;

	(void)state;
	make_image(IMAGE_BZIMAGE, CODEC_XZ, GOOD, 0, &image);
	image.has_size_word = false;
	check_verdict("xz without", LOADER_PVGRUB, &image, LOADER_REFUSES, NOT_XEN);
	/* Read as a size word: the end of the stream's own footer. */
	make_image(IMAGE_BZIMAGE, CODEC_XZ, WRONG_SIZE, 0, &image);
	image.size_word = 0x5a590400;
	check_verdict("xz footer", LOADER_PVGRUB, &image, LOADER_REFUSES, NOT_XEN);
	/* lzop, the other way round. */
	make_image(IMAGE_BZIMAGE, CODEC_LZO, GOOD, 0, &image);
	image.has_size_word = false;
	check_verdict("lzo without", LOADER_PVGRUB, &image, LOADER_STARTS, "");
	check_verdict("lzo without", LOADER_XEN, &image, LOADER_REFUSES, "");
}

static void a_file_shorter_than_the_header_is_told_otherwise(void **state)
{
	struct image image;

	(void)state;
	make_image(IMAGE_UNKNOWN, CODEC_NONE, NO_FORMAT, 0, &image);
	image.file_size = 616;
	check_verdict("616", LOADER_PVGRUB, &image, LOADER_REFUSES, TOO_OLD);
	image.file_size = 615;
	check_verdict("615", LOADER_PVGRUB, &image, LOADER_REFUSES, NOT_XEN);
	image.file_size = 0;
	check_verdict("empty", LOADER_PVGRUB, &image, LOADER_REFUSES, NOT_XEN);
}

static void a_header_that_cannot_be_used_is_refused(void **state)
{
	static const struct {
		uint16_t protocol;
		int problem;
		const char *grub_error;
		const char *xen_error;
	} rows[] = {
		{0x0207, PVK_E_FORMAT, TOO_OLD, "boot protocol too old (0207)"},
		{0x020f, PVK_E_FORMAT, "payload too short", UNKNOWN},
		{0x020f, PVK_E_TRUNCATED, NOT_XEN, "payload length overflow"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct image image;

		make_image(IMAGE_BZIMAGE, CODEC_NONE, NO_FORMAT, 0, &image);
		image.payload_start = 0;
		image.protocol = rows[i].protocol;
		image.problem.code = rows[i].problem;
		check_verdict("header", LOADER_PVGRUB, &image, LOADER_REFUSES, rows[i].grub_error);
		check_verdict("header", LOADER_XEN, &image, LOADER_REFUSES, rows[i].xen_error);
	}
}

static void what_starts_only_somewhere_says_so(void **state)
{
	static const struct {
		enum loader_family family;
		enum codec codec;
		enum content content;
		uint64_t memory;
		const char *reason;
	} rows[] = {
		{LOADER_XEN, CODEC_GZIP, GOOD, 0, ""},
		{LOADER_XEN, CODEC_XZ, GOOD, 33 * MIB, ""},
		{LOADER_XEN, CODEC_XZ, GOOD, 129 * MIB,
		 "a dictionary of 128 MiB needs Xen 4.18.5, 4.19.2 or 4.20"},
		{LOADER_XEN, CODEC_ZSTD, GOOD, 0, "zstd needs Xen 4.15 or later"},
		{LOADER_XEN, CODEC_LZ4_LEGACY, GOOD, 0, "LZ4 needs Xen 4.4 or later"},
		{LOADER_PVGRUB, CODEC_XZ, GOOD, 33 * MIB, ""},
		{LOADER_PVGRUB, CODEC_XZ, GOOD, 129 * MIB,
		 "GRUB needs 128 MiB of the guest's memory to unpack it"},
		{LOADER_PVGRUB, CODEC_GZIP, UNSEEN, 0, "judged by its headers only"},
		{LOADER_PVGRUB_2_14, CODEC_ZSTD, GOOD, 0,
		 "GRUB 2.14's zstdio overflows its heap while it reads zstd"},
		{LOADER_PVGRUB, CODEC_LZ4_LEGACY, GOOD, 0, "GRUB cannot read lz4"},
		{LOADER_PVGRUB, CODEC_XZ, DAMAGED, 0, "what is wrong"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct loader_verdict verdict;
		struct image image;

		make_image(IMAGE_BZIMAGE, rows[i].codec, rows[i].content, rows[i].memory, &image);
		loader_judge(rows[i].family, &image, &verdict);
		assert_string_equal(verdict.reason, rows[i].reason);
	}
}

static void names_are_stable(void **state)
{
	(void)state;
	assert_string_equal(loader_name(LOADER_PVGRUB), "pvgrub");
	assert_string_equal(loader_name(LOADER_PVGRUB_2_14), "pvgrub-2.14");
	assert_string_equal(loader_name(LOADER_XEN), "xen");
	assert_string_equal(loader_outcome_name(LOADER_STARTS), "starts");
	assert_string_equal(loader_outcome_name(LOADER_REFUSES), "refuses");
	assert_string_equal(loader_outcome_name(LOADER_CRASHES), "crashes");
	assert_string_equal(loader_outcome_name(LOADER_UNRELIABLE), "unreliable");
	for (int i = 0; i < LOADER_COUNT; i++)
		assert_non_null(loader_title((enum loader_family)i));
}

/* ---- damage ---- */

/* What --prepare accepts every loader starts, and root's own look agrees. */
static void judgements_agree(struct bytes mutant, size_t where, void *context)
{
	unsigned *accepted = context;
	struct image image;

	examine_elf(mutant, &image);
	for (int i = 0; i < LOADER_COUNT; i++) {
		struct loader_verdict verdict;

		loader_judge((enum loader_family)i, &image, &verdict);
		if (!image.is_elf || loaders_accept_elf(&image.elf, NULL) < 0)
			continue;
		(*accepted)++;
		if (verdict.outcome != LOADER_STARTS || elfcheck_is_pv_kernel(mutant, NULL) < 0)
			fail_msg("accepted, but %s %s (mutant %zu)",
				 loader_name((enum loader_family)i),
				 loader_outcome_name(verdict.outcome), where);
	}
}

static void damaged_kernels_are_judged_alike_by_all(void **state)
{
	static void (*const kernels[])(struct elfbuild *) = {as_it_is, linux_6_12, class_32,
							     sht_note, guest_section};

	(void)state;
	for (size_t i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++) {
		const struct elf_row row = {.change = kernels[i]};
		unsigned accepted = 0;
		size_t size;
		_cleanup_free_ uint8_t *data = build_row(&row, &size);

		mutate_each_prefix(bytes_make(data, size), 1, 0, judgements_agree, &accepted);
		assert_int_equal(accepted, 0);
		mutate_each_bit(bytes_make(data, size), 0, size, judgements_agree, &accepted);
		/* Most bits, those of the contents, make no difference. */
		assert_int_equal(accepted > 0, i < 2);
	}
}

/* ---- the second oracle ---- */

#define GRUB_FILE "/usr/bin/grub-file"

static bool grub_file_accepts(const void *data, size_t size)
{
	char path[] = "/tmp/pvkprep-test-XXXXXX";
	_cleanup_close_ int fd = mkstemp(path);
	int status = -1;
	pid_t pid;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		execl(GRUB_FILE, GRUB_FILE, "--is-x86_64-xen-domu", path, (char *)NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)unlink(path);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	return WEXITSTATUS(status) == 0;
}

static void grub_file_answers_as_the_table_says(void **state)
{
	(void)state;
	if (access(GRUB_FILE, X_OK) != 0)
		skip();
	for (size_t i = 0; i < ELF_ROWS; i++) {
		const struct elf_row *row = &elf_rows[i];
		size_t size;
		_cleanup_free_ uint8_t *data = build_row(row, &size);

		if (grub_file_accepts(data, size) != row->grub_file)
			fail_msg("%s: grub-file %s it", row->name,
				 row->grub_file ? "refuses" : "accepts");
		/* It may take what cannot start; it never refuses what starts. */
		if (row->grub == LOADER_STARTS)
			assert_true(row->grub_file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_family_judges_an_elf_in_its_own_words),
		cmocka_unit_test(what_is_installed_must_please_every_family),
		cmocka_unit_test(the_reason_of_a_refusal_is_told_in_plain_words),
		cmocka_unit_test(text_of_the_image_is_escaped),
		cmocka_unit_test(a_cut_off_elf_ends_prematurely),
		cmocka_unit_test(each_family_reads_its_containers_and_codecs),
		cmocka_unit_test(the_size_word_matters_to_grub),
		cmocka_unit_test(a_file_shorter_than_the_header_is_told_otherwise),
		cmocka_unit_test(a_header_that_cannot_be_used_is_refused),
		cmocka_unit_test(what_starts_only_somewhere_says_so),
		cmocka_unit_test(names_are_stable),
		cmocka_unit_test(damaged_kernels_are_judged_alike_by_all),
		cmocka_unit_test(grub_file_answers_as_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
