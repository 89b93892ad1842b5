# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines that are ready for `vfio-claim vm create`: those of tests/roots with a claim that
holds, and the processors, memory and programs that such machines have."""
import dataclasses
import functools
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.append(f"{TOP}/tests/roots")      # its cases are not ours
sys.path[:0] = [f"{TOP}/tests/lib"]
# pylint: disable=wrong-import-position
from prefork import Prefork
from tree import Machine, Writer

BUILD = f"{TOP}/build/vm"
COMMAND = os.environ.get("VFIO_CLAIM", f"{TOP}/build/vfio-claim")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
PROGRAM = Prefork(f"{COMMAND}-vm", ENVIRONMENT)
CLAIM = "gpu"
# what people have lying about, and what the options name
FILES = ["srv/win11.iso", "srv/debian.iso", "srv/virtio-win.iso", "srv/card.rom",
         "srv/disk.qcow2", "srv/disk.img", "dev/nvme0n1",
         "dev/input/by-id/usb-Maker_Keys-event-kbd",
         "dev/input/by-id/usb-Maker_Mouse-event-mouse"]
ROM = b"\x55\xaa" + bytes(62)
QCOW2 = b"QFI\xfb\0\0\0\x03" + bytes(96)


@dataclasses.dataclass
class Cpus:
    """threads: for each core its processors; caches: what shares the last cache."""
    vendor: str
    model: str
    threads: list
    caches: list
    efficient: tuple = ()
    nodes: int = 1


def paired(cores, stride):
    """Siblings as firmware numbers them: next to each other (stride 1), or all the first
    threads before the second ones."""
    if stride == 1:
        return [(2 * core, 2 * core + 1) for core in range(cores)]
    return [(core, core + stride) for core in range(cores)]


AMD, INTEL = "AuthenticAMD", "GenuineIntel"
MATISSE = Cpus(AMD, "AMD Ryzen 7 3700X 8-Core Processor", paired(8, 8),
               [[*range(0, 4), *range(8, 12)], [*range(4, 8), *range(12, 16)]])
GRANITE = Cpus(AMD, "AMD Ryzen 7 9700X 8-Core Processor", paired(8, 8), [[*range(16)]])
SKYLAKE = Cpus(INTEL, "Intel(R) Core(TM) i5-6500 CPU @ 3.20GHz", [(i,) for i in range(4)],
               [[*range(4)]])
COFFEE = Cpus(INTEL, "Intel(R) Core(TM) i7-8750H CPU @ 2.20GHz", paired(6, 6), [[*range(12)]])
# six fast cores with two threads, eight small ones
HYBRID = Cpus(INTEL, "13th Gen Intel(R) Core(TM) i7-13700H",
              paired(6, 1) + [(i,) for i in range(12, 20)], [[*range(20)]],
              tuple(range(12, 20)))
# two sockets, a node each; the second threads come last
XEONS = Cpus(INTEL, "Intel(R) Xeon(R) Gold 6126 CPU @ 2.60GHz", paired(24, 24),
             [[*range(0, 12), *range(24, 36)], [*range(12, 24), *range(36, 48)]], (), 2)

# name: processors, GiB, the claimed functions
MACHINES = {
    "laptop": (COFFEE, 16, ["0000:01:00.0"]),
    "desktop": (SKYLAKE, 32, [f"0000:01:00.{i}" for i in range(4)]),
    "twins": (MATISSE, 32, ["0000:05:00.0", "0000:05:00.1"]),
    "amd-single": (MATISSE, 64, ["0000:2d:00.0", "0000:2d:00.1"]),
    "arc": (GRANITE, 64, ["0000:03:00.0", "0000:04:00.0"]),
    "vmd": (HYBRID, 32, ["0000:03:00.0"]),
    "server": (XEONS, 256, ["0000:d9:00.0", "0000:d9:00.1"]),
}
# the only display is given away, and nothing counts the boots
HOST = {"amd-single": ["require-display = no", "record = none"]}


def ranges(numbers):
    """As the kernel prints a list: 0-3,8"""
    text, numbers = [], sorted(numbers)
    while numbers:
        end = 0
        while end + 1 < len(numbers) and numbers[end + 1] == numbers[end] + 1:
            end += 1
        text.append(f"{numbers[0]}-{numbers[end]}" if end else f"{numbers[0]}")
        numbers = numbers[end + 1:]
    return ",".join(text) + "\n"


def _cpu_files(cpus):
    files, folder = {}, "sys/devices/system/cpu"
    everyone = sorted(cpu for core in cpus.threads for cpu in core)
    for name in ("online", "possible", "present"):
        files[f"{folder}/{name}"] = ranges(everyone)
    for number, core in enumerate(cpus.threads):
        package = number * cpus.nodes // len(cpus.threads)
        for cpu in core:
            here = f"{folder}/cpu{cpu}"
            files[f"{here}/topology/core_id"] = f"{number}\n"
            files[f"{here}/topology/physical_package_id"] = f"{package}\n"
            files[f"{here}/topology/die_id"] = "0\n"
            files[f"{here}/topology/thread_siblings_list"] = ranges(core)
            files[f"{here}/topology/core_cpus_list"] = ranges(core)
            if cpu:                 # the first one can not be switched off
                files[f"{here}/online"] = "1\n"
            files[f"{here}/node{package}/cpulist"] = ""
            last = next(cache for cache in cpus.caches if cpu in cache)
            for index, (level, kind, shared) in enumerate((
                    (1, "Data", core), (1, "Instruction", core), (2, "Unified", core),
                    (3, "Unified", last))):
                cache = f"{here}/cache/index{index}"
                files[f"{cache}/level"], files[f"{cache}/type"] = f"{level}\n", f"{kind}\n"
                files[f"{cache}/shared_cpu_list"] = ranges(shared)
    for node in range(cpus.nodes):
        inside = [cpu for number, core in enumerate(cpus.threads) for cpu in core
                  if number * cpus.nodes // len(cpus.threads) == node]
        files[f"sys/devices/system/node/node{node}/cpulist"] = ranges(inside)
    files["sys/devices/system/node/online"] = ranges(range(cpus.nodes))
    if cpus.efficient:
        files["sys/devices/cpu_atom/cpus"] = ranges(cpus.efficient)
        files["sys/devices/cpu_core/cpus"] = ranges(set(everyone) - set(cpus.efficient))
    files["proc/cpuinfo"] = "".join(
        f"processor\t: {cpu}\nvendor_id\t: {cpus.vendor}\nmodel name\t: {cpus.model}\n\n"
        for cpu in everyone)
    return files


def _memory_files(gib):
    pages = "sys/kernel/mm/hugepages/hugepages"
    files = {"proc/meminfo": f"MemTotal:       {gib << 20} kB\nMemFree:        {gib << 19} kB\n"
                             f"MemAvailable:   {gib << 19} kB\nHugepagesize:       2048 kB\n"}
    # half of it in small ones, none in large ones
    for size, count in ((2048, gib << 8), (1048576, 0)):
        files[f"{pages}-{size}kB/nr_hugepages"] = f"{count}\n"
        files[f"{pages}-{size}kB/free_hugepages"] = f"{count}\n"
    return files


def _installed_files():
    """Debian's QEMU, OVMF, swtpm and libvirt; the firmware's descriptions are this machine's."""
    files = dict.fromkeys(
        ["usr/bin/qemu-system-x86_64", "usr/bin/swtpm", "usr/bin/swtpm_setup", "usr/bin/virsh",
         "usr/sbin/libvirtd", "run/libvirt/libvirt-sock", "run/libvirt/libvirt-sock-ro",
         "etc/libvirt/qemu/networks/default.xml", "dev/kvm", "dev/vfio/vfio", *FILES], "")
    files |= {"srv/disk.qcow2": QCOW2, "srv/card.rom": ROM}
    for folder in ("usr/share/qemu/firmware", "usr/share/OVMF"):
        for name in os.listdir(f"/{folder}"):
            with open(f"/{folder}/{name}", "rb") as source:
                files[f"{folder}/{name}"] = source.read() if name.endswith(".json") else ""
    return files


@functools.cache
def _ids():
    """This machine's pci.ids: a vendor's number -> its lines."""
    found, lines = {}, []
    with open("/usr/share/misc/pci.ids", encoding="utf-8", errors="replace") as text:
        for line in text:
            if line[0] not in "\t\n#":
                lines = found[line[:4]] = []
            lines.append(line)
    return found


def _names(machine):
    """Of pci.ids what names the machine's functions. Without one the command reads all of this
    machine's, which takes longer than what it is called for."""
    text = []
    for vendor in sorted({f.vendor for f in machine.functions}):
        devices = tuple(f"\t{f.device:04x} " for f in machine.functions if f.vendor == vendor)
        lines = _ids().get(f"{vendor:04x}", [])
        text += lines[:1] + [line for line in lines if line.startswith(devices)]
    return "".join(text)


def write(name, root, *, machine_id=None):
    """Writes the machine below `root`; a server's card is at its second node."""
    cpus, gib, card = MACHINES[name]
    machine = Machine(name, 16)
    for address in card:
        machine.get(address).driver = "vfio-pci"
    machine.files.update(_cpu_files(cpus) | _memory_files(gib) | _installed_files())
    machine.files["usr/share/misc/pci.ids"] = _names(machine)
    machine.files["etc/vfio-claim.conf"] = "\n".join(
        ["[host]", *HOST.get(name, ["require-display = yes"]), "", f"[claim {CLAIM}]",
         *(machine.get(address).line() for address in card), ""])
    if machine_id:
        machine.files["etc/machine-id"] = f"{machine_id}\n"
    if cpus.nodes > 1:
        for address in card:
            machine.files[f"{machine.get(address).directory}/numa_node"] = "1\n"
    shutil.rmtree(root, ignore_errors=True)
    machine.write(root)
    for address in card:
        group = machine.get(address).group
        Writer(root).file(f"dev/vfio/{group}", "")
    os.chmod(f"{root}/etc/vfio-claim.conf", 0o644)


def create(root, *words):
    """What `vfio-claim vm create` on the machine below `root` becomes: what subprocess.run says,
    in bytes."""
    return PROGRAM.run("create", "--root", root, *words)


def vm(command, root, *words):
    """The same of another command, and by the command that people use."""
    return subprocess.run([COMMAND, "vm", command, "--root", root, *words], check=False,
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=60,
                          env=ENVIRONMENT)
