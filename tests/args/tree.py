# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree of files that stands for a machine, and the built command on it."""
import json
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = f"{TOP}/build/args"
BINARY = os.environ.get("VFIO_CLAIM", f"{TOP}/build/vfio-claim")
LOADER_INFO = ("sys/firmware/efi/efivars/"
               "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f")


class Failed(Exception):
    pass


def check(good, text):
    if not good:
        raise Failed(text)


def loader_info(name):
    return b"\x06\0\0\0" + (name + "\0").encode("utf-16-le")


def words(text):
    """Split as the kernel does; the quotes stay."""
    found, word, quoted = [], "", False
    for c in text + " ":
        if c in " \t\n\v\f\r" and not quoted:
            found += [word] if word else []
            word = ""
            continue
        quoted ^= c == '"'
        word += c
    return found


class Tree:
    def __init__(self, files):
        self.root = f"{BUILD}/tree"
        shutil.rmtree(self.root, ignore_errors=True)
        os.makedirs(self.root)
        for path, content in files.items():
            self.write(path, content)

    def write(self, path, content):
        path = f"{self.root}/{path}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as out:
            out.write(content if isinstance(content, bytes) else content.encode())

    def read(self, path):
        with open(f"{self.root}/{path}", "rb") as content:
            return content.read().decode()

    def snapshot(self):
        """Every file but the journal's."""
        found = {}
        for folder, _, names in os.walk(self.root):
            for name in names:
                path = os.path.relpath(os.path.join(folder, name), self.root)
                if path.startswith(("var/lib/vfio-claim/", "run/")):
                    continue
                if os.path.islink(f"{self.root}/{path}"):
                    found[path] = os.readlink(f"{self.root}/{path}")
                    continue
                with open(f"{self.root}/{path}", "rb") as content:
                    found[path] = content.read()
        return found

    def run(self, *arguments, status=0):
        done = subprocess.run([BINARY, "args", *arguments, "--root", self.root],
                              capture_output=True, check=False, timeout=20,
                              encoding="utf-8", errors="surrogateescape",
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C"})
        check(done.returncode == status,
              f"{arguments}: exit status {done.returncode}, not {status}: "
              f"{done.stderr.strip()} {done.stdout.strip()[-300:]}")
        return done

    def json(self, *arguments, status=0):
        return json.loads(self.run(*arguments, "--json", status=status).stdout)

    def shown(self):
        return [w["word"] for w in self.json("show")["arguments"]]


def there_and_back(tree, added, meanwhile=lambda: None):
    """add, add, remove: returns what the first one said."""
    before = tree.snapshot()
    first = tree.json("add", *added)
    check(first["outcome"] == "changed", f"add: {first}")
    meanwhile()
    after = tree.snapshot()
    check(after != before, "add has changed nothing")
    again = tree.json("add", *added)
    check(again["outcome"] == "unchanged" and not again["programs"],
          f"adding twice: {again}")
    check(tree.snapshot() == after, "adding twice has changed a file")
    tree.run("remove", *added)
    back = tree.snapshot()
    for path in before.keys() | back.keys():
        check(before.get(path) == back.get(path),
              f"add, remove: {path} is {back.get(path)!r}, not {before.get(path)!r}")
    return first


def refuses(tree, *arguments, say=()):
    before = tree.snapshot()
    done = tree.run(*arguments, status=1)
    check(tree.snapshot() == before, "refused, but a file has changed")
    for text in say:
        check(text in done.stderr, f"it does not say {text!r}: {done.stderr.strip()}")
