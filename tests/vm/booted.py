# SPDX-License-Identifier: GPL-2.0-or-later
"""The machine with libvirt, booted: commands run in it one after another, and its heads can be
looked at. Its disk lasts from boot to boot."""

import base64
import collections
import os
import time

from cases import Failed, must, stopping
from line import Line
from machine import Board, arguments
from picture import Picture
from screen import Font
from vm import Monitor, Vm

# As tests/roots/machines/qemu.txt has it, where setup ran
BOARD = "01.0=vga 1c.0/00.0=vga+hda 1d.0/00.0=vga+hda"
# The same with a card more in front: all buses behind it have other numbers, all paths are kept.
RENUMBERED = "01.0=vga 10.0/00.0=e1000e 1c.0/00.0=vga+hda 1d.0/00.0=vga+hda"
HOST, CARD, TWIN = "01.0", "1c.0/00.0", "1d.0/00.0"     # paths of the heads
SECONDS = 240                   # a boot, or a command, is given up then

Done = collections.namedtuple("Done", "status out err")


class Crashed(Failed):
    """QEMU itself died. Seen with 7.2; says nothing of us."""


class Machine:
    """What lasts: a disk over the stock one."""

    def __init__(self, folder, stock):
        self.folder, self.stock, self.boots = folder, stock, 0
        must("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", f"{stock}/disk.img",
             f"{folder}/disk.qcow2")


class Boot:
    """One boot of a machine. As a context it ends with the power being cut, unless the machine
    is off by then."""

    def __init__(self, machine, board=BOARD, memory=1536, smp=1):
        machine.boots += 1
        self.folder = f"{machine.folder}/{machine.boots}"
        os.makedirs(self.folder)
        self.kernel = f"{machine.stock}/guest.vmlinux"
        self.started = time.monotonic()
        self.deadline = self.started + SECONDS
        self.commands = 0
        command = [*arguments("intel", Board.parse(board), memory=memory), *Monitor.ARGUMENTS,
                   "-smp", str(smp), "-audiodev", "none,id=silent",
                   "-drive", "if=none,id=disk,format=qcow2,cache=unsafe,"
                   f"file={machine.folder}/disk.qcow2",
                   "-device", "virtio-blk-pci,addr=05.0,drive=disk"]
        for path in ("1c.0_00.1", "1d.0_00.1"):
            command += ["-device", f"hda-output,bus=at-{path}.0,audiodev=silent"]
        for name in ("console", "shell"):
            command += ["-chardev", f"socket,id={name},path={name},server=on,wait=off,"
                        f"logfile={name}.log", "-serial", f"chardev:{name}"]
        self.vm = Vm(self.folder, command)
        self.monitor = Monitor(self.vm)
        self.shell = Line(self, "shell")
        self.shell.expect("== shell\n", "booting")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.monitor.quit()

    def check(self, doing):
        """Raises Failed once there is nothing to wait for any more."""
        if stopping.is_set():
            raise Failed("stopped")
        if time.monotonic() > self.deadline:
            raise Failed(f"{doing}: not done after {SECONDS} s, see {self.folder}")
        if not self.vm.running():
            kind = Crashed if self.vm.process.returncode < 0 else Failed
            raise kind(f"{doing}: the machine went off {self.vm.messages()}")

    def run(self, command):
        """Runs a shell command as root, without input. Returns status, out and err; carriage
        returns are lost. It takes SECONDS at most."""
        self.commands += 1
        self.deadline = time.monotonic() + SECONDS
        mark = f"@{self.commands}@"
        self.shell.send(f"(\n{command}\n) </dev/null >/run/test.out 2>/run/test.err; "
                        f"echo {mark} $?; cat /run/test.out; echo; echo {mark}; "
                        f"cat /run/test.err; echo; echo {mark}\n")
        self.shell.expect(f"{mark} ", command)
        status = self.shell.expect("\n", command)
        out, err = (self.shell.expect(f"\n{mark}\n", command) for _ in range(2))
        return Done(int(status), out, err)

    def must(self, command):
        """What a command said, which ends with status 0."""
        done = self.run(command)
        if done.status:
            raise Failed(f"{command}: status {done.status}: "
                         f"{(done.err or done.out).strip()[-600:]}")
        return done.out

    def until(self, command, doing, pause=0.5):
        """Repeats a command until it ends with status 0; returns what it said."""
        deadline = time.monotonic() + SECONDS
        while (done := self.run(command)).status:
            if time.monotonic() > deadline:
                raise Failed(f"{doing}: not done after {SECONDS} s: {done.err.strip()}")
            time.sleep(pause)
        return done.out

    def up(self):
        """Waits until the boot is over and has been confirmed; returns its seconds."""
        self.run("systemctl is-system-running --wait")
        self.must("systemctl is-active multi-user.target")
        return time.monotonic() - self.started

    def write(self, path, text):
        """Makes a file in the machine."""
        lines = base64.encodebytes(text.encode()).decode()
        self.must(f"base64 -d >{path} <<'END'\n{lines}END")

    def fetch(self, path, to):
        """Copies a file out of the machine."""
        with open(to, "wb") as out:
            out.write(base64.b64decode(self.must(f"base64 {path}")))

    def snap(self, path):
        """Takes a picture of the head of the display device at `path`."""
        raw = f"{self.folder}/head.ppm"
        self.monitor.screendump("at-" + path.replace("/", "_"), raw)
        picture = Picture(raw)
        os.unlink(raw)
        return picture

    def look(self, path, name):
        """The same, and a PNG is left."""
        picture = self.snap(path)
        picture.write_png(f"{self.folder}/{name}.png")
        return picture

    def read(self, picture):
        """The text of a console on a picture, by the kernel's own font."""
        return Font.of(self.kernel).read(picture)

    def off(self):
        """Powers off, as its owner would."""
        self.shell.send("systemctl poweroff\n")
        if not self.vm.wait(SECONDS):
            raise Failed(f"the machine does not power off, see {self.folder}")
