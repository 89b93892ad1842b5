# SPDX-License-Identifier: GPL-2.0-or-later
"""What a run of the tests takes (tests/lib/rotation.py)."""

import contextlib
import glob
import io
import os
import subprocess

import rotation
from start import BUILD, TOP, check

REPOSITORY = f"{BUILD}/repository"


def tests(room, words=None):
    """The names that a room would take."""
    clean = {key: value for key, value in os.environ.items() if key not in rotation.ENVIRONMENT}
    done = subprocess.run([f"{TOP}/tests/{room}/run", "--list"], check=True, text=True,
                          stdout=subprocess.PIPE, env={**clean, **(words or {})})
    return done.stdout.split()


def rotation_takes_every_test():
    """Three in a row, whichever the first is; none takes what another has taken already, but for
    what is always taken."""
    for room, rotating in rotation.ROTATING.items():
        whole = tests(room)
        parts = [tests(room, rotation.Turn(number, []).environment(room)) for number in (7, 8, 9)]
        check(set(whole) == set().union(*parts), f"{room}: {set(whole) - set().union(*parts)}")
        for name in whole:
            every = not rotation.among(name, rotating) or rotation.among(name, rotation.ALWAYS.get(room, ""))
            times = sum(name in part for part in parts)
            check(times == 3 if every else times == 1, f"{room}: {name} is taken {times} times")


def rotation_takes_what_is_touched():
    paths = ["hooks/dracut/module-setup.sh", "tests/power/damage.py", "README.md"]
    for number in range(rotation.PARTS):
        one = rotation.Turn(number, rotation.touched_by(paths))
        for room, patterns in (("boot", "*dracut*"), ("power", "damage-*")):
            left = set(tests(room)) - set(tests(room, one.environment(room)))
            check(left, f"{room}: everything is taken")
            check(not [name for name in left if rotation.among(name, patterns)],
                  f"{room}, turn {number}: left out {left}")


def rotation_knows_its_files():
    """No pattern that has lost its files or its tests."""
    names = [f"{room}/{name}" for room in rotation.ROTATING for name in tests(room)]
    wanted = [pattern for _, patterns in rotation.TOUCHING for pattern in patterns.split()]
    wanted += [f"{room}/{pattern}" for table in (rotation.ROTATING, rotation.ALWAYS)
               for room, patterns in table.items() for pattern in patterns.split()]
    for pattern in wanted:
        check(any(rotation.among(name, pattern) for name in names), f"no test is {pattern}")
    for pattern in (word for files, _ in rotation.TOUCHING for word in files.split()):
        check(glob.glob(f"{TOP}/{pattern}"), f"no file is {pattern}")


def git(*words):
    subprocess.run(["git", "-C", REPOSITORY, "-c", "user.name=n", "-c", "user.email=n@invalid",
                    *words], check=True, capture_output=True)


def commit():
    git("add", "-A")
    git("commit", "-m", "change")


def put(path, text):
    os.makedirs(os.path.dirname(f"{REPOSITORY}/{path}"), exist_ok=True)
    with open(f"{REPOSITORY}/{path}", "w", encoding="utf-8") as out:
        out.write(text)


def rotation_belongs_to_a_tree():
    """Of any other tree everything is taken."""
    put("early/event.c", "1")
    put("tests/README", "1")
    git("init", "-q")
    commit()
    above = rotation.TOP
    rotation.TOP = REPOSITORY
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            check(rotation.current() is None, "a turn before the first one")
            check(rotation.write() == 0, "the first turn is refused")
            check(rotation.current().touched[0] == "boot/*", "the first turn leaves tests out")
            commit()
            put("early/event.c", "2")
            check(rotation.write() != 0, "a turn for what is not committed")
            check(rotation.current() is None, "a turn of a tree that was edited")
            commit()
            check(rotation.current() is None, "a turn of another tree")
            check(rotation.write() == 0, "the second turn is refused")
            commit()
            now = rotation.current()
            check((now.number, now.touched) == (1, ["boot/*late*"]), f"{vars(now)}")
            git("rm", "-rq", "--cached", ".")
            os.rename(f"{REPOSITORY}/.git", f"{BUILD}/history")
            check(rotation.current().number == 1, "without history the tree is another one")
    finally:
        rotation.TOP = above


CASES = [rotation_takes_every_test, rotation_takes_what_is_touched, rotation_knows_its_files,
         rotation_belongs_to_a_tree]
