# SPDX-License-Identifier: GPL-2.0-or-later
"""`vfio-claim confirm` and `status` on what changed since early boot looked, on the trees of
tests/cli/installer.py."""

import os
import subprocess

from installer import COMMAND, content, event, rebuilt, report
from start import CARD, ROOT, check, execute

DEVICE = f"{ROOT}/sys/bus/pci/devices"


def override(address):
    return content(f"{DEVICE}/{address}/driver_override").decode().split("\n")[0]


def started(optional, missing=()):
    rebuilt(optional, missing)
    check(execute("start", "--root", ROOT).returncode == 0, "start")
    return report()


def confirm_while_something_comes():
    """What was claimed during the wait is given back, too."""
    started(CARD[1:], CARD[1:])
    # pylint: disable=consider-using-with
    waiting = subprocess.Popen([COMMAND, "confirm", "--wait", "8", "--root", ROOT], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # said after two seconds
    first = waiting.stdout.readline()
    check("waiting up to 8 s" in first, f"it says {first!r}")
    rebuilt(CARD[1:])
    told = event("add", CARD[1])
    check(told["claims"][0]["functions"][1]["address"] == CARD[1], f"{told}")
    said = waiting.communicate(timeout=60)[0]
    check(waiting.returncode == 1 and "gaming" in said, f"{waiting.returncode} {said!r}")
    check([override(a) for a in CARD] == ["", ""], f"{CARD[1]} stays: {override(CARD[1])!r}")


CASES = [confirm_while_something_comes]
