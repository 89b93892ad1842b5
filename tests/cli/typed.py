# SPDX-License-Identifier: GPL-2.0-or-later
"""An interactive shell on a terminal of its own, at which somebody types."""

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

from start import Failed

SECONDS = 60


class Shell:
    """As a context it ends with the shell. Nothing of the user's own is read."""

    def __init__(self, command, folder, path):
        self.text = ""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, {"PATH": path, "TERM": "vt100", "LC_ALL": "C",
                                             "HOME": folder})
        # what is offered fits
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 100, 0, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def expect(self, words):
        """Reads until `words` come; returns all that came until then."""
        end = time.monotonic() + SECONDS
        while words not in self.text:
            if not select.select([self.terminal], [], [], max(0, end - time.monotonic()))[0]:
                raise Failed(f"{words!r} does not come, but {self.text[-300:]!r}")
            try:
                self.text += os.read(self.terminal, 65536).decode(errors="replace")
            except OSError as error:
                raise Failed(f"the shell has ended: {self.text[-300:]!r}") from error
        text, self.text = self.text.split(words, 1)
        return text

    def run(self, command):
        """Types a command that says nothing, and waits for its end."""
        self.type(f"{command}; echo do''ne\n")
        self.expect("done\r\n")

    def complete(self, line):
        """Types a line and Tab. Returns the line's words then, and all that was shown."""
        # the words as the shell reads them, said by a command in front of them
        self.type(f"{line}\t\x05 end\x01printf '<%s>' \n")
        shown = self.expect("<end>")
        words = shown[shown.rindex("<vfio-claim>"):] if "<vfio-claim>" in shown else ""
        return words.removeprefix("<").removesuffix(">").split("><"), shown
