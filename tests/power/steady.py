# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine whose boot was confirmed writes nothing any more: a number of boots, in each of which
the command confirms again as the service does."""

import record
from boot import INSTALLED, SHORT, Machine
from state import LOCAL_TOP

LONG_BOOTS = 20
BOOTS = {"efi": 10, "ext4": 5, "vfat": 5}   # of every run
CONFIRM = INSTALLED + "vfio-claim confirm\n"


def run(kind, boots, folder, image, rng):
    """Returns what is wrong, and the number of cuts."""
    machine = Machine(kind, folder, image, rng)
    outcome = machine.boot(tool=False, late=CONFIRM + SHORT)
    before = machine.record()
    problems = _judge(outcome, machine, confirmed=False)
    if not problems and record.decode(before)[0][1:] != (0, 1):
        problems.append(f"confirmed, but the record says {record.decode(before)}")
    for number in range(1, boots + 1):
        if problems:
            break
        # OVMF itself writes before it starts a kernel, so the whole chip never stays as it is.
        image_before = bytes(machine.medium.image)
        # The first one from power-on. What follows begins with what that one left.
        outcome = machine.boot(tool=False, late=CONFIRM + SHORT,
                               since=None if number == 1 else LOCAL_TOP)
        problems = _judge(outcome, machine, confirmed=True)
        if outcome.writes:
            problems.append(f"{outcome.writes} writes to the store")
        if kind != "efi" and image_before != machine.medium.image:
            problems.append("the disk's bytes have changed")
        if machine.record() != before:
            problems.append("the record has changed")
        problems = [f"boot {number} after the confirmation: {text}" for text in problems]
    return problems, 0


def _judge(outcome, machine, confirmed):
    report = outcome.facts.report
    if outcome.ended != "off" or report is None:
        return [f"{outcome.ended}, the report is {report}"]
    told = report.get("outcome"), report["record"]["confirmed"]
    if told != ("claimed", confirmed):
        return [f"the report says {told[0]}, confirmed: {told[1]}, {report.get('reason')}: "
                f"{report.get('detail')}"]
    if len(outcome.facts.sections.get("short", [])) != 2 or not machine.record():
        return ["not both functions are on vfio-pci, or there is no record"]
    return []
