/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oneshot VARIANT VMLINUZ OUT: the least that must be done to decompress a kernel: read the file,
 * one call of the library (LZ4: one for each block), output on disk. No checks, no worker, no
 * rename. What pvkprep is measured against.
 *
 *   write   decode to anonymous memory, write(2), fsync(2)
 *   map     decode into a shared mapping of the preallocated file, fsync(2)
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lz4.h>
#include <lzma.h>
#include <zstd.h>

#define LZ4_BLOCK_MAX (8u << 20)

static uint32_t get_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void *map_or_die(size_t size, int flags, int fd)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		err(1, "mmap");
	return p;
}

static uint8_t *read_kernel(const char *path)
{
	struct stat st;
	uint8_t *data;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) < 0)
		err(1, "%s", path);
	data = map_or_die((size_t)st.st_size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (read(fd, data, (size_t)st.st_size) != st.st_size)
		err(1, "%s", path);
	(void)close(fd);
	return data;
}

static bool decode_lz4(const uint8_t *in, size_t in_size, uint8_t *out, size_t size)
{
	size_t at = 4, done = 0;

	while (at + 4 <= in_size) {
		const uint32_t block = get_le32(in + at);
		const size_t room = size - done < LZ4_BLOCK_MAX ? size - done : LZ4_BLOCK_MAX;
		int n = LZ4_decompress_safe((const char *)in + at + 4, (char *)out + done,
					    (int)block, (int)room);

		if (n < 0)
			return false;
		at += 4 + block;
		done += (size_t)n;
	}
	return done == size;
}

static bool decode(const uint8_t *in, size_t in_size, uint8_t *out, size_t size)
{
	uint64_t no_limit = UINT64_MAX;
	size_t in_pos = 0, out_pos = 0;

	switch (in[0]) {
	case 0x02:
		return decode_lz4(in, in_size, out, size);
	case 0x28:
		return ZSTD_decompress(out, size, in, in_size) == size;
	case 0xfd:
		return lzma_stream_buffer_decode(&no_limit, 0, NULL, in, &in_pos, in_size, out,
						 &out_pos, size) == LZMA_OK &&
		       out_pos == size;
	default:
		return false;
	}
}

static void write_all(int fd, const uint8_t *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, data + done, size - done);

		if (n <= 0)
			err(1, "write");
		done += (size_t)n;
	}
}

int main(int argc, char **argv)
{
	bool is_map = argc == 4 && strcmp(argv[1], "map") == 0;
	const uint8_t *kernel, *payload;
	uint32_t size, length;
	uint8_t *out;
	int fd;

	if (argc != 4 || (!is_map && strcmp(argv[1], "write") != 0))
		errx(2, "see the head of tests/bench/oneshot.c");
	kernel = read_kernel(argv[2]);
	payload = kernel + (kernel[0x1f1] + 1) * 512 + get_le32(kernel + 0x248);
	length = get_le32(kernel + 0x24c) - 4;
	size = get_le32(payload + length);
	fd = open(argv[3], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || (is_map && fallocate(fd, 0, 0, size) < 0))
		err(1, "%s", argv[3]);
	out = is_map ? map_or_die(size, MAP_SHARED, fd)
		     : map_or_die(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (!decode(payload, length, out, size))
		errx(1, "%s: does not decode", argv[2]);
	if (!is_map)
		write_all(fd, out, size);
	if (fsync(fd) < 0 || close(fd) < 0)
		err(1, "%s", argv[3]);
	return 0;
}
