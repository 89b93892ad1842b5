# SPDX-License-Identifier: GPL-2.0-or-later
"""What is done in the boots of the table besides booting: functions that yield differences."""

import difflib
import time

from boots import LAYOUT
from judge import text_of
from machine import MODELS
from table import CARD

BOOT_PARTUUID = LAYOUT["BOOT_PARTUUID"]


def _partition(boot):
    """Where the machine mounts the partition that its owner reaches from elsewhere."""
    return "/boot/efi" if boot.machine.kind == "esp" else "/boot"


def put_off(boot, _):
    yield from _silent(boot, f"touch {_partition(boot)}/vfio-claim.off && sync")


def take_off(boot, _):
    yield from _silent(boot, f"rm {_partition(boot)}/vfio-claim.off && sync")


def _silent(boot, command):
    if told := boot.run(command).strip():
        yield f"{command}: {told}"


def rebuilt(boot, _):
    """The hook finds, where it runs in the machine, the partitions that the harness gave to
    the images of all boots. A whole update-initramfs takes minutes under emulation; it runs
    in tests/system/image."""
    told = boot.run(
        "export DESTDIR=/tmp/image version=$(uname -r) MODULESDIR=/lib/modules/$(uname -r); "
        "mkdir -p $DESTDIR; sh /usr/share/initramfs-tools/hooks/vfio-claim; "
        "echo ==; cat $DESTDIR/etc/vfio-claim.partitions")
    wanted = boot.machine.partitions
    if told.partition("==\n")[2].split() != wanted:
        yield f"the hook says {told!r}, not {wanted}"


def login_on(path):
    def late(boot, _):
        yield from ()
        boot.screen_until(path, "login", "login:")
    return late


def trial_ends(boot):
    """The only screen is blank until the trial ends, and shows a login then."""
    uptime = boot.root()
    text = boot.screen(CARD, "before")
    if text or uptime > 50:
        yield f"the claimed card shows a text after {uptime} s: {text!r}"
    boot.until("cat /run/vfio-claim/confirm.json 2>/dev/null", "waiting for the trial's end")
    end = float(boot.run("cat /proc/uptime").split()[0])
    if end < 60:
        yield f"the trial of a minute ended after {end} s"
    boot.screen_until(CARD, "after", "login:")


def _alike(told, wanted):
    """A letter may come twice where kernel and terminal write to one serial port."""
    return any(difflib.SequenceMatcher(None, line.strip(), wanted).ratio() > 0.95
               for line in told.split("\n") if "vfio" in line)


def told_at_login(boot, facts):
    """On the console, in the journal, and to who logs in."""
    words = text_of(facts, "motd")
    if words not in text_of(facts, "journal"):
        yield f"the journal says {text_of(facts, 'journal')!r}"
    boot.console.expect("vfio-claim: ", "waiting for a message on the console")
    line = "vfio-claim: " + boot.console.expect("\n", "waiting for a message's end")
    if not _alike(line, words):
        yield f"the console says {line!r}"
    boot.console.send("root\n")
    boot.console.expect("assword: ", "logging in")
    boot.console.send(LAYOUT["PASSWORD"] + "\n")
    told = boot.console.expect("# ", "logging in")
    if not _alike(told, words):
        yield f"who logs in is told {told!r}"


def retried(boot, _):
    """The owner's word ends safe mode."""
    told = boot.run("vfio-claim confirm --retry; echo $?")
    if told.split()[-1:] != ["0"]:
        yield f"confirm --retry: {told!r}"
    status = boot.run("vfio-claim status")
    if "attempt 1 of 2" not in status:
        yield f"after confirm --retry status says {status!r}"


def open_card(boot):
    """A paused virtual machine opens the claimed functions."""
    told = boot.run(
        "qemu-system-x86_64 -nodefaults -no-user-config -display none -vga none -machine q35 "
        "-accel tcg -m 64 -S -daemonize -pidfile /run/test-vm.pid "
        "-device vfio-pci,host=0000:01:00.0 -device vfio-pci,host=0000:01:00.1 2>&1; "
        "ls /run/test-vm.pid")
    if told.strip() != "/run/test-vm.pid":
        yield f"the virtual machine does not start: {told!r}"


def close_card(boot, facts):
    """Once it is gone the card can be given back."""
    if "qemu-system-x86" not in text_of(facts, "journal"):
        yield f"the journal does not name the user: {text_of(facts, 'journal')!r}"
    told = boot.run("kill $(cat /run/test-vm.pid); sleep 2; vfio-claim confirm; echo $?; "
                    "cat /run/vfio-claim/confirm.json")
    if "released" not in told or "\n1\n" not in told:
        yield f"after the virtual machine: {told!r}"
    driver = boot.run("basename $(readlink /sys/bus/pci/devices/0000:01:00.0/driver)").strip()
    if driver != "bochs-drm":
        yield f"the card is on {driver}"


def _told(boot, command, status, words, driver):
    """What a command says, and whose the card is then."""
    told = boot.run(f"{command}; echo status $?")
    if f"status {status}" not in told or words not in told:
        yield f"{command}: {told!r}"
    now = boot.run("basename $(readlink /sys/bus/pci/devices/0000:01:00.0/driver)").strip()
    if now != driver:
        yield f"after {command} the card is on {now}"


def change_hands(boot, _):
    """Released and claimed again while the system runs; never while somebody uses it."""
    release, claim = "vfio-claim release gaming", "vfio-claim claim gaming"
    yield from open_card(boot)
    yield from _told(boot, release, 1, "qemu-system-x86", "vfio-pci")
    boot.run("kill $(cat /run/test-vm.pid); sleep 2")
    yield from _told(boot, f"{release} --dry-run", 0, "would give back", "vfio-pci")
    yield from _told(boot, release, 0, "given back", "bochs-drm")
    yield from _told(boot, "vfio-claim status", 0, "given back", "bochs-drm")
    yield from _told(boot, release, 0, "already", "bochs-drm")
    boot.run("sleep 600 </dev/dri/by-path/pci-0000:01:00.0-card >/dev/null & echo $! >/run/test-user")
    yield from _told(boot, claim, 1, "sleep (pid", "bochs-drm")
    boot.run("kill $(cat /run/test-user); sleep 1")
    yield from _told(boot, "vfio-claim claim nobody", 1, "no claim nobody", "bochs-drm")
    yield from _told(boot, claim, 0, "is claimed", "vfio-pci")
    yield from _told(boot, claim, 0, "already", "vfio-pci")


DRIVER = "basename $(readlink /sys/bus/pci/devices/0000:01:00.0/driver)"


def _waited_for(boot):
    """Held by a process, until that ends."""
    yield from _told(boot, "vfio-claim release gaming", 0, "given back", "bochs-drm")
    # no jobs of this shell, which would tell when they end
    boot.run("(sleep 600 </dev/dri/by-path/pci-0000:01:00.0-card >/dev/null & "
             "echo $! >/run/test-user)")
    boot.run("(vfio-claim claim gaming --when-free >/run/test-told 2>&1 &)")
    told = boot.until("grep waiting /run/test-told", "waiting for a word of whom it waits for")
    if "sleep (pid" not in told or "/dev/dri/card" not in told:
        yield f"it waits: {told!r}"
    if (driver := boot.run(DRIVER).strip()) != "bochs-drm":
        yield f"while it waits the card is on {driver}"
    boot.run("kill $(cat /run/test-user)")
    told = boot.until("grep -v waiting /run/test-told", "waiting for the claim")
    if "gaming is claimed" not in told:
        yield f"once it is free: {told!r}"
    if (driver := boot.run(DRIVER).strip()) != "vfio-pci":
        yield f"after --when-free the card is on {driver}"


def _slept(boot, outcome, words, driver):
    """What the hook's service says after a sleep."""
    boot.run("rm -f /run/vfio-claim/resume.json")
    boot.sleep()
    told = boot.until("cat /run/vfio-claim/resume.json 2>/dev/null", "waiting for the hook")
    if f'"outcome": "{outcome}"' not in told or words not in told:
        yield f"after the sleep: {told!r}"
    boot.until("systemctl is-active vfio-claim-resume.service | grep -v activating",
               "waiting for vfio-claim-resume.service")
    journal = boot.run("journalctl -b --no-pager -o cat -u vfio-claim-resume.service")
    if words not in journal:
        yield f"the journal says {journal!r}"
    status = boot.run("vfio-claim status; echo status $?")
    if words not in status or f"status {int(outcome == 'lost')}" not in status:
        yield f"status says {status!r}"
    if (now := boot.run(DRIVER).strip()) != driver:
        yield f"after the sleep the card is on {now}"


def _plugged_in(boot):
    """Into an empty port, with the host's driver for it loaded."""
    boot.monitor.run("device_add", driver=MODELS["hda"].device, id="late", bus="at-1e.0")
    boot.until("readlink /sys/devices/pci0000:00/0000:00:1e.0/0*/driver | grep /vfio-pci",
               "waiting for the late function")
    report = boot.until("grep '\"stage\": *\"event\"' /run/vfio-claim/report.json",
                        "waiting for its report")
    if "late-arrival" in report:
        yield f"it is claimed, and the report says {report!r}"
    status = boot.run("vfio-claim status; echo status $?")
    if "status 0" not in status:
        yield f"with the late function status says {status!r}"


def wait_and_sleep(boot, _):
    yield from _plugged_in(boot)
    yield from _waited_for(boot)
    yield from _slept(boot, "holds", "the claim holds", "vfio-pci")
    if motd := boot.run("cat /run/motd.d/* 2>/dev/null").strip():
        yield f"motd is {motd!r}"


PROMPT = "Please unlock disk"


def _at_prompt(boot, outcome, driver):
    """What is true when the passphrase is asked for."""
    facts = boot.prompt()
    report, card = facts.report or {}, facts.functions[facts.at(CARD)]["driver"]
    if (report.get("outcome"), card) != (outcome, driver):
        yield f"at the prompt: {report.get('outcome')} {report.get('reason')}, " \
              f"the card is on {card}"
    order = [line.split()[0].rpartition("/")[2] for line in facts.sections["order"]
             if line.startswith("/scripts")]
    if order.index("00-vfio-claim") > order.index("cryptroot"):
        yield f"the order in local-top is {order}"


def dark_prompt(boot):
    """The prompt is there, and nobody can see it."""
    yield from _at_prompt(boot, "claimed", "vfio-pci")
    time.sleep(3)
    if text := boot.screen(CARD, "dark"):
        yield f"the claimed card shows a text: {text!r}"


def prompt(boot):
    yield from _at_prompt(boot, "kept", "bochs-drm")
    boot.screen_until(CARD, "prompt", PROMPT)


def passphrase(boot):
    yield from prompt(boot)
    boot.type(LAYOUT["PASSPHRASE"] + "\n")
