# SPDX-License-Identifier: GPL-2.0-or-later
"""The module for dracut, built by Debian's own dracut as a kernel upgrade does it: what is lacking
is said, and no upgrade fails because of us."""

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
MODULE = "usr/lib/dracut/modules.d/55vfio-claim"
UPGRADE = ('mount -t proc none "$1/proc" && exec chroot "$1" run-parts --exit-on-error '
           '--arg="$2" --arg="/boot/vmlinuz-$2" /etc/kernel/postinst.d')


class Root:
    """Debian 12 with dracut, with vfio-claim installed and configured."""

    def __init__(self, suite):
        self.path = f"{BUILD}/{suite}-dracut"
        shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(BUILD, exist_ok=True)
        must("cp", "-a", "--reflink=auto", must("tests/boot/root", suite, "dracut"), self.path)
        must("cp", "-a", "--no-preserve=ownership", f"{must('tests/lib/staged')}/.", self.path)
        self.release = os.listdir(f"{self.path}/usr/lib/modules")[0]
        must("install", "-m644", "tests/lib/dracut.conf", self.full("etc/dracut.conf.d/small.conf"))
        self.write("etc/dracut.conf.d/disk.conf", 'omit_dracutmodules+=" kernel-modules "\n')
        self.write(CONF, "[claim gpu]\nfunction = 0000:01:00.0 path=0000:00:01.0/00.0 "
                   "id=10de:2484 subsystem=1:2 class=030000\n")

    def full(self, path):
        return f"{self.path}/{path}"

    def write(self, path, text):
        with open(self.full(path), "w", encoding="utf-8") as out:
            out.write(text)

    def upgrade(self):
        """What was said about vfio-claim while the kernel's scripts ran."""
        done = run("unshare", "--mount", "sh", "-c", UPGRADE, "sh", self.path, self.release)
        if done.returncode:
            raise Failed(f"the upgrade fails: {done.stderr.strip()[-400:]}")
        return "\n".join(line for line in (done.stdout + done.stderr).split("\n")
                         if "vfio" in line)

    def says(self, *words):
        said = self.upgrade()
        for word in words:
            if word not in said:
                raise Failed(f"it does not say {word!r}: {said!r}")
        if not words:
            equal("said", said, "")

    def without(self, path):
        os.rename(self.full(path), self.full(f"{path}.gone"))

    def again(self, path):
        os.rename(self.full(f"{path}.gone"), self.full(path))


def kernel_upgrade():
    root = Root("bookworm")
    mend = f"dracut --force /boot/initrd.img-{root.release} {root.release}"
    root.says()
    # as another image is missing what is installed
    root.without(f"{MODULE}/module-setup.sh")
    root.says("W: vfio-claim: ", EARLY, "install vfio-claim again", mend)
    root.again(f"{MODULE}/module-setup.sh")
    root.without(EARLY)
    root.says(f"/{EARLY} is missing: the host keeps its GPU")
    root.again(EARLY)
    module = f"usr/lib/modules/{root.release}/kernel/drivers/vfio/pci/vfio-pci.ko"
    root.without(module)
    must("chroot", root.path, "depmod", root.release)
    root.says("has no vfio-pci: the host will keep its GPU", "W: vfio-claim: ")
    root.again(module)
    must("chroot", root.path, "depmod", root.release)
    root.says()
    os.unlink(root.full(CONF))
    root.says()
    done = run("chroot", root.path, "vfio-claim", "images")
    equal("without a configuration", (done.returncode, "nothing of vfio-claim" in done.stdout),
          (0, True))
    shutil.rmtree(root.path)


CASES = [kernel_upgrade]
