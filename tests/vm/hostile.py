# SPDX-License-Identifier: GPL-2.0-or-later
"""XML and names that nobody should trust, and wrong usage."""
import os
import xml.etree.ElementTree as ET

from domain import BUILD, CARD, NAME, URI, Scene, backups, command, hostdevs, read
from judge import check, findings, same

CASES = []


def case(function):
    CASES.append(function)
    return function


BOMB = ('<!DOCTYPE domain [<!ENTITY a "' + "a" * 1000 + '">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 20}">' for a, b in zip("abcdefg", "bcdefgh")) + "]>\n")
HOSTILE = {
    "empty": (b"", b"does not begin"),
    "no XML": (b"hello\n", b"does not begin"),
    "not closed": (b"<domain type='kvm'>", b"no valid XML: line 1"),
    "wrong tag": (b"<domain type='kvm'>\n<a></b></domain>", b"line 2"),
    "comment only": (b"<!-- x -->", b"does not begin"),
    "comment not closed": (b"<!-- x ", b"does not begin"),
    "bomb": (BOMB.encode() + b"<domain type='kvm'><name>&h;</name><devices/></domain>",
             b"does not begin"),
    "outside entity": (b'<!DOCTYPE d SYSTEM "http://127.0.0.1/x.dtd"><domain/>', b"does not begin"),
    "unknown entity": (b"<domain type='kvm'><name>&xxe;</name><devices/></domain>",
                       b"no valid XML"),
    "UTF-16": ("<domain type='kvm'><devices/></domain>".encode("utf-16"), b""),
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-<domain/>',
              b"does not begin"),
    "NUL": (b"<domain type='kvm'>\0<devices/></domain>", b""),
    "latin": (b"<domain type='kvm'><title>\xe9</title><devices/></domain>", b"no valid XML"),
    "huge": (b"<domain type='kvm'><devices/><title>" + b"x" * (1 << 20) + b"</title></domain>",
             b"larger than any domain"),
    "deep": (b"<domain type='kvm'>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</domain>",
             b"no valid XML"),
    "another root": (b"<network/>", b"no domain of QEMU"),
    "another type": (b"<domain type='lxc'><devices/></domain>", b"no domain of QEMU"),
    "no devices": (b"<domain type='kvm'/>", b"no domain of QEMU"),
    "escapes": (b"<domain type='kvm'>\n<\x1b[2J></domain>", b"no valid XML"),
}
ODD = {
    "minimal": b"<domain type='kvm'><devices/></domain>",
    "comments": b"<!-- a --><!-- <b> --> <?pi?><domain type='kvm'><!-- > --><devices/></domain>"
                b"<!-- -->",
    "BOM": b"\xef\xbb\xbf<domain type='qemu'><devices></devices></domain>",
    "CDATA": b"<domain type='kvm'><title><![CDATA[<a b=\"c\">]]></title><devices/></domain>",
    "strange numbers": b"<domain type='kvm'><memory unit='parsec'>99999999999999999999</memory>"
                       b"<vcpu>-1</vcpu><cpu><topology sockets='x'/></cpu><devices>"
                       b"<controller type='pci' index='99999999999999999999'/>"
                       b"<hostdev type='pci'><source><address domain='0x100000000' bus='0'"
                       b" slot='0' function='0'/></source></hostdev>"
                       b"<hostdev type='pci'><source><address bus='0x1' slot='32' function='0'/>"
                       b"</source></hostdev><hostdev type='pci'><source/></hostdev>"
                       b"<hostdev type='pci'/><hostdev/></devices></domain>",
    "default namespace": b"<domain type='kvm'><metadata><claims xmlns='" + URI.encode() +
                         b"'><claim/><claim name=''/><claim name='a b'/><claim name='gaming'>"
                         b"<function/><function path='x' address='y'/></claim></claims></metadata>"
                         b"<devices/></domain>",
    "many hostdevs": b"<domain type='kvm'><devices>" + b"".join(
        b"<hostdev type='pci'><source><address bus='0x%02x' slot='0' function='0'/></source>"
        b"</hostdev>" % i for i in range(200)) + b"</devices></domain>",
}


@case
def hostile_xml(folder):
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    for name, (content, told) in HOSTILE.items():
        scene.files[f"etc/libvirt/qemu/{NAME}.xml"] = content
        scene.text = None
        scene.write(root)
        for words in (["check", NAME], ["check", NAME, "--fix"], ["detach", NAME],
                      ["attach", NAME, "--claim", "gaming"]):
            done = command(*words, root=root)
            same(f"{name}: status of {words}", done.returncode, 1)
            check(told in done.stderr and not done.stdout, f"{name}: {done.stderr[:300]}")
            check(done.stderr.decode().strip().isprintable(), f"{name}: {done.stderr[:300]}")
        same(f"{name}: copies", backups(root), [])


@case
def odd_xml(folder):
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    for name, content in ODD.items():
        scene.files[f"etc/libvirt/qemu/{NAME}.xml"] = content
        scene.text = None
        scene.write(root)
        findings(command("check", NAME, "--json", root=root))
        done = command("check", NAME, "--fix", root=root)
        check(done.returncode in (0, 1) and not done.stderr, f"{name}: {done.stderr}")
        scene.write(root)
        command("detach", NAME, root=root)
        done = command("attach", NAME, "--claim", "gaming", root=root)
        if name not in ("strange numbers", "many hostdevs"):
            same(f"{name}: attach", (done.returncode, done.stderr), (0, b""))
            same(f"{name}: places", set(hostdevs(read(root))), set(CARD))
            ET.fromstring(read(root))


@case
def hostile_names(folder):
    root = f"{BUILD}/{folder}/root"
    scene = Scene()
    scene.files["etc/libvirt/secret.xml"] = scene.text
    scene.write(root)
    for name in ("../secret", "/etc/passwd", ".", "..", "", "a/b", "\x1b[2J", "x" * 300,
                 "caf\udce9", "no-such"):
        for words in (["check"], ["detach"], ["attach", "--claim", "gaming"]):
            done = command(words[0], "--root", root, *words[1:], "--", name)
            same(f"status of {name!r}", done.returncode, 1)
            check(done.stderr.decode().strip().isprintable() and not done.stdout, f"{done.stderr}")
    os.symlink("/etc/passwd", f"{root}/etc/libvirt/qemu/link.xml")
    same("a link out of the root", command("check", "link", root=root).returncode, 1)


@case
def usage(folder):
    root = f"{BUILD}/{folder}/root"
    Scene().write(root)
    for words in (["check"], ["check", NAME, "more"], ["attach", NAME],
                  ["attach", "--claim", "gaming"],
                  ["attach", NAME, "--claim", "a b"], ["attach", NAME, "--claim"], ["detach"],
                  ["detach", NAME, "--claim", ""], ["check", "--unknown", NAME],
                  ["check", NAME, "--root", "/no/such"]):
        done = command(*words, root=None if "--root" in words else root)
        same(f"status of {words}", (done.returncode, done.stdout), (2, b""))
    for word in ("check", "attach", "detach"):
        done = command(word, "--help")
        check(done.returncode == 0 and b"DOMAIN" in done.stdout, f"{word} --help")
        check(all(len(line) < 80 for line in done.stdout.decode().splitlines()), f"{word}: wide")
