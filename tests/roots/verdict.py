# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of `vfio-claim list`: what a machine lives on cannot be claimed."""
import os

from look import ROOT, USB, case, judged, put, write
from tree import Writer


def disk(machine, number, name, address=USB, part=None):
    """A disk, or a partition, at a function."""
    here = f"{machine.get(address).directory}/usb3/3-1/host6/target6:0:0/6:0:0:0/block/{name}"
    if part:
        here += f"/{part}"
    put(f"{here}/dev", number + "\n")
    for path in (f"sys/dev/block/{number}", f"sys/class/block/{part or name}"):
        Writer(ROOT).link(path, here)
    return here


def mapper(number, name, *slaves, title=None):
    here = f"sys/devices/virtual/block/{name}"
    put(f"{here}/dev", number + "\n")
    put(f"{here}/dm/name", (title or name) + "\n")
    for slave in slaves:
        Writer(ROOT).link(f"{here}/slaves/{os.path.basename(slave)}", slave)
    for path in (f"sys/dev/block/{number}", f"sys/class/block/{name}"):
        Writer(ROOT).link(path, here)
    return here


def mounts(*lines):
    put("proc/self/mountinfo", "".join(
        f"{20 + i} 1 {number} / {point} rw,relatime shared:1 - {kind} {source} rw\n"
        for i, (number, point, kind, source) in enumerate(lines)))


@case
def needed_partition():
    machine = write("desktop")
    disk(machine, "8:18", "sdb", part="sdb2")
    mounts(("0:5", "/proc", "proc", "proc"), ("8:18", "/boot", "ext4", "/dev/sdb2"))
    judged("needed", USB, "/boot")
    mounts(("8:18", "/media/stick", "ext4", "/dev/sdb2"))
    judged("claimable")


@case
def needed_below_mapper():
    """LVM on LUKS on a partition; / and the ESP on one disk."""
    machine = write("desktop")
    part = disk(machine, "8:18", "sdb", part="sdb2")
    disk(machine, "8:17", "sdb", part="sdb1")
    crypt = mapper("254:0", "dm-0", part, title="crypt")
    mapper("254:1", "dm-1", crypt, title="vg-root")
    mounts(("254:1", "/", "ext4", "/dev/mapper/vg-root"), ("8:17", "/boot/efi", "vfat", "x"))
    judged("needed", USB, "/, /boot/efi")


@case
def needed_below_md():
    """A partition of a RAID: the disks are those of the whole."""
    machine = write("desktop")
    md = mapper("9:0", "md0", disk(machine, "8:16", "sdb"))
    put(f"{md}/md0p1/dev", "259:0\n")
    Writer(ROOT).link("sys/dev/block/259:0", f"{md}/md0p1")
    mounts(("259:0", "/", "ext4", "/dev/md0p1"))
    judged("needed", USB)


@case
def needed_by_btrfs():
    """Its numbers are of no device, and it can have more than one."""
    machine = write("desktop")
    near = disk(machine, "8:16", "sdb")
    far = disk(machine, "8:32", "sdc", address="0000:00:14.0")
    devices = "sys/fs/btrfs/01234567-89ab-cdef-0123-456789abcdef/devices"
    for name, there in (("sdb", near), ("sdc", far)):
        Writer(ROOT).link(f"{devices}/{name}", there)
    mounts(("0:33", "/", "btrfs", "/dev/sdc"))
    judged("needed", USB)


@case
def needed_by_swap():
    machine = write("desktop")
    part = disk(machine, "8:18", "sdb", part="sdb2")
    mapper("254:0", "dm-0", part, title="swap")
    put("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"
        "/dev/zram0 partition 8 0 5\n/dev/dm-0 partition 8 0 -2\n")
    judged("needed", USB, "swap")
    mounts(("8:1", "/", "ext4", "/dev/sda1"), ("8:18", "/srv/my\\040disk", "ext4", "/dev/sdb2"))
    put("proc/swaps", "Filename Type Size Used Priority\n/srv/my\\040disk/swap file 8 0 -2\n")
    judged("needed", USB, "swap")
    put("proc/swaps", "Filename Type Size Used Priority\n/srv/other/swap file 8 0 -2\n")
    judged("claimable")


@case
def needed_loops():
    """Devices that are made of each other, as no kernel has them."""
    write("desktop")
    mapper("254:0", "dm-0", "sys/devices/virtual/block/dm-1")
    mapper("254:1", "dm-1", "sys/devices/virtual/block/dm-0")
    mounts(("254:1", "/", "ext4", "/dev/mapper/x"), ("../../../..", "/boot", "ext4", "/dev/../x"))
    judged("claimable")
