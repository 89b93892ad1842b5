# SPDX-License-Identifier: GPL-2.0-or-later
"""Cases of `vfio-claim list` on captured machines: what belongs to a card, and the verdict."""
import json
import os
import pty
import re
import shutil
import subprocess

from strace import Trace
from tree import HERE, Machine, Writer

TOP = os.path.dirname(os.path.dirname(HERE))
COMMAND = os.environ.get("VFIO_CLAIM", f"{TOP}/build/vfio-claim")
ROOT = f"{TOP}/build/roots/look"
CASES = []

# The card of each machine's displays: (companions, verdict). The firmware's display is the
# one of the machine's word `boot`.
CARDS = {
    "desktop": {"0000:00:02.0": ([], "claimable"),
                "0000:01:00.0": (["0000:01:00.1", "0000:01:00.2", "0000:01:00.3"], "claimable")},
    "laptop": {"0000:00:02.0": ([], "claimable"), "0000:01:00.0": ([], "claimable")},
    "twins": {"0000:05:00.0": (["0000:05:00.1"], "claimable"),
              "0000:0c:00.0": (["0000:0c:00.1"], "claimable")},
    # the audio of each Arc is behind a sibling port; USB beside the processor's graphics is
    # the processor's
    "arc": {"0000:03:00.0": (["0000:04:00.0"], "claimable"),
            "0000:09:00.0": (["0000:0a:00.0"], "claimable"),
            "0000:0c:00.0": ([], "claimable"), "0000:12:00.0": ([], "claimable")},
    "vmd": {"0000:00:02.0": ([], "claimable"), "0000:03:00.0": ([], "claimable")},
    # hybrid laptops and a box; what is beside AMD's graphics is the processor's
    "adder": {"0000:00:02.0": ([], "claimable"),
              "0000:01:00.0": (["0000:01:00.1"], "claimable")},
    "zephyrus": {"0000:03:00.0": (["0000:03:00.1"], "claimable"),
                 "0000:07:00.0": (["0000:07:00.1"], "claimable")},
    "swift": {"0000:00:02.0": ([], "claimable"), "0000:03:00.0": ([], "claimable")},
    "latitude": {"0000:00:02.0": ([], "claimable"), "0000:01:00.0": ([], "claimable")},
    "optimus": {"0000:00:02.0": ([], "claimable"), "0000:01:00.0": ([], "claimable")},
    "envy": {"0000:00:02.0": ([], "no-iommu"), "0000:01:00.0": ([], "no-iommu")},
    "elitebook": {"0000:c4:00.0": (["0000:c4:00.1"], "last-display")},
    "box": {"0000:00:02.0": ([], "claimable"),
            "0000:07:00.0": (["0000:07:00.1"], "group-not-viable")},
    "server": {"0000:02:00.0": ([], "claimable"),
               "0000:d9:00.0": (["0000:d9:00.1"], "claimable")},
}
BOOT = {"desktop": "0000:01:00.0", "laptop": "0000:00:02.0", "twins": "0000:0c:00.0",
        "arc": "0000:0c:00.0", "vmd": "0000:00:02.0", "server": "0000:02:00.0",
        "zephyrus": "0000:03:00.0", "elitebook": "0000:c4:00.0",
        **dict.fromkeys(("adder", "swift", "latitude", "optimus", "envy", "box"), "0000:00:02.0")}
GPU, USB = "0000:01:00.0", "0000:01:00.2"       # of the desktop
CONTROL = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Failed(Exception):
    pass


def check(good, what):
    if not good:
        raise Failed(what)


def same(what, found, wanted):
    check(found == wanted, f"{what}: {found!r}, not {wanted!r}")


def case(function):
    CASES.append((function.__name__.replace("_", "-"), function))
    return function


def run(*words, root=ROOT, text=True, **more):
    return subprocess.run([COMMAND, *words, "--root", root], capture_output=True, text=text,
                          check=False, stdin=subprocess.DEVNULL, timeout=120, **more)


def good(*words, root=ROOT, **more):
    done = run(*words, root=root, **more)
    check(done.returncode == 0, f"{words}: exit status {done.returncode}: {done.stderr}")
    return done.stdout


def write(machine, change=None):
    if isinstance(machine, str):
        machine = Machine(machine, 256 if machine == "server" else None)
    if change:
        change(machine)
    shutil.rmtree(ROOT, ignore_errors=True)
    machine.write(ROOT)
    return machine


def put(path, content):
    os.makedirs(os.path.dirname(f"{ROOT}/{path}"), exist_ok=True)
    with open(f"{ROOT}/{path}", "wb") as out:
        out.write(content if isinstance(content, bytes) else content.encode())


def look(root=ROOT):
    return json.loads(good("list", "--json", root=root))


def cards(found=None):
    """{display: card} with the companions' addresses."""
    result = {}
    for card in (found or look())["cards"]:
        display, *rest = [f["address"] for f in card["functions"]]
        result[display] = {**card, "companions": rest}
    return result


def card(address=GPU):
    found = cards()
    check(address in found, f"no card {address} among {list(found)}")
    return found[address]


def judged(verdict, *words, address=GPU):
    found = card(address)
    same("verdict", found["verdict"], verdict)
    for word in words:
        check(word in found["detail"], f"{word!r} is not in {found['detail']!r}")
    check(found["detail"] in good("list"), "list does not say so")


# ---- cards and what belongs to them

def on_machine(name):
    def test():
        write(name)
        found = cards()
        same("cards", {a: (c["companions"], c["verdict"]) for a, c in found.items()}, CARDS[name])
        same("boot display", [a for a, c in found.items() if c["boot_display"]], [BOOT[name]])
        text = good("list")
        for address, (companions, _) in CARDS[name].items():
            for each in (address, *companions):
                check(re.search(rf"^ *{each} ", text, re.M), f"{each} has no line")
    CASES.append((f"cards-{name}", test))


for machine_name in CARDS:
    on_machine(machine_name)


@case
def twins_are_not_unique():
    write("twins")
    same("unique", [f["unique"] for c in look()["cards"] for f in c["functions"]], [False] * 4)
    write("desktop")
    same("unique", [f["unique"] for f in card()["functions"]], [True] * 4)


@case
def companion_by_link():
    """A consumer in another slot is the card's, a bridge and another display are not."""
    machine = write("desktop")
    for other in ("0000:00:1f.3", "0000:00:1c.0", "0000:00:02.0", "0000:00:17.0", "0000:77:00.0"):
        Writer(ROOT).link(f"{machine.get(GPU).directory}/consumer:pci:{other}",
                          f"sys/devices/virtual/devlink/pci:{GPU}--pci:{other}")
    same("companions", card()["companions"],
         ["0000:00:1f.3", "0000:01:00.1", "0000:01:00.2", "0000:01:00.3"])


@case
def chipset_switch_is_nobodys():
    def change(machine):
        nic = machine.get("0000:0d:00.0")
        nic.cls, nic.vendor, nic.words = 0x030000, 0x1022, []
    write("arc", change)
    same("companions", card("0000:0d:00.0")["companions"], [])


@case
def switch_with_a_stranger_is_nobodys():
    def change(machine):
        machine.get("0000:04:00.0").cls = 0x020000
    write("arc", change)
    same("companions", card("0000:03:00.0")["companions"], [])


@case
def switch_with_anothers_audio_is_nobodys():
    def change(machine):
        machine.get("0000:04:00.0").vendor = 0x1102
    write("arc", change)
    same("companions", card("0000:03:00.0")["companions"], [])


@case
def switch_with_two_displays_is_nobodys():
    def change(machine):
        machine.get("0000:04:00.0").cls = 0x030000
    write("arc", change)
    same("companions", [c["companions"] for a, c in cards().items()
                        if a in ("0000:03:00.0", "0000:04:00.0")], [[], []])


@case
def second_display_of_a_slot():
    def change(machine):
        machine.get("0000:01:00.1").cls = 0x038000
    machine = write("desktop", change)
    same("cards", list(cards()), ["0000:00:02.0", GPU])
    same("companions", card()["companions"], ["0000:01:00.1", "0000:01:00.2", "0000:01:00.3"])
    Writer(ROOT).link(f"{machine.get('0000:01:00.1').directory}/physfn",
                      machine.get(GPU).directory)
    same("cards with a virtual function", list(cards()), ["0000:00:02.0", GPU, "0000:01:00.1"])


@case
def processors_audio():
    """AMD's graphics have their own audio (1002); the rest of the slot is the processor's."""
    def change(machine):
        machine.get("0000:12:00.2").vendor = 0x1002
        machine.get("0000:12:00.2").cls = 0x040300
    write("arc", change)
    same("companions", card("0000:12:00.0")["companions"], ["0000:12:00.2"])


# ---- displays

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


# ---- the verdict

@case
def last_display():
    write("desktop", lambda m: m.drop("0000:00:02.0"))
    judged("last-display", "last display", "--no-display-ok")
    write("desktop", lambda m: setattr(m.get("0000:00:02.0"), "driver", "vfio-pci"))
    judged("last-display")
    judged("claimed", "vfio-pci", address="0000:00:02.0")


@case
def group_not_viable():
    def change(machine):
        machine.get("0000:03:00.0").group, machine.get("0000:03:00.0").driver = "2", "nvme"
    write("desktop", change)
    put("usr/share/misc/pci.ids", "144d  Samsung\n\ta804  SM961\n")
    judged("group-not-viable", "group 2", "0000:03:00.0 (Samsung SM961)", "nvme", "another slot")
    write("desktop", lambda m: (change(m), setattr(m.get("0000:03:00.0"), "driver", "vfio-pci")))
    judged("claimable")


@case
def group_with_what_has_no_driver():
    """As the plan at boot: it may get one, if the kernel has modules."""
    write("desktop", lambda m: setattr(m.get("0000:00:14.2"), "group", "2"))
    judged("claimable")
    put("proc/sys/kernel/osrelease", "6.1.0-9-amd64\n")
    os.makedirs(f"{ROOT}/lib/modules/6.1.0-9-amd64")
    judged("group-not-viable", "0000:00:14.2", "host driver")
    write("desktop", lambda m: setattr(m.get("0000:00:1f.0"), "group", "2"))
    put("lib/modules/x", "")
    judged("claimable")


@case
def no_iommu():
    write("desktop", lambda m: m.no_iommu())
    judged("no-iommu", "firmware's set-up")
    put("sys/firmware/acpi/tables/DMAR", "")
    judged("no-iommu", "intel_iommu=on")
    write("desktop", lambda m: setattr(m.get(USB), "group", None))
    judged("no-iommu", USB)
    write("desktop")
    put("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n")
    judged("no-iommu", "enable_unsafe_noiommu_mode")


@case
def claimed():
    def change(machine):
        for function in machine.functions:
            if function.address.startswith("0000:01:00."):
                function.driver = "vfio-pci"
    write("desktop", change)
    judged("claimed", "vfio-pci")
    write("desktop", lambda m: (change(m), setattr(m.get(USB), "driver", "xhci_hcd")))
    judged("claimed", "3 of its 4")


@case
def unreadable():
    machine = write("desktop")
    put(f"{machine.get(USB).directory}/uevent", "nothing of use\n")
    judged("unreadable", USB)
    check("1 function cannot be read" in run("list").stderr, "nothing on stderr")
    machine = write("desktop")
    put(f"{machine.get(USB).directory}/config", b"\xff" * 64)
    judged("unreadable", USB, "does not answer")


@case
def not_root():
    """What root alone may read is missing."""
    machine = write("desktop")
    os.unlink(f"{ROOT}/proc/iomem")
    for function in machine.functions:
        with open(f"{ROOT}/{function.directory}/config", "r+b") as config:
            config.truncate(64)
    judged("claimable")
    same("boot display", card()["boot_display"], True)


# ---- names

PCI_IDS = ("10de  NVIDIA Corporation\n\t2184  TU116 [GeForce GTX 1660]\n"
           "8086  Intel\n\t1912  HD Graphics 530\n")


@case
def names():
    write("desktop")
    put("usr/share/misc/pci.ids", PCI_IDS)
    same("name", card()["functions"][0]["name"], "NVIDIA Corporation TU116 [GeForce GTX 1660]")
    same("unknown", card()["functions"][1]["name"], "NVIDIA Corporation Device 1aeb")


@case
def hostile_names():
    machine = write("desktop")
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eX\rY\x7f"
    put("usr/share/misc/pci.ids", PCI_IDS.replace("TU116", evil).encode() + b"\xff\xfe\n")
    put(f"{machine.get(USB).directory}/uevent",
        f"DRIVER=a{evil}b\nPCI_CLASS=C0330\nPCI_ID=10DE:1AEC\nPCI_SUBSYS_ID=1458:3FC4\n")
    connector(machine, 1, GPU, f"DP-{evil}")
    for words in ((), ("--all",), ("--groups",), ("--json",)):
        done = run("list", *words, text=False)
        same("exit status", done.returncode, 0)
        text = (done.stdout + done.stderr).decode()
        check(not CONTROL.search(text), f"{words}: control characters: {text!r}")
        check("owned" in text or words == ("--groups",), f"{words}: the name is gone")
    look()


@case
def hostile_database():
    """Malformed, packed, a link out of the root: numbers then, or this machine's names."""
    bomb = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + bytes(64)
    for content in (b"10de  A\n\txxxx  B\n", b"10de  A\n10de  A\n", bytes(1000), bomb,
                    b"A" * 100000, b"\t2184  B\n", b""):
        write("desktop")
        put("usr/share/misc/pci.ids", content)
        check(card()["functions"][0]["name"], "there is no name")
    write("desktop")
    os.makedirs(f"{ROOT}/usr/share/misc")
    secret = f"{os.path.dirname(ROOT)}/secret.ids"
    with open(secret, "w", encoding="ascii") as out:
        out.write("10de  Secret\n\t2184  Secret\n")
    os.symlink(secret, f"{ROOT}/usr/share/misc/pci.ids")
    check("Secret" not in good("list"), "a link leads out of the root")
    os.unlink(secret)


# ---- the forms of output

@case
def what_can_be_set_before_binding():
    write("desktop")
    same("nothing", [(f["reset_methods"], f["bar_sizes"]) for f in card()["functions"]],
         [([], {})] * 4)
    for name, text in (("reset_method", "flr bus"), ("resource1_resize", "0000000000007f00"),
                       ("resource5_resize", "0000080000000001"), ("resource2_resize", "x")):
        with open(f"{ROOT}/sys/bus/pci/devices/{GPU}/{name}", "w", encoding="utf-8") as out:
            out.write(text + "\n")
    found = card()["functions"][0]
    same("reset methods", found["reset_methods"], ["flr", "bus"])
    same("sizes", found["bar_sizes"], {"1": ["256M", "512M", "1G", "2G", "4G", "8G", "16G"],
                                       "5": ["1M", "8388608T"]})


@case
def json_is_stable():
    write("arc")
    found = look()
    same("keys", sorted(found), ["cards", "functions", "groups", "iommu", "version"])
    same("keys of a card", sorted(found["cards"][0]),
         ["boot_display", "boot_vga", "connected", "detail", "functions", "shape", "verdict"])
    keys = ["address", "class", "driver", "group", "id", "name", "path", "readable", "subsystem"]
    same("keys of a function", sorted(found["functions"][0]), keys)
    same("keys of a card's", sorted(found["cards"][0]["functions"][0]),
         sorted(keys + ["serial", "unique", "reset_methods", "bar_sizes"]))
    addresses = [f["address"] for f in found["functions"]]
    same("order", addresses, sorted(addresses))
    same("functions", addresses, sorted(f.address for f in Machine("arc").functions))
    same("paths", [f["path"] for f in found["functions"]],
         [f.path for f in sorted(Machine("arc").functions, key=lambda f: f.address)])
    members = {g["group"]: g["functions"] for g in found["groups"]}
    same("order of groups", list(members), sorted(members))
    same("group 16", members[16], ["0000:05:00.0"])
    same("no group", found["functions"][0]["group"], None)
    write("vmd")
    same("serial", card("0000:03:00.0")["functions"][0]["serial"], "00-11-22-ff-fe-33-44-55")
    same("sorted", [f["address"] for f in look()["functions"]][-2:],
         ["10000:e0:06.0", "10000:e1:00.0"])


@case
def all_and_groups():
    machine = write("arc")
    every = good("list", "--all")
    same("lines", len(every.splitlines()), len(machine.functions))
    for env in ("C", "C.UTF-8"):
        text = good("list", "--groups", env={**os.environ, "LC_ALL": env})
        for function in machine.functions:
            lines = re.findall(rf"^.{{2,3}} {function.address} ", text, re.M)
            same(function.address, len(lines), 1)
        check("Group 17\n" in text and "No group\n" in text, text)
        check(text.isascii() == (env == "C"), f"{env}: {text}")


def on_terminal(*words, **env):
    main, other = pty.openpty()
    clean = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    with subprocess.Popen([COMMAND, *words, "--root", ROOT], stdout=other, stdin=other,
                          env={**clean, "TERM": "linux", **env}) as process:
        os.close(other)
        text = b""
        try:
            while chunk := os.read(main, 65536):
                text += chunk
        except OSError:         # the other end is closed
            pass
        process.wait()
    os.close(main)
    return text.decode().replace("\r\n", "\n")


@case
def colour_on_a_terminal_only():
    write("desktop")
    check("\033[32m" in on_terminal("list"), "no colour on a terminal")
    check("\033" not in on_terminal("list", NO_COLOR="1"), "NO_COLOR")
    check("\033" not in on_terminal("list", TERM="dumb"), "TERM=dumb")
    check("\033" not in on_terminal("list", "--json"), "JSON")
    check("\033" not in good("list"), "in a pipe")
    same("without colours", re.sub(r"\033\[[0-9;]*m", "", on_terminal("list")), good("list"))


@case
def usage_of_list():
    write("desktop")
    for words in (["--blunder"], ["more"]):
        same("exit status", run("list", *words).returncode, 2)
    check("--groups" in good("list", "--help"), "--help")


@case
def no_card_at_all():
    write("desktop", lambda m: m.drop("0000:00:02.0", "0000:00:01.0"))
    check("no graphics card" in good("list"), "it says nothing")
    shutil.rmtree(f"{ROOT}/sys")
    check("no graphics card" in good("list"), "it says nothing")
    same("cards", look()["cards"], [])


# ---- what it costs

def calls(*words):
    log = f"{ROOT}.strace"
    trace = Trace.of([COMMAND, *words, "--root", ROOT], log)
    os.unlink(log)
    same("exit status", trace.status, 0)
    same("paths changed", trace.changed, [])
    return trace.calls


@case
def system_calls():
    """Below a captured root an access takes three; what is only listed needs no more than
    its uevent, its path and its group."""
    listed = (["--all"], 9), (["--groups"], 9), (["--json"], 9)
    for size, kinds in ((256, listed), (4096, (([], 3), (["--json"], 9)))):
        write(Machine("server", size))
        put("usr/share/misc/pci.ids", PCI_IDS)
        for words, each in kinds:
            found, most = calls("list", *words), 600 + each * size
            check(found <= most, f"{size} functions, {words}: {found} calls, at most {most}")


@case
def system_calls_of_displays():
    """Every network function a display in a group of its own: still linear."""
    machine = Machine("server", 512)
    for function in machine.functions:
        if function.cls == 0x020000:
            function.cls = 0x030000
    write(machine)
    put("usr/share/misc/pci.ids", PCI_IDS)
    found = calls("list")
    check(found <= 500 + 45 * 512, f"{found} calls")
