# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian root in which the hooks for initramfs-tools run, and what was said there."""

import contextlib
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.append(f"{TOP}/tests/lib")

# pylint: disable=wrong-import-position
from cases import Failed, must, run

BUILD = f"{TOP}/build/hooks"
CONF = "etc/vfio-claim.conf"
TEXT = """[claim gpu]
function = 0000:01:00.0 path=0000:00:01.0/00.0 id=10de:2484 subsystem=1:2 class=030000
"""
STAGES = ("init-top", "local-top", "nfs-top", "init-bottom")
SCRIPTS = ["hooks/vfio-claim", *(f"scripts/{when}/00-vfio-claim" for when in STAGES)]
PARTITIONS = "etc/vfio-claim.partitions"


class Root:
    """A copy of the cached root, with vfio-claim installed."""

    def __init__(self):
        self.path = f"{BUILD}/root"
        shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(BUILD, exist_ok=True)
        cached = must("tests/lib/small-root")
        must("cp", "-a", "--reflink=auto", cached, self.path)
        self.release = sorted(os.listdir(f"{self.path}/lib/modules"))[0]
        # few modules: some seconds for an image instead of half a minute
        self.write("etc/initramfs-tools/conf.d/few", "MODULES=list\n")
        self.write("etc/initramfs-tools/modules", "virtio_blk\next4\n")
        self.write("etc/initramfs-tools/conf.d/quick", "COMPRESSLEVEL=1\n")
        # to be updated, as the kernel's package leaves one
        self.write(f"boot/initrd.img-{self.release}", "")
        self.before = self.paths()
        shutil.rmtree(f"{BUILD}/stage", ignore_errors=True)
        must("make", "-s", "install", f"DESTDIR={BUILD}/stage", "PREFIX=/usr")

    def full(self, path):
        return f"{self.path}/{path}"

    def write(self, path, text, mode=0o644, owner=0):
        with open(self.full(path), "w", encoding="utf-8") as out:
            out.write(text)
        os.chown(self.full(path), owner, owner)
        os.chmod(self.full(path), mode)

    def remove(self, path):
        if os.path.lexists(self.full(path)):
            os.unlink(self.full(path))

    def paths(self):
        """All that an installation could add to; builds leave things in var/."""
        return {os.path.join(folder, name)
                for part in ("etc", "usr", "lib", "boot")
                for folder, folders, files in os.walk(self.full(part))
                for name in folders + files}

    def install(self):
        """All of it, whatever a case took away."""
        must("cp", "-a", "--no-preserve=ownership", f"{BUILD}/stage/.", self.path)

    def uninstall(self, *words):
        must("make", "-s", "uninstall", f"DESTDIR={self.path}", "PREFIX=/usr", *words)

    @contextlib.contextmanager
    def without(self, path):
        shutil.move(self.full(path), f"{BUILD}/hidden")
        try:
            yield
        finally:
            shutil.move(f"{BUILD}/hidden", self.full(path))

    def update(self):
        """The image that boots, by update-initramfs. Returns what was said."""
        done = run("chroot", self.path, "update-initramfs", "-u", "-k", self.release)
        if done.returncode:
            raise Failed(f"update-initramfs: status {done.returncode}: {done.stderr.strip()}")
        return done.stderr

    def look(self, status, *words, command=f"{BUILD}/stage/usr/bin/vfio-claim"):
        """`vfio-claim images` from outside: its status, and the words in its one line."""
        done = run(command, "images", "--root", self.path, "--kernel", self.release)
        if done.returncode != status or done.stderr or done.stdout.count("\n") != 1 or \
                not all(word in done.stdout for word in (self.release, *words)):
            raise Failed(f"images: status {done.returncode}: {done.stdout}{done.stderr}")

    def build(self, case, release=None):
        """An image by mkinitramfs. Returns its unpacked tree and what was said."""
        image = "/var/tmp/image"
        self.remove(image)
        done = run("chroot", self.path, "mkinitramfs", "-o", image,
                    release or self.release)
        if done.returncode:
            raise Failed(f"mkinitramfs: status {done.returncode}: {done.stderr.strip()}")
        return self.unpack(case, self.full(image)), done.stderr

    def unpack(self, case, image):
        folder = f"{BUILD}/{case}"
        shutil.rmtree(folder, ignore_errors=True)
        # the root's own: this machine need not have it
        inside = self.full("var/tmp/unpacked")
        shutil.rmtree(inside, ignore_errors=True)
        must("chroot", self.path, "unmkinitramfs", image[len(self.path):],
              "/var/tmp/unpacked")
        os.rename(inside, folder)
        return folder

    def judge(self, folder, *words, release=None):
        done = run(f"{HERE}/judge", folder, self.path, release or self.release, "order",
                    *words)
        if done.returncode:
            raise Failed((done.stdout + done.stderr).strip())


def said(text, *words):
    """Exactly one line of ours, a warning with these words; no words: none."""
    ours = [line for line in text.splitlines() if "vfio" in line]
    if not words and ours:
        raise Failed(f"it says {ours}")
    if words and (len(ours) != 1 or not ours[0].startswith("W: vfio-claim: ") or
                  not all(word in ours[0] for word in words)):
        raise Failed(f"it says {ours}, not one warning with {words}")


def loud(text, *words):
    """Some lines of ours, each a warning, with all of these words."""
    ours = [line for line in text.splitlines() if "vfio" in line]
    if len(ours) < 2 or not all(line.startswith("W: vfio-claim: ") for line in ours) or \
            not all(word in "\n".join(ours) for word in words):
        raise Failed(f"it says {ours}, not warnings with {words}")
