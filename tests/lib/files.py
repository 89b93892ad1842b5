# SPDX-License-Identifier: GPL-2.0-or-later
"""What belongs to the source tree."""

import os


def source_files(top):
    """Paths of all files but git's own and what was built. Asks no git: a tarball has none."""
    found = []
    for folder, folders, names in os.walk(top):
        if folder == top:
            folders[:] = [name for name in folders if name not in (".git", "build")]
        found += [os.path.relpath(os.path.join(folder, name), top) for name in names]
    return sorted(found)


def interpreter(path):
    """The program that a script names for itself, or "", and its first line."""
    if not os.path.isfile(path):
        return "", b""
    with open(path, "rb") as data:
        first = data.readline(80)
    words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
    names = [os.path.basename(word) for word in words if not word.startswith("-")]
    return (names[1] if names[:1] == ["env"] else names[0]) if names else "", first
