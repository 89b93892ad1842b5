# SPDX-License-Identifier: GPL-2.0-or-later
"""What a room of tests costs: where its seconds go, how many machines it starts, and how many
instructions these carry out.

Whatever is worth a column appends a line to the file that the environment names (FILE): "images"
and the processor's seconds, or what times.py writes of a machine."""

import os
import resource
from contextlib import contextmanager

FILE = "VM_TIMES"
PHASES = ("firmware", "kernel", "initramfs", "test", "shutdown")
COLUMNS = ("seconds", "cpu", "images", *PHASES, "rest", "waiting")


def path(room):
    return f"build/check/{room}.costs"


def forget(room):
    try:
        os.unlink(path(room))
    except FileNotFoundError:
        pass


@contextmanager
def images():
    """What runs inside makes roots, images or disks."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    yield
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    note("images", after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def note(*words):
    """Appends a line, where anybody wants to know."""
    if os.environ.get(FILE):
        with open(os.environ[FILE], "a", encoding="utf-8") as out:
            out.write("\t".join(map(str, words)) + "\n")


class Cost:
    def __init__(self, room, seconds, cpu):
        self.room, self.seconds, self.cpu = room, seconds, cpu
        self.images = 0.0
        self.phases = dict.fromkeys(PHASES, 0.0)
        self.boots = self.counted = self.instructions = 0
        try:
            with open(path(room), encoding="utf-8") as text:
                for line in text:
                    self._add(line.rstrip("\n").split("\t"))
        except FileNotFoundError:
            pass

    def _add(self, words):
        if words[0] == "images":
            self.images += float(words[1])
            return
        self.boots += 1
        for phase, seconds in zip(PHASES, words[3:]):
            self.phases[phase] += float(seconds) if seconds != "-" else 0
        if words[-1] != "-":
            self.counted += 1
            self.instructions += int(words[-1])

    def columns(self):
        inside = self.images + sum(self.phases.values())
        return [self.seconds, self.cpu, self.images, *self.phases.values(),
                max(0.0, self.cpu - inside), max(0.0, self.seconds - self.cpu)]

    def giga(self):
        return self.instructions / 1e9


def show(costs, file):
    """Prints where the seconds went and writes it to a file."""
    costs = sorted(costs, key=lambda cost: -cost.cpu)
    rows = [(cost.room, [f"{value:.0f}" for value in cost.columns()] +
             [str(cost.boots), f"{cost.giga():.1f}"]) for cost in costs]
    names = [*COLUMNS, "boots", "giga-instructions"]
    with open(file, "w", encoding="utf-8") as out:
        for room, words in rows:
            out.write("\t".join([room, *words]) + "\n")
    print("Where the seconds went (all but the first and the last column of them: of processor "
          "time):")
    print(f"{'':8}" + "".join(f"{name[:9]:>10}" for name in names))
    for room, words in rows:
        print(f"{room:8}" + "".join(f"{word:>10}" for word in words))
