# SPDX-License-Identifier: GPL-2.0-or-later
"""Running QEMU from the boot tests and the demo: it never outlives the program that started
it, its monitor is spoken to over QMP, and small cpio archives extend its initramfs."""

import ctypes
import json
import os
import signal
import socket
import subprocess
import time

from times import Times

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def _die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Vm:
    """A running QEMU in `folder`, which receives its command line and its messages. Where the
    environment's VM_TIMES names a file, that receives a line (times.py)."""

    def __init__(self, folder, arguments):
        self.folder = folder
        self.times_path = os.environ.get("VM_TIMES")
        self.times = Times(folder, arguments) if self.times_path else None
        if self.times:
            arguments = [*arguments, *self.times.arguments()]
        command = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
                   "-display", "none", *arguments]
        with open(f"{folder}/qemu.command", "w", encoding="utf-8") as out:
            out.write(" \\\n\t".join(command) + "\n")
        with open(f"{folder}/qemu.messages", "wb") as out:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                preexec_fn=_die_with_parent, cwd=folder)
        if self.times:
            self.times.start(self.process.pid)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        if self.times:
            self.times.write(self.times_path)
            self.times = None

    def running(self):
        return self.process.poll() is None

    def wait(self, seconds):
        """Waits for the machine to power off. False if it had not within `seconds`."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def messages(self):
        with open(f"{self.folder}/qemu.messages", encoding="utf-8", errors="replace") as text:
            return text.read().strip()


class Monitor:
    """A QMP connection to a Vm that was started with Monitor.ARGUMENTS."""

    ARGUMENTS = ["-qmp", "unix:monitor,server=on,wait=off"]

    def __init__(self, vm, seconds=20):
        self.vm = vm
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(60)
        deadline = time.monotonic() + seconds
        # A socket's path is limited to 107 bytes, which a checkout's may exceed.
        folder = os.open(vm.folder, os.O_PATH)
        while True:
            try:
                self.socket.connect(f"/proc/self/fd/{folder}/monitor")
                break
            except OSError as error:
                if time.monotonic() > deadline or not vm.running():
                    raise OSError(f"QEMU does not start: {vm.messages()}") from error
                time.sleep(0.1)
        os.close(folder)
        self.stream = self.socket.makefile("rw", encoding="utf-8")
        self.stream.readline()
        self.run("qmp_capabilities")

    def run(self, command, **arguments):
        json.dump({"execute": command, "arguments": arguments}, self.stream)
        self.stream.write("\n")
        self.stream.flush()
        while True:
            line = self.stream.readline()
            if not line:
                raise OSError("QEMU closed its monitor")
            answer = json.loads(line)
            if "error" in answer:
                raise OSError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]

    def quit(self):
        """Ends the machine. Not killed at first: QEMU would lose what it has not yet written of
        a disk's own tables."""
        try:
            self.run("quit")
            self.vm.wait(20)
        except OSError:
            pass
        self.vm.__exit__()

    def screendump(self, device, path):
        """Takes a picture (PPM) of the head of one display device."""
        self.run("screendump", filename=path, device=device)


class Cpio:
    """A cpio archive in the form that the kernel unpacks, owned by root."""

    def __init__(self):
        self.parts = []

    def add(self, path, content=b"", mode=0o100644, uid=0):
        if isinstance(content, str):
            content = content.encode()
        name = path.encode() + b"\0"
        header = "070701" + "".join(f"{field:08x}" for field in (
            len(self.parts) + 1, mode, uid, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0))
        self.parts.append(_padded(header.encode() + name) + _padded(content))

    def folder(self, path):
        self.add(path, mode=0o40755)

    def bytes(self):
        end = Cpio()
        end.add("TRAILER!!!")
        return b"".join(self.parts + end.parts)


def _padded(data):
    return data + bytes(-len(data) % 4)


def extend_initrd(base, archive, path):
    """Writes the initramfs at `base` plus an archive to `path`; the kernel unpacks both."""
    with open(base, "rb") as source, open(path, "wb") as out:
        out.write(_padded(source.read()))
        out.write(archive.bytes())


def ovmf_arguments(folder):
    """UEFI firmware with variables of its own that last as long as `folder`."""
    variables = f"{folder}/variables.fd"
    if not os.path.exists(variables):
        with open("/usr/share/OVMF/OVMF_VARS_4M.fd", "rb") as source, \
                open(variables, "wb") as out:
            out.write(source.read())
    return ["-drive", "if=pflash,format=raw,unit=0,readonly=on,"
            "file=/usr/share/OVMF/OVMF_CODE_4M.fd",
            "-drive", f"if=pflash,format=raw,unit=1,file={variables}"]
