# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian root in which a kernel upgrade builds an image, and what is said there."""

import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [f"{TOP}/tests/lib"]

# pylint: disable=wrong-import-position
from cases import Failed, equal, must, run

BUILD = f"{TOP}/build/hooks"
CONF = "etc/vfio-claim.conf"
EARLY = "usr/lib/vfio-claim/vfio-claim-early"
INSIDE = 'mount -t proc none "$1/proc" && mount --bind /dev "$1/dev" && exec chroot "$@"'


class Upgraded:
    """`make` puts the root at a path; `command` is what a kernel upgrade runs there."""

    def __init__(self, name, make, *command):
        self.path = f"{BUILD}/{name}"
        shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(BUILD, exist_ok=True)
        make(self.path)
        self.release = os.listdir(f"{self.path}/usr/lib/modules")[0]
        self.command = [word.replace("RELEASE", self.release) for word in command]
        self.write(CONF, "[claim gpu]\nfunction = 0000:01:00.0 path=0000:00:01.0/00.0 "
                   "id=10de:2484 subsystem=1:2 class=030000\n")

    def full(self, path):
        return f"{self.path}/{path}"

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.full(path)), exist_ok=True)
        with open(self.full(path), "w", encoding="utf-8") as out:
            out.write(text)

    def inside(self, *command):
        return run("unshare", "--mount", "sh", "-c", INSIDE, "sh", self.path, *command)

    def says(self, *words):
        """The upgrade passes, and says these words about us, or nothing."""
        done = self.inside(*self.command)
        if done.returncode:
            raise Failed(f"the upgrade fails: {done.stderr.strip()[-400:]}")
        said = "\n".join(line for line in (done.stdout + done.stderr).split("\n")
                         if "vfio-claim: " in line)
        for word in words:
            if word not in said:
                raise Failed(f"it does not say {word!r}: {said!r}")
        if not words:
            equal("said", said, "")

    def without(self, path):
        os.rename(self.full(path), self.full(f"{path}.gone"))

    def again(self, path):
        os.rename(self.full(f"{path}.gone"), self.full(path))

    def lacks(self, hook, mend):
        """Whatever is missing, the upgrade passes, and it is said what to type. `hook`
        puts us into the image."""
        self.says()
        # as another image is missing what is installed
        self.without(hook)
        self.says("W: vfio-claim: ", EARLY, "install vfio-claim again", mend)
        self.again(hook)
        self.without(EARLY)
        self.says(f"/{EARLY} is missing: the host keeps its GPU")
        self.again(EARLY)
        module = must("find", self.full(f"usr/lib/modules/{self.release}"), "-name",
                      "vfio-pci.ko*").strip()
        os.rename(module, f"{module}.gone")
        must("chroot", self.path, "depmod", self.release)
        self.says("has no vfio-pci: the host will keep its GPU", "W: vfio-claim: ")
        os.rename(f"{module}.gone", module)
        must("chroot", self.path, "depmod", self.release)
        self.says()

    def unconfigured(self):
        os.unlink(self.full(CONF))
        self.says()
        done = run("chroot", self.path, "vfio-claim", "images")
        equal("without a configuration",
              (done.returncode, "nothing of vfio-claim" in done.stdout), (0, True))
