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
    # the other card is a 3D controller: nothing the host could show a picture on
    "laptop": {"0000:00:02.0": ([], "last-display"), "0000:01:00.0": ([], "claimable")},
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
    "optimus": {"0000:00:02.0": ([], "last-display"), "0000:01:00.0": ([], "claimable")},
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
    Writer(ROOT).connector(machine.get(GPU), "card1", f"DP-{evil}", "connected")
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


# ---- claims

@case
def functions_of_claims():
    """Whose each function is; that of a claim with boot = named no other boot takes."""
    machine = write("desktop")
    line = {a: machine.get(a).line() + "\n" for a in (GPU, "0000:01:00.1", USB, "0000:03:00.0")}
    put("etc/vfio-claim.conf", f"[claim gpu]\nboot = named\n{line[GPU]}{line['0000:01:00.1']}"
        f"[claim usb]\n{line[USB]}[claim disk]\n{line['0000:03:00.0']}")
    named, always = ({"name": "gpu", "boot": "named"}, {"name": "usb", "boot": "always"})
    same("the card's", [f["claim"] for f in card()["functions"]], [named, named, always, None])
    same("all", {f["address"]: f["claim"]["name"] for f in look()["functions"] if f["claim"]},
         {GPU: "gpu", "0000:01:00.1": "gpu", USB: "usb", "0000:03:00.0": "disk"})
    told = good("list")
    check(f"    in the claim gpu: {GPU}, 0000:01:00.1; claimed only by a boot with vfio_claim=gpu "
          f"(boot = named)\n    in the claim usb: {USB}\n" in told, told)
    check("disk" not in told, told)
    for words in ("--all", "--groups"):
        lines = [re.findall(r"0000:\S+|\[claim .*\]$", each)
                 for each in good("list", words).splitlines() if "[claim" in each]
        same(words, {each[0]: each[-1] for each in lines},
             {GPU: "[claim gpu, boot = named]", "0000:01:00.1": "[claim gpu, boot = named]",
              USB: "[claim usb]", "0000:03:00.0": "[claim disk]"})


@case
def functions_of_a_whole_claim():
    """No list where it takes all of the card; what is elsewhere now is found."""
    machine = write("laptop")
    line = machine.get(GPU).line()
    put("etc/vfio-claim.conf", f"[claim gpu]\n{line}\n")
    check("    in the claim gpu\n" in good("list"), good("list"))
    put("etc/vfio-claim.conf", f"[claim gpu]\n{line.replace('/00.0', '/00.7')} unique=yes\n")
    same("moved", card()["functions"][0]["claim"], {"name": "gpu", "boot": "always"})
    put("etc/vfio-claim.conf", f"[claim gpu]\n{line.replace('id=10de:', 'id=10df:')}\n")
    same("another card", card()["functions"][0]["claim"], None)
    check("claim gpu" not in good("list"), good("list"))


@case
def claims_that_cannot_be_read():
    write("desktop")
    put("etc/vfio-claim.conf", "[claim gpu]\nboot = \x1b[31m\n")
    done = run("list")
    check(done.returncode == 0 and "/etc/vfio-claim.conf:2: " in done.stderr and
          not CONTROL.search(done.stderr), done.stderr)
    same("claim", card()["functions"][0]["claim"], None)


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
    keys = ["address", "claim", "class", "driver", "group", "id", "name", "path", "readable",
            "subsystem"]
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
