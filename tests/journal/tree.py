# SPDX-License-Identifier: GPL-2.0-or-later
"""A small machine below build/journal/, and the driver that changes it."""
import hashlib
import json
import os
import shutil
import struct
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = f"{TOP}/build/journal"
DRIVER = os.environ.get("JOURNAL_DRIVER", f"{BUILD}/driver")
TREES = f"{BUILD}/trees"
FOLDER = "var/lib/vfio-claim"

GRUB = 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\n# \xe4 comment\n' * 40
OLD = b"blacklist nouveau\n\0binary, too\n"
CONF = "[host]\nrequire-display = yes\n\n[claim gaming]\nfunction = 0000:01:00.0\n"
WORDS = "quiet\nsplash\n"


def attributes(mode):
    """Extended attributes of a file: one of its owner's, an ACL that lets a user read it, and
    a context of SELinux's, which root may set without SELinux, too."""
    acl = struct.pack("<I", 2)      # linux/posix_acl_xattr.h
    for tag, access, who in ((0x01, mode >> 6, -1), (0x02, 4, 1000), (0x04, 0, -1),
                             (0x10, mode >> 3, -1), (0x20, mode, -1)):
        acl += struct.pack("<HHi", tag, access & 7, who)
    result = {"user.vfio": b"\0\xffvalue", "system.posix_acl_access": acl}
    if os.geteuid() == 0:
        result["security.selinux"] = b"system_u:object_r:bootloader_etc_t:s0\0"
    return result


class Tree:
    """etc/ with a file that changes, one that goes, and room for new ones."""

    def __init__(self, name):
        self.root = f"{TREES}/{name}"
        shutil.rmtree(self.root, ignore_errors=True)
        for folder in ("etc/default", "etc/modprobe.d", "var/lib", "boot"):
            os.makedirs(f"{self.root}/{folder}", mode=0o755)
        self.write("etc/default/grub", GRUB)
        self.write("etc/words", WORDS)
        self.write("etc/modprobe.d/old.conf", OLD, 0o640)
        if os.geteuid() == 0:
            os.chown(self.path("etc/modprobe.d/old.conf"), 12, 34)
            os.chown(self.path("etc/default/grub"), 0, 34)
        os.chmod(self.path("etc/default/grub"), 0o604)
        for path in ("etc/default/grub", "etc/modprobe.d/old.conf"):
            for attribute, value in attributes(os.lstat(self.path(path)).st_mode).items():
                os.setxattr(self.path(path), attribute, value)

    def path(self, path):
        return f"{self.root}/{path}"

    def write(self, path, content, mode=0o644):
        with open(self.path(path), "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(self.path(path), mode)

    def read(self, path):
        with open(self.path(path), "rb") as file:
            return file.read()

    def exists(self, path):
        return os.path.lexists(self.path(path))

    @staticmethod
    def without_journal(snapshot):
        return {path: entry for path, entry in snapshot.items() if not path.startswith(FOLDER)}

    def snapshot(self, journal=False):
        """Every path with kind, mode, owner, attributes and content; not of the hardware."""
        found = {}
        for folder, folders, files in os.walk(self.root):
            at = os.path.relpath(folder, self.root)
            if at == ".":
                folders[:] = [name for name in folders if name not in ("sys", "proc")]
            if at == "var/lib" and not journal and "vfio-claim" in folders:
                folders.remove("vfio-claim")
            for name in folders + files:
                path = os.path.join(folder, name)
                stat = os.lstat(path)
                entry = [f"{stat.st_mode:o}", stat.st_uid, stat.st_gid]
                if os.path.islink(path):
                    entry.append(os.readlink(path))
                elif os.path.isfile(path):
                    with open(path, "rb") as data:
                        entry.append(hashlib.sha256(data.read()).hexdigest())
                    entry += [(key, os.getxattr(path, key)) for key in sorted(os.listxattr(path))]
                found[os.path.relpath(path, self.root)] = entry
        return found

    def plan(self, files, steps=(), name="plan"):
        path = f"{self.root}.{name}.json"
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"files": files, "steps": list(steps)}, file)
        return path

    def usual_plan(self):
        """What a setup does: a file changed, one made in a new folder, one removed."""
        return self.plan([
            {"path": "etc/default/grub", "after": GRUB.replace("splash", "splash iommu=pt"),
             "kind": "args", "owner": "words", "ours": ["iommu=pt"]},
            {"path": "etc/default/grub.d/90.cfg", "after": "ours\n", "mode": 0o600},
            {"path": "etc/modprobe.d/old.conf", "after": None},
            {"path": "etc/vfio-claim.conf", "after": CONF, "kind": "conf", "ours": ["gaming"],
             "mode": 0o644},
        ], [{"argv": ["update-grub"], "why": "write the boot menu"},
            {"argv": ["it", "on"], "undo": ["it", "off"], "why": "do it"}])

    def journal(self):
        return json.loads(self.read(f"{FOLDER}/journal.json"))


class Result:
    def __init__(self, done):
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    def __str__(self):
        return f"status {self.status}: {self.err.strip()[:600]}"


def drive(*arguments, wrap=(), live=False, env=None):
    return execute([*wrap, DRIVER, *(["--live"] if live else []), *arguments], env)


def execute(command, env=None):
    return Result(subprocess.run(command, capture_output=True, text=True, timeout=60,
                                 errors="replace", check=False, stdin=subprocess.DEVNULL,
                                 env={**os.environ, **(env or {})}))
