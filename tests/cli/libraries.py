# SPDX-License-Identifier: GPL-2.0-or-later
"""Libraries: what `vfio-claim` is linked with, what it loads when a command needs it, and what it
says where that is missing."""

import gzip
import json
import os
import re
import shutil
import subprocess

from installer import COMMAND, command, content, put, says
from start import BUILD, ROOT, check, tree

EMPTY = f"{BUILD}/libraries"
LINKED = {"json-c": "libjson-c.so", "blkid": "libblkid.so", "libc": "libc.so"}
RELEASE = "6.1.0-9-amd64"
IMAGE = f"boot/initrd.img-{RELEASE}"


def readelf(*words):
    return subprocess.run(["readelf", "-W", *words], check=True, text=True,
                          capture_output=True).stdout


def loaded_later():
    """The libraries that its notes name."""
    notes = re.findall(rb'\[\{"feature".*?\}\]', content(COMMAND))
    return [name for note in notes for name in json.loads(note)[0]["soname"]]


def without(name, *words, text=b""):
    """A command for which that library is a file of these bytes."""
    shutil.rmtree(EMPTY, ignore_errors=True)
    put(f"{EMPTY}/{name}", text)
    return command(*words, env={**os.environ, "LC_ALL": "C", "LD_LIBRARY_PATH": EMPTY})


# ---- the file

def command_starts_with_little():
    needed = re.findall(r"NEEDED.*\[(.*)\]", readelf("-d", COMMAND))
    more = [name for name in needed if not name.startswith(tuple(LINKED.values()))]
    check(needed and not more, f"it is linked with {more}, too")


def command_is_hardened():
    for program in (COMMAND, f"{COMMAND}-vm"):
        name, dynamic = os.path.basename(program), readelf("-d", program)
        check(re.search(r"FLAGS_1\).*\bNOW\b.*\bPIE\b", dynamic), f"{name}: not PIE and NOW")
        segments = readelf("-l", program)
        check("GNU_RELRO" in segments, f"{name}: no RELRO segment")
        check(re.search(r"GNU_STACK.*\sRW\s", segments), f"{name}: its stack may be executable")
        check("__stack_chk_fail" in readelf("--dyn-syms", program), f"{name}: no stack protector")


def libraries_are_those_of_the_headers():
    """What is loaded is what a linker that had been asked would have taken."""
    later = loaded_later()
    check(len(later) == 4, f"it loads {later}")
    for name in later:
        short = name.split(".so")[0] + ".so"
        path = subprocess.run(["cc", f"-print-file-name={short}"], check=True, text=True,
                              capture_output=True).stdout.strip()
        found = re.search(r"SONAME.*\[(.*)\]", readelf("-d", path))
        check(found and found[1] == name, f"{short} is {found and found[1]}, not {name}")


# ---- one is missing

def missing_libpci():
    tree()
    done = without("libpci.so.3", "list", "--all")
    says(done, 0, "libpci.so.3", "install libpci3 (Debian, Ubuntu), pciutils-libs (Fedora)",
         "Device 1002:7340")
    check(done.stderr.count("libpci3") == 1, f"it says {done.stderr!r}")
    says(without("libpci.so.3", "list", "--json"), 0, '"Device 1002:7340"')


def too_old_libpci():
    tree()
    subprocess.run(["cc", "-shared", "-o", f"{BUILD}/old", "-x", "c", "/dev/null"], check=True)
    says(without("libpci.so.3", "list", text=content(f"{BUILD}/old")), 0,
         "undefined symbol: pci_", "install libpci3")


def missing_libarchive():
    tree()
    file = f"{BUILD}/machine.tar"
    says(without("libarchive.so.13", "snapshot", file), 1, "install libarchive13")
    left = [name for name in os.listdir(BUILD) if "machine" in name]
    check(not left, f"left: {left}")
    os.unlink(f"{ROOT}/etc/vfio-claim.conf")
    for name in ("update-initramfs", "mkinitramfs"):
        put(f"{ROOT}/usr/sbin/{name}", "")
    put(f"{ROOT}/lib/modules/{RELEASE}/modules.dep", "")
    put(f"{ROOT}/{IMAGE}", gzip.compress(b"0"))
    words = ["images", "--kernel", RELEASE, "--image", f"/{IMAGE}"]
    says(without("libarchive.so.13", *words), 1, IMAGE, "install libarchive13")
    says(command(*words), 1, IMAGE, "cut off")


def missing_libkmod():
    tree()
    put(f"{ROOT}/lib/modules/{RELEASE}/modules.dep", "")
    done = without("libkmod.so.2", "doctor", "--json")
    found = [one["evidence"] for one in json.loads(done.stdout)["checks"]
             if "install libkmod2" in one["evidence"]]
    check(len(found) == 1, f"{found}")


def missing_libnettle():
    tree()
    put(f"{ROOT}/etc/default/grub", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"\n')
    put(f"{ROOT}/boot/grub/grub.cfg", "")
    put(f"{ROOT}/usr/sbin/update-grub", "")
    before = sorted(os.walk(ROOT))
    for words in (["undo", "--yes"], ["args", "add", "iommu=pt"]):
        says(without("libnettle.so.8", *words), 1, "install libnettle8")
    check(sorted(os.walk(ROOT)) == before, "it changed something")


CASES = [command_starts_with_little, command_is_hardened, libraries_are_those_of_the_headers,
         missing_libpci, too_old_libpci, missing_libarchive, missing_libkmod, missing_libnettle]
