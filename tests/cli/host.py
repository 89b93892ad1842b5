# SPDX-License-Identifier: GPL-2.0-or-later
"""A stock machine below build/cli/root/: hardware from tests/roots/machines/, boot loader and
initramfs generator of a distribution; and `vfio-claim` run on it."""

import hashlib
import json
import os
import pty
import select
import subprocess
import time

from installer import COMMAND, command, content, put, says
from start import REPORT, ROOT, check, execute
from tree import Machine

RELEASES = ("6.1.0-9-test", "6.1.0-10-test")
CONF = f"{ROOT}/etc/vfio-claim.conf"
DROP_IN = f"{ROOT}/etc/default/grub.d/90-vfio-claim.cfg"
LOADER_INFO = ("sys/firmware/efi/efivars/"
               "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f")
MENTION = "# Mine.\n\n[host]\n# both screens\nrequire-display = yes\nmax-attempts = 3\n\n"
QEMU_CARD = ["0000:01:00.0", "0000:01:00.1"]
FAR, NEAR = ["0000:05:00.0", "0000:05:00.1"], ["0000:0c:00.0", "0000:0c:00.1"]

GRUB = {"etc/os-release": "ID=debian\n", "usr/sbin/update-grub": "", "boot/grub/grub.cfg": "",
        "etc/default/grub": 'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'}
SYSTEMD_BOOT = {
    "etc/os-release": "ID=debian\n", "usr/bin/kernel-install": "", "etc/machine-id": "01" * 16,
    LOADER_INFO: b"\6\0\0\0" + "systemd-boot 252\0".encode("utf-16-le"),
    "etc/kernel/cmdline": "root=UUID=1 ro quiet\n", "boot/efi/loader/loader.conf": "timeout 3\n",
    **{f"boot/efi/loader/entries/{'01' * 16}-{release}.conf":
       f"title Debian\nversion {release}\nmachine-id {'01' * 16}\nlinux /{release}/linux\n"
       "options root=UUID=1 ro quiet\n" for release in RELEASES}}
IMAGES = {"usr/sbin/update-initramfs": "", "usr/sbin/mkinitramfs": ""}


def host(machine="twins", loader=None, images=None, conf=None, change=lambda machine: None,
         **files):
    subprocess.run(["rm", "-rf", ROOT], check=True)
    found = Machine(machine)
    change(found)
    found.write(ROOT)
    everything = {**(GRUB if loader is None else loader), **(IMAGES if images is None else images)}
    for release in RELEASES:
        everything[f"lib/modules/{release}/modules.dep"] = ""
        everything[f"boot/vmlinuz-{release}"] = ""
        everything[f"boot/config-{release}"] = "#\n# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n"
    everything["proc/sys/kernel/osrelease"] = f"{RELEASES[1]}\n"
    everything.update(files)
    for path, text in everything.items():
        put(f"{ROOT}/{path}", text)
    for path in ("etc/default/grub", "etc/kernel/cmdline"):
        if os.path.exists(f"{ROOT}/{path}"):
            os.chmod(f"{ROOT}/{path}", 0o604)
            if os.geteuid() == 0:
                os.chown(f"{ROOT}/{path}", 0, 34)
    os.makedirs(f"{ROOT}/var/lib", exist_ok=True)
    if conf is not None:
        put(CONF, conf)
        os.chmod(CONF, 0o640)
    return found


def whole():
    """Every path of the tree: kind, mode, owner, and content or target."""
    found = {}
    for folder, folders, names in os.walk(ROOT):
        for name in folders + names:
            path = os.path.join(folder, name)
            stat = os.lstat(path)
            entry = [f"{stat.st_mode:o}", stat.st_uid, stat.st_gid]
            if os.path.islink(path):
                entry.append(os.readlink(path))
            elif os.path.isfile(path):
                entry.append(hashlib.sha256(content(path)).hexdigest())
            found[os.path.relpath(path, ROOT)] = entry
    return found


def same(before, what="the tree"):
    now = whole()
    differs = sorted(p for p in now.keys() | before.keys() if now.get(p) != before.get(p))
    check(not differs, f"{what} differs: {differs}")


def answer(done):
    """What it says in JSON."""
    check("\x1b" not in done.stdout + done.stderr, "colours in a pipe")
    try:
        said = json.loads(done.stdout)
    except ValueError as error:
        check(False, f"no JSON: {done.stdout!r} {done.stderr!r} {error}")
    check(said["version"] == 1 and said["detail"], f"{said}")
    return said


def setup(*words, status=0, says_=()):
    done = command("setup", *words)
    says(done, status, *says_)
    check("\x1b" not in done.stdout + done.stderr, "colours in a pipe")
    return done


def refused(*words, status=1, say=(), outcome="refused"):
    """Nothing is written, dry or not, and it is said in JSON, too."""
    before = whole()
    for more in ([], ["--dry-run"], ["--json"]):
        done = setup(*words, *more, status=status)
        for text in say:
            check(text in done.stdout + done.stderr,
                  f"{words} {more}: {text!r} is not in {done.stdout + done.stderr!r}")
    said = answer(done)
    check(said["outcome"] == outcome, f"{said}")
    same(before)
    return said


def undo(*words, status=0, say=()):
    done = command("undo", "--yes", *words)
    says(done, status, *say)
    return done


def lines(path=CONF):
    return content(path).decode().splitlines()


def functions(path=CONF):
    """Address -> line, of what the configuration claims."""
    return {line.split()[2]: line for line in lines(path) if line.startswith("function")}


def accepted():
    """Early boot would claim what setup has written."""
    put(f"{ROOT}/proc/cmdline", "ro quiet vfio_claim=dry-run\n")
    done = execute("start", "--root", ROOT)
    check(done.returncode == 0, f"start: {done.returncode}")
    with open(REPORT, encoding="ascii") as text:
        found = json.load(text)
    check(found["outcome"] == "kept" and found["reason"] == "dry-run",
          f"early boot says {found.get('reason')}: {found.get('detail')}")
    return found


def terminal(*words, answers=(), root=ROOT, **env):
    """On a terminal: (status, all that was shown). `answers` are (prompt, what is typed)."""
    ours, theirs = pty.openpty()
    # pylint: disable=consider-using-with
    child = subprocess.Popen([COMMAND, *words, "--root", root], stdin=theirs, stdout=theirs,
                             stderr=theirs, start_new_session=True,
                             env={**os.environ, "TERM": "xterm", **env})
    os.close(theirs)
    shown, waiting, since, end = "", list(answers), 0, time.monotonic() + 20
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(ours, 4096)
        except OSError:         # the other side is closed
            break
        if not data:
            break
        shown += data.decode(errors="replace")
        if waiting and waiting[0][0] in shown[since:]:
            since = len(shown)
            os.write(ours, waiting.pop(0)[1].encode())
    child.kill()
    child.wait()
    os.close(ours)
    check(not waiting, f"it never asked {waiting[:1]}: {shown!r}")
    return child.returncode, shown
