# SPDX-License-Identifier: GPL-2.0-or-later
"""What strace saw of a command: how many system calls it made, and which paths it changed."""
import os
import re
import subprocess

COMMAND = ["strace", "-f", "-y", "-qq", "-s", "4096", "-o"]
CHANGES = set((
    "creat mkdir rmdir unlink rename link symlink mknod chmod fchmod chown lchown fchown truncate "
    "ftruncate setxattr fsetxattr utimensat mount umount2 chroot pivot_root init_module "
    "finit_module delete_module").split())
CHANGING = CHANGES | {name + "at" for name in CHANGES} | {"renameat2", "fchmodat2"}
OPENING = {"open", "openat", "openat2"}
WRITING = re.compile(r"O_(WRONLY|RDWR|CREAT|TRUNC|TMPFILE)")
FAILED = re.compile(r"\) += -1 E\w+ \([^)]*\)$")
CALL = re.compile(r"^(?:\d+ +)?(\w+)\((.*)$")
TEXT = re.compile(r'(?:(?:AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"((?:[^"\\]|\\.)*)"')


class Trace:
    """calls: how many; changed: the paths it opened for writing, made, removed or renamed."""
    def __init__(self, log, cwd="/"):
        self.calls, self.changed, self.status, self.output = 0, [], 0, ""
        with open(log, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                self.line(line, cwd)

    @classmethod
    def of(cls, command, log):
        """Runs a command and reads its trace."""
        done = subprocess.run(COMMAND + [log] + command, check=False, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        trace = cls(log, os.getcwd())
        trace.status, trace.output = done.returncode, done.stdout + done.stderr
        return trace

    def line(self, line, cwd):
        # "<... resumed>" is the second half of a call that was counted, "+++ exited" is none.
        found = CALL.match(line)
        if not found:
            return
        name, rest = found.groups()
        # openat2 is tried again when somebody renamed a file meanwhile
        if name != "openat2" or not rest.endswith("EAGAIN (Resource temporarily unavailable)"):
            self.calls += 1
        if FAILED.search(rest):
            return
        if name in CHANGING or name in OPENING and WRITING.search(rest):
            for base, text in TEXT.findall(rest):
                self.changed.append(os.path.normpath(os.path.join(cwd, base, text)))
                if name in OPENING:
                    break
            if name.startswith("f") and "fd" not in name:
                held = re.match(r"\d+<([^>]*)>", rest)
                if held:
                    self.changed.append(held.group(1))
