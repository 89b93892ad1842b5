# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scenario's machine is made of: device models, boards and IOMMUs, and the QEMU
arguments for them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Model:
    device: str                 # QEMU's name
    id: str
    subsystem: str
    klass: str
    driver: str                 # what binds it when nobody claims it; None: nothing does


MODELS = {
    "vga": Model("VGA", "1234:1111", "1af4:1100", "030000", "bochs-drm"),
    # not bochs-display, with which QEMU 7.2 has aborted
    "display": Model("secondary-vga", "1234:1111", "1af4:1100", "038000", "bochs-drm"),
    "cirrus": Model("cirrus-vga", "1013:00b8", "1af4:1100", "030000", "cirrus"),
    "qxl": Model("qxl-vga", "1b36:0100", "1af4:1100", "030000", "qxl"),
    "ati": Model("ati-vga", "1002:5046", "1af4:1100", "030000", None),
    "hda": Model("ich9-intel-hda", "8086:293e", "1af4:1100", "040300", "snd_hda_intel"),
    "xhci": Model("qemu-xhci", "1b36:000d", "1af4:1100", "0c0330", "xhci_hcd"),
    "nec": Model("nec-usb-xhci", "1033:0194", "1af4:1100", "0c0330", "xhci_hcd"),
    "e1000e": Model("e1000e", "8086:10d3", "8086:0000", "020000", "e1000e"),
    "nvme": Model("nvme", "1b36:0010", "1af4:1100", "010802", "nvme"),
    "testdev": Model("pci-testdev", "1b36:0005", "1af4:1100", "00ff00", None),
    "port": Model("pcie-root-port", "1b36:000c", "0000:0000", "060400", "pcieport"),
    "upstream": Model("x3130-upstream", "104c:8232", "0000:0000", "060400", "pcieport"),
    "downstream": Model("xio3130-downstream", "104c:8233", "0000:0000", "060400",
                        "pcieport"),
    "bridge": Model("pcie-pci-bridge", "1b36:000e", "0000:0000", "060400", None),
}

# Emulated, a long `rep stosb`, wide vectors and a fifth level of page tables cost a third of a
# boot, and for AES udev loads ten modules. What is left has SVM, so there is KVM inside.
CPU = "max,la57=off,avx=off,avx2=off,erms=off,aes=off,pclmulqdq=off"

# Arguments for every kernel. A busy host can starve the kernel's check of its timer; it panics
# then. The rest is speed: at random addresses the emulator translates the same program again for
# each process that runs it, looking through all page tables takes 130 million instructions, and
# two of udev's workers are enough to be in each other's way on one processor.
KERNEL = "panic=-1 no_timer_check cryptomgr.notests mitigations=off norandmaps rodata=off " \
         "udev.children_max=2"

IOMMUS = {
    "intel": ["-device", "intel-iommu,intremap=on"],
    "amd": ["-device", "amd-iommu,intremap=on"],
    "virtio-iommu": ["-device", "virtio-iommu-pci,addr=02.0"],
    "none": [],
}


@dataclass
class Function:
    path: str                   # as in the configuration, without domain and bus
    model: Model
    options: str = ""


@dataclass
class Board:
    functions: dict = field(default_factory=dict)

    @staticmethod
    def parse(text):
        """Reads "01.0=vga 1c.0/00.0=vga+hda": what sits at a path, and with + on the
        functions after it. A device may carry QEMU options: "1c.0/00.0=e1000e,mac=...".
        Root ports at the start of a path need no mention."""
        board = Board()
        for word in text.split():
            path, _, devices = word.partition("=")
            port, slash, _ = path.partition("/")
            if slash and port not in board.functions:
                board.add(port, "port")
            stem, number = path[:-1], int(path[-1])
            for offset, device in enumerate(devices.split("+")):
                board.add(f"{stem}{number + offset}", device)
        return board

    def add(self, path, device):
        name, comma, options = device.partition(",")
        self.functions[path] = Function(path, MODELS[name], comma + options)

    def arguments(self):
        result = []
        for number, (path, function) in enumerate(self.functions.items(), 1):
            parent, _, address = path.rpartition("/")
            bus = _identifier(parent) if parent else "pcie.0"
            text = (f"{function.model.device},id={_identifier(path)},bus={bus},"
                    f"addr={address},multifunction=on{function.options}")
            if function.model.device in ("pcie-root-port", "xio3130-downstream"):
                text += f",chassis={number},slot={number}"
            result += ["-device", text]
        return result


def _identifier(path):
    return "at-" + path.replace("/", "_")


def arguments(iommu, board, memory=512):
    """QEMU's arguments for a machine. The IOMMU is last: AMD's takes the first free slot."""
    return ["-machine", "q35,kernel-irqchip=split", "-accel", "tcg", "-cpu", CPU,
            "-m", str(memory), *board.arguments(), *IOMMUS[iommu]]
