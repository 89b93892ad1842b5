#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""`vfio-claim vm check`, and attach and detach, on captured machines: each finding where it
should be and nowhere else, what --fix makes of it, and XML that nobody should trust.

usage: tests/vm/check.py [--list] [PATTERN]
"""
import json
import os
import re
import xml.etree.ElementTree as ET

from domain import (BACKUPS, BUILD, CARD, DIR, GOOD_ROM, NAME, QEMU, ROM, TOP, URI, Scene, backups,
                    command, hostdev, hostdevs, metadata, read, recorded)
from cases import Failed, Room, main, must

CASES = []
NIC, OTHER = "0000:02:00.0", "0000:03:00.0"
ACL = '"/dev/null", "/dev/full", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/ptmx"'


def check(good, what):
    if not good:
        raise Failed(what)


def same(what, found, wanted):
    check(found == wanted, f"{what}: {found!r}, not {wanted!r}")


def case(function):
    CASES.append(function)
    return function


def findings(done):
    check(not done.stderr, f"it says {done.stderr[:300]!r}")
    report = json.loads(done.stdout)
    same("version", report["version"], 1)
    found = report["findings"]
    problem = any(f["severity"] == "problem" and not f["fixed"] for f in found)
    same("status", done.returncode, 1 if problem else 0)
    for f in found:
        check(f["detail"] and f["severity"] in ("note", "warning", "problem"), f"odd: {f}")
        check(f.get("mend"), f"no mend: {f}")
        check((f["detail"] + f["mend"]).isprintable(), f"control characters: {f}")
    return found


def judge(found, expected):
    """Exactly these codes; {code: (severity, text...)}."""
    same("codes", sorted({f["code"] for f in found}), sorted(expected))
    for code, (severity, *texts) in expected.items():
        mine = [f for f in found if f["code"] == code]
        check(any(f["severity"] == severity and
                  all(t in f["detail"] + " | " + f["mend"] for t in texts) for f in mine),
              f"{code}: {severity} with {texts} is not in {mine}")


def judge_words(found, done):
    """The same in words, in lines of at most 79 where words allow it."""
    text = done.stdout.decode()
    for line in text.splitlines():
        check(line.isprintable(), f"control characters: {line!r}")
        longest = max(map(len, line.split()), default=0)
        check(len(line) <= max(79, 9 + longest), f"a line of {len(line)}: {line}")
    flat = "".join(text.split())
    for f in found:
        said = f["detail"] + "Mend:" + f["mend"]
        check("".join(said.split()) in flat, f"not in words: {f}")


def expect(name, change, expected, **more):
    """A case: the good scene, changed; its findings, and that looking writes nothing."""
    def run(folder):
        scene = Scene()
        change(scene)
        root = f"{BUILD}/{folder}/root"
        scene.write(root)
        after = more.get("after")
        if after:
            after(root)
        done = command("check", NAME, "--json", root=root)
        found = findings(done)
        judge(found, expected)
        words = command("check", NAME, root=root)
        same("status in words", words.returncode, done.returncode)
        judge_words(found, words)
        same("the domain", read(root), scene.prolog + scene.text)
        same("copies", backups(root), [])
    run.__name__ = "check_" + re.sub(r"\W+", "_", name)
    run.__doc__ = name
    CASES.append(run)


def put(path, content):
    return lambda scene: scene.files.update({path: content})


def gone(*paths):
    return lambda scene: [scene.files.pop(path) for path in paths]


def text(old, new):
    return lambda scene: scene.replace(old, new)


def all_of(*changes):
    def change(scene):
        for step in changes:
            step(scene)
    return change


# ---- claims

expect("nothing to complain of", lambda s: None, {})


def no_hostdevs(scene):
    scene.no_metadata()
    scene.drop(*CARD)


expect("no hostdev", no_hostdevs, {"no-hostdev": ("note", f"vm attach {NAME}")})


def renumbered(scene):
    scene.machine.renumber("0000:01", "0000:04")


MOVED = {"address-moved": ("problem", CARD[0], "0000:04:00.0", "TU116", "nothing", "--fix")}
expect("address moved", renumbered, MOVED)
expect("address moved, no metadata", all_of(Scene.no_metadata, renumbered), MOVED)


def pushed(scene):
    """The network card got the graphics card's bus."""
    scene.machine.renumber("0000:01", "0000:04")
    scene.machine.renumber("0000:02", "0000:01")


expect("address taken by another function", pushed,
       {"address-moved": ("problem", "another function")})
expect("address taken by another function, no metadata", all_of(Scene.no_metadata, pushed),
       {"address-moved": ("problem", "another function")})


def hand_written(scene):
    """Renumbered, and the owner has written the new addresses already."""
    renumbered(scene)
    for i in range(4):
        scene.replace(f"<address domain='0x0000' bus='0x01' slot='0x00' function='0x{i}'",
                      f"<address domain='0x0000' bus='0x04' slot='0x00' function='0x{i}'")


expect("address moved and written by hand", hand_written, {})
expect("address of a renumbered bus, no metadata", all_of(Scene.no_metadata, hand_written), {})


def two_claims(scene):
    scene.machine.get(NIC).driver = "vfio-pci"
    scene.files["dev/vfio/8"] = ""
    scene.claims["net"] = [NIC]
    scene.note()


def swapped(scene):
    """The two claims' buses changed places; the domain has the card only."""
    two_claims(scene)
    scene.machine.renumber("0000:01", "0000:09")
    scene.machine.renumber("0000:02", "0000:01")
    scene.machine.renumber("0000:09", "0000:02")


expect("swapped with another claim", swapped,
       {"address-moved": ("problem", "0000:02:00.0", "another function")})


def doubtful(scene):
    """Without metadata nobody knows whether the network card at 01:00.0 is wanted."""
    scene.no_metadata()
    two_claims(scene)
    scene.drop(*CARD[1:])
    swapped_only(scene)


def swapped_only(scene):
    scene.machine.renumber("0000:01", "0000:09")
    scene.machine.renumber("0000:02", "0000:01")
    scene.machine.renumber("0000:09", "0000:02")


expect("doubtful", doubtful,
       {"address-doubtful": ("warning", CARD[0], "claim net", "vm detach")})
expect("absent", lambda s: s.machine.drop(CARD[2]),
       {"function-absent": ("problem", CARD[2], "gaming", "not in the machine")})


def other_card(scene):
    scene.machine.get(CARD[0]).device = 0x1180


expect("changed", other_card,
       {"function-changed": ("problem", CARD[0], "another device now")})


def lost_claim(scene):
    scene.conf = scene.conf.replace("[claim gaming]", "[claim other]")


def no_conf(scene):
    scene.conf = "nonsense\n"


expect("claim unknown", lost_claim,
       {"claim-unknown": ("warning", "gaming", "vm detach")})
expect("no configuration", no_conf, {"claim-unknown": ("warning", "gaming")})
expect("claimed by nobody", all_of(Scene.no_metadata, no_conf),
       {"not-claimed": ("note", CARD[0])})
expect("nothing there", all_of(Scene.no_metadata, no_conf,
                               lambda s: s.machine.drop("0000:00:01.0")),
       {"device-missing": ("problem", CARD[0], "nothing at")})
expect("companion of the claim", lambda s: s.drop(CARD[1]),
       {"companion-missing": ("warning", CARD[1], "gaming", "--fix")})
expect("display of the claim", lambda s: s.drop(CARD[0]),
       {"companion-missing": ("problem", CARD[0]),
        "guest-function": ("problem", CARD[1], "function 0")})


def partly_claimed(scene):
    scene.claims["gaming"] = CARD[:3]
    scene.note()
    scene.drop(CARD[3])
    scene.replace(f'path="0000:00:01.0/00.3" address="{CARD[3]}"', 'path="" address=""')


expect("companion in no claim", partly_claimed,
       {"companion-missing": ("note", CARD[3], "vfio-claim setup")})

# ---- drivers


def driver(address, name):
    def change(scene):
        scene.machine.get(address).driver = name
    return change


expect("host driver", driver(CARD[0], "nouveau"),
       {"host-driver": ("problem", CARD[0], "nouveau", "vfio-claim claim gaming")})
expect("no driver", driver(CARD[1], None), {"host-driver": ("problem", CARD[1], "no driver")})
expect("host driver, managed", all_of(driver(CARD[0], "nouveau"),
                                      text("managed='no'", "managed='yes'")),
       {"host-driver": ("warning", "nouveau"), "managed": ("warning", "--fix")})
expect("variant driver", driver(CARD[0], "mlx5_vfio_pci"), {})
expect("managed", text("managed='no'", "managed='yes'"),
       {"managed": ("warning", CARD[0], "ends")})
expect("managed, not claimed", all_of(Scene.no_metadata, no_conf,
                                      lambda s: s.replace("managed='no'", "managed='yes'", 4)),
       {"not-claimed": ("note",)})


def in_group(scene):
    other = scene.machine.get(NIC)
    other.group, other.driver = "2", "r8169"


expect("group", in_group, {"group": ("problem", NIC, "r8169", "group 2")})
expect("no IOMMU", lambda s: s.machine.no_iommu(), {"group": ("problem",)})

# ---- places in the guest


def spread(scene):
    scene.replace("bus='0x02' slot='0x00' function='0x1'", "bus='0x03' slot='0x00' function='0x0'")


expect("slots", spread, {"slots-spread": ("warning", CARD[0], CARD[1], "0000:03:00.0")})
expect("no function 0", lambda s: s.replace("slot='0x00' function='0x0' multifunction='on'",
                                            "slot='0x01' function='0x0'"),
       {"slots-spread": ("warning",), "guest-function": ("problem", "no guest finds it")})
expect("no multifunction", text(" multifunction='on'", ""),
       {"guest-function": ("problem", "multifunction='on'", "--fix")})

# ---- machine


def i440fx(scene):
    scene.replace("pc-q35-7.2", "pc-i440fx-7.2")
    scene.replace("model='pcie-root'", "model='pci-root'")


expect("i440fx", i440fx, {"no-pcie": ("warning", "pc-i440fx-7.2", "q35")})
LOADER = "    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.ms.fd</loader>\n"
NVRAM = ("    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.ms.fd'>"
         "/var/lib/libvirt/qemu/nvram/w.fd</nvram>\n")
expect("BIOS", all_of(text(LOADER, ""), text(NVRAM, "")), {"no-ovmf": ("warning", "SeaBIOS")})
expect("OVMF with -bios", all_of(text(LOADER, "<loader>/usr/share/ovmf/OVMF.fd</loader>"),
                                 text(NVRAM, ""), put("usr/share/ovmf/OVMF.fd", "")), {})
expect("loader missing", gone("usr/share/OVMF/OVMF_CODE_4M.ms.fd"),
       {"ovmf-missing": ("problem", "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "install")})
expect("template missing", gone("usr/share/OVMF/OVMF_VARS_4M.ms.fd"),
       {"ovmf-missing": ("problem", "OVMF_VARS_4M")})
expect("template missing, variables there",
       all_of(gone("usr/share/OVMF/OVMF_VARS_4M.ms.fd"), put("var/lib/libvirt/qemu/nvram/w.fd", "")),
       {})
EFI = all_of(text(LOADER, ""), text(NVRAM, ""), text("<os>", "<os firmware='efi'>"))
expect("firmware efi", all_of(EFI, put("usr/share/qemu/firmware/60-edk2.json", "")), {})
expect("firmware efi, none there", EFI, {"ovmf-missing": ("problem", "/usr/share/qemu/firmware")})
expect("emulated display", text("<model type='none'/>", "<model type='qxl'/>"),
       {"emulated-display": ("note", "qxl")})
expect("emulated display, no card", all_of(no_hostdevs,
                                           lambda s: s.replace('type="none"', 'type="qxl"')),
       {"no-hostdev": ("note",)})
TPM = """    <tpm model='tpm-tis'>
      <backend type='passthrough'><device path='/dev/tpm0'/></backend>
    </tpm>
"""
expect("two TPMs", text("    <tpm model", TPM + "    <tpm model"),
       {"tpm-several": ("problem", "2 TPMs")})
expect("no swtpm", gone("usr/bin/swtpm"), {"swtpm-missing": ("problem", "install swtpm")})
expect("no swtpm, not wanted", all_of(gone("usr/bin/swtpm"), text("'emulator'", "'passthrough'")),
       {})

# ---- ROM

expect("ROM", lambda s: s.rom(ROM), {})
expect("ROM missing", lambda s: s.rom(ROM, None), {"rom-missing": ("problem", ROM)})
expect("ROM with a header", lambda s: s.rom(ROM, b"NVGI" + bytes(600)),
       {"rom-invalid": ("warning", ROM, "55 aa")})
expect("ROM empty", lambda s: s.rom(ROM, b""), {"rom-invalid": ("warning",)})
expect("ROM unreadable", lambda s: s.rom(ROM, mode=0o600),
       {"rom-unreadable": ("problem", ROM, "libvirt-qemu")})
expect("ROM unreadable, QEMU is root",
       all_of(lambda s: s.rom(ROM, mode=0o600), put("etc/libvirt/qemu.conf", 'user = "root"\n')),
       {})
expect("ROM unreadable, QEMU is root by number",
       all_of(lambda s: s.rom(ROM, mode=0o600), put("etc/libvirt/qemu.conf", 'user = "+0"\n')),
       {})
expect("ROM for QEMU's group", lambda s: s.rom(ROM, mode=0o640), {},
       after=lambda root: os.chown(root + ROM, 0, 200))
expect("ROM for another group", lambda s: s.rom(ROM, mode=0o640), {"rom-unreadable": ("problem",)},
       after=lambda root: os.chown(root + ROM, 0, 201))
expect("ROM for QEMU's user", lambda s: s.rom(ROM, mode=0o400), {},
       after=lambda root: os.chown(root + ROM, 64055, 0))
expect("ROM in a closed folder", lambda s: s.rom(ROM), {"rom-unreadable": ("problem", "o+x")},
       after=lambda root: os.chmod(os.path.dirname(root + ROM), 0o700))
expect("ROM is a folder", all_of(lambda s: s.rom(ROM, None), put(ROM[1:], DIR)),
       {"rom-unreadable": ("problem", "is no file")})
SRV = "/srv/card.rom"
expect("ROM outside AppArmor", lambda s: s.rom(SRV),
       {"rom-apparmor": ("problem", SRV, "local/abstractions/libvirt-qemu")})
LOCAL = "etc/apparmor.d/local/abstractions/libvirt-qemu"
for rule in ("/srv/card.rom r,", "/srv/*.rom rk,", "/srv/** rw,", "/{srv,opt}/*.{rom,bin} r,",
             '"/srv/card.rom" r,', "/srv/car[d].rom r,\n/srv/???d.rom r,", "audit /srv/*.rom r,"):
    expect(f"AppArmor allows {rule}",
           all_of(lambda s: s.rom(SRV), put(LOCAL, f"# mine\n  {rule}\n")), {})
for rule in ("/srv/*/card.rom r,", "/srv/card.rom w,", "/srv/card.ro r,", "/srv/card.rom.bak r,",
             "/* r,", "#/srv/card.rom r,", "/srv/{a,b}.rom r,", "/srv/card.rom",
             "/srv/* r,\ndeny /srv/card.rom r,", "/" + "*a" * 60 + " r,", "{" * 300 + " r,"):
    expect(f"AppArmor does not allow {rule[:40]}",
           all_of(lambda s: s.rom(SRV), put(LOCAL, f"{rule}\n")), {"rom-apparmor": ("problem",)})
expect("AppArmor's further folder",
       all_of(lambda s: s.rom(SRV),
              put("etc/apparmor.d/abstractions/libvirt-qemu.d/mine", "/srv/* r,\n")), {})
for name, change in {
        "off": put("sys/module/apparmor/parameters/enabled", "N\n"),
        "absent": gone("sys/module/apparmor/parameters/enabled"),
        "not libvirt's": gone("etc/apparmor.d/abstractions/libvirt-qemu"),
        "none": put("etc/libvirt/qemu.conf", 'security_driver = "none" # mine\n'),
        "SELinux": put("etc/libvirt/qemu.conf", 'security_driver = [ "selinux",\n  "dac" ]\n'),
        "not for it": text("</domain>", "  <seclabel type='none' model='apparmor'/>\n</domain>"),
        "not for it at all": text("</domain>", "  <seclabel type='none'/>\n</domain>")}.items():
    expect(f"AppArmor {name}", all_of(lambda s: s.rom(SRV), change), {})
for name, change in {
        "named": put("etc/libvirt/qemu.conf", 'security_driver = [ "selinux",\n "apparmor" ]\n'),
        "but for DAC": text("</domain>", "  <seclabel type='none' model='dac'/>\n</domain>")}.items():
    expect(f"AppArmor {name}", all_of(lambda s: s.rom(SRV), change), {"rom-apparmor": ("problem",)})

# ---- access

expect("no group device", gone("dev/vfio/2"), {"vfio-devices": ("problem", "/dev/vfio/2")})
expect("no container", gone("dev/vfio/vfio"), {"vfio-devices": ("problem", "/dev/vfio/vfio")})
expect("no dev captured", gone("dev/vfio/2", "dev/vfio/vfio"), {})


def acl(words):
    return put("etc/libvirt/qemu.conf", f"cgroup_device_acl = [\n  {words}\n]\n")


RAW = text("</devices>\n", "</devices>\n  <qemu:commandline xmlns:qemu='" + QEMU + "'>\n"
           "    <qemu:arg value='-device'/>\n    <qemu:arg value='vfio-pci,host=01:00.0'/>\n"
           "  </qemu:commandline>\n")
expect("ACL complete", acl(ACL + ', "/dev/kvm"'), {})
expect("ACL without KVM", acl(ACL), {"device-acl": ("problem", "/dev/kvm")})
expect("ACL without KVM, emulated", all_of(acl(ACL), text("'kvm'", "'qemu'")), {})
expect("ACL without random", acl('"/dev/null", "/dev/zero", "/dev/ptmx", "/dev/kvm"'),
       {"device-acl": ("problem", "/dev/urandom")})
expect("raw device", RAW, {"device-acl": ("problem", "qemu:commandline", "/dev/vfio/vfio")})
expect("raw device, allowed", all_of(RAW, acl(ACL + ', "/dev/kvm", "/dev/vfio/vfio"')), {})
expect("QEMU's user", put("etc/libvirt/qemu.conf", 'user = "nobody-else"\n'),
       {"qemu-user": ("problem", "nobody-else", "/etc/passwd")})
expect("no ownership", put("etc/libvirt/qemu.conf", "dynamic_ownership = 0\n"),
       {"qemu-user": ("problem", "/dev/vfio/2", "libvirt-qemu")})
expect("no ownership, open", all_of(put("etc/libvirt/qemu.conf", "dynamic_ownership = 0\n"),
                                    put("dev/vfio/2", ("", 0o666))), {})
expect("no ownership, root", put("etc/libvirt/qemu.conf",
                                 'dynamic_ownership = 0\nuser = "root"\n'), {})

# ---- memory


def limit(kib):
    return text("  <vcpu", f"  <memtune>\n    <hard_limit unit='KiB'>{kib}</hard_limit>\n"
                "  </memtune>\n  <vcpu")


expect("hard limit", limit(8388608 + 1048575), {"memory-limit": ("problem", "9215 MiB", "8192")})
expect("hard limit enough", limit(8388608 + 1048576), {})
expect("hard limit in GiB", text("  <vcpu", "  <memtune><hard_limit unit='G'>9</hard_limit>"
                                 "</memtune>\n  <vcpu"), {})
expect("hard limit, no card", all_of(no_hostdevs, limit(1)), {"no-hostdev": ("note",)})
expect("too much memory", put("proc/meminfo", "MemTotal: 8000000 kB\n"),
       {"memory-size": ("problem", "8192 MiB", "7812 MiB")})
expect("no meminfo", gone("proc/meminfo"), {})


def huge(size, unit, have, free, kib):
    page = f"<page size='{size}' unit='{unit}'/>" if size else ""
    folder = f"sys/kernel/mm/hugepages/hugepages-{kib}kB"
    return all_of(text("  <vcpu", f"  <memoryBacking><hugepages>{page}</hugepages>"
                       "</memoryBacking>\n  <vcpu"),
                  put(f"{folder}/nr_hugepages", f"{have}\n"),
                  put(f"{folder}/free_hugepages", f"{free}\n"))


expect("huge pages", huge(0, "", 4096, 4096, 2048), {})
expect("huge pages too few", huge(0, "", 10, 10, 2048),
       {"hugepages": ("problem", "4096", "has 10", "vm.nr_hugepages=4096")})
expect("huge pages in use", huge(2, "M", 5000, 100, 2048),
       {"hugepages": ("problem", "100 of them free", "end the other guests")})
expect("huge pages of 1 GiB", huge(1, "GiB", 8, 8, 1048576), {})
expect("huge pages of 1 GiB too few", huge(1048576, "KiB", 7, 7, 1048576),
       {"hugepages": ("problem", "hugepages=8")})
expect("huge pages of no such size",
       text("  <vcpu", "  <memoryBacking><hugepages><page size='16' unit='M'/></hugepages>"
            "</memoryBacking>\n  <vcpu"), {"hugepages": ("problem", "none of that size")})

# ---- processor

MODE = "<cpu mode='host-passthrough' check='none'>"
expect("CPU custom", text(MODE, "<cpu mode='custom'>"), {"cpu-mode": ("warning", "custom")})
expect("CPU model", text(MODE, "<cpu mode='host-model'>"), {"cpu-mode": ("note", "host-model")})
expect("CPU none", text(MODE, "<cpu>"), {"cpu-mode": ("warning",)})
expect("CPU maximum", text(MODE, "<cpu mode='maximum'>"), {})
expect("CPU emulated", all_of(text("'kvm'", "'qemu'"), text(MODE, "<cpu mode='maximum'>")), {})
TOPOLOGY = "<topology sockets='1' dies='1' cores='4' threads='2'/>"
WINDOWS = 'id="http://microsoft.com/win/11"'
LINUX = all_of(text(WINDOWS, 'id="http://debian.org/debian/12"'))
expect("no topology", text(TOPOLOGY, ""), {"cpu-topology": ("warning", "8 sockets", "cores='8'")})
expect("two sockets", text("sockets='1' dies='1' cores='4'", "sockets='2' dies='1' cores='2'"),
       {"cpu-topology": ("note", "2 sockets")})
expect("no topology, Linux", all_of(text(TOPOLOGY, ""), LINUX), {})
expect("MSRs", put("sys/module/kvm/parameters/ignore_msrs", "N\n"),
       {"ignore-msrs": ("note", "options kvm ignore_msrs=1")})
expect("MSRs, Linux", all_of(LINUX, put("sys/module/kvm/parameters/ignore_msrs", "N\n")), {})


def no_info(scene):
    begin, end = scene.text.index("    <libosinfo"), scene.text.index("    <vfio-claim:claims")
    scene.text = scene.text[:begin] + scene.text[end:]


expect("Windows by its features", all_of(no_info, text(TOPOLOGY, "")), {"cpu-topology": ("warning",)})

# ---- Code 43


def card(vendor, device):
    def change(scene):
        scene.machine.get(CARD[0]).vendor = vendor
        scene.machine.get(CARD[0]).device = device
        scene.note()
    return change


FERMI, KEPLER, NAVI = card(0x10de, 0x104a), card(0x10de, 0x1180), card(0x1002, 0x7340)
UNKNOWN = card(0x10de, 0xffff)
HIDDEN = text("<acpi/>", "<acpi/>\n    <kvm>\n      <hidden state='on'/>\n    </kvm>")
VENDOR = text("<relaxed state='on'/>", "<relaxed state='on'/><vendor_id state='on' value='x'/>")
expect("Fermi", FERMI, {"code-43": ("warning", "GF119", "<hidden state='on'/>", "vendor_id")})
expect("Fermi hidden", all_of(FERMI, HIDDEN), {"code-43": ("warning", "no <vendor_id>")})
expect("Fermi hidden and renamed", all_of(FERMI, HIDDEN, VENDOR), {})
expect("Fermi hidden without hyperv", all_of(FERMI, HIDDEN, lambda s: s.replace(
    s.text[s.text.index("    <hyperv"):s.text.index("  </features")], "")), {})
expect("Kepler", KEPLER, {})
expect("Kepler hidden", all_of(KEPLER, HIDDEN), {"kvm-hidden": ("note", "GK104")})
expect("Turing hidden, Linux", all_of(HIDDEN, LINUX), {"kvm-hidden": ("warning", "TU116", "clock")})
expect("AMD renamed", all_of(NAVI, VENDOR), {"kvm-hidden": ("note", "Navi 14", "vendor_id")})
expect("AMD hidden", all_of(NAVI, HIDDEN), {"kvm-hidden": ("note", "Navi 14")})
expect("unknown chip", UNKNOWN, {})
expect("unknown chip hidden", all_of(UNKNOWN, HIDDEN), {})


# ---- --fix

def fix(folder, scene, *words):
    root = f"{BUILD}/{folder}/root"
    scene.write(root)
    return root, command("check", NAME, "--fix", *words, root=root)


def judge_fix(folder, change, fixed):
    """What is fixed, that a copy was kept, and that nothing is left; the new text."""
    scene = Scene()
    change(scene)
    root, dry = fix(folder, scene, "--dry-run")
    same("dry run", read(root), scene.prolog + scene.text)
    same("copies of a dry run", backups(root), [])
    check(b"\n+ " in dry.stdout, "no difference is shown")
    found = findings(command("check", NAME, "--fix", "--dry-run", "--json", root=root))
    check(not any(f["fixed"] for f in found), f"fixed: {found}")
    done = command("check", NAME, "--fix", "--json", root=root)
    found = findings(done)
    same("fixed", sorted({f["code"] for f in found if f["fixed"]}), sorted(fixed))
    same("fixed ones", [f for f in found if f["code"] in fixed and not f["fixed"]], [])
    kept = backups(root)
    same("copies", len(kept), 1)
    same("the copy's mode", os.stat(kept[0]).st_mode & 0o7777, 0o600)
    with open(kept[0], encoding="utf-8") as copy:
        same("the copy", copy.read(), scene.prolog + scene.text)
    check(re.fullmatch(rf"{NAME}-\d{{8}}-\d{{6}}\.xml", os.path.basename(kept[0])), kept[0])
    after = read(root)
    check(after.startswith(scene.prolog + "<domain"), "the comment is gone")
    judge(findings(command("check", NAME, "--json", root=root)), {})
    again = command("check", NAME, "--fix", root=root)
    same("again", (again.returncode, again.stdout), (0, b"0 problems, 0 warnings, 0 notes\n"))
    same("copies of nothing", backups(root), kept)
    return scene.text, after[len(scene.prolog):]


def lines_changed(before, after):
    before, after = before.splitlines(), after.splitlines()
    return [line.strip() for line in after if line not in before]


@case
def fix_moved(folder):
    before, after = judge_fix(folder, renumbered, ["address-moved"])
    same("sources", hostdevs(after), {f"0000:04:00.{i}": f"02:00.{i}" for i in range(4)})
    same("metadata", metadata(after), {"gaming": [f"0000:04:00.{i}" for i in range(4)]})
    same("lines", len(lines_changed(before, after)), 8)
    check("<title>Bob's \"game\" &amp; more</title>" in after, "the title")


@case
def fix_moved_without_metadata(folder):
    _, after = judge_fix(folder, all_of(Scene.no_metadata, pushed), ["address-moved"])
    same("metadata", metadata(after), {"gaming": [f"0000:04:00.{i}" for i in range(4)]})
    check('id="http://microsoft.com/win/11"' in after, "libosinfo's metadata")


@case
def fix_swapped(folder):
    """Two claims in the domain, whose buses changed places."""
    def change(scene):
        two_claims(scene)
        scene.replace("    </vfio-claim:claims>", recorded(
            "net", [(scene.machine.get(NIC).path, NIC)]) + "    </vfio-claim:claims>")
        scene.replace("    <memballoon", hostdev(NIC, "0000:03:00.0") + "    <memballoon")
        swapped_only(scene)
    _, after = judge_fix(folder, change, ["address-moved"])
    same("places", hostdevs(after), {**{f"0000:02:00.{i}": f"02:00.{i}" for i in range(4)},
                                     "0000:01:00.0": "03:00.0"})


@case
def fix_companions(folder):
    _, after = judge_fix(folder, lambda s: s.drop(CARD[1], CARD[3]), ["companion-missing"])
    same("places", hostdevs(after), {a: f"02:00.{a[-1]}" for a in CARD})
    same("managed", re.findall("managed='(.*?)'", after), ["no"] * 4)


@case
def fix_display_left_out(folder):
    """Its function 0 is what the others needed."""
    _, after = judge_fix(folder, lambda s: s.drop(CARD[0]), ["companion-missing"])
    same("places", hostdevs(after), {a: f"02:00.{a[-1]}" for a in CARD})
    same("multifunction", after.count("multifunction='on'"), 1)


@case
def fix_all_left_out(folder):
    """The metadata has the claim, the domain nothing of it: a new port."""
    _, after = judge_fix(folder, lambda s: s.drop(*CARD), ["companion-missing"])
    same("places", hostdevs(after), {a: f"03:00.{a[-1]}" for a in CARD})
    check("<controller type='pci' index='3' model='pcie-root-port'/>" in after, "no port")


@case
def fix_managed(folder):
    before, after = judge_fix(folder, lambda s: s.replace("managed='no'", "managed='yes'", 2),
                              ["managed"])
    same("lines", before.replace("managed='yes'", "managed='no'"), after)


@case
def fix_multifunction(folder):
    judge_fix(folder, text(" multifunction='on'", ""), ["guest-function"])


@case
def fix_everything(folder):
    def change(scene):
        renumbered(scene)
        scene.drop(CARD[2])
        scene.replace('managed="no"', 'managed="yes"')
        scene.replace(' multifunction="on"', "")
    # the companion that comes back sees to multifunction
    _, after = judge_fix(folder, change, ["address-moved", "companion-missing", "managed"])
    same("places", hostdevs(after), {f"0000:04:00.{i}": f"02:00.{i}" for i in range(4)})


@case
def fix_leaves_the_rest(folder):
    """What cannot be mended stays, and is the status."""
    scene = Scene()
    renumbered(scene)
    scene.files.pop("usr/bin/swtpm")
    root, done = fix(folder, scene, "--json")
    found = findings(done)
    same("status", done.returncode, 1)
    same("open", [f["code"] for f in found if not f["fixed"]], ["swtpm-missing"])
    check(b"usr/bin/swtpm" in command("check", NAME, root=root).stdout, "in words")


@case
def fix_without_a_copy(folder):
    """Where no copy can be kept nothing is changed."""
    scene = Scene()
    renumbered(scene)
    scene.files[BACKUPS] = "in the way"
    root, done = fix(folder, scene)
    same("status", done.returncode, 1)
    check(b"no copy of it can be kept" in done.stderr, done.stderr)
    same("the domain", read(root), scene.prolog + scene.text)


# ---- attach and detach

def bare():
    scene = Scene()
    no_hostdevs(scene)
    return scene


@case
def attach_detach(folder):
    """And back, to the byte."""
    root = f"{BUILD}/{folder}/root"
    scene = bare()
    scene.write(root)
    # what libxml2 makes of the good text
    before = read(root)
    dry = command("attach", NAME, "--claim", "gaming", "--dry-run", root=root)
    same("dry run", (dry.returncode, read(root), backups(root)), (0, before, []))
    done = command("attach", NAME, "--claim", "gaming", root=root)
    same("status", (done.returncode, done.stderr), (0, b""))
    same("difference", done.stdout.split(b"win11 ")[0], dry.stdout.split(b"win11 ")[0])
    after = read(root)
    same("places", hostdevs(after), {a: f"03:00.{a[-1]}" for a in CARD})
    same("metadata", metadata(after), {"gaming": CARD})
    same("one element", after.count("<vfio-claim:claims"), 1)
    judge(findings(command("check", NAME, "--json", root=root)), {})
    again = command("attach", NAME, "--claim", "gaming", "--json", root=root)
    same("again", (again.returncode, json.loads(again.stdout)["outcome"]), (1, "refused"))
    same("unchanged", read(root), after)
    done = command("detach", NAME, "--json", root=root)
    same("detach", (done.returncode, json.loads(done.stdout)["outcome"]), (0, "detached"))
    same("as it was", ET.canonicalize(read(root)), ET.canonicalize(before))
    same("copies", len(backups(root)), 2)
    same("nothing more", command("detach", NAME, root=root).returncode, 1)


@case
def attach_two_claims(folder):
    root = f"{BUILD}/{folder}/root"
    scene = bare()
    two_claims(scene)
    scene.write(root)
    for claim in ("gaming", "net"):
        done = command("attach", NAME, "--claim", claim, root=root)
        same(claim, (done.returncode, done.stderr), (0, b""))
    same("metadata", metadata(read(root)), {"gaming": CARD, "net": [NIC]})
    same("one element", read(root).count("<vfio-claim:claims"), 1)
    done = command("detach", NAME, root=root)
    check(done.returncode == 1 and b"gaming, net" in done.stderr, done.stderr)
    same("first", command("detach", NAME, "--claim", "gaming", root=root).returncode, 0)
    after = read(root)
    same("left", (hostdevs(after), metadata(after)), ({NIC: "04:00.0"}, {"net": [NIC]}))
    check("index='3'" in after, "the port before the last one stays")
    same("second", command("detach", NAME, "--claim", "net", root=root).returncode, 0)
    check("<vfio-claim" not in read(root), "metadata is left")


@case
def attach_refused(folder):
    root = f"{BUILD}/{folder}/root"

    def refused(scene, *texts, words=("--claim", "gaming")):
        scene.write(root)
        before = read(root)
        done = command("attach", NAME, *words, root=root)
        same("status", done.returncode, 1)
        check(all(t in done.stderr for t in texts), f"{texts} not in {done.stderr}")
        same("the domain", (read(root), backups(root)), (before, []))

    scene = bare()
    scene.machine.get(CARD[1]).driver = "snd_hda_intel"
    refused(scene, b"0000:01:00.1", b"snd_hda_intel", b"vfio-claim claim gaming")
    scene = bare()
    scene.machine.drop(CARD[1])
    refused(scene, b"absent")
    refused(bare(), b"no such claim", b"gaming", words=("--claim", "other"))
    scene = bare()
    scene.conf = "[claim"
    refused(scene, b"/etc/vfio-claim.conf:1")
    scene = Scene()
    scene.no_metadata()
    scene.drop(*CARD[1:])
    refused(scene, b"is in the domain already")
    scene = bare()
    scene.replace('type="kvm"', 'type="xen"')
    refused(scene, b"no domain of QEMU")
    scene = bare()
    scene.replace('index="2"', 'index="255"')
    refused(scene, b"no place")


@case
def attach_i440fx(folder):
    root = f"{BUILD}/{folder}/root"
    scene = bare()
    scene.replace('model="pcie-root"', 'model="pci-root"')
    scene.replace('bus="0x01" slot="0x00"', 'bus="0x00" slot="0x03"')
    scene.write(root)
    done = command("attach", NAME, "--claim", "gaming", root=root)
    check(done.returncode == 0 and b"i440fx" in done.stdout, done.stdout[-300:])
    same("places", hostdevs(read(root)), {a: f"00:04.{a[-1]}" for a in CARD})
    check('model="pcie-root-port"' in read(root) or "pcie-root-port" in read(root), "ports stay")
    same("detach", command("detach", NAME, root=root).returncode, 0)
    same("none", hostdevs(read(root)), {})


@case
def detach_moved(folder):
    """By what is recorded, though it is elsewhere now; other people's hostdevs stay."""
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    scene.replace("    <memballoon", hostdev(OTHER, "0000:03:00.0") + "    <memballoon")
    renumbered(scene)
    scene.write(root)
    same("detach", command("detach", NAME, root=root).returncode, 0)
    same("left", hostdevs(read(root)), {OTHER: "03:00.0"})


@case
def detach_without_configuration(folder):
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    scene.conf = "[broken\n"
    scene.write(root)
    same("detach", command("detach", NAME, root=root).returncode, 0)
    same("left", hostdevs(read(root)), {})


# ---- XML that nobody should trust

BOMB = ('<!DOCTYPE domain [<!ENTITY a "' + "a" * 1000 + '">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 20}">' for a, b in zip("abcdefg", "bcdefgh")) + "]>\n")
HOSTILE = {
    "empty": (b"", b"does not begin"),
    "no XML": (b"hello\n", b"does not begin"),
    "not closed": (b"<domain type='kvm'>", b"no valid XML: line 1"),
    "wrong tag": (b"<domain type='kvm'>\n<a></b></domain>", b"line 2"),
    "comment only": (b"<!-- x -->", b"does not begin"),
    "comment not closed": (b"<!-- x ", b"does not begin"),
    "bomb": (BOMB.encode() + b"<domain type='kvm'><name>&h;</name><devices/></domain>",
             b"does not begin"),
    "outside entity": (b'<!DOCTYPE d SYSTEM "http://127.0.0.1/x.dtd"><domain/>', b"does not begin"),
    "unknown entity": (b"<domain type='kvm'><name>&xxe;</name><devices/></domain>", b"no valid XML"),
    "UTF-16": ("<domain type='kvm'><devices/></domain>".encode("utf-16"), b""),
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-<domain/>',
              b"does not begin"),
    "NUL": (b"<domain type='kvm'>\0<devices/></domain>", b""),
    "latin": (b"<domain type='kvm'><title>\xe9</title><devices/></domain>", b"no valid XML"),
    "huge": (b"<domain type='kvm'><devices/><title>" + b"x" * (1 << 20) + b"</title></domain>",
             b"larger than any domain"),
    "deep": (b"<domain type='kvm'>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</domain>",
             b"no valid XML"),
    "another root": (b"<network/>", b"no domain of QEMU"),
    "another type": (b"<domain type='lxc'><devices/></domain>", b"no domain of QEMU"),
    "no devices": (b"<domain type='kvm'/>", b"no domain of QEMU"),
    "escapes": (b"<domain type='kvm'>\n<\x1b[2J></domain>", b"no valid XML"),
}
ODD = {
    "minimal": b"<domain type='kvm'><devices/></domain>",
    "comments": b"<!-- a --><!-- <b> --> <?pi?><domain type='kvm'><!-- > --><devices/></domain><!-- -->",
    "BOM": b"\xef\xbb\xbf<domain type='qemu'><devices></devices></domain>",
    "CDATA": b"<domain type='kvm'><title><![CDATA[<a b=\"c\">]]></title><devices/></domain>",
    "strange numbers": b"<domain type='kvm'><memory unit='parsec'>99999999999999999999</memory>"
                       b"<vcpu>-1</vcpu><cpu><topology sockets='x'/></cpu><devices>"
                       b"<controller type='pci' index='99999999999999999999'/>"
                       b"<hostdev type='pci'><source><address domain='0x100000000' bus='0'"
                       b" slot='0' function='0'/></source></hostdev>"
                       b"<hostdev type='pci'><source><address bus='0x1' slot='32' function='0'/>"
                       b"</source></hostdev><hostdev type='pci'><source/></hostdev>"
                       b"<hostdev type='pci'/><hostdev/></devices></domain>",
    "default namespace": b"<domain type='kvm'><metadata><claims xmlns='" + URI.encode() +
                         b"'><claim/><claim name=''/><claim name='a b'/><claim name='gaming'>"
                         b"<function/><function path='x' address='y'/></claim></claims></metadata>"
                         b"<devices/></domain>",
    "many hostdevs": b"<domain type='kvm'><devices>" + b"".join(
        b"<hostdev type='pci'><source><address bus='0x%02x' slot='0' function='0'/></source>"
        b"</hostdev>" % i for i in range(200)) + b"</devices></domain>",
}


@case
def hostile_xml(folder):
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    for name, (content, told) in HOSTILE.items():
        scene.files[f"etc/libvirt/qemu/{NAME}.xml"] = content
        scene.text = None
        scene.write(root)
        for words in (["check", NAME], ["check", NAME, "--fix"], ["detach", NAME],
                      ["attach", NAME, "--claim", "gaming"]):
            done = command(*words, root=root)
            same(f"{name}: status of {words}", done.returncode, 1)
            check(told in done.stderr and not done.stdout, f"{name}: {done.stderr[:300]}")
            check(done.stderr.decode().strip().isprintable(), f"{name}: {done.stderr[:300]}")
        same(f"{name}: copies", backups(root), [])


@case
def odd_xml(folder):
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    for name, content in ODD.items():
        scene.files[f"etc/libvirt/qemu/{NAME}.xml"] = content
        scene.text = None
        scene.write(root)
        findings(command("check", NAME, "--json", root=root))
        done = command("check", NAME, "--fix", root=root)
        check(done.returncode in (0, 1) and not done.stderr, f"{name}: {done.stderr}")
        scene.write(root)
        command("detach", NAME, root=root)
        done = command("attach", NAME, "--claim", "gaming", root=root)
        if name not in ("strange numbers", "many hostdevs"):
            same(f"{name}: attach", (done.returncode, done.stderr), (0, b""))
            same(f"{name}: places", set(hostdevs(read(root))), set(CARD))
            ET.fromstring(read(root))


@case
def hostile_names(folder):
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    scene.files["etc/libvirt/secret.xml"] = scene.text
    scene.write(root)
    for name in ("../secret", "/etc/passwd", ".", "..", "", "a/b", "\x1b[2J", "x" * 300, "caf\udce9",
                 "no-such"):
        for words in (["check"], ["detach"], ["attach", "--claim", "gaming"]):
            done = command(words[0], "--root", root, *words[1:], "--", name)
            same(f"status of {name!r}", done.returncode, 1)
            check(done.stderr.decode().strip().isprintable() and not done.stdout, f"{done.stderr}")
    os.symlink("/etc/passwd", f"{root}/etc/libvirt/qemu/link.xml")
    same("a link out of the root", command("check", "link", root=root).returncode, 1)


@case
def usage(folder):
    root = f"{BUILD}/{folder}/root"
    Scene().write(root)
    for words in (["check"], ["check", NAME, "more"], ["attach", NAME], ["attach", "--claim", "gaming"],
                  ["attach", NAME, "--claim", "a b"], ["attach", NAME, "--claim"], ["detach"],
                  ["detach", NAME, "--claim", ""], ["check", "--unknown", NAME],
                  ["check", NAME, "--root", "/no/such"]):
        done = command(*words, root=None if "--root" in words else root)
        same(f"status of {words}", (done.returncode, done.stdout), (2, b""))
    for word in ("check", "attach", "detach"):
        done = command(word, "--help")
        check(done.returncode == 0 and b"DOMAIN" in done.stdout, f"{word} --help")
        check(all(len(line) < 80 for line in done.stdout.decode().splitlines()), f"{word}: wide")


@case
def round_trip(folder):
    """What is not changed is written as libvirt wrote it."""
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    RAW(scene)
    scene.replace("managed='no'", "managed='yes'")
    scene.write(root)
    command("check", NAME, "--fix", root=root)
    same("text", read(root), scene.prolog + scene.text.replace("managed='yes'", "managed='no'"))


def prepare(_chosen):
    must("make", "-s", "--no-print-directory", "build/vfio-claim-vm")


if __name__ == "__main__":
    main(Room(BUILD, CASES, [], prepare if "VFIO_CLAIM_VM" not in os.environ else lambda _: None,
              ["root"]), __doc__)
