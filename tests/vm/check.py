#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""`vfio-claim vm check`, and attach and detach, on captured machines: each finding where it
should be and nowhere else, what --fix makes of it, and XML that nobody should trust.

usage: tests/vm/check.py [--list] [PATTERN]
"""
import os
import re

from domain import BUILD, CARD, DIR, FIFO, NAME, ROM, TOP, Scene, backups, command, read
from cases import Room, main, must
import hostile
from judge import (NIC, RAW, all_of, awaited, awaited_and_taken, findings, gone, judge, judge_words,
                   no_hostdevs, pushed, put, renumbered, same, swapped_only, text, two_claims)
import mend
import width
from width import MODE

CASES = []
CODES = {"memlock"}             # seen by attach.py: it takes a user's libvirt
NVME = "0000:03:00.0"
ACL = '"/dev/null", "/dev/full", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/ptmx"'


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
    CODES.update(expected)
    run.__name__ = "check_" + re.sub(r"\W+", "_", name)
    run.__doc__ = name
    CASES.append(run)


# ---- claims

expect("nothing to complain of", lambda s: None, {})


expect("no hostdev", no_hostdevs, {"no-hostdev": ("note", f"vm attach {NAME}")})


MOVED = {"address-moved": ("problem", CARD[0], "0000:04:00.0", "TU116", "nothing", "--fix")}
expect("address moved", renumbered, MOVED)
expect("address moved, no metadata", all_of(Scene.no_metadata, renumbered), MOVED)


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


expect("doubtful", doubtful,
       {"address-doubtful": ("warning", CARD[0], "claim net", "vm detach")})
expect("absent", lambda s: s.machine.drop(CARD[2]),
       {"function-absent": ("problem", CARD[2], "gaming", "not in the machine")})
AWAITED = {"function-absent": ("problem", CARD[1], "optional", "claim gaming", "nothing", "--fix")}
expect("optional and absent", awaited, AWAITED)
expect("optional and absent, no metadata", all_of(Scene.no_metadata, awaited), AWAITED)
expect("optional and absent, not in the domain", all_of(awaited, lambda s: s.drop(CARD[1])), {})

expect("optional and absent, its address is taken", awaited_and_taken,
       {"function-absent": ("problem", CARD[1], "another function"),
        "address-moved": ("problem", "0000:04:00.0")})
expect("optional and absent, all of it", all_of(lambda s: s.note(optional="yes"),
                                                lambda s: s.machine.drop(*CARD)),
       {"function-absent": ("problem", CARD[0], "not in the machine")})


def other_card(scene):
    scene.machine.get(CARD[0]).device = 0x1180


expect("changed", other_card,
       {"function-changed": ("problem", CARD[0], "another device now")})


def twin(scene, *places):
    """The card's display is gone from its slot, and at each of these."""
    scene.note(unique="yes")
    display = scene.machine.get(CARD[0])
    for place in places:
        other = scene.machine.get(place)
        other.driver, other.words = "vfio-pci", []
        for key in ("cls", "vendor", "device", "subvendor", "subdevice"):
            setattr(other, key, getattr(display, key))
    scene.machine.drop(CARD[0])
    scene.files.update({"dev/vfio/8": "", "dev/vfio/9": ""})


expect("moved to another slot", lambda s: twin(s, NIC),
       {"address-moved": ("problem", CARD[0], NIC, "nothing")})
expect("ambiguous", lambda s: twin(s, NIC, NVME),
       {"function-ambiguous": ("problem", CARD[0], "twin")})


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
       all_of(gone("usr/share/OVMF/OVMF_VARS_4M.ms.fd"),
              put("var/lib/libvirt/qemu/nvram/w.fd", "")),
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
expect("ROM that is no file", lambda s: s.rom(ROM, FIFO),
       {"rom-unreadable": ("problem", ROM, "is no file")})
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
        "but for DAC": text("</domain>", "  <seclabel type='none' model='dac'/>\n</domain>"),
}.items():
    expect(f"AppArmor {name}", all_of(lambda s: s.rom(SRV), change), {"rom-apparmor": ("problem",)})

# ---- access

expect("no group device", gone("dev/vfio/2"), {"vfio-devices": ("problem", "/dev/vfio/2")})
expect("no container", gone("dev/vfio/vfio"), {"vfio-devices": ("problem", "/dev/vfio/vfio")})
expect("no dev captured", gone("dev/vfio/2", "dev/vfio/vfio"), {})


def acl(words):
    return put("etc/libvirt/qemu.conf", f"cgroup_device_acl = [\n  {words}\n]\n")


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

expect("CPU custom", text(MODE, "<cpu mode='custom'>"), {"cpu-mode": ("warning", "custom")})
expect("CPU model", text(MODE, "<cpu mode='host-model'>"), {"cpu-mode": ("note", "host-model")})
expect("CPU none", text(MODE, "<cpu>"), {"cpu-mode": ("warning",)})
expect("CPU maximum", text(MODE, "<cpu mode='maximum'>"), {})
expect("CPU emulated", all_of(text("'kvm'", "'qemu'"), text(MODE, "<cpu mode='maximum'>")), {})
for reach in width.EXPECTED:
    expect(*reach)
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


expect("Windows by its features", all_of(no_info, text(TOPOLOGY, "")),
       {"cpu-topology": ("warning",)})

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



def every_code(_folder):
    """Each code of the command's table has a case, and stands in the man page."""
    with open(f"{TOP}/installer/vm/check.c", encoding="utf-8") as source:
        rows = re.findall(r'{ "([a-z0-9-]+)", N_', source.read())
    same("codes", sorted(CODES), sorted(rows))
    with open(f"{TOP}/conf/man/vfio-claim-vm.8", encoding="utf-8") as page:
        told = page.read().partition(".SH CODES OF CHECK")[2].partition(".SH")[0]
    words = {word for line in re.findall(r"^\.B (.*)$", told, re.MULTILINE)
             for word in line.split(", ")}
    same("codes of the man page", sorted(words), sorted(rows))


CASES += [every_code, *mend.CASES, *hostile.CASES]


def prepare(_chosen):
    must("make", "-s", "--no-print-directory", "build/vfio-claim-vm")


if __name__ == "__main__":
    main(Room(BUILD, CASES, [], prepare if "VFIO_CLAIM_VM" not in os.environ else lambda _: None,
              ["root"]), __doc__)
