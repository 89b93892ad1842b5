# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a room's cases, several at a time, each in a folder of its own."""

import concurrent.futures
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time

import costs
from pick import pick, words

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
stopping = threading.Event()


class Failed(Exception):
    """Why a case fails."""


def run(*command):
    env = {key: value for key, value in os.environ.items()
           if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR", "PREFIX")}
    return subprocess.run(command, text=True, capture_output=True, check=False, env=env,
                          stdin=subprocess.DEVNULL, cwd=TOP)


def must(*command):
    done = run(*command)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout.strip()


def equal(what, told, wanted):
    if told != wanted:
        raise Failed(f"{what}: {told!r}, not {wanted!r}")


class Room:
    """cases: functions that are called with their name. Names in `large` are removed from the
    folder of a case that passed."""

    def __init__(self, folder, cases, packages, prepare, large):
        self.folder, self.packages, self.prepare, self.large = folder, packages, prepare, large
        self.cases = {case.__name__.replace("_", "-"): case for case in cases}

    def attempt(self, name):
        """What is wrong, or None, and the seconds that it took."""
        folder = f"{self.folder}/{name}"
        # Two runs at a time must not meet in one folder.
        with open(f"{folder}.lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            started = time.monotonic()
            subprocess.run(["rm", "-rf", "--one-file-system", folder], check=True)
            os.makedirs(folder)
            wrong = None
            try:
                self.cases[name](name)
            except (Failed, OSError, subprocess.CalledProcessError) as error:
                wrong = f"{error} {getattr(error, 'stderr', '') or ''}".strip()
            if not wrong:
                subprocess.run(["rm", "-rf", "--one-file-system",
                                *(f"{folder}/{part}" for part in self.large)], check=True)
            return wrong, time.monotonic() - started

    def run(self, chosen):
        failed = 0
        jobs = int(os.environ.get("JOBS") or os.cpu_count())
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            runs = {pool.submit(self.attempt, name): name for name in chosen}
            try:
                for done in concurrent.futures.as_completed(runs):
                    wrong, seconds = done.result()
                    failed += bool(wrong)
                    print(f"not ok {runs[done]} ({seconds:.1f}s): {wrong}" if wrong
                          else f"ok {runs[done]} ({seconds:.1f}s)", flush=True)
            except BaseException:
                stopping.set()
                pool.shutdown(cancel_futures=True)
                raise
        print(f"{len(chosen) - failed} passed, {failed} failed")
        return 1 if failed else 0

    def main(self, usage):
        chosen = pick(self.cases, *words(usage))
        subprocess.run([f"{TOP}/tests/lib/need", *self.packages], check=True)
        os.makedirs(self.folder, exist_ok=True)
        with costs.images():
            self.prepare(chosen)
        return self.run(chosen)


def main(room, usage):
    """Runs the room as a program."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(room.main(usage))
    except Failed as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped")
    except subprocess.CalledProcessError as error:
        sys.exit(f"{os.path.basename(error.cmd[0])} failed")
