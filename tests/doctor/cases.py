# SPDX-License-Identifier: GPL-2.0-or-later
"""What is changed on the good machine, and what must be said of it: {check: (state, text...)},
each text in the evidence or the mend of one finding; what is not named must be ok."""
import dataclasses
import json
import os

from machine import (CARD, CONF, DIR, ECAP, FIFO, NEW, OLD, OUTSIDE, PCI, SECURE_BOOT, TYPE1, Link,
                     image, kernel_index)


@dataclasses.dataclass
class Case:
    name: str
    change: object                                      # of a Tree
    expect: dict
    without: tuple = ()                                 # texts that no finding may hold
    user: str = "1000"


def put(path, content, *rest):
    """Files: path, content, path, content..."""
    pairs = (path, content, *rest)
    return lambda tree: tree.files.update(zip(pairs[::2], pairs[1::2]))


def drop(*paths):
    return lambda tree: [tree.files.pop(path) for path in paths]


def all_of(*changes):
    def change(tree):
        for step in changes:
            step(tree)
    return change


def cmdline(words):
    return put("proc/cmdline", f"root=/dev/sda1 ro {words}\n")


def no_iommu(tree):
    tree.no_iommu()


def off(*words, **more):
    """The IOMMU is not used: what is said of everything that needs it."""
    return {"kernel-iommu": ("problem", *words), "groups": ("problem", "none"),
            "remapping": ("unknown", "no IOMMU"),
            "next-boot": ("problem", "iommu-inactive", "IOMMU above"), **more}


def settings(said, *more):
    """The claim says them; `more` files of the card's GPU."""
    def change(tree):
        tree.files.update({CONF: (f"{tree.configuration()}{said}\n", 0o644)})
        for path, content in zip(more[::2], more[1::2]):
            tree.files[f"sys/bus/pci/devices/{CARD[0]}/{path}"] = content
    return change


def named(menu):
    """Only an entry of the boot menu claims it; what GRUB's menu has."""
    def change(tree):
        tree.files["boot/grub/grub.cfg"] = menu
        tree.files[CONF] = (tree.configuration() + "boot = named\n", 0o644)
    return change


def no_claim(tree):
    tree.files[CONF] = None


def kernel(release, modules, builtin=()):
    def change(tree):
        for path in [p for p in tree.files if p.startswith(f"lib/modules/{release}/")]:
            del tree.files[path]
        tree.files.update(kernel_index(release, modules, builtin))
    return change


def twin(tree):
    """A second card of the same kind, which nobody claims."""
    other = tree.machine.get("0000:02:00.0")
    first = tree.machine.get(CARD[0])
    other.cls, other.vendor, other.device = first.cls, first.vendor, first.device
    other.subvendor, other.subdevice, other.words = first.subvendor, first.subdevice, []


def both_claimed(tree):
    twin(tree)
    tree.claims = {"gaming": CARD, "more": ["0000:02:00.0"]}


def region(text):
    return put("sys/kernel/iommu_groups/2/reserved_regions", text)


def driver(address, name):
    def change(tree):
        tree.machine.get(address).driver = name
    return change


def modprobe(text):
    return put("etc/modprobe.d/vfio.conf", text)


DMAR = "sys/firmware/acpi/tables/DMAR"
LONG = "x" * (1024 * 1024)
LIST = "proc/cpuinfo"
AMD = "vendor_id\t: AuthenticAMD\nflags\t: fpu {}\n"

HARDWARE = [
    Case("nothing to complain of", lambda tree: None, {}),
    Case("svm", put(LIST, AMD.format("svm")), {}),
    Case("no vmx", put(LIST, "flags\t: fpu vmxoff xsvm\n"),
         {"cpu": ("problem", "/proc/cpuinfo", "set-up")}),
    Case("no svm on AMD", put(LIST, AMD.format("nx")), {"cpu": ("problem", "SVM (AMD-V)")}),
    Case("no vmx in a guest", put(LIST, "flags\t: hypervisor\n"),
         {"cpu": ("problem", "nested")}),
    Case("vmx on another line", put(LIST, "flags\t: fpu\nvmx flags\t: vmx svm\n"),
         {"cpu": ("problem",)}),
    Case("no cpuinfo", drop(LIST), {"cpu": ("unknown", "no such file")}),
    Case("off in the firmware",
         all_of(no_iommu, drop(DMAR), put("sys/firmware/acpi/tables/FACP", "x")),
         off("empty", "firmware", **{"firmware-iommu": ("problem", "off in the firmware", "VT-d",
                                                        "AMD CBS")})),
    Case("no tables", all_of(no_iommu, drop(DMAR)),
         off("empty", **{"firmware-iommu": ("unknown", "/sys/firmware/acpi/tables")})),
    Case("off in the kernel, which does not default to on", all_of(no_iommu, cmdline("quiet")),
         off("off in the kernel", f"/boot/config-{NEW}", "args add intel_iommu=on")),
    Case("off in the kernel, which defaults to on",
         all_of(no_iommu, cmdline("quiet"),
                put(f"boot/config-{NEW}",
                    "CONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n")),
         off("DEFAULT_ON=y", "dmesg"), without=("args add",)),
    Case("off although asked for", no_iommu, off("although intel_iommu=on", "dmesg"),
         without=("args add",)),
    Case("a kernel without VT-d",
         all_of(no_iommu, put(f"boot/config-{NEW}", "# CONFIG_INTEL_IOMMU is not set\n")),
         off("built without", "kernel of the distribution"),
         without=("args add",)),
    Case("a kernel of unknown configuration",
         all_of(no_iommu, cmdline("quiet"), drop(f"boot/config-{NEW}")),
         off("not known", "args add intel_iommu=on")),
    Case("the configuration among the modules",
         all_of(no_iommu, cmdline("quiet"), drop(f"boot/config-{NEW}"),
                put(f"lib/modules/{NEW}/config",
                    "CONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n")),
         off("DEFAULT_ON=y"), without=("args add",)),
    Case("off on AMD", all_of(no_iommu, drop(DMAR), cmdline("quiet"),
                              put("sys/firmware/acpi/tables/IVRS", "x")),
         off("AMD-Vi", "dmesg"), without=("intel_iommu",)),
    Case("AMD's", all_of(drop(DMAR, ECAP.format("dmar0"), ECAP.format("dmar1")),
                         lambda tree: setattr(tree.machine, "iommu", ["ivhd0"])), {}),
    Case("no interrupt remapping", put(ECAP.format("dmar1"), "f020d7\n"),
         {"remapping": ("problem", "dmar1/intel-iommu/ecap", "allow_unsafe_interrupts=1")}),
    Case("no sense in ecap", put(ECAP.format("dmar1"), "zz\n"), {"remapping": ("unknown",)}),
    Case("interrupt remapping switched off", cmdline("intremap=off"),
         {"remapping": ("problem", "/proc/cmdline", "args remove")}),
    Case("unsafe interrupts",
         put("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y\n"),
         {"remapping": ("warning", "allow_unsafe_interrupts is Y")}),
    Case("reserved memory of a display",
         region("0x00000000000e0000 0x00000000000fffff direct\n"
                "0x00000000fee00000 0x00000000feefffff msi\n"),
         {"reserved": ("warning", "0000:01:00.0", "0x00000000000e0000",
                       "/sys/kernel/iommu_groups/2/reserved_regions")}),
    Case("reserved memory that may be given up",
         region("0x00000000000e0000 0x00000000000fffff direct-relaxable\n"), {}),
    Case("reserved memory of another function",
         put("sys/kernel/iommu_groups/3/reserved_regions", "0x0 0xfff direct\n"), {}),
    Case("no-IOMMU mode", put("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n"),
         {"no-iommu": ("problem", "enable_unsafe_noiommu_mode"),
          "next-boot": ("problem", "no-iommu-mode")}),
]

KERNEL = [
    Case("vfio-pci built in", kernel(NEW, [], [PCI, TYPE1]), {}),
    Case("no vfio-pci in the older kernel", kernel(OLD, [TYPE1]),
         {"vfio-modules": ("problem", f"kernel {OLD}: no vfio_pci",
                           f"linux-modules-extra-{OLD}"),
          "images": ("problem", "vfio_pci", "| boot another kernel")}),
    Case("no vfio_iommu_type1", kernel(NEW, [PCI]),
         {"vfio-modules": ("problem", "vfio_iommu_type1"), "images": ("problem", NEW)}),
    Case("the file of vfio-pci is gone", drop(f"lib/modules/{NEW}/{PCI}"),
         {"vfio-modules": ("problem", f"file of vfio_pci is gone from /lib/modules/{NEW}"),
          "images": ("problem", "vfio_pci", f"| update-initramfs -u -k {NEW}")}),
    Case("no index", drop(f"lib/modules/{NEW}/modules.dep.bin"),
         {"vfio-modules": ("unknown", f"depmod {NEW}")}),
    Case("an index that is cut off",
         put(f"lib/modules/{NEW}/modules.dep.bin", bytes.fromhex("b007f457000200012000")),
         {"vfio-modules": ("unknown", f"depmod {NEW}")}),
    Case("an index that leads out",
         put(f"lib/modules/{NEW}/modules.dep.bin", Link(OUTSIDE)),
         {"vfio-modules": ("unknown", f"depmod {NEW}")}),
    Case("an index that is a pipe", put(f"lib/modules/{NEW}/modules.symbols.bin", FIFO),
         {"vfio-modules": ("unknown", f"depmod {NEW}")}),
    Case("Secure Boot", put(SECURE_BOOT, b"\x06\0\0\0\1"), {}),
    Case("Secure Boot, cut off", put(SECURE_BOOT, b"\x06\0"),
         {"secure-boot": ("unknown", "too short")}),
    Case("lockdown", put("sys/kernel/security/lockdown", "none [integrity] confidentiality\n"),
         {}),
    Case("lockdown without sense", put("sys/kernel/security/lockdown", "perhaps\n"),
         {"lockdown": ("unknown", "perhaps")}),
]

GUESTS = [
    Case("no KVM", all_of(drop("dev/kvm"), drop("sys/module/kvm_intel/initstate")),
         {"kvm": ("problem", "modprobe kvm_intel")}),
    Case("KVM without its device", drop("dev/kvm"), {"kvm": ("problem", "modprobe -r kvm_intel")}),
    Case("KVM that leads out", put("dev/kvm", Link("/dev/null")), {"kvm": ("problem",)}),
    Case("no QEMU, Debian", drop("usr/bin/qemu-system-x86_64"),
         {"qemu": ("warning", "apt install qemu-system-x86")}),
    Case("no QEMU, Fedora", all_of(drop("usr/bin/qemu-system-x86_64"),
                                   put("etc/os-release", 'ID="nobara"\nID_LIKE="rhel fedora"\n')),
         {"qemu": ("warning", "dnf install qemu-kvm")}),
    Case("no QEMU, Arch", all_of(drop("usr/bin/qemu-system-x86_64"),
                                 put("etc/os-release", "ID=cachyos\nID_LIKE=arch\n")),
         {"qemu": ("warning", "pacman -S qemu-desktop")}),
    Case("no QEMU, elsewhere", all_of(drop("usr/bin/qemu-system-x86_64"),
                                      put("etc/os-release", "ID=plan9\n")),
         {"qemu": ("warning", "package manager")}),
    Case("QEMU of Red Hat", all_of(drop("usr/bin/qemu-system-x86_64"),
                                   put("usr/libexec/qemu-kvm", "")), {}),
    Case("no OVMF", drop("usr/share/OVMF/OVMF_CODE_4M.fd"),
         {"ovmf": ("warning", "apt install ovmf")}),
    Case("OVMF of Arch", all_of(drop("usr/share/OVMF/OVMF_CODE_4M.fd"),
                                put("usr/share/edk2/x64/OVMF_CODE.4m.fd", "")), {}),
    Case("OVMF of Fedora", all_of(drop("usr/share/OVMF/OVMF_CODE_4M.fd"),
                                  put("usr/share/edk2/ovmf/OVMF_CODE.fd", "")), {}),
    Case("no libvirt", drop("usr/sbin/libvirtd"),
         {"libvirt": ("warning", "apt install libvirt-daemon-system")}),
    Case("libvirt does not run", drop("run/libvirt/libvirt-sock"),
         {"libvirt": ("warning", "systemctl enable --now libvirtd.socket")}),
    Case("a daemon of libvirt's own for QEMU",
         all_of(drop("usr/sbin/libvirtd", "run/libvirt/libvirt-sock"),
                put("usr/sbin/virtqemud", "", "run/libvirt/virtqemud-sock", "")), {}),
    Case("a user in no group", put("etc/group", "kvm:x:104:\nlibvirt:x:105:alicia\n"),
         {"user": ("warning", "alice", "usermod -aG libvirt,kvm alice")}),
    Case("a user not in kvm, but everybody may",
         put("etc/group", "kvm:x:104:\nlibvirt:x:105:alice\n", "dev/kvm", ("", 0o666)), {}),
    Case("a user whose first group it is",
         put("etc/passwd", "alice:x:1000:105::/:/bin/sh\n", "etc/group",
             "kvm:x:104:alice\nlibvirt:x:105:\n"), {}),
    Case("a user from elsewhere", lambda tree: None, {"user": ("unknown", "4711")}, user="4711"),
    Case("root", lambda tree: None, {}, user="0"),
    Case("no sense in SUDO_UID", lambda tree: None, {} if os.getuid() == 0 else
         {"user": ("unknown",)}, user="../x"),
    Case("a VFIO device for everybody", put("dev/vfio/14", ("", 0o666)),
         {"vfio-devices": ("warning", "/dev/vfio/14", "udev")}),
    Case("a VFIO device of iommufd for everybody", put("dev/vfio/devices/vfio0", ("", 0o666)),
         {"vfio-devices": ("warning", "/dev/vfio/devices/vfio0")}),
    Case("a VFIO device for a group", put("dev/vfio/14", ("", 0o660)), {}),
    Case("no VFIO devices", drop("dev/vfio/vfio"), {}),
]

LOADER = "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"


def loader_info(text):
    return put(LOADER, b"\6\0\0\0" + (text + "\0").encode("utf-16-le"))


def old_image(tree):
    """The image was built, then the configuration was changed."""
    tree.files[f"boot/initrd.img-{OLD}"] = image(tree.files, "[host]\n", OLD)


BOOT = [
    Case("systemd-boot booted, GRUB's files are there", loader_info("systemd-boot 252.39"),
         {"boot-loader": ("warning", "systemd-boot 252.39", "by hand")}),
    Case("GRUB booted", loader_info("GRUB 2.12"), {}),
    Case("no boot loader", drop("etc/default/grub"), {"boot-loader": ("warning", "by hand")}),
    Case("no generator", drop("usr/sbin/mkinitramfs"),
         {"initramfs": ("problem", "no generator"), "images": ("unknown",)}),
    Case("a generator that is not supported",
         all_of(drop("usr/sbin/mkinitramfs", "usr/sbin/update-initramfs"),
                put("usr/bin/booster", "")),
         {"initramfs": ("problem", "booster"), "images": ("unknown", "booster")}),
    Case("mkinitcpio that builds nothing",
         all_of(drop("usr/sbin/mkinitramfs", "usr/sbin/update-initramfs"),
                put("usr/bin/mkinitcpio", "")),
         {"initramfs": ("problem", "no preset in /etc/mkinitcpio.d"),
          "images": ("problem", "| mkinitcpio -P")}),
    Case("an image of an older configuration", old_image,
         {"images": ("problem", OLD, CONF, f"| update-initramfs -u -k {OLD}")},
         without=(NEW + ": /boot",)),
    Case("no image", put(f"boot/initrd.img-{NEW}", None),
         {"images": ("problem", f"kernel {NEW}: there is no /boot/initrd.img-{NEW}")}),
    Case("an image that is damaged", put(f"boot/initrd.img-{NEW}", b"\x1f\x8b" + b"x" * 999),
         {"images": ("problem", f"kernel {NEW}", "| update-initramfs -u -k ")}),
    Case("an image that is a folder", put(f"boot/initrd.img-{NEW}", DIR),
         {"images": ("unknown", f"kernel {NEW}")}),
    Case("modules of a kernel that is gone",
         all_of(drop(f"boot/vmlinuz-{OLD}"), put(f"boot/initrd.img-{OLD}", None)), {}),
    Case("nothing configured, and an image with us in it",
         all_of(old_image, no_claim), {"images": ("warning", OLD, "still in it")}),
]

CLAIMS = [
    Case("no configuration", no_claim, {}),
    Case("an error in the configuration", put(CONF, ("[host]\nrequire-display = perhaps\n", 0o644)),
         {"configuration": ("problem", f"/{CONF}:2:")}),
    Case("no claim", lambda tree: tree.claim(), {}),
    Case("others may write it", put(CONF, ("[host]\n", 0o666)),
         {"configuration": ("problem", "writable"),
          "configuration-file": ("problem", "0666", "chmod go-w")}),
    Case("a folder", put(CONF, DIR),
         {"configuration": ("problem",), "configuration-file": ("problem", "no regular file"),
          "images": ("problem",)}),
    Case("a loop", put(CONF, Link("vfio-claim.conf")),
         {"configuration": ("problem",), "configuration-file": ("unknown",),
          "images": ("problem",)}),
    Case("a card that is gone", all_of(
        lambda tree: tree.files.update({CONF: (tree.configuration(), 0o644)}),
        lambda tree: tree.machine.drop(*CARD)),
         {"next-boot": ("problem", "gaming", "device-absent", "vfio-claim setup")}),
    Case("the last display", lambda tree: tree.machine.drop("0000:00:02.0"),
         {"next-boot": ("problem", "last-display", "require-display")}),
    Case("a claim of the boot menu without its entry", named(""),
         {"boot-loader": ("warning", "gaming has boot = named", "setup --entry gaming")}),
    Case("a claim of the boot menu", named("submenu 'x' 'vfio-claim-gaming' {"), {}),
    Case("half a group", lambda tree: tree.claim(*CARD[:2]),
         {"next-boot": ("problem", "group-not-viable", "vfio-claim list")}),
    Case("a size that a BAR can have", settings("rebar = 1:16G", "resource1_resize",
                                                "0000000000007f00\n"), {}),
    Case("a size that it cannot have", settings("rebar = 1:32G", "resource1_resize",
                                                "0000000000007f00\n"),
         {"settings": ("warning", f"{CARD[0]}: rebar = 1:32G: this BAR can have 256M 512M",
                       "Before binding")}),
    Case("a BAR that cannot be resized", settings("rebar = 0:1G"),
         {"settings": ("warning", "this BAR cannot be resized")}),
    Case("a reset method that is not there", settings("reset = flr,pm", "reset_method",
                                                      "flr bus\n"),
         {"settings": ("warning", f"{CARD[0]}: reset = flr,pm: its reset methods are flr bus")}),
    Case("no way to sleep", settings("idle = d3hot"),
         {"settings": ("warning", "no power management capability")}),
    Case("two values where there is one", lambda tree: tree.files.update({CONF: (
        tree.configuration().replace(tree.machine.get(CARD[0]).line(),
                                     tree.machine.get(CARD[0]).line(vga="yes")) + "vga = no\n",
        0o644)}),
         {"settings": ("warning", "one value for all")}),
    Case("no place for a record",
         all_of(drop(SECURE_BOOT), lambda tree: setattr(tree, "host", "record = none")),
         {"next-boot": ("warning", "not counted", "record in vfio-claim.conf(5)")}),
]

GUIDES = [
    Case("nouveau is blacklisted, the card is claimed", modprobe("blacklist nouveau\n"),
         {"modprobe": ("warning", "/etc/modprobe.d/vfio.conf:1: blacklist nouveau",
                       "update-initramfs -u -k all")}, without=("of the host",)),
    Case("nouveau is blacklisted, the host has a card", all_of(twin, modprobe(
        "# x\n\nblacklist nouveau\n")),
         {"modprobe": ("warning", "vfio.conf:3:", "of the host, too: 0000:02:00.0")}),
    Case("nouveau is blacklisted for another driver",
         all_of(twin, driver("0000:02:00.0", "nvidia"), modprobe("blacklist nouveau\n")), {}),
    Case("a driver that runs is blacklisted",
         all_of(twin, driver("0000:02:00.0", "nouveau"), modprobe("blacklist nouveau\n")),
         {"modprobe": ("warning", "too: 0000:02:00.0")}),
    Case("snd_hda_intel is blacklisted", modprobe("blacklist snd-hda-intel\n"),
         {"modprobe": ("warning", "snd_hda_intel", "0000:00:1f.3")}, without=("0000:01:00.1",)),
    Case("xhci is blacklisted", modprobe("blacklist xhci_pci\n"),
         {"modprobe": ("warning", "0000:00:14.0")}),
    Case("install with false", modprobe("install i915 /bin/false\n"),
         {"modprobe": ("warning", "i915", "0000:00:02.0")}),
    Case("alias off", modprobe("alias i915 off\n"), {"modprobe": ("warning", "0000:00:02.0")}),
    Case("install of vfio-pci", modprobe("install vfio-pci /sbin/override.sh\n"),
         {"modprobe": ("warning", "override.sh", "delete that line")}),
    Case("ids of the claimed card", modprobe("options vfio-pci ids=10de:2184\n"),
         {"modprobe": ("warning", "vfio.conf:1:", "0000:01:00.0", "ids")}),
    Case("ids of twins", all_of(twin, modprobe("options vfio_pci disable_vga=1 ids=10DE:2184\n")),
         {"modprobe": ("problem", "no claim names: 0000:02:00.0")}),
    Case("ids of twins that are both claimed",
         all_of(both_claimed, modprobe("options vfio-pci ids=10de:2184\n")),
         {"modprobe": ("problem", "twins: 0000:01:00.0, 0000:02:00.0")}),
    Case("ids of a device of the host", modprobe("options vfio-pci ids=\"8086:a170\"\n"),
         {"modprobe": ("problem", "no claim names: 0000:00:1f.3")}),
    Case("ids with a subsystem", all_of(twin, modprobe(
        "options vfio-pci ids=10de:2184:ffffffff:ffffffff:30000:ffffff,10de:2184:1111:2222\n")),
         {"modprobe": ("problem", "0000:02:00.0")}),
    Case("ids of nothing", modprobe("options vfio-pci ids=1234:5678\n"),
         {"modprobe": ("warning", "matches nothing")}),
    Case("ids that are none", modprobe("options vfio-pci ids=0000:01:00.0\n"),
         {"modprobe": ("warning", "is no id")}),
    Case("a line that is continued", modprobe("options vfio-pci \\\n  ids=8086:a170\n"),
         {"modprobe": ("problem", "vfio.conf:1:", "0000:00:1f.3")}),
    Case("a soft dependency", modprobe("softdep nouveau pre: vfio-pci\n"),
         {"modprobe": ("warning", "softdep", "not needed")}),
    Case("unsafe options", modprobe("options vfio enable_unsafe_noiommu_mode=1\n"),
         {"modprobe": ("problem", "all memory")}),
    Case("unsafe interrupts by an option",
         modprobe("options vfio_iommu_type1 allow_unsafe_interrupts=1\n"),
         {"modprobe": ("warning", "interrupts into the host")}),
    Case("a file that is hidden", put("usr/lib/modprobe.d/x.conf", "blacklist i915\n",
                                      "etc/modprobe.d/x.conf", ""), {}),
    Case("a file of a package", put("usr/lib/modprobe.d/x.conf", "blacklist i915\n"),
         {"modprobe": ("warning", "/usr/lib/modprobe.d/x.conf:1:")}),
    Case("a file of another name", put("etc/modprobe.d/vfio.conf.bak", "blacklist i915\n"), {}),
    Case("vfio_virqfd, which the kernels have", put("etc/modules", "loop\nvfio_virqfd\n"),
         {"module-lists": ("warning", "/etc/modules:2:", "no newer kernel")}),
    Case("vfio_virqfd, which a kernel lacks",
         all_of(kernel(NEW, [PCI, TYPE1]), put("etc/initramfs-tools/modules", "vfio-virqfd\n")),
         {"module-lists": ("warning", "initramfs-tools/modules:1:", NEW)}, without=(OLD + ",",)),
    Case("a leftover where dracut builds",
         all_of(drop("usr/sbin/mkinitramfs", "usr/sbin/update-initramfs"),
                put("usr/bin/dracut", ""),
                put("etc/dracut.conf", 'force_drivers+=" vfio_virqfd "\n')),
         {"module-lists": ("warning", "/etc/dracut.conf:1:", "dracut --force --regenerate-all"),
          "images": ("problem", "dracut --force /boot/initrd.img-")}),
    Case("vfio_virqfd in mkinitcpio.conf",
         put("etc/mkinitcpio.conf", "# MODULES\nMODULES=(vfio_pci vfio vfio_virqfd)\n"),
         {"module-lists": ("warning", "/etc/mkinitcpio.conf:2:")}),
    Case("vfio_virqfd in dracut.conf.d",
         put("etc/dracut.conf.d/vfio.conf", 'force_drivers+=" vfio_virqfd "\n'),
         {"module-lists": ("warning", "/etc/dracut.conf.d/vfio.conf:1:")}),
    Case("vfio_virqfd in modules-load.d", put("etc/modules-load.d/v.conf", "vfio_virqfd\n"),
         {"module-lists": ("warning", "/etc/modules-load.d/v.conf:1:")}),
    Case("amd_iommu=on", all_of(cmdline("amd_iommu=on"), put(
        "etc/default/grub", "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX=\"quiet amd_iommu=on\"\n")),
         {"arguments": ("warning", "/proc/cmdline, /etc/default/grub:2: amd_iommu=on",
                        "does nothing", "args remove amd_iommu=on")}),
    Case("amd_iommu=on without quotes", put("etc/default/grub",
                                            "GRUB_CMDLINE_LINUX=amd_iommu=on # amd_iommu=off\n"),
         {"arguments": ("warning", "/etc/default/grub:1: amd_iommu=on")},
         without=("amd_iommu=off",)),
    Case("iommu=off", cmdline("iommu=off"), {"arguments": ("problem", "iommu=off")}),
    Case("iommu=soft", cmdline("iommu=soft"), {"arguments": ("problem", "iommu=soft")}),
    Case("iommu=pt", cmdline("iommu=pt intel_iommu=on,sm_on"), {}),
    Case("intel_iommu=off", all_of(no_iommu, cmdline("intel_iommu=off")),
         off("intel_iommu=off", "args remove intel_iommu=off",
             arguments=("problem", "intel_iommu=off"))),
    Case("amd_iommu=off in a file that does not count",
         put("etc/kernel/cmdline", "quiet amd_iommu=off\n"),
         {"arguments": ("warning", "/etc/kernel/cmdline:1: amd_iommu=off")}),
    Case("pcie_acs_override", put("boot/loader/entries/a.conf",
                                  "options root=x pcie_acs_override=downstream,multifunction\n"),
         {"arguments": ("warning", "/boot/loader/entries/a.conf:1:", "neighbours")}),
    Case("video=efifb:off", cmdline("video=efifb:off video=vesafb:off"),
         {"arguments": ("warning", "video=efifb:off", "no longer useful")}),
    Case("video of a connector", cmdline("video=HDMI-A-1:1920x1080"), {}),
    Case("nomodeset", cmdline("nomodeset"), {"arguments": ("warning", "nomodeset")}),
    Case("ids on the command line", all_of(twin, cmdline("vfio-pci.ids=10de:2184,10de:1aeb")),
         {"arguments": ("problem", "/proc/cmdline", "id 10de:2184", "0000:02:00.0")}),
    Case("blacklists on the command line", cmdline("modprobe.blacklist=pcspkr,i915"),
         {"arguments": ("warning", "i915", "0000:00:02.0", "take i915 out")}),
    Case("module_blacklist", cmdline("module_blacklist=i915"),
         {"arguments": ("warning", "0000:00:02.0")}),
    Case("vfio_claim=off", cmdline("vfio_claim=off"), {"arguments": ("warning", "this boot")}),
    Case("no command line", put("proc/cmdline", DIR), {"arguments": ("unknown", "/proc/cmdline")}),
    Case("a rule of udev", put("etc/udev/rules.d/99-vfio.rules",
                               'ATTR{vendor}=="0x10de", \\\n ATTR{driver_override}="vfio-pci"\n'),
         {"overrides": ("warning", "/etc/udev/rules.d/99-vfio.rules:1:", "remove the file")}),
    Case("a script in the initramfs",
         put("etc/initramfs-tools/scripts/init-top/vfio",
             '#!/bin/sh\nfor d in $DEVS; do\n'
             'echo vfio-pci > /sys/bus/pci/devices/$d/driver_override\ndone\n'),
         {"overrides": ("warning", "/etc/initramfs-tools/scripts/init-top/vfio:3:")}),
    Case("driverctl", put("etc/driverctl.d/0000:01:00.0", "vfio-pci\n"),
         {"overrides": ("warning", "driverctl unset-override 0000:01:00.0")}),
]

HOSTILE = [
    Case("control characters", modprobe("blacklist i915 \x1b[31m\x07\xff\n".encode("latin-1")),
         {"modprobe": ("warning", "blacklist i915 ?[31m??")}),
    Case("control characters in a name",
         put("etc/modprobe.d/\x1b[31m\n.conf", "blacklist i915\n"),
         {"modprobe": ("warning", "/etc/modprobe.d/?[31m?.conf:1:")}),
    Case("formats", modprobe("blacklist i915 %s%n%s%n\n"), {"modprobe": ("warning", "%s%n%s%n")}),
    Case("a line of 1 MiB", modprobe("blacklist i915 " + LONG + "\n"),
         {"modprobe": ("unknown", "vfio.conf")}),
    Case("a line of nearly 1 MiB", modprobe("blacklist i915 " + LONG[:-64] + "\n"),
         {"modprobe": ("warning", "vfio.conf:1:")}, without=("x" * 500,)),
    Case("a word of nearly 1 MiB", modprobe("options vfio-pci ids=" + LONG[:-64] + "\n"),
         {"modprobe": ("warning", "is no id")}),
    Case("very many ids", modprobe("options vfio-pci ids=" + "1:2," * 10000 + "\n"),
         {"modprobe": ("warning", "matches nothing")}),
    Case("very many arguments", cmdline("vfio_pci.ids= " * 300 + "iommu=off"),
         {"arguments": ("problem", "iommu=off")}),
    Case("very many bad words",
         put("etc/default/grub", "".join(f"pcie_acs_override={i}\n" for i in range(5000))),
         {"arguments": ("warning", "pcie_acs_override=1")}),
    Case("folders instead of files",
         put("etc/modules", DIR, "etc/group", DIR, "proc/cpuinfo", DIR, f"boot/config-{NEW}", DIR),
         {"module-lists": ("unknown", "/etc/modules"), "cpu": ("unknown", "/proc/cpuinfo"),
          "user": ("unknown", "/etc/group")}),
    Case("a file instead of a folder", put("etc/modules-load.d", "x", "etc/driverctl.d", "x"),
         {"module-lists": ("unknown", "/etc/modules-load.d")}),
    Case("loops", put("etc/modprobe.d/a.conf", Link("a.conf"), "etc/modules", Link("modules"),
                      "etc/udev/rules.d/x.rules", Link("y.rules"),
                      "etc/udev/rules.d/y.rules", Link("x.rules")),
         {"modprobe": ("unknown", "a.conf"), "module-lists": ("unknown",),
          "overrides": ("unknown", "x.rules"), "switchers": ("unknown", "x.rules")}),
    Case("a link out of the root",
         put("etc/modprobe.d/a.conf", Link("../../../../../../etc/passwd"),
             "etc/modules", Link("/etc/hostname")), {}),
    Case("pipes", put("etc/modprobe.d/a.conf", FIFO, "proc/cpuinfo", FIFO, "etc/modules", FIFO),
         {"cpu": ("unknown",)}),
    Case("bytes that are no text", modprobe(b"blacklist i915\0\n"),
         {"modprobe": ("unknown", "vfio.conf")}),
    Case("a line that has no end", put("etc/group", "kvm\nlibvirt:", "etc/modules", "\\",
                                       "etc/modprobe.d/a.conf", "options\nblacklist\nalias x\n\\"),
         {"user": ("warning",)}),
]

def panel(address, name="eDP-1"):
    return lambda tree: tree.machine.connectors.append([address, "card0", name, "connected"])


CARDS = [
    Case("cards: the panel is the other card's", panel("0000:00:02.0"),
         {"cards": ("ok", "0000:00:02.0: drives the inner panel")}),
    Case("cards: the claim takes the panel's", panel(CARD[0]),
         {"cards": ("warning", f"{CARD[0]}: drives the inner panel", "claim the other card")}),
    Case("cards: nothing is claimed", all_of(no_claim, panel(CARD[0])),
         {"cards": ("ok", "drives the inner panel")}),
]

S76, MODES = "usr/bin/system76-power", "etc/modprobe.d/system76-power.conf"
AUTO = "# Automatically generated by system76-power\n"
REMOVE = ('ACTION=="add", SUBSYSTEM=="pci", ATTR{vendor}=="0x10de", ATTR{class}=="0x040300", \\\n'
          '    ATTR{remove}="1"\n')


def gpus(*features, device="0x2184", package="nvidia-kernel-common-550"):
    """The list of cards of NVIDIA's driver."""
    chips = [{"devid": "0x28A1", "name": "another", "features": ["runtimepm"]},
             {"devid": device, "name": "this", "features": list(features)}]
    return put(f"usr/share/doc/{package}/supported-gpus.json", json.dumps({"chips": chips}))


def asus(**values):
    return put(*(word for name, value in values.items()
                 for word in (f"sys/devices/platform/asus-nb-wmi/{name}", f"{value}\n")))


def amd(tree):
    """The card is AMD's."""
    for address in CARD:
        tree.machine.get(address).vendor = 0x1002


def processors(tree):
    """The claim takes the processor's graphics instead."""
    tree.claim("0000:00:02.0")


def supergfx(mode):
    return put("etc/supergfxd.conf", f'{{"mode": "{mode}", "vfio_enable": false}}')


def discrete(mode, program="usr/bin/prime-select"):
    return put(program, "", "etc/prime-discrete", f"{mode}\n")


SWITCHERS = [
    Case("system76-power: integrated", put(S76, "", MODES, AUTO + "blacklist nouveau\n"),
         {"switchers": ("problem", "integrated", "off the bus", "system76-power graphics hybrid"),
          "modprobe": ("warning", "nouveau")}),
    Case("system76-power: integrated, nothing of it claimed",
         all_of(no_claim, put(S76, "", MODES, AUTO + "blacklist nouveau\n")),
         {"switchers": ("warning", "integrated"), "modprobe": ("warning", "nouveau")}),
    Case("system76-power: integrated, and the card has runtimepm",
         all_of(put(S76, "", MODES, AUTO + "blacklist nouveau\nblacklist nvidia\n"),
                gpus("runtimepm")),
         {"switchers": ("ok", "integrated", "no driver of the host"),
          "modprobe": ("warning", ".conf:2:", "that file is system76-power's")},
         without=(".conf:3:", "delete that line")),
    Case("system76-power: compute", put(S76, "", MODES, AUTO + "blacklist nvidia-drm\n",
                                        "etc/prime-discrete", "off\n"),
         {"switchers": ("ok", "compute"), "modprobe": ("warning", "nvidia_drm")}),
    Case("system76-power: hybrid", all_of(put(MODES, AUTO), discrete("on-demand", S76)),
         {"switchers": ("ok", "hybrid")}),
    Case("system76-power: nvidia", all_of(put(MODES, AUTO), discrete("on", S76)),
         {"switchers": ("problem", "mode nvidia", "graphics hybrid")}),
    Case("system76-power: nothing was chosen", put(S76, ""),
         {"switchers": ("problem", "mode nvidia", "graphics hybrid")}),
    Case("system76-power: nothing was chosen, on a desktop",
         put(S76, "", "sys/class/dmi/id/chassis_type", "3\n"), {}),
    Case("system76-power: nothing was chosen, and no card of NVIDIA's", all_of(amd, put(S76, "")),
         {}),
    Case("system76-power: nvidia, and the claim takes the other card",
         all_of(processors, discrete("on", S76)), {"switchers": ("ok", "mode nvidia")}),
    Case("system76-power: its daemon and a card without runtimepm",
         all_of(discrete("on-demand", S76), gpus("geforce")),
         {"switchers": ("problem", "takes this card off the bus",
                        "systemctl mask com.system76.PowerDaemon.service")}),
    Case("system76-power: its daemon leaves a desktop alone",
         all_of(discrete("on-demand", S76), gpus("geforce"),
                put("sys/class/dmi/id/chassis_type", "3\n")),
         {"switchers": ("ok", "hybrid")}, without=("off the bus",)),
    Case("system76-power: its daemon and a card with runtimepm",
         all_of(discrete("on-demand", S76), gpus("geforce", "runtimepm")),
         {"switchers": ("ok", "hybrid")}, without=("off the bus",)),
    Case("system76-power: its daemon and a card that the list does not have",
         all_of(discrete("on-demand", S76), gpus("geforce", device="0x1234")),
         {"switchers": ("ok", "hybrid")}, without=("off the bus",)),
    Case("system76-power: its daemon and two drivers", all_of(
        discrete("on-demand", S76), gpus("geforce"), gpus("x", package="nvidia-driver-470")),
         {"switchers": ("ok", "hybrid")}, without=("off the bus",)),
    Case("system76-power: its daemon and a list that is none", all_of(
        discrete("on-demand", S76),
        put("usr/share/doc/nvidia-driver-1/supported-gpus.json",
            '{"chips": [null, 7, {"devid": null}, {"devid": "0x2184", "features": 1}]')),
         {"switchers": ("ok", "hybrid")}, without=("off the bus",)),
    Case("system76-power: its daemon, and the claim takes the other card",
         all_of(processors, discrete("on-demand", S76), gpus("geforce")),
         {"switchers": ("ok", "hybrid")}, without=("off the bus",)),
    Case("prime-select: intel", discrete("off"),
         {"switchers": ("problem", "prime-select (intel)", "prime-select on-demand")}),
    Case("prime-select: nvidia", discrete("on"), {"switchers": ("problem", "desktop is to run")}),
    Case("prime-select: on-demand", discrete("on-demand"), {"switchers": ("ok", "on-demand")}),
    Case("prime-select: nothing was chosen", put("usr/bin/prime-select", ""), {}),
    Case("supergfxctl: Integrated", supergfx("Integrated"),
         {"switchers": ("problem", "supergfxctl (Integrated)", "--mode Hybrid")}),
    Case("supergfxctl: Vfio", supergfx("Vfio"), {"switchers": ("problem", "by its ids")}),
    Case("supergfxctl: AsusMuxDgpu", supergfx("AsusMuxDgpu"),
         {"switchers": ("problem", "desktop is to run")}),
    Case("supergfxctl: AsusMuxDgpu, and the card is AMD's", all_of(amd, supergfx("AsusMuxDgpu")),
         {"switchers": ("problem", "desktop is to run on the discrete card")}),
    Case("asus-nb-wmi: the MUX", asus(gpu_mux_mode=0, dgpu_disable=0),
         {"switchers": ("problem", "inner panel", "echo 1 | sudo tee /sys/", "gpu_mux_mode")}),
    Case("asus-nb-wmi: the card is off", asus(gpu_mux_mode=1, dgpu_disable=1),
         {"switchers": ("problem", "off the bus", "echo 0 | sudo tee")}),
    Case("asus-nb-wmi: as it should be", asus(gpu_mux_mode=1, dgpu_disable=0), {}),
    Case("supergfxctl: Hybrid", supergfx("Hybrid"), {"switchers": ("ok", "Hybrid")}),
    Case("supergfxctl: a mode that we do not know", supergfx("Quantum"), {}),
    Case("supergfxctl: no JSON", put("etc/supergfxd.conf", '{"mode": ["Vfio"'), {}),
    Case("envycontrol: integrated", put("etc/udev/rules.d/50-remove-nvidia.rules", REMOVE),
         {"switchers": ("problem", "envycontrol (integrated)", "envycontrol --switch hybrid")}),
    Case("envycontrol: nvidia", put("etc/X11/xorg.conf", "# Automatically generated by EnvyControl\n"),
         {"switchers": ("problem", "envycontrol (nvidia)")}),
    Case("optimus-manager: nvidia",
         put("etc/optimus-manager/optimus-manager.conf",
             "[optimus]\nstartup_mode=nvidia\nswitching = none\n"),
         {"switchers": ("problem", "startup_mode=nvidia", "startup_mode=integrated")}),
    Case("optimus-manager: bbswitch",
         put("etc/optimus-manager/optimus-manager.conf", "[optimus]\nswitching = bbswitch\n"),
         {"switchers": ("problem", "optimus-manager (bbswitch)", "switching=none")}),
    Case("bbswitch", put("sys/module/bbswitch/initstate", "live\n"),
         {"switchers": ("problem", "bbswitch (is loaded)")}),
    Case("a rule that removes audio", put("usr/lib/udev/rules.d/71-nvidia.rules", REMOVE),
         {"switchers": ("problem", "/usr/lib/udev/rules.d/71-nvidia.rules:1:",
                        "an empty file of that name")}),
    Case("a rule that removes another maker's",
         put("etc/udev/rules.d/71-x.rules", REMOVE.replace("0x10de", "0x1022")), {}),
    Case("a rule in a comment", put("etc/udev/rules.d/71-x.rules", "# " + REMOVE.replace("\\\n", "")),
         {}),
    Case("switcheroo-control", put("usr/libexec/switcheroo-control", ""),
         {"switchers": ("ok", "switcheroo-control")}),
]

CASES = HARDWARE + CARDS + SWITCHERS + KERNEL + GUESTS + BOOT + CLAIMS + GUIDES + HOSTILE
