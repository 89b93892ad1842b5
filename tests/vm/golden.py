#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""What `vfio-claim vm create` makes on the usual machines: golden/NAME.xml and NAME.qemu.

usage: golden.py --update       writes them anew; read the diff
"""
import difflib
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, f"{os.path.dirname(HERE)}/lib"]

# pylint: disable=wrong-import-position
import captured
import compare
import libvirt
from cases import Failed, must
from combos import commands

# a machine of captured.MACHINES: what its owner says
SAID = {
    # NVIDIA beside Intel: no output of its own, so it is looked at through shared memory
    "laptop": ["--os", "win11", "--iso", "/srv/win11.iso", "--virtio-win",
               "/srv/virtio-win.iso", "--rom", "/srv/card.rom", "--looking-glass", "1920x1080"],
    # the host's only card: keyboard, mouse and a headset go with it
    "amd-single": ["--os", "win11", "--iso", "/srv/win11.iso", "--virtio-win",
                   "/srv/virtio-win.iso", "--rom", "/srv/card.rom", "--usb", "1b1c:0a51",
                   "--evdev", "--pin"],
    # one of two equal cards, with a disk of its own and all the speed there is
    "twins": ["--os", "linux", "--iso", "/srv/debian.iso", "--disk", "/dev/nvme0n1", "--pin",
              "--hugepages", "--memory", "12G"],
    # the audio is behind another port of the card's switch; nothing else is said
    "arc": ["--os", "win10", "--title", "Windows 10 on the Arc"],
}


def made(name, folder):
    """The XML and the script."""
    root = f"{folder}/root"
    captured.write(name, root)
    texts = []
    for kind in ("--print-xml", "--print-qemu"):
        done = captured.vm("create", root, kind, "--claim", captured.CLAIM, *SAID[name], name)
        if done.returncode:
            raise Failed(f"exit status {done.returncode}: {done.stderr.decode().strip()}")
        texts.append(done.stdout.decode())
    return texts


def _case(machine):
    def case(name):
        folder = f"{captured.BUILD}/{name}"
        texts = made(machine, folder)
        wrong = []
        for text, kind in zip(texts, ("xml", "qemu")):
            with open(f"{folder}/made.{kind}", "w", encoding="utf-8") as out:
                out.write(text)
            with open(f"{HERE}/golden/{machine}.{kind}", encoding="utf-8") as golden:
                wrong += difflib.unified_diff(
                    golden.read().splitlines(), text.splitlines(), f"golden/{machine}.{kind}",
                    f"made.{kind}", lineterm="", n=1)
        if wrong:
            raise Failed("\n        ".join(["golden.py --update writes them anew", *wrong[:60]]))
        must("virt-xml-validate", f"{folder}/made.xml", "domain")
        virsh = ["virsh", "-q", "-c", libvirt.URI[0]]
        must(*virsh, "define", "--validate", f"{folder}/made.xml")
        must(*virsh, "undefine", "--nvram", machine)
        connection = libvirt.connect()
        line = next(words for words in commands(texts[1]) if words[0] == libvirt.EMULATOR)
        ours = compare.normal(line, connection.machine)
        ours = ours if connection.kvm else compare.same_type(ours)
        theirs = compare.normal(connection.native(texts[0]), connection.machine)
        if wrong := compare.differences(ours, theirs):
            raise Failed("\n        ".join(["QEMU is told other things by libvirt", *wrong]))
    case.__name__ = f"golden-{machine}"
    case.__doc__ = f"the golden files of {machine}, valid and both the same"
    return case


CASES = [_case(machine) for machine in SAID]


def main():
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    subprocess.run([f"{captured.TOP}/tests/lib/need", "ovmf"], check=True)
    os.makedirs(f"{HERE}/golden", exist_ok=True)
    for machine in SAID:
        for text, kind in zip(made(machine, f"{captured.BUILD}/update"), ("xml", "qemu")):
            with open(f"{HERE}/golden/{machine}.{kind}", "w", encoding="utf-8") as out:
                out.write(text)


if __name__ == "__main__":
    main()
