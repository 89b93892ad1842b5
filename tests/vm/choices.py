# SPDX-License-Identifier: GPL-2.0-or-later
"""What `vfio-claim vm create` chooses on a machine, and what it refuses with which words."""
import dataclasses
import json
import os
import re
import shutil

import captured

ROOTS = f"{captured.BUILD}/choices"


@dataclasses.dataclass
class Case:
    name: str
    machine: str
    words: list
    # chosen: fields of the machine's JSON (None: not there); said: parts of what is printed;
    # refused: parts of one problem
    chosen: dict = dataclasses.field(default_factory=dict)
    said: tuple = ()
    unsaid: tuple = ()
    refused: tuple = ()
    change: object = lambda root: None
    status: int = 0


def remove(*paths):
    def change(root):
        for path in paths:
            if os.path.isdir(f"{root}/{path}"):
                shutil.rmtree(f"{root}/{path}")
            else:
                os.unlink(f"{root}/{path}")
    return change


def put(path, content):
    def change(root):
        os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
        with open(f"{root}/{path}", "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
    return change


def both(*changes):
    def change(root):
        for step in changes:
            step(root)
    return change


def driver(address, name):
    """Another driver has the function, or none."""
    def change(root):
        folder = os.path.realpath(f"{root}/sys/bus/pci/devices/{address}")
        os.unlink(f"{folder}/driver")
        with open(f"{folder}/uevent", encoding="utf-8") as text:
            lines = [line for line in text if not line.startswith("DRIVER=")]
        with open(f"{folder}/uevent", "w", encoding="utf-8") as out:
            out.writelines(([f"DRIVER={name}\n"] if name else []) + lines)
        if name:
            os.makedirs(f"{root}/sys/bus/pci/drivers/{name}", exist_ok=True)
            os.symlink(os.path.relpath(f"{root}/sys/bus/pci/drivers/{name}", folder),
                       f"{folder}/driver")
    return change


def absent(address, optional=True):
    """It is not there; its line of the configuration may say that this is nothing."""
    def change(root):
        if optional:
            with open(f"{root}/etc/vfio-claim.conf", encoding="utf-8") as conf:
                text = conf.read()
            put("etc/vfio-claim.conf", re.sub(rf"(function = {address} .*)", r"\1 optional=yes",
                                              text))(root)
        link = f"{root}/sys/bus/pci/devices/{address}"
        shutil.rmtree(os.path.realpath(link))
        os.unlink(link)
    return change


def names(address, vendor, text):
    """What the database of PCI ids calls a function's device."""
    def change(root):
        folder = os.path.realpath(f"{root}/sys/bus/pci/devices/{address}")
        with open(f"{folder}/device", encoding="utf-8") as number:
            device = number.read().strip()[2:]
        put("usr/share/misc/pci.ids", f"{vendor}\n\t{device}  {text}\n")(root)
    return change


def memory(gib):
    return put("proc/meminfo", f"MemTotal:       {gib << 20} kB\n")


WIN = ["guest", "--os", "win11"]
LINUX = ["guest", "--os", "linux"]
PAGES = "sys/kernel/mm/hugepages/hugepages"
KEYS, MOUSE = (f"/dev/input/by-id/usb-Maker_{what}-event-{kind}"
               for what, kind in (("Keys", "kbd"), ("Mouse", "mouse")))
CODE = "/usr/share/OVMF/OVMF_CODE_4M"
NVIDIA = "10de  NVIDIA Corporation"

CASES = [
    # what an expert would choose
    Case("windows-11", "desktop", WIN, {
        "secure-boot": "yes", "tpm": "yes", "loader": f"{CODE}.ms.fd", "type": "kvm",
        "nvram-template": "/usr/share/OVMF/OVMF_VARS_4M.ms.fd", "memory-mib": 16384,
        "disks": ["/var/lib/libvirt/images/guest.qcow2"], "disk-bus": "sata", "nic": "e1000e",
        "network": "network:default", "display": "none", "sound": "none", "hide-kvm": "no"},
         ("virtio's drivers for Windows are not here",)),
    Case("linux", "desktop", LINUX, {
        "secure-boot": "no", "tpm": "no", "loader": f"{CODE}.fd", "disk-bus": "virtio",
        "nic": "virtio", "topoext": "no"}),
    Case("windows-10-needs-no-tpm", "desktop", ["guest", "--os", "win10"],
         {"secure-boot": "no", "tpm": "no"}),
    Case("virtio-win-is-found", "desktop", WIN, {
        "isos": ["/var/lib/libvirt/images/virtio-win-0.1.266.iso"], "disk-bus": "virtio",
        "nic": "virtio"}, change=both(
            put("var/lib/libvirt/images/virtio-win-0.1.240.iso", ""),
            put("var/lib/libvirt/images/virtio-win-0.1.266.iso", ""))),
    Case("virtio-win-none", "desktop", [*WIN, "--virtio-win", "none"],
         {"isos": None, "disk-bus": "sata"},
         change=put("var/lib/libvirt/images/virtio-win.iso", "")),
    Case("no-kvm", "desktop", LINUX, {"type": "qemu"}, ("very slow",),
         change=remove("dev/kvm")),
    Case("no-network-of-libvirt", "desktop", LINUX, {"network": "user"},
         change=remove("etc/libvirt/qemu/networks/default.xml")),
    Case("network-that-does-not-run", "desktop", LINUX, said=("virsh net-start default",)),
    Case("network-that-runs", "desktop", LINUX, unsaid=("net-start",),
         change=put("run/libvirt/network/default.xml", "")),
    Case("least-memory-of-windows-11", "desktop", WIN, {"memory-mib": 4096}, change=memory(6)),
    Case("memory-in-mib", "desktop", [*LINUX, "--memory", "3000"], {"memory-mib": 3000}),
    Case("memory-in-gib", "desktop", [*LINUX, "--memory", "3G"], {"memory-mib": 3072}),
    Case("disk-formats", "desktop", [*LINUX, "--disk", "/srv/disk.qcow2", "--disk",
                                     "/srv/disk.img", "--disk", "/dev/nvme0n1", "--disk", "10G"],
         {"disk-formats": ["qcow2", "raw", "block", "qcow2"],
          "made": ["/var/lib/libvirt/images/guest-4.qcow2"]}),
    Case("disk-without-libvirt", "desktop", LINUX,
         {"disks": ["/var/lib/vfio-claim/vm/guest.qcow2"]}, change=remove("usr/sbin/libvirtd")),
    Case("no-disk", "desktop", [*LINUX, "--disk", "none"], {"disks": None}),

    # processors
    Case("three-quarters", "twins", LINUX, {"cpus": 12, "threads": 2, "topoext": "yes"}),
    Case("small-cores-do-not-count", "vmd", LINUX, {"cpus": 8, "threads": 2}),
    Case("one-thread-a-core", "desktop", LINUX, {"cpus": 3, "threads": 1}),
    Case("odd-number", "twins", [*LINUX, "--cpus", "3"], {"cpus": 3, "threads": 1}),
    Case("pin-takes-a-cache-of-its-own", "twins", [*LINUX, "--pin"], {
        "cpus": 8, "pins": ["4", "12", "5", "13", "6", "14", "7", "15"],
        "other-cpus": "0-3,8-11", "nodes": "0"}),
    Case("pin-two-of-the-cache", "twins", [*LINUX, "--pin", "--cpus", "4"], {
        "pins": ["4", "12", "5", "13"], "other-cpus": "0-3,6-11,14-15"}),
    Case("pin-more-than-a-cache", "twins", [*LINUX, "--pin", "--cpus", "12"], {
        "pins": ["4", "12", "5", "13", "6", "14", "7", "15", "1", "9", "2", "10"],
        "other-cpus": "0,3,8,11"}),
    Case("pin-near-the-card", "server", [*LINUX, "--pin", "--cpus", "8"], {
        "pins": ["12", "36", "13", "37", "14", "38", "15", "39"], "nodes": "1",
        "other-cpus": "16-23,40-47"}),
    Case("pin-fast-cores", "vmd", [*LINUX, "--pin", "--cpus", "4"], {
        "pins": ["2", "3", "4", "5"], "other-cpus": "0-1,6-19"}),
    Case("pin-too-many", "twins", [*LINUX, "--pin", "--cpus", "16"], status=1,
         refused=("--pin", "smaller --cpus")),
    Case("more-cpus-than-there-are", "twins", [*LINUX, "--cpus", "17"], status=1,
         refused=("--cpus 17", "16")),
    Case("processors-unknown", "desktop", LINUX, status=1, refused=("say --cpus",),
         change=both(remove("sys/devices/system/cpu"), remove("proc/cpuinfo"))),

    # huge pages
    Case("hugepages-small", "desktop", [*LINUX, "--memory", "4G", "--hugepages"],
         {"hugepages": "yes", "hugepage-kib": 2048}),
    Case("hugepages-large", "desktop", [*LINUX, "--memory", "4G", "--hugepages"],
         {"hugepage-kib": 1048576},
         change=put(f"{PAGES}-1048576kB/free_hugepages", "4\n")),
    Case("hugepages-too-few", "desktop", [*LINUX, "--memory", "4G", "--hugepages"], status=1,
         refused=("2048 free pages", "there are 100", "hugepages=2048"),
         change=put(f"{PAGES}-2048kB/free_hugepages", "100\n")),
    Case("hugepages-none", "desktop", [*LINUX, "--hugepages"], status=1,
         refused=("this kernel has none",), change=remove("sys/kernel/mm/hugepages")),

    # Code 43
    Case("code43-not-needed", "laptop", WIN, {"hide-kvm": "no"}, ("from 465",)),
    Case("code43-old-card", "laptop", WIN, {"hide-kvm": "yes"}, ("older than 465",),
         change=names("0000:01:00.0", NVIDIA, "GF114 [GeForce GTX 560 Ti]")),
    Case("code43-not-by-part-of-a-word", "laptop", WIN, {"hide-kvm": "no"},
         change=names("0000:01:00.0", NVIDIA, "AD107M [GeForce RTX NV40 GF100x]")),
    Case("code43-on-request", "laptop", [*WIN, "--code43", "yes"], {"hide-kvm": "yes"},
         ("not needed any more",)),
    Case("code43-amd", "twins", [*WIN, "--code43", "yes"], {"hide-kvm": "yes"},
         ("only old drivers of NVIDIA",)),
    Case("code43-refused-by-its-owner", "laptop", [*WIN, "--code43", "no"], {"hide-kvm": "no"},
         change=names("0000:01:00.0", NVIDIA, "GF114 [GeForce GTX 560 Ti]")),

    # devices
    *(Case(f"looking-glass-{size}", "desktop", [*WIN, "--looking-glass", size],
           {"shared-memory-mib": mib, "display": "spice", "video": "no", "sound": "spice"})
      for size, mib in (("1920x1080", 32), ("2560x1440", 64), ("3840x2160", 128))),
    Case("looking-glass-of-no-size", "desktop", [*WIN, "--looking-glass", "2560"], status=1,
         refused=("WIDTHxHEIGHT",)),
    Case("spice", "desktop", [*WIN, "--display", "spice"], {"video": "yes", "sound": "spice"}),
    Case("sound-of-nowhere", "desktop", [*WIN, "--sound", "spice"], status=1,
         refused=("--display spice",)),
    Case("evdev-finds", "desktop", [*WIN, "--evdev"], {"evdev": [KEYS, MOUSE]}),
    Case("evdev-of-a-path", "desktop", [*WIN, f"--evdev={KEYS}"], {"evdev": [KEYS]}),
    Case("evdev-without-any", "desktop", [*WIN, "--evdev"], status=1, refused=("--evdev=PATH",),
         change=remove("dev/input")),
    Case("usb-without-a-number", "desktop", [*WIN, "--usb", "46d:c52b"], status=1,
         refused=("lsusb",)),
    Case("bridge-of-no-interface", "desktop", [*WIN, "--network", "bridge:br 0"], status=1,
         refused=("bridge:NAME",)),
    Case("too-many-on-sata", "desktop",
         [*WIN, *["--iso", "/srv/win11.iso"] * 6], status=1, refused=("SATA",)),

    # what cannot work
    Case("claim-of-no-name", "desktop", [*WIN, "--claim", "none"], status=1,
         refused=("--claim none: there is no such claim", "there is: gpu")),
    Case("no-configuration", "desktop", WIN, status=1, refused=("vfio-claim setup",),
         change=remove("etc/vfio-claim.conf")),
    Case("host-holds-it", "desktop", WIN, status=1,
         refused=("0000:01:00.1 is held by snd_hda_intel", "vfio-claim claim gpu"),
         change=driver("0000:01:00.1", "snd_hda_intel")),
    Case("nobody-holds-it", "desktop", WIN, status=1, refused=("has no driver",),
         change=driver("0000:01:00.0", None)),
    Case("absent", "desktop", WIN, status=1, refused=("0000:01:00.1", "absent"),
         change=absent("0000:01:00.1", optional=False)),
    Case("all-that-is-optional-is-absent", "laptop", WIN, status=1,
         refused=("0000:01:00.0", "absent"), change=absent("0000:01:00.0")),
    Case("memory-beyond-the-machine", "desktop", [*WIN, "--memory", "64G"], status=1,
         refused=("--memory 65536M", "32768 MiB")),
    Case("no-qemu", "desktop", WIN, status=1, refused=("qemu-system-x86",),
         change=remove("usr/bin/qemu-system-x86_64")),
    Case("no-ovmf", "desktop", WIN, status=1, refused=("OVMF", "install ovmf"),
         change=remove("usr/share/OVMF")),
    Case("no-swtpm", "desktop", WIN, status=1, refused=("install swtpm", "--tpm no"),
         change=remove("usr/bin/swtpm")),
    Case("no-kvm-but-asked-for", "desktop", [*WIN, "--type", "kvm"], status=1,
         refused=("/dev/kvm",), change=remove("dev/kvm")),
    Case("iso-that-is-not-there", "desktop", [*WIN, "--iso", "/srv/none.iso"], status=1,
         refused=("--iso /srv/none.iso", "no such file")),
    Case("iso-of-half-a-path", "desktop", [*WIN, "--iso", "win11.iso"], status=1,
         refused=("from / on",)),
    Case("disk-that-is-neither", "desktop", [*WIN, "--disk", "80X"], status=1,
         refused=("a size (80G) or the path",)),
    Case("disk-twice", "desktop", [*WIN, *["--disk", "/srv/disk.img"] * 2], status=1,
         refused=("named twice",)),
    Case("disk-in-the-way", "desktop", WIN, status=1, refused=("exists already",),
         change=put("var/lib/libvirt/images/guest.qcow2", "")),
    Case("rom-that-is-none", "desktop", [*WIN, "--rom", "/srv/card.rom"], status=1,
         refused=("55 AA",), change=put("srv/card.rom", b"NVGI" + bytes(60))),
    Case("all-at-once", "desktop", [*WIN, "--memory", "64G", "--iso", "/no"], status=1,
         refused=("--iso /no",), change=remove("usr/bin/swtpm")),
    # firmware's descriptors
    Case("descriptor-of-the-owner", "desktop", LINUX, {"loader": "/srv/own.fd"},
         change=both(put("srv/own.fd", ""), put("etc/qemu/firmware/00-own.json", json.dumps({
             "interface-types": ["uefi"], "features": [],
             "mapping": {"device": "flash", "executable": {"filename": "/srv/own.fd"},
                         "nvram-template": {"filename": "/srv/own.fd"}},
             "targets": [{"architecture": "x86_64", "machines": ["pc-q35-*"]}]})))),
    Case("descriptor-hidden", "desktop", LINUX, status=1, refused=("no OVMF",),
         change=put("etc/qemu/firmware/60-edk2-x86_64.json", "")),
    Case("descriptor-damaged", "desktop", LINUX, {"loader": f"{CODE}.fd"},
         change=put("usr/share/qemu/firmware/10-broken.json", '{"mapping": 3, "targets": [1]')),
]


def run(case):
    """What is wrong with a case, in sentences."""
    root = f"{ROOTS}/{case.name}"
    captured.write(case.machine, root)
    case.change(root)
    words = case.words if "--claim" in case.words else [*case.words, "--claim", captured.CLAIM]
    done = captured.create(root, *words, "--explain", "--json")
    wrong = []
    if done.returncode != case.status or done.stderr and b"Sanitizer" in done.stderr:
        wrong.append(f"exit status {done.returncode}: {(done.stderr or done.stdout)[-300:]}")
    try:
        told = json.loads(done.stdout)
    except ValueError as error:
        return [*wrong, f"no JSON: {error}"]
    for key, value in case.chosen.items():
        if (found := told["machine"].get(key)) != value:
            wrong.append(f"{key} is {found!r}, not {value!r}")
    text = json.dumps(told["notes"]) + json.dumps(told["choices"])
    wrong += [f"it does not say {part!r}" for part in case.said if part not in text]
    wrong += [f"it says {part!r}" for part in case.unsaid if part in text]
    if case.refused and not any(all(part in problem for part in case.refused)
                                for problem in told["problems"]):
        wrong.append(f"refused with {told['problems']}")
    if bool(told["problems"]) != bool(case.status):
        wrong.append(f"problems: {told['problems']}")
    if not wrong:
        shutil.rmtree(root)
    return wrong


def optional():
    """A machine is made and run with the functions that are there."""
    root = f"{ROOTS}/optional"
    wrong = []

    def given(what, text, wanted):
        found = [address.decode() for address in
                 re.findall(rb"vfio-pci,host=(\S+?),", text) or
                 re.findall(rb'vfio-claim:function path="\S+" address="(\S+)"', text)]
        if found != wanted:
            wrong.append(f"{what}: {found}, not {wanted}: {text[-200:]}")

    for audio in (False, True):
        captured.write("twins", root)
        if not audio:
            absent("0000:05:00.1")(root)
        card = ["0000:05:00.0", "0000:05:00.1"][:1 + audio]
        for what in ("xml", "qemu"):
            given(f"create --print-{what}", captured.create(
                root, *LINUX, "--claim", captured.CLAIM, f"--print-{what}").stdout, card)
        if not audio:
            done = captured.create(root, *LINUX, "--claim", captured.CLAIM)
            if done.returncode:
                wrong.append(f"create: {done.stderr}")
            with open(f"{root}/var/lib/vfio-claim/vm/guest.json", "rb") as text:
                made = text.read()
        # made without it, and run when it is there
        put("var/lib/vfio-claim/vm/guest.json", made)(root)
        given("show", captured.vm("show", root, "guest").stdout, card)
        given("run", captured.vm("run", root, "guest").stdout, card)
    return wrong


def round_trip():      # pylint: disable=too-many-locals
    """Below a captured root: what create writes, show and run read again, and remove removes."""
    root = f"{ROOTS}/round-trip"
    captured.write("twins", root)
    words = ["guest", "--claim", captured.CLAIM, "--os", "win11", "--pin", "--rom", "/srv/card.rom",
             "--looking-glass", "2560x1440", "--evdev", "--usb", "046d:C52B", "--disk", "20G",
             "--disk", "/srv/disk.img", "--iso", "/srv/win11.iso", "--title", "A & <B>, \"C\""]
    printed = [captured.create(root, *words, f"--print-{what}").stdout for what in ("xml", "qemu")]
    wrong = []

    def expect(what, found, wanted):
        if found != wanted:
            wrong.append(f"{what}: {found!r}, not {wanted!r}")

    expect("create", captured.create(root, *words).returncode, 0)
    again = captured.create(root, *words)
    expect("a second create", (again.returncode, b"was made" in again.stderr), (1, True))
    show = [captured.vm("show", root, "guest", "--format", what) for what in ("xml", "qemu")]
    expect("show", show[0].stdout, printed[0])
    lines = [line for line in show[1].stdout.splitlines() if not line.startswith(b"# \"vfio")]
    expect("show --format qemu", lines, printed[1].splitlines())
    expect("run", captured.vm("run", root, "guest").stdout, printed[1])
    path = f"{root}/var/lib/vfio-claim/vm/guest.json"
    with open(path, encoding="utf-8") as text:
        good = json.load(text)
    expect("remove", captured.vm("remove", root, "guest").returncode, 0)
    expect("show without it", captured.vm("show", root, "guest").returncode, 1)
    formats = (["show", "guest", "--format", "xml"], ["show", "guest", "--format", "qemu"],
               ["run", "guest"])
    for key in good:
        for value in (None, 7, []):
            with open(path, "w", encoding="utf-8") as out:
                json.dump({**{k: v for k, v in good.items() if k != key},
                           **({} if value is None else {key: value})}, out)
            for command, *rest in formats if value is None else formats[:1]:
                done = captured.vm(command, root, *rest)
                expect(f"{command} with {key} {value!r}", done.returncode in (0, 1), True)
            if value is None and key in ("mac", "loader-format", "sound", "other-cpus", "nodes"):
                expect(f"{key} is missing", b"is damaged" in done.stderr, True)
    for damage in ("", "{}", "[1]", '{"version": 2}', '{"version": 1, "name": "guest"}',
                   '{"version": 1, "cpus": -1}', '{"version": 1, "disks": [3]}', "nonsense"):
        put("var/lib/vfio-claim/vm/guest.json", damage)(root)
        done = captured.vm("show", root, "guest")
        expect(f"of {damage!r}", (done.returncode, b"is damaged" in done.stderr), (1, True))
    return wrong
