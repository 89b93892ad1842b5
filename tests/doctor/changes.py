# SPDX-License-Identifier: GPL-2.0-or-later
"""A case, and what can be changed on the good machine: each is a function of a Tree."""
import dataclasses

from machine import CARD, CONF, kernel_index


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
