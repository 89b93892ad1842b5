# SPDX-License-Identifier: GPL-2.0-or-later
"""Building with other words than the usual ones: in a copy of what was built, for other rooms
use that at the same time."""

import glob
import os
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def build_in(folder):
    """Makes the folder, with all objects in it. Returns what make is told to build there."""
    os.makedirs(folder)
    for name in ("early", "installer", *glob.glob("*.flags", root_dir=f"{TOP}/build")):
        subprocess.run(["cp", "-a", "--reflink=auto", f"{TOP}/build/{name}", folder], check=True)
    return [f"B={folder}", *(f"{name}={os.environ.get(name, default)}" for name, default in
                             (("KMOD_SRC", "build/kmod"), ("UTIL_LINUX_SRC", "build/util-linux")))]
