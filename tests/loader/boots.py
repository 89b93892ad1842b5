# SPDX-License-Identifier: GPL-2.0-or-later
"""Boots a disk with a real boot loader, works its menu by keyboard, and judges what the kernel
was told and what vfio-claim did."""

import time

from facts import Facts
from machine import KERNEL, Board, arguments
from quick_kernel import ARGUMENT
from table import claim
from vm import Monitor, Vm, ovmf_arguments

BOARD = "01.0=vga 1c.0/00.0=vga+hda 1d.0/00.0=vga+hda"
GPU = ["1c.0/00.0", "1c.0/00.1"]
CONF = "[host]\nrecord = none\n" + claim("gaming", "01:00.0 1c.0/00.0 vga",
                                         "01:00.1 1c.0/00.1 hda").text()
# claimed by the entry of its own alone
NAMED = CONF + "boot = named\n"
CMDLINE = f"console=ttyS0 quiet {KERNEL} {ARGUMENT} intel_iommu=on"
TIMEOUT = 240
HOLD = 50                       # ms of the machine's own clock; keys wait for each other


class Console:
    """The first serial port's output, read from where the last look ended."""

    def __init__(self, path):
        self.path = path
        self.at = 0

    def sees(self, text):
        """Whether it shows a text since the last time that one was seen."""
        try:
            with open(self.path, "rb") as log:
                found = log.read().find(text.encode(), self.at)
        except FileNotFoundError:
            return False
        if found < 0:
            return False
        self.at = found + len(text)
        return True


def boot(folder, disk, firmware, steps, stopping, seconds=TIMEOUT, extra=()):
    """Runs a machine to its end. `steps` are (text, keys): when the console shows the text,
    the keys are pressed. Returns its Facts and what went wrong in words, or None."""
    command = [*arguments("intel", Board.parse(BOARD)), *Monitor.ARGUMENTS, *disk.kernel, *extra,
               "-drive", f"if=none,id=disk,format=raw,file={disk.path}",
               "-device", "virtio-blk-pci,drive=disk,addr=05.0",
               "-serial", f"file:{folder}/console.log", "-serial", f"file:{folder}/facts.log"]
    if firmware == "ovmf":
        command += ovmf_arguments(folder)
    console = Console(f"{folder}/console.log")
    steps, wrong = list(steps), None
    started = time.monotonic()
    with Vm(folder, command) as vm:
        monitor = Monitor(vm)
        while vm.running() and not wrong:
            if stopping.is_set():
                wrong = "stopped"
            elif time.monotonic() - started > seconds:
                wrong = f"no end after {seconds} s"
            elif steps and console.sees(steps[0][0]):
                for key in steps.pop(0)[1].split():
                    monitor.run("send-key", keys=[{"type": "qcode", "data": key}],
                                **{"hold-time": HOLD})
            vm.wait(0.1)
        if vm.process.poll():
            wrong = f"QEMU: {vm.messages()}"
    if steps and not wrong:
        wrong = f"the console did not show {steps[0][0]!r}"
    try:
        with open(f"{folder}/facts.log", encoding="utf-8", errors="replace") as text:
            facts = Facts(text.read())
    except FileNotFoundError:
        facts = Facts("")
    return facts, wrong


def judge(facts, off, kernel, words=None):
    """What differs, in words. `kernel`: the end of what the loader calls the kernel; `words`:
    those of vfio_claim=."""
    words = (["vfio_claim=off"] if off else []) if words is None else words
    if not facts.complete:
        return "the machine did not reach the judge script's end"
    cmdline = " ".join(facts.sections.get("cmdline", []))
    report = facts.report or {}
    taken = sorted(function["path"] for function in facts.functions.values()
                   if function["driver"] == "vfio-pci")
    told = {"on the command line": [word for word in cmdline.split() if "vfio_claim" in word],
            "the kernel is the one that was chosen": kernel in cmdline,
            "outcome": report.get("outcome"), "reason": report.get("reason"),
            "on vfio-pci": taken}
    wanted = {"on the command line": words,
              "the kernel is the one that was chosen": True,
              "outcome": "kept" if off else "claimed", "reason": "off" if off else None,
              "on vfio-pci": [] if off else GPU}
    wrong = [f"{key}: {told[key]}, not {value}" for key, value in wanted.items()
             if told[key] != value]
    return "; ".join(wrong + ([f"command line: {cmdline}"] if wrong else []))
