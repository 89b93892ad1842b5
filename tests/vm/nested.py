# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with the claimed card, under the libvirt and the KVM of the emulated machine."""

import os
import re
import time

import stock  # first: it says where the others lie
from booted import CARD, HOST, RENUMBERED, SECONDS, TWIN, Boot, Machine
from cases import Failed, equal
from state import State, same

PACKAGES = ["dosfstools", "e2fsprogs", "fdisk", "mmdebstrap", "mtools", "qemu-system-x86",
            "qemu-utils", "xz-utils", "zstd"]
NAME = "guest"
# The background of the heading that the guest writes, and the pixels that a heading has
COLOUR, BANNER = (170, 0, 170), 2000
# What the guest says of the claimed functions, which it has at an address of its own
WANTED = ["0x030000 bochs-drm", "0x040300 snd_hda_intel"]
LEAKS = 20                      # starts in a row

HOSTDEV = """
    <hostdev mode='subsystem' type='pci' managed='no'>
      <source><address domain='0x0000' bus='{bus}' slot='0x00' function='{function}'/></source>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='{function}'{multi}/>
    </hostdev>"""
DOMAIN = """<domain type='kvm'>
  <name>{name}</name>
  <memory unit='MiB'>384</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
    <loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>
    <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd'/>
  </os>
  <features><acpi/><apic/></features>
  <cpu mode='host-passthrough'/>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='/{image}'/>
      <target dev='vda' bus='virtio'/>
      <boot order='1'/>
    </disk>
    <controller type='pci' index='0' model='pcie-root'/>
    <controller type='pci' index='1' model='pcie-root-port'/>
    <controller type='usb' model='none'/>{hostdevs}
    <memballoon model='none'/>
  </devices>
</domain>
"""


# ---- what `vfio-claim vm` is to do

def _define(boot, bus):
    hostdevs = HOSTDEV.format(bus=bus, function="0x0", multi=" multifunction='on'") \
        + HOSTDEV.format(bus=bus, function="0x1", multi="")
    boot.write("/root/guest.xml", DOMAIN.format(name=NAME, image=stock.IMAGE, hostdevs=hostdevs))
    boot.must("virsh define /root/guest.xml")


def create(boot):
    """vfio-claim vm create NAME --claim gpu --os linux --disk /IMAGE --memory 384"""
    _define(boot, "0x01")


def mend(boot):
    """vfio-claim vm check NAME --fix"""
    _define(boot, "0x02")


# ---- what is seen of a guest

def ready(boot, label, old=""):
    """Waits until a guest that is not `old` has drawn on the claimed head, and judges that.
    Returns its boot's number. The head keeps the picture of a guest that is gone."""
    deadline = time.monotonic() + SECONDS
    while True:
        picture = boot.snap(CARD)
        if picture.count(COLOUR) > BANNER:
            text = boot.read(picture)
            number = re.search(r"^  boot (\S{36})\n  ready$", text, re.MULTILINE)
            if number and number[1] != old:
                break
        if time.monotonic() > deadline:
            boot.look(CARD, label)
            raise Failed(f"no guest draws on the claimed head after {SECONDS} s, see "
                         f"{boot.folder}/{label}.png")
        boot.check("waiting for the guest's picture")
        time.sleep(0.5)
    boot.look(CARD, label)
    found = re.findall(r"^  function \S+ (.*)$", text, re.MULTILINE)
    equal("display and audio of the guest", sorted(found), WANTED)
    if not re.search(r"^  sound [1-9]", text, re.MULTILINE):
        raise Failed(f"the guest has no sound card: {text}")
    if not re.search(r"^  disk [1-9]", text, re.MULTILINE):
        raise Failed(f"the guest has no disk: {text}")
    for head in (HOST, TWIN):
        equal(f"the guest is on the head {head}", boot.snap(head).count(COLOUR) > 0, False)
    return number[1]


def shut_down(boot):
    """By the guest's power button."""
    boot.must(f"virsh shutdown {NAME}")
    boot.until(f"virsh domstate {NAME} | grep -q 'shut off'", "shutting the guest down")


def begin(name, **words):
    """The machine of a case, and its first boot."""
    machine = Machine(f"{stock.BUILD}/{name}", stock.disk())
    return machine, up(machine, **words)


def up(machine, **words):
    """A boot that has come to its end, in which the card is claimed."""
    boot = Boot(machine, **words)
    boot.up()
    said = boot.must("vfio-claim status")
    if not re.search(r"^  gpu: claimed$", said, re.MULTILINE):
        raise Failed(f"the card is not claimed: {said.strip()}")
    # libvirt starts them with its first guest, and they stay
    boot.must("systemctl start virtlogd virtlockd && virsh list")
    return boot


# ---- cases

def nested_guest_draws(name):
    """A guest draws on the claimed head; when it has shut down, the host has what it had."""
    _, boot = begin(name)
    with boot:
        create(boot)
        before = State(boot)
        boot.must(f"virsh start {NAME}")
        ready(boot, "card")
        shut_down(boot)
        same(before, boot, "after the guest")


def nested_twenty_starts(name):
    """Started and stopped twenty times in a row, nothing leaks."""
    _, boot = begin(name)
    with boot:
        create(boot)
        before = None
        for number in range(LEAKS + 1):
            boot.must(f"virsh start {NAME} && virsh destroy {NAME}")
            if number == 0:
                # the first makes what stays: variables, folders
                before = State(boot)
        same(before, boot, f"after {LEAKS} guests")


def nested_renumbered(name):
    """A bus renumbered between two boots: the domain is mended, and starts."""
    machine, boot = begin(name)
    with boot:
        create(boot)
        boot.off()
    with up(machine, board=RENUMBERED) as boot:
        equal("the claimed functions",
              boot.must("cd /sys/bus/pci/drivers/vfio-pci && echo 0*").split(),
              ["0000:02:00.0", "0000:02:00.1"])
        if not boot.run(f"virsh start {NAME}").status:
            raise Failed("the domain starts with what is at the card's old place")
        mend(boot)
        boot.must(f"virsh start {NAME}")
        ready(boot, "card")
        shut_down(boot)


CASES = [nested_guest_draws, nested_twenty_starts, nested_renumbered]
LARGE = ["disk.qcow2"]


def prepare(_chosen):
    """What all cases share, before any of them is timed."""
    os.makedirs(stock.BUILD, exist_ok=True)
    stock.disk()
