# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls a program many times that is linked once: of what a short call of a program with many
libraries costs, linking is nearly all."""

import array
import functools
import os
import signal
import socket
import subprocess
import threading

from cases import TOP, must


@functools.cache
def _preloaded():
    must("make", "-s", "--no-print-directory", "build/prefork.so")
    return f"{TOP}/build/prefork.so"


class Prefork:
    """A program with its environment; threads may share it. Its calls get no input."""

    def __init__(self, program, env):
        self.program, self.env = program, env
        self.of = threading.local()

    def _connect(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # It ends when our end of the socket is closed.
            self.of.process = subprocess.Popen(  # pylint: disable=consider-using-with
                [self.program], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, pass_fds=[theirs.fileno()], start_new_session=True,
                env={**self.env, "LD_PRELOAD": _preloaded(), "PREFORK": str(theirs.fileno())})
        self.of.socket = ours

    def run(self, *words, timeout=60):
        """What subprocess.run would return of the program called with `words`: out and err in
        bytes."""
        if not hasattr(self.of, "socket"):
            self._connect()
        words = [os.fsencode(word) for word in (self.program, *words)]
        with open(os.memfd_create("out"), "rb") as out, open(os.memfd_create("err"), "rb") as err:
            files = array.array("i", [out.fileno(), err.fileno()])
            self.of.socket.sendmsg([b"".join(word + b"\0" for word in words)],
                                   [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
            self.of.socket.settimeout(timeout)
            try:
                answer = self.of.socket.recv(4)
            except TimeoutError as error:
                os.killpg(self.of.process.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(words, timeout) from error
            if len(answer) != 4:
                raise OSError(f"{self.program} waits for no calls")
            status = os.waitstatus_to_exitcode(int.from_bytes(answer, "little"))
            for file in (out, err):
                file.seek(0)
            return subprocess.CompletedProcess(words, status, out.read(), err.read())
