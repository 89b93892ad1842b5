# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of `vfio-claim list`: the verdict, and what the machine lives on."""
import os

from look import ROOT, USB, card, case, check, judged, put, run, same, write
from tree import Writer


@case
def last_display():
    write("desktop", lambda m: m.drop("0000:00:02.0"))
    judged("last-display", "last display", "--no-display-ok")
    write("desktop", lambda m: setattr(m.get("0000:00:02.0"), "driver", "vfio-pci"))
    judged("last-display")
    judged("claimed", "vfio-pci", address="0000:00:02.0")


@case
def group_not_viable():
    def change(machine):
        machine.get("0000:03:00.0").group, machine.get("0000:03:00.0").driver = "2", "nvme"
    write("desktop", change)
    put("usr/share/misc/pci.ids", "144d  Samsung\n\ta804  SM961\n")
    judged("group-not-viable", "group 2", "0000:03:00.0 (Samsung SM961)", "nvme", "another slot")
    write("desktop", lambda m: (change(m), setattr(m.get("0000:03:00.0"), "driver", "vfio-pci")))
    judged("claimable")


@case
def group_with_what_has_no_driver():
    """As the plan at boot: it may get one, if the kernel has modules."""
    write("desktop", lambda m: setattr(m.get("0000:00:14.2"), "group", "2"))
    judged("claimable")
    put("proc/sys/kernel/osrelease", "6.1.0-9-amd64\n")
    os.makedirs(f"{ROOT}/lib/modules/6.1.0-9-amd64")
    judged("group-not-viable", "0000:00:14.2", "host driver")
    write("desktop", lambda m: setattr(m.get("0000:00:1f.0"), "group", "2"))
    put("lib/modules/x", "")
    judged("claimable")


@case
def no_iommu():
    write("desktop", lambda m: m.no_iommu())
    judged("no-iommu", "firmware's set-up")
    put("sys/firmware/acpi/tables/DMAR", "")
    judged("no-iommu", "intel_iommu=on")
    write("desktop", lambda m: setattr(m.get(USB), "group", None))
    judged("no-iommu", USB)
    write("desktop")
    put("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n")
    judged("no-iommu", "enable_unsafe_noiommu_mode")


@case
def claimed():
    def change(machine):
        for function in machine.functions:
            if function.address.startswith("0000:01:00."):
                function.driver = "vfio-pci"
    write("desktop", change)
    judged("claimed", "vfio-pci")
    write("desktop", lambda m: (change(m), setattr(m.get(USB), "driver", "xhci_hcd")))
    judged("claimed", "3 of its 4")


@case
def unreadable():
    machine = write("desktop")
    put(f"{machine.get(USB).directory}/uevent", "nothing of use\n")
    judged("unreadable", USB)
    check("1 function cannot be read" in run("list").stderr, "nothing on stderr")
    machine = write("desktop")
    put(f"{machine.get(USB).directory}/config", b"\xff" * 64)
    judged("unreadable", USB, "does not answer")


@case
def not_root():
    """What root alone may read is missing."""
    machine = write("desktop")
    os.unlink(f"{ROOT}/proc/iomem")
    for function in machine.functions:
        with open(f"{ROOT}/{function.directory}/config", "r+b") as config:
            config.truncate(64)
    judged("claimable")
    same("boot display", card()["boot_display"], True)


# ---- what the machine lives on

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
