# SPDX-License-Identifier: GPL-2.0-or-later
"""`make`: what is built when, and by whom."""

import os
import subprocess

from elsewhere import build_in
from start import BUILD, TOP, check

COPY = f"{BUILD}/copy"
CLEAN = {key: value for key, value in os.environ.items()
         if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "KMOD_SRC", "UTIL_LINUX_SRC")}


def built_twice_at_once():
    """One waits for the other. All objects are there, and both have to link them."""
    command = ["make", "-s", *build_in(COPY), "all"]
    programs = ("vfio-claim", "vfio-claim-early", "vfio-claim-vm")
    both = [subprocess.Popen(command, cwd=TOP, env=CLEAN, text=True, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE) for _ in range(2)]
    said = [one.communicate()[1].strip() for one in both]
    check([one.returncode for one in both] == [0, 0], f"make says {said}")
    check(all(os.access(f"{COPY}/{name}", os.X_OK) for name in programs), "something is missing")
    check(not [name for name in os.listdir(COPY) if name.endswith(".new")], "something is left")


def packages_before_sources():
    """Sources are fetched from where the packages come from."""
    for goals in (("all", "deps"), ("install", "deps")):
        done = subprocess.run(["make", "-n", f"B={COPY}", "DESTDIR=/nowhere", *goals], cwd=TOP,
                              env=CLEAN, text=True, capture_output=True, check=True)
        lines = done.stdout.splitlines()
        first = [next(number for number, line in enumerate(lines) if what in line)
                 for what in ("tests/lib/need", "early/fetch kmod", "early/fetch util-linux")]
        check(first == sorted(first), f"{goals}: {lines[:6]}")


CASES = [built_twice_at_once, packages_before_sources]
