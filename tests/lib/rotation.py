#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which tests a run takes. The rooms that start machines take too long to be run as a whole for
each change, so they rotate: a run takes a third of them, and all that the change touches.

The third is that of the turn, which the file tests/rotation names with the tree it was made for. Of
any other tree everything is taken; so three runs, one after the other, always take every test.
`make rotate` writes the file."""

import fnmatch
import hashlib
import os
import re
import subprocess
import sys
import zlib

from files import source_files

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILE = "tests/rotation"
PARTS = 3
HEAD = "# Written by `make rotate`; CONTRIBUTING.md says what for.\n"

# What rotates. A few are in every run: each outcome once, and each generator.
ROTATING = {
    "boot": "*", "power": "*", "setup": "*", "system": "*", "loader": "*", "vm": "nested-*",
}
ALWAYS = {
    "boot": "twins-intel twins-amd twins-ovmf only-display iommu-off-intel off-off "
            "trixie-initramfs-tools-twins-intel sid-dracut-systemd-twins-intel "
            "mkinitcpio-busybox-twins-intel",
    "power": "efi-bind ext4-count damage-ext4-corrupt",
    "setup": "debian13-switched", "system": "confirm-efi",
    "loader": "grub-every-kernel boot-seabios-safe",
}
# Built for all tests of a generator: they are taken together. The rest of a name is one test.
GROUP = re.compile(r"(bookworm|trixie|sid)-(dracut-(systemd|shell)|initramfs-tools)|"
                   r"mkinitcpio-(busybox|systemd)")
# Spreads the groups evenly.
SALT = b"294"

# What tests which files; a path that stands nowhere is tested as well as may be by every third.
TOUCHING = [
    ("early/event* hooks/udev/*", "boot/*late*"),
    ("early/mod* early/kmod*", "boot/*modules* boot/*module-* boot/*twins-intel"),
    ("early/count* early/settle* early/state* early/blkid lib/durable* lib/mount* "
     "lib/partition* lib/record* lib/store* lib/worker*",
     "power/* boot/*counted* boot/*luks* system/confirm-*"),
    ("lib/conf*", "boot/conf-* boot/off-broken"),
    ("lib/identity* lib/pci* lib/machine*",
     "boot/*absent* boot/*changed* boot/moved* boot/renumbered"),
    ("lib/iommu* lib/kargs*", "boot/*iommu* boot/off-* boot/dry-run"),
    ("lib/display* lib/framebuffer*", "boot/*display* boot/framebuffer boot/class-*"),
    ("lib/plan* lib/act* lib/driver*", "boot/*bound* boot/group-* boot/bridge boot/xhci* "
     "boot/virtual-functions boot/two-claims* boot/choose* boot/partial"),
    ("lib/setting* lib/tune* lib/d3cold*", "boot/*settings*"),
    ("lib/report* early/start_report*", "boot/two-claims* system/*"),
    ("hooks/dracut/*", "boot/*dracut* setup/*dracut*"),
    ("hooks/mkinitcpio/*", "boot/mkinitcpio-*"),
    ("hooks/initramfs-tools/*", "boot/*initramfs-tools* setup/debian12-grub-*"),
    ("hooks/grub/* installer/bootloader/*grub*",
     "loader/grub-* loader/boot-seabios-* loader/boot-ovmf-* setup/*grub*"),
    ("hooks/systemd-boot/* installer/bootloader/bls* installer/bootloader/kernel*",
     "loader/entries-* loader/boot-systemd-* setup/*systemd-boot*"),
    ("installer/bootloader/*", "setup/*"),
    ("hooks/systemd/* installer/boots/* installer/hands/* installer/cmd_confirm* "
     "installer/cmd_claim* installer/cmd_release*", "system/*"),
    ("installer/journal/* installer/setup/* installer/cmd_setup* installer/cmd_undo*",
     "setup/* power/installer-*"),
    ("installer/initramfs/* installer/cmd_images* hooks/new-kernel hooks/check-image", "setup/*"),
    ("installer/vm/* installer/cmd_vm*", "vm/nested-*"),
    ("tests/boot/dracut*", "boot/*dracut*"),
    ("tests/boot/mkinitcpio*", "boot/mkinitcpio-*"),
    ("tests/boot/image tests/boot/initramfs/* tests/boot/*.py tests/boot/run", "boot/*"),
    ("tests/power/damage.py", "power/damage-*"),
    ("tests/power/installer.py", "power/installer-*"),
    ("tests/power/steady.py", "power/steady-*"),
    ("tests/power/sequences.py", "power/ext4-* power/vfat-* power/efi-*"),
    ("tests/power/boot.py tests/power/cut.c tests/power/state.py tests/power/medium.py", "power/*"),
    ("tests/setup/*", "setup/*"), ("tests/system/*", "system/*"), ("tests/loader/*", "loader/*"),
    ("tests/vm/nested.py tests/vm/booted.py tests/vm/stock.py tests/vm/guest*", "vm/nested-*"),
]

ENVIRONMENT = "TESTS_PART", "TESTS_ROTATING", "TESTS_TAKEN"


def among(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns.split())


def part_of(name):
    """From 0 on."""
    group = GROUP.match(name)
    return zlib.crc32(SALT + (group[0] if group else name).encode()) % PARTS


def taken(name):
    """Whether this run, which the environment tells of, takes a test of its room."""
    part, rotating, always = (os.environ.get(word) for word in ENVIRONMENT)
    return part is None or not among(name, rotating) or among(name, always) or \
        part_of(name) == int(part)


class Turn:
    def __init__(self, number, touched):
        self.number, self.touched = number, touched
        self.part = number % PARTS

    def environment(self, room):
        """What tells a room what it takes."""
        if room not in ROTATING:
            return {}
        touched = [pattern.partition("/")[2] for pattern in self.touched
                   if pattern.startswith(f"{room}/")]
        return dict(zip(ENVIRONMENT, (str(self.part), ROTATING[room],
                                      " ".join([ALWAYS.get(room, ""), *touched]))))

    def __str__(self):
        touched = f", and what the change touches: {' '.join(self.touched)}" \
            if self.touched else ""
        return (f"Turn {self.number}: part {self.part + 1} of {PARTS} of "
                f"{', '.join(ROTATING)}{touched}. `make check-all` runs everything.")


# ---- the file

def _git(*words):
    return subprocess.run(["git", "-C", TOP, *words], capture_output=True, check=True).stdout


def _files():
    """Those of the tree: what is under version control, or all but build/."""
    try:
        if os.path.exists(f"{TOP}/.git"):
            return _git("ls-files", "-z").decode().split("\0")[:-1]
    except (OSError, subprocess.CalledProcessError):
        pass
    return source_files(TOP)


def _tree():
    """A digest of all files but tests/rotation."""
    total = hashlib.sha256()
    for path in sorted(_files()):
        full = f"{TOP}/{path}"
        if path == FILE or not os.path.lexists(full):
            continue
        if os.path.islink(full):
            content = os.readlink(full).encode()
        else:
            with open(full, "rb") as data:
                content = data.read()
        total.update(f"{path}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def _read():
    try:
        with open(f"{TOP}/{FILE}", encoding="utf-8") as text:
            lines = [line.split() for line in text if not line.startswith("#")]
        words = {line[0]: line[1:] for line in lines}
        return int(words["turn"][0]), words["tree"][0], words["touched"]
    except (OSError, ValueError, LookupError):
        return None


def current():
    """The turn of this tree; None: everything is to be taken."""
    read = _read()
    return Turn(read[0], read[2]) if read and read[1] == _tree() else None


def touched_by(paths):
    """The tests, ROOM/PATTERN, of these files."""
    return [pattern for files, patterns in TOUCHING if any(among(path, files) for path in paths)
            for pattern in patterns.split()]


def write():
    """The next turn; its change is all since the commit of the last one."""
    if _git("status", "--porcelain", "--untracked-files=no"):
        return "Commit what you have changed first: a turn is a commit of its own."
    before, last = _read(), _git("log", "-1", "--format=%H", "--", FILE).decode().strip()
    number = before[0] + 1 if before else 0
    if last:
        paths = _git("diff", "-z", "--name-only", last).decode().split("\0")
        touched = list(dict.fromkeys(touched_by(paths)))
    else:
        touched = [f"{room}/*" for room in ROTATING]
    with open(f"{TOP}/{FILE}", "w", encoding="utf-8") as out:
        out.write(f"{HEAD}turn {number}\ntree {_tree()}\n{' '.join(['touched', *touched])}\n")
    print(f"{Turn(number, touched)}\nCommit {FILE} as it is.")
    return 0


if __name__ == "__main__":
    sys.exit(write())
