# SPDX-License-Identifier: GPL-2.0-or-later
"""The boot loaders of every distribution: which one it is, what is shown, what is edited and
which programs would run."""
import json
import os
import subprocess

from tree import LOADER_INFO, BINARY, Tree, check, loader_info, refuses, there_and_back, words

ADDED = ["intel_iommu=on", "iommu=pt"]
CMDLINE = "root=UUID=1 rw quiet"
RUNNING = f"BOOT_IMAGE=/vmlinuz initrd=\\initrd.img {CMDLINE}\n"
ID = "0123456789abcdef0123456789abcdef"
UEFI = {"sys/firmware/efi/fw_platform_size": "64\n", "proc/cmdline": RUNNING,
        "etc/machine-id": f"{ID}\n"}
GRUB_TEXT = "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"\"\n"


def entry(options, version="6.1", machine=ID):
    return (f"title Linux\nversion {version}\nmachine-id {machine}\n"
            f"linux /linux-{version}\ninitrd /initrd-{version}\noptions {options}\n")


def modules(*versions):
    return {f"usr/lib/modules/{v}/modules.dep": "" for v in versions}


UBUNTU = {**UEFI, "etc/os-release": "NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n",
          "usr/sbin/update-grub": "", "boot/grub/grub.cfg": "", "etc/default/grub": GRUB_TEXT,
          "etc/default/grub.d/init-select.cfg": "# nothing\n"}
DEBIAN = {"proc/cmdline": RUNNING, "sys/firmware/memmap/0/type": "", "boot/grub/grub.cfg": "",
          "etc/os-release": "ID=debian\n", "usr/sbin/update-grub": "",
          "etc/default/grub": GRUB_TEXT}
POP = {**UEFI, "etc/os-release": "ID=pop\nID_LIKE=\"ubuntu debian\"\n",
       "usr/bin/kernelstub": "", "usr/bin/kernel-install": "",
       LOADER_INFO: loader_info("systemd-boot 249.11-0ubuntu3"),
       "boot/efi/loader/loader.conf": "default Pop_OS-current\n",
       "boot/efi/loader/entries/Pop_OS-current.conf":
           "title Pop!_OS\nlinux /EFI/Pop_OS-1/vmlinuz.efi\noptions root=UUID=1 ro quiet\n",
       "etc/kernelstub/configuration": json.dumps(
           {"default": {"kernel_options": ["quiet", "splash"]},
            "user": {"kernel_options": ["quiet", "loglevel=0", "splash"]}})}
FEDORA = {**UEFI, "etc/os-release": "ID=fedora\n", "usr/sbin/grubby": "",
          "usr/bin/kernel-install": "", LOADER_INFO: loader_info("GRUB 2.12"),
          "etc/default/grub": "GRUB_CMDLINE_LINUX=\"rhgb quiet\"\nGRUB_ENABLE_BLSCFG=true\n",
          "boot/grub2/grub.cfg": "blscfg\n",
          "boot/grub2/grubenv": "# GRUB Environment Block\nkernelopts=root=UUID=1 ro rhgb\n####",
          f"boot/loader/entries/{ID}-6.9.conf": entry("$kernelopts quiet $tuned_params", "6.9"),
          f"boot/loader/entries/{ID}-6.10.conf": entry("$kernelopts quiet", "6.10"),
          f"boot/loader/entries/{ID}-0-rescue.conf": entry("root=UUID=1 ro", "0-rescue")}
ARCH_GRUB = {**UEFI, "etc/os-release": "ID=arch\n", "boot/grub/grub.cfg": "",
             "usr/bin/kernel-install": "", "etc/default/grub": GRUB_TEXT}
SUSE = {**UEFI, "etc/os-release": "ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n",
        "boot/grub2/grub.cfg": "", "etc/default/grub": GRUB_TEXT}
PRESET = ("# mkinitcpio preset\nALL_kver=\"/boot/vmlinuz-linux\"\nPRESETS=('default')\n"
          "#default_image=\"/boot/initramfs-linux.img\"\n"
          "default_uki=\"/efi/EFI/Linux/arch-linux.efi\"\n")
ARCH_UKI = {**UEFI, "etc/os-release": "ID=arch\n", "etc/mkinitcpio.d/linux.preset": PRESET,
            "usr/bin/kernel-install": "", "efi/loader/loader.conf": "timeout 3\n",
            LOADER_INFO: loader_info("systemd-boot 257.1-1-arch")}
SYSTEMD_BOOT = {**UEFI, "etc/os-release": "ID=debian\n", "usr/bin/kernel-install": "",
                "usr/sbin/update-grub": "", "etc/default/grub": GRUB_TEXT,
                LOADER_INFO: loader_info("systemd-boot 252.39-1~deb12u1"),
                "boot/vmlinuz-6.1.0-1": "", "etc/kernel/cmdline": CMDLINE + "\n",
                "boot/efi/loader/loader.conf": "timeout 3\n",
                f"boot/efi/loader/entries/{ID}-6.1.0-1.conf": entry(CMDLINE),
                **modules("6.1.0-1", "6.1.0-2", "6.1.0-3"), "usr/lib/modules/gone/kernel": "",
                "usr/lib/modules/6.1.0-2/vmlinuz": ""}
UKIFY = {**UEFI, "etc/os-release": "ID=fedora\n", "usr/bin/kernel-install": "",
         "etc/kernel/install.conf": "layout=uki\nuki_generator=ukify\n",
         **modules("6.14.0-1.fc42", "6.13.9-1.fc42"),
         "usr/lib/modules/6.14.0-1.fc42/vmlinuz": "",
         LOADER_INFO: loader_info("systemd-boot 257.3"), "etc/kernel/cmdline": CMDLINE}
DRACUT_UKI = {**UEFI, "etc/os-release": "ID=void\n", **modules("6.6.1", "6.6.2"),
              "etc/dracut.conf": "# nothing\n",
              "etc/dracut.conf.d/10-uki.conf":
                  "uefi=\"yes\"\nhostonly=\"no\"\nkernel_cmdline=\"root=UUID=1 rw quiet\"\n"}
PROXMOX = {**UEFI, "etc/os-release": "ID=debian\n", "usr/sbin/update-grub": "",
           "usr/sbin/proxmox-boot-tool": "", "etc/kernel/proxmox-boot-uuids": "AAAA-BBBB\n",
           "etc/default/grub": GRUB_TEXT, "boot/grub/grub.cfg": "", "usr/bin/kernel-install": "",
           LOADER_INFO: loader_info("systemd-boot 252"),
           "etc/kernel/cmdline": "root=ZFS=rpool/ROOT/pve-1 boot=zfs\n"}
PROXMOX_GRUB = {**PROXMOX, LOADER_INFO: loader_info("GRUB 2.12"),
                "etc/default/grub.d/proxmox-ve.cfg":
                    "GRUB_DISTRIBUTOR=\"Proxmox VE\"\nGRUB_DISABLE_OS_PROBER=true\n"}
SILVERBLUE = {**UEFI, "etc/os-release": "ID=fedora\nVARIANT_ID=silverblue\n",
              "usr/bin/rpm-ostree": "", "run/ostree-booted": "", "usr/sbin/grubby": "",
              LOADER_INFO: loader_info("GRUB 2.06"), "etc/default/grub": GRUB_TEXT,
              "boot/loader/entries/ostree-1.conf": entry("old=1 ostree=/o/1", "9"),
              "boot/loader/entries/ostree-2.conf": entry("quiet ostree=/o/2", "10")}
REFIND_TEXT = ("# made by mkrlconf\n"
               "\"Boot with standard options\"  \"ro root=UUID=1 quiet\"\n"
               "\"Boot to single-user mode\"    \"ro root=UUID=1 single\" # last\n")
REFIND = {**UEFI, "etc/os-release": "ID=arch\n", "boot/refind_linux.conf": REFIND_TEXT,
          LOADER_INFO: loader_info("rEFInd 0.14.2")}
LIMINE_TEXT = """\
timeout: 5
/Arch Linux
    protocol: linux
    path: boot():/vmlinuz-linux
    cmdline: root=UUID=1 rw quiet
    module_path: boot():/initramfs-linux.img
/+Older
//Arch Linux (fallback)
    protocol: linux
    kernel_path: boot():/vmlinuz-linux
    KERNEL_CMDLINE: root=UUID=1 rw
/Windows
    protocol: efi
    path: boot():/EFI/Microsoft/Boot/bootmgfw.efi
    cmdline: x
"""
LIMINE = {**UEFI, "etc/os-release": "ID=arch\n", "boot/limine.conf": LIMINE_TEXT}


class Machine:
    def __init__(self, files, loader, shown, edited, programs):
        self.files, self.loader = files, loader
        self.shown, self.edited, self.programs = shown.split(), edited, programs

    def shows(self):
        said = Tree(self.files).json("show")
        check(said["loader"] == self.loader, f"it is {said['loader']}: {said['evidence']}")
        found = [w["word"] for w in said["arguments"]]
        check(found == self.shown, f"it shows {found}, not {self.shown}")
        running = words(RUNNING)
        for w in said["arguments"]:
            check(w["running"] == (w["word"] in running), f"running: {w}")

    def plans(self):
        tree = Tree(self.files)
        before = tree.snapshot()
        said = tree.json("add", *ADDED, "--dry-run")
        check(tree.snapshot() == before, "a dry run has changed a file")
        check(said["outcome"] == "planned" and said["programs"] == self.programs,
              f"it would run {said['programs']}")
        check([f["path"] for f in said["files"]] == self.edited, f"files: {said['files']}")

    def comes_back(self):
        there_and_back(Tree(self.files), ADDED)


GRUB_CFG = [["grub-mkconfig", "-o", "/boot/grub/grub.cfg"]]
OURS = ["/etc/default/grub.d/90-vfio-claim.cfg"]
BOTH = " ".join(ADDED)
MACHINES = {
    "ubuntu": Machine(UBUNTU, "grub-drop-in", "quiet", OURS, [["update-grub"]]),
    "debian-bios": Machine(DEBIAN, "grub-drop-in", "quiet", OURS, [["update-grub"]]),
    "pop": Machine(POP, "kernelstub", "quiet loglevel=0 splash", [],
                   [["kernelstub", "-a", BOTH]]),
    "fedora": Machine(FEDORA, "grubby", "root=UUID=1 ro rhgb quiet", [],
                      [["grubby", "--update-kernel=ALL", f"--args={BOTH}"]]),
    "arch-grub": Machine(ARCH_GRUB, "grub-default", "quiet", ["/etc/default/grub"], GRUB_CFG),
    "opensuse": Machine(SUSE, "grub-default", "quiet", ["/etc/default/grub"],
                        [["grub2-mkconfig", "-o", "/boot/grub2/grub.cfg"]]),
    "arch-uki": Machine({**ARCH_UKI, "etc/kernel/cmdline": CMDLINE + "\n"}, "uki-mkinitcpio",
                        CMDLINE, ["/etc/kernel/cmdline"], [["mkinitcpio", "-P"]]),
    "arch-uki-folder": Machine(
        {**ARCH_UKI, "etc/cmdline.d/root.conf": "# the root\nroot=UUID=1 rw\n",
         "etc/cmdline.d/95-quiet.conf": "quiet"},
        "uki-mkinitcpio", "quiet root=UUID=1 rw", ["/etc/cmdline.d/90-vfio-claim.conf"],
        [["mkinitcpio", "-P"]]),
    "systemd-boot": Machine(
        SYSTEMD_BOOT, "kernel-cmdline", CMDLINE, ["/etc/kernel/cmdline"],
        [["kernel-install", "add", "6.1.0-1", "/boot/vmlinuz-6.1.0-1"],
         ["kernel-install", "add", "6.1.0-2", "/usr/lib/modules/6.1.0-2/vmlinuz"]]),
    "ukify": Machine(UKIFY, "kernel-cmdline", CMDLINE, ["/etc/kernel/cmdline"],
                     [["kernel-install", "add", "6.14.0-1.fc42",
                       "/usr/lib/modules/6.14.0-1.fc42/vmlinuz"]]),
    "dracut-uki": Machine(
        DRACUT_UKI, "uki-dracut", CMDLINE, ["/etc/dracut.conf.d/90-vfio-claim.conf"],
        [["dracut", "-f", "--uefi", "--kver", v] for v in ("6.6.1", "6.6.2")]),
    "proxmox": Machine(PROXMOX, "proxmox", "root=ZFS=rpool/ROOT/pve-1 boot=zfs",
                       ["/etc/kernel/cmdline"], [["proxmox-boot-tool", "refresh"]]),
    "proxmox-grub": Machine(PROXMOX_GRUB, "grub-drop-in", "quiet", OURS, [["update-grub"]]),
    "silverblue": Machine(SILVERBLUE, "rpm-ostree", "quiet ostree=/o/2", [],
                          [["rpm-ostree", "kargs",
                            *(f"--append-if-missing={w}" for w in ADDED)]]),
    "refind": Machine(REFIND, "refind", "ro root=UUID=1 quiet", ["/boot/refind_linux.conf"], []),
    "limine": Machine(LIMINE, "limine", CMDLINE, ["/boot/limine.conf"], []),
}


def pop_does_it():
    """The plan compares sets: in another order nothing is left to do."""
    config = {"user": {"kernel_options": ["iommu=pt", "quiet", "intel_iommu=on"]}}
    tree = Tree({**POP, "etc/kernelstub/configuration": json.dumps(config)})
    check(tree.json("add", *ADDED)["outcome"] == "unchanged", "it would do it again")
    said = tree.json("remove", "iommu=pt", "nothing")
    check(said["programs"] == [["kernelstub", "-d", "iommu=pt"]], f"{said['programs']}")
    old = Tree({**POP, "etc/kernelstub/configuration":
                json.dumps({"user": {"kernel_options": "quiet splash"}})})
    check(old.shown() == ["quiet", "splash"], f"{old.shown()}")
    for text in ("", "{", "[]", '{"user": 3}', '{"user": {"kernel_options": {}}}'):
        tree = Tree({**POP, "etc/kernelstub/configuration": text})
        refuses(tree, "add", *ADDED, say=("/etc/kernelstub/configuration",))


def fedora_does_it():
    tree = Tree(FEDORA)
    said = tree.json("remove", "rhgb", "quiet")
    check(said["programs"] == [["grubby", "--update-kernel=ALL", "--remove-args=rhgb quiet"]] or
          said["programs"] == [["grubby", "--update-kernel=ALL", "--remove-args=quiet rhgb"]],
          f"{said['programs']}")
    # one entry lacks it: it is not there
    tree.write(f"boot/loader/entries/{ID}-6.10.conf", entry("$kernelopts " + BOTH, "6.10"))
    check(tree.json("add", *ADDED)["outcome"] == "changed", "it is content with one entry")


def grubby_takes_no_more():
    """It replaces KEY=OLD, and takes KEY=... out for KEY."""
    tree = Tree(FEDORA)
    tree.write(f"boot/loader/entries/{ID}-6.10.conf",
               entry("$kernelopts console=tty0 iommu iommu=pt", "6.10"))
    refuses(tree, "add", "console=ttyS0", say=("console=tty0", "console=ttyS0"))
    refuses(tree, "remove", "iommu", say=("iommu=pt",))
    tree.run("remove", "iommu=pt")


def ostree_goes_both_ways():
    said = Tree(SILVERBLUE).json("remove", "quiet", "old=1")
    check(said["programs"] == [["rpm-ostree", "kargs", "--delete-if-present=quiet"]],
          f"{said['programs']}")


def dracut_seeds():
    """An empty kernel_cmdline means what the kernel runs with: it must not get lost."""
    files = {**DRACUT_UKI, "etc/dracut.conf.d/10-uki.conf": "uefi=yes\n"}
    tree = Tree(files)
    check(tree.shown() == words(CMDLINE), f"{tree.shown()}")
    there_and_back(tree, ADDED)
    tree.run("add", "iommu=pt")
    check(tree.shown() == words(CMDLINE) + ["iommu=pt"], f"{tree.shown()}")
    tree.run("add", "nosmt")
    tree.run("remove", "iommu=pt")
    check(tree.shown() == words(CMDLINE) + ["nosmt"], f"{tree.shown()}")


def dracut_later_file():
    tree = Tree({**DRACUT_UKI, "etc/dracut.conf.d/99-z.conf": "kernel_cmdline=\"mine\"\n"})
    refuses(tree, "add", *ADDED, say=("99-z.conf:1", "iommu=pt"))
    tree = Tree(DRACUT_UKI)
    tree.run("remove", "quiet")
    check(tree.shown() == ["root=UUID=1", "rw"], f"{tree.shown()}")


def kernel_cmdline_refused():
    long_file = "".join(f"# line {i}\nword{i}=1\n" for i in range(18)) + CMDLINE + "\n"
    for files in (SYSTEMD_BOOT, PROXMOX, ARCH_UKI):
        for text, say in ((long_file, ":1: there are comments"),
                          ("root=a\nrw\n", ":2: only its first line counts" if files is PROXMOX
                           else ":2: there are several lines"),
                          ("root=@ROOT_UUID@ rw\n", ":1: it is a template"),
                          ("root={{ root }} rw\n", ":1: it is a template"),
                          ("root=${ROOT} rw\n", ":1: it is a template"),
                          ("root=a\r\n", ":1: lines end"),
                          ("root=a -- quiet\n", "--"), (b"root=a\0\n", "NUL")):
            tree = Tree({**files, "etc/kernel/cmdline": text})
            refuses(tree, "add", *ADDED, say=("/etc/kernel/cmdline", say, *ADDED))


def kernel_cmdline_done_already():
    """What would be refused may be right as it is."""
    tree = Tree({**SYSTEMD_BOOT, "etc/kernel/cmdline": f"# mine\nroot=a\n{BOTH}\n"})
    check(tree.json("add", *ADDED)["outcome"] == "unchanged", "it is there")
    tree = Tree({**SYSTEMD_BOOT, "etc/kernel/cmdline": f"root=a\n# {BOTH}\n"})
    refuses(tree, "add", *ADDED, say=("comments",))


def proxmox_has_one_line():
    """proxmox-boot-tool writes all of it behind "options": what is not in line 1 is none."""
    for text, shown, line in ((f"root=a\n{BOTH}\n", ["root=a"], 2), (f"\n{BOTH}\n", [], 2),
                              (f"# mine\nroot=a\n{BOTH}\n", ["#", "mine"], 1),
                              (f"root=a\n\n\n# {BOTH}\n", ["root=a"], 4)):
        tree = Tree({**PROXMOX, "etc/kernel/cmdline": text})
        check(tree.shown() == shown, f"{text!r}: {tree.shown()}")
        refuses(tree, "add", *ADDED, say=(f"/etc/kernel/cmdline:{line}: ", *ADDED))
        check(tree.json("remove", *ADDED)["outcome"] == "unchanged", "it is not there")
    tree = Tree({**PROXMOX, "etc/kernel/cmdline": f"root=a {BOTH}\nrw\n"})
    check(tree.json("add", *ADDED)["outcome"] == "unchanged", "it is there")


def kernel_cmdline_forms():
    forms = (CMDLINE, CMDLINE + "\n", CMDLINE + " \n", CMDLINE + "\n\n", "", "\n", "  " + CMDLINE,
             'a="b c" quiet\n', "rootflags=subvol=@ home=@home\n")
    for text, files in (*((form, PROXMOX) for form in forms),
                        ("\n\n" + CMDLINE + "\n\n", SYSTEMD_BOOT)):
        tree = Tree({**files, "etc/kernel/cmdline": text})
        before = tree.shown()
        there_and_back(tree, ADDED)
        tree.run("add", *ADDED)
        check(tree.shown() == before + ADDED, f"{text!r}: {tree.shown()}")


def kernel_cmdline_seeds():
    files = {k: v for k, v in SYSTEMD_BOOT.items() if k != "etc/kernel/cmdline"}
    tree = Tree(files)
    check(tree.shown() == words(CMDLINE), f"{tree.shown()}")
    tree.run("add", *ADDED)
    check(tree.read("etc/kernel/cmdline") == f"{CMDLINE} {BOTH}\n",
          tree.read("etc/kernel/cmdline"))
    tree = Tree({**files, "usr/lib/kernel/cmdline": "root=vendor\n"})
    tree.run("add", "iommu=pt")
    check(tree.read("etc/kernel/cmdline") == "root=vendor iommu=pt\n", "not the vendor's")


def uki_conf_overrides():
    tree = Tree({**UKIFY, "etc/kernel/uki.conf": "[UKI]\nCmdline=@/etc/mine\n"})
    refuses(tree, "add", *ADDED, say=("/etc/kernel/uki.conf",))


def mkinitcpio_refused():
    tree = Tree({**ARCH_UKI, "etc/mkinitcpio.d/linux.preset":
                 PRESET + "default_options=\"--cmdline /etc/mine\"\n"})
    refuses(tree, "add", *ADDED, say=("linux.preset",))
    tree = Tree({**ARCH_UKI, "etc/kernel/cmdline": CMDLINE, "etc/cmdline.d/a.conf": CMDLINE})
    refuses(tree, "add", *ADDED, say=("/etc/kernel/cmdline", "iommu=pt"))


def mkinitcpio_unclear():
    """Whether it is one of unified images is not known: its preset is what to look at."""
    preset = "etc/mkinitcpio.d/linux.preset"
    for text, reason in ((PRESET + "if true; then x=1; fi\n", f"/{preset}:6: it is more than plain"),
                         (PRESET + "default_uki=$HOME/x\n", f"/{preset}: a value in it")):
        tree = Tree({**ARCH_UKI, preset: text})
        for arguments in (("show",), ("add", *ADDED)):
            refuses(tree, *arguments, say=(reason, "the firmware started systemd-boot", "mend that"))
            said = tree.run(*arguments, status=1).stderr
            check("that vfio-claim knows" not in said, said)


def mkinitcpio_folder_removes():
    tree = Tree({**ARCH_UKI, "etc/cmdline.d/a.conf": "# quiet\nroot=a quiet\nrw quiet\n"})
    tree.run("remove", "quiet")
    check(tree.read("etc/cmdline.d/a.conf") == "# quiet\nroot=a\nrw\n",
          tree.read("etc/cmdline.d/a.conf"))


def refind_lines():
    tree = Tree(REFIND)
    tree.run("add", *ADDED)
    check(tree.read("boot/refind_linux.conf") ==
          REFIND_TEXT.replace("quiet\"", f"quiet {BOTH}\"").replace("single\"",
                                                                     f"single {BOTH}\""),
          tree.read("boot/refind_linux.conf"))
    for line in ("\"title\" words\n", "title \"words\"\n", "\"a\" \"b\" \"c\"\n",
                 "\"a\" \"b \"\"c\"\" d\"\n", "\"a\" \"b\n", "\"a\"\n", "\"a\" \"b\" c\n"):
        tree = Tree({**REFIND, "boot/refind_linux.conf": REFIND_TEXT + line})
        refuses(tree, "add", *ADDED, say=("/boot/refind_linux.conf:4", "iommu=pt"))
    refuses(Tree(REFIND), "add", 'a="b c"')


def limine_entries():
    tree = Tree(LIMINE)
    tree.run("add", *ADDED)
    check(tree.read("boot/limine.conf") ==
          LIMINE_TEXT.replace("rw quiet\n", f"rw quiet {BOTH}\n").replace(
              "rw\n", f"rw {BOTH}\n"), tree.read("boot/limine.conf"))
    tree = Tree({**LIMINE, "boot/limine.conf": LIMINE_TEXT +
                 "/Bare\n    protocol: linux\n    path: boot():/x\n"})
    refuses(tree, "add", *ADDED, say=("/boot/limine.conf:16", "iommu=pt"))
    tree = Tree({**LIMINE, "etc/default/limine": "KERNEL_CMDLINE[default]=\"quiet\"\n"})
    refuses(tree, "add", *ADDED, say=("/etc/default/limine", "limine-update"))
    tree = Tree({**LIMINE, "boot/limine.conf": "/A\n protocol: linux\n cmdline:"})
    there_and_back(tree, ADDED)
    for place in ("boot/limine/limine.conf", "boot/EFI/BOOT/limine.conf",
                  "efi/EFI/limine/limine.conf"):
        files = {k: v for k, v in LIMINE.items() if k != "boot/limine.conf"}
        tree = Tree({**files, place: LIMINE_TEXT})
        check(tree.shown() == words(CMDLINE), place)


def expect_loader(files, loader, say=()):
    tree = Tree(files)
    if loader:
        found = tree.json("show")["loader"]
        check(found == loader, f"it is {found}, not {loader}")
        return
    refuses(tree, "show", say=say)
    refuses(tree, "add", *ADDED, say=say)


def the_one_that_booted():
    """Two are installed; LoaderInfo says which one it was."""
    both = {**SYSTEMD_BOOT, "boot/grub/grub.cfg": ""}
    expect_loader({**both, LOADER_INFO: loader_info("systemd-boot 252")}, "kernel-cmdline")
    expect_loader({**both, LOADER_INFO: loader_info("GRUB 2.12")}, "grub-drop-in")
    silent = {k: v for k, v in both.items() if k != LOADER_INFO}
    expect_loader(silent, None, ("equally likely", "/etc/default/grub", "loader/entries"))
    bios = {k: v for k, v in silent.items() if not k.startswith("sys/")}
    expect_loader({**bios, "sys/firmware/memmap/0/type": ""}, "grub-drop-in")
    expect_loader({**REFIND, **ARCH_GRUB}, "refind")
    expect_loader({**REFIND, **ARCH_GRUB, LOADER_INFO: loader_info("GRUB 2.12")},
                  "grub-default")
    files = {**REFIND, **ARCH_GRUB}
    del files[LOADER_INFO]
    expect_loader(files, None, ("equally likely",))
    expect_loader({**LIMINE, **UBUNTU}, None, ("equally likely",))
    expect_loader({**ARCH_UKI, **ARCH_GRUB, LOADER_INFO: loader_info("GRUB 2.12")},
                  "grub-default")
    expect_loader({**ARCH_UKI, **ARCH_GRUB}, "uki-mkinitcpio")


def loader_info_is_hostile():
    for raw in (b"", b"\x06", b"\x06\0\0\0", b"\x06\0\0\0s", b"\x06\0\0\0" + b"A" * 250,
                b"\x06\0\0\0" + "\x1b[31m".encode("utf-16-le") * 5,
                b"\x06\0\0\0" + b"\xff" * 4000):
        done = Tree({**UBUNTU, LOADER_INFO: raw}).run("show")
        check("\x1b" not in done.stdout + done.stderr, "an escape sequence came through")


def nothing_is_clear():
    expect_loader({"proc/cmdline": RUNNING}, None, ("no boot loader",))
    by_hand = {**UEFI, "usr/bin/kernel-install": "", "boot/loader/loader.conf": "",
               LOADER_INFO: loader_info("systemd-boot 257"),
               "boot/loader/entries/arch.conf": "title A\nlinux /vmlinuz\noptions root=a\n"}
    expect_loader(by_hand, None, ("systemd-boot 257", "by hand", "options"))
    expect_loader({**UEFI, LOADER_INFO: loader_info("Clover")}, None, ("Clover",))


def usage():
    tree = Tree(UBUNTU)
    before = tree.snapshot()
    for word in ("", "a b", "a\nb", "a\tb", "a\x7fb", "a\x1b", 'a="b', " a", "a ", 'a"b c'):
        done = tree.run("add", "good=1", word, status=2)
        check("--help" in done.stderr and not done.stdout, f"{word!r}: {done.stderr}")
    for words_ in ((), ("shwo",), ("show", "x"), ("add",), ("remove",)):
        tree.run(*words_, status=2)
    check(tree.snapshot() == before, "a file has changed")
    tree.run("--nothing", status=2)


def hostile_names_are_cleaned():
    tree = Tree({**UBUNTU, "proc/cmdline": "a\x1b[31m\n",
                 "etc/default/grub": "GRUB_CMDLINE_LINUX=\"a\x1b[31mb\"\n"})
    for args in (("show",), ("add", "x=1", "--dry-run")):
        done = tree.run(*args)
        check("\x1b" not in done.stdout + done.stderr, f"{args}: an escape sequence")


def not_root():
    if os.geteuid() != 0:
        return
    with open(BINARY, "rb") as binary:
        # not by its path, which others need not be allowed to walk
        done = subprocess.run(["vfio-claim", "args", "add", "x=1"], user=65534, group=65534,
                              executable=f"/proc/self/fd/{binary.fileno()}",
                              pass_fds=(binary.fileno(),), capture_output=True, text=True,
                              check=False, cwd="/")
    check(done.returncode == 1 and "root" in done.stderr and not done.stdout,
          f"{done.returncode}: {done.stderr}")


def cases():
    found = []
    for name, machine in MACHINES.items():
        found.append((f"{name}: show", machine.shows))
        found.append((f"{name}: add --dry-run", machine.plans))
        if machine.edited:
            found.append((f"{name}: add, remove", machine.comes_back))
    for test in (pop_does_it, fedora_does_it, grubby_takes_no_more, ostree_goes_both_ways,
                 dracut_seeds, dracut_later_file, kernel_cmdline_refused,
                 proxmox_has_one_line, kernel_cmdline_done_already, kernel_cmdline_forms,
                 kernel_cmdline_seeds,
                 uki_conf_overrides, mkinitcpio_refused, mkinitcpio_unclear,
                 mkinitcpio_folder_removes, refind_lines, limine_entries, the_one_that_booted, loader_info_is_hostile,
                 nothing_is_clear, usage, hostile_names_are_cleaned, not_root):
        found.append((f"loaders: {test.__name__.replace('_', '-')}", test))
    return found


CASES = cases()
