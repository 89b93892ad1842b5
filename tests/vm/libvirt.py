# SPDX-License-Identifier: GPL-2.0-or-later
"""A libvirtd of our own, in namespaces of its own: its files are on a tmpfs that goes with it,
and no bridge of its making is seen outside. It ends with the program that started it."""

import atexit
import contextlib
import ctypes
import os
import re
import signal
import subprocess
import time

import shell
from vm import LIBC, PR_SET_PDEATHSIG

EMULATOR = "/usr/bin/qemu-system-x86_64"
UNDEFINE_ALL = 1 | 2 | 4        # managed save, snapshots' metadata, NVRAM

# Nothing of the host's stays visible but /etc/libvirt's content. /run/huge: libvirt
# translates huge pages only where there is a mount of that size.
SCRIPT = r"""
set -eu
mount -t tmpfs none /mnt
cp -a /etc/libvirt /mnt/etc
rm -rf /mnt/etc/qemu/networks/autostart
for folder in /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /run; do
	mount -t tmpfs none "$folder"
done
cp -a /mnt/etc/. /etc/libvirt
mkdir -p /run/libvirt /run/huge /run/huge-1G
mount -t hugetlbfs none /run/huge
# libvirt asks for the processor's name before each use of what it knows of QEMU, and the kernel
# takes its time to say all
cat /proc/cpuinfo >/run/cpuinfo
mount --bind /run/cpuinfo /proc/cpuinfo
# a translation makes the guest's tap and sets its queue, though no guest comes
if tc=$(command -v tc); then
	mount --bind /bin/true "$tc"
fi
# only a processor with such pages has it
set -- /run/huge
if mount -t hugetlbfs -o pagesize=1G none /run/huge-1G; then
	set -- "$@" /run/huge-1G
fi 2>/dev/null
# root: /dev/kvm may be closed to libvirt's user, and then it asks QEMU anew for every domain
cat >/etc/libvirt/qemu.conf <<-END
	user = "root"
	group = "root"
	security_driver = "none"
	namespaces = []
	cgroup_controllers = []
	stdio_handler = "file"
	hugetlbfs_mount = [ $(printf '"%s", ' "$@" | sed 's/, $//') ]
END
cat >/etc/libvirt/libvirtd.conf <<-END
	auth_unix_rw = "none"
	max_workers = 8
	max_client_requests = 8
END
# not the first process itself: somebody has to wait for what QEMU leaves behind
libvirtd &
wait
"""


class LibvirtError(Exception):
    """What libvirt said."""


def _load():
    library = ctypes.CDLL("libvirt.so.0")
    for name in ("virConnectOpen", "virDomainDefineXMLFlags", "virConnectDomainXMLToNative",
                 "virConnectGetDomainCapabilities"):
        getattr(library, name).restype = ctypes.c_void_p
    library.virGetLastErrorMessage.restype = ctypes.c_char_p
    library.virSetErrorFunc(None, QUIET)
    return library


# libvirt would print its errors
QUIET = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(lambda data, error: None)


class Connection:
    """To the libvirtd at `uri`. Threads may share it."""

    def __init__(self, uri):
        self.libvirt = _load()
        self.connection = ctypes.c_void_p(self._good(
            self.libvirt.virConnectOpen(uri.encode())))
        # Where QEMU has no KVM, libvirt takes no domain of that type: two words of the XML
        # are exchanged. compare.same_type does it to the command line.
        self.kvm = self._capabilities(b"kvm") is not None
        self.machine = re.search("<machine>(.*?)</machine>", self._capabilities(b"qemu"))[1]

    def close(self):
        self.libvirt.virConnectClose(self.connection)

    def _good(self, pointer):
        if not pointer:
            raise LibvirtError(self.libvirt.virGetLastErrorMessage().decode())
        return pointer

    def _text(self, pointer):
        text = ctypes.string_at(pointer).decode()
        LIBC.free(ctypes.c_void_p(pointer))
        return text

    def _capabilities(self, kind):
        text = self.libvirt.virConnectGetDomainCapabilities(
            self.connection, EMULATOR.encode(), None, b"q35", kind, 0)
        return self._text(text) if text else None

    def _own_type(self, xml):
        if not self.kvm and "<domain type=\"kvm\"" in xml:
            xml = xml.replace("<domain type=\"kvm\"", "<domain type=\"qemu\"", 1)
            xml = xml.replace("<cpu mode=\"host-passthrough\"", "<cpu mode=\"maximum\"", 1)
        return xml

    def define(self, xml):
        """Defines and undefines a domain; raises LibvirtError. Not validated: libvirt would read
        its whole schema for it each time. Another thread may define one of the same name
        meanwhile, and take it away."""
        xml = self._own_type(xml).encode()
        deadline = time.monotonic() + 10
        while not (domain := self.libvirt.virDomainDefineXMLFlags(self.connection, xml, 0)):
            error = self.libvirt.virGetLastErrorMessage().decode()
            if "already being removed" not in error or time.monotonic() > deadline:
                raise LibvirtError(error)
        domain = ctypes.c_void_p(domain)
        self.libvirt.virDomainUndefineFlags(domain, UNDEFINE_ALL)
        self.libvirt.virDomainFree(domain)

    def native(self, xml):
        """QEMU's arguments as libvirt would start the domain: a list of words, from the
        program's name on."""
        xml = _with_usb_places(self._own_type(xml))
        # libvirt looks whether the node is there; the first one always is
        node = re.search(r'<numatune>\s*<memory mode="strict" nodeset="(\d+)"/>', xml)
        if node:
            xml = xml.replace(node[0], node[0].replace(f'"{node[1]}"', '"0"'))
        text = self._text(self._good(self.libvirt.virConnectDomainXMLToNative(
            self.connection, b"qemu-argv", xml.encode(), 0)))
        if node:
            text = text.replace('"host-nodes":[0]', f'"host-nodes":[{node[1]}]')
        words = shell.split(text)
        return words[words.index(EMULATOR):]


def _with_usb_places(xml):
    """A USB device of the host is translated by the place where it is plugged in, which libvirt
    looks up only when the domain starts. Here the place says which device it is: of 046d:c52b,
    bus 0x046d and device 0xc52b."""
    return re.sub(r'<vendor id="(0x\w+)"/>\s*<product id="(0x\w+)"/>',
                  lambda match: f'{match[0]}<address bus="{int(match[1], 16)}" '
                  f'device="{int(match[2], 16)}"/>', xml)


def end_with_parent():
    """For preexec_fn; the parent is the thread that starts the process."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _child_of(parent):
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as text:
                    if int(text.read().rpartition(")")[2].split()[1]) == parent:
                        return int(name)
    return None


class Daemon:
    """libvirtd in a namespace of processes, of which none outlives the first. Its messages go
    to FOLDER/libvirtd.log. Start it from the main thread: it ends with its thread."""

    def __init__(self, folder):
        self.log = f"{folder}/libvirtd.log"
        with open(self.log, "wb") as out:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "--net", "--ipc", "--pid",
                 "--fork", "--kill-child", "--mount-proc", "sh", "-c", SCRIPT],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                preexec_fn=end_with_parent, cwd="/",
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"})
        self.uri = self._wait(60)

    def _wait(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if first := _child_of(self.process.pid):
                # seen through its root, so nobody else need enter the namespace
                uri = f"qemu+unix:///system?socket=/proc/{first}/root/run/libvirt/libvirt-sock"
                with contextlib.suppress(LibvirtError):
                    Connection(uri).close()
                    return uri
            time.sleep(0.2)
        self.stop()
        with open(self.log, encoding="utf-8", errors="replace") as text:
            raise LibvirtError(f"libvirtd does not start: {text.read()[-800:]}")

    def stop(self):
        self.process.kill()
        self.process.wait()


URI = []                        # of the room's libvirtd


def start(folder):
    """Starts the room's libvirtd, which ends with the program."""
    daemon = Daemon(folder)
    atexit.register(daemon.stop)
    URI[:] = [daemon.uri]


def connect():
    return Connection(URI[0])
