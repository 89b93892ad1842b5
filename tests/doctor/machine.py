# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine with nothing to complain of: a captured desktop with the files that doctor reads.

`files` are those that a case changes: text or bytes, None to leave one out, Link(target) for a
link, DIR for a folder, FIFO for a pipe, (text, mode) for another mode."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.append(f"{TOP}/tests/roots")      # its cases are not ours
from tree import Machine  # noqa: E402 pylint: disable=wrong-import-position

BUILD = f"{TOP}/build/doctor"
OLD, NEW = "6.1.0-9-test", "6.1.0-10-test"      # NEW runs
CARD = [f"0000:01:00.{i}" for i in range(4)]
EFI = "sys/firmware/efi/efivars"
SECURE_BOOT = f"{EFI}/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
ECAP = "sys/class/iommu/{}/intel-iommu/ecap"
CONF = "etc/vfio-claim.conf"
OUTSIDE = f"{BUILD}/outside.bin"       # an index that is not below the root
DIR, FIFO = object(), object()


class Link(str):
    """What a symbolic link says."""


def kernel_index(release, modules, builtin=()):
    """{path: content} of lib/modules/RELEASE as depmod writes it."""
    root = f"{BUILD}/depmod"
    shutil.rmtree(root, ignore_errors=True)
    folder = f"{root}/lib/modules/{release}"
    for module in modules:
        name = os.path.basename(module)[:-3]
        os.makedirs(os.path.dirname(f"{folder}/{module}"), exist_ok=True)
        source = (f'static const char info[] __attribute__((section(".modinfo"), used)) = '
                  f'"name={name.replace("-", "_")}\\0license=GPL";\n')
        subprocess.run(["cc", "-x", "c", "-c", "-o", f"{folder}/{module}", "-"], check=True,
                       input=source, text=True)
    os.makedirs(folder, exist_ok=True)
    for name, lines in (("order", modules), ("builtin", builtin)):
        with open(f"{folder}/modules.{name}", "w", encoding="utf-8") as out:
            out.write("".join(f"{line}\n" for line in lines))
    with open(f"{folder}/modules.builtin.modinfo", "wb") as out:
        for path in builtin:
            name = os.path.basename(path)[:-3].replace("-", "_").encode()
            out.write(name + b".license=GPL\0" + name + b".file=" + path[:-3].encode() + b"\0")
    subprocess.run(["depmod", "-b", root, release], check=True)
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as data:
                found[os.path.relpath(path, root)] = data.read()
    return found


PCI, TYPE1 = "kernel/drivers/vfio/pci/vfio-pci.ko", "kernel/drivers/vfio/vfio_iommu_type1.ko"
VIRQFD = "kernel/drivers/vfio/vfio_virqfd.ko"


def good_files():
    files = {
        "proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\n"
                        "flags\t\t: fpu vme vmx nx\nbugs\t\t:\n\n" * 2,
        "proc/cmdline": "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet intel_iommu=on\n",
        "proc/sys/kernel/osrelease": f"{NEW}\n",
        "sys/firmware/acpi/tables/DMAR": b"DMAR\0\0\0\0",
        "sys/module/kvm_intel/initstate": "live\n",
        "sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts": "N\n",
        "sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
        SECURE_BOOT: b"\x06\0\0\0\0",
        f"boot/config-{NEW}": "CONFIG_INTEL_IOMMU=y\n"
                              "# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n",
        "usr/sbin/update-initramfs": "", "usr/sbin/mkinitramfs": "",
        f"boot/vmlinuz-{OLD}": "", f"boot/vmlinuz-{NEW}": "",
        EARLY: b"\x7fELF, more or less",
        "etc/os-release": 'NAME="Debian"\nID=debian\n',
        "dev/kvm": ("", 0o660),
        "dev/vfio/vfio": ("", 0o666),
        "usr/bin/qemu-system-x86_64": "",
        "usr/share/OVMF/OVMF_CODE_4M.fd": "",
        "usr/sbin/libvirtd": "",
        "run/libvirt/libvirt-sock": "",
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n",
        "etc/group": "root:x:0:\nkvm:x:104:alice\nlibvirt:x:105:bob,alice\nalice:x:1000:\n",
        "etc/default/grub": "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n"
                            "# amd_iommu=on pcie_acs_override=downstream\n",
        "etc/modprobe.d/fine.conf": "# blacklist nouveau\nblacklist pcspkr\n"
                                    "options snd_hda_intel power_save=1\n",
        "usr/lib/modprobe.d/fbdev-blacklist.conf": "blacklist nvidiafb\nblacklist radeonfb\n",
        "etc/modules": "# vfio_virqfd\nloop\n",
        "etc/udev/rules.d/70-net.rules": 'ACTION=="add", NAME="lan0"\n',
        "etc/initramfs-tools/scripts/init-top/mine": "#!/bin/sh\n# driver_override\ntrue\n",
    }
    for name in ("dmar0", "dmar1"):
        files[ECAP.format(name)] = "f020df\n"
    for release in (OLD, NEW):
        files.update(kernel_index(release, [PCI, TYPE1, VIRQFD]))
    put(OUTSIDE, files[f"lib/modules/{NEW}/modules.dep.bin"])
    return files


SCRIPTS = ("init-top", "local-top", "nfs-top", "init-bottom")
EARLY = "usr/lib/vfio-claim/vfio-claim-early"


def cpio(files):
    """An image: {path: content}, in the format of the kernel's buffer-format.rst."""
    out = b""
    for number, (path, content) in enumerate([*files.items(), ("TRAILER!!!", b"")], 1):
        name = path.encode() + b"\0"
        head = "070701" + "".join(f"{value:08x}" for value in (
            number, 0o100755, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0))
        out += head.encode() + name + b"\0" * (-(110 + len(name)) % 4)
        out += content + b"\0" * (-len(content) % 4)
    return out


def image(files, conf, release):
    """What update-initramfs would make of them."""
    inside = {path: content for path, content in files.items()
              if path.startswith(f"lib/modules/{release}/") and isinstance(content, bytes)}
    for stage in SCRIPTS:
        inside[f"scripts/{stage}/00-vfio-claim"] = b"#!/bin/sh\n"
        inside[f"scripts/{stage}/ORDER"] = (f'/scripts/{stage}/00-vfio-claim "$@"\n'
                                            f'/scripts/{stage}/udev "$@"\n').encode()
    inside[EARLY] = files[EARLY]
    inside[CONF] = conf.encode()
    return cpio(inside)


class Tree:
    """The good machine; a case changes `machine` and `files`, then it is written."""
    good = None

    def __init__(self, name="desktop"):
        if Tree.good is None:
            Tree.good = good_files()
        self.machine, self.files = Machine(name), dict(Tree.good)
        self.host = "require-display = yes"
        self.claims = {"gaming": CARD}

    def claim(self, *addresses):
        self.claims = {"gaming": addresses} if addresses else {}

    def no_iommu(self):
        self.machine.no_iommu()
        for name in ("dmar0", "dmar1"):
            self.files.pop(ECAP.format(name), None)

    def configuration(self):
        text = f"[host]\n{self.host}\n"
        for name, addresses in self.claims.items():
            text += f"\n[claim {name}]\n"
            text += "".join(self.machine.get(a).line() + "\n" for a in addresses)
        return text

    def write(self, root):
        shutil.rmtree(root, ignore_errors=True)
        if CONF not in self.files:
            self.files[CONF] = (self.configuration(), 0o644)
        for release in (OLD, NEW) if isinstance(self.files[CONF], tuple) else ():
            self.files.setdefault(f"boot/initrd.img-{release}",
                                  image(self.files, self.files[CONF][0], release))
        self.machine.write(root)
        for path, content in self.files.items():
            put(f"{root}/{path}", content)


def put(path, content):
    content, mode = content if isinstance(content, tuple) else (content, 0o644)
    if content is None:
        return
    if os.path.lexists(path):
        os.unlink(path)
    if content is DIR:
        os.makedirs(path)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if content is FIFO:
        os.mkfifo(path)
    elif isinstance(content, Link):
        os.symlink(content, path)
    else:
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
