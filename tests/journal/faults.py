# SPDX-License-Identifier: GPL-2.0-or-later
"""SIGKILL, ENOSPC, EIO and EROFS at every system call of an apply and of an undo that touches
files. strace counts per system call; a fault that never fired is a failure of the test."""
import re
import os

from tree import TREES, Tree, drive

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


def calls_of(*arguments):
    """(name, number, whether it only looks) of every call after the program's own start, as strace counts them."""
    names = ",".join(WRITES + READS)
    result = drive(*arguments, wrap=strace(["-e", f"trace={names},access,faccessat"]))
    assert result.status == 0, str(result)
    count, found, begun = {}, [], False
    with open(LOG, encoding="utf-8", errors="replace") as log:
        for line in log:
            begun = begun or "/the/test/begins" in line
            name = re.match(r"(\w+)\(", line)
            if not name:
                continue
            name = name[1]
            count[name] = count.get(name, 0) + 1
            if begun and name in WRITES + READS and "write(2," not in line:
                looks = name in READS or name.startswith("open") and "O_CREAT" not in line
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

    def __init__(self):
        self.tree = Tree("faults")
        self.plan = self.tree.usual_plan()
        self.old = self.tree.snapshot(journal=True)
        self.apply = ("apply", self.tree.root, self.plan)
        self.undo = ("undo", self.tree.root)
        drive(*self.apply)
        self.new = self.tree.snapshot()
        drive(*self.undo)
        assert self.tree.snapshot(journal=True) == self.old
        self.points = 0

    def mixed(self):
        """What is neither old nor new as a whole."""
        now = self.tree.snapshot()
        return [path for path in sorted(now.keys() | self.old.keys() | self.new.keys())
                if now.get(path) not in (self.old.get(path), self.new.get(path)) and
                not os.path.basename(path).endswith(".vfio-claim-new")]

    def settle(self, goal):
        """Runs again; says what is wrong then."""
        if goal == "apply":
            result = drive(*self.apply)
            if result.status:
                return [f"a second apply fails: {result}"]
            if self.tree.snapshot() != self.new:
                return [f"a second apply leaves {self.differs(self.new)}"]
        result = drive(*self.undo)
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
            assert drive(*self.apply).status == 0
        how = f"signal={fault}" if fault == "SIGKILL" else f"error={fault}"
        result = drive(*getattr(self, action),
                       wrap=strace(["-e", f"trace={call}",
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
            points = self.points
            self.__init__()
            self.points = points
        return [f"{action}, {fault} at {call} {number}{last}, then {goal}: {w}" for w in wrong]

    def sweep(self, action, fault):
        if action == "undo":
            assert drive(*self.apply).status == 0
        calls = calls_of(*getattr(self, action))
        if action == "apply":
            drive(*self.undo)
        wrong = []
        chosen = [(call, number) for call, number, looks in calls
                  if fault == "EIO" or call in CAUSES.get(fault, WRITES) and not looks]
        for at, (call, number) in enumerate(chosen):
            # the death of an apply is followed by both, all else by one of them in turn
            both = fault == "SIGKILL" and action == "apply"
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
