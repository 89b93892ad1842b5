# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo's words on the terminal: a live line while something lasts, then one line."""

import os
import shutil
import sys
import time

WIDTH = 58


class Show:
    def __init__(self):
        self.live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self.colour = self.live and not os.environ.get("NO_COLOR")
        self.started = time.monotonic()
        self.told = 0

    def _paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def _print(self, text):
        if self.live:
            print("\r\033[K", end="")
        print(text, flush=True)

    def heading(self, text):
        self._print("\n" + self._paint("1", text))

    def begin(self):
        """A step that lasts begins: its time is counted from here."""
        self.started = time.monotonic()
        self.told = 0

    def progress(self, text):
        """Something lasts: a live line on a terminal, else a plain line every ten seconds."""
        seconds = int(time.monotonic() - self.started)
        if self.live:
            line = f"  ..  {text}, {seconds} s"[:shutil.get_terminal_size().columns - 1]
            print(f"\r\033[K{self._paint('2', line)}", end="", flush=True)
        elif seconds >= self.told + 10:
            self.told = seconds - seconds % 10
            print(f"  ..  {text}, {seconds} s", flush=True)

    def done(self, text, note=None):
        """A step ended well; without a note the time that it took is told."""
        if note is None:
            note = f"{time.monotonic() - self.started:.0f} s"
        self._print(f"  {self._paint('32', 'ok')}  {text:{WIDTH}} {self._paint('2', note)}")

    def failed(self, text):
        self._print(f"  {self._paint('31', 'no')}  {text}")

    def line(self, text=""):
        self._print(text)
