# SPDX-License-Identifier: GPL-2.0-or-later
"""What each tool costs on machines of 16, 256 and 4096 functions, without module loading.

The machines are the roots room's server. Every tool runs as on a real machine, with the
tree's sys on /sys, in a mount namespace of its own that also keeps reports and kernel log
lines off this machine.

A plain folder does not react to a write to `bind`. So the two functions that are claimed have
a `driver` link to vfio-pci from the start, while `uevent`, which a scan reads, says that
they have none: everything is done and read back as on a real machine, and nothing but the
kernel's own work is missing.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = f"{TOP}/build/bench"
BINARY = os.environ.get("VFIO_CLAIM_EARLY", f"{TOP}/build/vfio-claim-early")
sys.path.insert(1, f"{TOP}/tests/roots")

# pylint: disable=wrong-import-position
from strace import COMMAND, Trace
from tree import Machine

MOST_BYTES = 300 * 1024

trees = set()
CARD = ["0000:d9:00.0", "0000:d9:00.1"]


def most_calls(size):
    """Of ours, at that many functions; three for each that no claim names."""
    return 150 + 3 * (size - 16)


def most_instructions(size):
    return 80_000 + 1_300 * (size - 16)


def alone():
    """Keeps a second run of the bench out of our folders until this one ends."""
    os.makedirs(BUILD, exist_ok=True)
    fcntl.flock(os.open(BUILD, os.O_RDONLY), fcntl.LOCK_EX)


def tree(size):
    """A tree of that many functions, as it was before any tool ran."""
    root = f"{BUILD}/tree-{size}"
    if root not in trees:
        shutil.rmtree(root, ignore_errors=True)
        build(root, size)
        trees.add(root)
    for address in CARD:
        with open(f"{root}/sys/bus/pci/devices/{address}/driver_override", "w",
                  encoding="ascii") as out:
            out.write("(null)\n")
    shutil.rmtree(f"{root}/run/vfio-claim", ignore_errors=True)
    return root


def build(root, size):
    machine = Machine("server", size)
    machine.files["etc/vfio-claim.conf"] = (
        "[host]\nrequire-display = yes\n\n[claim card]\n"
        + "\n".join(machine.get(address).line() for address in CARD) + "\n")
    machine.write(root)
    os.chmod(f"{root}/etc/vfio-claim.conf", 0o644)
    for address in CARD:
        here = os.path.realpath(f"{root}/sys/bus/pci/devices/{address}")
        os.symlink(os.path.relpath(f"{root}/sys/bus/pci/drivers/vfio-pci", here), f"{here}/driver")
    # driverctl looks for a module under this name before it loads one.
    os.makedirs(f"{root}/sys/module/vfio-pci")


def command(tool, root):
    if tool == "ours":
        return [BINARY, "start", "--config", f"{root}/etc/vfio-claim.conf",
                "--cmdline", f"{root}/proc/cmdline"]
    script = "driverctl-list" if tool == "driverctl" else tool
    return [f"{HERE}/tools/{script}"]


def within(root, words):
    """The command that runs another with the tree in place of this machine."""
    mounts = ('mount --bind "$0/sys" /sys && mount --bind "$0/run" /run && '
              '{ [ ! -e /dev/kmsg ] || mount --bind /dev/null /dev/kmsg; } && exec "$@"')
    return ["unshare", "--mount", "sh", "-c", mounts, root, *words]


ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "MODPROBE": ":",
               "DEVICES": " ".join(CARD)}


def check(tool, root):
    """The run that is measured has to have done the work."""
    for address in CARD:
        with open(f"{root}/sys/bus/pci/devices/{address}/driver_override",
                  encoding="ascii") as text:
            found = text.read().strip()
        if not found.startswith("vfio-pci"):
            raise OSError(f"{tool} did not claim {address} in {root}")


def calls(tool, size):
    """System calls of a run, all its processes together."""
    root = tree(size)
    log = f"{BUILD}/{tool}-{size}.strace"
    words = within(root, [*COMMAND, log, *command(tool, root)])
    subprocess.run(words, check=True, capture_output=True, env=ENVIRONMENT)
    check(tool, root)
    return Trace(log).calls


def instructions(tool, size):
    """User instructions of a run, all its processes together."""
    root = tree(size)
    folder = f"{BUILD}/callgrind-{tool}-{size}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    words = within(root, [
        "valgrind", "--tool=callgrind", "--trace-children=yes",
        f"--callgrind-out-file={folder}/%p", f"--log-file={folder}/log.%p",
        *command(tool, root)])
    subprocess.run(words, check=True, capture_output=True, env=ENVIRONMENT)
    check(tool, root)
    total = 0
    for name in os.listdir(folder):
        if not name.startswith("log."):
            with open(f"{folder}/{name}", encoding="utf-8") as text:
                total += sum(int(n) for n in re.findall(r"^(?:summary|totals): (\d+)", text.read(),
                                                        re.M)[:1])
    return total
