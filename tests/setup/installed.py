# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that sets itself up: real sysfs, real firmware variables, GRUB by grub-install for
BIOS and UEFI on one disk, which then boots by itself."""

import os
import re

from boots import boot
from cases import Failed, stopping
from debian import on_card, on_host
from disk import Disk, linux_disk
from quick_kernel import replace

# what a boot does, on which firmware, and how it has to end
TURNS = [("install", "kernel", None), ("look", "seabios", on_card), ("undo", "ovmf", on_card),
         ("look", "seabios", on_host), ("look", "ovmf", on_host)]
SECONDS = 900                   # images are built under emulation


def installed(stock):
    stock.write("var/lib/test/turns", "".join(f"{turn}\n" for turn, _, _ in TURNS))
    kernel = [f"{stock.path}/boot/{name}-{stock.release}" for name in ("vmlinuz", "initrd.img")]
    disk = Disk(f"{stock.folder}/disk.img", replace(kernel[0]))
    linux_disk(disk.path, stock.path, 640)
    for number, (turn, firmware, wanted) in enumerate(TURNS, 1):
        extra = []
        if firmware == "kernel":
            # nothing is installed yet
            extra = ["-kernel", kernel[0], "-initrd", kernel[1], "-append",
                     f"root=/dev/vda2 ro {stock.cmdline}"]
        folder = f"{stock.folder}/{number}-{turn}"
        os.mkdir(folder)
        facts, wrong = boot(folder, disk, firmware, [], stopping, SECONDS, extra)
        said = facts.sections.get("said", [])
        failed = [line for line in said if re.fullmatch(r"\[[1-9]\d*\]", line)] and said[-6:]
        if wrong or failed or not facts.complete:
            raise Failed(f"boot {number}, {turn}: {wrong or failed or 'it did not come to its end'}")
        if wanted:
            wanted(facts)
