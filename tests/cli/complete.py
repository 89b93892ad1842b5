# SPDX-License-Identifier: GPL-2.0-or-later
"""The completions of the shells, with the built command in the path."""

import os
import re
import subprocess

from host import host
from installer import COMMAND, command
from start import BUILD, ROOT, TOP, check
from typed import Shell

FILES = f"{TOP}/conf/completions"
# $1 is the file, the rest the words so far
BASH = """. "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_vfio_claim
printf '%s\\n' "${COMPREPLY[@]}"
"""
PATHS = {"PATH": f"{BUILD}/bin:{os.environ['PATH']}", "LC_ALL": "C", "HOME": BUILD}


def stub():
    """A vfio-claim that looks at the tree."""
    os.makedirs(f"{BUILD}/bin", exist_ok=True)
    with open(f"{BUILD}/bin/vfio-claim", "w", encoding="utf-8") as out:
        out.write(f'#!/bin/sh\n[ "$1" != list ] || set -- "$@" --root {ROOT}\n'
                  f'exec {COMMAND} "$@"\n')
    os.chmod(f"{BUILD}/bin/vfio-claim", 0o755)


def shell(*words):
    done = subprocess.run(words, env=PATHS, text=True, capture_output=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=60)
    check(done.returncode == 0 and not done.stderr, f"{words[-1]}: {done.stderr}")
    return done.stdout.splitlines()


def bash(*words):
    return shell("bash", "--norc", "-c", BASH, "bash", f"{FILES}/vfio-claim.bash", *words)


def fish(*words):
    line = " ".join(words)
    return [found.split("\t")[0] for found in
            shell("fish", "--no-config", "-c", f"source {FILES}/vfio-claim.fish; "
                  f"complete -C '{line}'")]


def commands(*above):
    """The names of the commands, or of those of one command."""
    found = re.findall(r"^  (\w\S*) ", command(*above, "--help", root=None).stdout, re.M)
    check({"create"} <= set(found) if above else {"setup", "vm"} <= set(found),
          f"commands: {found}")
    return found


def with_options():
    """The words of every command that has options."""
    return [[name] for name in commands() if name != "vm"] + \
        [["vm", name] for name in commands("vm")]


def options(*words):
    found = re.findall(r"^\s+(--[a-z0-9-]+)", command(*words, "--help", root=None).stdout, re.M)
    check({"--root", "--json", "--help"} <= set(found), f"{words}: {found}")
    return found


def help_lists_every_option():
    for words in with_options():
        source = "vm/vm_{1}" if words[1:] else "cmd_{0}"
        with open(f"{TOP}/installer/{source.format(*words)}.c", encoding="utf-8") as text:
            table = re.findall(r'\{ "([a-z0-9-]+)", \w+_argument', text.read())
        missing = {f"--{option}" for option in table} - set(options(*words))
        check(not missing, f"{words} --help lacks {missing}")


def completes(offered, what, wanted):
    missing = set(wanted) - set(offered)
    check(not missing, f"{what}: {missing} are missing among {offered}")


def completion_of_bash():
    stub()
    host()
    completes(bash("vfio-claim", ""), "commands", [*commands(), "--help", "--version"])
    check(bash("vfio-claim", "sta") == ["status"], "it does not filter")
    completes(bash("vfio-claim", "vm", ""), "vm", commands("vm"))
    for words in with_options():
        completes(bash("vfio-claim", *words, "--"), words, options(*words))
        check(bash("vfio-claim", *words, "--jso") == ["--json"], f"{words}: it does not filter")
    completes(bash("vfio-claim", "setup", ""), "setup", ["0000:05:00.0", "0000:0c:00.1"])
    completes(bash("vfio-claim", "args", ""), "args", ["show", "add", "remove"])
    check(bash("vfio-claim", "list", "--root", f"{BUILD}/bi") == [f"{BUILD}/bin"], "--root")
    check(bash("vfio-claim", "nonsense", "-") == [""], "a command that is none")


def completion_of_fish():
    subprocess.run([f"{TOP}/tests/lib/need", "fish"], check=True)
    stub()
    host()
    completes(fish("vfio-claim", ""), "commands", commands())
    completes(fish("vfio-claim", "vm", ""), "vm", commands("vm"))
    for words in with_options():
        completes(fish("vfio-claim", *words, "--"), words, options(*words))
    completes(fish("vfio-claim", "setup", ""), "setup", ["0000:05:00.0", "0000:0c:00.1"])


def machine(name):
    """One that vm create made, for the tree's copy of a completion."""
    os.makedirs(f"{ROOT}/var/lib/vfio-claim/vm")
    with open(f"{ROOT}/var/lib/vfio-claim/vm/{name}.json", "w", encoding="utf-8"):
        pass


def of_the_tree(name):
    """A copy of a completion that looks for machines in the tree; its folder."""
    with open(f"{FILES}/{name}", encoding="utf-8") as source:
        text = source.read()
    os.makedirs(f"{BUILD}/completions", exist_ok=True)
    check("/var/lib/vfio-claim" in text, f"{name} names no machines")
    with open(f"{BUILD}/completions/{name}", "w", encoding="utf-8") as out:
        out.write(text.replace("/var/lib/vfio-claim", f"{ROOT}/var/lib/vfio-claim"))
    return f"{BUILD}/completions"


def typed_bash():
    stub()
    host()
    folder = of_the_tree("vfio-claim.bash")
    shell = Shell(["bash", "--norc", "--noprofile", "-i"], BUILD, PATHS["PATH"])
    shell.run(f"bind 'set show-all-if-ambiguous on'; . {folder}/vfio-claim.bash")
    return shell


def typed_zsh():
    subprocess.run([f"{TOP}/tests/lib/need", "zsh"], check=True)
    stub()
    host()
    folder = of_the_tree("_vfio-claim")
    shell = Shell(["zsh", "-f", "-i"], BUILD, PATHS["PATH"])
    shell.run("LISTMAX=-1; bindkey -e; fpath=(" + folder + " $fpath); "
              "autoload -Uz compinit; compinit -u -D")
    return shell


def words_become(shell, line, *words):
    found, shown = shell.complete(line)
    check(found == ["vfio-claim", *words], f"{line!r} became {found}: {shown[-300:]!r}")


def offered(shell, line):
    return re.findall(r"[a-z-]+", shell.complete(line)[1])


def typed(begin):
    """What is the same in every shell."""
    with begin() as shell:
        words_become(shell, "vfio-claim stat", "status")
        completes(offered(shell, "vfio-claim "), "commands", commands())
        completes(offered(shell, "vfio-claim vm "), "vm", commands("vm"))
        words_become(shell, "vfio-claim vm sho", "vm", "show")
        words_become(shell, "vfio-claim list --jso", "list", "--json")
        words_become(shell, "vfio-claim setup 0000:05", "setup", "0000:05:00.")
        words_become(shell, "vfio-claim setup 0000:05:00.0 0000:0c:", "setup", "0000:05:00.0",
                     "0000:0c:00.")
        words_become(shell, "vfio-claim vm show ", "vm", "show")
    with begin() as shell:
        machine("$(touch there)")
        words_become(shell, "vfio-claim vm show ", "vm", "show", "$(touch there)")
        check(not os.path.exists(f"{BUILD}/there"), "a machine's name was run")


def typed_in_bash():
    typed(typed_bash)


def typed_in_zsh():
    typed(typed_zsh)


def bash_stays_as_it_is():
    """What the shell has for all commands."""
    with typed_bash() as shell:
        shell.run('before=$COMP_WORDBREAKS')
        words_become(shell, "vfio-claim setup 0000:05", "setup", "0000:05:00.")
        shell.type('[[ $before == "$COMP_WORDBREAKS" && $before == *:* ]] && echo sa""me; echo\n')
        shell.expect("same\r\n")


CASES = [help_lists_every_option, completion_of_bash, completion_of_fish, typed_in_bash,
         typed_in_zsh, bash_stays_as_it_is]
