# SPDX-License-Identifier: GPL-2.0-or-later
"""What "vfio-claim setup" and "undo" leave on a disk with a volatile cache when the power is cut:
a machine runs both while every write and flush of its disk is written down, and from that the
disks are made that a cut would have left. Each is checked as a boot would, and judged: every
file is the old one or the new one, and running again finishes or undoes."""

import os
import shutil
import subprocess
import sys

import record_disk as disk
from boot import Machine
from medium import BLOCK, COMMAND_FUA, FLUSH, SECTOR, WRITE, Medium, split

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(f"{HERE}/../journal")

# pylint: disable=wrong-import-position
from stock import CARD, COMMAND, Stock
from tree import execute

STATES = 300                    # of each machine, all different
MIB = 1 << 20
ROOT = (1 * MIB, 12 * MIB)      # start and size: ext4
BOOT = (13 * MIB, 4 * MIB)      # vfat
SIZE = 18 * MIB
BEGUN, SET_UP, UNDONE = range(3)
MARKS = SIZE // BLOCK - 8       # blocks that tell how far the machine is
REFIND = {
    "boot/refind_linux.conf": '"Boot with standard options"  "ro root=UUID=1 quiet"\n' * 40,
    "sys/firmware/efi/fw_platform_size": "64\n",
    **{f"boot/picture-{number}-of-a-theme.png": "" for number in range(8)},
    **{path: None for path in ("usr/sbin/update-grub", "boot/grub/grub.cfg", "etc/default/grub")},
}
# the file system that holds the boot loader's files; path -> text in place of Stock's
MACHINES = {"ext4": {}, "vfat": REFIND}

EARLY = "for module in ext4 vfat nls_cp437 nls_ascii nls_utf8; do modprobe $module; done\n"
LATE = f"""
root=/run/stock
mkdir $root
mount -t ext4 /dev/vdb1 $root
[ ! -b /dev/vdb2 ] || mount -t vfat /dev/vdb2 $root/boot
mount -t tmpfs none $root/sys
mount -t tmpfs none $root/proc
busybox tar -C $root -xf /run/test/hardware.tar
mark() {{
	dd if=/dev/zero of=/dev/vdb bs={BLOCK} seek=$(({MARKS} + $1)) count=1 conv=fsync,notrunc
}}
run() {{
	"$@"
	echo "== status $?"
}}
sync
mark {BEGUN}
echo "== setup"
run vfio-claim setup {CARD} --yes --root $root
mark {SET_UP}
echo "== undo"
run vfio-claim undo --yes --root $root
mark {UNDONE}
echo "== end"
poweroff -f
"""


class Recorder(Medium):
    """Writes down what a disk is told."""

    def __init__(self, image):
        super().__init__(image, cached=True)
        self.before = bytes(image)
        self.log = []           # (offset, data, whether all up to here is safe)

    def _do(self, kind, flags, offset, length, data):
        if kind == WRITE:
            self.log.append((offset, data, False))
        if kind == FLUSH or flags & COMMAND_FUA:
            self.log.append((0, b"", True))
        return super()._do(kind, flags, offset, length, data)


class Disk:
    """A disk with the stock tree on it, but for what a kernel shows of the hardware."""

    def __init__(self, name, folder):
        self.folder, self.vfat = folder, name == "vfat"
        self.tree = Stock(f"power-{name}", MACHINES[name])
        self.old = self.tree.snapshot(journal=True)
        self.must("setup", CARD)
        self.new = self.tree.snapshot()
        self.must("undo", "--yes")
        if self.tree.snapshot(journal=True) != self.old:
            raise ValueError("undo leaves something, without any cut")
        self.image = self.make()

    def must(self, *words):
        result = execute([COMMAND, *words, "--root", self.tree.root])
        if result.status:
            raise ValueError(f"{' '.join(words)}: {result}")

    def make(self):
        content = f"{self.folder}/content"
        shutil.copytree(self.tree.root, content, symlinks=True,
                        ignore=lambda top, names: [name for name in names if name in
                                                   ("sys", "proc") and top == self.tree.root])
        for name in ("sys", "proc"):
            os.mkdir(f"{content}/{name}")
        image = bytearray(SIZE)
        table = "label: gpt\n"
        if self.vfat:
            self.make_boot(f"{content}/boot")
            shutil.rmtree(f"{content}/boot")
            os.mkdir(f"{content}/boot")
        with open(f"{self.folder}/root", "wb") as out:
            out.truncate(ROOT[1])
        disk.run("mke2fs", "-q", "-t", "ext4", "-b", "4096", "-E",
                 "lazy_itable_init=0,lazy_journal_init=0", "-d", content, f"{self.folder}/root")
        for name, (start, size) in (("root", ROOT), ("boot", BOOT))[:1 + self.vfat]:
            with open(f"{self.folder}/{name}", "rb") as source:
                image[start:start + size] = source.read()
            table += f"start={start // SECTOR}, size={size // SECTOR}, type=linux\n"
        with open(f"{self.folder}/disk", "wb") as out:
            out.write(image)
        disk.run("sfdisk", "-q", f"{self.folder}/disk", text=True, input=table)
        with open(f"{self.folder}/disk", "rb") as source:
            return source.read()

    def make_boot(self, content):
        """The loader's file stands in another sector of the folder than the room for the next
        new one, which is before it."""
        image = f"{self.folder}/boot"
        hole = "a file with a long name that is gone"
        disk.run("mkfs.vfat", "-C", image, str(BOOT[1] // 1024))
        disk.run("mcopy", "-i", image, "/dev/null", f"::{hole}")
        for name in sorted(os.listdir(content), key=lambda name: (name.startswith("refind"), name)):
            disk.run("mcopy", "-i", image, f"{content}/{name}", "::")
        disk.run("mdel", "-i", image, f"::{hole}")

    def hardware(self):
        """sys/ and proc/ as a tar archive."""
        return disk.run("tar", "-C", self.tree.root, "--owner=0", "--group=0", "-c", "sys", "proc")

    # ---- a state

    def restore(self, image):
        """Makes the tree what is on the disk. Returns what a check at boot cannot mend."""
        for (start, size), name in zip((ROOT, BOOT), ("root", "boot")):
            with open(f"{self.folder}/{name}", "wb") as out:
                out.write(image[start:start + size])
        for name in os.listdir(self.tree.root):
            if name not in ("sys", "proc"):
                shutil.rmtree(self.tree.path(name))
        check = subprocess.run(["e2fsck", "-fp", f"{self.folder}/root"], check=False, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check.returncode not in (0, 1):
            return [f"e2fsck: {check.stdout}"]
        names = [line.split("/")[5] for line in
                 disk.run("debugfs", "-R", "ls -p /", f"{self.folder}/root").decode().split("\n")
                 if line.startswith("/")]
        disk.run("debugfs", "-f", "-", f"{self.folder}/root", input="".join(
            f"rdump /{name} {self.tree.root}\n" for name in names
            if name not in (".", "..", "sys", "proc", "lost+found")).encode())
        if self.vfat:
            check = subprocess.run(["fsck.fat", "-a", f"{self.folder}/boot"], check=False,
                                   text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if check.returncode not in (0, 1):
                return [f"fsck.fat: {check.stdout}"]
            disk.run("mcopy", "-s", "-n", "-i", f"{self.folder}/boot", "::*",
                     self.tree.path("boot"))
        return []

    def shape(self, snapshot):
        """What can be compared: rdump and FAT keep no attributes, FAT no modes either."""
        return {path: entry[3:4] if self.vfat and f"{path}/".startswith("boot/") else entry[:4]
                for path, entry in snapshot.items()
                if not os.path.basename(path).startswith("FSCK")}

    def now(self, journal=False):
        return self.shape(self.tree.snapshot(journal))

    def differs(self, now, *wanted):
        """Paths that are as in none of the snapshots; what a killed run left is no matter."""
        wanted = [self.shape(snapshot) for snapshot in wanted]
        return [path for path in sorted(set(now).union(*wanted))
                if now.get(path) not in [snapshot.get(path) for snapshot in wanted] and
                not path.endswith(".vfio-claim-new")]

    def judge(self, image, again, exactly=None):
        """What is wrong with a state. `again`: setup or undo is run first; `exactly`: it must
        be like that snapshot."""
        problems = self.restore(image)
        if problems:
            return problems
        wanted = [exactly] if exactly else [self.old, self.new]
        if wrong := self.differs(self.now(), *wanted):
            problems.append(f"neither old nor new: {wrong}")
        if again == "setup":
            result = execute([COMMAND, "setup", CARD, "--yes", "--root", self.tree.root])
            if result.status or self.now() != self.shape(self.new):
                problems.append(f"a second setup: {self.differs(self.now(), self.new)}, {result}")
        result = execute([COMMAND, "undo", "--yes", "--root", self.tree.root])
        if result.status or self.now(journal=True) != self.shape(self.old):
            problems.append(f"undo: {self.differs(self.now(True), self.old)}, {result}")
        return problems


def patched(image, writes):
    image = bytearray(image)
    for offset, data in writes:
        image[offset:offset + len(data)] = data
    return image


def parts_of(pending):
    """What a cut leaves whole: blocks of ext4, sectors of FAT."""
    return [part for offset, data in pending
            for part in split(offset, data, BLOCK if offset < BOOT[0] else SECTOR)]


class Cuts:
    """The states that a cut between BEGUN and UNDONE can leave."""

    def __init__(self, recorder, rng):
        self.recorder, self.rng = recorder, rng
        log = recorder.log
        self.marks = [next(i for i, (offset, data, _) in enumerate(log)
                           if offset == (MARKS + mark) * BLOCK and data)
                      for mark in (BEGUN, SET_UP, UNDONE)]

    def replay(self, end):
        """At each place up to `end`: the place, the disk's safe content, and what is only in its
        cache."""
        image, pending = bytearray(self.recorder.before), []
        for place, (offset, data, flush) in enumerate(self.recorder.log[:end]):
            yield place, image, list(pending)
            if flush:
                image, pending = patched(image, pending), []
            else:
                pending.append((offset, data))

    def safe(self, mark):
        """What is safe before a mark is written."""
        return list(self.replay(self.marks[mark] + 1))[-1][1]

    def all(self, wanted):
        """Yields the place in the log and the disk, as many different ones as wanted: at each
        place all that is not safe lost, all of it written, then random parts of it."""
        seen = set()
        states = [state for state in self.replay(self.marks[UNDONE] + 1)
                  if state[0] > self.marks[BEGUN]]
        for turn in range(100):
            for place, image, pending in states:
                parts = parts_of(pending)
                if turn > 1:
                    parts = [part for part in parts if self.rng.random() < 0.5]
                state = patched(image, parts if turn else [])
                changed = {at: bytes(state[at:at + len(data)]) for at, data in parts
                           if state[at:at + len(data)] != image[at:at + len(data)]}
                key = hash((id(image), frozenset(changed.items())))
                if key in seen:
                    continue
                seen.add(key)
                yield place, state
                if len(seen) == wanted:
                    return


def run(name, folder, image, rng):
    """Returns what is wrong, and the number of states."""
    machine = Machine("none", folder, image, rng)
    made = Disk(name, folder)
    machine.medium = recorder = Recorder(made.image)
    outcome = machine.boot(tool=False, early=EARLY, late=LATE, cmdline="vfio_claim=off",
                           files={"test/hardware.tar": made.hardware()})
    for part in ("setup", "undo"):
        said = outcome.facts.sections.get(part, [])
        if "== status 0" not in said:
            return [f"{part}: {outcome.ended}, {said}"], 0
    cuts = Cuts(recorder, rng)
    problems = []
    for mark, snapshot in ((BEGUN, made.old), (SET_UP, made.new), (UNDONE, made.old)):
        problems += [f"mark {mark}: {problem}" for problem in
                     made.judge(cuts.safe(mark), "undo", snapshot)]
    count = 0
    for place, state in cuts.all(STATES):
        count += 1
        again = "setup" if count % 2 else "undo"
        problems += [f"state {count}, at {place} of {cuts.marks}, {again}: {problem}"
                     for problem in made.judge(state, again)]
    if count < STATES:
        problems.append(f"only {count} states, not {STATES}")
    return problems, count
