# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine with a store that lasts, booted again and again, and the ways to cut its power."""

import functools
import os
import re
import shutil
import threading
import time
from dataclasses import dataclass, field

import record_disk as disk
import efivars
import quick_kernel
from facts import Facts
from machine import KERNEL, MODELS, Board, arguments
from medium import BLOCK, SECTOR, Medium
from state import INIT_TOP, LOCAL_TOP, States, save
from vm import Cpio, Vm

CMDLINE = f"console=ttyS0 loglevel=3 {KERNEL} intel_iommu=on root=/dev/vda ro fastboot"
DEVICES = "01.0=vga 1c.0/00.0=vga+hda"
CLAIMED = {"1c.0/00.0": "vga", "1c.0/00.1": "hda"}
CUT_STATUS = 0x2a * 2 + 1       # of QEMU, see cut.c
TIMEOUT = 300
# How a boot ends that was over before its cut.
NOT_REACHED, TOO_LATE = "the point was not reached", "the moment came too late"
EARLIER = 0.7                   # where to try next, then
# The command that confirms, in the tiny root.
INSTALLED = "mount -t tmpfs none /etc; cp /run/test/conf /etc/vfio-claim.conf\n"
# In place of the facts: what is needed from a boot that is one of many.
SHORT = """echo "== short"
cat /sys/bus/pci/drivers/vfio-pci/0000:*/class
echo "== report"
cat /run/vfio-claim/report.json
echo "== end"
poweroff -f
"""

# What the tool says before the first call that writes the record.
RECORD = re.compile(rb" before (openat|write) \S*(VfioClaimRecord-|vfio-claim\.record)")
OVMF = "/usr/share/OVMF"
# And when the program that wrote it has ended.
RECORDED = re.compile(rb"vfio-claim\.record(.*\n)*end settle|VfioClaimRecord-(.*\n)*end start")

HERE = os.path.dirname(os.path.abspath(__file__))

stopping = threading.Event()
states = States(os.path.abspath(f"{HERE}/../../build/power/states"))
making = threading.Lock()


# ---- the ways to cut

@dataclass
class Step:
    """Before or after the K-th call of a command that matches a pattern, see cut.c."""
    command: str
    when: str
    pattern: str
    k: int = 1

    def file(self, _learned):
        return f"{self.command} {self.when} {self.k} {self.pattern}"

    def __str__(self):
        return f"{self.command}: {self.when} {self.pattern} ({self.k})"


@dataclass
class Script:
    """When the boot scripts of the test come to a place: init-top, init-bottom, init."""
    place: str

    def file(self, _learned):
        return f"script before 1 {self.place}"

    def __str__(self):
        return f"at {self.place}"


@dataclass
class Call:
    """At a part (0 to 1) of all system calls that a command made in the boot that was
    learned from."""
    command: str
    part: float

    def file(self, learned):
        return f"{self.command} before {self.number(learned)} *"

    def number(self, learned):
        return max(1, int(self.part * learned.calls[self.command]))

    def __str__(self):
        return f"{self.command}: a call at {self.part:.3f}"


@dataclass
class StoreWrite:
    """At a part (0 to 1) of what reaches the store while the record is written."""
    part: float

    def file(self, _learned):
        return "log"

    def number(self, learned):
        return 1 + int(self.part * learned.operations)

    def earlier(self):
        return StoreWrite(self.part * EARLIER)

    def __str__(self):
        return f"a write to the store at {self.part:.3f}"


@dataclass
class Moment:
    """From outside, at a part (0 to 1) of the time between the kernel's start and the
    root's first program. The clock is what QEMU has computed, so that a busy host does
    not move it."""
    part: float

    def file(self, _learned):
        return "log"

    def earlier(self):
        return Moment(self.part * EARLIER)

    def __str__(self):
        return f"at {self.part:.3f} of the boot"


@dataclass
class Learned:
    """What an undisturbed boot of a kind of machine takes, with a default configuration."""
    fingerprint: int = 0
    calls: dict = field(default_factory=dict)
    operations: int = 0         # of the store from the record's first byte on
    kernel: float = 0           # QEMU's seconds of computing, from power-on
    root: float = 0


class Outcome:
    """What came of a boot."""

    def __init__(self, ended, log, facts, seconds):
        self.ended = ended      # off, cut, or in words what went wrong
        self.log = log          # the tool's lines
        self.facts = facts
        self.seconds = seconds
        self.times = {}
        self.writes = 0         # to the store since it was watched
        self.operations = 0     # and flushes

    def binds(self):
        """Addresses that a write to bind was begun for, or that were bound at the cut."""
        return ({line.split()[-1] for line in self.log
                 if " before write " in line and "/drivers/vfio-pci/bind " in line}
                | {line.split()[1] for line in self.log if line.startswith("bound ")})

    def calls(self):
        """How many system calls each command made, where it did something."""
        calls = {}
        for line in self.log:
            if match := re.match(r"end (\S+) (\d+) calls", line):
                calls[match[1]] = max(calls.get(match[1], 0), int(match[2]))
        return calls

    def driver(self, path):
        address = self.facts.at(path)
        return address and self.facts.functions[address]["driver"]

    def override(self, path):
        address = self.facts.at(path)
        return address and self.facts.functions[address]["override"]


def conf_text(host):
    lines = ["[host]", *(f"{key} = {value}" for key, value in host.items()),
             "[claim gaming]"]
    for path, name in CLAIMED.items():
        model = MODELS[name]
        lines.append(f"function = 0000:01:00.{path[-1]} path=0000:00:{path} id={model.id} "
                     f"subsystem={model.subsystem} class={model.klass}")
    return "\n".join(lines) + "\n"


class Machine:
    """kind: efi, or the file system of the boot partition: ext4, vfat; none: SeaBIOS and
    no disk."""

    def __init__(self, kind, folder, image, rng, host=None, devices=DEVICES, folders=()):
        self.kind, self.folder, self.image = kind, folder, image
        self.rng, self.devices = rng, devices
        self.host = {"record": "efi" if kind == "efi" else f"PARTUUID={disk.PARTUUID}",
                     **(host or {})}
        self.partitions = "" if kind in ("efi", "none") else disk.PARTUUID + "\n"
        # A partition with a folder boot is root and boot partition in one.
        self.path = ("boot/" if "boot" in folders else "") + disk.RECORD
        self.medium = self.blank = None
        self.boots = 0
        if kind == "efi":
            with open(f"{OVMF}/OVMF_VARS_4M.fd", "rb") as source:
                self.medium = Medium(source.read(), cached=False)
        elif kind != "none":
            self.blank = _blank(kind, folders)
            self.medium = Medium(self.blank, cached=True, rng=rng,
                                 unit=BLOCK if kind == "ext4" else SECTOR)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)

    # ---- what the store says

    def record(self):
        """The record's bytes, or None."""
        if self.kind == "efi":
            variable = efivars.find(self.medium.image)
            return variable and variable.data
        with disk.Partition(self.medium.image, self.kind) as part:
            return part.read(self.path)

    # ---- a boot

    def boot(self, cut=None, learned=None, early="", late="", cmdline="", tool=True,
             files=None, learning=False, since=LOCAL_TOP):
        # pylint: disable=too-many-arguments,too-many-locals
        """Boots once. `early` runs before vfio-claim, `late` in the real root. Without
        `tool` no system call is followed. Writes to the store are counted from the kernel's
        start, or with `learning` from the record's first byte on. A state that was saved at
        the place `since` or before it may stand for the boot so far; None: it is all run."""
        self.boots += 1
        folder = f"{self.folder}/{self.boots}"
        os.makedirs(folder)
        if cut:
            with open(f"{folder}/cut", "w", encoding="utf-8") as out:
                out.write(f"{cut}\n")
        command = self._command(cmdline)
        words = {"early": early, "cut": "log" if tool else "mark"}
        state = None if learning else self._state(command, words, self._place(cut, since))
        if state:
            command += state.arguments()
        if cut:
            words["cut"] = cut.file(learned)
        _write(f"{folder}/files", self._files("", {**words, "late": late}, files or {}))
        if self.medium:
            command += self.medium.power_on(folder, "store")
            self._watch_store(folder, from_record=isinstance(cut, StoreWrite) or learning)
        started = time.monotonic()
        with Vm(folder, command) as vm:
            ended, times = self._watch(vm, folder, cut, learned)
        if self.medium:
            self.medium.power_off(cut=ended == "cut")
        log = (state.log() if state else []) + _lines(f"{folder}/cut.log")
        facts = Facts(_read(f"{folder}/facts.log").decode(errors="replace"))
        result = Outcome(ended, log, facts, time.monotonic() - started)
        result.times = times
        if self.medium:
            result.writes = self.medium.writes
            result.operations = self.medium.operations
        return result

    def _place(self, cut, since):
        """Where the boot may be resumed, None: nowhere."""
        if since is None or isinstance(cut, Moment):
            return None
        if self.kind in ("efi", "none") or getattr(cut, "command", None) == "start":
            return INIT_TOP
        return since

    def _state(self, command, words, place):
        """The saved state that a boot goes on from, or None."""
        store = None
        if self.kind == "efi" and place:
            store = efivars.content(self.medium.image)
            place = place if store else None
        if not place:
            return None
        files = self._files(place, {} if place == INIT_TOP else {**words, "saved": place})
        if place == LOCAL_TOP:
            store = self.blank

        def make(folder):
            start = self._state(command, words, INIT_TOP) if place == LOCAL_TOP else None
            medium = Medium(self.blank or self.medium.image, cached=self.medium.cached)
            _write(f"{folder}/files", files)
            save(folder, [*command, *(start.arguments() if start else []),
                          *medium.power_on(folder, "store")], place, stopping)
            medium.power_off(cut=False)
        return states.get((command, files, store), make)

    def _files(self, place, words, files=None):
        """What QEMU's fw_cfg has for the test, see cut.c: at a place the machine waits."""
        archive = Cpio()
        archive.add("etc/vfio-claim.conf", conf_text(self.host))
        archive.add("etc/vfio-claim.partitions", self.partitions)
        archive.folder("test")
        for name, text in {**words, "conf": conf_text(self.host)}.items():
            if text:
                archive.add(f"test/{name}", text.rstrip("\n") + "\n")
        for path, content in (files or {}).items():
            archive.add(path, content)
        return f"{place}\n".encode() + archive.bytes()

    def _command(self, cmdline):
        board = Board.parse(self.devices)
        efi = self.kind == "efi"
        command = [
            *arguments("intel", board),
            "-drive", f"file={self.image}/root.img,format=raw,readonly=on,if=none,id=root",
            "-device", "virtio-blk-pci,drive=root,addr=05.0",
            "-serial", "file:console.log", "-serial", "file:facts.log",
            "-chardev", "file,id=cut,path=cut.log",
            "-device", "isa-debugcon,iobase=0xe9,chardev=cut",
            "-device", "isa-debug-exit",
            "-fw_cfg", "name=opt/vfio-claim/files,file=files",
            "-initrd", f"{self.image}/initrd.img",
            "-append", f"{CMDLINE} {quick_kernel.ARGUMENT if efi else ''} {cmdline}"]
        if efi:
            # EFI boots bzImages only.
            command += [*quick_kernel.start(f"{self.image}/vmlinuz"),
                        "-drive", "if=pflash,format=raw,unit=0,readonly=on,"
                        f"file={OVMF}/OVMF_CODE_4M.fd", "-machine", "pflash1=store"]
        else:
            # A guest whose clock is its own work: a busy host does not bring it near the
            # deadline of 10 s. OVMF does not come up with that.
            command += ["-kernel", f"{self.image}/vmlinux", "-icount", "shift=1"]
        if self.medium and not efi:
            command += ["-device", "virtio-blk-pci,drive=store,addr=06.0"]
        return command

    def _watch_store(self, folder, from_record):
        log = f"{folder}/cut.log"
        begun = []

        def armed():
            text = _read(log) if from_record or not begun else b""
            if not begun and (RECORD.search(text) if from_record else text):
                begun.append(True)
            return begun and not (from_record and RECORDED.search(text))
        self.medium.armed, self.medium.limit = armed, None

    def _watch(self, vm, folder, cut, learned):
        """Waits for the end. Returns it and QEMU's seconds of computing at some places."""
        started, times, reached = time.monotonic(), {}, []
        log, console = f"{folder}/cut.log", f"{folder}/console.log"
        if isinstance(cut, StoreWrite):
            def limit():
                reached.append(True)
                vm.process.kill()
            self.medium.on_limit = limit
            self.medium.limit = cut.number(learned)
        moment = isinstance(cut, Moment)
        while vm.running():
            spent = _computed(vm)
            if "kernel" not in times and (self.kind != "efi" or
                                          b"EFI stub" in _read(console)):
                times["kernel"] = spent
            if "root" not in times and b"script init\n" in _read(log):
                times["root"] = spent
            if moment and "kernel" in times and \
                    spent >= times["kernel"] + cut.part * (learned.root - learned.kernel):
                vm.process.kill()
                return (TOO_LATE if "root" in times else "cut"), times
            if stopping.is_set():
                return "stopped", times
            if time.monotonic() - started > TIMEOUT:
                return f"no end after {TIMEOUT} s", times
            vm.wait(0.02 if moment else 0.1)
        status = vm.process.poll()
        text = _read(log)
        if cut and (reached or (status == CUT_STATUS and b"\ncut " in text)):
            return "cut", times
        if b"not reached" in text or cut:
            return NOT_REACHED, times
        if status:
            return f"QEMU: {vm.messages()}", times
        return "off", times


@functools.cache
def _made(kind, folders):
    return disk.make(kind, folders)


def _blank(kind, folders):
    """A disk without a record. One for all machines, because udev keeps its UUIDs in a state."""
    with making:
        return _made(kind, folders)


def _computed(vm):
    """QEMU's seconds of processor time."""
    try:
        with open(f"/proc/{vm.process.pid}/stat", encoding="utf-8") as text:
            words = text.read().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _write(path, content):
    with open(path, "wb") as out:
        out.write(content)


def _lines(path):
    return _read(path).decode(errors="replace").splitlines()


def _read(path):
    try:
        with open(path, "rb") as source:
            return source.read()
    except FileNotFoundError:
        return b""
