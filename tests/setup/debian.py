# SPDX-License-Identifier: GPL-2.0-or-later
"""A Debian root as its installer leaves it, in which setup and undo run."""

import hashlib
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [f"{TOP}/tests/{room}" for room in ("lib", "boot", "loader", "roots")]

# pylint: disable=wrong-import-position
from boots import GPU, boot
from cases import Failed, equal, must, run, stopping
from disk import grub_disk, systemd_boot_disk
from machine import KERNEL
from quick_kernel import ARGUMENT
from tree import Machine

BUILD = f"{TOP}/build/setup"
CARD = "0000:01:00.0"
CMDLINE = f"console=ttyS0 quiet {KERNEL} {ARGUMENT}"
LOADER_INFO = "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
# What setup may change, and undo must put back.
KEPT = ("etc", "boot/grub/grub.cfg", "efi/loader", "usr/lib/vfio-claim", "var/lib/vfio-claim")
# In a mount name space of its own: the emulated machine's sysfs.
INSIDE = 'mount --bind "$1" "$2/sys" && mount -t proc none "$2/proc" && shift && exec chroot "$@"'
# systemd's own: /efi is no file system of its own there.
ESP = ("SYSTEMD_ESP_PATH=/efi", "SYSTEMD_RELAX_ESP_CHECKS=1")


class Stock:
    """A Debian root as its installer leaves it, with vfio-claim installed and not set up.
    `inside`: setup is to run in the machine itself; its images then do not end in the
    initramfs."""

    cached, stage = {}, None

    @staticmethod
    def prepare(systems):
        Stock.cached = {system: must("tests/setup/root", *system) for system in systems}
        Stock.stage = must("tests/lib/staged")

    def __init__(self, case, system, loader, inside=False):
        self.folder = f"{BUILD}/{case}"
        self.path = f"{self.folder}/root"
        self.loader, self.cmdline = loader, CMDLINE
        self.dracut = system[1] == "dracut"
        must("cp", "-a", "--reflink=auto", Stock.cached[system], self.path)
        must("cp", "-a", "--no-preserve=ownership", f"{Stock.stage}/.", self.path)
        if self.dracut:
            self.write_dracut()
        else:
            must("cp", "-a", "--no-preserve=ownership", f"{TOP}/tests/boot/initramfs/.",
                 f"{self.path}/etc/initramfs-tools/")
            self.write("etc/initramfs-tools/conf.d/quick", "COMPRESSLEVEL=1\n")
        must("install", "-D", f"{TOP}/tests/lib/facts.sh", f"{self.path}/usr/lib/test/facts.sh")
        if inside:
            self.cmdline += " init=/usr/lib/test/turn"
            must("rm", "-r", f"{self.path}/etc/initramfs-tools/scripts/init-premount/judge")
            must("install", f"{HERE}/turn", f"{self.path}/usr/lib/test/turn")
            self.write("etc/initramfs-tools/modules", "virtio_pci\nvirtio_blk\next4\n")
            self.write("etc/fstab", "/dev/vda2 / ext4 defaults 0 1\n"
                       "/dev/vda1 /boot/efi vfat umask=077 0 1\n")
            os.makedirs(f"{self.path}/boot/efi")
            os.rename(f"{self.path}/usr/sbin/grub-probe.real",
                      f"{self.path}/usr/sbin/grub-probe")
        self.release = os.listdir(f"{self.path}/usr/lib/modules")[0]
        self.machine()
        if loader == "grub":
            os.makedirs(f"{self.path}/boot/grub")
            self.write("etc/default/grub", "GRUB_DEFAULT=0\nGRUB_TIMEOUT=0\n"
                       "GRUB_DISTRIBUTOR=Debian\n"
                       f'GRUB_CMDLINE_LINUX_DEFAULT="{self.cmdline}"\nGRUB_CMDLINE_LINUX=""\n')
        else:
            # Debian has one loader's packages or the other's
            for path in ("etc/default/grub", "usr/sbin/update-grub", "etc/grub.d"):
                must("rm", "-rf", f"{self.path}/{path}")
            self.write("etc/kernel/install.conf", "layout=bls\nBOOT_ROOT=/efi\n")
            self.write("etc/kernel/entry-token", "debian\n")
            self.write("etc/kernel/cmdline", f"root=/dev/vda2 ro {self.cmdline}\n")
            self.write("efi/loader/loader.conf", "timeout 0\n")
            os.makedirs(f"{self.path}/efi/loader/entries")
            # as bootctl has put it there
            must("install", "-D", f"{self.path}/usr/lib/systemd/boot/efi/systemd-bootx64.efi",
                 f"{self.path}/efi/EFI/systemd/systemd-bootx64.efi")
        self.must(*self.build())
        if not inside:
            self.must(*self.menu())

    def write_dracut(self):
        """Its configuration, and the module that judges."""
        modules = f"{self.path}/usr/lib/dracut/modules.d"
        must("cp", "-a", "--no-preserve=ownership", f"{TOP}/tests/boot/dracut",
             f"{modules}/99test")
        must("install", "-Dm644", f"{TOP}/tests/lib/dracut.conf",
             f"{self.path}/etc/dracut.conf.d/small.conf")
        self.write("etc/dracut.conf.d/disk.conf", 'omit_dracutmodules+=" kernel-modules "\n')

    def build(self):
        if self.dracut:
            return ["dracut", "--force", f"/boot/initrd.img-{self.release}", self.release]
        return ["update-initramfs", "-c", "-k", self.release]

    def menu(self):
        return ["update-grub"] if self.loader == "grub" else \
            ["kernel-install", "add", self.release, f"/boot/vmlinuz-{self.release}"]

    def machine(self):
        """The sysfs that the root sees."""
        machine = Machine("qemu")
        if self.loader != "grub":
            text = "systemd-boot 252\0".encode("utf-16-le")
            machine.files[f"sys/firmware/efi/efivars/{LOADER_INFO}"] = b"\6\0\0\0" + text
        machine.write(f"{self.folder}/machine")
        shutil.rmtree(f"{self.folder}/machine/sys/module")

    def write(self, path, text):
        os.makedirs(os.path.dirname(f"{self.path}/{path}"), exist_ok=True)
        with open(f"{self.path}/{path}", "w", encoding="utf-8") as out:
            out.write(text)

    def read(self, path):
        with open(f"{self.path}/{path}", encoding="utf-8") as text:
            return text.read()

    def run(self, *command):
        done = run("env", *ESP, "unshare", "--mount", "sh", "-c", INSIDE, "sh",
                   f"{self.folder}/machine/sys", self.path, *command)
        with open(f"{self.folder}/said", "a", encoding="utf-8") as out:
            out.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}"
                      f"[{done.returncode}]\n\n")
        return done

    def must(self, *command):
        done = self.run(*command)
        if done.returncode:
            raise Failed(f"{' '.join(command)}: status {done.returncode}: "
                         f"{done.stderr.strip()[-400:]}")
        return done.stdout

    def kept(self):
        """Path -> kind, mode, owner and content of all that undo must put back."""
        found = {}
        for top in KEPT:
            for folder, folders, files in os.walk(f"{self.path}/{top}"):
                for name in [*folders, *files]:
                    found |= self._entry(os.path.join(folder, name))
            if os.path.lexists(f"{self.path}/{top}"):
                found |= self._entry(f"{self.path}/{top}")
        return found

    def _entry(self, path):
        stat = os.lstat(path)
        content = ""
        if os.path.islink(path):
            content = os.readlink(path)
        elif os.path.isfile(path):
            with open(path, "rb") as data:
                content = hashlib.sha256(data.read()).hexdigest()
        return {path[len(self.path):]: f"{stat.st_mode:o} {stat.st_uid} {stat.st_gid} {content}"}

    def boots(self, firmware):
        """Boots the disk as it would be now, and returns what the machine says."""
        work = f"{self.folder}/disk"
        if self.loader == "grub":
            must("cp", "-a", f"{self.path}/boot", f"{work}.boot")
            text = self.read("boot/grub/grub.cfg")
            with open(f"{work}.boot/grub/grub.cfg", "w", encoding="utf-8") as out:
                out.write(text)
            disk = grub_disk(f"{work}.img", self.path, f"{work}.boot")
        else:
            must("cp", "-a", f"{self.path}/efi", f"{work}.efi")
            # There /efi was no mount point, so the entries say /efi/debian. FAT knows no case.
            os.makedirs(f"{work}.efi/EFI", exist_ok=True)
            os.rename(f"{work}.efi/debian", f"{work}.efi/EFI/debian")
            disk = systemd_boot_disk(f"{work}.img", self.path, f"{work}.efi")
            must("rm", "-rf", f"{work}.efi")
        facts, wrong = boot(self.folder, disk, firmware, [], stopping)
        if wrong or not facts.complete:
            raise Failed(wrong or "the machine did not reach the judge script's end")
        os.unlink(disk.path)
        return facts


def on_card(facts):
    """The boot claimed the card."""
    equal("outcome", (facts.report or {}).get("outcome"), "claimed")
    equal("on vfio-pci", _on_vfio(facts), GPU)
    # Debian's kernels have the IOMMU on by themselves
    equal("arguments", "intel_iommu" in " ".join(facts.sections["cmdline"]), False)


def kept_by_host(facts):
    """The boot was asked for nothing."""
    equal("outcome", (facts.report or {}).get("reason"), "off")
    equal("on vfio-pci", _on_vfio(facts), [])
    equal("the card's driver", facts.functions[facts.at(GPU[0])]["driver"], "bochs-drm")


def on_host(facts):
    """The host has the card, and nothing is left."""
    equal("on vfio-pci after undo", _on_vfio(facts), [])
    equal("the card's driver", facts.functions[facts.at(GPU[0])]["driver"], "bochs-drm")
    equal("report after undo", facts.report, None)
    equal("arguments after undo", "intel_iommu" in " ".join(facts.sections["cmdline"]), False)


def _on_vfio(facts):
    return sorted(function["path"] for function in facts.functions.values()
                  if function["driver"] == "vfio-pci")
