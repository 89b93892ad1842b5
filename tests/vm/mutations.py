# SPDX-License-Identifier: GPL-2.0-or-later
"""What compare.py must notice: a command line of ours, or of libvirt's, with one thing changed."""
import re

import captured
import compare
import libvirt
from cases import Failed
from combos import commands

# everything that a line can have
SAID = ["--os", "win11", "--iso", "/srv/win11.iso", "--virtio-win", "/srv/virtio-win.iso",
        "--rom", "/srv/card.rom", "--disk", "/srv/disk.qcow2", "--looking-glass", "1920x1080",
        "--usb", "046d:c52b", "--evdev", "--hugepages", "--sound", "spice"]
# (what is changed, where, into what), in a text with an argument a line
OURS = [
    ("a root port's address", r"(pcie-root-port.*addr=0x2\.0x)1\b", r"\g<1>7"),
    ("a chassis", r"chassis=2\b", "chassis=99"),
    ("a port's number", r"port=17\b", "port=99"),
    ("a port that has no others", r"(pcie-root-port.*),multifunction=on", r"\1"),
    ("a function fewer", r"-device\nvfio-pci,host=0000:01:00\.1.*\n", ""),
    ("a function's number", r"(vfio-pci.*addr=0x0\.0x)1\b", r"\g<1>2"),
    ("the card's port", r"(vfio-pci,host=0000:01:00\.0.*bus=pci\.)(\d+)", r"\g<1>2"),
    ("another card", r"host=0000:01:00\.0", "host=0000:02:00.0"),
    ("no ROM", r",romfile=[^,\n]*", ""),
    ("a flag fewer", r",hv-vapic=on", ""),
    ("a flag's value", r"hv-spinlocks=0x1fff", "hv-spinlocks=0xfff"),
    ("a flag off", r"hv-stimer=on", "hv-stimer=off"),
    ("another model", r"-cpu\nhost", "-cpu\nmax"),
    ("threads", r"(-smp\n.*)threads=\d", r"\1threads=7"),
    ("memory", r"-m\n\d+", "-m\n1024"),
    ("the size of pages", r"hugetlbsize=2048K", "hugetlbsize=1G"),
    ("no pages in advance", r"prealloc=on", "prealloc=off"),
    ("emulation", r"-accel\nkvm", "-accel\ntcg"),
    ("the chipset", r"-machine\nq35", "-machine\npc"),
    ("no SMM", r"smm=on", "smm=off"),
    ("writable firmware", r"(node-name=firmware),read-only=on", r"\1"),
    ("other firmware", r"OVMF_CODE_4M\.\w+\.fd", "OVMF_CODE.fd"),
    ("firmware the other way round", r"pflash0=firmware,pflash1=variables",
     "pflash0=variables,pflash1=firmware"),
    ("open variables", r"-global\ndriver=cfi\.pflash01.*\n", ""),
    ("a clock in UTC", r"base=localtime", "base=utc"),
    ("HPET", r"hpet=off", "hpet=on"),
    ("unlocked memory", r"-overcommit\n.*\n", ""),
    ("another disk", r"/srv/disk\.qcow2", "/srv/disk.img"),
    ("the format", r"(-blockdev\ndriver=)qcow2", r"\1raw"),
    ("the page cache", r"cache\.direct=on", "cache.direct=off"),
    ("threads for the disk", r"aio=\w+", "aio=threads"),
    ("no discard", r"discard=unmap", "discard=ignore"),
    ("no thread for the disk", r",iothread=[^,\n]*", ""),
    ("another order", r"bootindex=1\b", "bootindex=9"),
    ("an ISO fewer", r"-device\nide-cd,.*bus=ide\.0.*\n", ""),
    ("another MAC", r"mac=52:54:00", "mac=52:54:01"),
    ("the TPM's kind", r"tpm-crb", "tpm-tis"),
    ("less shared memory", r"(id=shared.*size=)\d+M", r"\g<1>16M"),
    ("another USB device", r"productid=0xc52b", "productid=0xc52c"),
    ("keys that do not repeat", r"(input-linux.*),repeat=on", r"\1"),
    ("a keyboard fewer", r"-object\ninput-linux.*kbd.*\n", ""),
    ("sound elsewhere", r"(-audiodev\n)(driver=)?spice", r"\1\2none"),
    ("another name", r"guest=guest", "guest=other"),
]
THEIRS = [
    ("a root port's address", r'("pcie-root-port".*"addr":"0x2\.0x)1"', r'\g<1>7"'),
    ("a function fewer", r'-device\n\{"driver":"vfio-pci","host":"0000:01:00\.1".*\n', ""),
    ("the card's port", r'("host":"0000:01:00\.0".*"bus":"pci\.)\d+', r"\g<1>2"),
    ("a flag fewer", r",hv-vapic=on", ""),
    ("writable firmware", r'("libvirt-pflash0-format","read-only":)true', r"\1false"),
    ("the page cache", r'"direct":true', '"direct":false'),
    ("another MAC", r'"mac":"52:54:00', '"mac":"52:54:01'),
    ("an option more", r"$", "\n-no-reboot"),
]


def _judge(line, changes, machine):
    wrong, text = [], "\n".join(line)
    form = compare.normal(line, machine)
    for what, pattern, into in changes:
        changed = re.sub(pattern, into, text)
        if changed == text:
            wrong.append(f"{what}: {pattern} is not there")
            continue
        try:
            if not compare.differences(compare.normal(changed.split("\n"), machine), form):
                wrong.append(f"{what}: not noticed")
        except (LookupError, ValueError):
            pass                # it does not hold together any more, which is noticed, too
    if wrong:
        raise Failed("\n        ".join(wrong))


def _made(name):
    root = f"{captured.BUILD}/{name}/root"
    captured.write("desktop", root)
    done = captured.create(root, "--claim", captured.CLAIM, "--print-xml", "--print-qemu", *SAID,
                           "guest")
    if done.returncode:
        raise Failed(done.stderr.decode())
    xml, end, script = done.stdout.decode().partition("</domain>\n")
    return xml + end, script


def mutations_ours(name):
    """one thing changed in our command line is seen"""
    line = next(words for words in commands(_made(name)[1]) if words[0] == libvirt.EMULATOR)
    _judge(line, OURS, libvirt.connect().machine)


def mutations_theirs(name):
    """one thing changed in libvirt's command line is seen"""
    connection = libvirt.connect()
    _judge(connection.native(_made(name)[0]), THEIRS, connection.machine)


CASES = [mutations_ours, mutations_theirs]
