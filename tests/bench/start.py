# SPDX-License-Identifier: GPL-2.0-or-later
"""What a start of the command costs, beside the commit before it loaded libraries by itself:
user instructions, libraries, memory and system calls.

That commit is built from the history with this checkout's CC and CFLAGS, once. Where there is no
history, as in a shallow clone, its counts of RECORDED stand for it; `tests/bench/run start` in a
full clone on Debian 12 shows them.
"""

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess

import synthetic
from strace import COMMAND, Trace
from synthetic import BUILD, TOP
from tree import Machine

OURS = f"{TOP}/build/vfio-claim"
BEFORE = "3d402884ef46ed7775dad9397af0d68ec33ccf13"
RECORDED = {
    "--version": {"instructions": 10_969_405, "libraries": 22, "memory": 6868, "calls": 225},
    "status": {"instructions": 11_267_954, "libraries": 22, "memory": 7556, "calls": 338}}
COMMANDS = list(RECORDED)
WHAT = {"instructions": "user instructions", "libraries": "libraries", "memory": "KiB of memory",
        "calls": "system calls"}
MOST = {"instructions": 0.2, "memory": 0.6}
LIBRARIES, TIMES_SCAN = 8, 3
SIZE = 16


def history():
    look = ["git", "-C", TOP, "cat-file", "-e", f"{BEFORE}^{{commit}}"]
    return (shutil.which("git") and
            subprocess.run(look, check=False, capture_output=True).returncode == 0)


def before():
    """The command as it was, or None where there is no history to build it from."""
    if not history():
        return None
    flags = " ".join(os.environ.get(name, "") for name in ("CC", "CFLAGS", "LDFLAGS"))
    folder = f"{BUILD}/{BEFORE}-{hashlib.sha256(flags.encode()).hexdigest()[:8]}"
    if not os.path.exists(f"{folder}/vfio-claim"):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(f"{folder}/source")
        with subprocess.Popen(["git", "-C", TOP, "archive", BEFORE],
                              stdout=subprocess.PIPE) as archive:
            subprocess.run(["tar", "-x", "-C", f"{folder}/source"], stdin=archive.stdout,
                           check=True)
        clean = {key: value for key, value in os.environ.items()
                 if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "CI")}
        jobs = os.environ.get("JOBS") or os.cpu_count()
        subprocess.run(["make", "-s", f"-j{jobs}", "-C", f"{folder}/source", "build/vfio-claim"],
                       check=True, env=clean, stdout=subprocess.DEVNULL)
        shutil.move(f"{folder}/source/build/vfio-claim", f"{folder}/vfio-claim")
        shutil.rmtree(f"{folder}/source")
    return f"{folder}/vfio-claim"


def machine():
    """A machine on which early boot has claimed the card; its /etc is what a start needs."""
    root = synthetic.tree(SIZE)
    shutil.copy("/etc/ld.so.cache", f"{root}/etc/ld.so.cache")
    subprocess.run(synthetic.within(root, synthetic.command("ours", root)), check=True,
                   capture_output=True, env=synthetic.ENVIRONMENT)
    return root


def within(root, words):
    etc = ["sh", "-c", 'mount --bind "$0/etc" /etc && exec "$@"', root, *words]
    return synthetic.within(root, etc)


def run(root, command, *tool):
    """Runs a command there under a tool."""
    done = subprocess.run(within(root, [*tool, *command]), check=False, text=True,
                          capture_output=True, env=synthetic.ENVIRONMENT)
    good = "vfio-claim " if command[-1] == "--version" else "card: claimed"
    if good not in done.stdout:
        raise OSError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done


def libraries(log):
    """What the loader and dlopen() have opened, and the loader itself."""
    with open(log, encoding="utf-8", errors="replace") as text:
        opened = re.findall(r'^.*open\w*\(.*"([^"]*\.so[.\d]*)".* = \d+<', text.read(), re.M)
    return len(set(map(os.path.basename, opened))) + 1


def measure(root, program, command):
    log = f"{BUILD}/start.log"
    words = [program, command]
    run(root, words, "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
        f"--log-file={log}")
    with open(log, encoding="utf-8") as text:
        instructions = int(re.search(r"refs: +([\d,]+)", text.read())[1].replace(",", ""))
    run(root, words, *COMMAND, log)
    found = {"instructions": instructions, "libraries": libraries(log), "calls": Trace(log).calls}
    # time(1): what starts it from here is larger than it
    run(root, words, "time", "-f", "%M", "-o", log)
    with open(log, encoding="utf-8") as text:
        found["memory"] = int(text.read().split()[-1])
    return found


@functools.cache
def starts():
    """(where the old counts are from, command -> old counts, command -> ours)."""
    subprocess.run([f"{TOP}/tests/lib/need", "strace", "valgrind", "time"], check=True)
    root, old = machine(), before()
    ours = {command: measure(root, OURS, command) for command in COMMANDS}
    if not old:
        return "recorded; there is no history here to build it from", RECORDED, ours
    return "built beside it", {command: measure(root, old, command) for command in COMMANDS}, ours


def listing():
    """(system calls of list --json, those of the scan in list) at 4096 functions."""
    root, log = synthetic.tree(4096), f"{BUILD}/list.log"
    done = subprocess.run([*COMMAND, log, OURS, "list", "--json", "--root", root], check=True,
                          text=True, capture_output=True, env=synthetic.ENVIRONMENT)
    found = {f["address"]: f["path"] for f in json.loads(done.stdout)["functions"]}
    if found != {f.address: f.path for f in Machine("server", 4096).functions}:
        raise OSError("list --json does not know the path of every function")
    calls = Trace(log).calls
    subprocess.run([*COMMAND, log, OURS, "list", "--root", root], check=True,
                   capture_output=True, env=synthetic.ENVIRONMENT)
    with open(log, encoding="utf-8", errors="replace") as text:
        scan = sum("/uevent" in line for line in text)
    return calls, scan


def compare(command, what):
    """A count and its limit."""
    source, old, ours = starts()
    print(f"    {command} of {BEFORE[:7]} ({source}): {WHAT[what]} {old[command][what]:,}")
    return ours[command][what], int(old[command][what] * MOST[what])


def compare_listing():
    calls, scan = listing()
    return calls, TIMES_SCAN * scan


# what -> what measures it: (value, limit)
GATES = {
    **{f"{WHAT[what]} of {command}": lambda command=command, what=what: compare(command, what)
       for command in COMMANDS for what in MOST},
    **{f"libraries of {command}":
       lambda command=command: (starts()[2][command]["libraries"], LIBRARIES)
       for command in COMMANDS},
    "system calls of list --json at 4096 functions": compare_listing,
}
