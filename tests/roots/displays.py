# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of `vfio-claim list`: which display shows what, and how laptops and boxes are shaped."""
from look import GPU, ROOT, card, cards, case, check, good, judged, put, same, write
from tree import Writer


def connector(machine, number, address, name, status="connected"):
    Writer(ROOT).connector(machine.get(address), f"card{number}", name, status)


@case
def connectors():
    machine = write("desktop")
    connector(machine, 1, GPU, "HDMI-A-1")
    connector(machine, 1, GPU, "DP-1")
    connector(machine, 1, GPU, "DP-2", "disconnected")
    connector(machine, 10, "0000:00:02.0", "eDP-1")
    same("connected", card()["connected"], ["DP-1", "HDMI-A-1"])
    same("connected", card("0000:00:02.0")["connected"], ["eDP-1"])
    check("DP-1, HDMI-A-1" in good("list"), good("list"))


# ---- hybrid laptops and boxes

LAPTOP = "0000:01:00.0"         # its 3D controller; 0000:00:01.0 is the port above


def power(state="D0", allowed="1", resource=True):
    here = f"sys/bus/pci/devices/{LAPTOP}"
    put(f"{here}/power_state", f"{state}\n")
    put(f"{here}/d3cold_allowed", f"{allowed}\n")
    put("sys/bus/pci/devices/0000:00:01.0/firmware_node/path", "x\n")
    if resource:
        put("sys/bus/pci/devices/0000:00:01.0/firmware_node/power_resources_D3hot/x", "")


@case
def shape_of_a_laptop():
    machine = write("laptop")
    connector(machine, 0, "0000:00:02.0", "eDP-1")
    power("D3cold")
    shapes = {address: found["shape"] for address, found in cards().items()}
    same("3D controller", shapes[LAPTOP], {
        "controller": True, "headless": False, "removable": False, "panel": False,
        "panel_on": False, "outputs": [], "power_state": "D3cold", "power": "cut"})
    same("panel", (shapes["0000:00:02.0"]["panel"], shapes[LAPTOP]["panel"]), (True, False))
    told = good("list")
    for words in ("3D controller without outputs; power state D3cold; the firmware can cut",
                  "drives the inner panel"):
        check(words in told, told)


@case
def shape_outer_connectors():
    machine = write("laptop", lambda m: setattr(m.get(LAPTOP), "cls", 0x030000))
    connector(machine, 0, "0000:00:02.0", "eDP-1")
    connector(machine, 1, LAPTOP, "HDMI-A-1", "disconnected")
    connector(machine, 1, LAPTOP, "DP-1")
    same("outputs", card(LAPTOP)["shape"]["outputs"], ["DP-1", "HDMI-A-1"])
    check("outer connectors: DP-1, HDMI-A-1 (dark on the host while" in good("list"), good("list"))


@case
def shape_outputs_of_a_desktop():
    machine = write("desktop")
    connector(machine, 1, GPU, "HDMI-A-1", "disconnected")
    told = good("list")
    check("outer connectors: HDMI-A-1" in told and "dark" not in told, told)


@case
def shape_mux():
    """NVIDIA's driver can call a panel that works disconnected."""
    for status, wanted in (("connected", ("drives the inner panel, which a MUX can give",
                                          "which a MUX gives to another card now")),
                           ("disconnected", ("as another card has: a MUX decides",) * 2)):
        machine = write("laptop", lambda m: setattr(m.get(LAPTOP), "cls", 0x030000))
        connector(machine, 0, "0000:00:02.0", "eDP-1", "disconnected")
        connector(machine, 1, LAPTOP, "eDP-2", status)
        told = [line for line in good("list").splitlines() if "inner panel" in line]
        check(len(told) == 2 and wanted[0] in told[1] and wanted[1] in told[0], f"{told}")
        same("panel_on", card(LAPTOP)["shape"]["panel_on"], status == "connected")


@case
def shape_without_outputs():
    """A display controller of which its driver knows none; of VGA that proves nothing."""
    for cls, wanted in ((0x038000, True), (0x030000, False)):
        machine = write("latitude", lambda m, c=cls: setattr(m.get(LAPTOP), "cls", c))
        same(f"{cls:06x}", card(LAPTOP)["shape"]["headless"], wanted)
        same(f"{cls:06x}", "    without outputs" in good("list"), wanted)
        connector(machine, 1, LAPTOP, "DP-1")
        same("with one", card(LAPTOP)["shape"]["headless"], False)


@case
def shape_writeback_is_no_output():
    write("elitebook")
    check("HDMI-A-1" in good("list") and "Writeback" not in good("list"), good("list"))


@case
def shape_power_above_the_cards_switch():
    write("zephyrus")
    same("root port", card("0000:03:00.0")["shape"]["power"], "cut")
    same("no ACPI", card("0000:07:00.0")["shape"]["power"], "unknown")
    write("swift", lambda m: setattr(m.get("0000:00:06.0"), "words", ["acpi"]))
    same("stays", card("0000:03:00.0")["shape"]["power"], "stays")
    check("no power resource in the firmware" in good("list"), good("list"))


@case
def group_of_a_box():
    """No other slot is proposed to a card in a box."""
    write("box")
    judged("group-not-viable", "0000:08:00.0", "claim it, too", address="0000:07:00.0")
    check("another slot" not in good("list"), good("list"))
    same("the port's power is not the box's", card("0000:07:00.0")["shape"]["power"], "unknown")


@case
def shape_power():
    for arguments, wanted in ((("D0", "0"), "forbidden"), (("D0", "1", False), "stays"),
                              (("error",), "cut")):
        write("laptop")
        power(*arguments)
        same(f"{arguments}", card(LAPTOP)["shape"]["power"], wanted)
    same("no state", card(LAPTOP)["shape"]["power_state"], None)
    write("laptop")
    same("no ACPI", card(LAPTOP)["shape"]["power"], "unknown")


@case
def shape_in_a_box():
    write("laptop")
    put(f"sys/bus/pci/devices/{LAPTOP}/removable", "removable\n")
    check("in a box outside of the machine; 3D controller" in good("list"), good("list"))


@case
def framebuffer_is_the_proof():
    write("desktop")
    put("proc/iomem", "00000000-00000000 : PCI Bus 0000:00\n"
        "  00000000-00000000 : 0000:00:02.0\n    00000000-00000000 : BOOTFB\n"
        "  00000000-00000000 : PCI Bus 0000:01\n    00000000-00000000 : 0000:01:00.0\n"
        "00000000-00000000 : efifb\n")
    found = cards()
    same("boot display", [a for a, c in found.items() if c["boot_display"]], ["0000:00:02.0"])
    same("boot_vga", [a for a, c in found.items() if c["boot_vga"]], [GPU])
