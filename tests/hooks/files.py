# SPDX-License-Identifier: GPL-2.0-or-later
"""What belongs to the source tree."""

import os
import subprocess


def source_files(top):
    """Paths that git knows or would add; without git's help, all but what was built."""
    done = subprocess.run(["git", "ls-files", "-z", "--cached", "--others",
                           "--exclude-standard"], cwd=top, text=True, capture_output=True,
                          check=False)
    if done.returncode == 0:
        found = set(filter(None, done.stdout.split("\0")))
    else:
        found = {os.path.relpath(os.path.join(folder, name), top)
                 for folder, _, names in os.walk(top) for name in names}
        found = {path for path in found if path.split("/")[0] not in (".git", "build")}
    return sorted(path for path in found if os.path.lexists(f"{top}/{path}"))
