# SPDX-License-Identifier: GPL-2.0-or-later
"""A small disk with one partition that holds the record, read and damaged from outside."""

import os
import subprocess
import tempfile

PARTUUID = "0c5a1f2e-77b1-4c52-9e61-5d0f3b6a9d11"
OTHER_PARTUUID = "0c5a1f2e-77b1-4c52-9e61-5d0f3b6a9dff"
START, SIZE = 1 << 20, 16 << 20
RECORD = "vfio-claim.record"
TYPES = {"ext4": "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
         "vfat": "C12A7328-F81F-11D2-BA4B-00C93EC93B1C"}


def run(*command, check=True, **words):
    words = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **words}
    return subprocess.run(command, check=check, **words).stdout


def make(kind, folders=()):
    """The bytes of a disk whose partition is ext4 or vfat."""
    with tempfile.TemporaryDirectory() as work:
        part = f"{work}/part"
        with open(part, "wb") as out:
            out.truncate(SIZE)
        content = f"{work}/content"
        for folder in ("", *folders):
            os.makedirs(f"{content}/{folder}", exist_ok=True)
        if kind == "ext4":
            run("mke2fs", "-q", "-t", "ext4", "-E", "lazy_itable_init=0,root_owner=0:0",
                "-d", content, part)
        else:
            run("mkfs.vfat", "-n", "ESP", part)
            for folder in folders:
                run("mmd", "-i", part, f"::{folder}")
        disk = f"{work}/disk"
        with open(part, "rb") as source, open(disk, "wb") as out:
            out.seek(START)
            out.write(source.read())
            out.truncate(START + SIZE + (1 << 20))
        run("sfdisk", "-q", disk, text=True, input=f"label: gpt\nstart={START // 512}, "
            f"size={SIZE // 512}, type={TYPES[kind]}, uuid={PARTUUID}\n")
        with open(disk, "rb") as source:
            return source.read()


class Partition:
    """The partition of a disk, as a file of its own for the length of a with block. With
    `write`, what was done to it goes back into `image` (a bytearray)."""

    def __init__(self, image, kind, write=False):
        self.image, self.kind, self.write = image, kind, write
        self.path = None

    def __enter__(self):
        handle, self.path = tempfile.mkstemp()
        with open(handle, "wb") as out:
            out.write(self.image[START:START + SIZE])
        if self.kind == "ext4":
            # Replays the journal. 0: clean, 1: mended.
            check = subprocess.run(["e2fsck", "-fp", self.path], check=False, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if check.returncode not in (0, 1):
                raise ValueError(f"e2fsck: {check.stdout}")
        return self

    def __exit__(self, *_):
        if self.write:
            with open(self.path, "rb") as source:
                self.image[START:START + SIZE] = source.read()
        os.unlink(self.path)

    def debugfs(self, *requests):
        return run("debugfs", "-w", "-f", "-", self.path, input="\n".join(requests).encode())

    def read(self, path):
        """The content of a file, or None if there is none."""
        with tempfile.TemporaryDirectory() as work:
            if self.kind == "ext4":
                run("debugfs", "-R", f"dump /{path} {work}/file", self.path)
            else:
                run("mcopy", "-i", self.path, f"::{path}", f"{work}/file", check=False)
            if not os.path.isfile(f"{work}/file") or "not found" in self.list(path):
                return None
            with open(f"{work}/file", "rb") as source:
                return source.read()

    def list(self, path=""):
        if self.kind == "ext4":
            return run("debugfs", "-R", f"ls -p /{path}", self.path).decode()
        return run("mdir", "-b", "-i", self.path, f"::{path}", check=False).decode()

    def put(self, path, content):
        """Writes a file, replacing what was there."""
        with tempfile.NamedTemporaryFile() as source:
            source.write(content)
            source.flush()
            if self.kind == "ext4":
                self.debugfs(f"rm /{path}", f"cd /{os.path.dirname(path)}",
                             f"write {source.name} {os.path.basename(path)}")
            else:
                run("mcopy", "-o", "-i", self.path, source.name, f"::{path}")

    def remove(self, path):
        if self.kind == "ext4":
            self.debugfs(f"rm /{path}")
        else:
            run("mdel", "-i", self.path, f"::{path}")
