/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * repack.c - makes kernel images for the tests out of a given bzImage: other payloads, hostile
 * headers, other containers. Deliberately shares no code with the program under test.
 *
 *   repack payload KERNEL OUT               the payload as declared, size word and all
 *   repack stream KERNEL OUT                the payload without its size word
 *   repack replace KERNEL STREAM OUT [N]    another payload; N: its size word ("-": none)
 *   repack hybrid KERNEL GZIP OUT           KERNEL padded, GZIP appended, the header pointed at it
 *   repack uki KERNEL OUT                   KERNEL as the .linux section of a small PE file
 *   repack zboot NAME OUT                   an EFI zboot header with that compression name
 *   repack set FILE FIELD=VALUE…            in place; VALUE may be +N or -N, relative
 *   repack flip FILE OFFSET                 inverts one byte; OFFSET: a number, or
 *                                           payload+N, payload-N (N bytes before its end)
 *   repack field FILE FIELD                 prints it
 *
 * Fields: those of Linux Documentation/arch/x86/boot.rst, and size_word (the four bytes at the end
 * of the payload) and payload_start (its file offset; to read only).
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECTOR 512u

struct file {
	uint8_t *data;
	size_t size;
};

struct field {
	const char *name;
	size_t offset;
	size_t width;
};

static const struct field fields[] = {
	{"setup_sects", 0x1f1, 1},    {"syssize", 0x1f4, 4},	    {"boot_flag", 0x1fe, 2},
	{"header", 0x202, 4},	      {"protocol", 0x206, 2},	    {"kernel_version", 0x20e, 2},
	{"payload_offset", 0x248, 4}, {"payload_length", 0x24c, 4}, {"init_size", 0x260, 4},
};

static uint64_t get_le(const struct file *file, size_t offset, size_t width)
{
	uint64_t value = 0;

	if (offset > file->size || width > file->size - offset)
		errx(1, "offset %zu is outside the file", offset);
	for (size_t i = width; i-- > 0;)
		value = value << 8 | file->data[offset + i];
	return value;
}

static void put_le(struct file *file, size_t offset, size_t width, uint64_t value)
{
	(void)get_le(file, offset, width);
	for (size_t i = 0; i < width; i++, value >>= 8)
		file->data[offset + i] = (uint8_t)value;
}

static size_t code_start(const struct file *file)
{
	return (get_le(file, 0x1f1, 1) + 1) * SECTOR;
}

static size_t payload_start(const struct file *file)
{
	return code_start(file) + get_le(file, 0x248, 4);
}

static size_t payload_end(const struct file *file)
{
	return payload_start(file) + get_le(file, 0x24c, 4);
}

static struct file read_file(const char *path)
{
	struct file file = {0};
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", path);
	file.size = (size_t)st.st_size;
	file.data = malloc(file.size + 1);
	if (!file.data || read(fd, file.data, file.size) != st.st_size)
		err(1, "%s", path);
	(void)close(fd);
	return file;
}

static void append(struct file *file, const void *data, size_t size)
{
	file->data = realloc(file->data, file->size + size + 1);
	if (!file->data)
		err(1, "no memory");
	memcpy(file->data + file->size, data, size);
	file->size += size;
}

static void pad(struct file *file, size_t multiple)
{
	static const uint8_t zeros[4096];

	append(file, zeros, (multiple - file->size % multiple) % multiple);
}

static void write_file(const char *path, const struct file *file)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, file->data, file->size) != (ssize_t)file->size || close(fd) < 0)
		err(1, "%s", path);
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end)
		errx(2, "'%s' is no number", text);
	return value;
}

/* Neither the compressed stream nor the size word tells which of them a payload has: gzip's own
 * trailer serves as one, a plain ELF needs none, all others carry the word. */
static bool has_size_word(const struct file *kernel)
{
	const uint64_t magic = get_le(kernel, payload_start(kernel), 4);

	return (magic & 0xffff) != 0x8b1f && magic != 0x464c457f;
}

static void cut_payload(const char *kernel_path, const char *out, bool with_word)
{
	struct file kernel = read_file(kernel_path), payload;

	payload.data = kernel.data + payload_start(&kernel);
	payload.size = payload_end(&kernel) - payload_start(&kernel);
	if (!with_word && has_size_word(&kernel))
		payload.size -= 4;
	write_file(out, &payload);
}

/* What follows the old payload (the decompressor) follows the new one too, up to syssize: the
 * image is one that a loader reads; it would not run natively. The signature is dropped. */
static void replace_payload(const char *kernel_path, const char *stream_path, const char *out,
			    const char *size_word)
{
	struct file kernel = read_file(kernel_path), stream = read_file(stream_path), image = {0};
	const size_t stub_end = code_start(&kernel) + get_le(&kernel, 0x1f4, 4) * 16;

	append(&image, kernel.data, payload_start(&kernel));
	append(&image, stream.data, stream.size);
	if (strcmp(size_word, "-") != 0) {
		append(&image, "\0\0\0\0", 4);
		put_le(&image, image.size - 4, 4, number(size_word));
	}
	put_le(&image, 0x24c, 4, image.size - payload_start(&kernel));
	append(&image, kernel.data + payload_end(&kernel), stub_end - payload_end(&kernel));
	pad(&image, 16);
	put_le(&image, 0x1f4, 4, (image.size - code_start(&image)) / 16);
	write_file(out, &image);
}

static void make_hybrid(const char *kernel_path, const char *gzip_path, const char *out)
{
	struct file image = read_file(kernel_path), stream = read_file(gzip_path);

	pad(&image, 16);
	put_le(&image, 0x248, 4, image.size - code_start(&image));
	put_le(&image, 0x24c, 4, stream.size);
	append(&image, stream.data, stream.size);
	write_file(out, &image);
}

/* The least PE that has sections: DOS header, signature, COFF header without an optional header,
 * three rows of 40 bytes (Microsoft PE/COFF specification, "COFF File Header", "Section Table"). */
static void make_uki(const char *kernel_path, const char *out)
{
	static const char *const names[] = {".text", ".osrel", ".linux"};
	struct file kernel = read_file(kernel_path), image = {0};
	const size_t pe = 0x40, table = pe + 24, data = 0x200;

	append(&image, "MZ", 2);
	pad(&image, data);
	put_le(&image, 0x3c, 4, pe);
	memcpy(image.data + pe, "PE\0\0", 4);
	put_le(&image, pe + 4, 2, 0x8664);
	put_le(&image, pe + 6, 2, 3);
	for (size_t i = 0; i < 3; i++) {
		const size_t row = table + i * 40;
		const bool is_linux = i == 2;

		memcpy(image.data + row, names[i], strlen(names[i]));
		put_le(&image, row + 8, 4, is_linux ? kernel.size : 16);
		put_le(&image, row + 16, 4, is_linux ? (kernel.size + 511) / 512 * 512 : 16);
		put_le(&image, row + 20, 4, is_linux ? data : 0x1f0);
	}
	append(&image, kernel.data, kernel.size);
	pad(&image, 512);
	write_file(out, &image);
}

/* Linux drivers/firmware/efi/libstub/zboot-header.S. */
static void make_zboot(const char *name, const char *out)
{
	struct file image = {0};

	append(&image, "MZ\0\0zimg", 8);
	pad(&image, 4096);
	put_le(&image, 8, 4, 0x200);
	put_le(&image, 12, 4, 0x800);
	memcpy(image.data + 24, name, strnlen(name, 31));
	write_file(out, &image);
}

static struct field find_field(const struct file *file, const char *name)
{
	if (strcmp(name, "size_word") == 0)
		return (struct field){"size_word", payload_end(file) - 4, 4};
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strcmp(name, fields[i].name) == 0)
			return fields[i];
	errx(2, "unknown field '%s'", name);
}

static void set_field(struct file *file, char *assignment)
{
	char *value = strchr(assignment, '=');
	struct field field;

	if (!value)
		errx(2, "'%s' is not FIELD=VALUE", assignment);
	*value++ = '\0';
	field = find_field(file, assignment);
	if (*value == '+')
		put_le(file, field.offset, field.width,
		       get_le(file, field.offset, field.width) + number(value + 1));
	else if (*value == '-')
		put_le(file, field.offset, field.width,
		       get_le(file, field.offset, field.width) - number(value + 1));
	else
		put_le(file, field.offset, field.width, number(value));
}

static void flip_byte(const char *path, const char *where)
{
	struct file file = read_file(path);
	uint64_t offset;

	if (strncmp(where, "payload+", 8) == 0)
		offset = payload_start(&file) + number(where + 8);
	else if (strncmp(where, "payload-", 8) == 0)
		offset = payload_end(&file) - number(where + 8);
	else
		offset = number(where);
	put_le(&file, offset, 1, get_le(&file, offset, 1) ^ 0xff);
	write_file(path, &file);
}

static void print_field(const char *path, const char *name)
{
	struct file file = read_file(path);
	struct field field;

	if (strcmp(name, "payload_start") == 0) {
		printf("%zu\n", payload_start(&file));
		return;
	}
	field = find_field(&file, name);
	printf("%llu\n", (unsigned long long)get_le(&file, field.offset, field.width));
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (strcmp(mode, "payload") == 0 && argc == 4) {
		cut_payload(argv[2], argv[3], true);
	} else if (strcmp(mode, "stream") == 0 && argc == 4) {
		cut_payload(argv[2], argv[3], false);
	} else if (strcmp(mode, "replace") == 0 && (argc == 5 || argc == 6)) {
		replace_payload(argv[2], argv[3], argv[4], argc == 6 ? argv[5] : "-");
	} else if (strcmp(mode, "hybrid") == 0 && argc == 5) {
		make_hybrid(argv[2], argv[3], argv[4]);
	} else if (strcmp(mode, "uki") == 0 && argc == 4) {
		make_uki(argv[2], argv[3]);
	} else if (strcmp(mode, "zboot") == 0 && argc == 4) {
		make_zboot(argv[2], argv[3]);
	} else if (strcmp(mode, "set") == 0 && argc >= 4) {
		struct file file = read_file(argv[2]);

		for (int i = 3; i < argc; i++)
			set_field(&file, argv[i]);
		write_file(argv[2], &file);
	} else if (strcmp(mode, "flip") == 0 && argc == 4) {
		flip_byte(argv[2], argv[3]);
	} else if (strcmp(mode, "field") == 0 && argc == 4) {
		print_field(argv[2], argv[3]);
	} else {
		errx(2, "see the head of tests/tools/repack.c");
	}
	return 0;
}
