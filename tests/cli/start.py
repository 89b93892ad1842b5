# SPDX-License-Identifier: GPL-2.0-or-later
"""`start` on trees below build/cli/: exit status, report, log lines, deadline."""

import json
import os
import re
import signal
import stat
import subprocess
import time

from tree import Machine

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = f"{TOP}/build/cli"
ROOT = f"{BUILD}/root"
EARLY = os.environ.get("VFIO_CLAIM_EARLY", f"{TOP}/build/vfio-claim-early")
REPORT = f"{ROOT}/run/vfio-claim/report.json"
CARD = ["0000:05:00.0", "0000:05:00.1"]
REASONS = set("""off safe-mode config-error iommu-inactive no-iommu-mode device-absent
device-changed device-ambiguous dry-run group-not-viable not-an-endpoint last-display
record-unavailable module-unavailable unbind-failed bind-failed deadline""".split())


class Failed(Exception):
    """Why a case fails."""


def check(condition, why):
    if not condition:
        raise Failed(why)


def execute(*words, **more):
    try:
        return subprocess.run([EARLY, *words], text=True, capture_output=True,
                              check=False, stdin=subprocess.DEVNULL, errors="replace",
                              **{"timeout": 60, **more})
    except subprocess.TimeoutExpired as error:
        raise Failed(f"no end after {error.timeout} s") from error


def tree(conf=None, cmdline="ro quiet"):
    """Two equal cards; the one that boots with the host stays with it."""
    machine = Machine("twins")
    if conf is None:
        conf = "[claim gaming]\n" + "".join(machine.get(a).line() + "\n" for a in CARD)
    machine.files["etc/vfio-claim.conf"] = conf
    machine.files["proc/cmdline"] = cmdline + "\n"
    machine.write(ROOT)
    os.chmod(f"{ROOT}/etc/vfio-claim.conf", 0o644)
    return machine


def lines_of(done):
    """What goes to the kernel log, had this been a boot."""
    lines = done.stderr.splitlines()
    check(1 <= len(lines) <= 8, f"{len(lines)} lines in the log")
    for line in lines:
        check(line.startswith("vfio-claim: ") and len(line) > 14, f"the line {line!r}")
        check(re.fullmatch(r"[^\x00-\x1f\x7f]{1,940}", line), f"the line {line!r}")
    return lines


def load(path=REPORT):
    try:
        with open(path, encoding="ascii") as text:
            report = json.load(text)
    except (OSError, ValueError) as error:
        raise Failed(f"no report: {error}") from error
    check(report["version"] == 1 and report["stage"] == "start", "not a report")
    check(report["outcome"] in ("claimed", "partial", "held", "kept"), "no outcome")
    if report["outcome"] != "claimed":
        check(report["reason"] in REASONS and report["detail"], "no reason or no detail")
    return report


def started(*words, reason=None, report=REPORT, **more):
    """Runs it on the tree: status 0 in any case, a report, some lines."""
    done = execute("start", "--root", ROOT, *words, **more)
    check(done.returncode == 0, f"exit status {done.returncode}: {done.stderr.strip()}")
    check(not done.stdout, f"it writes {done.stdout!r} to its output")
    lines = lines_of(done)
    found = load(report)
    if reason:
        check(found.get("reason") == reason, f"the reason is {found.get('reason')}")
        check(any(reason in line for line in lines), f"{reason} is in no line: {lines}")
    return found


def start_writes_a_report():
    tree(cmdline="vfio_claim=dry-run")
    found = started(reason="dry-run")
    check([c["name"] for c in found["claims"]] == ["gaming"], "the claim is missing")
    check([f["address"] for f in found["claims"][0]["functions"]] == CARD, "functions")
    check(stat.S_IMODE(os.stat(REPORT).st_mode) == 0o644, "the report's mode")
    folder = os.path.dirname(REPORT)
    check(stat.S_IMODE(os.stat(folder).st_mode) == 0o755, "the folder's mode")
    check(os.listdir(folder) == ["report.json"], f"left behind: {os.listdir(folder)}")
    # a second run replaces it
    number = os.stat(REPORT).st_ino
    started(reason="dry-run")
    check(os.stat(REPORT).st_ino != number, "the report was not replaced by rename")


def start_never_fails():
    """Status 0 on machines that make no sense."""
    def broken(path, make):
        def change():
            tree()
            subprocess.run(["rm", "-rf", f"{ROOT}/{path}"], check=True)
            make(f"{ROOT}/{path}")
        return change

    def as_file(path):
        with open(path, "wb") as out:
            out.write(b"\0\xff" * 3000)

    def as_loop(path):
        os.symlink(os.path.basename(path), path)

    changes = [lambda: os.makedirs(f"{ROOT}/run")]
    for path in ("etc/vfio-claim.conf", "proc/cmdline", "sys/bus/pci/devices", "sys",
                 "sys/class/iommu", "sys/kernel/iommu_groups", "proc/iomem",
                 f"sys/bus/pci/devices/{CARD[0]}/uevent",
                 f"sys/bus/pci/devices/{CARD[0]}/config"):
        changes += [broken(path, make) for make in
                    (lambda path: None, as_file, as_loop, os.mkdir, os.mkfifo)]
    for number, change in enumerate(changes):
        subprocess.run(["rm", "-rf", ROOT], check=True)
        change()
        try:
            found = started(timeout=5)
        except Failed as error:
            raise Failed(f"change {number}: {error}") from error
        check(found["outcome"] == "kept", f"change {number}: {found['outcome']}")


def start_config_elsewhere():
    tree(conf="this is not it\n")
    line = Machine("twins").get(CARD[0]).line()
    with open(f"{BUILD}/other.conf", "w", encoding="utf-8") as out:
        out.write(f"[claim other]\n{line}\n")
    os.chmod(f"{BUILD}/other.conf", 0o644)
    for words in (["--config", f"{BUILD}/other.conf"], ["--config=other.conf"]):
        found = started(*words, cwd=BUILD)
        check([c["name"] for c in found["claims"]] == ["other"], f"{words}: {found}")
    found = started("--config", f"{BUILD}/no.conf", reason="config-error")
    check(f"{BUILD}/no.conf" in found["detail"], f"the detail is {found['detail']}")


def start_config_errors_have_a_place():
    tree(conf="[host]\nrequire-display = yes\nmax-attempts = many\n")
    found = started(reason="config-error")
    check("/etc/vfio-claim.conf:3: " in found["detail"],
          f"the detail is {found['detail']}")
    check(found["claims"] == [], "claims in spite of the error")


def start_config_of_others():
    for mode, owner in ((0o666, 0), (0o664, 0), (0o644, 12345)):
        tree()
        os.chmod(f"{ROOT}/etc/vfio-claim.conf", mode)
        os.chown(f"{ROOT}/etc/vfio-claim.conf", owner, 0)
        found = started(reason="config-error")
        check(found["outcome"] == "kept", f"{mode:o} {owner}: {found['outcome']}")
        subprocess.run(["rm", "-rf", ROOT], check=True)


def start_cmdline_elsewhere():
    tree(cmdline="vfio_claim=dry-run")
    with open(f"{BUILD}/words", "w", encoding="utf-8") as out:
        out.write("quiet vfio_claim=off\n")
    for words in (["--cmdline", f"{BUILD}/words"], ["--cmdline=words"]):
        started(*words, reason="off", cwd=BUILD)
    # it might have said off
    started("--cmdline", f"{BUILD}/no-words", reason="off")


def start_captured_without_a_cmdline():
    tree()
    os.remove(f"{ROOT}/proc/cmdline")
    # nothing answers to a write in a tree of files
    started(reason="bind-failed")


def start_report_elsewhere():
    tree(cmdline="vfio_claim=dry-run")
    for number, word in enumerate((f"{BUILD}/1.json", "2.json", "new/3.json")):
        path = os.path.join(BUILD, word)
        started("--report", word, reason="dry-run", report=path, cwd=BUILD)
        check(not os.path.exists(REPORT), f"{number}: a report below the root, too")


def start_report_cannot_be_written():
    tree(cmdline="vfio_claim=dry-run")
    os.makedirs(f"{BUILD}/folder")
    for word in (f"{BUILD}/a/b/c.json", f"{EARLY}/report.json", f"{BUILD}/folder",
                 "/proc/x"):
        done = execute("start", "--root", ROOT, "--report", word)
        check(done.returncode == 0, f"{word}: exit status {done.returncode}")
        check("report" in lines_of(done)[-1], f"{word}: {done.stderr!r}")
        check(any("dry-run" in line for line in lines_of(done)), "the reason is not said")
    check(os.listdir(f"{BUILD}/folder") == [], "the folder got something")
    check(not [name for name in os.listdir(BUILD) if name.startswith(".")], "left behind")


def start_lets_nothing_reach_the_terminal():
    tree(conf="[claim \x1b[31mred\x07]\n")
    started(reason="config-error")


def many_claims():
    """As many as a configuration can hold, each of a function that is not there."""
    addresses = [f"0000:{number:02x}:1f.7" for number in range(64)]
    tree(conf="".join(f"[claim c{number}]\nfunction = {at} path={at} id=10de:2484 "
                      f"subsystem=1043:87c1 class=030000\n"
                      for number, at in enumerate(addresses)))


def start_says_little_about_64_claims():
    many_claims()
    found = started(reason="device-absent")
    check(len(found["claims"]) == 64, f"{len(found['claims'])} claims in the report")


def start_says_little_without_a_report():
    """The line about the report is one of the eight."""
    many_claims()
    done = execute("start", "--root", ROOT, "--report", "/proc/x")
    check(done.returncode == 0, f"exit status {done.returncode}")
    check("report" in lines_of(done)[-1], "the missing report is not said")


# ---- a worker that does not come to its end

def hang(path):
    """Starts with a FIFO that nobody reads in place of a file. Returns parent, worker."""
    tree()
    os.unlink(f"{ROOT}/{path}")
    os.mkfifo(f"{ROOT}/{path}")
    # pylint: disable-next=consider-using-with
    parent = subprocess.Popen([EARLY, "start", "--root", ROOT], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(50):
        time.sleep(0.1)
        children = f"/proc/{parent.pid}/task/{parent.pid}/children"
        with open(children, encoding="ascii") as text:
            children = [int(word) for word in text.read().split()]
        if children and parent.poll() is None:
            return parent, children[0]
    parent.kill()
    raise Failed(f"there is no worker: {parent.communicate()}")


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as text:
            return text.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def words_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as text:
            return text.read().split("\0")
    except OSError:
        return []


def ended(parent, begin, least, most):
    """Waits for it. Returns the report."""
    try:
        output, errors = parent.communicate(timeout=30)
    except subprocess.TimeoutExpired as error:
        parent.kill()
        raise Failed("no end after 30 s") from error
    seconds = time.monotonic() - begin
    check(parent.returncode == 0, f"exit status {parent.returncode}: {errors.strip()}")
    check(least <= seconds <= most, f"it took {seconds:.1f} s")
    done = subprocess.CompletedProcess([], 0, output, errors)
    check(any("deadline" in line for line in lines_of(done)), f"it says {errors!r}")
    found = load()
    check((found["outcome"], found["reason"]) == ("kept", "deadline"),
          f"{found['outcome']} {found['reason']}")
    check(found["claims"][0]["reason"] == "deadline", "the claim's reason")
    check(any(w["code"] == "deadline" for w in found["warnings"]), "there is no warning")
    return found


def override_written():
    """What the first function's file begins with; writing does not cut a captured one."""
    with open(f"{ROOT}/sys/bus/pci/devices/{CARD[0]}/driver_override", "rb") as data:
        return data.read(8)


def deadline_ends_a_worker_that_hangs():
    begin = time.monotonic()
    parent, worker = hang("sys/bus/pci/drivers/vfio-pci/bind")
    time.sleep(1)
    check(override_written() == b"vfio-pci", "it hangs elsewhere")
    check(alive(worker), "the worker does not hang")
    found = ended(parent, begin, 10, 12)
    check("10 s" in found["detail"] and f"binding {CARD[0]}" in found["detail"],
          f"the detail is {found['detail']}")
    check(not alive(worker), "the worker is still there")
    check(override_written()[:1] == b"\n", "the override was not cleared")


def deadline_ends_a_rescue_that_hangs():
    """What hangs the worker hangs the one that gives back, too: that is said."""
    begin = time.monotonic()
    parent, worker = hang(f"sys/bus/pci/devices/{CARD[0]}/driver_override")
    found = ended(parent, begin, 10, 14)
    check("NOT given back" in found["detail"], f"the detail is {found['detail']}")
    check(not alive(worker), "the worker is still there")
    time.sleep(0.1)
    left = [pid for pid in os.listdir("/proc") if pid.isdigit() and ROOT in words_of(pid)]
    check(not left, f"processes are left: {left}")


def dead_worker_is_reported():
    for number in (signal.SIGKILL, signal.SIGSEGV):
        subprocess.run(["rm", "-rf", ROOT], check=True)
        begin = time.monotonic()
        parent, worker = hang("sys/bus/pci/drivers/vfio-pci/bind")
        time.sleep(0.5)
        os.kill(worker, number)
        found = ended(parent, begin, 0, 5)
        check("died" in found["detail"] and "binding" in found["detail"],
              f"the detail is {found['detail']}")
        check(override_written()[:1] == b"\n", "the override was not cleared")


CASES = [start_writes_a_report, start_never_fails, start_config_elsewhere,
         start_config_errors_have_a_place, start_config_of_others,
         start_cmdline_elsewhere, start_captured_without_a_cmdline,
         start_report_elsewhere, start_report_cannot_be_written,
         start_lets_nothing_reach_the_terminal, start_says_little_about_64_claims,
         start_says_little_without_a_report, deadline_ends_a_worker_that_hangs,
         deadline_ends_a_rescue_that_hangs, dead_worker_is_reported]
