#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a room of tests costs: where its seconds go, how many machines it starts, and how many
instructions these carry out.

Whatever is worth a column appends a line to the file that the environment names (FILE): "images"
and the processor's seconds, "left" and how many tests were not taken, or what times.py writes of
a machine. What each test's machines may cost stands in TABLE, and their sums in SUMS; `make costs`
writes both as the last run was."""

import os
import re
import resource
import sys
from contextlib import contextmanager

FILE = "VM_TIMES"
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLE, SUMS = f"{TESTS}/costs.tsv", f"{os.path.dirname(TESTS)}/CONTRIBUTING.md"
HEADING = "| room | boots | guest instructions (10⁹) |\n|---|---|---|\n"
ROWS = re.compile(re.escape(HEADING) + r"((?:\|.*\n)*)")
# The same boot differs a little from run to run; where it is cut is drawn by lot for each run, so
# that some are longer and some once more.
TOLERANCE, LUCK = 1.25, 1.5
CHANCE = re.compile("power/.*(random|writes|switch-root|states)")
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
        self.left = 0
        self.tests = {}         # "room/test" -> boots and instructions
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
        if words[0] == "left":
            self.left += int(words[1])
            return
        for phase, seconds in zip(PHASES, words[3:]):
            self.phases[phase] += float(seconds) if seconds != "-" else 0
        test = "/".join(words[0].split("/")[:2])
        boots, instructions = self.tests.get(test, (0, 0))
        counted = 0 if words[-1] == "-" else int(words[-1])
        self.tests[test] = boots + 1, instructions + counted

    def sums(self):
        """Boots and thousands of millions of instructions."""
        return total(self.tests.values())

    def columns(self):
        inside = self.images + sum(self.phases.values())
        return [self.seconds, self.cpu, self.images, *self.phases.values(),
                max(0.0, self.cpu - inside), max(0.0, self.seconds - self.cpu)]

    def __str__(self):
        boots, giga = self.sums()
        return f"{self.cpu:.0f} s of the processor, {boots} boots" + \
            (f", {giga:.1f}·10⁹ instructions counted" if giga else "")


def total(tests):
    return sum(boots for boots, _ in tests), sum(count for _, count in tests) / 1e9


def promised():
    """Test -> what its machines may cost: boots, and instructions where they are counted."""
    try:
        with open(TABLE, encoding="utf-8") as text:
            return {test: (int(boots), int(instructions))
                    for test, boots, instructions in map(str.split, text)}
    except FileNotFoundError:
        return {}


def rows(tests):
    """The sums by room, as CONTRIBUTING.md has them."""
    names = dict.fromkeys(test.partition("/")[0] for test in sorted(tests))
    return "".join(
        f"| `{name}` | {boots} | {giga:.1f} |\n" for name in names
        for boots, giga in [total([cost for test, cost in tests.items()
                                   if test.startswith(f"{name}/")])])


def grown(costs):
    """Says which tests cost more than they may; and whether the sums in CONTRIBUTING.md are
    those of the table."""
    table, wrong = promised(), []
    for test, (boots, count) in (item for cost in costs for item in cost.tests.items()):
        most, instructions = table.get(test, (0, 0))
        luck = LUCK if CHANCE.search(test) else 1
        if boots > most * luck or count > instructions * max(luck, TOLERANCE):
            wrong.append(f"{test}: {boots} boots and {count} instructions, not {most} and "
                         f"{instructions}")
    with open(SUMS, encoding="utf-8") as text:
        if ROWS.search(text.read())[1] != rows(table):
            wrong.append("CONTRIBUTING.md: other sums than those of tests/costs.tsv")
    if wrong:
        print("".join(f"not ok {line}\n" for line in wrong) +
              "The tests must not grow unseen: make them cheaper, or commit the new table with "
              "what made them grow (`make costs` writes it).")
    return len(wrong)


def keep(folder):
    """Writes TABLE and SUMS as the last run was."""
    table = promised()
    with open(f"{folder}/boots.tsv", encoding="utf-8") as text:
        for test, boots, count in map(str.split, text):
            table[test] = int(boots), int(count)
    _write(TABLE, table)
    with open(SUMS, encoding="utf-8") as text:
        said = text.read()
    with open(SUMS, "w", encoding="utf-8") as out:
        out.write(ROWS.sub(lambda _: HEADING + rows(table), said))


def _write(path, tests):
    with open(path, "w", encoding="utf-8") as out:
        for test, words in sorted(tests.items()):
            out.write("\t".join([test, *map(str, words)]) + "\n")


def show(costs, folder):
    """Prints where the seconds went and writes it to a file of the folder. Returns the number
    of tests that have grown."""
    costs = sorted(costs, key=lambda cost: -cost.cpu)
    lines = []
    for cost in costs:
        boots, giga = cost.sums()
        lines.append((cost.room, [*(f"{value:.0f}" for value in cost.columns()), str(boots),
                                  f"{giga:.1f}"]))
    names = [*COLUMNS, "boots", "giga-instructions"]
    with open(f"{folder}/times.tsv", "w", encoding="utf-8") as out:
        for room, words in lines:
            out.write("\t".join([room, *words]) + "\n")
    _write(f"{folder}/boots.tsv", {test: words for cost in costs
                                  for test, words in cost.tests.items()})
    print("Where the seconds went (all but the first and the last column of them: of processor "
          "time):")
    print(f"{'':8}" + "".join(f"{name[:9]:>10}" for name in names))
    for room, words in lines:
        print(f"{room:8}" + "".join(f"{word:>10}" for word in words))
    return grown(costs)


if __name__ == "__main__":
    sys.exit(keep("build/check"))
