# SPDX-License-Identifier: GPL-2.0-or-later
"""A captured machine with a domain that has nothing to complain of: a claimed card, on vfio-pci,
in a q35 guest with Windows. A case changes the machine, its files or the domain."""
import os
import shutil
import sys
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [f"{TOP}/tests/lib"]
sys.path.append(f"{TOP}/tests/roots")      # its cases are not ours
# pylint: disable=wrong-import-position
from cases import Failed
from prefork import Prefork
from tree import Machine

BUILD = f"{TOP}/build/vm"
COMMAND = os.environ.get("VFIO_CLAIM_VM", f"{TOP}/build/vfio-claim-vm")
NAME = "win11"
CARD = [f"0000:01:00.{i}" for i in range(4)]
URI = "https://vfio-claim.dev/xmlns/domain/1"
INFO = "http://libosinfo.org/xmlns/libvirt/domain/1.0"
QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"
BACKUPS = "var/lib/vfio-claim/vm/backup"
ROM = "/usr/share/vgabios/card.rom"
GOOD_ROM = b"\x55\xaa\x40" + bytes(509)
DIR, FIFO = object(), object()
for prefix, uri in (("vfio-claim", URI), ("libosinfo", INFO), ("qemu", QEMU)):
    ET.register_namespace(prefix, uri)

PROLOG = """<!--
WARNING: THIS IS AN AUTO-GENERATED FILE. CHANGES TO IT ARE LIKELY TO BE
OVERWRITTEN AND LOST. Changes to this xml configuration should be made using:
  virsh edit win11
or other application using the libvirt API.
-->

"""


def hostdev(source, guest, multifunction=False, managed="no"):
    def place(text):
        domain, bus, rest = text.split(":")
        slot, function = rest.split(".")
        return f"domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' function='0x{function}'"
    more = " multifunction='on'" if multifunction else ""
    return f"""    <hostdev mode='subsystem' type='pci' managed='{managed}'>
      <driver name='vfio'/>
      <source>
        <address {place(source)}/>
      </source>
      <address type='pci' {place(guest)}{more}/>
    </hostdev>
"""


def recorded(name, functions):
    text = "".join(f'        <vfio-claim:function path="{path}" address="{address}"/>\n'
                   for path, address in functions)
    return f'      <vfio-claim:claim name="{name}">\n{text}      </vfio-claim:claim>\n'


def good_domain(machine):
    """As libvirt writes it, quotes and all."""
    claim = recorded("gaming", [(machine.get(a).path, a) for a in CARD])
    devices = "".join(hostdev(a, f"0000:02:00.{a[-1]}", a == CARD[0]) for a in CARD)
    return f"""<domain type='kvm'>
  <name>{NAME}</name>
  <uuid>11111111-2222-3333-4444-555555555555</uuid>
  <title>Bob's "game" &amp; more</title>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="{INFO}">
      <libosinfo:os id="http://microsoft.com/win/11"/>
    </libosinfo:libosinfo>
    <vfio-claim:claims xmlns:vfio-claim="{URI}">
{claim}    </vfio-claim:claims>
  </metadata>
  <memory unit='KiB'>8388608</memory>
  <currentMemory unit='KiB'>8388608</currentMemory>
  <vcpu placement='static'>8</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.ms.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.ms.fd'>/var/lib/libvirt/qemu/nvram/w.fd</nvram>
  </os>
  <features>
    <acpi/>
    <hyperv mode='custom'>
      <relaxed state='on'/>
    </hyperv>
  </features>
  <cpu mode='host-passthrough' check='none'>
    <topology sockets='1' dies='1' cores='4' threads='2'/>
  </cpu>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-root-port'>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/>
    </controller>
    <controller type='pci' index='2' model='pcie-root-port'>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x1'/>
    </controller>
    <interface type='network'>
      <source network='default'/>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </interface>
    <tpm model='tpm-crb'>
      <backend type='emulator' version='2.0'/>
    </tpm>
    <video>
      <model type='none'/>
    </video>
{devices}    <memballoon model='none'/>
  </devices>
</domain>
"""


IDS = """10de  NVIDIA Corporation
\t104a  GF119 [GeForce GT 610]
\t2184  TU116 [GeForce GTX 1660]
\t1180  GK104 [GeForce GTX 680]
1002  Advanced Micro Devices, Inc. [AMD/ATI]
\t7340  Navi 14 [Radeon RX 5500]
"""


def good_files():
    return {
        "usr/share/misc/pci.ids": IDS,
        "usr/share/OVMF/OVMF_CODE_4M.ms.fd": "", "usr/share/OVMF/OVMF_VARS_4M.ms.fd": "",
        "usr/bin/swtpm": "", "dev/vfio/vfio": "", "dev/vfio/2": "",
        "proc/meminfo": "MemTotal:       33554432 kB\nMemFree: 1 kB\nHugepagesize:       2048 kB\n",
        "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "0\n",
        "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "0\n",
        "sys/module/kvm/parameters/ignore_msrs": "Y\n",
        "sys/module/apparmor/parameters/enabled": "Y\n",
        "etc/apparmor.d/abstractions/libvirt-qemu":
            "  #include <abstractions/base>\n  /usr/share/vgabios/** r,\n"
            "  owner /srv/** r,\n  @{HOME}/** r,\n",
        "etc/libvirt/qemu.conf": '#user = "root"\n# cgroup_device_acl = [ "/dev/null" ]\n',
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"
                      "libvirt-qemu:x:64055:104:Libvirt Qemu:/var/lib/libvirt:/bin/false\n",
        "etc/group": "root:x:0:\nkvm:x:104:alice\nroms:x:200:alice,libvirt-qemu\n",
    }


class Scene:
    """`text` is the domain as text, `prolog` what stands before it."""

    def __init__(self, machine="desktop", card=tuple(CARD)):
        self.machine = Machine(machine)
        for address in card:
            self.machine.get(address).driver = "vfio-pci"
        self.files = good_files()
        self.claims = {"gaming": list(card)}
        self.prolog, self.text = PROLOG, good_domain(self.machine) if card == tuple(CARD) else ""
        self.note()

    def note(self, **more):
        """Writes the configuration as the machine is now."""
        self.conf = "[host]\nrequire-display = yes\n"
        for name, addresses in self.claims.items():
            self.conf += f"\n[claim {name}]\n" + "".join(
                self.machine.get(a).line(**more) + "\n" for a in addresses)

    def replace(self, old, new, count=1):
        if old not in self.text:
            raise Failed(f"the domain has no {old!r}")
        self.text = self.text.replace(old, new, count)

    def drop(self, *addresses):
        """Takes these hostdevs out."""
        root = ET.fromstring(self.text)
        devices = root.find("devices")
        for node in devices.findall("hostdev"):
            if source_of(node) in addresses:
                devices.remove(node)
        self.text = ET.tostring(root, encoding="unicode") + "\n"

    def no_metadata(self):
        begin, end = self.text.index("    <vfio-claim:claims"), self.text.index("  </metadata>")
        self.text = self.text[:begin] + self.text[end:]

    def rom(self, path, content=GOOD_ROM, mode=0o644):
        self.replace("      <address type='pci' domain='0x0000' bus='0x02'",
                     f"      <rom file='{path}'/>\n"
                     "      <address type='pci' domain='0x0000' bus='0x02'")
        if content is not None:
            self.files[path[1:]] = (content, mode)

    def write(self, root):
        shutil.rmtree(root, ignore_errors=True)
        self.machine.write(root)
        files = {"etc/vfio-claim.conf": self.conf, **self.files}
        if self.text is not None:
            files[f"etc/libvirt/qemu/{NAME}.xml"] = self.prolog + self.text
        for path, content in files.items():
            put(f"{root}/{path}", content)


def put(path, content):
    content, mode = content if isinstance(content, tuple) else (content, 0o644)
    if content is None:
        return
    if content is DIR:
        os.makedirs(path)
        os.chmod(path, mode)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if content is FIFO:
        os.mkfifo(path, mode)
        return
    with open(path, "wb") as out:
        out.write(content if isinstance(content, bytes) else content.encode())
    os.chmod(path, mode)


def numbers(address, *keys):
    return [int(address.attrib[key], 16) for key in keys]


def source_of(node):
    domain, bus, slot, function = numbers(node.find("source/address"), "domain", "bus", "slot",
                                          "function")
    return f"{domain:04x}:{bus:02x}:{slot:02x}.{function:x}"


def guest_of(node):
    bus, slot, function = numbers(node.find("address"), "bus", "slot", "function")
    return f"{bus:02x}:{slot:02x}.{function:x}"


def hostdevs(text):
    """{source: guest} of a domain's text."""
    return {source_of(node): guest_of(node)
            for node in ET.fromstring(text).findall("devices/hostdev")}


def metadata(text):
    """{claim: [address]}"""
    return {claim.get("name"): [f.get("address") for f in claim]
            for claim in ET.fromstring(text).iter(f"{{{URI}}}claim")}


def read(root, name=NAME):
    with open(f"{root}/etc/libvirt/qemu/{name}.xml", encoding="utf-8") as text:
        return text.read()


def backups(root):
    folder = f"{root}/{BACKUPS}"
    return sorted(f"{folder}/{n}" for n in os.listdir(folder)) if os.path.isdir(folder) else []


PROGRAM = Prefork(COMMAND, {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                            # a build with ASan does not like to come second
                            "ASAN_OPTIONS": "detect_leaks=1:verify_asan_link_order=0"})


def command(*words, root=None):
    return PROGRAM.run(*words, *(["--root", root] if root else []))
