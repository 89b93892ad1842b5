# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGKILL, ENOSPC, EIO and EROFS at every system call of an apply and of an undo that touches
files. strace counts per system call; a fault that never fired is a failure of the test."""
import re
import os

from stock import CARD, COMMAND, Stock
from tree import TREES, Tree, drive, execute

# where a death makes a difference: between two of these nothing changes
WRITES = ("openat", "openat2", "write", "fchmod", "fchown", "fsetxattr", "fremovexattr", "fsync",
          "renameat", "unlinkat", "mkdirat")
READS = ("read", "fstat", "newfstatat", "flistxattr", "fgetxattr", "getdents64", "flock")
# what can fail so; EIO is for all of them
CAUSES = {
    "ENOSPC": ("openat", "write", "fsetxattr", "fsync", "renameat", "mkdirat"),
    "EROFS": ("openat", "openat2", "fchmod", "fchown", "fsetxattr", "renameat", "unlinkat",
              "mkdirat"),
}
LOG = f"{TREES}/strace.log"


def strace(what):
    # not --seccomp-bpf: with it strace 6.1 injects no signals
    return ["strace", "-o", LOG, *what, "--"]


def calls_of(run, marker, wanted):
    """(name, number, whether it only looks) of every call after the one with the marker, as
    strace counts them, that are `wanted`."""
    names = ",".join(WRITES + READS)
    result = run(strace(["-e", f"trace={names},access,faccessat"]))
    assert result.status == 0, str(result)
    count, found, begun = {}, [], False
    with open(LOG, encoding="utf-8", errors="replace") as log:
        for line in log:
            begun = begun or marker in line
            name = re.match(r"(\w+)\(", line)
            if not name:
                continue
            name = name[1]
            count[name] = count.get(name, 0) + 1
            if begun and name in WRITES + READS and not re.match(r"write\([12],", line):
                looks = name in READS or name.startswith("open") and "O_CREAT" not in line
                if wanted(line, looks):
                    found.append((name, count[name], looks))
    return found


def fired(result, fault):
    if fault == "SIGKILL":
        return result.status in (-9, 137)
    with open(LOG, encoding="utf-8", errors="replace") as log:
        text = log.read()
    return "(INJECTED)" in text


class Faults:
    """One fault at a time, and after each the machine is judged and mended."""

    marker = "/the/test/begins"
    twice = True        # each death of an apply is followed by both, an apply and an undo
    looks = 1           # of the calls that only look, each such

    def __init__(self):
        self.points = 0
        self.tree = self.plan = None
        self.begin()

    def begin(self):
        self.prepare()
        self.old = self.tree.snapshot(journal=True)
        self.run("apply")
        self.new = self.tree.snapshot()
        assert self.new != self.tree.without_journal(self.old)
        self.run("undo")
        assert self.tree.snapshot(journal=True) == self.old

    def prepare(self):
        self.tree = Tree("faults")
        self.plan = self.tree.usual_plan()

    def run(self, action, wrap=()):
        more = [self.plan] if action == "apply" else []
        return drive(action, self.tree.root, *more, wrap=wrap)

    @staticmethod
    def wanted(_line, _looks):
        """Whether a fault at that call, which may only look, is of interest."""
        return True

    def mixed(self):
        """What is neither old nor new as a whole."""
        now = self.tree.snapshot()
        return [path for path in sorted(now.keys() | self.old.keys() | self.new.keys())
                if now.get(path) not in (self.old.get(path), self.new.get(path)) and
                not os.path.basename(path).endswith(".vfio-claim-new")]

    def settle(self, goal):
        """Runs again; says what is wrong then."""
        if goal == "apply":
            result = self.run("apply")
            if result.status:
                return [f"a second apply fails: {result}"]
            if self.tree.snapshot() != self.new:
                return [f"a second apply leaves {self.differs(self.new)}"]
        result = self.run("undo")
        if result.status:
            return [f"undo fails: {result}"]
        if self.tree.snapshot(journal=True) != self.old:
            return [f"undo leaves {self.differs(self.old, True)}"]
        return []

    def differs(self, wanted, journal=False):
        now = self.tree.snapshot(journal)
        return [path for path in sorted(now.keys() | wanted.keys())
                if now.get(path) != wanted.get(path)]

    def one(self, action, call, number, fault, goal, last=""):
        self.points += 1
        if action == "undo":
            assert self.run("apply").status == 0
        how = f"signal={fault}" if fault == "SIGKILL" else f"error={fault}"
        result = self.run(action, strace(["-e", f"trace={call}",
                                          "-e", f"inject={call}:{how}:when={number}{last}"]))
        wrong = [] if fired(result, fault) else ["the fault never fired"]
        if self.mixed():
            wrong.append(f"neither old nor new: {self.mixed()}")
        # one fault alone never keeps it from going back
        back = "as it was before" in result.err or not last and \
            "everything is done" not in result.err
        if result.status == 1 and action == "apply" and back:
            if self.tree.snapshot() != self.old:
                wrong.append(f"not as it was before: {self.differs(self.old)}")
        if result.status == 0 and fault != "SIGKILL":
            if self.tree.snapshot() != (self.new if action == "apply" else self.old):
                wrong.append(f"says that it is done, but left {self.differs(self.new)}")
        if fault != "SIGKILL" and result.status not in (0, 1):
            wrong.append(f"ends with {result}")
        wrong += self.settle(goal)
        if wrong:
            self.begin()
        return [f"{action}, {fault} at {call} {number}{last}, then {goal}: {w}" for w in wrong]

    def sweep(self, action, fault):
        if action == "undo":
            assert self.run("apply").status == 0
        calls = calls_of(lambda wrap: self.run(action, wrap), self.marker, self.wanted)
        if action == "apply":
            self.run("undo")
        wrong = []
        few = [call for call in calls if call[2]][::self.looks]
        chosen = [(call, number) for call, number, looks in calls
                  if (not looks or (call, number, looks) in few) and
                  (fault == "EIO" or call in CAUSES.get(fault, WRITES) and not looks)]
        # the death of an apply may be followed by both, all else is by one of them in turn
        for at, (call, number) in enumerate(chosen):
            both = self.twice and fault == "SIGKILL" and action == "apply"
            for goal in ("apply", "undo") if both else (("apply", "undo")[at % 2],):
                wrong += self.one(action, call, number, fault, goal)
        # a disk that stays full or broken: all later calls of that kind fail, too
        if fault != "SIGKILL":
            seen = {}
            for call, number in chosen:
                seen.setdefault(call, []).append(number)
            for call, numbers in seen.items():
                for number in numbers[::4] if call in WRITES else []:
                    wrong += self.one(action, call, number, fault, "undo", "+")
        if not chosen:
            wrong.append("there was nothing to inject into")
        return wrong


class CommandFaults(Faults):
    """The same with the real commands on a stock machine. What they read of its hardware is no
    matter here; reading what they are going to write is."""

    twice = False
    looks = 3

    def prepare(self):
        self.tree = Stock("faults-stock")
        self.marker = f'"{self.tree.root}"'

    def run(self, action, wrap=()):
        words = ["setup", CARD] if action == "apply" else ["undo", "--yes"]
        return execute([*wrap, COMMAND, *words, "--root", self.tree.root])

    @staticmethod
    def wanted(line, looks):
        # whether there is a file decides which boot loader it is; names are mere comments
        if not looks:
            return "1234  QEMU" not in line
        return "O_PATH" not in line and \
            re.match(r'openat2?\(\w+, "(var/lib/vfio-claim|etc/(default|vfio))', line)
