# SPDX-License-Identifier: GPL-2.0-or-later
"""What the machine has, before a guest and after: nothing may be lost, and nothing left."""

import collections
import re
import time

from cases import Failed

# A guest has four times as much; caches that are warm and libvirtd's own heap are less.
KIB = 96 << 10
# systemd's, which end by themselves some time after their last question
COMING_AND_GOING = ("/usr/lib/systemd/systemd-machined", "/usr/lib/systemd/systemd-fsckd")
CALM = 30                       # seconds in which what still ends has ended


class State:
    """sections: heading -> how often each line is there"""

    def __init__(self, boot):
        parts = re.split(r"^== (\w+)\n", boot.must("/usr/lib/test/state.sh") + "\n",
                         flags=re.MULTILINE)
        told = {heading: text.split("\n") for heading, text in zip(parts[1::2], parts[2::2])}
        if "end" not in told:
            raise Failed("the machine's state did not come to its end")
        self.memory = int(told.pop("memory")[0].split()[1])
        self.sections = {heading: collections.Counter(
            line for line in lines if line and line not in COMING_AND_GOING)
            for heading, lines in told.items() if heading != "end"}

    def differences(self, after):
        """What is otherwise afterwards, in words."""
        found = []
        for heading, before in self.sections.items():
            now = after.sections[heading]
            found += [f"{heading}: lost {line!r}" for line in (before - now).elements()]
            found += [f"{heading}: new {line!r}" for line in (now - before).elements()]
        if after.memory < self.memory - KIB:
            found.append(f"memory: {(self.memory - after.memory) >> 10} MiB less")
        return found


def at_rest(boot):
    """The machine's state, once nothing comes or goes by itself."""
    deadline = time.monotonic() + CALM
    state = State(boot)
    while (later := State(boot)).sections != state.sections and time.monotonic() < deadline:
        state = later
    return later


def same(before, boot, doing):
    """Fails if the machine has not what it had, and does not come to it. A leak stays."""
    deadline = time.monotonic() + CALM
    while found := before.differences(State(boot)):
        if time.monotonic() > deadline:
            raise Failed(f"{doing}: " + "; ".join(found[:8]))
        time.sleep(1)
