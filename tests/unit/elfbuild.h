/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elfbuild.h - small synthetic ELF kernels in memory, for tests.
 *
 *	struct elfbuild b;
 *	elfbuild_linux_6_1(&b);
 *	elfbuild_text_note(&b, XEN_NOTE_LOADER, "special");
 *	_cleanup_free_ uint8_t *data = elfbuild_make(&b, &size);
 *
 * Layout of the file: ELF header, program headers (the PT_LOADs, then the PT_NOTE), notes, contents
 * of the segments, section names, section headers. Any field can be changed between the first and
 * the last call; what the headers say is then what the fields say, true or not.
 */
#ifndef PVK_ELFBUILD_H
#define PVK_ELFBUILD_H

#include <stdbool.h>
#include <stdint.h>

#include "../../src/base/bytes.h"
#include "../../src/formats/xennotes.h"

#define ELFBUILD_MAX_NOTES 32
#define ELFBUILD_MAX_LOADS 8
#define ELFBUILD_VIRT_BASE UINT64_C(0xffffffff80000000)

/* Offsets in a 64-bit file that tests like to overwrite. */
#define ELFBUILD_PHDRS	   64
#define ELFBUILD_PHDR_SIZE 56

enum elfbuild_place {
	ELFBUILD_PT_NOTE,  /* program header and section, as in Linux */
	ELFBUILD_SHT_NOTE, /* section only */
	ELFBUILD_GUEST,	   /* the string section __xen_guest, with `guest_text` */
	ELFBUILD_NOWHERE,
};

struct elfbuild_note {
	char owner[16];
	uint32_t owner_size; /* n_namesz */
	uint32_t type;
	uint8_t desc[200];
	uint32_t desc_size; /* n_descsz, and that many bytes of desc */
};

struct elfbuild_load {
	uint32_t flags; /* PF_R 4, PF_W 2, PF_X 1 */
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
};

struct elfbuild {
	uint8_t ident_class;
	uint8_t ident_data; /* 2: everything is written big-endian */
	uint8_t ident_version;
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	struct elfbuild_load loads[ELFBUILD_MAX_LOADS];
	unsigned load_count;
	enum elfbuild_place place;
	struct elfbuild_note notes[ELFBUILD_MAX_NOTES];
	unsigned note_count;
	char guest_text[256];
	bool has_sections;
	char banner[512]; /* at the start of the first segment */
};

/* The notes and addresses of Linux 6.1 (ENTRY alone from CONFIG_XEN_PV) and 6.12. */
void elfbuild_linux_6_1(struct elfbuild *b);
void elfbuild_linux_6_12(struct elfbuild *b);

/* A kernel for KVM with CONFIG_PVH, without Xen. */
void elfbuild_pvh_only(struct elfbuild *b);

/* Sets a note, in place of those of that type that are there. Numbers are 4 or 8 bytes. */
void elfbuild_number_note(struct elfbuild *b, enum xen_note type, uint64_t value, uint32_t size);
void elfbuild_text_note(struct elfbuild *b, enum xen_note type, const char *text);

/* Adds a note after the others. */
void elfbuild_raw_note(struct elfbuild *b, const char *owner, uint32_t type, const void *desc,
		       uint32_t desc_size);
void elfbuild_drop_note(struct elfbuild *b, enum xen_note type);

/* The notes alone, as they lie in their segment. The caller frees; never NULL. */
uint8_t *elfbuild_notes(const struct elfbuild *b, size_t *ret_size);

/* The file. The caller frees; never NULL. */
uint8_t *elfbuild_make(const struct elfbuild *b, size_t *ret_size);

#endif
