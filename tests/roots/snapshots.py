# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of `vfio-claim snapshot`: what is unpacked must say the same as the machine."""
import json
import os
import re
import shutil
import stat
import subprocess

from displays import connector
from look import (CASES, COMMAND, GPU, ROOT, USB, card, check, good, look, put, run, same,
                  write)
from tree import Machine
from verdict import disk, mapper, mounts

OUT = f"{ROOT}.out"
AGAIN = f"{OUT}/unpacked"
UUID, OTHER = "0f0e0d0c-1234-4abc-8def-00112233445f", "aaaabbbb-1234-4abc-8def-00112233445f"
MACHINE_ID = "0123456789abcdef0123456789abcdef"
SERIAL = "9c-6b-00-ff-ff-21-43-65"


def case(function):
    def test():
        shutil.rmtree(OUT, ignore_errors=True)
        os.makedirs(OUT)
        function()
        shutil.rmtree(OUT)
    CASES.append((f"snapshot-{function.__name__.replace('_', '-')}", test))
    return test


def unpack(archive, into=AGAIN):
    shutil.rmtree(into, ignore_errors=True)
    os.makedirs(into)
    subprocess.run(["tar", "-xf", archive, "-C", into], check=True)
    return into


def taken(*words, name="m.tar"):
    good("snapshot", f"{OUT}/{name}", "--force", *words)
    return unpack(f"{OUT}/{name}")


def content(path):
    with open(f"{AGAIN}/{path}", encoding="utf-8", errors="surrogateescape") as text:
        return text.read()


def every_byte():
    """All contents, paths and targets of what was unpacked."""
    found = b""
    for folder, folders, files in os.walk(AGAIN):
        for name in folders + files:
            path = os.path.join(folder, name)
            found += path.encode(errors="surrogateescape") + b"\n"
            if os.path.islink(path):
                found += os.readlink(path).encode() + b"\n"
            elif os.path.isfile(path):
                with open(path, "rb") as data:
                    found += data.read() + b"\n"
    return found


def equal(what):
    for words in (["list"], ["list", "--all"], ["list", "--groups"], ["list", "--json"],
                  ["status"], ["status", "--json"]):
        there, here = run(*words), run(*words, root=AGAIN)
        same(f"{what}: {words}", (here.returncode, here.stdout), (there.returncode, there.stdout))


def rich():
    """A machine that has something of everything."""
    machine = Machine("desktop")
    machine.get("0000:02:00.0").words = ["serial=" + SERIAL]
    machine.files["etc/vfio-claim.conf"] = (
        f"[host]\nrecord = PARTUUID={UUID}\n\n[claim gaming]\n" + "".join(
            machine.get(f"0000:01:00.{i}").line() + "\n" for i in range(4))
        + "[claim net]\n" + machine.get("0000:02:00.0").line() + "\n")
    write(machine)
    os.chmod(f"{ROOT}/etc/vfio-claim.conf", 0o644)
    connector(machine, 0, "0000:00:02.0", "HDMI-A-1")
    crypt = mapper("254:0", "dm-0", disk(machine, "8:18", "sdb", part="sdb2"), title="tower-crypt")
    mapper("254:1", "dm-1", crypt, title="tower--vg-root")
    mounts(("254:1", "/", "ext4", "/dev/mapper/tower--vg-root"))
    put("proc/cmdline", f"root=UUID={UUID} resume=UUID=ABCD-1234 ip=::::tower:eth0 quiet\n")
    put("proc/sys/kernel/hostname", "tower\n")
    put("proc/sys/kernel/osrelease", "6.1.0-9-amd64\n")
    os.makedirs(f"{ROOT}/lib/modules/6.1.0-9-amd64")
    put("proc/iomem", "00000000-00000000 : 0000:00:02.0\n  00000000-00000000 : efifb\n")
    put("etc/default/grub", f'GRUB_CMDLINE_LINUX="rd.luks.uuid={UUID} disk=/dev/disk/by-id/'
        'ata-Samsung_S3Z8NB0K-part2"\n# towering towers of tower\n')
    put("boot/grub/grub.cfg", "search --fs-uuid --set=root ABCD-1234\n"
        f" linux /v root=UUID={OTHER}\n"
        "password_pbkdf2 root grub.pbkdf2.sha512.10000.DEADBEEF\n  password me letmein\n")
    put(f"boot/loader/entries/{MACHINE_ID}-6.1.conf", f"machine-id {MACHINE_ID}\n")
    put("etc/kernel/secure-boot.key", "-----BEGIN PRIVATE KEY-----\nSECRET1\n")
    put("etc/kernel/odd", "x\n-----BEGIN EC PRIVATE KEY-----\nSECRET2\n")
    put("etc/kernel/cmdline", "quiet\n")
    put("etc/initramfs-tools/etc/dropbear/host_key", "SECRET3\n")
    put("etc/initramfs-tools/scripts/init-top/mine", "#!/bin/sh\n")
    put("etc/shadow", "SECRET4\n")
    put("sys/firmware/acpi/tables/DMAR", b"\0SECRET5")
    put("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", b"\6\0\0\0\1")
    put("usr/share/misc/pci.ids", "10de  NVIDIA\n\t2184  TU116\n1043  ASUS\n")
    return machine


def round_trip(name):
    def test():
        write(name)
        put("usr/share/misc/pci.ids", "10de  NVIDIA\n\t2184  TU116\n8086  Intel\n")
        taken()
        equal(name)
    test.__name__ = f"of_{name}"
    case(test)


for machine_name in ("desktop", "laptop", "twins", "arc", "vmd", "server", "adder", "zephyrus",
                     "swift", "latitude", "optimus", "envy", "elitebook", "box"):
    round_trip(machine_name)


@case
def of_who_switches_graphics():
    """Doctor says the same of it."""
    def of(root):
        found = json.loads(run("doctor", "--json", root=root).stdout)["checks"]
        return [f for f in found if f["id"] in ("switchers", "cards")]

    for name, wanted in (("adder", "system76-power"), ("zephyrus", "asus-nb-wmi"),
                         ("zephyrus", "supergfxctl"), ("optimus", "prime-select"),
                         ("envy", "bbswitch"), ("swift", "switcheroo")):
        write(name)
        put("etc/udev/rules.d/50-remove-nvidia.rules",
            'ATTR{vendor}=="0x10de", ATTR{remove}="1"\n')
        put("etc/optimus-manager/optimus-manager.conf", "startup_mode=nvidia\n")
        taken()
        there = of(ROOT)
        check(any(wanted in f["evidence"] for f in there), f"{name}: {there}")
        same(name, of(AGAIN), there)


@case
def of_everything():
    rich()
    for name in ("m.tar", "m.tar.gz", "m.tar.zst"):
        taken(name=name)
        equal(name)
    same("verdict", card()["verdict"], "needed")
    for path, text in (("etc/kernel/cmdline", "quiet\n"), ("sys/firmware/acpi/tables/DMAR", ""),
                       ("etc/initramfs-tools/scripts/init-top/mine", "#!/bin/sh\n"),
                       ("sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
                        "\6\0\0\0\1")):
        same(path, content(path), text)
    check("ASUS" not in content("usr/share/misc/pci.ids"), "names of what is not here")
    # a snapshot of the snapshot
    first = good("list", "--json", root=AGAIN)
    good("snapshot", f"{OUT}/again.tar", root=AGAIN)
    same("twice", good("list", "--json", root=unpack(f"{OUT}/again.tar")), first)


@case
def holds_no_secret():
    rich()
    taken()
    found = every_byte()
    for secret in (b"SECRET", b"DEADBEEF", b"letmein"):
        check(secret not in found, f"{secret} is in it")
    check(b"ABCD-1234" in found, "nothing was to be scrubbed")


@case
def scrubbed():
    machine = rich()
    taken("--scrub")
    found = every_byte()
    for secret in (UUID, OTHER, "ABCD-1234", MACHINE_ID, SERIAL, "S3Z8NB0K", "SECRET"):
        check(secret.encode() not in found.replace(b"\0", b""), f"{secret} is in it")
    check(bytes.fromhex(SERIAL.replace("-", ""))[::-1] not in found, "the serial number is in it")
    check(not re.search(rb"(?<![a-z])tower(?![a-z])", found), "the host's name is in it")
    check("towering towers of host" in content("etc/default/grub"), "a part of a word is gone")
    # equal ones stay equal
    uuid = re.search(r"root=UUID=(\S+)", content("proc/cmdline"))[1]
    check(uuid in content("etc/default/grub") and uuid in content("etc/vfio-claim.conf"),
          "one UUID became two")
    check(uuid not in content("boot/grub/grub.cfg"), "two UUIDs became one")
    check("by-id/scrubbed-" in content("etc/default/grub"), content("etc/default/grub"))
    check("-part2" in content("etc/default/grub"), content("etc/default/grub"))
    fat = re.search(r"resume=UUID=(\S+)", content("proc/cmdline"))[1]
    check(f"root {fat}\n" in content("boot/grub/grub.cfg").replace("=", " "),
          content("boot/grub/grub.cfg"))
    entry, = os.listdir(f"{AGAIN}/boot/loader/entries")
    check(entry.endswith("-6.1.conf") and content(f"boot/loader/entries/{entry}").strip()
          == "machine-id " + entry[:32], entry)
    # and the machine is what it was
    serial = re.search(r"serial=(\S+)", content("etc/vfio-claim.conf"))[1]
    with open(f"{AGAIN}/{machine.get('0000:02:00.0').directory}/config", "rb") as config:
        same("serial", config.read()[0x104:0x10c][::-1].hex("-"), serial)
    same("list", good("list", root=AGAIN), good("list"))
    same("claims", next_boot(AGAIN), next_boot(ROOT))


def next_boot(root):
    """What would become of each claim: by serial numbers, too."""
    claims = json.loads(run("status", "--json", root=root).stdout)["next_boot"]["claims"]
    return [claim["outcome"] for claim in claims]


@case
def to_stdout():
    write("desktop")
    done = subprocess.run([COMMAND, "snapshot", "-", "--root", ROOT], capture_output=True,
                          check=True)
    with open(f"{OUT}/m.tar", "wb") as out:
        out.write(done.stdout)
    same("messages", done.stderr, b"")
    same("list", good("list", root=unpack(f"{OUT}/m.tar")), good("list"))
    with open("/dev/full", "wb") as full:
        done = subprocess.run([COMMAND, "snapshot", "-", "--root", ROOT], stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    check(done.returncode == 1 and "No space" in done.stderr, f"a full disk: {done}")


@case
def replaces_nothing():
    write("desktop")
    file = f"{OUT}/m.tar"
    good("snapshot", file)
    same("mode", stat.S_IMODE(os.stat(file).st_mode), 0o600)
    with open(file, "w", encoding="ascii") as out:
        out.write("mine")
    done = run("snapshot", file)
    check(done.returncode == 1 and "--force" in done.stderr, done.stderr)
    same("size", os.stat(file).st_size, 4)
    os.symlink("/nowhere", f"{OUT}/link.tar")
    same("a link", run("snapshot", f"{OUT}/link.tar").returncode, 1)
    # what a killed run has left
    os.symlink("/nowhere", f"{OUT}/.m.tar.new")
    good("snapshot", file, "--force")
    check(os.stat(file).st_size > 1000, "it was not replaced")
    same("left", sorted(os.listdir(OUT)), ["link.tar", "m.tar"])


@case
def usage():
    write("desktop")
    for words, text in (([], "FILE"), ([f"{OUT}/m.zip"], ".tar.zst"), ([".tar"], ".tar.zst"),
                        ([f"{OUT}/a.tar", f"{OUT}/b.tar"], "FILE"),
                        (["--blunder", f"{OUT}/a.tar"], "blunder")):
        done = run("snapshot", *words)
        check(done.returncode == 2 and text in done.stderr, f"{words}: {done}")
    done = run("snapshot", f"{OUT}/nowhere/m.tar")
    check(done.returncode == 1 and "nowhere" in done.stderr, done.stderr)
    same("left", os.listdir(OUT), [])
    found = json.loads(good("snapshot", f"{OUT}/m.tar", "--json"))
    same("keys", sorted(found), ["entries", "file", "scrubbed", "unreadable", "version"])
    same("file", (found["file"], found["scrubbed"]), (f"{OUT}/m.tar", False))


@case
def stays_in_the_root():
    """Links of a captured tree that lead out of it."""
    machine = write("desktop")
    with open(f"{OUT}/secret", "w", encoding="ascii") as out:
        out.write("SECRET\n")
    for path in ("etc/modprobe.d/x.conf", "etc/default/grub", "boot/refind_linux.conf",
                 "etc/kernel/up", f"{machine.get(USB).directory}/numa_node"):
        os.makedirs(os.path.dirname(f"{ROOT}/{path}"), exist_ok=True)
        os.symlink("../" * 20 + f"{OUT}/secret"[1:] if "up" in path else f"{OUT}/secret",
                   f"{ROOT}/{path}")
    os.symlink(OUT, f"{ROOT}/etc/cmdline.d")
    os.symlink("../" * 20 + "etc", f"{ROOT}/sys/bus/pci/drivers/vfio-pci/away")
    os.symlink("/etc", f"{ROOT}/{machine.get(GPU).directory}/iommu")
    taken()
    check(b"SECRET" not in every_byte(), "a link led out of the root")
    for folder, folders, files in os.walk(AGAIN):
        for name in folders + files:
            path = os.path.join(folder, name)
            if os.path.islink(path):
                there = os.path.normpath(os.path.join(folder, os.readlink(path)))
                check((there + "/").startswith(AGAIN + "/"), f"{path} leads to {there}")


@case
def keeps_its_hands_off():
    """It changes nothing in the machine, and reads no file twice as a list grows."""
    rich()
    before = subprocess.run(["find", ROOT, "-printf", "%p %m %T@ %s %l\n"], check=True,
                            capture_output=True).stdout
    taken()
    after = subprocess.run(["find", ROOT, "-printf", "%p %m %T@ %s %l\n"], check=True,
                           capture_output=True).stdout
    same("the tree", after, before)
    check(look()["cards"], "no cards")
