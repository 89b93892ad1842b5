#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Option combinations of `vfio-claim vm create`, the same ones every time.

usage: combos.py URI FIRST BEHIND       what `judge` says of these rows, as a line of JSON each
"""
import concurrent.futures
import dataclasses
import itertools
import json
import os
import random
import re
import subprocess
import sys
from xml.etree import ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, f"{os.path.dirname(HERE)}/lib"]

# pylint: disable=wrong-import-position
import captured
import compare
import libvirt
import shell
from cases import Failed

ROOTS = f"{captured.BUILD}/machines"
XML = f"{captured.BUILD}/combinations/xml"
SCHEMA = "/usr/share/libvirt/schemas/domain.rng"
JOBS = int(os.environ.get("JOBS") or os.cpu_count())
COUNT = 5000

# What a shell, XML, QEMU's lists and libvirt would each like to read as their own.
HOSTILE = [
    "it's", "'", "''", 'say "hi"', "a & b < c > d", "&amp;", "&#10;", "&unknown;", "]]>",
    "<![CDATA[x", "<!--", "-->", "</name>", "<?x?>", "`id`", "$(id)", "${HOME}", "$", ";reboot",
    "|cat", "a&&b", "#no", "~root", "*?[a]", "!x", "\\", "back\\slash", "end\\", "\\n", "\\'",
    "a,b", "a,,b", ",", ",readonly=on", "x,id=y,file=z", "a=b", "=", "on", "0x10", "{",
    '{"driver":"file"}', "json:{}", "nbd:x", "%s%n%d", "100%", "a  b", " in front", "behind ",
    "ünïcödé 名前 😀", "e\u0301", "\u00a0", "z" * 60, "(", ")", ">out", "a:b", "@",
    "a\u2019b", "--", "a--b", "..a", "a/b",
]
# What no option may take: nothing, controls, what is not UTF-8 or not a character of XML's.
BAD = [b"", b"a\nb", b"\n", b"a\tb", b"a\rb", b"\x01", b"\x1b[31m", b"\x7f", b"a\xc2\x85b",
       b"\xff\xfe", b"a\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
       b"\xef\xbf\xbe", b"\xef\xbf\xbf"]
LONG = "/srv/" + "/".join(["l" * 200] * 4)


def hostile_path(text):
    return f"/srv/hostile/{text}"


PATHS = [hostile_path(text) for text in HOSTILE] + [LONG]
NAMES = [text for text in HOSTILE if "/" not in text and not text.startswith(("-", "."))]
INPUTS = ["/dev/input/by-id/usb-Maker_Keys-event-kbd",
          "/dev/input/by-id/usb-Maker_Mouse-event-mouse"]
HOSTILE_INPUTS = [f"/dev/input/by-id/{text}" for text in HOSTILE]

# option: what it can be; None leaves it out, a tuple is given several times, HERE stands for
# one of a list of its own
ANY = {"NAME": NAMES, "title": HOSTILE + ["t" * 3000], "iso": PATHS, "disk": PATHS, "rom": PATHS,
       "virtio-win": PATHS, "evdev": HOSTILE_INPUTS,
       "network": [f"network:{text}" for text in NAMES]}
CHOICES = {
    "machine": list(captured.MACHINES),
    "NAME": ["guest", "any"],
    "os": ["win11", "win10", "linux"],
    "title": [None, "A title", "any"],
    "iso": [None, ("/srv/win11.iso",), ("/srv/debian.iso", "/srv/win11.iso"), ("any",)],
    "disk": [None, ("none",), ("64G",), ("/srv/disk.qcow2",), ("/srv/disk.img", "10G"),
             ("/dev/nvme0n1",), ("any",)],
    "disk-bus": [None, "virtio", "sata"],
    "memory": [None, "4G", "6144", "8G"],
    "cpus": [None, "1", "2", "3"],
    "secure-boot": [None, "yes", "no"],
    "tpm": [None, "yes", "no"],
    "rom": [None, "/srv/card.rom", "any"],
    "virtio-win": [None, "none", "/srv/virtio-win.iso", "any"],
    "display": [None, "none", "spice"],
    "code43": [None, "auto", "yes", "no"],
    "x-vga": [None, True],
    "hugepages": [None, True],
    "pin": [None, True],
    "usb": [None, ("046d:c52b",), ("046d:c52b", "1b1c:1b3d")],
    "evdev": [None, (True,), (INPUTS[0],), tuple(INPUTS), ("any",)],
    "looking-glass": [None, "1920x1080", "3840x2160"],
    "network": [None, "default", "user", "none", "network:lan", "bridge:br0", "any"],
    "sound": [None, "none", "spice", "pulse"],
    "type": [None, "kvm", "qemu"],
    "no-libvirt": [None, True],
    "dry-run": [None, True],
}


@dataclasses.dataclass
class Row:
    chosen: dict                # the names of CHOICES
    values: dict                # the same with a text where "any" stood
    options: list               # words before the name

    @property
    def hostile(self):
        return any("any" in (value if isinstance(value, tuple) else (value,))
                   for value in self.chosen.values())

    def words(self):
        return [*self.options, "--", self.values["NAME"]]

    def refused(self):
        """The option that cannot be had together with the others, or None."""
        of = self.values
        if of["sound"] == "spice" and of["display"] != "spice" and \
                (of["display"] == "none" or not of["looking-glass"]):
            return "--sound"
        return None


def _row(chosen, dice):
    values = {}
    for name, value in chosen.items():
        if isinstance(value, tuple):
            values[name] = tuple(dice.choice(ANY[name]) if v == "any" else v for v in value)
        else:
            values[name] = dice.choice(ANY[name]) if value == "any" else value
    options = ["--claim", captured.CLAIM]
    given = [name for name in values if name not in ("machine", "NAME")]
    dice.shuffle(given)
    for name in given:
        value = values[name]
        for v in value if isinstance(value, tuple) else (value,):
            if v is True:
                options.append(f"--{name}")
            elif v is not None:
                # both ways of getopt; an optional value stands behind a '=' only
                options += [f"--{name}={v}"] if name == "evdev" or dice.random() < 0.5 \
                    else [f"--{name}", v]
    return Row(chosen, values, options)


def rows():
    """COUNT rows that can be made, and those on the way that cannot."""
    dice, made = random.Random(7), 0
    while made < COUNT:
        row = _row({name: dice.choice(values) for name, values in CHOICES.items()}, dice)
        made += not row.refused()
        yield row


def bad_words():
    """(what the message has to name, words) of what must be refused."""
    start = ["--claim", captured.CLAIM, "--os", "linux"]
    yield from ((b"name", [*start, "--", text]) for text in
                (*BAD, b"a/b", b"/", b".", b"..", b".a", b"-a", b"--title", b"n" * 61, b"n" * 300))
    for option in ("title", "iso", "disk", "rom", "virtio-win", "evdev", "network", "usb",
                   "looking-glass", "memory", "cpus", "claim", "os", "type", "sound"):
        for text in BAD:
            front = {"iso": b"/srv/hostile/", "rom": b"/srv/hostile/", "disk": b"/srv/hostile/",
                     "virtio-win": b"/srv/hostile/", "evdev": b"/dev/input/by-id/",
                     "network": b"network:"}.get(option, b"")
            text = front + text if text else text
            kept = [] if option in ("claim", "os") else start
            other = {"claim": ["--os", "linux"], "os": ["--claim", captured.CLAIM]}
            yield (f"--{option}".encode(), [*kept, *other.get(option, []),
                                            f"--{option}=".encode() + text, "guest"])
    # more than the controller's ports
    yield b"--usb", [*start, *(f"--usb=046d:{number:04x}" for number in range(15)), "guest"]
    for option, text in (
            ("network", "bridge:a b"), ("network", "bridge:"), ("network", "bridge:" + "b" * 16),
            ("network", "bridge:a,b"), ("network", "network:"), ("network", "network:a/b"),
            ("network", "nat"), ("disk", "disk.qcow2"), ("disk", "0G"), ("disk", "-1G"),
            ("disk", "/srv/none"), ("disk", "64X"), ("iso", "win11.iso"), ("iso", "/srv/none"),
            ("rom", "/srv/win11.iso"), ("rom", "card.rom"), ("memory", "0"), ("memory", "8Q"),
            ("memory", "9999G"), ("memory", "99999999999999999999G"), ("cpus", "0"),
            ("cpus", "-1"), ("cpus", "99999"), ("cpus", "two"), ("usb", "046d"),
            ("usb", "046d:c52b:1"), ("usb", "046g:c52b"), ("looking-glass", "1920"),
            ("looking-glass", "0x0"), ("looking-glass", "99999999999x2"), ("type", "xen"),
            ("sound", "beep"), ("display", "gtk"), ("disk-bus", "ide"), ("code43", "maybe"),
            ("secure-boot", "1"), ("tpm", "2.0"), ("evdev", "/dev/input/none"),
            ("claim", "other"), ("os", "win12")):
        # who names a claim that is not there has said --claim
        yield f"--{option}".encode().removeprefix(b"--" if option == "claim" else b""), \
            [*start, f"--{option}={text}", "guest"]


def prepare():
    """The machines, with every file that a row names."""
    for name in captured.MACHINES:
        root = f"{ROOTS}/{name}"
        captured.write(name, root)
        for path in PATHS + HOSTILE_INPUTS:
            os.makedirs(os.path.dirname(root + path), exist_ok=True)
            with open(root + path, "wb") as out:
                out.write(captured.ROM)
        for folder in ("/srv/hostile/", "/dev/input/by-id/"):
            for text in BAD:
                if text:
                    with open((root + folder).encode() + text, "wb") as out:
                        out.write(captured.ROM)


# ---- what is made of a row

# Nothing of the script is run: without a PATH bash has only these.
STUBS = "PATH=\n" + "".join(
    f"{name}() {{ printf '%s\\0' {name} \"$@\"; printf '\\0'; return {status}; }}\n"
    for name, status in (("test", 1), ("mkdir", 0), ("cp", 0), ("swtpm", 0), ("swtpm_setup", 0),
                         ("qemu-img", 0), (libvirt.EMULATOR, 0)))


def commands(text):
    """The commands of a printed script, split as a shell splits them."""
    found = []
    for line in text.replace("\\\n\t", " ").split("\n"):
        if line and not line.startswith("#"):
            words = shell.split(line)
            if words[0] == "test":              # … || what is done
                at = words.index("||")
                found += [words[:at], words[at + 1:]]
            else:
                found.append(words)
    return found


def by_bash(text):
    done = subprocess.run(["bash", "-c", STUBS + text], check=False, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=20)
    if done.returncode or done.stderr:
        raise ValueError(f"bash says {done.stderr[-200:]!r}")
    return [[word.decode() for word in command.split(b"\0")]
            for command in done.stdout.removesuffix(b"\0\0").split(b"\0\0")]


def strings_of(row, domain):
    """Sentences: what of the user's is not in the XML as it was said."""
    wrong, of = [], row.values

    def same(what, found, wanted):
        if found != wanted:
            wrong.append(f"{what} in the XML: {found!r}, not {wanted!r}")

    same("the name", domain.findtext("name"), of["NAME"])
    same("the title", domain.findtext("title"), of["title"])
    disks = domain.findall("devices/disk")
    found = {kind: [disk.find("source").get("file") or disk.find("source").get("dev")
                    for disk in disks if disk.get("device") == kind]
             for kind in ("disk", "cdrom")}
    isos = [path for path in (*(of["iso"] or ()), of["virtio-win"]) if path not in (None, "none")]
    if of["os"] == "linux":
        isos = list(of["iso"] or ())
    same("the ISO files", found["cdrom"], isos)
    same("the disks' paths", [path for path in found["disk"] if path.startswith(("/srv", "/dev"))],
         [path for path in of["disk"] or () if path.startswith("/")])
    same("the ROM", [rom.get("file") for rom in domain.findall("devices/hostdev/rom")
                     if rom.get("file")], [of["rom"]] if of["rom"] else [])
    inputs = [source.get("dev") for source in
              domain.findall("devices/input[@type='evdev']/source")]
    # without a path it is all that udev calls a keyboard or a mouse
    wanted = INPUTS if of["evdev"] == (True,) else of["evdev"] or ()
    same("evdev", sorted(inputs), sorted(wanted))
    network = (of["network"] or "default").partition(":")
    source = domain.find("devices/interface/source")
    if network[0] in ("network", "bridge"):
        same("the network", source.get(network[0]), network[2])
    return wrong


def judge(row, connection, keep=None):
    """What is wrong with what is made of a row, as sentences."""
    done = captured.create(f"{ROOTS}/{row.values['machine']}", "--print-xml", "--print-qemu",
                           *row.words())
    if option := row.refused():
        good = done.returncode == 1 and not done.stdout and option.encode() in done.stderr
        return [] if good else [f"not refused for {option}: {done.returncode}, {done.stderr!r}"]
    if done.returncode:
        return [f"exit status {done.returncode}: {done.stderr.decode(errors='replace')[-400:]}"]
    end = done.stdout.index(b"</domain>\n") + len(b"</domain>\n")
    xml, script = done.stdout[:end].decode(), done.stdout[end:].decode()
    if keep:
        with open(keep, "w", encoding="utf-8") as out:
            out.write(xml)
    domain = ElementTree.fromstring(xml)
    wrong = strings_of(row, domain)
    try:
        connection.define(xml)
        theirs = compare.normal(connection.native(xml), connection.machine)
    except libvirt.LibvirtError as error:
        return [*wrong, f"libvirt: {error}"]
    made = commands(script)
    if row.hostile and by_bash(script) != made:
        wrong.append("a shell reads the script in another way")
    line = next(words for words in made if words[0] == libvirt.EMULATOR)
    ours = compare.normal(line, connection.machine)
    if not connection.kvm:
        ours = compare.same_type(ours)
    wrong += compare.differences(ours, theirs)
    kinds = [interface.get("type") for interface in domain.findall("devices/interface")]
    if compare.networks(line) != [compare.PLAIN_NETWORK[kind] for kind in kinds]:
        wrong.append(f"network {kinds} in the XML, {compare.networks(line)} for QEMU")
    return wrong


# ---- the cases

def _parts(count):
    """As many ranges as there are jobs."""
    edges = [count * part // JOBS for part in range(JOBS + 1)]
    return zip(edges, edges[1:])


def _tell(wrong, total):
    """Raises Failed with one row for each kind of sentence."""
    kinds = {}
    for number, sentences in wrong.items():
        for sentence in sentences:
            kinds.setdefault(re.sub(r"'[^']*'|[0-9a-f]+", "", sentence)[:80], []).append(
                f"row {number}: {sentence[:500]}")
    if kinds:
        raise Failed(f"{len(wrong)} of {total}\n" + "\n".join(
            f"        {len(seen)} x {seen[0]}" for seen in list(kinds.values())[:30]))


def _content(folder):
    """Every path with what tells whether it was touched."""
    return {path: (stat.st_mode, stat.st_size, stat.st_mtime_ns)
            for path, stat in ((path, os.lstat(path)) for where, folders, files in
                               os.walk(folder) for path in
                               (os.path.join(where, name) for name in folders + files))}


def combinations(_):
    """5,000 of them: schema, libvirtd, and both command lines the same"""
    os.makedirs(XML)
    everything, wrong = list(rows()), {}
    before = _content(ROOTS)
    # libvirt's time and ours are of several processes
    workers = [subprocess.Popen([sys.executable, "-B", __file__, libvirt.URI[0], str(first),
                                 str(behind)], stdout=subprocess.PIPE, text=True,
                                preexec_fn=libvirt.end_with_parent)
               for first, behind in _parts(len(everything))]
    for worker in workers:
        for line in worker.communicate()[0].splitlines():
            number, sentences = json.loads(line)
            wrong[number] = sentences
        if worker.returncode:
            raise Failed(f"a worker ends with status {worker.returncode}")
    if len(wrong) != len(everything):
        raise Failed(f"{len(wrong)} rows were judged, not {len(everything)}")
    if changed := sorted(dict(before.items() ^ _content(ROOTS).items())):
        wrong[-3] = [f"changed: {changed[:5]}"]
    files = sorted(os.listdir(XML))
    if len(files) != COUNT:
        wrong[-1] = [f"{len(files)} XML files were made, not {COUNT}"]
    # what virt-xml-validate runs, which takes one file
    checks = [subprocess.Popen(["xmllint", "--noout", "--relaxng", SCHEMA,
                                *files[first:behind]], cwd=XML, text=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
              for first, behind in _parts(len(files))]
    validated = 0
    for check in checks:
        for line in check.communicate()[1].splitlines():
            validated += line.endswith(" validates")
            if line.endswith(" fails to validate"):
                wrong[int(line.partition(".")[0])] += ["the schema refuses it"]
    if validated != len(files):
        wrong[-2] = [f"{validated} of {len(files)} files are valid"]
    _tell({number: sentences for number, sentences in wrong.items() if sentences},
          len(everything))


def pairs(_):
    """every two values of two options are in one of the rows"""
    seen, wanted = set(), set()
    for row in rows():
        if not row.refused():
            seen |= set(itertools.combinations(sorted(row.chosen.items(), key=str), 2))
    for left, right in itertools.combinations(sorted(CHOICES, key=lambda name: (name,)), 2):
        wanted |= {tuple(sorted(((left, a), (right, b)), key=str))
                   for a in CHOICES[left] for b in CHOICES[right]}
    # no sound in a window without one
    wanted -= {(("display", "none"), ("sound", "spice"))}
    if wanted - seen:
        raise Failed(f"{len(wanted - seen)} of {len(wanted)} pairs are in no row, as "
                     f"{min(wanted - seen, key=str)}")
    strings = {text for row in rows() for text in row.words()}
    for name, texts in ANY.items():
        if missing := [text for text in texts if not any(text in s for s in strings)]:
            raise Failed(f"never said for {name}: {missing}")


def refused(_):
    """what no option may take: a message that names it, and nothing made"""
    everything = list(bad_words())

    def one(words):
        option, given = words
        done = captured.create(f"{ROOTS}/twins", "--print-xml", "--print-qemu", *given)
        wrong = []
        if done.returncode not in (1, 2):
            wrong.append(f"{given[-2:]}: exit status {done.returncode}")
        if done.stdout:
            wrong.append(f"{given[-2:]}: it prints {done.stdout[:200]!r}")
        if option not in done.stderr:
            wrong.append(f"{given[-2:]}: {option!r} is not in {done.stderr!r}")
        if re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stderr) or \
                done.stderr != done.stderr.decode(errors="replace").encode():
            wrong.append(f"{given[-2:]}: what it says is not clean: {done.stderr!r}")
        return wrong

    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        answers = dict(enumerate(pool.map(one, everything)))
    _tell({number: wrong for number, wrong in answers.items() if wrong}, len(everything))


def told(_):
    """what is only told, as text and as JSON, of names that are hostile; nothing is changed"""
    before, wrong = _content(ROOTS), {}
    chosen = [row for row in itertools.islice(rows(), 400)
              if row.chosen["NAME"] == "any" and not row.refused()][:40]

    def tell(row, *words):
        done = captured.create(f"{ROOTS}/{row.values['machine']}", *words, *row.words())
        if done.returncode:
            raise ValueError(f"{words}: exit status {done.returncode}: {done.stderr[-300:]!r}")
        return done.stdout.decode()

    def one(row):
        found = json.loads(tell(row, "--explain", "--json"))
        bad = [f"{key} in JSON: {found['machine'].get(key)!r}" for key, value in
               (("name", row.values["NAME"]), ("title", row.values["title"]))
               if found["machine"].get(key) != value]
        if "Q35" not in tell(row, "--explain"):
            bad.append("--explain does not explain")
        for line in tell(row, "--dry-run").splitlines():
            kind, _, text = line.partition(": ")
            # what is shown to be run is typed, too
            if kind == "would be run" and shell.split(text)[-2] != \
                    f"/var/lib/libvirt/images/{row.values['NAME']}" + (
                        "-2.qcow2" if row.chosen["disk"] == ("/srv/disk.img", "10G")
                        else ".qcow2"):
                bad.append(f"a shell would run another thing: {text}")
        return bad

    for number, row in enumerate(chosen):
        try:
            wrong[number] = one(row)
        except ValueError as error:
            wrong[number] = [str(error)]
    if before != _content(ROOTS):
        wrong[-1] = ["something was changed"]
    _tell({number: bad for number, bad in wrong.items() if bad}, len(chosen))


CASES = [combinations, pairs, refused, told]


def main():
    first, behind = int(sys.argv[2]), int(sys.argv[3])
    connection = libvirt.Connection(sys.argv[1])

    def one(number, row):
        try:
            return judge(row, connection, f"{XML}/{number}.xml")
        except (ValueError, LookupError, OSError, ElementTree.ParseError,
                subprocess.SubprocessError) as error:
            return [f"{type(error).__name__}: {error}"]

    # libvirt's time is another process's
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        found = {number: pool.submit(one, number, row) for number, row in
                 enumerate(itertools.islice(rows(), behind)) if number >= first}
    for number, answer in found.items():
        print(json.dumps([number, answer.result()]))


if __name__ == "__main__":
    main()
