# SPDX-License-Identifier: GPL-2.0-or-later
"""`vfio-claim confirm` and `status` on what changed since early boot looked, on the trees of
tests/cli/installer.py."""

import os
import subprocess
import time

from installer import (COMMAND, boot, command, content, event, put, rebuilt, report, resumed, says,
                       screen)
from start import CARD, ROOT, check, execute, tree

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


def what_nobody_awaits_is_pulled_out():
    """Nothing tells early boot, so status looks."""
    started(())
    screen()
    says(command("confirm"), 0, "this boot is good")
    says(command("status"), 0, f"{CARD[1]} is now on vfio-pci\n")
    rebuilt((), CARD[1:])
    screen()
    says(command("status"), 1, f"{CARD[0]} is now on vfio-pci\n    {CARD[1]} was removed\n")


def goes(address, driver):
    """To another driver, as both of its files tell."""
    link, uevent = f"{DEVICE}/{address}/driver", f"{DEVICE}/{address}/uevent"
    before = os.path.basename(os.readlink(link))
    put(uevent, content(uevent).decode().replace(f"DRIVER={before}", f"DRIVER={driver}"))
    os.unlink(link)
    os.symlink(f"../../../bus/pci/drivers/{driver}", link)


def nothing_to_look_at(*texts):
    done = command("confirm", "--resume")
    says(done, 0, "nothing is claimed now", *texts)
    check("the host has" not in done.stdout, f"{done.stdout!r}")
    check(not os.path.exists(f"{ROOT}/run/vfio-claim/resume.json"), "it is noted")


def after_sleep_what_was_claimed_by_hand():
    """`claim` and `release` leave a file when they are done; nothing is done in a tree."""
    boot(cmdline="vfio_claim=off")
    screen()
    goes(CARD[0], "amdgpu")
    nothing_to_look_at()
    put(f"{ROOT}/run/vfio-claim/claimed.gaming", "")
    resumed(1, "lost", f"{CARD[0]} is not on vfio-pci any more, but on amdgpu")
    os.unlink(f"{ROOT}/run/vfio-claim/claimed.gaming")
    goes(CARD[0], "vfio-pci")
    resumed(0, "holds")
    put(f"{ROOT}/run/vfio-claim/claimed.gaming", "")
    os.unlink(f"{DEVICE}/{CARD[1]}")
    resumed(1, "lost", f"{CARD[1]} is gone")


def after_sleep_what_was_released():
    """Claim by claim: the other one is looked at."""
    machine = tree()
    machine.files["etc/vfio-claim.conf"] = "".join(
        f"[claim {name}]\n{machine.get(a).line()}\n" for name, a in zip(("gaming", "sound"), CARD))
    for address in CARD:
        machine.get(address).driver = "vfio-pci"
    subprocess.run(["rm", "-rf", ROOT], check=True)
    machine.write(ROOT)
    os.chmod(f"{ROOT}/etc/vfio-claim.conf", 0o644)
    check(execute("start", "--root", ROOT).returncode == 0, "start")
    check([c["outcome"] for c in report()["claims"]] == ["claimed"] * 2, f"{report()}")
    screen()
    goes(CARD[0], "amdgpu")
    resumed(1, "lost", "the claim gaming does not hold")
    put(f"{ROOT}/run/vfio-claim/released.gaming", "")
    put(f"{ROOT}/run/vfio-claim/confirm.json",
        '{ "version": 1, "outcome": "released", "by_owner": true, "detail": "gaming" }')
    resumed(0, "holds")
    goes(CARD[1], "snd_hda_intel")
    resumed(1, "lost", "the claim sound does not hold", CARD[1])
    put(f"{ROOT}/run/vfio-claim/released.sound", "")
    os.unlink(f"{ROOT}/run/vfio-claim/resume.json")
    nothing_to_look_at()


def after_sleep_what_is_held():
    boot(efi=False)
    put(f"{ROOT}/etc/vfio-claim.partitions", "01234567-89ab-cdef-0123-456789abcdef\n")
    for address in CARD:
        goes(address, "amdgpu")
    check(execute("start", "--root", ROOT).returncode == 0, "start")
    check(report()["outcome"] == "held", f"{report()}")
    nothing_to_look_at("but functions are held", "vfio-claim confirm")


def status_while_a_trial_runs():
    """Only then it is said that something will be taken back."""
    mark = f"{ROOT}/run/vfio-claim/trial"
    started(CARD, CARD)
    says(command("confirm", "--trial"), 0)
    rebuilt(CARD)
    check(event("add", CARD[0])["outcome"] == "claimed", f"{report()}")
    done = command("status")
    says(done, 0, "gaming: claimed")
    check("Since then" not in done.stdout, f"{done.stdout!r}")
    boot("trial-timeout = 1440")
    done = command("status")
    says(done, 0, "not confirmed yet")
    check("taken back" not in done.stdout, f"{done.stdout!r}")
    if time.clock_gettime(time.CLOCK_BOOTTIME) > 1430 * 60:
        return                  # it would end at once
    # pylint: disable=consider-using-with
    trial = subprocess.Popen([COMMAND, "confirm", "--trial", "--root", ROOT])
    end = time.monotonic() + 20
    while not os.path.exists(mark) and time.monotonic() < end:
        time.sleep(0.1)
    says(command("status"), 0, "not confirmed yet", "after 1440 min it is taken back")
    screen()
    says(command("confirm"), 0, "this boot is confirmed")
    check(trial.wait(timeout=30) == 0 and not os.path.exists(mark), "the trial goes on")


CASES = [confirm_while_something_comes, part_of_it_is_pulled_out,
         what_nobody_awaits_is_pulled_out,
         after_sleep_what_was_claimed_by_hand, after_sleep_what_was_released,
         after_sleep_what_is_held, status_while_a_trial_runs]
