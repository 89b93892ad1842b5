# SPDX-License-Identifier: GPL-2.0-or-later
"""`vfio-claim claim` and `release` on trees of plain files below build/cli/: nothing there reacts
to a write, so what is said and written is all there is."""

import json
import os

from host import (CONF, FAR, MENTION, NEAR, answer, content, host, same, undo, whole)
from installer import VARIABLE, boot, command, put, screen, says
from start import ROOT, check, execute
from tree import Machine

MINE = "[claim mine]\n" + "".join(Machine("twins").get(a).line() + "\n" for a in FAR)
OTHER = "[claim other] # kept\n" + Machine("twins").get(NEAR[1]).line() + "\n"
CONFIRM = f"{ROOT}/run/vfio-claim/confirm.json"
DEVICE = f"{ROOT}/sys/bus/pci/devices"


def on_vfio(*addresses):
    def change(machine):
        for address in addresses:
            machine.get(address).driver = "vfio-pci"
    return change


def ends(outcome, status, *words, say=()):
    """The same for people and for scripts. Returns what is said."""
    says(command(*words), status, *say)
    said = answer(command(*words, "--json"))
    check(said["outcome"] == outcome, f"{words}: {said}")
    return said


def written():
    """What was written to sysfs, by name."""
    found = {}
    for address in FAR:
        text = content(f"{DEVICE}/{address}/driver_override").decode()
        if text != "(null)\n":
            found[address] = text
    return found


def claim_and_release_usage():
    host(conf=MINE)
    before = whole()
    for name in ("claim", "release"):
        for words in ([], ["mine", "other"]):
            ends("usage", 2, name, *words, say=["name one claim"])
        for culprit in ("gpu", "", "../mine", "x" * 300, "mine\n", "off"):
            said = ends("refused", 1, name, culprit, say=["there is no claim"])
            check("\n" not in said["detail"], f"{said}")
        says(command(name, "--nonsense", "mine"), 2, "--help")
    same(before)
    for text, what in ((None, "no such file"), (MENTION + "x = 1\n", "/etc/vfio-claim.conf:8: ")):
        host(conf=text)
        for name in ("claim", "release"):
            ends("refused", 1, name, "mine", say=[what])


def claim_takes_nothing_when_dry():
    host(conf=MINE)
    before = whole()
    ends("done", 0, "claim", "mine", "--dry-run", say=["would claim mine"])
    same(before)


def claim_writes_overrides():
    """Nobody binds here, so it fails, and takes back what it has written."""
    host(conf=MINE)
    said = ends("failed", 1, "claim", "mine", say=["bind-failed"])
    check(FAR[0] in said["detail"], f"{said}")
    check(all(text.startswith("\n") for text in written().values()) and written(),
          f"the overrides stay: {written()}")


def claim_of_what_is_claimed():
    host(conf=MINE, change=on_vfio(*FAR))
    before = whole()
    ends("nothing", 0, "claim", "mine", say=["on vfio-pci already"])
    same(before)


def claim_is_judged_as_at_boot():
    for change, what in ((lambda m: m.drop(*NEAR), "last-display"),
                         (lambda m: m.no_iommu(), "iommu-inactive"),
                         (lambda m: m.drop(FAR[0]), "device-absent"),
                         (lambda m: setattr(m.get(FAR[0]), "device", 1), "device-changed")):
        host(conf=MINE, change=change)
        before = whole()
        ends("refused", 1, "claim", "mine", say=[what])
        ends("refused", 1, "claim", "mine", "--dry-run", say=[what])
        same(before)


def release_of_what_is_not_claimed():
    host(conf=MINE)
    before = whole()
    ends("nothing", 0, "release", "mine", say=["the host has mine already"])
    same(before)


def release_writes_to_the_driver():
    """Nothing lets go here, and that is said."""
    host(conf=MINE, change=on_vfio(*FAR))
    before = whole()
    ends("done", 0, "release", "mine", "--dry-run", say=["would give back mine"])
    same(before)
    done = command("release", "mine")
    says(done, 1, "not the host's as a whole", f"NOT given back: {FAR[0]}")
    check("was given back" not in done.stderr, f"{done.stderr!r}")
    check(content(f"{ROOT}/sys/bus/pci/drivers/vfio-pci/unbind").decode().startswith("0000:05"),
          "nothing was unbound")
    check(content(CONF).decode() == MINE, "the configuration was changed")


def release_of_what_the_boot_has_claimed():
    """Its name may be gone from the configuration since."""
    host(conf=MINE, change=on_vfio(*FAR))
    os.chmod(CONF, 0o644)
    os.makedirs(f"{ROOT}/sys/firmware/efi/efivars")
    check(execute("start", "--root", ROOT).returncode == 0, "start")
    os.unlink(CONF)
    ends("done", 0, "release", "mine", "--dry-run", say=["would give back mine"])
    ends("refused", 1, "claim", "mine")


def claim_in_a_confirmed_boot():
    """Of `release` the confirmation's place is left empty by `claim`: the record has it."""
    def judged(text, outcome, *more):
        says(command("status"), 0, f"Since then: {text}", *more)
        told = json.loads(command("status", "--json").stdout)["confirmation"]
        check((told and told["outcome"]) == outcome, f"{told}")

    boot()
    judged("not confirmed yet", None)
    screen()
    says(command("confirm"), 0)
    confirmed = content(VARIABLE)
    put(CONFIRM, '{"version": 1, "outcome": "released", "detail": "x", "by_owner": true}')
    judged("x", "released")
    os.unlink(CONFIRM)
    judged("this boot was confirmed", "confirmed", "like the last one")
    # the next boot is another one then, but not this one
    put(CONF, content(CONF) + b"# more\n")
    judged("this boot was confirmed", "confirmed", "on trial, attempt 1")
    put(VARIABLE, confirmed[:-1])
    judged("not confirmed yet", None)
    os.unlink(VARIABLE)
    judged("not confirmed yet", None)


def release_and_keep():
    """What is stuck is not claimed by the next boot either."""
    for mine, left in ((MENTION + OTHER + "\n" + MINE, MENTION + OTHER + "\n"),
                       (MENTION + MINE, None),
                       (MINE + "\n# between\n" + OTHER, "# between\n" + OTHER)):
        host(conf=mine, change=on_vfio(*FAR))
        before = whole()
        for more in ([], ["--json"]):
            done = command("release", "mine", "--keep", "--dry-run", *more)
            says(done, 0, "would give back mine", "would be without it")
        answer(done)
        same(before)
        done = command("release", "mine", "--keep")
        says(done, 1, "is without it", "update-initramfs -u", "\n-[claim mine]\n")
        now = content(CONF).decode() if os.path.exists(CONF) else None
        check(now == left, f"left: {now!r}")
        undo()
        check(content(CONF).decode() == mine, f"undo leaves {content(CONF)}")
        now = whole()
        check({p: e for p, e in now.items() if not p.startswith(("sys", "run"))} ==
              {p: e for p, e in before.items() if not p.startswith(("sys", "run"))}, "undo")


def release_and_keep_of_what_is_not_claimed():
    host(conf=MINE)
    before = whole()
    said = answer(command("release", "mine", "--keep", "--json"))
    check(said["outcome"] == "nothing" and "without it" in said["detail"], f"{said}")
    check(not os.path.exists(CONF), "it is still there")
    ends("refused", 1, "release", "mine", "--keep")
    undo()
    same(before)


def release_and_keep_that_cannot():
    host(conf=MINE, images={"usr/bin/booster": ""})
    ends("failed", 1, "release", "mine", "--keep", say=["the host has mine", "by booster"])
    check(content(CONF).decode() == MINE, "the configuration was changed")


CASES = [claim_and_release_usage, claim_takes_nothing_when_dry, claim_writes_overrides,
         claim_of_what_is_claimed, claim_is_judged_as_at_boot, release_of_what_is_not_claimed,
         release_writes_to_the_driver, claim_in_a_confirmed_boot,
         release_of_what_the_boot_has_claimed, release_and_keep,
         release_and_keep_of_what_is_not_claimed, release_and_keep_that_cannot]
