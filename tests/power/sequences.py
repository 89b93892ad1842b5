# SPDX-License-Identifier: GPL-2.0-or-later
"""Sequences of boots whose power is cut, on three kinds of machine.

Over any sequence of boots that nobody confirms, at most max-attempts may bind anything; no
cut may leave a record that reads as fewer attempts or is damaged; and the boot after the
attempts are used up leaves the GPU to the host."""

import math
from dataclasses import dataclass, field

import record
from boot import (CLAIMED, NOT_REACHED, TOO_LATE, Call, Machine, Moment, Script, StoreWrite,
                  Step)
from machine import MODELS

KINDS = ("efi", "ext4", "vfat")

# Loads the host's drivers before vfio-claim runs, so that it has something to unbind.
DRIVERS_FIRST = "modprobe -a bochs snd_hda_intel"


@dataclass
class Sequence:
    name: str
    kind: str
    cuts: list
    max_attempts: int = 2
    early: str = ""
    folders: tuple = ()


@dataclass
class Ledger:
    """What has happened to a machine so far."""
    max_attempts: int
    attempts: int = 0           # as the record says
    bound: int = 0              # boots that bound something
    problems: list = field(default_factory=list)

    def note(self, machine, what, binds):
        """After a boot: compares what it did with what is on record."""
        try:
            now = record.attempts(machine.record())
        except ValueError as error:
            self.problems.append(f"{what}: the record is damaged: {error}")
            return
        if not self.attempts <= now <= self.attempts + 1:
            self.problems.append(f"{what}: {self.attempts} attempts became {now}")
        self.attempts = now
        self.bound += bool(binds)
        if self.bound > now:
            self.problems.append(f"{what}: {self.bound} boots bound something, "
                                 f"{now} are on record")
        if self.bound > self.max_attempts:
            self.problems.append(f"{what}: {self.bound} boots bound something")

    def used_up(self):
        return self.attempts >= self.max_attempts


def judge_host(outcome):
    """The boot came to its end, and the host has its own card."""
    if outcome.ended != "off":
        return [outcome.ended]
    if not outcome.facts.complete:
        return ["the facts are not complete"]
    if outcome.facts.report is None:
        return ["no report"]
    problems = []
    if outcome.driver("01.0") != "bochs-drm":
        problems.append(f"the host's own card is on {outcome.driver('01.0')}")
    if not 0 < outcome.facts.report.get("elapsed_us", 0) < 12_000_000:
        problems.append(f"elapsed_us is {outcome.facts.report.get('elapsed_us')}")
    return problems


def judge_kept(outcome, reason):
    """Everything is the host's, and the report says why."""
    problems = judge_host(outcome)
    if problems:
        return problems
    for path, model in CLAIMED.items():
        if outcome.driver(path) != MODELS[model].driver:
            problems.append(f"{path} is on {outcome.driver(path)}")
        if outcome.override(path):
            problems.append(f"{path} has driver_override {outcome.override(path)}")
    return problems + judge_report(outcome, "kept", reason)


def judge_claimed(outcome):
    problems = judge_host(outcome)
    if problems:
        return problems
    for path in CLAIMED:
        if outcome.driver(path) != "vfio-pci":
            problems.append(f"{path} is on {outcome.driver(path)}")
    return problems + judge_report(outcome, "claimed", None)


def judge_report(outcome, wanted, reason):
    report = outcome.facts.report
    told = report.get("outcome"), report.get("reason")
    if told != (wanted, reason):
        return [f"the report says {told[0]}, {told[1]}: {report.get('detail')}"]
    return []


def gave_up(sequence, outcome):
    """A cut can leave a FAT that turns read-only when it is written: then nothing is claimed."""
    report = outcome.facts.report if outcome.facts else None
    return sequence.kind == "vfat" and outcome.ended != "cut" and report is not None and \
        (report.get("outcome"), report.get("reason")) == ("kept", "record-unavailable") and \
        all(outcome.driver(path) == model_driver(model) for path, model in CLAIMED.items())


def model_driver(model):
    return MODELS[model].driver


def run(sequence, learned, folder, image, rng):
    """Returns what is wrong, and the number of cuts."""
    machine = Machine(sequence.kind, folder, image, rng, folders=sequence.folders,
                      host={"max-attempts": sequence.max_attempts})
    ledger = Ledger(sequence.max_attempts)
    cuts, refused = 0, False
    left = list(sequence.cuts)
    tries = len(left) + LATE_MAX
    while left:
        cut = left.pop(0)
        # A boot that claims nothing has no call or write to cut at.
        if (refused or ledger.used_up()) and isinstance(cut, (Call, StoreWrite)):
            cut = Moment(min(cut.part, MOMENT_MAX))
        outcome = machine.boot(cut, learned, early=sequence.early)
        if gave_up(sequence, outcome):
            refused, cut = True, Moment(MOMENT_MAX)
            outcome = machine.boot(cut, learned, early=sequence.early)
        what = f"boot {machine.boots}, {cut}"
        tries -= 1
        late = outcome.ended in (NOT_REACHED, TOO_LATE) and isinstance(cut, (Moment, StoreWrite))
        if outcome.ended != "cut" and not (late and tries):
            return [*ledger.problems, f"{what}: {outcome.ended}"], cuts
        ledger.note(machine, what, outcome.binds())
        if ledger.problems:
            return ledger.problems, cuts
        if late:
            # The host's speed has changed: that was a boot as any other.
            left.insert(0, cut.earlier())
        else:
            cuts += 1
    while True:
        refused = ledger.used_up()
        # The product alone, without the tool.
        outcome = machine.boot(tool=False, early=sequence.early)
        what = f"boot {machine.boots}, undisturbed"
        if gave_up(sequence, outcome):
            return ledger.problems, cuts
        problems = judge_kept(outcome, "safe-mode") if refused else judge_claimed(outcome)
        ledger.note(machine, what, not refused)
        ledger.problems += [f"{what}: {problem}" for problem in problems]
        if ledger.problems or refused:
            return ledger.problems, cuts


# ---- the table

BIND = "write */drivers/vfio-pci/bind *"
UNBIND = "write */unbind *"
OVERRIDE = "write */driver_override vfio-pci*"
HOLD = "write */driver_override vfio-claim*"
VARIABLE = "write *VfioClaimRecord-*"
REPORT = "rename* report.json*"
FILE = "*vfio-claim.record*"
MOMENT_MAX = 0.85               # a boot in safe mode is shorter than what was learned
LATE_MAX = 3                    # cuts of a sequence that may come too late
# Of a disk: a file that is there already takes fewer writes; behind these it is safe.
WRITES_MAX = 0.5


def before(command, pattern, k=1):
    return Step(command, "before", pattern, k)


def after(command, pattern, k=1):
    return Step(command, "after", pattern, k)


def writes():
    """Cuts at six places while the record reaches a disk."""
    return [StoreWrite((i + 1) * WRITES_MAX / 6) for i in range(6)]


def marked(command):
    """Cuts behind the count, in the order of a boot."""
    return [before(command, OVERRIDE), after(command, OVERRIDE, 2), before(command, BIND),
            after(command, BIND), after(command, BIND, 2), after(command, REPORT),
            Script("init-bottom"), Script("init")]


def table(rng):
    """The sequences of every run: 60 cuts."""
    efi, part = marked("start"), marked("settle")
    unbind = {"early": DRIVERS_FIRST}
    part_unbind = [before("settle", UNBIND), after("settle", UNBIND, 2)]
    return [
        Sequence("efi-count", "efi",
                 [before("start", VARIABLE), after("start", VARIABLE), efi[0]]),
        Sequence("efi-bind", "efi", [before("start", "fsmount *"), efi[2], efi[3]]),
        Sequence("efi-report", "efi", [efi[1], efi[4], efi[5]], 3),
        Sequence("efi-switch-root", "efi", [efi[6], efi[7], Moment(MOMENT_MAX)]),
        Sequence("efi-unbind", "efi", [after("start", UNBIND)], 1, **unbind),
        Sequence("efi-writes", "efi", [StoreWrite((i + 1) / 5) for i in range(4)]),
        Sequence("efi-random", "efi", random_cuts(rng, ("start",), 4), 1),

        Sequence("ext4-hold", "ext4",
                 [before("start", HOLD), after("start", HOLD, 2), part[6], part[0]]),
        Sequence("ext4-count", "ext4",
                 [before("settle", f"openat {FILE}"), before("settle", f"write {FILE}"),
                  before("settle", f"fsync {FILE}"), before("settle", f"rename* {FILE}"),
                  after("settle", f"rename* {FILE}")]),
        Sequence("ext4-bind", "ext4", [part[1], part[2], part[3]], 3),
        Sequence("ext4-switch-root", "ext4", [part[4], part[7], Moment(MOMENT_MAX)]),
        Sequence("ext4-unbind", "ext4", [*part_unbind, part[5]], 3, **unbind),
        Sequence("ext4-writes", "ext4", writes(), folders=("boot",)),
        Sequence("ext4-random", "ext4", random_cuts(rng, ("start", "settle"), 4), 3),

        Sequence("vfat-count", "vfat",
                 [after("settle", f"openat {FILE}"), after("settle", f"write {FILE}"),
                  after("settle", f"fsync {FILE}"), before("settle", f"rename* {FILE}"),
                  after("settle", f"rename* {FILE}")]),
        Sequence("vfat-bind", "vfat", [part[3], part[6]], 2),
        Sequence("ext4-writes-3", "ext4", writes()[::2], 3, folders=("boot",)),
        Sequence("vfat-random", "vfat", random_cuts(rng, ("start", "settle"), 3), 2),
    ]


def long_table(rng, cuts):
    """As many random sequences as it takes for that many cuts."""
    result = [Sequence("vfat-writes", "vfat", writes(), 3)]
    cuts -= len(result[0].cuts)
    while cuts > 0:
        kind = KINDS[len(result) % len(KINDS)]
        commands = ("start",) if kind == "efi" else ("start", "settle")
        count = min(cuts, 5)
        parts = random_cuts(rng, commands, count)
        for i in range(0, count, 3):
            parts[i] = StoreWrite(rng.uniform(0, WRITES_MAX))
        result.append(Sequence(f"long-{len(result):02}-{kind}", kind, parts,
                               rng.randint(1, 3), folders=("boot",) if kind == "ext4" else ()))
        cuts -= count
    return result


def random_cuts(rng, commands, count):
    """Half of them at a call, half at a moment."""
    return [Moment(rng.uniform(0.02, MOMENT_MAX)) if i % 2 else
            Call(rng.choice(commands), math.sqrt(rng.uniform(0.01, 0.9)))
            for i in range(count)]
