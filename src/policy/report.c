/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - see report.h: the text of an image and of an outcome. */
#include "report.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "../base/cleanup.h"
#include "../base/text.h"
#include "../formats/loaders.h"

enum color {
	GREEN,
	RED,
	YELLOW,
	BOLD
};

static const char *color_on(const struct report_style *style, enum color color)
{
	static const char *const codes[] = {"\033[32m", "\033[31m", "\033[33m", "\033[1m"};

	return style->color ? codes[color] : "";
}

static const char *color_off(const struct report_style *style)
{
	return style->color ? "\033[0m" : "";
}

/* --- one image --- */

static void print_container(FILE *out, const struct image *image)
{
	(void)fprintf(out, "  container  ");
	switch (image->container) {
	case IMAGE_ELF:
		(void)fprintf(out, "bare ELF");
		break;
	case IMAGE_BZIMAGE:
		(void)fprintf(out, "bzImage, boot protocol %u.%02u", image->protocol >> 8,
			      image->protocol & 0xffu);
		break;
	case IMAGE_HYBRID:
		(void)fprintf(out, "hybrid bzImage (PV payload appended), boot protocol %u.%02u",
			      image->protocol >> 8, image->protocol & 0xffu);
		break;
	case IMAGE_COMPRESSED:
		(void)fprintf(out, "%s file (no bzImage around it)", codec_name(image->codec));
		break;
	case IMAGE_UKI:
		(void)fprintf(out, "unified kernel image (EFI), %s", text_escape(image->detail).s);
		break;
	case IMAGE_ZBOOT:
		(void)fprintf(out, "EFI zboot image, %s", text_escape(image->detail).s);
		break;
	case IMAGE_UNKNOWN:
		(void)fprintf(out, "unknown");
		break;
	}
	(void)fprintf(out, ", %s\n", text_size(image->file_size).s);
}

static void print_payload(FILE *out, const struct image *image)
{
	if (!image_needs_sink(image))
		return;
	(void)fprintf(out, "  payload    %s, %s at offset %llu", image_payload_name(image),
		      text_size(image->payload_size).s, (unsigned long long)image->payload_start);
	if (image->image_size > 0)
		(void)fprintf(out, "; %s unpacked%s", text_size(image->image_size).s,
			      image->is_decoded ? "" : " (declared)");
	(void)fprintf(out, "\n");
}

/* What a hybrid is for, and what it holds. */
static void print_hybrid(FILE *out, const struct image *image)
{
	const struct hybrid *hybrid = &image->hybrid;

	(void)fprintf(out, "  boots as   %sHVM and BIOS, EFI without Secure Boot\n",
		      !image->is_elf			     ? ""
		      : elfimage_is_pvh_capable(&image->elf) ? "PV, PVH, "
							     : "PV, ");
	if (!hybrid->has_trailer)
		return;
	(void)fprintf(out, "  original   packaged image of %s, MD5 sum ",
		      text_size(hybrid->original_size).s);
	for (size_t i = 0; i < sizeof(hybrid->md5); i++)
		(void)fprintf(out, "%02x", hybrid->md5[i]);
	(void)fprintf(out, " (--restore cuts it out)\n");
}

static const char *machine_name(const struct elfimage *elf)
{
	switch (elf->machine) {
	case 3:
		return "i386";
	case 62:
		return "x86-64";
	case 183:
		return "aarch64";
	default:
		return "another machine";
	}
}

static void print_elf(FILE *out, const struct elfimage *elf)
{
	(void)fprintf(out, "  image      ELF%s %s", elf->ident_class == 2 ? "64" : "32",
		      machine_name(elf));
	if (elf->loads > 0)
		(void)fprintf(out, ", %u of %u segments to load, memory %#llx-%#llx", elf->loads,
			      elf->segments, (unsigned long long)elf->paddr_start,
			      (unsigned long long)elf->paddr_end);
	(void)fprintf(out, "\n");
	if (elf->defects)
		(void)fprintf(out, "  defect     %s\n", elf_defect_text(elf->defects));
}

static void print_notes(FILE *out, const struct elfimage *elf)
{
	const struct xen_notes *notes = &elf->notes;
	const bool pv = elfimage_is_pv_capable(elf), pvh = elfimage_is_pvh_capable(elf);

	(void)fprintf(out, "  xen        %s",
		      pv && pvh ? "PV and PVH"
		      : pv	? "PV"
		      : pvh	? "PVH only"
				: "neither PV nor PVH");
	if (pv)
		(void)fprintf(out, ", ENTRY %#llx",
			      (unsigned long long)notes->number[XEN_NOTE_ENTRY]);
	if (xen_notes_have(notes, XEN_NOTE_VIRT_BASE))
		(void)fprintf(out, ", VIRT_BASE %#llx",
			      (unsigned long long)notes->number[XEN_NOTE_VIRT_BASE]);
	if (xen_notes_have(notes, XEN_NOTE_XEN_VERSION))
		(void)fprintf(out, ", XEN_VERSION %s", text_escape(notes->xen_version).s);
	if (xen_notes_have(notes, XEN_NOTE_LOADER))
		(void)fprintf(out, ", LOADER %s", text_escape(notes->loader).s);
	(void)fprintf(out, "\n");
	if (xen_notes_have(notes, XEN_NOTE_FEATURES))
		(void)fprintf(out, "  features   %s\n", text_escape(notes->features).s);
}

static void print_verdict(FILE *out, enum loader_family family, const struct image *image,
			  const struct report_style *style)
{
	struct loader_verdict verdict;
	enum color color;

	loader_judge(family, image, &verdict);
	color = verdict.outcome == LOADER_STARTS       ? GREEN
		: verdict.outcome == LOADER_UNRELIABLE ? YELLOW
						       : RED;
	(void)fprintf(out, "  %-22s %s%s%s", loader_title(family), color_on(style, color),
		      loader_outcome_name(verdict.outcome), color_off(style));
	if (verdict.error[0])
		(void)fprintf(out, ": \"%s\"", verdict.error);
	if (verdict.reason[0])
		(void)fprintf(out, " (%s)", verdict.reason);
	(void)fprintf(out, "\n");
}

void report_image(FILE *out, const char *path, const struct image *image,
		  const struct report_style *style)
{
	(void)fprintf(out, "%s%s%s\n", color_on(style, BOLD), text_escape(path).s,
		      color_off(style));
	print_container(out, image);
	print_payload(out, image);
	if (image->container == IMAGE_HYBRID)
		print_hybrid(out, image);
	if (image->version[0])
		(void)fprintf(out, "  version    %s\n", text_escape(image->version).s);
	if (image->is_elf) {
		print_elf(out, &image->elf);
		print_notes(out, &image->elf);
	}
	if (image->problem.code != 0)
		(void)fprintf(out, "  problem    %s%s%s\n", color_on(style, RED),
			      image->problem.msg, color_off(style));
	for (enum loader_family family = 0; family < LOADER_COUNT; family++)
		print_verdict(out, family, image, style);
}

/* --- one outcome --- */

static void print_source(FILE *out, const struct outcome *outcome)
{
	const struct image *image = &outcome->image;

	if (image->container == IMAGE_COMPRESSED)
		(void)fprintf(out, "%s file", codec_name(image->codec));
	else if (image->container == IMAGE_ELF)
		(void)fprintf(out, "bare ELF");
	else
		(void)fprintf(out, "%s %s", image_payload_name(image),
			      image->container == IMAGE_HYBRID ? "hybrid" : "bzImage");
}

static const char *form_of_result(const struct outcome *outcome)
{
	return outcome->format == FORMAT_HYBRID ? "hybrid" : "bare ELF";
}

static void print_prepared(FILE *out, const struct kernel *kernel, const struct outcome *outcome)
{
	const bool done = outcome->kind == OUTCOME_PREPARED;

	(void)fprintf(out, "%s: ", done ? "prepared" : "would be prepared");
	print_source(out, outcome);
	(void)fprintf(out, " of %s %s %s of %s", text_size(outcome->old_size).s,
		      done ? "is now a" : "would become a", form_of_result(outcome),
		      text_size(outcome->new_size).s);
	if (done)
		(void)fprintf(out, ", checked, in %s", text_seconds(outcome->seconds).s);
	if (outcome->md5_package[0])
		(void)fprintf(out, "; source is %s package %s has it",
			      outcome->is_md5_overridden ? "NOT as" : "as",
			      text_escape(outcome->md5_package).s);
	if (outcome->has_packaged)
		(void)fprintf(out, "; packaged image kept as /boot/" PVK_OWN_DIR "/%s",
			      text_escape(kernel->packaged).s);
	else if (done)
		(void)fprintf(out, "; the packaged image is %s (originals = none)",
			      outcome->format == FORMAT_HYBRID ? "in it, and not kept beside it"
							       : "not kept");
	(void)fprintf(out, "\n");
}

static void print_kept(FILE *out, const struct outcome *outcome)
{
	(void)fprintf(out, "nothing to do: ");
	if (outcome->has_image) {
		print_source(out, outcome);
		(void)fprintf(out, " of %s, which the loader reads as it is\n",
			      text_size(outcome->old_size).s);
	} else {
		(void)fprintf(out, "the loader reads it as it is (%s)\n",
			      text_size(outcome->new_size).s);
	}
}

void report_outcome(FILE *out, const char *path, const struct kernel *kernel,
		    const struct outcome *outcome, const struct report_style *style)
{
	if (outcome->kind == OUTCOME_FAILED)
		return;
	(void)fprintf(out, "%s%s%s: ", color_on(style, BOLD), text_escape(path).s,
		      color_off(style));
	switch (outcome->kind) {
	case OUTCOME_PREPARED:
	case OUTCOME_WOULD_PREPARE:
		print_prepared(out, kernel, outcome);
		break;
	case OUTCOME_ALREADY:
		(void)fprintf(out, "nothing to do: prepared already (%s of %s%s)%s\n",
			      form_of_result(outcome), text_size(outcome->new_size).s,
			      !outcome->lacks_room ? ""
			      : outcome->format == FORMAT_HYBRID
				      ? "; there is no room for a bare ELF"
				      : "; there is no room for a hybrid",
			      outcome->lacks_original
				      ? "; no packaged image is kept to make another form of"
				      : "");
		break;
	case OUTCOME_RESTORED:
	case OUTCOME_WOULD_RESTORE:
		(void)fprintf(out, "%s: the packaged image of %s %s in place\n",
			      outcome->kind == OUTCOME_RESTORED ? "restored" : "would be restored",
			      text_size(outcome->new_size).s,
			      outcome->kind == OUTCOME_RESTORED ? "is" : "would be");
		break;
	case OUTCOME_PACKAGED:
		(void)fprintf(out, "nothing to do: ");
		print_source(out, outcome);
		(void)fprintf(out, " of %s, as packaged\n", text_size(outcome->new_size).s);
		break;
	case OUTCOME_KEPT:
	case OUTCOME_FAILED:
	case OUTCOME_COUNT:
		print_kept(out, outcome);
		break;
	}
}

/* --- room in /boot --- */

static uint64_t size_of(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)st.st_size : 0;
}

/* What a purge of this kernel's package would free. */
static uint64_t kernel_weight(const struct bootdir *boot, const struct kernel *kernel)
{
	char initrd[NAME_MAX + 32];
	uint64_t total = size_of(boot->fd, kernel->file);

	(void)snprintf(initrd, sizeof(initrd), "initrd.img-%s", kernel->version);
	total += size_of(boot->fd, initrd);
	if (boot->own_fd >= 0)
		total += size_of(boot->own_fd, kernel->packaged);
	return total;
}

void report_space_hint(FILE *out, const struct root *root, const struct bootdir *boot,
		       const struct kernel *wanted)
{
	_cleanup_kernel_list_ struct kernel_list list = {0};
	struct utsname running = {0};
	unsigned newest = 0;

	if (root->is_live)
		(void)uname(&running);
	if (bootdir_list(boot, &list, NULL) < 0)
		return;
	for (size_t i = 0; i < list.count; i++) {
		const struct kernel *kernel = &list.items[i];

		/* Never the running one, nor the two newest: somebody must be there to fall back
		 * to. */
		if (newest++ < 2 || strcmp(kernel->version, wanted->version) == 0 ||
		    strcmp(kernel->version, running.release) == 0)
			continue;
		(void)fprintf(out, "pvkprep: removing the old kernel %s would free %s",
			      text_escape(kernel->version).s,
			      text_size(kernel_weight(boot, kernel)).s);
		if (root->is_live)
			(void)fprintf(out, ": apt-get purge linux-image-%s",
				      text_escape(kernel->version).s);
		(void)fprintf(out, "\n");
	}
}
