# SPDX-License-Identifier: GPL-2.0-or-later
"""`vfio-claim confirm` and `status` on what changed since early boot looked, on the trees of
tests/cli/installer.py."""

import os
import subprocess

from installer import COMMAND, command, content, event, rebuilt, report, says, screen
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


def part_of_it_is_pulled_out():
    """The claim is not whole any more; what is gone is named as it is configured."""
    started(CARD[:1])
    screen()
    says(command("confirm"), 0, "this boot is good")
    rebuilt(CARD[:1], CARD[1:])
    told = event("remove", CARD[1])["claims"][0]
    check(told["outcome"] == "claimed" and told["functions"][1]["address"] is None, f"{told}")
    screen()
    lost = f"the claim gaming does not hold: {CARD[1]} was removed"
    says(command("confirm", "--resume"), 1, lost)
    says(command("status"), 1, f"{CARD[0]} is now on vfio-pci\n    {CARD[1]} was removed\n")
    says(command("confirm", "--dry-run"), 1, lost)


CASES = [confirm_while_something_comes, part_of_it_is_pulled_out]
