# SPDX-License-Identifier: GPL-2.0-or-later
"""The bench's boots, with the harness of tests/boot: who claims what on five cases, and how
long it takes."""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = f"{TOP}/build/bench/vm"
sys.path[1:1] = [f"{TOP}/tests/boot", f"{TOP}/tests/lib"]

# pylint: disable=wrong-import-position
from facts import Facts
from machine import MODELS, Board, arguments
from vm import Cpio, Vm, extend_initrd

TOOLS = ["ours", "override", "override-list", "driverctl", "modprobe-ids"]
RUNS = 7
TIMEOUT = 600

# Everything is set up for the card at 1c.0, which is 0000:01:00.0 and .1 then.
CARD = ["1c.0/00.0", "1c.0/00.1"]
CONF = "[host]\nrequire-display = yes\n\n[claim card]\n" + "".join(
    f"function = 0000:01:00.{i} path=0000:00:1c.0/00.{i} id={model.id} "
    f"subsystem={model.subsystem} class={model.klass}\n"
    for i, model in enumerate((MODELS["vga"], MODELS["hda"])))
IDS = f"vfio-pci.ids={MODELS['vga'].id},{MODELS['hda'].id}"
SOFTDEP = "softdep bochs pre: vfio-pci\nsoftdep snd_hda_intel pre: vfio-pci\n"

# name -> IOMMU, devices, whether the card is to be claimed
CASES = {
    "plain": ("intel", "01.0=qxl 1c.0/00.0=vga+hda", True),
    "twins": ("intel", "01.0=qxl 1c.0/00.0=vga+hda 1d.0/00.0=vga+hda", True),
    "IOMMU off": ("none", "01.0=qxl 1c.0/00.0=vga+hda", False),
    "missing": ("intel", "01.0=qxl 1c.0=port 1d.0/00.0=cirrus", False),
    "renumbered": ("intel", "01.0=qxl 1b.0/00.0=nvme,serial=1 1c.0/00.0=vga+hda", True),
}

# Runs before udev. A line in the kernel's log costs no process and has microseconds.
TIMES = """
stamp() { echo "bench: $*" >/dev/kmsg; }
devices="0000:01:00.0 0000:01:00.1"
reset() {
	for device in $devices; do
		[ ! -e /sys/bus/pci/devices/$device/driver ] ||
			echo $device >/sys/bus/pci/devices/$device/driver/unbind
		echo >/sys/bus/pci/devices/$device/driver_override
	done
}
prepare() { :; }
run() {
	prepare
	stamp start "$1"
	$tool >/dev/null 2>&1
	stamp end "$1"
	bound=0
	for device in $devices; do
		[ ! -e /sys/bus/pci/drivers/vfio-pci/$device ] || bound=$((bound + 1))
	done
	stamp bound "$1" $bound
	reset
}
i=0
while [ $i -lt RUNS ]; do
	run load
	modprobe -r vfio-pci
	# these stay, and a boot has none of them
	for module in vfio_iommu_type1 vfio_virqfd irqbypass; do
		modprobe -r $module 2>/dev/null
	done
	i=$((i + 1))
done
modprobe vfio-pci
reset
i=0
while [ $i -lt RUNS ]; do
	run loaded
	stamp start true
	/usr/bin/true
	stamp end true
	i=$((i + 1))
done
"""

# The floor is told which files are to be loaded: what is there already would cost it more.
FLOOR = """
files=$(modprobe --show-depends vfio-pci | awk '$1 == "insmod" && !seen[$2]++ { print $2 }')
prepare() {
	tool=/bench/bin/floor
	for file in $files; do
		module=$(echo "${file##*/}" | sed 's/[.].*//; y/-/_/')
		[ -e "/sys/module/$module" ] || tool="$tool $file"
	done
	tool="$tool $devices"
}
i=0
"""

STRACE = """
/bench/ld.so --library-path /bench/lib /bench/strace -f -o /run/calls.load $tool
for device in 0000:01:00.0 0000:01:00.1; do
	echo $device >/sys/bus/pci/drivers/vfio-pci/unbind
	echo >/sys/bus/pci/devices/$device/driver_override
done
/bench/ld.so --library-path /bench/lib /bench/strace -f -o /run/calls.loaded $tool
for kind in load loaded; do
	echo "== calls.$kind"
	cat /run/calls.$kind
done >/dev/ttyS1
"""


def read(path):
    with open(path, "rb") as data:
        return data.read()


def program(archive, path, target):
    """Adds a program of this machine with the libraries that it needs."""
    archive.add(target, read(path), 0o100755)
    listed = subprocess.run(["ldd", path], check=True, text=True, capture_output=True).stdout
    return re.findall(r"(/\S+) \(0x", listed)


def overlay(tool, early=""):
    """What is added to the shared image, so that `tool` does the claiming."""
    archive = Cpio()
    archive.folder("test")
    for folder in ("bench", "bench/lib", "bench/bin"):
        archive.folder(folder)
    command = f"/bench/bin/{tool}"
    if tool == "ours":
        archive.add("etc/vfio-claim.conf", CONF)
        command = "/usr/lib/vfio-claim/vfio-claim-early start"
    elif tool == "floor":
        archive.add("bench/bin/floor", read(f"{BUILD}/floor"), 0o100755)
    elif tool == "modprobe-ids":
        archive.add("etc/modprobe.d/vfio.conf", SOFTDEP)
        command = "modprobe vfio-pci" if early else ":"
    else:
        script = "driverctl-list" if tool == "driverctl" else tool
        archive.add(f"bench/bin/{tool}", read(f"{HERE}/tools/{script}"), 0o100755)
    if tool == "driverctl":
        archive.add("usr/sbin/driverctl", read(shutil.which("driverctl")), 0o100755)
        for library in program(archive, "/bin/bash", "usr/bin/bash"):
            # The image has a C library and a loader already.
            if "libtinfo" in library:
                archive.add("usr/lib/x86_64-linux-gnu/" + os.path.basename(library),
                            read(library), 0o100755)
    if tool != "ours" or early:
        archive.add("scripts/init-top/00-vfio-claim", "#!/bin/sh\nexit 0\n", 0o100755)
    if "/bench/strace" in early:
        for library in program(archive, shutil.which("strace"), "bench/strace"):
            name = "bench/ld.so" if "/ld-" in library else "bench/lib/" + os.path.basename(library)
            archive.add(name, read(library), 0o100755)
    if early:
        archive.add("test/early", f"#!/bin/sh\ntool='{command}'\n{early}", 0o100755)
    elif tool != "ours":
        archive.add("test/early", f"#!/bin/sh\n{command}\n", 0o100755)
    return archive


def boot(name, tool, case, early="", options=(), files=None):
    """Boots and returns the facts and the text they were read from."""
    folder = f"{BUILD}/{name}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    iommu, devices, _ = CASES[case]
    archive = overlay(tool, early)
    for path, text in (files or {}).items():
        archive.add(path, text, 0o100755)
    extend_initrd(f"{BUILD}/initrd.img", archive, f"{folder}/initrd.img")
    # On a busy machine the emulated timer may look dead to the kernel, which panics then.
    words = "console=ttyS0 quiet panic=-1 no_timer_check intel_iommu=on printk.devkmsg=on "
    if tool == "modprobe-ids":
        words += IDS
    command = [*arguments(iommu, Board.parse(devices)), *options,
               "-serial", f"file:{folder}/console.log", "-serial", f"file:{folder}/facts.log",
               "-kernel", f"{BUILD}/vmlinuz", "-initrd", f"{folder}/initrd.img",
               "-append", words]
    with Vm(folder, command) as vm:
        ended = vm.wait(TIMEOUT)
        if vm.messages():
            raise OSError(f"QEMU: {vm.messages()}")
    text = read(f"{folder}/facts.log").decode(errors="replace")
    facts = Facts(text)
    if not ended or not facts.complete:
        raise OSError(f"the boot {name} did not come to its end; see {folder}")
    os.unlink(f"{folder}/initrd.img")
    return facts, text


def judge(case, facts):
    """What a tool got wrong, in words; nothing if the host has all that it should have."""
    _, devices, claimed = CASES[case]
    wrong = []
    for path, function in Board.parse(devices).functions.items():
        address = facts.at(path)
        if address is None:
            raise OSError(f"{case}: nothing at {path}")
        real = facts.functions[address]
        wanted = "vfio-pci" if claimed and path in CARD else function.model.driver
        if real["driver"] == wanted and (wanted == "vfio-pci" or not real["override"]):
            continue
        if wanted == "vfio-pci":
            wrong.append(f"{address} not claimed")
        elif real["driver"] == "vfio-pci":
            wrong.append(f"took {address}")
        elif real["driver"] is None:
            wrong.append(f"left {address} without a driver")
        else:
            wrong.append(f"{address} on {real['driver']}")
    return wrong


def prepare():
    """The shared image, linked into our folder: another build of it may replace it."""
    subprocess.run([f"{TOP}/tests/lib/need", "qemu-system-x86", "mmdebstrap", "strace",
                    "driverctl"], check=True)
    image = subprocess.run([f"{TOP}/tests/boot/image"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.strip()
    os.makedirs(BUILD, exist_ok=True)
    for name in ("vmlinuz", "initrd.img"):
        if os.path.exists(f"{BUILD}/{name}"):
            os.unlink(f"{BUILD}/{name}")
        os.link(f"{image}/{name}", f"{BUILD}/{name}")


def in_parallel(jobs, most=None):
    """Runs name -> function, two at a time by default; returns name -> result in that order."""
    results = {}
    most = most or int(os.environ.get("JOBS") or 2)
    with concurrent.futures.ThreadPoolExecutor(most) as pool:
        runs = {pool.submit(function): name for name, function in jobs.items()}
        for number, run in enumerate(concurrent.futures.as_completed(runs), 1):
            try:
                results[runs[run]] = run.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
            print(f"\rboot {number} of {len(runs)}", end="", file=sys.stderr, flush=True)
    print("\r                  \r", end="", file=sys.stderr)
    return {name: results[name] for name in jobs}


def correctness():
    """tool -> case -> what it got wrong."""
    found = in_parallel({
        (tool, case): lambda tool=tool, case=case: judge(
            case, boot(f"{case}-{tool}".replace(" ", "-"), tool, case)[0])
        for tool in TOOLS for case in CASES})
    return {tool: {case: found[tool, case] for case in CASES} for tool in TOOLS}


def durations(facts):
    """kind of run -> microseconds of each run, and how many functions each left bound."""
    times, bound, started = {}, {}, {}
    for line in facts.log:
        match = re.match(r"\[ *(\d+)\.(\d+)\] bench: (\w+) (\w+) ?(\d*)", line)
        if not match:
            continue
        now = int(match[1]) * 1000000 + int(match[2])
        if match[3] == "start":
            started[match[4]] = now
        elif match[3] == "end":
            times.setdefault(match[4], []).append(now - started[match[4]])
        else:
            bound.setdefault(match[4], []).append(int(match[5]))
    return times, bound


def timing(icount):
    """tool -> (times, bound). With icount a nanosecond is an instruction of the guest, the
    kernel's included, whatever else this machine does; without, the clock is this machine's
    and one boot at a time must do."""
    options = ("-icount", "shift=0,sleep=off") if icount else ()
    name = "count" if icount else "time"
    script = TIMES.replace("RUNS", str(RUNS))
    subprocess.run(["musl-gcc", "-O2", "-static", "-s", f"{HERE}/tools/floor.c",
                    "-o", f"{BUILD}/floor"], check=True)
    return in_parallel({
        tool: lambda tool=tool: durations(boot(
            f"{name}-{tool}", tool, "plain",
            script.replace("\ni=0\n", FLOOR, 1) if tool == "floor" else script, options)[0])
        for tool in [*TOOLS, "floor"]}, None if icount else 1)


def calls():
    """kind of run -> system calls of ours in the machine, module loading and all."""
    _, text = boot("calls-ours", "ours", "plain", STRACE)
    result = {}
    for kind in ("load", "loaded"):
        part = text.replace("\r", "").split(f"== calls.{kind}\n", 1)[1].split("\n== ", 1)[0]
        result[kind] = len(re.findall(r"^(?:\d+ +)?\w+\(", part, re.M))
    return result
