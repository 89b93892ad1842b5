# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of the table of machines.

scenario(NAME, WHY, KIND, DEVICES, BOOTS, ...)
    kind               esp: OVMF, the record in an EFI variable; mbr, gpt: SeaBIOS, the record
                       on /boot; luks: OVMF, /boot, and a root that is encrypted
    devices            what is in the machine (Board.parse in machine.py)
    conf               the text of the configuration
    files              what all its boots bring along: path -> content; "#!..." is executable,
                       "-> PATH" a link
boot(WHY, ...)         one boot of the machine; the next one finds what it left
    devices, conf      instead of the machine's
    files              further files
    cmdline            kernel arguments
    kernel             next: the same kernel under another release name; packed: through
                       SeaBIOS, which the unpacked one's trampoline does not survive a sleep of
    console            screen: /dev/console is the host's screen; serial: the first serial
                       port, which with OVMF holds systemd up for half a minute
    iommu              intel, amd, none
    early              function(boot) that runs at power-on
    late               function(boot, facts) that runs when the boot is over
                       Both yield differences, in words; what they raise is one, too.
    stops              the boot ends with `early`: nothing else is judged
    outcome, reason    of early boot's report
    attempts           in that report: the count with this boot
    confirmed          in that report: a boot like this one was confirmed before
    vfio               paths on vfio-pci at the end
    drivers            path -> driver where it is not what the model's driver is
    confirm            outcome in confirm.json; None: there is no such file
    complete           whether boot-complete.target is reached
    exit               of vfio-claim-confirm.service; None: it did not run
    store              same: this boot wrote nothing to its store; written: it did
    status             words that `vfio-claim status` says
    motd               words in /run/motd.d; "" for none at all
    seconds            until it is cut off
Drivers and overrides of everything that the board has are compared.
"""

from dataclasses import dataclass, field

SCENARIOS = []
HOST_CARD = "01.0"
CARD, AUDIO = "1c.0/00.0", "1c.0/00.1"


@dataclass
class Turn:
    why: str
    devices: str = None
    conf: str = None
    files: dict = field(default_factory=dict)
    cmdline: str = ""
    kernel: str = ""
    console: str = "screen"
    iommu: str = "intel"
    early: object = None
    late: object = None
    stops: bool = False
    outcome: str = "claimed"
    reason: str = None
    attempts: int = None
    confirmed: bool = None
    vfio: str = None
    drivers: dict = field(default_factory=dict)
    confirm: str = "confirmed"
    complete: bool = True
    exit: int = 0
    store: str = None
    status: list = field(default_factory=list)
    motd: str = ""
    seconds: int = 480        # for busy machines; it takes a tenth of that

    def vfio_paths(self):
        if self.vfio is not None:
            return self.vfio.split()
        return [CARD, AUDIO] if self.outcome == "claimed" else []


@dataclass
class Scenario:
    name: str
    why: str
    kind: str
    devices: str
    boots: list
    conf: str
    files: dict = field(default_factory=dict)


def boot(why, **words):
    return Turn(why, **words)


def kept(why, reason, **words):
    """A boot in which nothing is claimed."""
    words = {"outcome": "kept", "reason": reason, "confirm": None, **words}
    return Turn(why, **words)


def scenario(name, why, kind, devices, boots, conf, **words):
    SCENARIOS.append(Scenario(name, why, kind, devices, boots, conf, **words))
