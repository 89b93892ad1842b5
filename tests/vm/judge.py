# SPDX-License-Identifier: GPL-2.0-or-later
"""What the cases share: how findings are judged, and changes of the good scene."""
import json

from domain import CARD, QEMU
from cases import Failed

NIC = "0000:02:00.0"            # a function that is no part of the card


def check(good, what):
    if not good:
        raise Failed(what)


def same(what, found, wanted):
    check(found == wanted, f"{what}: {found!r}, not {wanted!r}")


def findings(done):
    check(not done.stderr, f"it says {done.stderr[:300]!r}")
    report = json.loads(done.stdout)
    same("version", report["version"], 1)
    found = report["findings"]
    problem = any(f["severity"] == "problem" and not f["fixed"] for f in found)
    same("status", done.returncode, 1 if problem else 0)
    for f in found:
        check(f["detail"] and f["severity"] in ("note", "warning", "problem"), f"odd: {f}")
        check(f.get("mend"), f"no mend: {f}")
        check((f["detail"] + f["mend"]).isprintable(), f"control characters: {f}")
    return found


def judge(found, expected):
    """Exactly these codes; {code: (severity, text...)}."""
    same("codes", sorted({f["code"] for f in found}), sorted(expected))
    for code, (severity, *texts) in expected.items():
        mine = [f for f in found if f["code"] == code]
        check(any(f["severity"] == severity and
                  all(t in f["detail"] + " | " + f["mend"] for t in texts) for f in mine),
              f"{code}: {severity} with {texts} is not in {mine}")


def judge_words(found, done):
    """The same in words, in lines of at most 79 where words allow it."""
    text = done.stdout.decode()
    for line in text.splitlines():
        check(line.isprintable(), f"control characters: {line!r}")
        longest = max(map(len, line.split()), default=0)
        check(len(line) <= max(79, 9 + longest), f"a line of {len(line)}: {line}")
    flat = "".join(text.split())
    for f in found:
        said = f["detail"] + "Mend:" + f["mend"]
        check("".join(said.split()) in flat, f"not in words: {f}")


# ---- changes of a scene


def put(path, content):
    return lambda scene: scene.files.update({path: content})


def gone(*paths):
    return lambda scene: [scene.files.pop(path) for path in paths]


def text(old, new):
    return lambda scene: scene.replace(old, new)


def all_of(*changes):
    def change(scene):
        for step in changes:
            step(scene)
    return change


def no_hostdevs(scene):
    scene.no_metadata()
    scene.drop(*CARD)


def renumbered(scene):
    scene.machine.renumber("0000:01", "0000:04")


def pushed(scene):
    """The network card got the graphics card's bus."""
    scene.machine.renumber("0000:01", "0000:04")
    scene.machine.renumber("0000:02", "0000:01")


def awaited(scene):
    """The card's audio is optional, and not there."""
    line = scene.machine.get(CARD[1]).line()
    scene.conf = scene.conf.replace(line, f"{line} optional=yes")
    scene.machine.drop(CARD[1])


def awaited_and_taken(scene):
    """At its address is the network card, which the host has."""
    awaited(scene)
    pushed(scene)
    other = scene.machine.get("0000:01:00.0")
    other.address, other.driver = CARD[1], "r8169"


def two_claims(scene):
    scene.machine.get(NIC).driver = "vfio-pci"
    scene.files["dev/vfio/8"] = ""
    scene.claims["net"] = [NIC]
    scene.note()


def swapped_only(scene):
    scene.machine.renumber("0000:01", "0000:09")
    scene.machine.renumber("0000:02", "0000:01")
    scene.machine.renumber("0000:09", "0000:02")


RAW = text("</devices>\n", "</devices>\n  <qemu:commandline xmlns:qemu='" + QEMU + "'>\n"
           "    <qemu:arg value='-device'/>\n    <qemu:arg value='vfio-pci,host=01:00.0'/>\n"
           "  </qemu:commandline>\n")
