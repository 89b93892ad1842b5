# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian root of a case's own, in which the real tools of the boot loaders run."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [f"{TOP}/tests/lib", f"{TOP}/tests/boot"]

# pylint: disable=wrong-import-position
from boots import CMDLINE, CONF
from cases import Failed, must, run
from vm import Cpio, extend_initrd

BUILD = f"{TOP}/build/loader"
SECOND = "6.1.0-11-amd64"       # the same kernel once more, under an older name


class Root:
    """A Debian root of a case's own, with vfio-claim installed."""

    cached = stage = image = None

    @staticmethod
    def prepare(booting):
        """What all cases share, before any of them is timed."""
        Root.cached = must("tests/loader/root")
        Root.stage = must("tests/lib/staged")
        Root.image = must("tests/boot/image") if booting else None

    def __init__(self, case):
        self.path = f"{BUILD}/{case}/root"
        must("cp", "-a", "--reflink=auto", Root.cached, self.path)
        must("cp", "-a", "--no-preserve=ownership", f"{Root.stage}/.", self.path)
        self.release = next(name[8:] for name in os.listdir(f"{self.path}/boot")
                            if name.startswith("vmlinuz-"))
        self.kernels = [self.release, SECOND]
        for path in ("boot/grub", "efi/loader/entries"):
            os.makedirs(f"{self.path}/{path}")
        os.link(f"{self.path}/boot/vmlinuz-{self.release}",
                f"{self.path}/boot/vmlinuz-{SECOND}")
        for kernel in self.kernels:
            self.write(f"boot/initrd.img-{kernel}", "")
        self.write("etc/vfio-claim.conf", CONF)
        # as Debian's grub-pc leaves it
        self.write("etc/default/grub", 'GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\n'
                   'GRUB_DISTRIBUTOR=Debian\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'
                   'GRUB_CMDLINE_LINUX=""\n')
        self.write("etc/kernel/install.conf", "layout=bls\nBOOT_ROOT=/efi\n")
        self.write("etc/kernel/entry-token", "debian\n")
        self.write("etc/kernel/cmdline", f"root=/dev/vda2 ro {CMDLINE}\n")

    def write(self, path, text):
        with open(f"{self.path}/{path}", "w", encoding="utf-8", newline="") as out:
            out.write(text)

    def read(self, path):
        with open(f"{self.path}/{path}", encoding="utf-8") as text:
            return text.read()

    def remove(self, path):
        os.unlink(f"{self.path}/{path}")

    def run(self, *command):
        return run("chroot", self.path, *command)

    def update_grub(self, *settings):
        """grub.cfg and what was said about vfio-claim."""
        self.write("etc/default/grub.d/95-test.cfg", "".join(f"{line}\n" for line in settings))
        done = self.run("update-grub")
        if done.returncode:
            raise Failed(f"update-grub: {done.stderr.strip()}")
        must("chroot", self.path, "grub-script-check", "/boot/grub/grub.cfg")
        return (self.read("boot/grub/grub.cfg"),
                [line for line in done.stderr.split("\n") if "vfio" in line])

    def kernel_install(self, *words):
        """What was said about vfio-claim. It never fails because of us."""
        if words[0] == "add":
            words += (f"/boot/vmlinuz-{words[1]}",)
        done = self.run("kernel-install", *words)
        if done.returncode:
            raise Failed(f"kernel-install: status {done.returncode}: {done.stderr.strip()}")
        return [line for line in (done.stdout + done.stderr).split("\n") if "vfio" in line]

    def use_image(self):
        """The kernel's real initramfs, with our configuration in it."""
        archive = Cpio()
        archive.add("etc/vfio-claim.conf", self.read("etc/vfio-claim.conf"))
        first, second = (f"{self.path}/boot/initrd.img-{kernel}" for kernel in self.kernels)
        extend_initrd(f"{Root.image}/initrd.img", archive, first)
        os.unlink(second)
        os.link(first, second)
