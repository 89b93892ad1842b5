# SPDX-License-Identifier: GPL-2.0-or-later
"""The disk of a Debian 12 with libvirt on which "vfio-claim setup" was run, as its owner would:
made once and kept by a key of all that is in it. GRUB and a BIOS start it."""

import fcntl
import functools
import hashlib
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path += [f"{TOP}/tests/{room}" for room in ("lib", "boot", "loader", "roots", "setup")]

# pylint: disable=wrong-import-position
from cases import must
from debian import CARD, Stock
from disk import linux_disk
from machine import KERNEL

BUILD = f"{TOP}/build/vm"
MIB = 900                       # the root file system
IMAGE = "var/lib/libvirt/images/guest.img"
# What the kernel says would come in the middle of a line that is waited for.
CMDLINE = f"console=ttyS0 console=tty0 quiet loglevel=2 {KERNEL} audit=0 apparmor=0"
# What an emulated processor spends a boot's time on, and this machine does not need.
MASKED = """
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer logrotate.timer
    e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer getty-static.service
    dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount
    sys-fs-fuse-connections.mount sys-kernel-config.mount proc-sys-fs-binfmt_misc.automount
    systemd-binfmt.service systemd-random-seed.service systemd-sysusers.service
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-logind.service
    systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-pcrphase-initrd.service
    modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service
    modprobe@efi_pstore.service modprobe@fuse.service modprobe@loop.service
    systemd-network-generator.service systemd-journal-flush.service systemd-pstore.service
    """.split()
# What the disk is made of besides the root, the guest and the product
SOURCES = ["tests/vm/stock.py", "tests/setup/debian.py", "tests/loader/disk.py",
           "tests/roots/tree.py", "tests/roots/machines/qemu.txt", "tests/lib/facts.sh",
           "tests/lib/machine.py"]
FOLDERS = ["tests/vm/inside", "tests/system/root", "tests/system/initramfs"]


class Host(Stock):
    """The root of the disk. What was said while it was set up is left in `folder`."""

    def __init__(self, folder, root, stage, guest):  # pylint: disable=super-init-not-called
        self.folder, self.path = folder, f"{folder}/root"
        self.loader, self.cmdline, self.dracut = "grub", CMDLINE, False
        must("cp", "-a", "--reflink=auto", root, self.path)
        # the shell that a test speaks to, and an image that races for the card
        for source in (stage, *(f"{TOP}/{name}" for name in ("tests/system/root",
                                                             "tests/vm/inside"))):
            must("cp", "-a", "--no-preserve=ownership", f"{source}/.", self.path)
        must("cp", "-a", "--no-preserve=ownership", f"{TOP}/tests/system/initramfs/.",
             f"{self.path}/etc/initramfs-tools/")
        must("install", "-D", f"{TOP}/tests/lib/facts.sh", f"{self.path}/usr/lib/test/facts.sh")
        must("cp", "--sparse=always", f"{guest}/guest.img", f"{self.path}/{IMAGE}")
        self.release = os.listdir(f"{self.path}/usr/lib/modules")[0]
        self.write("etc/hostname", "host\n")
        self.write("etc/fstab", "/dev/vda2 / ext4 defaults 0 1\n")
        os.makedirs(f"{self.path}/boot/grub")
        self.write("etc/default/grub", "GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\n"
                   "GRUB_DISTRIBUTOR=Debian\n"
                   f'GRUB_CMDLINE_LINUX_DEFAULT="{self.cmdline}"\nGRUB_CMDLINE_LINUX=""\n')
        qemu = f"{self.path}/usr/bin/qemu-system-x86_64"
        os.rename(qemu, f"{qemu}.real")
        os.rename(f"{self.path}/usr/lib/test/qemu", qemu)
        for unit in MASKED:
            path = f"{self.path}/etc/systemd/system/{unit}"
            if os.path.lexists(path):
                os.unlink(path)
            os.symlink("/dev/null", path)
        self.machine()
        self.must(*self.build())
        self.must(*self.menu())


def _key(*made):
    """What all of it depends on, as a short word."""
    total = hashlib.sha256(" ".join(made).encode())
    for path in SOURCES:
        with open(f"{TOP}/{path}", "rb") as source:
            total.update(source.read())
    total.update(must("tests/lib/digest", *FOLDERS).encode())
    return total.hexdigest()[:12]


@functools.cache
def disk():
    """The folder with disk.img, set up and never written to again, and guest.vmlinux, the kernel
    of the guest that lies on it. Looked for once in a run: no case may lose it to another."""
    os.makedirs(BUILD, exist_ok=True)
    with open(f"{BUILD}/stock.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root, guest = must("tests/vm/root"), must("tests/vm/guest-disk")
        stage = must("tests/lib/staged")
        made = f"{BUILD}/stocks/{_key(root, guest, must('tests/lib/digest', stage))}"
        if os.path.isdir(made):
            return made
        print("setting up the machine with libvirt", file=sys.stderr)
        work = f"{BUILD}/new-stock"
        for old in (work, f"{BUILD}/stocks"):
            subprocess.run(["rm", "-rf", "--one-file-system", old], check=True)
        os.makedirs(work)
        host = Host(work, root, stage, guest)
        host.must("vfio-claim", "setup", CARD, "--yes")
        linux_disk(f"{work}/disk.img", host.path, MIB, grub=True)
        must("cp", f"{guest}/vmlinux", f"{work}/guest.vmlinux")
        subprocess.run(["rm", "-rf", "--one-file-system", host.path, f"{work}/machine"],
                       check=True)
        os.makedirs(os.path.dirname(made), exist_ok=True)
        os.rename(work, made)
        return made


if __name__ == "__main__":
    print(disk())
