# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the processor's seconds of a QEMU go: a line for each in the file that VM_TIMES names.

Columns, with tabs between: name, the processor's seconds, those by the clock; of the processor's
those of firmware, kernel, initramfs (and the system behind it), test (taking facts), shutdown;
the guest's instructions, which QEMU counts with -icount only. What is not known is "-"."""

import json
import os
import re
import socket
import threading
import time

LOOK = 0.05                     # seconds between two looks
TICKS = os.sysconf("SC_CLK_TCK")
# what QEMU's loader asks the firmware for: kernel, its start, initramfs, command line, setup code
LOADS = re.compile(r"fw_cfg_select .*key 0x00(10|11|12|15|18)\b")


class Times:
    """Follows the QEMU that start() names until write()."""

    def __init__(self, folder, arguments):
        self.folder, self.counted = folder, "-icount" in arguments
        self.seconds, self.instructions, self.loads = 0.0, "-", 0
        self.ends = {}          # phase -> the processor's seconds at its end
        self.gone = threading.Event()
        self.thread = self.pid = self.begun = self.monitor = None

    def arguments(self):
        """What QEMU is told. If instructions are counted it stands still at its end, to be
        asked for them."""
        counted = ["-qmp", "unix:times,server=on,wait=off", "-action", "shutdown=pause"]
        return ["-trace", "enable=fw_cfg_select,file=loads", *(counted if self.counted else [])]

    def start(self, pid):
        self.pid, self.begun = pid, time.monotonic()
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def write(self, path):
        self.gone.set()
        self.thread.join()
        wall = time.monotonic() - self.begun
        firmware, facts, end = (self.ends.get(name) for name in ("firmware", "facts", "test"))
        kernel = None
        if firmware is not None and facts is not None:
            kernel = firmware + (facts - firmware) * self._kernel_share()
        ends = [0, firmware, kernel, facts, end, self.seconds]
        phases = ["-" if None in pair else f"{pair[1] - pair[0]:.2f}"
                  for pair in zip(ends, ends[1:])]
        name = self.folder.rpartition("/build/")[2]
        with open(path, "a", encoding="utf-8") as out:
            out.write("\t".join([name, f"{self.seconds:.2f}", f"{wall:.2f}", *phases,
                                 str(self.instructions)]) + "\n")

    def _follow(self):
        while not self.gone.wait(LOOK):
            try:
                with open(f"/proc/{self.pid}/stat", encoding="utf-8") as text:
                    words = text.read().rpartition(")")[2].split()
                self.seconds = (int(words[11]) + int(words[12])) / TICKS
                self._look()
                if self.counted:
                    self._count()
            except OSError:     # not there yet, or not any more
                pass

    def _look(self):
        loads = len(LOADS.findall(self._read("loads")))
        if loads > self.loads:
            self.loads, self.ends["firmware"] = loads, self.seconds
        facts = self._read("facts.log")
        for phase, words in (("facts", "\n== cmdline"), ("test", "\n== end")):
            if phase not in self.ends and words in facts.replace("\r", ""):
                self.ends[phase] = self.seconds

    def _kernel_share(self):
        """The kernel's part of the time that the guest had up to its facts, by its own clock."""
        facts = self._read("facts.log")
        init = re.search(r"\[ *([\d.]+)\] Run /\S+ as init process", facts)
        uptime = re.search(r"== uptime\s+([\d.]+)", facts)
        return float(init[1]) / float(uptime[1]) if init and uptime else 0

    def _count(self):
        if not self.monitor:
            monitor = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            # A socket's path is limited to 107 bytes, which a checkout's may exceed.
            folder = os.open(self.folder, os.O_PATH)
            try:
                monitor.connect(f"/proc/self/fd/{folder}/times")
            finally:
                os.close(folder)
            monitor.settimeout(20)
            self.monitor = monitor.makefile("rw", encoding="utf-8")
            self._ask("qmp_capabilities")
        ended = self._ask("query-status")["status"] == "shutdown"
        self.instructions = self._ask("query-replay")["icount"]
        if ended:
            self._ask("quit")

    def _ask(self, command):
        json.dump({"execute": command}, self.monitor)
        self.monitor.write("\n")
        self.monitor.flush()
        for line in self.monitor:
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
        raise OSError("QEMU closed its monitor")

    def _read(self, name):
        try:
            with open(f"{self.folder}/{name}", encoding="utf-8", errors="replace") as text:
                return text.read()
        except OSError:
            return ""
