# SPDX-License-Identifier: GPL-2.0-or-later
"""What is read back after a change: the command in a root of its own (chroot), where the
distribution's programs are stand-ins that do what they would do, or less."""
import os
import shutil
import struct
import subprocess

from loaders import (ADDED, ARCH_UKI, CMDLINE, DEBIAN, DRACUT_UKI, FEDORA, ID, POP, PROXMOX,
                     SILVERBLUE, SYSTEMD_BOOT, UKIFY, entry)
from tree import BINARY, Failed, Tree, check

BOTH = " ".join(ADDED)
UKI = "efi/EFI/Linux/arch-linux.efi"
MENU = """\
### BEGIN /etc/grub.d/10_linux ###
menuentry 'Debian' --class debian {
	linux	/vmlinuz-6.1 root=UUID=1 ro LINUX DEFAULT
	initrd	/initrd.img-6.1
}
submenu 'Advanced options' {
	menuentry 'Debian, recovery' {
		#linux /commented
		linux	/vmlinuz-6.1 root=UUID=1 ro single LINUX
	}
	menuentry 'old' {
		linux16 "/vmlinuz 6.0" root=UUID=1 LINUX DEFAULT
	}
}
### END /etc/grub.d/10_linux ###
### BEGIN /etc/grub.d/20_memtest86+ ###
menuentry 'Memory test' {
	linux /boot/memtest86+x64.efi console=ttyS0
}
### END /etc/grub.d/20_memtest86+ ###
### BEGIN /etc/grub.d/30_os-prober ###
menuentry 'Another Linux' {
	linux /boot/vmlinuz root=UUID=2
}
### END /etc/grub.d/30_os-prober ###
### BEGIN /etc/grub.d/40_custom ###
menuentry 'mine' {
	linux /boot/mine root=UUID=3
}
### END /etc/grub.d/40_custom ###
"""
SOURCES = """\
. /etc/default/grub
for x in /etc/default/grub.d/*.cfg; do [ ! -e "$x" ] || . "$x"; done
"""


def put_program(tree, program, to, later=()):
    """With the libraries that it needs, and those that it loads later."""
    os.makedirs(os.path.dirname(f"{tree.root}/{to}"), exist_ok=True)
    shutil.copy(program, f"{tree.root}/{to}")
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=True)
    libc = next(word for word in done.stdout.split() if word.endswith("/libc.so.6"))
    for word in [*done.stdout.split(), *(f"{os.path.dirname(libc)}/{name}" for name in later)]:
        if word.startswith("/"):
            os.makedirs(f"{tree.root}{os.path.dirname(word)}", exist_ok=True)
            shutil.copy(word, f"{tree.root}{word}")


def stand_in(tree, name, script):
    tree.write(f"usr/bin/{name}", f"#!/usr/bin/sh\nset -e\n{script}\n")
    os.chmod(f"{tree.root}/usr/bin/{name}", 0o755)


def machine(files, **programs):
    tree = Tree(files)
    put_program(tree, BINARY, "usr/bin/vfio-claim", ["libnettle.so.8"])
    put_program(tree, "/bin/dash", "usr/bin/sh")
    put_program(tree, "/bin/cat", "usr/bin/cat")
    os.makedirs(f"{tree.root}/tmp", exist_ok=True)
    tree.write("dev/null", "")
    for name, script in programs.items():
        stand_in(tree, name.replace("_", "-"), script)
    return tree


def args(tree, *words, status=0, say=()):
    done = subprocess.run(["/usr/sbin/chroot", tree.root, "/usr/bin/vfio-claim", "args", *words],
                          capture_output=True, text=True, check=False, timeout=60,
                          env={"PATH": "/usr/bin", "LC_ALL": "C"})
    check(done.returncode == status, f"{words}: exit status {done.returncode}, not {status}: "
          f"{done.stderr.strip()} {done.stdout.strip()[-400:]}")
    for text in say:
        check(text in done.stderr, f"it does not say {text!r}: {done.stderr.strip()}")
    return done


def quiet(done):
    """It tells which program runs, and nothing else."""
    check(len(done.stderr.split("\n")) <= 3 and "read back" not in done.stderr,
          f"it complains: {done.stderr}")


def menu(line=MENU):
    """update-grub, as far as it matters."""
    text = line.replace("LINUX", "$GRUB_CMDLINE_LINUX").replace("DEFAULT",
                                                               "$GRUB_CMDLINE_LINUX_DEFAULT")
    return f"{SOURCES}cat >/boot/grub/grub.cfg <<END\n{text}END"


def grub_good():
    tree = machine(DEBIAN, update_grub=menu())
    quiet(args(tree, "add", *ADDED))
    check(BOTH in tree.read("boot/grub/grub.cfg"), "update-grub was not run")
    args(tree, "remove", *ADDED)
    check("iommu" not in tree.read("boot/grub/grub.cfg"), "update-grub was not run again")


def grub_forgets_an_entry():
    tree = machine(DEBIAN, update_grub=menu(MENU.replace("root=UUID=1 LINUX DEFAULT",
                                                         "root=UUID=1")))
    args(tree, "add", *ADDED, status=1, say=("/boot/grub/grub.cfg:12", "intel_iommu=on"))


def grub_keeps_a_word():
    tree = machine(DEBIAN, update_grub=menu(MENU.replace("ro LINUX", "ro nosmt LINUX")))
    tree.write("etc/default/grub", "GRUB_CMDLINE_LINUX=\"nosmt\"\n")
    args(tree, "remove", "nosmt", status=1, say=("/boot/grub/grub.cfg:3", "nosmt"))


def grub_does_nothing():
    tree = machine({**DEBIAN, "boot/grub/grub.cfg": MENU}, update_grub="true")
    args(tree, "add", *ADDED, status=1, say=("/boot/grub/grub.cfg:3", "undo"))


def grub_fails():
    tree = machine(DEBIAN, update_grub="exit 3")
    args(tree, "add", *ADDED, status=1, say=("update-grub",))


def grub_has_no_entries():
    tree = machine(DEBIAN, update_grub=f"{SOURCES}cat </dev/null >/boot/grub/grub.cfg")
    args(tree, "add", *ADDED, say=("could not be read back",))


def fedora():
    rewrite = "".join(f"cat >/boot/loader/entries/{ID}-{v}.conf <<END\n"
                      f"{entry(words, v)}END\n"
                      for v, words in (("6.9", "\\$kernelopts " + BOTH), ("6.10", BOTH),
                                       ("0-rescue", BOTH)))
    args(machine(FEDORA, grubby=rewrite), "add", *ADDED)
    forgets = rewrite.replace(f"options {BOTH}", "options x", 1)
    args(machine(FEDORA, grubby=forgets), "add", *ADDED, status=1, say=("6.10.conf",))
    # the environment has it
    tree = machine(FEDORA, grubby="cat >/boot/grub2/grubenv <<END\n"
                   f"kernelopts=root=UUID=1 {BOTH}\nEND\n" + rewrite.split("END\n", 4)[4])
    os.unlink(f"{tree.root}/boot/loader/entries/{ID}-0-rescue.conf")
    args(tree, "add", *ADDED)


def pop():
    name = "boot/efi/loader/entries/Pop_OS-current.conf"
    script = f"cat >/{name} <<END\nlinux /x\noptions iommu=pt root=UUID=1 intel_iommu=on\nEND"
    args(machine(POP, kernelstub=script), "add", *ADDED)
    args(machine(POP, kernelstub="true"), "add", *ADDED, status=1, say=("Pop_OS-current",))


def systemd_boot():
    script = ("test \"$1\" = add\nread -r line </etc/kernel/cmdline\n"
              f"cat >/boot/efi/loader/entries/{ID}-$2.conf <<END\n"
              f"{entry('$line', '$2')}END")
    tree = machine(SYSTEMD_BOOT, kernel_install=script)
    tree.write("boot/efi/loader/entries/mine.conf", "linux /x\noptions mine\n")
    args(tree, "add", *ADDED)
    args(tree, "remove", *ADDED)
    args(machine(SYSTEMD_BOOT, kernel_install="true"), "add", *ADDED, status=1,
         say=(f"/boot/efi/loader/entries/{ID}",))


def silverblue():
    script = f"cat >/boot/loader/entries/ostree-1.conf <<END\n{entry(BOTH, '11')}END"
    args(machine(SILVERBLUE, rpm_ostree=script), "add", *ADDED)
    args(machine(SILVERBLUE, rpm_ostree="true"), "add", *ADDED, status=1, say=("ostree-2",))


def proxmox():
    tree = machine(PROXMOX, proxmox_boot_tool="true")
    args(tree, "add", *ADDED, say=("could not be read back", "partition AAAA-BBBB", "is not there"))
    tree = machine({**PROXMOX, "boot/efi/loader/entries/proxmox-6.8.conf":
                    "linux /EFI/proxmox/6.8/vmlinuz\noptions root=ZFS=x\n"},
                   proxmox_boot_tool="true")
    args(tree, "add", *ADDED, status=1, say=("proxmox-6.8.conf",))


def pe(sections, start=64, count=None, optional=0):
    """A PE file: (name, content, virtual size, raw size, offset), the last three optional."""
    head = b"MZ".ljust(60, b"\0") + struct.pack("<I", start)
    head = head.ljust(start, b"\0")
    head += b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, len(sections) if count is None else
                                    count, 0, 0, 0, optional, 0) + bytes(optional)
    at = len(head) + 40 * len(sections)
    table, body = b"", b""
    for name, content, *numbers in sections:
        virtual, raw, offset = [*numbers, len(content), len(content), at][:3] \
            if len(numbers) == 3 else (len(content), len(content), at)
        table += name.encode().ljust(8, b"\0") + struct.pack("<IIII", virtual, 0, raw, offset)
        table += bytes(16)
        body += content
        at += len(content)
    return head + table + body


GOOD = pe([(".text", b"x" * 100), (".cmdline", f"{CMDLINE} {BOTH}\n\0".encode()),
           (".linux", b"y" * 1000)], optional=240)
HOSTILE = {
    "empty": b"", "a byte": b"M", "no PE": b"MZ" + bytes(62), "text": b"#!/bin/sh\n" * 100,
    "cut header": GOOD[:80], "cut table": GOOD[:400], "cut section": pe(
        [(".cmdline", b"x", 100, 100, 200)]),
    "PE far outside": b"MZ".ljust(60, b"\0") + b"\xff\xff\xff\xff" + bytes(100),
    "too many sections": pe([(".cmdline", BOTH.encode())], count=65535),
    "more sections than there are": pe([(".text", b"x")], count=96),
    "section outside": pe([(".cmdline", b"x", 10, 10, 0xfffffff0)]),
    "huge section": pe([(".cmdline", b"x", 0xffffffff, 0xffffffff, 64)]),
    "no words": pe([(".text", b"x")]), "an empty section": pe([(".cmdline", b"")]),
    "another word": pe([(".cmdline", b"root=a")]),
    "a longer name": pe([(".cmdlin", BOTH.encode())]),
    "header is the section": pe([(".cmdline", b"", 64, 64, 0)]),
    "optional header outside": GOOD[:64 + 20] + b"\xff\xff" + GOOD[64 + 22:],
}


def image(tree, content):
    tree.write("prepared.efi", content)


def uki_good():
    for files, program, where in ((ARCH_UKI, "mkinitcpio", UKI),
                                  (DRACUT_UKI, "dracut", "boot/efi/EFI/Linux/linux-6.6.1.efi"),
                                  (UKIFY, "kernel_install", "boot/EFI/Linux/a-6.1.efi")):
        tree = machine({**files, where: b""}, **{program: f"cat /prepared.efi >/{where}"})
        image(tree, GOOD)
        quiet(args(tree, "add", *ADDED))
        image(tree, pe([(".cmdline", CMDLINE.encode())]))
        args(tree, "remove", *ADDED)


def uki_lacks_it():
    tree = machine({**ARCH_UKI, UKI: b""}, mkinitcpio=f"cat /prepared.efi >/{UKI}")
    image(tree, pe([(".cmdline", f"{CMDLINE} iommu=pt".encode())]))
    args(tree, "add", *ADDED, status=1, say=("arch-linux.efi", "intel_iommu=on"))


def uki_hostile():
    for name, content in HOSTILE.items():
        tree = machine({**ARCH_UKI, UKI: b""}, mkinitcpio=f"cat /prepared.efi >/{UKI}")
        image(tree, content)
        done = subprocess.run(["/usr/sbin/chroot", tree.root, "/usr/bin/vfio-claim", "args", "add",
                               *ADDED], capture_output=True, text=True, check=False,
                              timeout=60, env={"PATH": "/usr/bin", "LC_ALL": "C"})
        check(done.returncode in (0, 1), f"{name}: exit status {done.returncode}")
        check("arch-linux.efi" in done.stderr, f"{name}: it takes it: {done.stderr}")


def grub_survives_an_edit():
    """What was edited since keeps the edit; undo takes out our words."""
    tree = machine({**DEBIAN, "etc/os-release": "ID=arch\n"}, grub_mkconfig=menu())
    os.unlink(f"{tree.root}/usr/sbin/update-grub")
    before = tree.read("etc/default/grub")
    args(tree, "add", *ADDED)
    tree.write("etc/default/grub", tree.read("etc/default/grub") + "# mine\n")
    done = subprocess.run(["/usr/sbin/chroot", tree.root, "/usr/bin/vfio-claim", "undo", "--yes"],
                          capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/bin", "LC_ALL": "C"})
    check(done.returncode == 0, f"undo: {done.returncode} {done.stderr}")
    check(tree.read("etc/default/grub") == before + "# mine\n", tree.read("etc/default/grub"))
    check("iommu" not in tree.read("boot/grub/grub.cfg"), "the menu still has it")


def needs_root(test):
    def wrapped():
        if os.geteuid() != 0:
            raise Failed("it needs root, for chroot")
        test()
    return wrapped


CASES = [(f"readback: {test.__name__.replace('_', '-')}", needs_root(test)) for test in (
    grub_good, grub_forgets_an_entry, grub_keeps_a_word, grub_does_nothing, grub_fails,
    grub_has_no_entries, fedora, pop, systemd_boot, silverblue, proxmox, uki_good,
    uki_lacks_it, uki_hostile, grub_survives_an_edit)]
