#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""`vfio-claim vm attach`, `check` and `detach` with a real libvirtd, in namespaces of its own:
the domain afterwards is what it was before.

usage: tests/vm/attach.py [--list] [PATTERN]
"""
import difflib
import os
import re
import resource
import shutil
import subprocess
import sys

from domain import BUILD, CARD, TOP, Machine, backups, good_files, hostdev, hostdevs, metadata, put
from cases import Failed, Room, main, must

# The first process is this program again: all that it starts goes with it. What /run and
# /var/lib/libvirt hold is on a tmpfs, and /etc a copy, for there is libvirt's configuration.
OUTSIDE = ["unshare", "--mount", "--propagation", "private", "--net", "--ipc", "--pid", "--fork",
           "--kill-child", "--mount-proc"]
ENTER = r"""
set -eu
mount -t tmpfs none /mnt
cp -a /etc /mnt/etc
mount --bind /mnt/etc /etc
rm -rf /etc/libvirt/qemu
for folder in /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /run; do
	mount -t tmpfs none "$folder"
done
mkdir -p /run/libvirt /run/xdg /run/home
cat >/etc/libvirt/qemu.conf <<-END
	user = "root"
	group = "root"
	security_driver = "none"
	namespaces = []
	cgroup_controllers = []
	stdio_handler = "file"
END
printf 'auth_unix_rw = "none"\n' >/etc/libvirt/libvirtd.conf
export HOME=/run/home XDG_RUNTIME_DIR=/run/xdg
if [ "$LIBVIRT_DEFAULT_URI" = qemu:///system ]; then
	libvirtd >"$1/libvirtd.log" 2>&1 &
	n=0
	until virsh uri >/dev/null 2>&1; do
		n=$((n + 1))
		[ $n -lt 300 ]
		sleep 0.2
	done
fi
shift
"$@"
"""
# The command sees the captured machine, and keeps its copies there; libvirtd sees this one.
MACHINE = r"""
set -eu
mount --bind "$1/sys" /sys
mount --bind "$1/dev" /dev
cp "$1/etc/vfio-claim.conf" /etc/
mkdir -p "$1/var/lib" /run/kept
mount --bind "$1/var/lib" /var/lib
shift
exec "$@"
"""
COMMAND = os.environ.get("VFIO_CLAIM_VM", f"{TOP}/build/vfio-claim-vm")
USER = (65534, 65534)           # of qemu:///session, which is not for root
NAME = "Bob's q35"
# As virt-install makes it, with its spare ports.
DOMAIN = """<domain type='qemu'>
  <name>Bob's q35</name>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="http://microsoft.com/win/11"/>
    </libosinfo:libosinfo>
  </metadata>
  <memory unit='MiB'>64</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='MACHINE'>hvm</type><boot dev='hd'/></os>
  <features><acpi/><apic/><hyperv><relaxed state='on'/></hyperv></features>
  <cpu mode='maximum'/>
  <clock offset='localtime'><timer name='rtc' tickpolicy='catchup'/></clock>
  <pm><suspend-to-mem enabled='no'/></pm>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='qemu-xhci' ports='15'/>
    PORTS
    <interface type='user'><model type='virtio'/></interface>
    <console type='pty'/>
    <channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <input type='tablet' bus='usb'/>
    <graphics type='vnc' passwd='secret' port='-1'/>
    <video><model type='VIDEO'/></video>
    <memballoon model='virtio'/>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
  </devices>
</domain>
"""


def domain(machine, ports="", video="virtio"):
    return DOMAIN.replace("MACHINE", machine).replace("PORTS", ports).replace("VIDEO", video)


PORTS = "<controller type='pci' model='pcie-root'/>" + 14 * \
    "<controller type='pci' model='pcie-root-port'/>"


def check(good, what):
    if not good:
        raise Failed(what)


def same(what, found, wanted):
    check(found == wanted, f"{what}: {found!r}, not {wanted!r}")


def unchanged(what, found, wanted):
    if found != wanted:
        raise Failed(f"{what}:\n" + "\n".join(difflib.unified_diff(
            wanted.splitlines(), found.splitlines(), "wanted", "found", lineterm="")))


# ---- inside

class Inside:
    """What a case does there."""

    def __init__(self, folder):
        self.folder, self.root = folder, f"{folder}/root"

    def machine(self, change=lambda machine: None):
        """Writes a machine as it is after the change; the configuration is from before."""
        machine = Machine("desktop")
        for address in CARD:
            machine.get(address).driver = "vfio-pci"
        conf = "[claim gaming]\n" + "".join(machine.get(a).line() + "\n" for a in CARD)
        change(machine)
        shutil.rmtree(self.root, ignore_errors=True)
        machine.write(self.root)
        for path, content in {**good_files(), "etc/vfio-claim.conf": conf}.items():
            put(f"{self.root}/{path}", content)

    def command(self, *words, before=()):
        return subprocess.run(["unshare", "--mount", "sh", "-c", MACHINE, "sh", self.root, *before,
                               COMMAND, *words],
                              capture_output=True, text=True, check=False, timeout=120)

    def good(self, *words, **more):
        done = self.command(*words, **more)
        same(f"{words}", (done.returncode, done.stderr), (0, ""))
        return done.stdout

    def refused(self, text, *words):
        done = self.command(*words)
        check(done.returncode == 1 and text in done.stderr, f"{words}: {done}")

    def define(self, machine, ports="", video="virtio"):
        path = f"{self.folder}/domain.xml"
        put(path, domain(machine, ports, video))
        virsh("define", path)
        # libvirt puts controllers that it added itself elsewhere when it reads them again
        put(path, definition())
        virsh("define", path)
        return definition()


def virsh(*words):
    return must("virsh", "-q", *words)


def definition(name=NAME):
    return virsh("dumpxml", "--inactive", "--security-info", name)


def codes(text):
    return sorted(set(re.findall(r'"code": "(.*?)"', text)))


def there_and_back(inside, before, expected):
    """Attaches and detaches; the definition in between."""
    diff = inside.good("attach", NAME, "--claim", "gaming")
    check("passwd='******'" in diff or "passwd" not in diff, "the password is shown")
    between = definition()
    same("places", hostdevs(between), expected)
    same("metadata", metadata(between), {"gaming": CARD})
    check("passwd='secret'" in between, "the password is lost")
    with open(backups(inside.root)[-1], encoding="utf-8") as kept:
        same("the copy", kept.read().strip(), before)
    inside.good("detach", NAME)
    unchanged("as it was", definition(), before)
    return between


def inside_q35(inside):
    inside.machine()
    before = inside.define("q35")
    last = max(int(i) for i in re.findall("type='pci' index='([0-9]+)'", before))
    places = {a: f"{last + 1:02x}:00.{a[-1]}" for a in CARD}
    between = there_and_back(inside, before, places)
    inside.good("attach", NAME, "--claim", "gaming", "--dry-run")
    unchanged("dry run", definition(), before)
    # libvirt takes what we made as a command line, too
    put(f"{inside.folder}/between.xml", between)
    words = virsh("domxml-to-native", "qemu-argv", f"{inside.folder}/between.xml")
    for a in CARD:
        check(re.search(rf'"host":"{a}"[^}}]*"bus":"pci.{last + 1}"', words), f"{a} in {words}")


def inside_ports(inside):
    """virt-install's spare ports stay spare."""
    inside.machine()
    before = inside.define("q35", PORTS)
    there_and_back(inside, before, {a: f"0f:00.{a[-1]}" for a in CARD})


def inside_i440fx(inside):
    inside.machine()
    before = inside.define("pc", video="vga")
    used = [int(s, 16) for s in re.findall("bus='0x00' slot='(0x..)'", before)]
    free = min(s for s in range(3, 32) if s not in used)
    there_and_back(inside, before, {a: f"00:{free:02x}.{a[-1]}" for a in CARD})


def inside_fix(inside):
    inside.machine()
    inside.define("q35")
    inside.good("attach", NAME, "--claim", "gaming")
    before = definition()
    places = hostdevs(before)
    found = codes(inside.good("check", NAME, "--json"))
    same("findings", found, ["cpu-topology", "emulated-display", "no-ovmf"])
    inside.machine(lambda machine: machine.renumber("0000:01", "0000:05"))
    done = inside.command("check", NAME, "--json")
    check(done.returncode == 1 and "address-moved" in codes(done.stdout), done)
    unchanged("looked only", definition(), before)
    diff = inside.good("check", NAME, "--fix")
    check("passwd='******'" in diff or "passwd" not in diff, "the password is shown")
    after = definition()
    same("places", hostdevs(after), {a.replace("0000:01", "0000:05"): p for a, p in places.items()})
    unchanged("but for the bus", after.replace("0000:05:00", "0000:01:00").replace(
        "<address domain='0x0000' bus='0x05' slot='0x00' function",
        "<address domain='0x0000' bus='0x01' slot='0x00' function"), before)
    same("mended", "address-moved" in codes(inside.good("check", NAME, "--json")), False)


def inside_running(inside):
    """What runs goes on as it is; what is transient is not made to stay."""
    inside.machine()
    before = inside.define("q35")
    uuid = virsh("domuuid", NAME)
    virsh("start", "--paused", NAME)
    check("it is running" in inside.good("attach", uuid, "--claim", "gaming"), "by UUID")
    same("live", hostdevs(virsh("dumpxml", NAME)), {})
    same("next", len(hostdevs(definition())), 4)
    check("it is running" in inside.good("detach", NAME), "detach")
    unchanged("as it was", definition(), before)
    virsh("destroy", NAME)
    virsh("undefine", NAME)
    inside.refused("no such domain", "attach", NAME, "--claim", "gaming")
    inside.refused("no such domain", "check", NAME)
    path = f"{inside.folder}/domain.xml"
    virsh("create", "--paused", path)
    inside.refused("transient", "attach", NAME, "--claim", "gaming")
    inside.good("check", NAME)
    virsh("destroy", NAME)
    same("gone", virsh("list", "--all", "--name").strip(), "")


def inside_session(inside):
    """A user's libvirt cannot raise what may be locked, and keeps no copies for root."""
    inside.machine()
    for folder in ("/run/home", "/run/xdg"):
        os.chown(folder, *USER)
    user = ["setpriv", f"--reuid={USER[0]}", f"--regid={USER[1]}", "--clear-groups"]
    put(f"{inside.folder}/domain.xml",
        domain("q35").replace("<memballoon", "".join(
            hostdev(a, f"0000:08:00.{a[-1]}", a == CARD[0]) for a in CARD) + "<memballoon"))
    must(*user, "virsh", "-q", "define", f"{inside.folder}/domain.xml")
    def locked(limit):
        done = inside.command("check", NAME, "--json",
                              before=["prlimit", f"--memlock={limit}:{limit}", *user])
        same("complaint", done.stderr, "")
        return "memlock" in codes(done.stdout)

    mib = 1024 * 1024
    _, most = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    check(locked(mib), "1 MiB is enough")
    if most < 0 or most >= 1088 * mib:
        check(locked(1087 * mib) and not locked(1088 * mib), "64 MiB and one GiB")
    done = inside.command("detach", NAME, before=user)
    check(done.returncode == 1 and "run it as root" in done.stderr, done)
    check(hostdevs(must(*user, "virsh", "dumpxml", NAME)), "it was changed")


# ---- outside

def outside(function, uri="qemu:///system"):
    def run(name):
        folder = f"{BUILD}/{name}"
        done = subprocess.run(
            [*OUTSIDE, "sh", "-c", ENTER, "sh", folder, sys.executable, "-B",
             os.path.abspath(__file__), "--inside", function.__name__, folder],
            capture_output=True, text=True, check=False, timeout=300, stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                 "LIBVIRT_DEFAULT_URI": uri, "VFIO_CLAIM_VM": COMMAND})
        if done.returncode:
            raise Failed((done.stdout + done.stderr).strip()[-1500:])
    run.__name__ = "libvirt_" + function.__name__[len("inside_"):]
    run.__doc__ = function.__doc__
    return run


CASES = [*map(outside, (inside_q35, inside_ports, inside_i440fx, inside_fix, inside_running)),
         outside(inside_session, "qemu:///session")]


def prepare(_chosen):
    if "VFIO_CLAIM_VM" not in os.environ:
        must("make", "-s", "--no-print-directory", "build/vfio-claim-vm")


if __name__ == "__main__":
    if "--inside" in sys.argv:
        try:
            globals()[sys.argv[2]](Inside(sys.argv[3]))
        except (Failed, subprocess.SubprocessError, OSError) as error:
            sys.exit(str(error))
    else:
        main(Room(BUILD, CASES, ["libvirt-daemon-system", "libvirt-clients", "qemu-system-x86"],
                  prepare, ["root"]), __doc__)
