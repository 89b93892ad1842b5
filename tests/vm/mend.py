# SPDX-License-Identifier: GPL-2.0-or-later
"""What check --fix makes of a domain; attach and detach on captured machines."""
import json
import os
import re
import xml.etree.ElementTree as ET

from domain import (BACKUPS, BUILD, CARD, NAME, QEMU, Scene, backups, command, hostdev, hostdevs,
                    metadata, read, recorded)
from judge import (NIC, RAW, all_of, awaited, awaited_and_taken, check, findings, judge,
                   no_hostdevs, pushed, renumbered, same, swapped_only, text, two_claims)
from width import LOOKING_GLASS, MODE, OLD_LIBVIRT, argument, cpu_has, widths

CASES = []
OTHER = "0000:03:00.0"


def case(function):
    CASES.append(function)
    return function


def fix(folder, scene, *words):
    root = f"{BUILD}/{folder}/root"
    scene.write(root)
    return root, command("check", NAME, "--fix", *words, root=root)


def judge_fix(folder, change, fixed):
    """What is fixed, that a copy was kept, and that nothing is left; the new text."""
    scene = Scene()
    change(scene)
    root, dry = fix(folder, scene, "--dry-run")
    same("dry run", read(root), scene.prolog + scene.text)
    same("copies of a dry run", backups(root), [])
    check(re.search(rb"\n[-+] ", dry.stdout), "no difference is shown")
    found = findings(command("check", NAME, "--fix", "--dry-run", "--json", root=root))
    check(not any(f["fixed"] for f in found), f"fixed: {found}")
    done = command("check", NAME, "--fix", "--json", root=root)
    found = findings(done)
    same("fixed", sorted({f["code"] for f in found if f["fixed"]}), sorted(fixed))
    same("fixed ones", [f for f in found if f["code"] in fixed and not f["fixed"]], [])
    kept = backups(root)
    same("copies", len(kept), 1)
    same("the copy's mode", os.stat(kept[0]).st_mode & 0o7777, 0o600)
    with open(kept[0], encoding="utf-8") as copy:
        same("the copy", copy.read(), scene.prolog + scene.text)
    check(re.fullmatch(rf"{NAME}-\d{{8}}-\d{{6}}\.xml", os.path.basename(kept[0])), kept[0])
    after = read(root)
    check(after.startswith(scene.prolog + "<domain"), "the comment is gone")
    judge(findings(command("check", NAME, "--json", root=root)), {})
    again = command("check", NAME, "--fix", root=root)
    same("again", (again.returncode, again.stdout), (0, b"0 problems, 0 warnings, 0 notes\n"))
    same("copies of nothing", backups(root), kept)
    return scene.text, after[len(scene.prolog):]


def lines_changed(before, after):
    before, after = before.splitlines(), after.splitlines()
    return [line.strip() for line in after if line not in before]


@case
def fix_moved(folder):
    before, after = judge_fix(folder, renumbered, ["address-moved"])
    same("sources", hostdevs(after), {f"0000:04:00.{i}": f"02:00.{i}" for i in range(4)})
    same("metadata", metadata(after), {"gaming": [f"0000:04:00.{i}" for i in range(4)]})
    same("lines", len(lines_changed(before, after)), 8)
    check("<title>Bob's \"game\" &amp; more</title>" in after, "the title")


@case
def fix_moved_without_metadata(folder):
    _, after = judge_fix(folder, all_of(Scene.no_metadata, pushed), ["address-moved"])
    same("metadata", metadata(after), {"gaming": [f"0000:04:00.{i}" for i in range(4)]})
    check('id="http://microsoft.com/win/11"' in after, "libosinfo's metadata")


@case
def fix_swapped(folder):
    """Two claims in the domain, whose buses changed places."""
    def change(scene):
        two_claims(scene)
        scene.replace("    </vfio-claim:claims>", recorded(
            "net", [(scene.machine.get(NIC).path, NIC)]) + "    </vfio-claim:claims>")
        scene.replace("    <memballoon", hostdev(NIC, "0000:03:00.0") + "    <memballoon")
        swapped_only(scene)
    _, after = judge_fix(folder, change, ["address-moved"])
    same("places", hostdevs(after), {**{f"0000:02:00.{i}": f"02:00.{i}" for i in range(4)},
                                     "0000:01:00.0": "03:00.0"})


@case
def fix_companions(folder):
    _, after = judge_fix(folder, lambda s: s.drop(CARD[1], CARD[3]), ["companion-missing"])
    same("places", hostdevs(after), {a: f"02:00.{a[-1]}" for a in CARD})
    same("managed", re.findall("managed='(.*?)'", after), ["no"] * 4)


@case
def fix_companions_without_metadata(folder):
    _, after = judge_fix(folder, all_of(Scene.no_metadata, lambda s: s.drop(CARD[1])),
                         ["companion-missing"])
    same("places", hostdevs(after), {a: f"02:00.{a[-1]}" for a in CARD})
    same("metadata", metadata(after), {"gaming": CARD})


@case
def fix_display_left_out(folder):
    """Its function 0 is what the others needed."""
    _, after = judge_fix(folder, lambda s: s.drop(CARD[0]), ["companion-missing"])
    same("places", hostdevs(after), {a: f"02:00.{a[-1]}" for a in CARD})
    same("multifunction", after.count("multifunction='on'"), 1)


@case
def fix_all_left_out(folder):
    """The metadata has the claim, the domain nothing of it: a new port."""
    _, after = judge_fix(folder, lambda s: s.drop(*CARD), ["companion-missing"])
    same("places", hostdevs(after), {a: f"03:00.{a[-1]}" for a in CARD})
    check("<controller type='pci' index='3' model='pcie-root-port'/>" in after, "no port")


@case
def fix_addresses(folder):
    """With what the libvirt that is there has a word for."""
    narrow = widths([46, 39], 46, LOOKING_GLASS)
    limit = "<maxphysaddr mode='passthrough' limit='39'/>"
    before, after = judge_fix(folder, narrow, ["address-width"])
    same("lines", lines_changed(before, after), [limit])
    before, after = judge_fix(folder, all_of(narrow, cpu_has("<maxphysaddr mode='passthrough'/>")),
                              ["address-width"])
    same("lines", lines_changed(before, after), [limit])
    same("limits", after.count("<maxphysaddr"), 1)


@case
def fix_addresses_of_a_model(folder):
    before, after = judge_fix(folder, widths([39], 46, LOOKING_GLASS, text(
        MODE, "<cpu mode='maximum' check='none'>")), ["address-width"])
    same("lines", lines_changed(before, after), ["<maxphysaddr mode='passthrough' limit='39'/>"])
    scene = Scene()
    widths([39], 46, text(MODE, "<cpu mode='host-model' check='none'>"))(scene)
    root, done = fix(folder, scene)
    same("status", done.returncode, 0)
    same("lines", lines_changed(scene.text, read(root)[len(scene.prolog):]),
         ["<maxphysaddr mode='emulate' bits='39'/>"])


@case
def fix_addresses_with_old_libvirt(folder):
    """In QEMU's own words, beside those that are there."""
    narrow = widths([39], 46, LOOKING_GLASS, OLD_LIBVIRT)
    words = ["-global", "max-x86_64-cpu.host-phys-bits-limit=39"]
    for there, change in (([], narrow),
                          (["-global", "a.b=c"], all_of(narrow, argument("a.b=c")))):
        _, after = judge_fix(folder, change, ["address-width"])
        found = [node.get("value") for node in ET.fromstring(after).iter(f"{{{QEMU}}}arg")]
        same("words", found, there + words)
        same("lines of words", after.count("<qemu:commandline"), 1)


@case
def fix_optional(folder):
    """The guest goes without what is not there, and gets it back."""
    left = [a for a in CARD if a != CARD[1]]
    for change, noted in ((all_of(Scene.no_metadata, awaited), {}), (awaited, {"gaming": left})):
        _, after = judge_fix(folder, change, ["function-absent"])
        same("places", hostdevs(after), {a: f"02:00.{a[-1]}" for a in left})
        same("metadata", metadata(after), noted)
    _, after = judge_fix(folder, lambda scene: setattr(scene, "text", after), ["companion-missing"])
    same("places", hostdevs(after), {a: f"02:00.{a[-1]}" for a in CARD})


@case
def fix_optional_and_taken(folder):
    """What has its address now does not go to the guest."""
    _, after = judge_fix(folder, awaited_and_taken, ["address-moved", "function-absent"])
    same("places", hostdevs(after), {f"0000:04:00.{i}": f"02:00.{i}" for i in (0, 2, 3)})
    same("metadata", metadata(after), {"gaming": [f"0000:04:00.{i}" for i in (0, 2, 3)]})


@case
def fix_managed(folder):
    before, after = judge_fix(folder, lambda s: s.replace("managed='no'", "managed='yes'", 2),
                              ["managed"])
    same("lines", before.replace("managed='yes'", "managed='no'"), after)


@case
def fix_multifunction(folder):
    judge_fix(folder, text(" multifunction='on'", ""), ["guest-function"])


@case
def fix_everything(folder):
    def change(scene):
        renumbered(scene)
        scene.drop(CARD[2])
        scene.replace('managed="no"', 'managed="yes"')
        scene.replace(' multifunction="on"', "")
    # the companion that comes back sees to multifunction
    _, after = judge_fix(folder, change, ["address-moved", "companion-missing", "managed"])
    same("places", hostdevs(after), {f"0000:04:00.{i}": f"02:00.{i}" for i in range(4)})


@case
def fix_leaves_the_rest(folder):
    """What cannot be mended stays, and is the status."""
    scene = Scene()
    renumbered(scene)
    scene.files.pop("usr/bin/swtpm")
    root, done = fix(folder, scene, "--json")
    found = findings(done)
    same("status", done.returncode, 1)
    same("open", [f["code"] for f in found if not f["fixed"]], ["swtpm-missing"])
    check(b"usr/bin/swtpm" in command("check", NAME, root=root).stdout, "in words")


@case
def fix_without_a_copy(folder):
    """Where no copy can be kept nothing is changed."""
    scene = Scene()
    renumbered(scene)
    scene.files[BACKUPS] = "in the way"
    root, done = fix(folder, scene)
    same("status", done.returncode, 1)
    check(b"no copy of it can be kept" in done.stderr, done.stderr)
    same("the domain", read(root), scene.prolog + scene.text)


# ---- attach and detach


def bare():
    scene = Scene()
    no_hostdevs(scene)
    return scene


@case
def attach_detach(folder):
    """And back, to the byte."""
    root = f"{BUILD}/{folder}/root"
    scene = bare()
    scene.write(root)
    # what libxml2 makes of the good text
    before = read(root)
    dry = command("attach", NAME, "--claim", "gaming", "--dry-run", root=root)
    same("dry run", (dry.returncode, read(root), backups(root)), (0, before, []))
    done = command("attach", NAME, "--claim", "gaming", root=root)
    same("status", (done.returncode, done.stderr), (0, b""))
    same("difference", done.stdout.split(b"win11 ")[0], dry.stdout.split(b"win11 ")[0])
    after = read(root)
    same("places", hostdevs(after), {a: f"03:00.{a[-1]}" for a in CARD})
    same("metadata", metadata(after), {"gaming": CARD})
    same("one element", after.count("<vfio-claim:claims"), 1)
    judge(findings(command("check", NAME, "--json", root=root)), {})
    again = command("attach", NAME, "--claim", "gaming", "--json", root=root)
    same("again", (again.returncode, json.loads(again.stdout)["outcome"]), (1, "refused"))
    same("unchanged", read(root), after)
    done = command("detach", NAME, "--json", root=root)
    same("detach", (done.returncode, json.loads(done.stdout)["outcome"]), (0, "detached"))
    same("as it was", ET.canonicalize(read(root)), ET.canonicalize(before))
    same("copies", len(backups(root)), 2)
    same("nothing more", command("detach", NAME, root=root).returncode, 1)


@case
def attach_two_claims(folder):
    root = f"{BUILD}/{folder}/root"
    scene = bare()
    two_claims(scene)
    scene.write(root)
    for claim in ("gaming", "net"):
        done = command("attach", NAME, "--claim", claim, root=root)
        same(claim, (done.returncode, done.stderr), (0, b""))
    same("metadata", metadata(read(root)), {"gaming": CARD, "net": [NIC]})
    same("one element", read(root).count("<vfio-claim:claims"), 1)
    done = command("detach", NAME, root=root)
    check(done.returncode == 1 and b"gaming, net" in done.stderr, done.stderr)
    same("first", command("detach", NAME, "--claim", "gaming", root=root).returncode, 0)
    after = read(root)
    same("left", (hostdevs(after), metadata(after)), ({NIC: "04:00.0"}, {"net": [NIC]}))
    check("index='3'" in after, "the port before the last one stays")
    same("second", command("detach", NAME, "--claim", "net", root=root).returncode, 0)
    check("<vfio-claim" not in read(root), "metadata is left")


@case
def attach_refused(folder):
    root = f"{BUILD}/{folder}/root"

    def refused(scene, *texts, words=("--claim", "gaming")):
        scene.write(root)
        before = read(root)
        done = command("attach", NAME, *words, root=root)
        same("status", done.returncode, 1)
        check(all(t in done.stderr for t in texts), f"{texts} not in {done.stderr}")
        same("the domain", (read(root), backups(root)), (before, []))

    scene = bare()
    scene.machine.get(CARD[1]).driver = "snd_hda_intel"
    refused(scene, b"0000:01:00.1", b"snd_hda_intel", b"vfio-claim claim gaming")
    scene = bare()
    scene.machine.drop(CARD[1])
    refused(scene, b"absent")
    refused(bare(), b"no such claim", b"gaming", words=("--claim", "other"))
    scene = bare()
    scene.conf = "[claim"
    refused(scene, b"/etc/vfio-claim.conf:1")
    scene = Scene()
    scene.no_metadata()
    scene.drop(*CARD[1:])
    refused(scene, b"is in the domain already")
    scene = bare()
    scene.replace('type="kvm"', 'type="xen"')
    refused(scene, b"no domain of QEMU")
    scene = bare()
    scene.replace('index="2"', 'index="255"')
    refused(scene, b"no place")


@case
def attach_i440fx(folder):
    root = f"{BUILD}/{folder}/root"
    scene = bare()
    scene.replace('model="pcie-root"', 'model="pci-root"')
    scene.replace('bus="0x01" slot="0x00"', 'bus="0x00" slot="0x03"')
    scene.write(root)
    done = command("attach", NAME, "--claim", "gaming", root=root)
    check(done.returncode == 0 and b"i440fx" in done.stdout, done.stdout[-300:])
    same("places", hostdevs(read(root)), {a: f"00:04.{a[-1]}" for a in CARD})
    check('model="pcie-root-port"' in read(root) or "pcie-root-port" in read(root), "ports stay")
    same("detach", command("detach", NAME, root=root).returncode, 0)
    same("none", hostdevs(read(root)), {})


@case
def detach_moved(folder):
    """By what is recorded, though it is elsewhere now; other people's hostdevs stay."""
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    scene.replace("    <memballoon", hostdev(OTHER, "0000:03:00.0") + "    <memballoon")
    renumbered(scene)
    scene.write(root)
    same("detach", command("detach", NAME, root=root).returncode, 0)
    same("left", hostdevs(read(root)), {OTHER: "03:00.0"})


@case
def detach_without_configuration(folder):
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    scene.conf = "[broken\n"
    scene.write(root)
    same("detach", command("detach", NAME, root=root).returncode, 0)
    same("left", hostdevs(read(root)), {})


@case
def round_trip(folder):
    """What is not changed is written as libvirt wrote it."""
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    RAW(scene)
    scene.replace("managed='no'", "managed='yes'")
    scene.write(root)
    command("check", NAME, "--fix", root=root)
    same("text", read(root), scene.prolog + scene.text.replace("managed='yes'", "managed='no'"))
