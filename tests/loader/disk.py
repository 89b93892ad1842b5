# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks with the boot loader of a Debian root on them, made without loop devices: an EFI system
partition, and for GRUB a second partition with /boot, from which SeaBIOS and OVMF both start."""

import os
import struct
import subprocess
from glob import glob
from typing import NamedTuple

from quick_kernel import replace

UUID = "6f9ffcb1-4a5e-4a5c-8f0a-7d1c2b3a4e5f"   # tests/loader/grub-probe knows it, too
SECTOR = 512
MIB = 1 << 20
ESP, LINUX = 0xef, 0x83
DISK_ID = b"\x78\x56\x34\x12\0\0"


class Disk(NamedTuple):
    path: str
    kernel: list                # QEMU's arguments that its kernels need


def _run(*command, **more):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                   text=True, **more)


def _fat(path, folder, mib):
    """A FAT file system that holds what is in `folder`."""
    _run("mkfs.fat", "-C", path, str(mib * 1024))
    names = [f"{folder}/{name}" for name in sorted(os.listdir(folder))]
    if names:
        _run("mcopy", "-i", path, "-s", *names, "::")


def _assemble(path, partitions, boot="", core=""):
    """A disk with an MBR; `partitions` are (type, file) and begin at whole MiBs. GRUB's boot
    sector expects its core from the second sector on."""
    with open(path, "wb") as disk:
        table, at = b"", MIB
        for kind, source in partitions:
            size = os.path.getsize(source)
            table += struct.pack("<B3sB3sII", 0x80 if kind == LINUX else 0, b"\xfe\xff\xff",
                                 kind, b"\xfe\xff\xff", at // SECTOR, size // SECTOR)
            disk.seek(at)
            with open(source, "rb") as data:
                while block := data.read(MIB):
                    # holes stay holes
                    if block.count(0) == len(block):
                        disk.seek(len(block), os.SEEK_CUR)
                    else:
                        disk.write(block)
            at += -(-size // MIB) * MIB
            os.unlink(source)
        disk.truncate(at)
        if boot:
            with open(boot, "rb") as code, open(core, "rb") as rest:
                disk.seek(0)
                disk.write(code.read(440))
                disk.seek(SECTOR)
                disk.write(rest.read(MIB - SECTOR))
        disk.seek(440)
        disk.write(DISK_ID)
        disk.seek(446)
        disk.write(table.ljust(64, b"\0") + b"\x55\xaa")


def _core(root, path, *words):
    """GRUB's core, made by the root's own tool of its own modules."""
    with open(path, "wb") as out:
        subprocess.run(["chroot", root, "grub-mkimage", *words], check=True, stdout=out,
                       stderr=subprocess.PIPE)


def grub_disk(path, root, boot):
    """GRUB for BIOS and EFI; `boot` is the folder to become /boot, with grub/grub.cfg in it.
    It receives GRUB's modules, as grub-install would put them there."""
    work, grub = f"{path}.work", f"{root}/usr/lib/grub"
    efi = f"{work}/efi/EFI/BOOT"
    os.makedirs(efi)
    for target in ("i386-pc", "x86_64-efi"):
        _run("cp", "-r", f"{grub}/{target}", f"{boot}/grub/")
    _core(root, f"{work}/core.img", "-O", "i386-pc", "-p", "(hd0,msdos2)/boot/grub",
          "biosdisk", "part_msdos", "ext2")
    # as Debian's signed image: a first grub.cfg leads to the one in /boot
    with open(f"{efi}/grub.cfg", "w", encoding="utf-8") as out:
        out.write(f"search.fs_uuid {UUID} root\nset prefix=($root)'/boot/grub'\n"
                  "configfile $prefix/grub.cfg\n")
    _core(root, f"{efi}/BOOTX64.EFI", "-O", "x86_64-efi", "-p", "/EFI/BOOT", "part_msdos",
          "fat", "ext2", "normal", "configfile", "search_fs_uuid")
    kernel = replace(*glob(f"{boot}/vmlinuz-*"))
    _fat(f"{work}/esp", f"{work}/efi", 4)
    os.mkdir(f"{work}/root")
    os.rename(boot, f"{work}/root/boot")
    _run("mke2fs", "-q", "-t", "ext2", "-U", UUID, "-d", f"{work}/root", f"{work}/ext2", "96M")
    _assemble(path, [(ESP, f"{work}/esp"), (LINUX, f"{work}/ext2")],
              f"{grub}/i386-pc/boot.img", f"{work}/core.img")
    subprocess.run(["rm", "-rf", work], check=True)
    return Disk(path, kernel)


def linux_disk(path, root, mib, grub=False):
    """An empty EFI system partition, and a root file system; with `grub` a BIOS starts it by
    the grub.cfg that is in it, without, it has no boot loader."""
    os.mkdir(f"{path}.efi")
    _fat(f"{path}.esp", f"{path}.efi", 16)
    os.rmdir(f"{path}.efi")
    loader = ()
    if grub:
        _run("cp", "-r", f"{root}/usr/lib/grub/i386-pc", f"{root}/boot/grub/")
        _core(root, f"{path}.core", "-O", "i386-pc", "-p", "(hd0,msdos2)/boot/grub",
              "biosdisk", "part_msdos", "ext2")
        loader = (f"{root}/usr/lib/grub/i386-pc/boot.img", f"{path}.core")
    _run("mke2fs", "-q", "-t", "ext4", "-U", UUID, "-d", root, f"{path}.ext4", f"{mib}M")
    _assemble(path, [(ESP, f"{path}.esp"), (LINUX, f"{path}.ext4")], *loader)
    if grub:
        os.unlink(f"{path}.core")


def systemd_boot_disk(path, root, esp):
    """systemd-boot; `esp` is the folder with loader/ and the kernels in it."""
    os.makedirs(f"{esp}/EFI/BOOT", exist_ok=True)
    _run("cp", f"{root}/usr/lib/systemd/boot/efi/systemd-bootx64.efi",
         f"{esp}/EFI/BOOT/BOOTX64.EFI")
    kernel = replace(*glob(f"{esp}/EFI/debian/*/linux"))
    _fat(f"{path}.esp", esp, 96)
    _assemble(path, [(ESP, f"{path}.esp")])
    return Disk(path, kernel)


def read_grubenv(path):
    """The variables of a GRUB disk's grubenv."""
    with open(path, "rb") as disk:
        disk.seek(446 + 16 + 8)
        start, size = struct.unpack("<II", disk.read(8))
        disk.seek(start * SECTOR)
        with open(f"{path}.ext2", "wb") as out:
            out.write(disk.read(size * SECTOR))
    try:
        text = subprocess.run(["debugfs", "-R", "cat /boot/grub/grubenv", f"{path}.ext2"],
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True).stdout
    finally:
        os.unlink(f"{path}.ext2")
    return dict(line.split("=", 1) for line in text.split("\n")
                if "=" in line and not line.startswith("#"))
