#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Expands a machine's description (machines/NAME.txt) into a tree that --root can be pointed at.

One line per function: address class id subsystem driver group [word...]; `-` where there is
none. Indented by two blanks below its bridge. Words:
  serial=xx-…[@OFFSET]  as lspci prints it; the capability's offset, hex, 100 unless given
  pci                   a conventional PCI function, without extended configuration space
  boot                  the firmware's display
  removable             behind a port that leads out of the machine
  state=D3cold          its power state
  d3cold=0              d3cold_allowed
  acpi, pr3             a port that the firmware describes; pr3: and can cut the power behind
Further lines:
  iommu NAME…           what is below sys/class/iommu
  connector ADDRESS CARD NAME STATUS   a DRM connector of a function, as "card1 eDP-1 connected"
  file PATH [TEXT]      one more file; \\n in the text begins a line
  fill N                network cards with virtual functions, until there are N functions
"""
import dataclasses
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


@dataclasses.dataclass
class Function:
    address: str
    cls: int
    vendor: int
    device: int
    subvendor: int
    subdevice: int
    driver: str = None
    group: str = None
    words: list = dataclasses.field(default_factory=list)
    parent: "Function" = None

    @property
    def bridge(self):
        return self.cls >> 8 == 0x0604

    @property
    def directory(self):
        """Its folder: below its bridge or root bus. VMD's root bus is below the controller."""
        if self.parent and self.domain == self.parent.domain:
            return f"{self.parent.directory}/{self.address}"
        above = self.parent.directory if self.parent else "sys/devices"
        return f"{above}/pci{self.address[:-5]}/{self.address}"

    @property
    def domain(self):
        return self.address.split(":")[0]

    @property
    def path(self):
        last = self.address.split(":")[-1]
        if self.parent and self.domain == self.parent.domain:
            return f"{self.parent.path}/{last}"
        return self.address

    @property
    def serial(self):
        for word in self.words:
            if word.startswith("serial="):
                text, _, offset = word[7:].partition("@")
                return text, int(offset or "100", 16)
        return None

    def line(self, **change):
        """The configuration's line for it, with parts replaced (None: left out)."""
        part = {
            "path": self.path,
            "id": f"{self.vendor:04x}:{self.device:04x}",
            "subsystem": f"{self.subvendor:04x}:{self.subdevice:04x}",
            "class": f"{self.cls:06x}",
            "serial": self.serial[0] if self.serial else None,
        }
        address = change.pop("address", self.address)
        part.update({key.rstrip("_"): value for key, value in change.items()})
        return f"function = {address} " + " ".join(f"{k}={v}" for k, v in part.items() if v)


def pair(text):
    if text == "-":
        return 0, 0
    left, right = text.split(":")
    return int(left, 16), int(right, 16)


class Machine:
    def __init__(self, name, fill=None):
        self.functions, self.iommu, self.files, self.connectors = [], [], {}, []
        above = []
        with open(f"{HERE}/machines/{name}.txt", encoding="utf-8") as source:
            lines = source.read().splitlines()
        for line in lines:
            word = line.split()
            if not word or word[0].startswith("#"):
                continue
            if word[0] == "iommu":
                self.iommu = word[1:]
            elif word[0] == "connector":
                self.connectors.append(word[1:])
            elif word[0] == "file":
                text = line.split(None, 2)[2:]
                self.files[word[1]] = text[0].replace("\\n", "\n") + "\n" if text else ""
            elif word[0] == "fill":
                self.fill(fill or int(word[1]))
            else:
                depth = (len(line) - len(line.lstrip())) // 2
                function = Function(
                    word[0], int(word[1], 16), *pair(word[2]), *pair(word[3]),
                    driver=None if word[4] == "-" else word[4],
                    group=None if word[5] == "-" else word[5],
                    words=word[6:], parent=above[depth - 1] if depth else None)
                above[depth:] = [function]
                self.functions.append(function)

    def fill(self, count):
        group = 1 + max(int(f.group) for f in self.functions if f.group)
        for bus in range(0x10, 0xd0, 2):
            if len(self.functions) >= count:
                break
            port = Function(f"0000:{bus:02x}:00.0", 0x060400, 0x8086, 0x2030, 0x8086, 0,
                            "pcieport", str(group))
            self.functions.append(port)
            for i in range(min(255, count - len(self.functions))):
                self.functions.append(Function(
                    f"0000:{bus + 1:02x}:{i >> 3:02x}.{i & 7}", 0x020000, 0x15b3,
                    0x101e if i else 0x101d, 0x15b3, 0x0016, None, str(group + 1 + i),
                    parent=port))
            group += 256

    def get(self, address):
        return next(f for f in self.functions if f.address == address)

    def drop(self, *addresses):
        """Takes functions out, with all that is below them."""
        def gone(function):
            return function and (function.address in addresses or gone(function.parent))
        self.functions = [f for f in self.functions if not gone(f)]

    def renumber(self, old, new):
        """Gives bus `old` (DDDD:BB) the number `new`, as another card in the machine does."""
        for function in self.functions:
            if function.address.startswith(old + ":"):
                function.address = new + function.address[len(old):]

    def no_iommu(self):
        self.iommu = []
        for function in self.functions:
            function.group = None

    def write(self, root):
        Writer(root).machine(self)


class Writer:
    def __init__(self, root):
        self.root = root
        self.made = set()

    def file(self, path, text):
        path = f"{self.root}/{path}"
        self.directory(os.path.dirname(path))
        with open(path, "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())

    def directory(self, path):
        if path not in self.made:
            os.makedirs(path, exist_ok=True)
            self.made.add(path)

    def link(self, path, target):
        """A relative link from one path below the root to another, as sysfs has them."""
        self.directory(os.path.dirname(f"{self.root}/{path}"))
        os.symlink(os.path.relpath(target, os.path.dirname(path)), f"{self.root}/{path}")

    def machine(self, machine):
        self.directory(f"{self.root}/run")
        self.directory(f"{self.root}/sys/class/iommu")
        self.directory(f"{self.root}/sys/kernel/iommu_groups")
        self.directory(f"{self.root}/sys/bus/pci/devices")
        for name in ("bind", "unbind", "new_id", "remove_id"):
            self.file(f"sys/bus/pci/drivers/vfio-pci/{name}", "")
        self.file("sys/bus/pci/drivers_probe", "")
        self.link("sys/bus/pci/drivers/vfio-pci/module", "sys/module/vfio_pci")
        for module in ("vfio_pci", "vfio_pci_core", "vfio_iommu_type1"):
            self.file(f"sys/module/{module}/initstate", "live\n")
        self.file("sys/module/vfio/initstate", "live\n")
        self.file("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N\n")
        self.file("proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet\n")
        self.file("proc/iomem", "00000000-00000000 : Reserved\n")
        for name in machine.iommu:
            self.file(f"sys/devices/virtual/iommu/{name}/uevent", "")
            self.link(f"sys/class/iommu/{name}", f"sys/devices/virtual/iommu/{name}")
        functions = sorted(machine.functions, key=lambda f: f.address)
        shared = {f.address[:-2] for f in functions if not f.address.endswith(".0")}
        for function in functions:
            self.function(function, function.address[:-2] in shared)
            self.power(function)
        for address, card, name, status in machine.connectors:
            self.connector(machine.get(address), card, name, status)
        for path, text in machine.files.items():
            self.file(path, text)

    def connector(self, function, card, name, status):
        here = f"{function.directory}/drm/{card}"
        self.file(f"{here}/{card}-{name}/status", f"{status}\n")
        self.link(f"sys/class/drm/{card}-{name}", f"{here}/{card}-{name}")
        if not os.path.lexists(f"{self.root}/{here}/device"):
            os.symlink(f"../../../{function.address}", f"{self.root}/{here}/device")
            self.link(f"sys/class/drm/{card}", here)

    def power(self, f):
        named = dict(word.split("=") for word in f.words if "=" in word)
        for word, path in (("state", "power_state"), ("d3cold", "d3cold_allowed")):
            if word in named:
                self.file(f"{f.directory}/{path}", f"{named[word]}\n")
        if "removable" in f.words:
            self.file(f"{f.directory}/removable", "removable\n")
        if "acpi" in f.words or "pr3" in f.words:
            self.file(f"{f.directory}/firmware_node/path", "\\_SB_.PCI0.PORT\n")
        if "pr3" in f.words:
            self.file(f"{f.directory}/firmware_node/power_resources_D3hot/LNXPOWER:00/path", "")

    def function(self, f, multi):
        here = f.directory
        uevent = f"DRIVER={f.driver}\n" if f.driver else ""
        uevent += (
            f"PCI_CLASS={f.cls:04X}\nPCI_ID={f.vendor:04X}:{f.device:04X}\n"
            f"PCI_SUBSYS_ID={f.subvendor:04X}:{f.subdevice:04X}\nPCI_SLOT_NAME={f.address}\n"
            f"MODALIAS=pci:v{f.vendor:08X}d{f.device:08X}sv{f.subvendor:08X}sd{f.subdevice:08X}"
            f"bc{f.cls >> 16:02X}sc{f.cls >> 8 & 255:02X}i{f.cls & 255:02X}\n")
        self.file(f"{here}/uevent", uevent)
        self.file(f"{here}/config", config_space(f, multi))
        self.file(f"{here}/driver_override", "(null)\n")
        self.file(f"{here}/class", f"0x{f.cls:06x}\n")
        self.file(f"{here}/vendor", f"0x{f.vendor:04x}\n")
        self.file(f"{here}/device", f"0x{f.device:04x}\n")
        if f.cls >> 8 == 0x0300:
            self.file(f"{here}/boot_vga", "1\n" if "boot" in f.words else "0\n")
        self.link(f"sys/bus/pci/devices/{f.address}", here)
        if f.driver:
            driver = f"sys/bus/pci/drivers/{f.driver}"
            self.link(f"{here}/driver", driver)
            for name in ("bind", "unbind"):
                self.file(f"{driver}/{name}", "")
            self.link(f"{driver}/{f.address}", here)
        if f.group:
            group = f"sys/kernel/iommu_groups/{f.group}"
            self.link(f"{here}/iommu_group", group)
            self.link(f"{group}/devices/{f.address}", here)
            self.file(f"{group}/type", "DMA-FQ\n")
            self.file(f"{group}/reserved_regions", "0x00000000fee00000 0x00000000feefffff msi\n")


def config_space(f, multi):
    space = bytearray(256 if "pci" in f.words else 4096)
    struct.pack_into("<HHHHI", space, 0, f.vendor, f.device, 0x0007, 0x0010, f.cls << 8)
    space[0x0e] = (0x80 if multi else 0) | (1 if f.bridge else 0)
    space[0x34] = 0x40
    if not f.bridge:
        struct.pack_into("<HH", space, 0x2c, f.subvendor, f.subdevice)
    if "pci" in f.words:
        space[0x40] = 0x01                              # power management
        return bytes(space)
    if f.bridge:                                        # root port, upstream, downstream
        kind = 4 if not f.parent else 5 if not f.parent.parent else 6
    else:                                               # endpoint, integrated endpoint
        kind = 0 if f.parent else 9
    struct.pack_into("<BBH", space, 0x40, 0x10, 0x50 if f.bridge else 0, 2 | kind << 4)
    if f.bridge:                                        # a bridge has its subsystem in a capability
        struct.pack_into("<BBHHH", space, 0x50, 0x0d, 0, 0, f.subvendor, f.subdevice)
    if f.serial:
        text, offset = f.serial
        number = bytes.fromhex(text.replace("-", ""))[::-1]
        if offset != 0x100:                             # error reporting before it
            struct.pack_into("<I", space, 0x100, 0x0001 | 1 << 16 | offset << 20)
        struct.pack_into("<I8s", space, offset, 0x0003 | 1 << 16, number)
    else:
        struct.pack_into("<I", space, 0x100, 0x0001 | 1 << 16)
    return bytes(space)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit("usage: tree.py MACHINE FOLDER [COUNT]")
    Machine(sys.argv[1], int(sys.argv[3]) if len(sys.argv) == 4 else None).write(sys.argv[2])
