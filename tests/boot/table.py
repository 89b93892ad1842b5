# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of the scenario table.

claim(NAME, LINE...)   a claim. A line is "ADDRESS PATH MODEL [WORD...]": what was there at
                       set-up. A word replaces or adds a key: unique=yes, id=10de:2484.
want(NAME, OUTCOME, REASON, MATCH)
                       what the report must say of a claim. MATCH has one word for each
                       function, or one for all.
scenario(NAME, WHY, ...)
    devices            what is in the machine (Board.parse in machine.py)
    machine            its IOMMU: intel, amd, virtio-iommu, none
    firmware           seabios, ovmf
    cmdline            kernel arguments
    conf               a list of claims and lines, or the text of the configuration, or
                       None for no file at all
    conf_mode, conf_uid  mode and owner of that file
    early              shell lines that run before vfio-claim
    late               what happens once udev is done, in order: ("add", PATH, "vga+hda") and
                       ("del", PATH) by QEMU, or a shell line; each is waited for
    ends               what is in the machine then, if that is not `devices`
    files              further files in the image: path -> content; %RELEASE% is the kernel's,
                       a path that ends with / is a folder's
    outcome, reason    of the whole boot
    detail             words that must stand in the detail of that reason
    expect             a want() for each claim of the report, in its order
    vfio               paths that must be on vfio-pci; without it those of the claimed claims
    drivers            path -> driver where it is not what the model's driver is
    framebuffer        False: no firmware framebuffer holds memory at the end
    image              xz, zst: the variant of the image with vfio's modules compressed
    generator          "dracut SUITE INIT", "mkinitcpio SHAPE" or "initramfs-tools SUITE": the
                       image that it builds (tests/boot/dracut-image, mkinitcpio-image, image)
    counted            a disk has a partition for the record, which the second stage finds
    luks               a second disk is encrypted: facts are taken while its passphrase is
                       asked for
    settings           path, or "vfio-pci" for its parameters -> {"reset_method": value, ...}
    warnings           codes of the report's warnings, in any order; a boot with something to
                       claim and no EFI variables also warns that it is not counted
    log                words that must stand in lines of vfio-claim in the kernel log, in order
    extra              further arguments for QEMU
    timeout            seconds
    long               only tests/boot/run --long boots it, or who names it
Whatever is not named keeps the driver it would have without vfio-claim, and no override.
"""

from dataclasses import dataclass, field, replace
from typing import Optional, Union

from machine import MODELS

SCENARIOS = []
UNLOAD = "rmmod bochs snd_hda_intel"        # of late steps; what images force is there otherwise


@dataclass
class Claim:
    name: str
    lines: list
    paths: list

    def text(self):
        return "\n".join([f"[claim {self.name}]", *self.lines]) + "\n"


@dataclass
class Want:
    name: str
    outcome: str
    reason: str
    match: list


@dataclass
class Scenario:
    name: str
    why: str
    devices: str
    outcome: str
    conf: Optional[Union[list, str]]
    expect: list
    reason: str = None
    detail: str = ""
    machine: str = "intel"
    firmware: str = "seabios"
    cmdline: str = ""
    conf_mode: int = 0o100644
    conf_uid: int = 0
    early: str = ""
    late: list = field(default_factory=list)
    ends: str = None
    files: dict = field(default_factory=dict)
    vfio: str = None
    drivers: dict = field(default_factory=dict)
    framebuffer: bool = True
    image: str = ""
    generator: str = "initramfs-tools bookworm"
    counted: bool = False
    luks: bool = False
    settings: dict = field(default_factory=dict)
    warnings: list = field(default_factory=list)
    log: list = field(default_factory=list)
    extra: list = field(default_factory=list)
    timeout: int = 120
    long: bool = False

    def conf_text(self):
        if self.conf is None or isinstance(self.conf, str):
            return self.conf
        return "".join(part.text() if isinstance(part, Claim) else part + "\n"
                       for part in self.conf)

    def looks(self):
        """Whether the machine is looked at: not if all is over before."""
        return self.reason not in ("off", "config-error")

    def forced(self):
        """Whether a driver may be there before what comes late: loaded by hand, or by udev for
        what was plugged in before, which it is kept from."""
        steps = [step for step in self.late if step != UNLOAD]
        return any(isinstance(step, str) for step in steps) or len(steps) > 1

    def uncounted(self):
        """Whether it warns that the boot is not counted: something was to be claimed, and
        there is no store. The BIOS machines of this table have none."""
        planned = ("claimed", "dry-run", "module-unavailable", "record-unavailable", "deadline")
        store = (self.firmware == "ovmf" or self.counted) and "record = none" not in (self.conf or "")
        # what comes late as a whole was not to be claimed by the boot
        boxed = any(step[0] == "add" for step in self.late)
        return not store and not boxed and any(
            want.outcome in planned or want.reason in planned for want in self.expect)

    def vfio_paths(self):
        if self.vfio is not None:
            return self.vfio.split()
        claimed = {want.name for want in self.expect if want.outcome == "claimed"}
        return [path for part in self.conf or () if isinstance(part, Claim)
                and part.name in claimed for path in part.paths]


def claim(name, *functions):
    lines, paths = [], []
    for function in functions:
        address, path, model, *words = function.split()
        model = MODELS[model]
        keys = {"path": f"0000:00:{path}", "id": model.id, "subsystem": model.subsystem,
                "class": model.klass}
        keys.update(word.split("=", 1) for word in words)
        lines.append(f"function = 0000:{address} "
                     + " ".join(f"{key}={value}" for key, value in keys.items()))
        paths.append(path)
    return Claim(name, lines, paths)


def want(name, outcome, reason=None, match="exact"):
    return Want(name, outcome, reason, match.split())


def scenario(name, why, **words):
    SCENARIOS.append(Scenario(name, why, **words))


def again(names, prefix, **words):
    """Scenarios of the table once more, with other words."""
    for name in names:
        one = next(one for one in SCENARIOS if one.name == name)
        SCENARIOS.append(replace(one, name=f"{prefix}-{name}", **words))
