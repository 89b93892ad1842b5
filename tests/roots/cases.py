# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases: on which machine, configured how, changed since how, and what must come out of it.

A case is configured on the machine as described, then `change` is done to the machine, then it
boots. Unless told otherwise the command line says `vfio_claim=dry-run`, so that what would be
claimed ends as `dry-run`: on a tree of plain files nothing reacts to a write to `bind`.
"""
import dataclasses
import os

DRY = dict(outcome="kept", reason="dry-run")


def refused(reason, **more):
    return dict(outcome="kept", reason=reason, **more)


@dataclasses.dataclass
class Case:
    machine: str
    name: str
    claim: object               # machine -> list of function lines, or {name of claim: list}
    # see judge_report in run; writes: whose override may be written, changed: what else
    expect: dict
    change: object = lambda machine: None
    cmdline: str = "vfio_claim=dry-run"
    host: str = ""


def card(*addresses):
    return lambda m: [m.get(a).line() for a in addresses]


def first(which, *rest, address=None, **change):
    """The line of `which` with parts replaced, then the lines of the others as they are."""
    def lines(machine):
        named = machine.get(which).line(address=address or which, **change)
        return [named] + [machine.get(a).line() for a in rest]
    return lines


def serials(**number):
    """Gives functions serial numbers: gpu=('0000:…', 'xx-…')."""
    def give(machine):
        for address, text in number.values():
            machine.get(address).words.append("serial=" + text)
    return give


def both(*steps):
    def change(machine):
        for step in steps:
            step(machine)
    return change


def literal(*lines):
    return lambda m: list(lines)


def driver(address, name):
    def change(machine):
        machine.get(address).driver = name
    return change


def put(path, text):
    return lambda m: m.files.update({path: text})


GTX = ["0000:01:00.0", "0000:01:00.1", "0000:01:00.2", "0000:01:00.3"]
# As a person would write them: the paths are checked against more than the generator.
GTX_LINES = [
    "function = 0000:01:00.0 path=0000:00:01.0/00.0 id=10de:2184 subsystem=1458:3fc4 class=030000",
    "function = 0000:01:00.1 path=0000:00:01.0/00.1 id=10de:1aeb subsystem=1458:3fc4 class=040300",
    "function = 0000:01:00.2 path=0000:00:01.0/00.2 id=10de:1aec subsystem=1458:3fc4 class=0c0330",
    "function = 0000:01:00.3 path=0000:00:01.0/00.3 id=10de:1aed subsystem=1458:3fc4 class=0c8000",
]
IGPU = "0000:00:02.0"
NEAR, FAR = "0000:0c:00.0", "0000:05:00.0"      # the twins: at the CPU, behind the chipset
NEAR_CARD, FAR_CARD = [NEAR, "0000:0c:00.1"], [FAR, "0000:05:00.1"]
NEAR_PATHS = [f"0000:00:03.1/00.0/00.0/00.{i}" for i in range(2)]
FAR_PATHS = [f"0000:00:01.2/00.0/03.0/00.0/00.0/00.{i}" for i in range(2)]
ONE, TWO = "00-00-00-00-00-00-00-01", "ff-ee-dd-cc-bb-aa-99-88"
TWIN_SERIALS = serials(near=(NEAR, ONE), far=(FAR, TWO))
EFIVARS = put("sys/firmware/efi/efivars/dbx-d719b2cb-3d3a-4596-a3bc-dad00e67656f", "x")
VARIABLE = "sys/firmware/efi/efivars/VfioClaimRecord-5f4c1d2e-8a37-4b0c-9d61-3e7a52c8f014"
LISTED = put("etc/vfio-claim.partitions", "01234567-89AB-CDEF-0123-456789ABCDEF\n1234abcd-01\n")
MODULES = put(f"lib/modules/{os.uname().release}/modules.dep", "")

CASES = [
    # A desktop: one card with four functions, and the processor's graphics.
    Case("desktop", "the card's four functions", literal(*GTX_LINES),
         dict(DRY, match=["exact"] * 4, address=GTX, group=[2] * 4, hosts=[IGPU, GTX[0]],
              path=[f"0000:00:01.0/00.{i}" for i in range(4)],
              id=["10de:2184", "10de:1aeb", "10de:1aec", "10de:1aed"])),
    Case("desktop", "a renumbered bus is still exact", literal(*GTX_LINES),
         dict(DRY, match=["exact"] * 4, address=[f"0000:07:00.{i}" for i in range(4)]),
         change=lambda m: m.renumber("0000:01", "0000:07")),
    Case("desktop", "an address that is a neighbour's now",
         first(GTX[0], *GTX[1:], address="0000:02:00.0"),
         dict(DRY, match=["exact"] * 4, address=GTX)),
    Case("desktop", "another card in the slot", card(*GTX),
         refused("device-changed", match=["changed", "exact", "exact", "exact"]),
         change=lambda m: setattr(m.get(GTX[0]), "device", 0x1b81)),
    Case("desktop", "the same chip from another maker", card(*GTX),
         refused("device-changed", match=["changed"] * 4),
         change=lambda m: [setattr(m.get(a), "subvendor", 0x1043) for a in GTX]),
    Case("desktop", "the same ids with another class", card(*GTX),
         refused("device-changed", match=["changed", "exact", "exact", "exact"]),
         change=lambda m: setattr(m.get(GTX[0]), "cls", 0x030200)),
    Case("desktop", "the card was taken out", card(*GTX),
         refused("device-absent", match=["absent"] * 4, hosts=[IGPU]),
         change=lambda m: m.drop(*GTX)),
    Case("desktop", "in another slot, unique: moved",
         lambda m: [m.get(a).line(path=f"0000:00:1b.0/00.{a[-1]}", unique="yes") for a in GTX],
         dict(DRY, match=["moved"] * 4, address=GTX,
              path=[f"0000:00:01.0/00.{i}" for i in range(4)])),
    Case("desktop", "in another slot, not known as unique",
         lambda m: [m.get(a).line(path=f"0000:00:1b.0/00.{a[-1]}") for a in GTX],
         refused("device-absent", match=["absent"] * 4)),
    Case("desktop", "a companion bound to its host driver", card(*GTX[:2]),
         refused("group-not-viable", match=["exact", "exact"])),
    Case("desktop", "driverless companions, no driver installed", card(*GTX[:2]), dict(DRY),
         change=driver(GTX[2], None)),
    Case("desktop", "driverless companions, drivers installed", card(*GTX[:2]),
         refused("group-not-viable"),
         change=both(driver(GTX[2], None), MODULES)),
    Case("desktop", "a companion held by vfio-pci", card(*GTX[:2], GTX[3]), dict(DRY),
         change=driver(GTX[2], "vfio-pci")),
    Case("desktop", "a companion held by pci-stub", card(*GTX[:2], GTX[3]), dict(DRY),
         change=driver(GTX[2], "pci-stub")),
    Case("desktop", "a root port", card("0000:00:01.0", *GTX), refused("not-an-endpoint")),
    Case("desktop", "a host bridge", card("0000:00:00.0"), refused("not-an-endpoint")),
    Case("desktop", "the only display", card(*GTX), refused("last-display", hosts=[GTX[0]]),
         change=lambda m: m.drop(IGPU)),
    Case("desktop", "the only display, allowed, no record", card(*GTX),
         refused("record-unavailable"),
         change=lambda m: m.drop(IGPU), host="require-display = no"),
    Case("desktop", "the only display, allowed, record = none", card(*GTX),
         dict(DRY, hosts=[GTX[0]], warnings=1),
         change=lambda m: m.drop(IGPU), host="require-display = no\nrecord = none"),
    Case("desktop", "vfio_claim=off", card(*GTX), refused("off"), cmdline="quiet vfio_claim=off"),
    Case("desktop", "single", card(*GTX), refused("off"), cmdline="quiet single"),
    Case("desktop", "systemd.unit=rescue.target", card(*GTX), refused("off"),
         cmdline="systemd.unit=rescue.target vfio_claim=on"),
    Case("desktop", "the IOMMU is off", card(*GTX), refused("iommu-inactive"),
         change=lambda m: m.no_iommu(), cmdline="quiet"),
    Case("desktop", "no-IOMMU mode", card(*GTX), refused("no-iommu-mode"), cmdline="quiet",
         change=put("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n")),
    Case("desktop", "groups of no-IOMMU mode", card(*GTX), refused("no-iommu-mode"),
         cmdline="quiet",
         change=put("sys/kernel/iommu_groups/2/name", "vfio-noiommu\n")),
    Case("desktop", "a key twice in a line", first(GTX[0], class_="030000 class=030000"),
         refused("config-error")),
    Case("desktop", "an unknown key", first(GTX[0], colour="red"), refused("config-error")),
    Case("desktop", "a path with trailing bytes", first(GTX[0], path="0000:00:01.0/00.0/"),
         refused("config-error")),
    Case("desktop", "two claims, one of them broken",
         lambda m: {"good": [m.get(a).line() for a in GTX],
                    "bad": [m.get("0000:02:00.0").line(id="10ec:8125")]},
         dict(outcome="kept", claims={"good": dict(reason="dry-run"),
                                      "bad": dict(reason="device-changed")})),
    Case("desktop", "the card is on vfio-pci already", card(*GTX),
         dict(outcome="claimed", match=["exact"] * 4, driver=["vfio-pci"] * 4, hosts=[IGPU],
              writes=GTX),
         change=lambda m: [setattr(m.get(a), "driver", "vfio-pci") for a in GTX],
         cmdline="quiet"),
    Case("desktop", "one claim on vfio-pci already, another broken",
         lambda m: {"good": [m.get(a).line() for a in GTX],
                    "bad": [m.get("0000:02:00.0").line(id="10ec:8125")]},
         dict(outcome="partial", writes=GTX, claims={"good": dict(outcome="claimed"),
                                                     "bad": dict(reason="device-changed")}),
         change=lambda m: [setattr(m.get(a), "driver", "vfio-pci") for a in GTX],
         cmdline="quiet"),

    # Records: a variable is a file here, the boot partition is boot/.
    Case("desktop", "counted in a variable", card(*GTX),
         dict(outcome="claimed", writes=GTX, changed=[VARIABLE],
              record=dict(kind="efi", attempts=1, confirmed=False)),
         change=both(*(driver(a, "vfio-pci") for a in GTX), EFIVARS, LISTED), cmdline="quiet"),
    Case("desktop", "a dry run counts nothing", card(*GTX),
         dict(DRY, record=dict(kind="efi", attempts=0, confirmed=False)), change=EFIVARS),
    Case("desktop", "half a variable", card(*GTX),
         refused("record-unavailable", record=dict(kind="efi", attempts=0)),
         change=put(VARIABLE, "\7\0\0\0VFCR"), cmdline="quiet"),
    Case("desktop", "off, whatever the record", card(*GTX), refused("off"),
         change=put(VARIABLE, "\7\0\0\0VFCR"), cmdline="vfio_claim=off"),
    Case("desktop", "record = efi without variables", card(*GTX), refused("record-unavailable"),
         host="record = efi", change=LISTED, cmdline="quiet"),
    Case("desktop", "held for the boot partition", card(*GTX),
         dict(outcome="held", reason="record-unavailable", writes=GTX,
              claims={"gaming": dict(outcome="held")},
              record=dict(kind="partition", partition="01234567-89ab-cdef-0123-456789abcdef",
                          attempts=0)),
         change=LISTED, cmdline="quiet"),
    Case("desktop", "held for the one that is configured", card(*GTX),
         dict(outcome="held", writes=GTX, record=dict(kind="partition", partition="1234abcd-02")),
         host="record = PARTUUID=1234ABCD-02", change=both(EFIVARS, LISTED), cmdline="quiet"),
    Case("desktop", "the only display, allowed, held", card(*GTX),
         dict(outcome="held", writes=GTX), host="require-display = no",
         change=both(lambda m: m.drop(IGPU), LISTED), cmdline="quiet"),
    Case("desktop", "a partition, and a dry run", card(*GTX),
         dict(DRY, record=dict(kind="partition")), change=LISTED),

    # Twins: by place, never by id.
    Case("twins", "the twin behind the chipset", card(*FAR_CARD),
         dict(DRY, match=["exact"] * 2, address=FAR_CARD, path=FAR_PATHS, group=[21, 22],
              hosts=[FAR, NEAR])),
    Case("twins", "the twin at the CPU", card(*NEAR_CARD),
         dict(DRY, match=["exact"] * 2, address=NEAR_CARD, path=NEAR_PATHS, group=[25, 26],
              hosts=[FAR, NEAR])),
    Case("twins", "the two addresses swapped by renumbering", card(*FAR_CARD),
         dict(DRY, match=["exact"] * 2, address=NEAR_CARD, path=FAR_PATHS),
         change=both(lambda m: m.renumber("0000:05", "0000:ff"),
                     lambda m: m.renumber("0000:0c", "0000:05"),
                     lambda m: m.renumber("0000:ff", "0000:0c"))),
    Case("twins", "nothing at the path, two candidates",
         first(FAR, path="0000:00:03.2/00.0", unique="yes"),
         refused("device-ambiguous", match=["ambiguous"])),
    Case("twins", "the other one taken out, unique: moved",
         first(NEAR, path="0000:00:03.2/00.0", unique="yes"),
         refused("last-display", match=["moved"]),
         change=lambda m: m.drop(NEAR)),
    Case("twins", "a serial number finds the card that moved",
         first(FAR, path="0000:00:03.2/00.0", serial=TWO),
         dict(DRY, match=["moved"], address=[FAR]),
         change=TWIN_SERIALS),
    Case("twins", "a serial number that no card has",
         first(FAR, path="0000:00:03.2/00.0", serial=TWO[:-1] + "9"),
         refused("device-absent", match=["absent"]), change=TWIN_SERIALS),
    Case("twins", "a serial number in the wrong byte order",
         first(FAR, path="0000:00:03.2/00.0", serial="-".join(reversed(TWO.split("-")))),
         refused("device-absent", match=["absent"]), change=TWIN_SERIALS),
    Case("twins", "the twin's serial number is at the path", first(NEAR, serial=TWO),
         refused("device-changed", match=["changed"]), change=TWIN_SERIALS),
    Case("twins", "the card at the path lost its serial number", first(NEAR, serial=ONE),
         refused("device-changed", match=["changed"])),
    Case("twins", "both cards in one claim", card(NEAR, FAR),
         refused("last-display", match=["exact"] * 2)),
    Case("twins", "one function twice in a claim", card(NEAR, NEAR), refused("config-error")),

    # A hybrid laptop: the card is a 3D controller.
    Case("laptop", "the 3D controller", card("0000:01:00.0"),
         dict(DRY, match=["exact"], path=["0000:00:01.0/00.0"], group=[1],
              hosts=[IGPU])),
    Case("laptop", "the panel's GPU, leaving the 3D controller", card(IGPU),
         refused("last-display", match=["exact"], path=[IGPU], hosts=[IGPU])),
    Case("laptop", "a 3D controller is the last display, too", card("0000:01:00.0"),
         refused("last-display"), change=lambda m: m.drop(IGPU)),
    Case("laptop", "both of them", card("0000:01:00.0", IGPU),
         refused("last-display", match=["exact"] * 2)),
    Case("laptop", "a function behind a Thunderbolt switch", card("0000:3a:00.0"),
         dict(DRY, match=["exact"], path=["0000:00:1b.0/00.0/02.0/00.0"])),

    # Arc: the audio sits behind a sibling port of the card's switch.
    Case("arc", "a card and the audio of a sibling port", card("0000:03:00.0", "0000:04:00.0"),
         dict(DRY, match=["exact"] * 2, group=[14, 15],
              hosts=["0000:03:00.0", "0000:09:00.0", "0000:0c:00.0", "0000:12:00.0"],
              path=["0000:00:01.1/00.0/01.0/00.0", "0000:00:01.1/00.0/02.0/00.0"])),
    Case("arc", "a whole switch in one group, bridges and all",
         card("0000:09:00.0", "0000:0a:00.0"),
         dict(DRY, match=["exact"] * 2, group=[17, 17],
              path=["0000:00:02.1/00.0/00.0/00.0/01.0/00.0",
                    "0000:00:02.1/00.0/00.0/00.0/04.0/00.0"])),
    Case("arc", "the same without its audio", card("0000:09:00.0"),
         refused("group-not-viable", match=["exact"])),
    Case("arc", "the card's own switch port", card("0000:03:00.0", "0000:02:01.0"),
         refused("not-an-endpoint")),
    Case("arc", "the audio moved to the other sibling port", card("0000:03:00.0", "0000:04:00.0"),
         refused("device-absent", match=["exact", "absent"]),
         change=lambda m: setattr(m.get("0000:02:02.0"), "address", "0000:02:05.0")),

    # VMD: a domain of five hex digits.
    Case("vmd", "the display controller (0380)", card("0000:03:00.0"),
         dict(DRY, match=["exact"], path=["0000:00:01.0/00.0/01.0/00.0"], group=[17],
              hosts=[IGPU, "0000:03:00.0"])),
    Case("vmd", "its serial number is another one", first("0000:03:00.0", serial=ONE),
         refused("device-changed", match=["changed"])),
    Case("vmd", "a function of VMD's domain shares its group", card("10000:e1:00.0"),
         refused("group-not-viable", match=["exact"])),
    Case("vmd", "the same in a group of its own",
         literal("function = 10000:e1:00.0 path=10000:e0:06.0/00.0 id=1c5c:1959 "
                 "subsystem=1c5c:1959 class=010802"),
         dict(DRY, match=["exact"], address=["10000:e1:00.0"], path=["10000:e0:06.0/00.0"],
              group=[40]),
         change=lambda m: setattr(m.get("10000:e1:00.0"), "group", "40")),
    Case("vmd", "the domain's low digits are not enough",
         first("10000:e1:00.0", path="0000:e0:06.0/00.0"),
         refused("device-absent", match=["absent"])),

    # A server with 4096 functions.
    Case("server", "a card among 4096 functions", card("0000:d9:00.0", "0000:d9:00.1"),
         dict(DRY, match=["exact"] * 2, path=["0000:d8:00.0/00.0", "0000:d8:00.0/00.1"],
              group=[10, 10], hosts=["0000:02:00.0", "0000:d9:00.0"], calls=150 + 3 * (4096 - 16))),
    Case("server", "a card that moved among 4096 functions",
         lambda m: [m.get(a).line(path="0000:5d:00.0/00." + a[-1], unique="yes")
                    for a in ("0000:d9:00.0", "0000:d9:00.1")],
         dict(DRY, match=["moved"] * 2, address=["0000:d9:00.0", "0000:d9:00.1"])),
]
