# SPDX-License-Identifier: GPL-2.0-or-later
"""States of machines, saved when the boot came to a place and resumed for every boot that
differs from there on only. What differs is in the files that a case brings (see cut.c) and on
the store, which nothing has read by then; a chip is read by its firmware, so there a state
belongs to what the chip held at power-on."""

import hashlib
import os
import shutil
import threading
import time

from vm import Monitor, Vm

# Before the early program's "start"; before its "settle", which is the first to read a disk.
INIT_TOP, LOCAL_TOP = "init-top", "local-top"
TIMEOUT = 300


class State:
    """What a saved machine's folder has, and how to go on from there."""

    def __init__(self, folder):
        self.folder = folder

    def arguments(self):
        return ["-incoming", f"exec:zstd -dcq '{self.folder}/state'"]

    def log(self):
        """The tool's lines up to there."""
        return [line for line in _text(f"{self.folder}/cut.log").splitlines()
                if not line.startswith("waiting ")]


class States:
    """All states of a run, made when the first one asks."""

    def __init__(self, folder):
        self.folder = folder
        self.lock, self.locks = threading.Lock(), {}

    def clear(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def get(self, words, make):
        """The state that `words` tell from others; make(folder) saves it."""
        key = hashlib.sha256(repr(words).encode()).hexdigest()[:12]
        folder = f"{self.folder}/{key}"
        with self.lock:
            lock = self.locks.setdefault(key, threading.Lock())
        with lock:
            if not os.path.exists(f"{folder}/state"):
                os.makedirs(folder, exist_ok=True)
                make(folder)
        return State(folder)


def save(folder, command, place, stopping):
    """Runs a machine until it waits at a place and saves it as `state` in the folder. Its logs
    so far are left beside it."""
    deadline = time.monotonic() + TIMEOUT
    # it is saved while it stands still, and runs when it is resumed
    command = [*command, *Monitor.ARGUMENTS, "-global", "migration.store-global-state=off"]
    with Vm(folder, command) as vm:
        while f"waiting {place}\n" not in _text(f"{folder}/cut.log"):
            if vm.wait(0.1) or stopping.is_set() or time.monotonic() > deadline:
                raise OSError(f"{folder}: does not come to {place}: {vm.messages()}")
        monitor = Monitor(vm)
        monitor.run("stop")
        monitor.run("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
        monitor.run("migrate", uri="exec:zstd -1cq >new")
        while (status := monitor.run("query-migrate")["status"]) != "completed":
            if status in ("failed", "cancelled") or time.monotonic() > deadline:
                raise OSError(f"{folder}: cannot be saved: {status}")
            time.sleep(0.05)
        monitor.quit()
    os.rename(f"{folder}/new", f"{folder}/state")


def _text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as text:
            return text.read()
    except FileNotFoundError:
        return ""
