# SPDX-License-Identifier: GPL-2.0-or-later
"""How far addresses reach: the IOMMU's, which may be fewer than the processor's, and the guest's."""
import re
import shutil

import captured
from domain import CARD, QEMU
from judge import all_of, no_hostdevs, put, text

MODE = "<cpu mode='host-passthrough' check='none'>"


def widths(iommus, processor, *changes):
    """The bits of each IOMMU, as MGAW has them among others, and of the processor."""
    caps = [put(f"sys/class/iommu/dmar{i}/intel-iommu/cap",
                f"{0xd2008c40400462 | bits - 1 << 16:x}\n") for i, bits in enumerate(iommus)]
    sizes = f"address sizes\t: {processor} bits physical, 48 bits virtual\n" if processor else ""
    return all_of(*caps, put("proc/cpuinfo", f"processor\t: 0\n{sizes}"), *changes)


def cpu_has(words):
    return text(MODE, f"{MODE}\n    {words}")


def argument(value):
    return text("</devices>\n", f"</devices>\n  <qemu:commandline xmlns:qemu='{QEMU}'>\n"
                f"    <qemu:arg value='-global'/>\n    <qemu:arg value='{value}'/>\n"
                "  </qemu:commandline>\n")


LOOKING_GLASS = text("    <memballoon", "    <shmem name='looking-glass'>\n"
                     "      <model type='ivshmem-plain'/>\n      <size unit='M'>32</size>\n"
                     "    </shmem>\n    <memballoon")
OLD_LIBVIRT = put("usr/share/libvirt/schemas/cputypes.rng",
                  '<element name="maxphysaddr">\n<attribute name="bits"/>\n</element>\n'
                  '<element name="other"><attribute name="limit"/></element>\n')
NEW_LIBVIRT = put("usr/share/libvirt/schemas/cputypes.rng",
                  '<element name="maxphysaddr">\n<attribute name="limit"/>\n</element>\n')


def largest_bar(end):
    return lambda s: s.files.update({
        f"{s.machine.get(CARD[0]).directory}/resource":
        f"0x0000000085000000 0x0000000085ffffff 0x0000000000040200\n"
        f"0x0000004000000000 {end} 0x000000000014220c\n"})


WIDE = {"address-width": ("problem", "39 bits", "stays black", "--fix")}
NARROW = widths([46, 39], 46, LOOKING_GLASS)
# name, change and findings, for check.py
EXPECTED = [
    ("IOMMU narrower", NARROW, WIDE),
    ("IOMMU narrower, old libvirt", all_of(NARROW, OLD_LIBVIRT), WIDE),
    ("IOMMU narrower, large BAR", all_of(widths([39], 46), largest_bar("0x00000043ffffffff")), WIDE),
    ("IOMMU narrower, small BAR", all_of(widths([39], 46), largest_bar("0x000000400fffffff")),
     {"address-width": ("note", "--fix")}),
    ("IOMMU narrower, nothing large", widths([39], 46), {"address-width": ("note", "--fix")}),
    ("IOMMU narrower, processor unknown", widths([39], 0, LOOKING_GLASS), WIDE),
    ("IOMMU as wide", widths([39], 39, LOOKING_GLASS), {}),
    ("IOMMU wider", widths([48, 46], 39, LOOKING_GLASS), {}),
    ("IOMMU's width unknown", all_of(widths([], 48), LOOKING_GLASS), {}),
    ("IOMMU narrower, emulated", all_of(NARROW, text("'kvm'", "'qemu'")), {}),
    ("IOMMU narrower, no card", all_of(NARROW, no_hostdevs), {"no-hostdev": ("note",)}),
    ("addresses limited", all_of(NARROW, cpu_has("<maxphysaddr mode='passthrough' limit='39'/>")),
     {}),
    ("addresses limited, new libvirt", all_of(
        NARROW, NEW_LIBVIRT, cpu_has("<maxphysaddr mode='passthrough' limit='39'/>")), {}),
    ("addresses not limited enough", all_of(
        NARROW, cpu_has("<maxphysaddr mode='passthrough' limit='40'/>")), WIDE),
    ("addresses limited, old libvirt", all_of(
        NARROW, OLD_LIBVIRT, cpu_has("<maxphysaddr mode='passthrough' limit='39'/>")), WIDE),
    # -cpu host takes the host's number all the same
    ("addresses emulated", all_of(NARROW, cpu_has("<maxphysaddr mode='emulate' bits='39'/>")),
     WIDE),
    ("addresses limited by QEMU's words", all_of(
        NARROW, OLD_LIBVIRT, argument("max-x86_64-cpu.host-phys-bits-limit=39")), {}),
    ("addresses of a model", all_of(NARROW, text(MODE, "<cpu mode='host-model'>")),
     {**WIDE, "cpu-mode": ("note",)}),
    ("addresses of a model, limited", all_of(NARROW, text(
        MODE, "<cpu mode='host-model'>\n    <maxphysaddr mode='emulate' bits='39'/>")),
     {"cpu-mode": ("note",)}),
    ("addresses of no model", all_of(NARROW, text(MODE, "<cpu>")),
     {**WIDE, "cpu-mode": ("warning",)}),
]


class Files:
    """A captured machine's, in the place of a scene's."""

    def __init__(self):
        self.files = {}


def created():
    """What vm create makes of it: for a libvirt with a word for it, for an older one, for QEMU."""
    root, wrong = f"{captured.BUILD}/widths", []
    words = ["guest", "--os", "win11", "--looking-glass", "1920x1080", "--claim", captured.CLAIM]
    limit = '<maxphysaddr mode="passthrough" limit="39"/>'
    words_of_qemu = '<qemu:arg value="max-x86_64-cpu.host-phys-bits-limit=39"/>'

    def expect(what, given, parts, absent=()):
        done = captured.create(root, *words, *given)
        out = done.stdout.decode()
        wrong.extend(f"{what}: no {part!r} in {out[-300:]} {done.stderr!r}"
                     for part in parts if not re.search(part, out))
        wrong.extend(f"{what}: {part!r} is there" for part in absent if re.search(part, out))

    for what, change, xml, no_xml, qemu in (
            ("new", widths([46, 39], 46, NEW_LIBVIRT), [limit], [words_of_qemu, "xmlns:qemu"],
             True),
            ("unknown", widths([39], 46), [limit], [words_of_qemu], True),
            ("old", widths([39], 46, OLD_LIBVIRT), [words_of_qemu, "xmlns:qemu"], [limit], True),
            ("as wide", widths([39], 39), [], ["maxphysaddr", "phys-bits"], False),
            ("AMD", widths([], 48), [], ["maxphysaddr", "phys-bits"], False)):
        captured.write("vmd", root)
        scene = Files()
        change(scene)
        for path, content in scene.files.items():
            captured.Writer(root).file(path, content)
        expect(what, ["--print-xml"], xml, no_xml)
        cpu = ["-cpu host,migratable=off,.*host-phys-bits-limit=39"]
        expect(f"{what}, QEMU", ["--print-qemu"], cpu if qemu else [], [] if qemu else cpu)
        expect(f"{what}, emulated", ["--print-xml", "--type", "qemu"], ["<domain"],
               ["maxphysaddr", "phys-bits"])
    shutil.rmtree(root)
    return wrong
