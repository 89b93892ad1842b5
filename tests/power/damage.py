# SPDX-License-Identifier: GPL-2.0-or-later
"""Stores that are damaged, read-only, full or gone. Each boot ends as promised, and once more
with vfio_claim=off, which reads no store."""

import subprocess
import tempfile
import uuid
from dataclasses import dataclass, field

import record_disk as disk
import efivars
import medium
import record
from boot import DEVICES, INSTALLED, Machine
from sequences import judge_claimed, judge_host, judge_kept
from state import INIT_TOP

OFF = "vfio_claim=off"
# Whoever may not write the record goes on with this warning, if the host keeps a display.
WARNING = "record-unavailable"


@dataclass
class Damage:
    name: str
    kind: str
    damage: object              # called with the machine and a good record
    reason: str = None          # of what is kept; None: it is claimed
    warned: bool = False        # and the report warns that this boot is not counted
    attempts: int = 1           # of the good record
    host: dict = field(default_factory=dict)
    devices: str = DEVICES
    early: str = ""
    cmdline: str = ""
    retry: bool = False         # "confirm --retry" mends it
    own_display: bool = True    # whether the host has a second card

    def since(self):
        """What was damaged must not be known to a saved state. One that only a boot or two can
        use costs more than it saves."""
        return None if self.kind == "efi" or self.devices != DEVICES else INIT_TOP


def run(case, learned, folder, image, rng):
    """Returns what is wrong, and the number of cuts."""
    machine = Machine(case.kind, folder, image, rng, host=case.host, devices=case.devices)
    good = record.encode([(learned.fingerprint, case.attempts, 0)])
    case.damage(machine, good)
    before, since = stored(machine), case.since()
    late = INSTALLED + "vfio-claim confirm --retry\n" if case.retry else ""
    outcome = machine.boot(tool=False, early=case.early, cmdline=case.cmdline, late=late,
                           since=since)
    problems = [f"boot 1: {problem}" for problem in judge(case, outcome)]
    if stored(machine) != before and not case.retry:
        problems.append("boot 1 changed the record")
    if case.retry and not problems:
        outcome = machine.boot(tool=False, since=since)
        problems = [f"after --retry: {problem}" for problem in judge_claimed(outcome)]
        case.damage(machine, good)
    # Followed, to see that no store is opened.
    outcome = machine.boot(early=case.early, cmdline=f"{case.cmdline} {OFF}", since=since)
    problems += [f"off: {problem}" for problem in judge_off(case, outcome)]
    return problems, 0


def judge(case, outcome):
    if case.reason and not case.own_display:
        # There is nothing else to look at.
        problems = [] if outcome.facts.complete else [outcome.ended]
        problems += [f"{path} is on vfio-pci" for path in ("1c.0/00.0", "1c.0/00.1")
                     if outcome.driver(path) == "vfio-pci"]
    elif case.reason:
        problems = judge_kept(outcome, case.reason)
    else:
        problems = judge_claimed(outcome)
    report = outcome.facts.report or {}
    if case.reason and report.get("reason") != case.reason:
        problems.append(f"the reason is {report.get('reason')}: {report.get('detail')}")
    codes = [warning["code"] for warning in report.get("warnings", [])]
    if codes != [WARNING] * case.warned:
        problems.append(f"warnings: {codes}")
    return problems


def judge_off(case, outcome):
    problems = judge_host(outcome) if case.own_display else \
        [] if outcome.facts.complete else [outcome.ended]
    if (outcome.facts.report or {}).get("reason") != "off":
        problems.append("the reason is not off")
    if outcome.binds():
        problems.append("something was bound")
    problems += [f"it did: {line}" for line in outcome.log
                 if "fsopen" in line or "fsmount" in line or "VfioClaim" in line]
    return problems


def stored(machine):
    """The record's bytes where it can be read, else the whole medium."""
    if machine.kind == "efi":
        return machine.record()
    try:
        return machine.record()
    except (ValueError, subprocess.CalledProcessError):
        return bytes(machine.medium.image[disk.START:disk.START + disk.SIZE])


# ---- EFI variables

def flipped(data):
    return data[:12] + bytes([data[12] ^ 1]) + data[13:]


def variable(change, attributes=efivars.ATTRIBUTES):
    return lambda machine, good: efivars.put(machine.medium.image, change(good), attributes)


def whole(good):
    return good


def no_record(_machine, _good):
    pass


def chip_full(machine, good):
    """Less is free than the 5 KB below which the kernel refuses to write. The firmware has
    written its own variables before: at a first boot it would rewrite a full chip for minutes."""
    machine.medium = medium.Chip(machine.medium.image)
    machine.boot(tool=False, cmdline=OFF, since=None)
    image = machine.medium.image
    efivars.compact(image)
    efivars.put(image, good)
    number = 0
    while (free := efivars.free(image)) > 5000:
        number += 1
        efivars.put(image, bytes(min(7000, free - 4600)), name=f"Fill{number}",
                    guid=uuid.UUID(int=1))


# An authenticated variable: the firmware takes no change without a signature.
AUTHENTICATED = efivars.ATTRIBUTES | 0x20
NONE_LEFT = {"devices": "1c.0/00.0=vga+hda", "own_display": False,
             "host": {"require-display": "no"}, "reason": WARNING, "warned": True}

EFI = [
    Damage("corrupt", "efi", variable(flipped), WARNING, retry=True),
    Damage("truncated", "efi", variable(lambda good: good[:40]), WARNING),
    Damage("oversized", "efi", variable(lambda good: good + bytes(1920)), WARNING),
    Damage("attributes-only", "efi", variable(lambda good: b"\0"), WARNING),
    Damage("read-only", "efi", variable(whole, AUTHENTICATED), warned=True),
    Damage("read-only-used-up", "efi", variable(whole, AUTHENTICATED), "safe-mode",
           attempts=2),
    Damage("read-only-last-display", "efi", variable(whole, AUTHENTICATED), **NONE_LEFT),
    Damage("full", "efi", chip_full, warned=True),
    Damage("full-used-up", "efi", chip_full, "safe-mode", attempts=2),
    Damage("missing", "efi", no_record, WARNING, cmdline="efi=noruntime"),
    Damage("missing-auto", "efi", no_record, warned=True, cmdline="efi=noruntime",
           host={"record": "auto"}),
]


# ---- the partition

def file(change):
    def damage(machine, good):
        with disk.Partition(machine.medium.image, machine.kind, write=True) as part:
            part.put(disk.RECORD, change(good))
    return damage


def debugfs(*requests):
    def damage(machine, good):
        file(whole)(machine, good)
        with disk.Partition(machine.medium.image, machine.kind, write=True) as part:
            part.debugfs(*requests)
    return damage


def to_record(machine, good):
    with disk.Partition(machine.medium.image, machine.kind, write=True) as part:
        part.put("elsewhere", good)
        part.debugfs(f"symlink /{disk.RECORD} elsewhere")


def folder_instead(machine, _good):
    with disk.Partition(machine.medium.image, machine.kind, write=True) as part:
        if machine.kind == "ext4":
            part.debugfs(f"mkdir /{disk.RECORD}")
        else:
            disk.run("mmd", "-i", part.path, f"::{disk.RECORD}")


def read_only(machine, good):
    file(whole)(machine, good)
    machine.medium.read_only = True


def full(machine, good):
    """Not a block, or cluster, is free."""
    file(whole)(machine, good)
    with disk.Partition(machine.medium.image, machine.kind, write=True) as part:
        for size in (1 << 20, 1 << 16, 1 << 12, 1 << 10):
            for number in range(64):
                if not _fits(part, f"fill-{size}-{number}", size):
                    break


def _fits(part, name, size):
    try:
        part.put(name, bytes([1]) * size)
        there = part.read(name)
    except subprocess.CalledProcessError:
        there = None
    if there is not None and len(there) == size:
        return True
    try:
        part.remove(name)
    except subprocess.CalledProcessError:
        pass
    return False


def inodes_full(machine, good):
    """Blocks are free, inodes are not."""
    file(whole)(machine, good)
    with disk.Partition(machine.medium.image, machine.kind, write=True) as part:
        free = int(next(line.split(":")[1] for line in part.debugfs("stats").decode()
                        .splitlines() if line.startswith("Free inodes:")))
        with tempfile.NamedTemporaryFile() as empty:
            part.debugfs("mkdir /fill", "cd /fill",
                         *(f"write {empty.name} {i}" for i in range(free - 1)))


def elsewhere(_machine, _good):
    pass


def errors(kinds, start=disk.START):
    def damage(machine, good):
        file(whole)(machine, good)
        machine.medium.failing = (kinds, start, disk.START + disk.SIZE)
    return damage


def zeroed(machine, good):
    """The first 8 KB: where ext4 has its superblock and vfat its boot sector."""
    file(whole)(machine, good)
    machine.medium.image[disk.START:disk.START + 8192] = bytes(8192)


def unknown(machine, _good):
    """A file system that the image's kernel has no module for."""
    with tempfile.TemporaryDirectory() as work:
        with open(f"{work}/part", "wb") as out:
            out.truncate(disk.SIZE)
        disk.run("mkfs.minix", f"{work}/part")
        with open(f"{work}/part", "rb") as source:
            machine.medium.image[disk.START:disk.START + disk.SIZE] = source.read()


def unclean_read_only(machine, good):
    """A journal that must be replayed, on a disk that cannot be written."""
    debugfs("feature needs_recovery")(machine, good)
    machine.medium.read_only = True


MISSING = {"record": f"PARTUUID={disk.OTHER_PARTUUID}"}


def _partition(kind):
    return [
        Damage("corrupt", kind, file(flipped), WARNING, retry=True),
        Damage("truncated", kind, file(lambda good: good[:40]), WARNING),
        Damage("empty", kind, file(lambda good: b""), WARNING),
        Damage("oversized", kind, file(lambda good: good * 100), WARNING),
        Damage("folder", kind, folder_instead, WARNING),
        Damage("read-only", kind, read_only, warned=True),
        Damage("read-only-used-up", kind, read_only, "safe-mode", attempts=2),
        Damage("full", kind, full, warned=True),
        Damage("full-used-up", kind, full, "safe-mode", attempts=2),
        Damage("superblock", kind, zeroed, WARNING),
        Damage("read-errors", kind, errors((medium.READ,)), WARNING),
        Damage("write-errors", kind, errors((medium.WRITE, medium.FLUSH)), WARNING),
    ]


PARTITION = [
    *_partition("ext4"),
    Damage("inodes-full", "ext4", inodes_full, warned=True),
    Damage("symlink", "ext4", debugfs(f"rm /{disk.RECORD}",
                                      f"symlink /{disk.RECORD} /elsewhere"), WARNING),
    Damage("symlink-to-record", "ext4", to_record, WARNING),
    Damage("missing", "ext4", elsewhere, WARNING, host=MISSING),
    Damage("unknown", "ext4", unknown, WARNING),
    Damage("unclean-read-only", "ext4", unclean_read_only, WARNING),
    Damage("read-only-last-display", "ext4", read_only, **NONE_LEFT),
    *_partition("vfat"),
]

TABLE = EFI + PARTITION
# The longer target's; lib/store's unit tests have what a bad record may look like.
LONGER = {"efi": ("oversized", "attributes-only", "full-used-up", "missing-auto"),
          "ext4": ("empty", "oversized", "folder", "superblock", "read-errors", "inodes-full",
                   "symlink", "symlink-to-record", "unknown", "unclean-read-only",
                   "full-used-up", "write-errors"),
          "vfat": ("truncated", "empty", "oversized", "folder", "read-only", "read-only-used-up",
                   "full-used-up", "superblock", "read-errors", "write-errors")}
EVERY_RUN = [case for case in TABLE if case.name not in LONGER.get(case.kind, ())]
