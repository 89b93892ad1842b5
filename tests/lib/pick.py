# SPDX-License-Identifier: GPL-2.0-or-later
"""Which tests of a room are meant: the one meaning of PATTERN and --list in all rooms."""

import fnmatch
import sys

import costs
from rotation import taken


def words(usage):
    """The pattern on a room's command line, and whether only the names are wanted."""
    rest = [word for word in sys.argv[1:] if word != "--list"]
    if len(rest) > 1 or any(word.startswith("-") for word in rest):
        sys.exit(usage)
    return rest[0] if rest else "", "--list" in sys.argv[1:]


def meant(name, pattern):
    """A shell pattern, or a part of the name."""
    return pattern in name or fnmatch.fnmatch(name, pattern)


def pick(names, pattern, listing):
    """Those of the names that are meant, and that this run takes. Ends the program behind the
    list, or where none is."""
    chosen = [name for name in names if meant(name, pattern)]
    now = [name for name in chosen if taken(name)]
    if listing:
        print("".join(f"{name}\n" for name in now), end="")
        sys.exit(0)
    if not now:
        sys.exit(f"No test matches {pattern}; {sys.argv[0]} --list shows them.")
    costs.note("left", len(chosen) - len(now))
    return now
