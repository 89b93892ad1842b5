# SPDX-License-Identifier: GPL-2.0-or-later
"""A serial port of a machine that runs: what it says is waited for, and it is spoken to."""

import os
import socket


class Line:
    """A chardev of QEMU's, a socket `name` in the folder of `boot`, whose check(DOING) raises
    once there is nothing to wait for any more."""

    def __init__(self, boot, name):
        self.boot = boot
        self.text = ""
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # A socket's path is limited to 107 bytes, which a checkout's may exceed.
        folder = os.open(boot.folder, os.O_PATH)
        self.socket.connect(f"/proc/self/fd/{folder}/{name}")
        os.close(folder)
        self.socket.settimeout(0.5)
        self.name = name

    def send(self, text):
        self.socket.settimeout(20)
        self.socket.sendall(text.encode())
        self.socket.settimeout(0.5)

    def heard(self, words):
        """Whether `words` have come, or come in half a second."""
        if words not in self.text:
            try:
                more = self.socket.recv(65536)
            except TimeoutError:
                return False
            self.text += more.decode(errors="replace").replace("\r", "")
        return words in self.text

    def expect(self, words, doing):
        """Reads until `words` come; returns what came before them."""
        while not self.heard(words):
            self.boot.check(f"{doing} ({self.name})")
        before, _, self.text = self.text.partition(words)
        return before
