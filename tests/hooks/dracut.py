# SPDX-License-Identifier: GPL-2.0-or-later
"""The module for dracut, built by Debian's own dracut as a kernel upgrade does it: what is lacking
is said, and no upgrade fails because of us."""

import shutil

from cases import must
from upgrade import Upgraded

MODULE = "usr/lib/dracut/modules.d/55vfio-claim"


def debian12(path):
    must("cp", "-a", "--reflink=auto", must("tests/lib/small-root", "bookworm", "dracut"), path)
    must("cp", "-a", "--no-preserve=ownership", f"{must('tests/lib/staged')}/.", path)
    must("install", "-m644", "tests/lib/dracut.conf", f"{path}/etc/dracut.conf.d/small.conf")
    with open(f"{path}/etc/dracut.conf.d/disk.conf", "w", encoding="utf-8") as out:
        out.write('omit_dracutmodules+=" kernel-modules "\n')


def kernel_upgrade():
    root = Upgraded("bookworm-dracut", debian12, "run-parts", "--exit-on-error",
                    "--arg=RELEASE", "--arg=/boot/vmlinuz-RELEASE", "/etc/kernel/postinst.d")
    root.lacks(f"{MODULE}/module-setup.sh",
               f"dracut --force /boot/initrd.img-{root.release} {root.release}")
    root.unconfigured()
    shutil.rmtree(root.path)


CASES = [kernel_upgrade]
