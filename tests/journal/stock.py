# SPDX-License-Identifier: GPL-2.0-or-later
"""A stock Debian on the hardware of tests/roots/machines/qemu.txt, for the real commands."""
import os
import shutil
import subprocess
import sys

from tree import TOP, TREES, Tree

COMMAND = os.environ.get("VFIO_CLAIM", f"{TOP}/build/vfio-claim")
CARD = "0000:01:00.0"
RELEASE = "6.1.0-1-test"
FILES = {
    "etc/os-release": "ID=debian\n", "usr/sbin/update-grub": "", "boot/grub/grub.cfg": "",
    "etc/default/grub": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n',
    "etc/vfio-claim.conf": "# mine\n[host]\nmax-attempts = 3\n",
    "usr/sbin/update-initramfs": "", "usr/sbin/mkinitramfs": "",
    f"lib/modules/{RELEASE}/modules.dep": "", f"boot/vmlinuz-{RELEASE}": "",
    f"boot/initrd.img-{RELEASE}": "", f"boot/config-{RELEASE}": "#\n",
    # a small one is read faster
    "usr/share/misc/pci.ids": "1234  QEMU\n\t1111  Display\n",
}


class Stock(Tree):
    def __init__(self, name, more=()):      # pylint: disable=super-init-not-called
        """`more`: path -> text in place of FILES'; None leaves a file out."""
        self.root = f"{TREES}/{name}"
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run([sys.executable, "-B", f"{TOP}/tests/roots/tree.py", "qemu", self.root],
                       check=True)
        os.makedirs(f"{self.root}/var/lib")
        for path, text in {**FILES, **dict(more)}.items():
            if text is None:
                continue
            os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
            self.write(path, text)
        os.chmod(self.path("etc/vfio-claim.conf"), 0o640)
        os.setxattr(self.path("etc/vfio-claim.conf"), "user.vfio", b"\0value")
