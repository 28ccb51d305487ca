/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elfimage.c - see elfimage.h
 *
 * libelf reads the tables; the contents (notes, names, banner) are read here through bounds-checked
 * views, since elf_getdata() may copy, convert or decompress whatever a section header asks for.
 */
#include "elfimage.h"

#include <gelf.h>
#include <libelf.h>

#include "../base/cleanup.h"
#include "banner.h"
#include "limits.h"

/* One examination: everything that its steps share. */
struct examination {
	struct bytes file;
	Elf *handle;
	GElf_Ehdr header;
	struct elfimage *elf;
	unsigned note_budget;
	uint64_t load_file_start; /* file offset of the first PT_LOAD's bytes */
};

static void end_handle(Elf **handle)
{
	(void)elf_end(*handle);
}

#define _cleanup_elf_ _cleanup_(end_handle)

bool elfimage_is(struct bytes file)
{
	return bytes_match(file, 0, ELFMAG, SELFMAG);
}

static size_t program_entry_size(uint8_t class)
{
	return class == ELFCLASS64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
}

/*
 * The part of the file that libelf may see. elf_memory() allocates a record of some 300 bytes for
 * each section, and where e_shnum is 0 it takes the number from the first section header, up to
 * one for every 64 bytes of file. Such a table is cut off; the rest of the file goes with it.
 */
static struct bytes hide_section_flood(struct bytes file, uint8_t class)
{
	const bool is64 = class == ELFCLASS64;
	uint16_t count = 0;
	uint32_t word = 0;
	uint64_t table = 0, sections = 0;

	if (is64) {
		(void)bytes_le64(file, offsetof(Elf64_Ehdr, e_shoff), &table);
		(void)bytes_le16(file, offsetof(Elf64_Ehdr, e_shnum), &count);
	} else {
		(void)bytes_le32(file, offsetof(Elf32_Ehdr, e_shoff), &word);
		(void)bytes_le16(file, offsetof(Elf32_Ehdr, e_shnum), &count);
		table = word;
	}
	if (count != 0 || table == 0 ||
	    !range_is_inside(table, is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr), file.size))
		return file;

	if (is64) {
		(void)bytes_le64(file, table + offsetof(Elf64_Shdr, sh_size), &sections);
	} else {
		(void)bytes_le32(file, table + offsetof(Elf32_Shdr, sh_size), &word);
		sections = word;
	}
	return sections <= PVK_MAX_SHNUM ? file : bytes_make(file.data, (size_t)table);
}

static int open_elf(struct bytes file, Elf **ret, struct pvk_error *err)
{
	Elf *handle;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return pvk_fail(err, PVK_E_UNSUPPORTED, "libelf: %s", elf_errmsg(-1));
	/* elf_memory() opens for reading and writes nothing, it only lacks the const. */
	handle = elf_memory((char *)(uintptr_t)file.data, file.size);
	if (!handle)
		return pvk_fail(err, PVK_E_FORMAT, "cannot read ELF file: %s", elf_errmsg(-1));
	*ret = handle;
	return 0;
}

static void copy_header(const GElf_Ehdr *header, struct elfimage *elf)
{
	elf->type = header->e_type;
	elf->machine = header->e_machine;
	elf->version = header->e_version;
	elf->entry = header->e_entry;
	elf->segments = header->e_phnum;
	elf->sections = header->e_shentsize != 0 ? header->e_shnum : 0;
}

static bool table_is_inside(uint64_t offset, uint64_t count, size_t stated_size, size_t real_size,
			    uint64_t file_size)
{
	/* At most 65535 * 65535: no overflow. */
	return range_is_inside(offset, count * stated_size, file_size) &&
	       range_is_inside(offset, count * real_size, file_size);
}

/* True if the program headers can be read one by one. */
static bool check_tables(struct examination *ex)
{
	const GElf_Ehdr *header = &ex->header;
	struct elfimage *elf = ex->elf;
	const size_t phdr_size = program_entry_size(elf->ident_class);

	if (!table_is_inside(header->e_shoff, header->e_shnum, header->e_shentsize, 0,
			     ex->file.size))
		elf->defects |= ELF_DEFECT_SHDRS_OUTSIDE;
	if (header->e_phnum == 0)
		return false;
	if (header->e_phentsize != phdr_size)
		elf->defects |= ELF_DEFECT_PHENTSIZE;
	if (!table_is_inside(header->e_phoff, header->e_phnum, header->e_phentsize, phdr_size,
			     ex->file.size)) {
		elf->defects |= ELF_DEFECT_PHDRS_OUTSIDE;
		return false;
	}
	if (header->e_phnum > PVK_MAX_PHNUM) {
		elf->defects |= ELF_DEFECT_TOO_MANY;
		return false;
	}
	return true;
}

static void examine_load(struct examination *ex, const GElf_Phdr *segment)
{
	struct elfimage *elf = ex->elf;
	uint64_t file_end, memory_end;

	/* GRUB loads every PT_LOAD, Xen's libelf only one with a permission. */
	if (segment->p_flags & (PF_R | PF_W | PF_X))
		elf->loads++;
	else
		elf->defects |= ELF_DEFECT_PERMISSION;
	if (!range_is_inside(segment->p_offset, segment->p_filesz, ex->file.size))
		elf->defects |= ELF_DEFECT_SEGMENT_OUTSIDE;
	if (segment->p_filesz > segment->p_memsz)
		elf->defects |= ELF_DEFECT_SEGMENT_SIZES;

	if (checked_add_u64(segment->p_offset, segment->p_filesz, &file_end)) {
		if (segment->p_offset < ex->load_file_start)
			ex->load_file_start = segment->p_offset;
		if (file_end > elf->load_file_end)
			elf->load_file_end = file_end;
	}
	if (segment->p_paddr < elf->paddr_start)
		elf->paddr_start = segment->p_paddr;
	if (!checked_add_u64(segment->p_paddr, segment->p_memsz, &memory_end))
		elf->defects |= ELF_DEFECT_SEGMENT_WRAPS;
	else if (memory_end > elf->paddr_end)
		elf->paddr_end = memory_end;
}

static void examine_notes(struct examination *ex, uint64_t offset, uint64_t size)
{
	struct bytes segment;
	int r;

	if (!bytes_sub(ex->file, offset, size, &segment)) {
		ex->elf->defects |= ELF_DEFECT_NOTE_BROKEN;
		return;
	}
	r = xen_notes_add(&ex->elf->notes, segment, &ex->note_budget, NULL);
	if (r < 0)
		ex->elf->defects |=
			r == -PVK_E_LIMIT ? ELF_DEFECT_TOO_MANY : ELF_DEFECT_NOTE_BROKEN;
}

static void examine_segments(struct examination *ex)
{
	struct elfimage *elf = ex->elf;

	elf->paddr_start = UINT64_MAX;
	for (uint32_t i = 0; i < elf->segments; i++) {
		GElf_Phdr segment;

		if (!gelf_getphdr(ex->handle, (int)i, &segment)) {
			elf->defects |= ELF_DEFECT_PHDRS_OUTSIDE;
			break;
		}
		if (segment.p_type == PT_LOAD)
			examine_load(ex, &segment);
		else if (segment.p_type == PT_NOTE && segment.p_offset != 0)
			examine_notes(ex, segment.p_offset, segment.p_filesz);
	}
	if (elf->paddr_start == UINT64_MAX)
		elf->paddr_start = 0;
	if (elf->notes.present != 0)
		elf->notes.source = XEN_NOTES_PT_NOTE;
}

/* The section's content; false when it has none, or none inside the file. */
static bool read_section(struct examination *ex, size_t index, GElf_Shdr *ret,
			 struct bytes *content)
{
	Elf_Scn *section = elf_getscn(ex->handle, index);

	return section && gelf_getshdr(section, ret) && ret->sh_type != SHT_NOBITS &&
	       bytes_sub(ex->file, ret->sh_offset, ret->sh_size, content);
}

static void examine_note_sections(struct examination *ex)
{
	for (uint32_t i = 1; i < ex->elf->sections; i++) {
		GElf_Shdr section;
		struct bytes content;

		if (read_section(ex, i, &section, &content) && section.sh_type == SHT_NOTE)
			examine_notes(ex, section.sh_offset, section.sh_size);
	}
	if (ex->elf->notes.present != 0)
		ex->elf->notes.source = XEN_NOTES_SHT_NOTE;
}

static void examine_guest_section(struct examination *ex)
{
	static const char name[] = "__xen_guest";
	GElf_Shdr section;
	struct bytes names, content;

	if (!read_section(ex, ex->header.e_shstrndx, &section, &names))
		return;
	for (uint32_t i = 1; i < ex->elf->sections; i++) {
		if (!read_section(ex, i, &section, &content) ||
		    !bytes_match(names, section.sh_name, name, sizeof(name)))
			continue;
		xen_notes_add_guest_section(&ex->elf->notes, content);
		ex->elf->notes.source = XEN_NOTES_XEN_GUEST;
		return;
	}
}

/* Where loaders look for Xen notes when no program header has any. */
static void examine_sections(struct examination *ex)
{
	if (ex->elf->sections == 0 || ex->elf->defects & ELF_DEFECT_SHDRS_OUTSIDE)
		return;
	if (ex->elf->sections > PVK_MAX_SHNUM) {
		ex->elf->defects |= ELF_DEFECT_TOO_MANY;
		return;
	}
	examine_note_sections(ex);
	if (ex->elf->notes.source == XEN_NOTES_NONE)
		examine_guest_section(ex);
}

/*
 * One range from the first to the last loaded byte, not segment by segment: segments may overlap,
 * and 512 of them must not make the search 512 times as long.
 */
static void find_kernel_version(struct examination *ex)
{
	const uint64_t end =
		ex->elf->load_file_end < ex->file.size ? ex->elf->load_file_end : ex->file.size;
	struct bytes loaded;

	if (ex->load_file_start < end &&
	    bytes_sub(ex->file, ex->load_file_start, end - ex->load_file_start, &loaded))
		banner_find(loaded, ex->elf->kernel_version, sizeof(ex->elf->kernel_version));
}

static void examine_contents(struct examination *ex)
{
	if (check_tables(ex))
		examine_segments(ex);
	if (ex->elf->loads == 0)
		ex->elf->defects |= ELF_DEFECT_NO_LOAD;
	if (ex->elf->notes.source == XEN_NOTES_NONE)
		examine_sections(ex);
	find_kernel_version(ex);
}

static size_t header_size(uint8_t class)
{
	return class == ELFCLASS64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr);
}

static int identify(struct bytes file, struct elfimage *elf, struct pvk_error *err)
{
	if (!elfimage_is(file))
		return pvk_fail(err, PVK_E_FORMAT, "not an ELF file");
	if (file.size < EI_NIDENT)
		return pvk_fail(err, PVK_E_FORMAT, "the ELF header is cut off");
	elf->ident_class = file.data[EI_CLASS];
	elf->ident_data = file.data[EI_DATA];
	elf->ident_version = file.data[EI_VERSION];
	if (elf->ident_class != ELFCLASS32 && elf->ident_class != ELFCLASS64)
		return pvk_fail(err, PVK_E_FORMAT, "unknown ELF class %u", elf->ident_class);
	if (file.size < header_size(elf->ident_class))
		return pvk_fail(err, PVK_E_FORMAT, "the ELF header is cut off");
	return 0;
}

static int examine_with_libelf(struct bytes file, struct elfimage *elf, struct pvk_error *err)
{
	const struct bytes visible = hide_section_flood(file, elf->ident_class);
	_cleanup_elf_ Elf *handle = NULL;
	struct examination ex = {
		.file = file,
		.elf = elf,
		.note_budget = PVK_MAX_NOTES,
		.load_file_start = UINT64_MAX,
	};
	int r;

	if (visible.size < header_size(elf->ident_class)) {
		/* The flood begins inside the header. */
		elf->defects |= ELF_DEFECT_TOO_MANY;
		return 0;
	}
	r = open_elf(visible, &handle, err);
	if (r < 0)
		return r;
	if (!gelf_getehdr(handle, &ex.header))
		return pvk_fail(err, PVK_E_FORMAT, "cannot read ELF header: %s", elf_errmsg(-1));
	ex.handle = handle;
	copy_header(&ex.header, elf);
	examine_contents(&ex);
	return 0;
}

int elfimage_examine(struct bytes file, struct elfimage *ret, struct pvk_error *err)
{
	struct elfimage elf = {0};
	int r;

	r = identify(file, &elf, err);
	/* libelf takes no other version, and nothing of another byte order is for us. */
	if (r == 0 && elf.ident_data == ELFDATA2LSB && elf.ident_version == EV_CURRENT)
		r = examine_with_libelf(file, &elf, err);
	if (r < 0)
		return r;
	*ret = elf;
	return 0;
}

bool elfimage_is_pv_capable(const struct elfimage *elf)
{
	return xen_notes_have(&elf->notes, XEN_NOTE_ENTRY);
}

bool elfimage_is_pvh_capable(const struct elfimage *elf)
{
	return xen_notes_have(&elf->notes, XEN_NOTE_PHYS32_ENTRY);
}

const char *elf_defect_text(uint32_t defects)
{
	/* In the order of the bits. */
	static const char *const texts[] = {
		"the program header table is not inside the file",
		"the section header table is not inside the file",
		"there is no loadable segment",
		"a segment ends behind the end of the file",
		"a segment has more bytes in the file than in memory",
		"a segment wraps around the end of the address space",
		"it has more headers or notes than any kernel",
		"an ELF note runs over the end of its segment",
		"its program headers have an unknown size",
		"a segment to load has no permission at all",
	};
	const int bit = __builtin_ffs((int)defects) - 1;

	return bit >= 0 && bit < (int)(sizeof(texts) / sizeof(texts[0])) ? texts[bit] : NULL;
}
