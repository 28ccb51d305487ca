# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel files of every kind out of small ones: packed, wrapped as a bzImage, with notes changed.

make(kind, fake) where fake is the ELF of a GRUB image that serves as a kernel. Kinds are named as
tests/xen/cases and the table use them.
"""
import bz2
import gzip
import lzma
import struct
import subprocess

HEADER_AT = 1024  # of the protected-mode code: two sectors, the boot sector and one of set-up


def tool(*command):
    def pack(data):
        return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout
    return pack


# The kernel build's own commands and size words (scripts/Makefile.lib).
PACKERS = {
    "gzip": (lambda data: gzip.compress(data, 9, mtime=0), False),
    "bzip2": (lambda data: bz2.compress(data, 9), True),
    "lzma": (lambda data: lzma.compress(data, lzma.FORMAT_ALONE), True),
    "xz": (lambda data: lzma.compress(data, lzma.FORMAT_XZ, lzma.CHECK_CRC32, filters=[
        {"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]), True),
    "lzo": (tool("lzop", "-9c"), True),
    "lz4": (tool("lz4", "-lq9c", "-"), True),
    "zstd": (tool("zstd", "-q19c"), True),
    "none": (lambda data: data, False),
}


def bzimage(payload):
    """The least that is a bzImage by Documentation/arch/x86/boot.rst 2.15."""
    image = bytearray(HEADER_AT)
    code = b"\x90" * 512
    body = code + payload + b"\0" * (-len(payload) % 16) + code
    image[0x1F1] = HEADER_AT // 512 - 1
    struct.pack_into("<I", image, 0x1F4, len(body) // 16)
    struct.pack_into("<H", image, 0x1FE, 0xAA55)
    image[0x200:0x202] = b"\xeb\x66"
    image[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", image, 0x206, 0x20F)
    image[0x211] = 1
    struct.pack_into("<II", image, 0x248, len(code), len(payload))
    struct.pack_into("<I", image, 0x260, 64 << 20)
    return bytes(image) + body


def wrapped(codec, fake, junk=b"", with_size=None):
    pack, has_size = PACKERS[codec]
    has_size = has_size if with_size is None else with_size
    return bzimage(pack(fake) + (struct.pack("<I", len(fake)) if has_size else b"") + junk)


# --- the ELF and its Xen notes ---

def notes(elf):
    """(type, offset of the note's header, offset and size of what it says) for each Xen note."""
    phoff, = struct.unpack_from("<Q", elf, 32)
    phnum, = struct.unpack_from("<H", elf, 56)
    for number in range(phnum):
        at = phoff + 56 * number
        kind, = struct.unpack_from("<I", elf, at)
        offset, = struct.unpack_from("<Q", elf, at + 8)
        size, = struct.unpack_from("<Q", elf, at + 32)
        end = offset + size
        while kind == 4 and offset + 12 <= end:
            name, length, note = struct.unpack_from("<III", elf, offset)
            says = offset + 12 + (name + 3) // 4 * 4
            yield note, offset, says, length
            offset = says + (length + 3) // 4 * 4


def edit_note(elf, wanted, value=None):
    """Gives the note another value, or, without one, a type that nobody knows."""
    image = bytearray(elf)
    found = False
    for kind, at, says, length in notes(elf):
        if kind == wanted:
            found = True
            if value is None:
                struct.pack_into("<I", image, at + 8, 0x7777)
            else:
                image[says:says + length] = value.ljust(length, b"\0")[:length]
    assert found, "no such note"
    return bytes(image)


def without_notes(elf):
    image = bytearray(elf)
    phoff, = struct.unpack_from("<Q", elf, 32)
    phnum, = struct.unpack_from("<H", elf, 56)
    for number in range(phnum):
        at = phoff + 56 * number
        if struct.unpack_from("<I", elf, at)[0] == 4:
            struct.pack_into("<I", image, at, 0)
    struct.pack_into("<Q", image, 40, 0)
    struct.pack_into("<HH", image, 58, 0, 0)
    return bytes(image)


def with_machine(elf, machine):
    image = bytearray(elf)
    struct.pack_into("<H", image, 18, machine)
    return bytes(image)


ENTRY, VIRT_BASE, XEN_VERSION, LOADER = 1, 3, 5, 8

KINDS = {
    "elf": lambda fake: fake,
    "elf+junk": lambda fake: fake + b"junk" * 100,
    "elf-cut": lambda fake: fake[:len(fake) // 2],
    "elf-no-notes": without_notes,
    "elf-no-entry": lambda fake: edit_note(fake, ENTRY),
    "elf-bad-entry": lambda fake: edit_note(fake, ENTRY, struct.pack("<Q", 0x7FFFFFFF0000)),
    "elf-no-loader": lambda fake: edit_note(fake, LOADER),
    "elf-loader-special": lambda fake: edit_note(fake, LOADER, b"special\0"),
    "elf-no-xen-version": lambda fake: edit_note(fake, XEN_VERSION),
    "elf-xen-9.9": lambda fake: edit_note(fake, XEN_VERSION, b"xen-9.9\0"),
    "elf-virt-base-odd": lambda fake: edit_note(fake, VIRT_BASE, struct.pack("<Q", 0x123)),
    "elf-machine-183": lambda fake: with_machine(fake, 183),
    "gzip": lambda fake: PACKERS["gzip"][0](fake),
    "gzip+junk": lambda fake: PACKERS["gzip"][0](fake) + b"junk",
    "xz": lambda fake: PACKERS["xz"][0](fake),
    "xz+junk": lambda fake: PACKERS["xz"][0](fake) + b"junk",
    "lzo": lambda fake: PACKERS["lzo"][0](fake),
    "lz4": lambda fake: tool("lz4", "-q9c", "-")(fake),
    "zstd": lambda fake: PACKERS["zstd"][0](fake),
    "bzip2": lambda fake: PACKERS["bzip2"][0](fake),
    "bz-gzip+size": lambda fake: wrapped("gzip", fake, with_size=True),
    "bz-xz-no-size": lambda fake: wrapped("xz", fake, with_size=False),
    "bz-lzo-no-size": lambda fake: wrapped("lzo", fake, with_size=False),
    "gzip-of-bz-xz": lambda fake: PACKERS["gzip"][0](wrapped("xz", fake)),
    "text": lambda fake: b"not a kernel at all\n" * 100,
    "short": lambda fake: b"not a kernel\n",
    "empty": lambda fake: b"",
}
KINDS.update({"bz-" + codec: lambda fake, codec=codec: wrapped(codec, fake) for codec in PACKERS})


def make(kind, fake):
    return KINDS[kind](fake)
