# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest with the claimed card, under the libvirt and the KVM of the emulated machine."""

import functools
import os
import re
import sys
import time

import stock  # first: it says where the others lie
from booted import CARD, HOST, RENUMBERED, SECONDS, TWIN, Boot, Crashed, Machine
from cases import Failed, equal
from state import State, at_rest, same

PACKAGES = ["dosfstools", "e2fsprogs", "fdisk", "mmdebstrap", "mtools", "qemu-system-x86",
            "qemu-utils", "xz-utils", "zstd"]
NAME = "guest"
# The background of the heading that the guest writes, and the pixels that a heading has
COLOUR, BANNER = (170, 0, 170), 2000
# What the guest says of the claimed functions, which it has at an address of its own
WANTED = ["0x030000 bochs-drm", "0x040300 snd_hda_intel"]
LEAKS = 20                      # starts in a row
FOLDERS = "find /var/lib/libvirt /var/lib/vfio-claim /etc/libvirt ! -name '*.log' | sort"


# ---- what `vfio-claim vm` does

def create(boot, *words):
    """Returns what is said besides; of a machine that is as it should be that is nothing."""
    done = boot.run(f"vfio-claim vm create {NAME} --claim gpu --os linux --disk /{stock.IMAGE} "
                    f"--memory 384M --cpus 1 --network none {' '.join(words)}")
    equal("status of vm create", (done.status, done.err if done.status else ""), (0, ""))
    return done.err.strip()


def mend(boot):
    said = boot.run(f"vfio-claim vm check {NAME}").out
    if "0000:01:00.0" not in said or "0000:02:00.0" not in said:
        raise Failed(f"vm check does not say what moved: {said}")
    boot.must(f"vfio-claim vm check {NAME} --fix")
    equal("what is wrong afterwards", boot.run(f"vfio-claim vm check {NAME}").status, 0)


def run_in_background(boot):
    """`vfio-claim vm run` with a terminal that the test can write to."""
    boot.must("mkfifo /run/typed && { setsid sh -c 'exec 3<>/run/typed; "
              f"vfio-claim vm run {NAME} <&3 >/run/told 2>&1; echo $? >/run/ended' & }}")


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

def draws(boot):
    """A guest draws on the claimed head; when it has shut down, the host has what it had."""
    before = at_rest(boot)
    boot.must(f"virsh start {NAME}")
    ready(boot, "card")
    shut_down(boot)
    same(before, boot, "after the guest")


def starts(boot):
    """Started and stopped many times in a row, nothing leaks."""
    before = None
    for number in range(LEAKS + 1):
        boot.must(f"virsh start {NAME} && virsh destroy {NAME}")
        if number == 0:
            # the first makes what stays: variables, folders
            before = at_rest(boot)
    same(before, boot, f"after {LEAKS} guests")


def is_removed(boot, before):
    """What create made is gone; the disk that was there before is not."""
    boot.must(f"virsh dominfo {NAME} && test -e /var/lib/libvirt/images/{NAME}-2.qcow2")
    boot.must(f"vfio-claim vm show {NAME} --format qemu >/run/machine.sh && sh -n /run/machine.sh")
    boot.must(f"vfio-claim vm remove {NAME} --storage --yes")
    equal("what remove leaves",
          sorted(set(boot.must(FOLDERS).split()) - set(before.split())), ["/var/lib/vfio-claim/vm"])


def needs_libvirt(boot):
    """Without rights, and without libvirt: refused with what to do, and nothing is made."""
    create_it = f"vfio-claim vm create {NAME} --claim gpu --os linux --disk none --memory 384M"
    for words, before, after in (
            ("usermod -aG libvirt", "runuser -u nobody --", ":"),
            ("install libvirt-daemon-system", "mv /usr/sbin/libvirtd /root/ && systemctl stop "
             "libvirtd.socket libvirtd-ro.socket libvirtd-admin.socket libvirtd &&",
             "mv /root/libvirtd /usr/sbin/ && systemctl start libvirtd"),
            ("install libvirt0", "mkdir /root/moved && mv /usr/lib/x86_64-linux-gnu/libvirt.so.0* "
             "/root/moved/ &&", "mv /root/moved/* /usr/lib/x86_64-linux-gnu/")):
        done = boot.run(f"{before} {create_it}")
        boot.must(after)
        if done.status != 1 or words not in done.err:
            raise Failed(f"{before}: status {done.status}, {done.err!r}")
    # a machine that libvirt knows nothing of comes and goes without it
    boot.must(f"mv /usr/sbin/libvirtd /root/ && {create_it} --no-libvirt --tpm yes && "
              f"uuid=$(vfio-claim vm show {NAME} --json | sed -n 's/.*\"uuid\": *\"\\(.*\\)\".*/\\1/p') && "
              "mkdir -p /var/lib/libvirt/swtpm/$uuid/tpm2 && "
              f"vfio-claim vm remove {NAME} --yes; status=$?; mv /root/libvirtd /usr/sbin/; "
              "rmdir /var/lib/libvirt/swtpm && exit $status")


def rom_in_the_way(boot):
    """What libvirt takes and QEMU cannot read is said at once."""
    boot.must("printf '\\125\\252' >/root/card.rom && chmod 600 /root/card.rom")
    said = create(boot, "--rom", "/root/card.rom")
    if "/root/card.rom cannot be read by libvirt-qemu" not in said.replace("\n         ", " "):
        raise Failed(f"of a ROM that QEMU may not read it says {said!r}")
    boot.must(f"vfio-claim vm remove {NAME} --yes && rm /root/card.rom")


def notices(boot):
    """What `same` is there for: whatever is left or lost is noticed."""
    before = at_rest(boot)
    boot.must("echo bochs-drm >/sys/bus/pci/devices/0000:02:00.0/driver_override && "
              "echo 0000:02:00.1 >/sys/bus/pci/drivers/snd_hda_intel/unbind && modprobe dummy && "
              "mount -t tmpfs left /mnt && touch /run/libvirt/left && chmod 600 /dev/vfio/vfio && "
              "mkdir /sys/fs/cgroup/left-machine && echo 8 >/proc/sys/vm/nr_hugepages && "
              "head -c 200M /dev/zero >/dev/shm/left && "
              "{ sleep 1000 3</dev/vfio/vfio & } && { (echo list; sleep 1000) | virsh >/dev/null & } && sleep 2")
    found = {text.partition(":")[0] for text in before.differences(State(boot))}
    equal("what is noticed", sorted(found),
          ["cgroups", "devices", "drivers", "files", "libvirtd", "locked", "memory", "modules",
           "mounts", "overrides", "processes", "vfio"])


def nested_libvirt(name):
    """By libvirt: a guest draws, twenty starts leak nothing, and it is removed again."""
    _, boot = begin(name)
    with boot:
        before = boot.must(FOLDERS)
        needs_libvirt(boot)
        rom_in_the_way(boot)
        equal("what is in the way", create(boot, "--disk", "2G"), "")
        draws(boot)
        starts(boot)
        is_removed(boot, before)
        notices(boot)


def runs(boot):
    """The same without libvirt: a guest draws, and the host has what it had."""
    before = at_rest(boot)
    run_in_background(boot)
    ready(boot, "card")
    busy = boot.run(f"vfio-claim vm run {NAME}")
    if not busy.status or "another machine uses the claim" not in busy.err:
        raise Failed(f"a second run says {busy.err!r}")
    kept = boot.run(f"vfio-claim vm remove {NAME} --yes")
    if kept.status != 1 or "end it first" not in kept.err:
        raise Failed(f"a machine that runs is removed: {kept.err!r}")
    # Ctrl-a c is QEMU's monitor
    boot.must("printf '\\001csystem_powerdown\\n' >/run/typed")
    boot.until("test -e /run/ended", "waiting for the guest's end")
    equal("its status", boot.must("cat /run/ended").strip(), "0")
    same(before, boot, "after the guest")


def nested_run(name):
    """Run without libvirt, with a TPM. Then a bus is renumbered: libvirt starts the same machine
    once its domain is mended."""
    machine, boot = begin(name)
    with boot:
        create(boot, "--tpm", "yes")
        runs(boot)
        boot.off()
    with up(machine, board=RENUMBERED) as boot:
        equal("the claimed functions",
              boot.must("cd /sys/bus/pci/drivers/vfio-pci && echo 0*").split(),
              ["0000:02:00.0", "0000:02:00.1"])
        if not boot.run(f"virsh start {NAME}").status:
            raise Failed("the domain starts with what is at the card's old place")
        mend(boot)
        boot.must(f"virsh start {NAME}")
        ready(boot, "card-renumbered")
        shut_down(boot)


def once_more(case):
    """The case, and again where QEMU died in it."""
    @functools.wraps(case)
    def run(name):
        try:
            case(name)
        # its monitor's end is an error of the system's
        except (Crashed, OSError) as error:
            print(f"{name}, once more: {error}", file=sys.stderr)
            os.makedirs(f"{stock.BUILD}/{name}/again")
            case(f"{name}/again")
    return run


CASES = [once_more(nested_run), once_more(nested_libvirt)]
LARGE = ["disk.qcow2", "again/disk.qcow2"]


def prepare(_chosen):
    """What all cases share, before any of them is timed."""
    os.makedirs(stock.BUILD, exist_ok=True)
    stock.disk()
