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
