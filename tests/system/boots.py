# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that is booted several times: its disk and its firmware's variables last. Each
boot has a shell on the second serial port, a console that can be typed at, and screens that
can be read."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, f"{HERE}/../lib")

# pylint: disable=wrong-import-position
import quick_kernel
from facts import Facts
from line import Line
from machine import KERNEL, Board, arguments
from picture import Picture
from screen import Font
from vm import Cpio, Monitor, Vm, extend_initrd, ovmf_arguments

# What the kernel says of its devices would come in the middle of a line that is waited for.
CMDLINE = f"rw quiet loglevel=2 {KERNEL} intel_iommu=on audit=0 apparmor=0"
CONSOLES = {"serial": "console=tty0 console=ttyS0", "screen": "console=ttyS0 console=tty0"}
GUID = uuid.UUID("5f4c1d2e-8a37-4b0c-9d61-3e7a52c8f014").bytes_le
# EDK2's AUTHENTICATED_VARIABLE_HEADER up to the GUID; behind it name and data
VARIABLE_HEADER, VARIABLE_SIZE = 44, 16 + 2 * len("VfioClaimRecord") + 2 + 80
stopping = threading.Event()


def layout():
    """The disks' constants, which the shell script that makes them has, too."""
    with open(f"{HERE}/layout", encoding="utf-8") as text:
        return dict(re.findall(r"^(\w+)=(.*)$", text.read(), re.MULTILINE))


LAYOUT = layout()
# What each kind of disk mounts, and which file systems the image's list names.
KINDS = {
    "esp": ("gpt", "ovmf", "LABEL=ESP /boot/efi vfat umask=077 0 1\n",
            [LAYOUT["ROOT_PARTUUID"], LAYOUT["ESP_PARTUUID"]]),
    "mbr": ("mbr", "seabios", "LABEL=boot /boot ext4 defaults 0 2\n",
            [LAYOUT["MBR_ID"] + "-02"]),
    "gpt": ("gpt", "seabios", "LABEL=boot /boot ext4 defaults 0 2\n",
            [LAYOUT["BOOT_PARTUUID"]]),
    "luks": ("luks", "ovmf", "LABEL=boot /boot ext4 defaults 0 2\n"
             "LABEL=ESP /boot/efi vfat umask=077 0 1\n",
             [LAYOUT["BOOT_PARTUUID"], LAYOUT["ESP_PARTUUID"]]),
}


class Broken(Exception):
    """A boot does not get where it should."""


class Machine:
    """What lasts: a disk over an image's one, and the firmware's variables."""

    def __init__(self, folder, image, kind):
        self.folder, self.image, self.kind = folder, image, kind
        self.disk, self.firmware, self.fstab, self.partitions = KINDS[kind]
        self.boots = 0
        with open(f"{image}/release", encoding="utf-8") as text:
            self.release = text.read().strip()
        with open(f"{image}/release-next", encoding="utf-8") as text:
            self.next_release = text.read().strip()
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw",
                        "-b", f"{image}/disk-{self.disk}.img", f"{folder}/disk.qcow2"],
                       check=True)

    def own_variables(self):
        """All that the firmware's store holds of our variable, old values included: headers,
        names and data with their places. OVMF writes variables of its own in every boot."""
        with open(f"{self.folder}/variables.fd", "rb") as source:
            store = source.read()
        return [(at.start(), store[at.start() - VARIABLE_HEADER:at.start() + VARIABLE_SIZE])
                for at in re.finditer(re.escape(GUID), store)]

    def files(self, conf, files, kernel):
        """What a boot brings along: an archive behind the initramfs. What stands below
        test/root in it is laid over the real root."""
        archive = Cpio()
        for folder in ("test", "test/root", "etc"):
            archive.folder(folder)
        own = {"etc/fstab": f"LABEL=root / ext4 defaults 0 1\n{self.fstab}", **files}
        if self.disk == "luks":
            own["etc/fstab"] = own["etc/fstab"].replace(
                "LABEL=root", "/dev/mapper/" + LAYOUT["LUKS_NAME"])
        if conf is not None:
            archive.add("etc/vfio-claim.conf", conf)
            own["etc/vfio-claim.conf"] = conf
        # The hook wrote none where it ran, in a chroot; steps.rebuilt() shows what it writes in
        # the machine.
        archive.add("etc/vfio-claim.partitions", "".join(f"{p}\n" for p in self.partitions))
        if kernel == "next":
            archive.add(f"usr/lib/modules/{self.next_release}", self.release, 0o120777)
        known = {"test/root"}
        archive.folder("etc/modprobe.d")
        for path, content in own.items():
            parts = f"test/root/{path}".split("/")
            for depth in range(1, len(parts)):
                folder = "/".join(parts[:depth])
                if folder not in known:
                    known.add(folder)
                    archive.folder(folder)
            mode = 0o100644
            if content.startswith("-> "):
                content, mode = content[3:], 0o120777
            elif content.startswith("#!"):
                mode = 0o100755
            archive.add("/".join(parts), content, mode)
            if path.startswith("etc/modprobe.d/"):
                archive.add(path, content, mode)
        return archive


class Boot:
    """One boot of a machine. As a context it ends with the power being cut."""

    def __init__(self, machine, devices, *, conf=None, cmdline="", files=None, kernel="",
                 iommu="intel", console="screen", seconds=480, extra=()):
        machine.boots += 1
        self.machine = machine
        self.folder = f"{machine.folder}/{machine.boots}"
        self.board = Board.parse(devices)
        self.started = time.monotonic()
        self.deadline = self.started + seconds
        self.seconds = seconds
        os.makedirs(self.folder)
        image = machine.image
        base = "initrd-luks.img" if machine.disk == "luks" else "initrd.img"
        extend_initrd(f"{image}/{base}", machine.files(conf, files or {}, kernel),
                      f"{self.folder}/initrd.img")
        # EFI boots bzImages only.
        name = "vmlinuz" if machine.firmware == "ovmf" or kernel == "packed" else "vmlinux"
        started = f"{image}/{name}{'-next' if kernel == 'next' else ''}"
        if machine.firmware == "ovmf":
            cmdline += f" {quick_kernel.ARGUMENT}"
            started = quick_kernel.start(started)
        else:
            started = ["-kernel", started]
        command = [*arguments(iommu, self.board, memory=1024), *Monitor.ARGUMENTS,
                   "-drive", "if=none,id=disk,format=qcow2,cache=unsafe,"
                   f"file={machine.folder}/disk.qcow2",
                   "-device", "virtio-blk-pci,addr=1a.0,drive=disk",
                   *started, "-initrd", "initrd.img",
                   "-append", f"root={self._root()} {CONSOLES[console]} {CMDLINE} {cmdline}",
                   *extra]
        for name in ("console", "shell"):
            command += ["-chardev", f"socket,id={name},path={name},server=on,wait=off,"
                        f"logfile={name}.log", "-serial", f"chardev:{name}"]
        if machine.firmware == "ovmf":
            command += ovmf_arguments(machine.folder)
        self.vm = Vm(self.folder, command)
        self.monitor = Monitor(self.vm)
        self.console = Line(self, "console")
        self._shell = None
        self.commands = 0

    def _root(self):
        return f"/dev/mapper/{LAYOUT['LUKS_NAME']}" if self.machine.disk == "luks" \
            else "LABEL=root"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.monitor.quit()
        os.unlink(f"{self.folder}/initrd.img")

    def check(self, doing):
        if stopping.is_set():
            raise Broken("stopped")
        if time.monotonic() > self.deadline:
            raise Broken(f"{doing}: not done {self.seconds} s after power-on")
        if not self.vm.running():
            raise Broken(f"{doing}: the machine went off {self.vm.messages()}")

    def run(self, command):
        """Runs a shell command as root and returns what it wrote, errors included."""
        if not self.commands:
            self._shell = self._shell or Line(self, "shell")
            self._shell.expect("== shell\n", "waiting for a shell")
        self.commands += 1
        mark = f"@{self.commands}@"
        self._shell.send(f"{{ {command}\n}} </dev/null 2>&1; echo; echo {mark}\n")
        return self._shell.expect(f"\n{mark}\n", command)

    def until(self, command, doing):
        """Repeats a command until it writes something."""
        while not (told := self.run(command).strip()):
            self.check(doing)
            time.sleep(0.5)
        return told

    def prompt(self):
        """Waits until a passphrase is asked for; returns what the machine is like then."""
        if self._shell is None:
            self._shell = Line(self, "shell")
        return Facts(self._shell.expect("== prompt\n", "waiting for the prompt"))

    def root(self):
        """Waits until the initramfs is over; returns the seconds since power-on. A busy host
        makes it late, but it is early in the boot."""
        self._shell = Line(self, "shell")
        self._shell.expect("== root ", "waiting for the end of the initramfs")
        return float(self._shell.expect("\n", "waiting for the end of the initramfs"))

    def up(self):
        """Waits until the boot is over, and vfio-claim's service with it."""
        self.run("systemctl is-system-running --wait")

    def sleep(self):
        """Suspends the machine to memory and wakes it up."""
        self._shell.send("systemctl start systemd-suspend.service\n")
        while self.monitor.run("query-status")["status"] != "suspended":
            self.check("falling asleep")
            time.sleep(0.5)
        self.monitor.run("system_wakeup")
        # what is sent too early gets lost, in part or whole
        self._shell.send("\necho == awake\n")
        while not self._shell.heard("== awake\n"):
            self.check("waking up")
            self._shell.send("\necho == awake\n")
        self._shell.send("echo == ready\n")
        self._shell.expect("== ready\n", "waking up")

    def facts(self):
        """What the machine says about itself now."""
        text = self.run("/usr/lib/test/facts.sh; /usr/lib/test/more.sh")
        with open(f"{self.folder}/facts.log", "w", encoding="utf-8") as out:
            out.write(text)
        return Facts(text)

    def screen(self, path, name):
        """The text on the head of the display device at `path`; a PNG of it is left."""
        raw = f"{self.folder}/{name}.ppm"
        self.monitor.screendump("at-" + path.replace("/", "_"), raw)
        picture = Picture(raw)
        picture.write_png(f"{self.folder}/{name}.png")
        os.unlink(raw)
        return Font.of(f"{self.machine.image}/vmlinux").read(picture)

    def screen_until(self, path, name, words):
        """Waits until words are on a screen. Returns the screen's text."""
        while words not in (text := self.screen(path, name)):
            self.check(f"waiting for {words!r} on the screen")
            time.sleep(1)
        return text

    def type(self, text):
        """Types at the machine's keyboard."""
        keys = {"\n": "ret", " ": "spc", "-": "minus", ".": "dot"}
        for letter in text:
            self.monitor.run("send-key", keys=[
                {"type": "qcode", "data": keys.get(letter, letter)}], **{"hold-time": 50})
            time.sleep(0.1)
