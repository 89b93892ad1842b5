# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernels that boot loaders start like any other, and that have nothing to unpack: that would take
an emulated machine a third of its boot. The bzImage stays what it is, its EFI stub too, but what
is compressed in it is quick_kernel.c, which fetches the unpacked kernel from QEMU."""

import functools
import hashlib
import lzma
import os
import shutil
import struct
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = f"{os.path.dirname(os.path.dirname(HERE))}/build/cache/kernels"
# It lies where it is unpacked to.
ARGUMENT = "nokaslr"
MIB = 1 << 20
EHDR, PHDR = "<16sHHIQQQIHHHHHH", "<IIQQQQQQ"
PT_LOAD = 1
# The kernel's memory ends with what it clears itself: there is room for quick_kernel.c. The
# bzImage's code wants a multiple of it.
ROOM = 2 * MIB


def _memory(elf):
    """The kernel as it lies in memory, with its address and its entry's offset."""
    header = struct.unpack_from(EHDR, elf)
    loads = [load for load in (struct.unpack_from(PHDR, elf, header[5] + i * header[9])
                               for i in range(header[10])) if load[0] == PT_LOAD]
    start = min(load[4] for load in loads)
    memory = bytearray(max(load[4] + load[6] for load in loads) - start)
    for _, _, offset, _, address, size, _, _ in loads:
        memory[address - start:address - start + size] = elf[offset:offset + size]
    room = len(memory) - ROOM
    if any(memory[room:]) or room % ROOM:
        raise ValueError("the kernel has something where quick_kernel.c is to be")
    return memory[:room], start, header[4] - start


def _loader(work, offset, start, entry):
    """quick_kernel.c as an ELF file, for an address behind the kernel."""
    # pylint: disable=too-many-arguments
    subprocess.run(["gcc", "-Os", "-Wall", "-Wextra", "-Werror", "-std=gnu11", "-fpie",
                    "-fno-toplevel-reorder", "-ffreestanding", "-fno-stack-protector",
                    "-fcf-protection=none", "-mgeneral-regs-only", "-nostdlib", "-static",
                    "-fno-asynchronous-unwind-tables", "-no-pie", "-Wl,--build-id=none",
                    "-Wl,-Ttext=0x100000", "-Wl,-e,start", f"-DOFFSET={offset}",
                    f"-DENTRY={entry}", f"{HERE}/quick_kernel.c", "-o", f"{work}/elf"],
                   check=True)
    subprocess.run(["objcopy", "-O", "binary", f"{work}/elf", f"{work}/code"], check=True)
    with open(f"{work}/code", "rb") as data:
        code = data.read()
    sizes = struct.calcsize(EHDR), struct.calcsize(PHDR)
    return struct.pack(EHDR, b"\x7fELF\2\1\1", 2, 0x3e, 1, start + offset, sizes[0], 0, 0,
                       *sizes, 1, 0, 0, 0) + \
        struct.pack(PHDR, PT_LOAD, 7, sum(sizes), *[start + offset] * 2, *[len(code)] * 2,
                    ROOM) + code


def _compressed(elf, like):
    if like == b"\x28\xb5\x2f\xfd":
        return subprocess.run(["zstd", "-qc"], input=elf, stdout=subprocess.PIPE,
                              check=True).stdout
    return lzma.compress(elf, check=lzma.CHECK_CRC32)


def _make(source, work):
    """vmlinuz and memory in the folder `work`."""
    with open(source, "rb") as data:
        image = bytearray(data.read())
    subprocess.run([f"{HERE}/unpack-kernel", source, f"{work}/vmlinux"], check=True)
    with open(f"{work}/vmlinux", "rb") as data:
        memory, start, entry = _memory(data.read())
    with open(f"{work}/memory", "wb") as out:
        out.write(memory)
    # Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length, init_size
    offset, length = struct.unpack_from("<II", image, 0x248)
    offset += (image[0x1f1] + 1) * 512
    payload = _compressed(_loader(work, len(memory), start, entry), image[offset:offset + 4])
    # behind it stands the size that it unpacks to
    image[offset:offset + length - 4] = payload.ljust(length - 4, b"\0")
    # GRUB moves that much, by the byte; and behind it no loader has anything so early.
    struct.pack_into("<I", image, 0x260, len(image) // MIB * MIB + 4 * MIB)
    with open(f"{work}/vmlinuz", "wb") as out:
        out.write(image)


def _made(source):
    """The folder with those two, kept below build/."""
    total = hashlib.sha256()
    for path in (source, f"{HERE}/quick_kernel.c", f"{HERE}/quick_kernel.py"):
        with open(path, "rb") as data:
            total.update(data.read())
    made = f"{BUILD}/{total.hexdigest()[:12]}"
    if not os.path.isdir(made):
        os.makedirs(BUILD, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD) as work:
            os.mkdir(f"{work}/new")
            _make(source, f"{work}/new")
            try:
                os.rename(f"{work}/new", made)
            except OSError:
                # another run was as fast
                if not os.path.isdir(made):
                    raise
    return made


def _memory_of(folder):
    return ["-fw_cfg", f"name=opt/kernel,file={folder}/memory"]


@functools.cache
def start(kernel):
    """QEMU's arguments to boot a kernel that stays as it is, without a boot loader. It has to be
    told ARGUMENT."""
    folder = _made(kernel)
    return ["-kernel", f"{folder}/vmlinuz", *_memory_of(folder)]


def replace(*kernels):
    """Replaces files that are all the same kernel. Returns QEMU's arguments to boot them, which
    the kernel has to be told ARGUMENT for."""
    made = {_made(kernel) for kernel in kernels}
    if len(made) != 1:
        raise ValueError(f"not one kernel: {kernels}")
    folder, = made
    for kernel in kernels:
        os.unlink(kernel)
        shutil.copy(f"{folder}/vmlinuz", kernel)
    return _memory_of(folder)
