# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases by name. An AssertionError says what is wrong."""
import fcntl
import json
import os
import pty
import re
import subprocess

from faults import CommandFaults, Faults
from tree import CONF, FOLDER, GRUB, OLD, TOP, WORDS, Tree, attributes, drive

CASES = {}
COMMAND = f"{TOP}/build/vfio-claim"


def case(function):
    CASES[function.__name__.replace("_", " ")] = function
    return function


def same(what, found, wanted):
    assert found == wanted, f"{what} is {found!r}, not {wanted!r}"


def holds(text, part):
    assert part in text, f"{part!r} is not in {text!r}"


def works(result):
    assert result.status == 0, str(result)
    return result


def refuses(result, part):
    assert result.status == 1, f"not refused: {result}"
    holds(result.err, part)


def applied(name, plan=None):
    """A tree with the usual plan carried out, and what it was before."""
    tree = Tree(name)
    before = tree.snapshot(journal=True)
    works(drive("apply", tree.root, plan(tree) if plan else tree.usual_plan()))
    return tree, before


def undone(tree, before):
    result = works(drive("undo", tree.root))
    now = tree.snapshot(journal=True)
    differs = [p for p in sorted(now.keys() | before.keys()) if now.get(p) != before.get(p)]
    assert not differs, f"undo leaves {[(p, before.get(p), now.get(p)) for p in differs]}"
    return result


def one_file(path, after, **more):
    return lambda tree: tree.plan([{"path": path, "after": after, **more}])


@case
def a_file_is_on_the_disk_before_its_name():
    """What is written whole has reached the disk when its name leads to it, and the name has
    when the next file is begun."""
    tree = Tree("order")
    log = f"{tree.root}.strace"
    works(drive("apply", tree.root, one_file("etc/words", "x=2\n")(tree),
                wrap=["strace", "-o", log, "-e", "trace=openat,write,fsync,renameat", "--"]))
    with open(log, encoding="utf-8") as text:
        lines = [line for line in text if "O_PATH" not in line and "write(1," not in line]
    begun = [number for number, line in enumerate(lines) if ".vfio-claim-new\", O_WRONLY" in line]
    assert len(begun) >= 3, f"{len(begun)} files were written"
    for at in begun:
        folder, name, file = re.match(r'openat\((\d+), "([^"]*)", .* = (\d+)', lines[at]).groups()
        wanted = [rf"write\({file}, ", rf"fsync\({file}\) += 0",
                  rf'renameat\({folder}, "{re.escape(name)}", {folder}, "[^"]*"\) = 0',
                  rf"fsync\({folder}\) += 0", rf"fsync\({file}\) += 0"]
        for pattern, line in zip(wanted, lines[at + 1:]):
            assert re.match(pattern, line), f"{name}: {line.strip()}, not {pattern}"
    os.unlink(log)


@case
def setup_and_undo_leave_nothing():
    tree, before = applied("usual")
    grub = os.lstat(tree.path("etc/default/grub"))
    same("the mode", oct(grub.st_mode & 0o7777), "0o604")
    if os.geteuid() == 0:
        same("the group", grub.st_gid, 34)
    same("the attributes", {name: os.getxattr(tree.path("etc/default/grub"), name)
                            for name in os.listxattr(tree.path("etc/default/grub"))},
         attributes(0o604))
    same("a new file's mode", oct(os.lstat(tree.path("etc/default/grub.d/90.cfg")).st_mode & 0o7777),
         "0o600")
    assert not tree.exists("etc/modprobe.d/old.conf")
    same("the folder's mode", oct(os.lstat(tree.path(FOLDER)).st_mode & 0o7777), "0o700")
    for folder, _, files in os.walk(tree.path(FOLDER)):
        for name in files:
            same(name, oct(os.lstat(f"{folder}/{name}").st_mode & 0o7777), "0o600")
    same("the state", drive("state", tree.root).out, "applied\n")
    undone(tree, before)
    same("the state", drive("state", tree.root).out, "none\n")


@case
def programs_below_a_captured_root_are_printed():
    tree = Tree("printed")
    result = works(drive("apply", tree.root, tree.usual_plan()))
    holds(result.err, "would run: update-grub\nwould run: it on\n")
    holds(works(drive("undo", tree.root)).err, "would run: update-grub\nwould run: it off\n")


@case
def the_first_original_is_what_comes_back():
    tree, before = applied("twice")
    works(drive("apply", tree.root, tree.plan([
        {"path": "etc/default/grub", "after": "second\n", "kind": "args", "owner": "words",
         "ours": ["second"]},
        {"path": "etc/another", "after": "more\n"}])))
    same("backups", sorted(os.listdir(tree.path(f"{FOLDER}/backups"))), ["1", "2"])
    undone(tree, before)


@case
def the_same_setup_twice_changes_nothing():
    tree, before = applied("same")
    after = tree.snapshot()
    works(drive("apply", tree.root, tree.usual_plan()))
    same("the tree", tree.snapshot(), after)
    undone(tree, before)


def words_plan(tree):
    return tree.plan([{"path": "etc/words", "after": WORDS + "ours=1\n", "kind": "args",
                       "owner": "words", "ours": ["ours=1"]}])


@case
def only_our_words_go_from_an_edited_file():
    tree, _ = applied("words", words_plan)
    tree.write("etc/words", "mine\nours=1\nquiet\n")
    holds(works(drive("undo", tree.root)).out, "only our words")
    same("etc/words", tree.read("etc/words"), b"mine\nquiet\n")
    assert not tree.exists(FOLDER)


@case
def an_edit_between_two_setups_is_not_lost():
    tree, _ = applied("between", words_plan)
    tree.write("etc/words", WORDS + "ours=1\nmine\n")
    works(drive("apply", tree.root, tree.plan([
        {"path": "etc/words", "after": WORDS + "ours=1\nmine\nours=2\n", "kind": "args",
         "owner": "words", "ours": ["ours=2"]}])))
    works(drive("undo", tree.root))
    same("etc/words", tree.read("etc/words").decode(), WORDS + "mine\n")


@case
def without_its_boot_loader_the_words_are_named():
    tree, _ = applied("stranger", lambda tree: tree.plan([
        {"path": "etc/words", "after": "x\n", "kind": "args", "owner": "unknown",
         "ours": ["a=1", "b"]}]))
    tree.write("etc/words", "edited\n")
    holds(works(drive("undo", tree.root)).out, "by hand: a=1 b")
    same("etc/words", tree.read("etc/words"), b"edited\n")


@case
def only_our_claims_go_from_an_edited_configuration():
    tree, _ = applied("claims")
    theirs = "# mine\n[claim usb]\nfunction = 0000:02:00.0\n"
    tree.write("etc/vfio-claim.conf", CONF + "\n" + theirs)
    works(drive("undo", tree.root))
    same("the configuration", tree.read("etc/vfio-claim.conf").decode(),
         "[host]\nrequire-display = yes\n\n" + theirs)


@case
def a_configuration_without_claims_is_kept_beside():
    tree, before = applied("save")
    tree.write("etc/vfio-claim.conf", "# mine\n" + CONF, 0o640)
    holds(works(drive("undo", tree.root)).out, "/etc/vfio-claim.conf.vfio-claim-save")
    same("the copy", tree.read("etc/vfio-claim.conf.vfio-claim-save").decode(), "# mine\n" + CONF)
    os.unlink(tree.path("etc/vfio-claim.conf.vfio-claim-save"))
    same("the rest", tree.snapshot(journal=True), before)


@case
def a_copy_is_never_written_over():
    tree, _ = applied("copies")
    tree.write("etc/default/grub.d/90.cfg", "edited\n")
    tree.write("etc/default/grub.d/90.cfg.vfio-claim-save", "from before\n")
    works(drive("undo", tree.root))
    same("the old copy", tree.read("etc/default/grub.d/90.cfg.vfio-claim-save"), b"from before\n")
    same("the new copy", tree.read("etc/default/grub.d/90.cfg.vfio-claim-save.1"), b"edited\n")
    assert not tree.exists("etc/default/grub.d/90.cfg")


@case
def what_was_deleted_since_comes_back():
    tree, before = applied("gone")
    os.unlink(tree.path("etc/default/grub"))
    holds(works(drive("undo", tree.root)).out, "/etc/default/grub is gone")
    same("the tree", tree.snapshot(journal=True), before)


@case
def what_was_made_anew_stays():
    tree, _ = applied("anew")
    tree.write("etc/modprobe.d/old.conf", "theirs\n")
    works(drive("undo", tree.root))
    same("theirs", tree.read("etc/modprobe.d/old.conf"), b"theirs\n")
    same("the old one", tree.read("etc/modprobe.d/old.conf.vfio-claim-save"), OLD)


@case
def without_a_backup_our_words_go():
    for damage in (os.unlink, lambda path: open(path, "wb").close()):
        tree, _ = applied("backup", words_plan)
        damage(tree.path(f"{FOLDER}/backups/1"))
        holds(works(drive("undo", tree.root)).out, "gone or damaged")
        same("etc/words", tree.read("etc/words").decode(), WORDS)
        assert not tree.exists(FOLDER)


@case
def without_a_backup_a_file_stays_and_is_named():
    tree, _ = applied("stays", one_file("etc/default/grub", "x\n"))
    os.unlink(tree.path(f"{FOLDER}/backups/1"))
    holds(works(drive("undo", tree.root)).out, "/etc/default/grub stays as it is")
    same("the file", tree.read("etc/default/grub"), b"x\n")


@case
def a_damaged_journal_changes_nothing():
    tree, _ = applied("damaged")
    text = tree.read(f"{FOLDER}/journal.json")
    outside = json.loads(text)
    broken = [text[:n] for n in range(0, len(text) - 2, 37)] + [b"\0" * 300, b"[]", text + b"{}"]
    for path in ("../x", "/etc/x", "etc//x", "etc/../../x", "", ".", "etc/./x"):
        for key in ("files", "pending", "folders"):
            changed = json.loads(text)
            if key == "files":
                changed["files"][0]["path"] = path
            else:
                changed[key] = [path]
            broken.append(json.dumps(changed).encode())
    for key, value in (("version", 2), ("state", "x"), ("programs", [{"argv": []}]),
                       ("files", [outside["files"][0]] * 2)):
        broken.append(json.dumps({**outside, key: value}).encode())
    # whatever a program of the plan may lack, behind others that are whole
    program = {"argv": ["true"], "why": "to see", "begun": True, "done": True}
    for key in program:
        for value in (None, 3, [], {}):
            lacks = {k: v for k, v in program.items() if k != key}
            if value is not None:
                lacks[key] = value
            broken.append(json.dumps({**outside, "programs": [program] * 9 + [lacks]}).encode())
    for key in outside["files"][0]:
        if key in ("owner", "xattrs", "backup", "mode", "uid", "gid"):
            continue
        lacks = {k: v for k, v in outside["files"][0].items() if k != key}
        broken.append(json.dumps({**outside, "files": [lacks]}).encode())
    for at, data in enumerate(broken):
        tree.write(f"{FOLDER}/journal.json", data, 0o600)
        before = tree.snapshot(journal=True)
        for action in (["undo", tree.root], ["apply", tree.root, tree.usual_plan()]):
            refuses(drive(*action), "is damaged")
        now = tree.snapshot(journal=True)
        now.pop(f"{FOLDER}/lock", None)
        before.pop(f"{FOLDER}/lock", None)
        same(f"the tree after journal {at}", now, before)
    return f"  ({len(broken)} of them)"


@case
def a_journal_of_somebody_else_is_not_believed():
    tree, _ = applied("somebody")
    os.chmod(tree.path(f"{FOLDER}/journal.json"), 0o666)
    refuses(drive("undo", tree.root), "others may write it")
    os.chmod(tree.path(f"{FOLDER}/journal.json"), 0o600)
    os.rename(tree.path(f"{FOLDER}/journal.json"), tree.path("etc/journal.json"))
    os.symlink("../../../etc/journal.json", tree.path(f"{FOLDER}/journal.json"))
    refuses(drive("undo", tree.root), "symbolic link")
    if os.geteuid() == 0:
        os.unlink(tree.path(f"{FOLDER}/journal.json"))
        os.rename(tree.path("etc/journal.json"), tree.path(f"{FOLDER}/journal.json"))
        os.chown(tree.path(f"{FOLDER}/journal.json"), 65534, 65534)
        refuses(drive("undo", tree.root), "must belong to root")


def untouched(name, prepare, path="etc/default/grub", part="no plan"):
    tree = Tree(name)
    prepare(tree)
    before = tree.snapshot(journal=True)
    refuses(drive("apply", tree.root, tree.plan([
        {"path": "etc/first", "after": "x\n"}, {"path": path, "after": "x\n"}])), part)
    same("the tree", tree.snapshot(journal=True), before)


@case
def a_link_in_place_of_a_file_is_refused():
    def link(tree):
        os.rename(tree.path("etc/default/grub"), tree.path("etc/real"))
        os.symlink("../real", tree.path("etc/default/grub"))
    untouched("link", link)
    untouched("dangling", lambda tree: os.symlink("/nowhere", tree.path("etc/new")), "etc/new")
    untouched("folder", lambda tree: os.mkdir(tree.path("etc/new")), "etc/new")
    untouched("fifo", lambda tree: os.mkfifo(tree.path("etc/new")), "etc/new")


@case
def a_link_that_came_after_setup_is_left_alone():
    tree, _ = applied("late")
    os.rename(tree.path("etc/default/grub"), tree.path("etc/real"))
    os.symlink("../real", tree.path("etc/default/grub"))
    real = tree.read("etc/real")
    holds(works(drive("undo", tree.root)).out, "/etc/default/grub is no file any more")
    same("what the link names", tree.read("etc/real"), real)


@case
def nothing_leads_out_of_the_root():
    for path in ("../outside", "etc/../../outside", "/etc/outside", "etc//x", "."):
        untouched("out", lambda tree: None, path)
    tree = Tree("out")
    os.makedirs(tree.path("../outside"), exist_ok=True)
    os.symlink(os.path.abspath(tree.path("../outside")), tree.path("etc/away"))
    os.symlink("../../../../../../../../../../../.." + os.path.abspath(tree.path("../outside")),
               tree.path("etc/up"))
    for folder in ("etc/away", "etc/up"):
        drive("apply", tree.root, tree.plan([{"path": f"{folder}/x", "after": "x\n"}]))
        same("what is outside", os.listdir(tree.path("../outside")), [])


@case
def a_file_that_changed_since_the_plan_is_not_written():
    tree = Tree("stale")
    refuses(drive("apply", tree.root, tree.usual_plan(), "stale"), "changed by somebody else")
    same("the file", tree.read("etc/default/grub").decode(), GRUB + "x")
    assert not tree.exists(FOLDER) and not tree.exists("etc/vfio-claim.conf")


@case
def two_at_a_time_are_one_too_many():
    tree, before = applied("lock")
    now = tree.snapshot(journal=True)
    lock = os.open(tree.path(f"{FOLDER}/lock"), os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    refuses(drive("undo", tree.root), "another vfio-claim")
    refuses(drive("apply", tree.root, tree.usual_plan()), "another vfio-claim")
    same("the tree", tree.snapshot(journal=True), now)
    os.close(lock)
    undone(tree, before)


@case
def many_at_a_time_leave_a_whole_machine():
    tree = Tree("race")
    before = tree.snapshot(journal=True)
    plan = tree.usual_plan()
    from tree import DRIVER     # pylint: disable=import-outside-toplevel
    running = [subprocess.Popen([DRIVER, *action], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)
               for action in [("apply", tree.root, plan), ("undo", tree.root)] * 8]
    statuses = {process.wait(timeout=60) for process in running}
    assert statuses <= {0, 1}, f"statuses {statuses}"
    works(drive("apply", tree.root, plan))
    undone(tree, before)


@case
def who_may_not_write_is_told_so():
    if os.geteuid():
        return "  (left out: not root)"
    tree = Tree("nobody")
    before = tree.snapshot(journal=True)
    result = drive("apply", tree.root, tree.usual_plan(),
                   wrap=["setpriv", "--reuid=65534", "--clear-groups", "--"])
    refuses(result, "only root may do that")
    same("the tree", tree.snapshot(journal=True), before)
    tree, _ = applied("nobody")
    refuses(drive("state", tree.root, wrap=["setpriv", "--reuid=65534", "--clear-groups", "--"]),
            "only root may do that")
    return None


def program(tree, name, body):
    tree.write(name, f"#!/bin/sh\n{body}\n", 0o755)
    return tree.path(name)


@case
def programs_get_their_words_as_they_are():
    tree = Tree("live")
    tool = program(tree, "etc/tool", f'printf "<%s>" "$@" >>{tree.root}/log; echo out; exit 0')
    word = "a b $(reboot) 'x' \"y\" \\ *"
    plan = tree.plan([], [{"argv": [tool, word, ""], "undo": [tool, "back"], "why": "try"}])
    result = works(drive("apply", tree.root, plan, live=True))
    same("the log", tree.read("log").decode(), f"<{word}><>")
    same("stdout", result.out, "")
    holds(result.err, "out\n")
    works(drive("undo", tree.root, live=True))
    same("the log", tree.read("log").decode(), f"<{word}><><back>")


@case
def a_program_that_fails_leaves_it_unfinished():
    tree = Tree("fails")
    tool = program(tree, "etc/tool", f"test -e {tree.root}/mended")
    before = tree.snapshot(journal=True)
    plan = tree.plan([{"path": "etc/x", "after": "x\n"}], [{"argv": [tool], "why": "try"}])
    refuses(drive("apply", tree.root, plan, live=True), "failed with exit status 1")
    same("the state", drive("state", tree.root).out, "unfinished\n")
    same("the file", tree.read("etc/x"), b"x\n")
    refuses(drive("undo", tree.root, live=True), "failed with exit status 1")
    same("the state", drive("state", tree.root).out, "unfinished\n")
    tree.write("mended", "")
    works(drive("apply", tree.root, plan, live=True))
    same("the state", drive("state", tree.root).out, "applied\n")
    os.unlink(tree.path("mended"))
    refuses(drive("undo", tree.root, live=True), "failed")
    # a program that is gone has nothing left to undo
    os.unlink(tool)
    before.pop("etc/tool")
    holds(undone_live(tree, before).err, "is not there any more")


def undone_live(tree, before):
    result = works(drive("undo", tree.root, live=True))
    same("the tree", tree.snapshot(journal=True), before)
    return result


@case
def what_takes_long_is_named():
    tree = Tree("slow")
    tool = program(tree, "etc/tool", "exec sleep 2.3")
    result = works(drive("apply", tree.root,
                         tree.plan([], [{"argv": [tool], "why": "wait"}]), live=True))
    holds(result.err, "(to wait), 2 s so far")


@case
def tools_in_sbin_are_found():
    tree = Tree("sbin")
    result = works(drive("apply", tree.root,
                         tree.plan([], [{"argv": ["sysctl", "--version"], "why": "try"}])
                         if os.path.exists("/usr/sbin/sysctl") else
                         tree.plan([], [{"argv": ["chroot", "--version"], "why": "try"}]),
                         live=True, env={"PATH": "/nowhere"}))
    holds(result.err, "version" if "sysctl" not in result.err else "procps")


def command(tree, *arguments, **more):
    return subprocess.run([COMMAND, "undo", "--root", tree.root, *arguments], text=True,
                          capture_output=True, timeout=60, check=False, **more)


@case
def the_command_shows_and_asks():
    tree, before = applied("command")
    now = tree.snapshot(journal=True)
    dry = command(tree, "--dry-run")
    same("the status", dry.returncode, 0)
    holds(dry.stdout, '-GRUB_CMDLINE_LINUX_DEFAULT="quiet splash iommu=pt"')
    holds(dry.stdout, "then, to write the boot menu:\n  update-grub\n")
    refused = command(tree, stdin=subprocess.DEVNULL)
    same("the status", refused.returncode, 1)
    holds(refused.stderr, "--yes")
    plan = json.loads(command(tree, "--dry-run", "--json").stdout)
    same("the outcome", plan["outcome"], "planned")
    same("the paths", sorted(f["path"] for f in plan["files"]),
         ["/etc/default/grub", "/etc/default/grub.d/90.cfg", "/etc/modprobe.d/old.conf",
          "/etc/vfio-claim.conf"])
    same("the tree", tree.snapshot(journal=True), now)
    for answer in ("n", "y"):
        same("the tree", tree.snapshot(journal=True), now)
        ours, theirs = pty.openpty()
        os.write(ours, f"{answer}\n".encode())
        status = subprocess.run([COMMAND, "undo", "--root", tree.root], stdin=theirs,
                                stdout=subprocess.DEVNULL, stderr=theirs, timeout=60,
                                check=False).returncode
        os.close(ours)
        os.close(theirs)
        same("the status", status, 0 if answer == "y" else 1)
    same("the tree", tree.snapshot(journal=True), before)
    holds(command(tree, "--yes").stdout, "nothing to undo")
    same("the tree", tree.snapshot(journal=True), before)


@case
def the_command_in_a_script():
    tree, before = applied("script")
    done = command(tree, "--yes", "--json", stdin=subprocess.DEVNULL)
    same("the outcome", json.loads(done.stdout)["outcome"], "done")
    same("the tree", tree.snapshot(journal=True), before)


def sweep(kind, action, fault, name):
    def run():
        faults = kind()
        wrong = faults.sweep(action, fault)
        assert not wrong, "\n        ".join(wrong[:8])
        return f"  ({faults.points} points)"
    CASES[f"{fault} at every call of {name}"] = run


for ACTION, NAME in (("apply", "the real setup"), ("undo", "the real undo")):
    for FAULT in ("SIGKILL", "ENOSPC", "EIO", "EROFS"):
        sweep(Faults, ACTION, FAULT, f"an {ACTION}")
        sweep(CommandFaults, ACTION, FAULT, NAME)
