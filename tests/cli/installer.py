# SPDX-License-Identifier: GPL-2.0-or-later
"""`vfio-claim` on trees below build/cli/, after vfio-claim-early has run there: the card is on
vfio-pci already, so that the boot is claimed without a kernel."""

import json
import os
import shutil
import struct
import subprocess

from start import BUILD, CARD, REPORT, ROOT, Failed, check, execute, tree
from tree import Machine

COMMAND = f"{os.path.dirname(os.path.dirname(BUILD))}/build/vfio-claim"
GUID = "5f4c1d2e-8a37-4b0c-9d61-3e7a52c8f014"
EFIVARS = f"{ROOT}/sys/firmware/efi/efivars"
VARIABLE = f"{EFIVARS}/VfioClaimRecord-{GUID}"
FILE = f"{ROOT}/boot/vfio-claim.record"
NOTICE = f"{ROOT}/run/motd.d/vfio-claim"
PARTUUID = "01234567-89ab-cdef-0123-456789abcdef"


def command(*words, root=ROOT, **more):
    root = ["--root", root] if root else []
    try:
        return subprocess.run([COMMAND, *words, *root], text=True, capture_output=True,
                              check=False, stdin=subprocess.DEVNULL, timeout=60, **more)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"no end after {error.timeout} s") from error


def says(done, status, *texts):
    check(done.returncode == status, f"exit status {done.returncode}, not {status}: "
          f"{done.stdout}{done.stderr}")
    for text in texts:
        check(text in done.stdout + done.stderr,
              f"{text!r} is not in {done.stdout + done.stderr!r}")


def content(path):
    with open(path, "rb") as data:
        return data.read()


def put(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as out:
        out.write(data if isinstance(data, bytes) else data.encode())


def fnv(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 % 2 ** 64
    return value


def decode(data):
    """{fingerprint: (attempts, confirmed)} of a record; written after its description."""
    check(len(data) == 80, f"the record has {len(data)} bytes")
    check(data[:8] == b"VFCR\1\0\0\0", f"the record begins with {data[:8]}")
    check(struct.unpack("<Q", data[72:])[0] == fnv(data[:72]), "the record's hash is wrong")
    slots = [struct.unpack_from("<QBB6x", data, 8 + 16 * i) for i in range(4)]
    return {f"{fp:016x}": (attempts, bool(confirmed))
            for fp, attempts, confirmed in slots if attempts or confirmed}


def record():
    data = content(VARIABLE)
    check(data[:4] == b"\7\0\0\0", f"the variable's attributes are {data[:4]}")
    return decode(data[4:])


def report():
    with open(REPORT, encoding="utf-8") as text:
        return json.load(text)


def fingerprint():
    return report()["record"]["fingerprint"]


def screen(status="connected"):
    put(f"{ROOT}/sys/class/drm/card0/dev", "226:0\n")
    put(f"{ROOT}/sys/class/drm/card0-HDMI-A-1/status", status + "\n")


def host(words=""):
    machine = Machine("twins")
    return f"[host]\n{words}\n[claim gaming]\n" + "".join(
        machine.get(a).line() + "\n" for a in CARD)


def boot(words="", efi=True, fresh=True, cmdline="ro quiet"):
    """A boot that claims the card; returns what early boot said."""
    if fresh:
        subprocess.run(["rm", "-rf", ROOT], check=True)
        machine = tree(host(words), cmdline)
        for address in CARD:
            machine.get(address).driver = "vfio-pci"
        shutil.rmtree(ROOT)
        machine.write(ROOT)
        os.chmod(f"{ROOT}/etc/vfio-claim.conf", 0o644)
        if efi:
            os.makedirs(EFIVARS)
    shutil.rmtree(f"{ROOT}/run", ignore_errors=True)
    os.mkdir(f"{ROOT}/run")
    done = execute("start", "--root", ROOT)
    check(done.returncode == 0, f"start: {done.returncode}")
    done = execute("settle", "--root", ROOT)
    check(done.returncode == 0, f"settle: {done.returncode}")
    return report()


# ---- the command line

def command_usage():
    says(command(root=None), 2, "a command is missing", "--help")
    for words, culprit in ((["blunder"], "blunder"), (["confirm", "--blunder"], "blunder"),
                           (["confirm", "--wait"], "wait"), (["confirm", "more"], "more"),
                           (["confirm", "--wait", "soon"], "soon"),
                           (["confirm", "--wait", "-1"], "-1"),
                           (["status", "--wait", "1"], "wait"),
                           (["status", "--root", f"{BUILD}/nowhere"], "nowhere")):
        done = command(*words, root=None)
        says(done, 2, culprit)
        check(not done.stdout, f"{words}: it prints {done.stdout}")
    says(command("--help", root=None), 0, "status", "confirm", "vfio-claim(8)")
    says(command("--version", root=None), 0, "vfio-claim ")
    for name in ("status", "confirm"):
        says(command(name, "--help", root=None), 0, f"vfio-claim {name}", "--json")
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([COMMAND, "--help"], stdout=full, stderr=subprocess.PIPE,
                              check=False)
    check(done.returncode in (0, 1), f"a full disk: {done.returncode}")


# ---- status

def status_without_a_boot():
    os.makedirs(f"{ROOT}/etc")
    says(command("status"), 0, "nothing is known", "the host keeps everything")
    answer = json.loads(command("status", "--json").stdout)
    check(answer["boot"] is None and answer["next_boot"]["outcome"] == "kept", f"{answer}")
    put(f"{ROOT}/etc/vfio-claim.conf", "nonsense\n")
    says(command("status"), 1, "nothing is known", "expected KEY = VALUE")
    put(REPORT, "{")
    says(command("status"), 1, "nothing is known")


def status_tells_the_story():
    boot()
    says(command("status"), 0, "gaming: claimed", "not confirmed yet", "EFI variable",
         "on trial, attempt 2 of 2")
    screen()
    says(command("confirm"), 0, "confirmed")
    says(command("status"), 0, "Since then: this boot is confirmed", "like the last one")
    answer = json.loads(command("status", "--json").stdout)
    check(answer["boot"] == report() and
          answer["confirmation"]["outcome"] == "confirmed" and
          answer["record"] == {"kind": "efi", "state": "confirmed", "attempts": 0,
                               "max_attempts": 2} and
          answer["next_boot"]["outcome"] == "claimed" and
          not answer["next_boot"]["trial"], f"{answer}")
    put(f"{ROOT}/etc/vfio-claim.conf", host("max-attempts = 5"))
    os.chmod(f"{ROOT}/etc/vfio-claim.conf", 0o644)
    says(command("status"), 0, "on trial, attempt 1 of 5")


def status_of_safe_mode():
    for _ in range(2):
        check(boot(fresh=not os.path.exists(ROOT))["outcome"] == "claimed", "not claimed")
    says(command("status"), 0, "Next boot: the host keeps everything: safe-mode", "--retry")
    check(boot(fresh=False)["reason"] == "safe-mode", "no safe mode")
    says(command("status"), 1, "the host kept everything", "safe-mode")
    answer = json.loads(command("status", "--json").stdout)
    check(answer["record"]["state"] == "safe-mode" and
          answer["next_boot"]["reason"] == "safe-mode", f"{answer}")


def status_of_other_records():
    boot()
    put(VARIABLE, content(VARIABLE)[:-1])
    says(command("status"), 0, "record-unavailable", "damaged")
    check(boot(fresh=False)["outcome"] == "kept", "claimed with a damaged record")
    says(command("status"), 1, "the host kept everything", "damaged")
    boot("record = none")
    says(command("status"), 0, "Record: none", "not counted")
    boot(cmdline="vfio_claim=off")
    says(command("status"), 0, "the host kept everything", "off", "attempt 1 of 2")


# ---- confirm

def confirm_writes_once():
    boot()
    check(record() == {fingerprint(): (1, False)}, f"counted as {record()}")
    screen()
    says(command("confirm", "--dry-run"), 0, "would confirm")
    check(record() == {fingerprint(): (1, False)}, "a dry run writes")
    says(command("confirm"), 0, "this boot is confirmed")
    check(record() == {fingerprint(): (0, True)}, f"confirmed as {record()}")
    before = os.stat(VARIABLE).st_mtime_ns
    check(boot(fresh=False)["record"]["confirmed"], "the next boot is not the same")
    done = command("confirm", "--json")
    says(done, 0)
    check(json.loads(done.stdout)["outcome"] == "confirmed", done.stdout)
    check(os.stat(VARIABLE).st_mtime_ns == before, "a steady machine writes")


def confirm_on_the_boot_partition():
    boot(efi=False)
    check(report()["record"]["kind"] == "none", "a record without a store")
    put(f"{ROOT}/etc/vfio-claim.partitions", PARTUUID.upper() + "\n")
    os.makedirs(f"{ROOT}/boot")
    found = boot(fresh=False)
    check(found["stage"] == "settle" and found["outcome"] == "claimed" and
          found["record"]["partition"] == PARTUUID, f"{found}")
    check(decode(content(FILE)) == {fingerprint(): (1, False)}, "counted otherwise")
    screen()
    says(command("confirm"), 0)
    check(decode(content(FILE)) == {fingerprint(): (0, True)}, "confirmed otherwise")
    put(f"{ROOT}/boot/vfio-claim.off", "")
    found = boot(fresh=False)
    check(found["reason"] == "off" and "vfio-claim.off" in found["detail"], f"{found}")
    says(command("confirm"), 0, "nothing was claimed", "vfio-claim.off")


def confirm_needs_a_display():
    for status in (None, "disconnected"):
        boot()
        if status:
            screen(status)
        says(command("confirm", "--wait", "1"), 1,
             "no screen" if status else "no display driver", "gaming")
        check(record() == {fingerprint(): (1, False)}, "it was put on record")
        # without a kernel nothing lets go; what was written is what counts
        check(content(f"{ROOT}/sys/bus/pci/drivers/vfio-pci/unbind").startswith(
            CARD[0].encode()) or content(
                f"{ROOT}/sys/bus/pci/drivers/vfio-pci/unbind").startswith(
                    CARD[1].encode()), "nothing was unbound")
        for address in CARD:
            override = content(f"{ROOT}/sys/bus/pci/devices/{address}/driver_override")
            check(override[:1] == b"\n", f"the override is {override}")
        check(b"gaming" in content(NOTICE), "no notice for the next login")
        says(command("status"), 1, "Since then", "gaming", "--retry", "update-initramfs")
        says(command("confirm"), 1, "nothing to confirm any more")
    boot()
    put(f"{ROOT}/sys/class/vtconsole/vtcon1/name", "(M) frame buffer device\n")
    put(f"{ROOT}/sys/class/vtconsole/vtcon1/bind", "1\n")
    says(command("confirm"), 0, "confirmed")
    boot("require-display = no")
    says(command("confirm"), 0, "confirmed")


def confirm_revokes():
    boot()
    screen()
    says(command("confirm"), 0)
    boot(fresh=False)
    shutil.rmtree(f"{ROOT}/sys/class/drm")
    says(command("confirm", "--dry-run"), 1, "would give everything back")
    check(record() == {fingerprint(): (0, True)}, "a dry run writes")
    says(command("confirm"), 1)
    check(record() == {fingerprint(): (1, False)}, f"still on record as {record()}")


def confirm_leaves_what_is_in_use():
    group = Machine("twins").get(CARD[1]).group
    boot()
    put(f"{ROOT}/proc/4711/comm", "qemu-system-x86\n")
    os.makedirs(f"{ROOT}/proc/4711/fd")
    os.symlink(f"/dev/vfio/{group}", f"{ROOT}/proc/4711/fd/17")
    says(command("confirm"), 1, "qemu-system-x86 (pid 4711)", "NOT given back")
    check(not content(f"{ROOT}/sys/bus/pci/drivers/vfio-pci/unbind"), "it was unbound")
    says(command("status"), 1, "pid 4711")
    answer = json.loads(command("confirm", "--json").stdout)
    check(answer["outcome"] == "in-use", f"{answer}")


def confirm_notices_a_lost_claim():
    boot()
    screen()
    os.unlink(f"{ROOT}/sys/bus/pci/devices/{CARD[1]}/driver")
    says(command("confirm"), 1, "does not hold", CARD[1])


def resumed(status, outcome, *texts):
    """What confirm --resume finds; status tells it, and nothing was given back."""
    done = command("confirm", "--resume", "--json")
    said = json.loads(done.stdout)
    check(done.returncode == status and said["outcome"] == outcome, f"{done}")
    says(command("status"), status, *texts)
    told = json.loads(command("status", "--json").stdout)["resume"]
    check(told == {key: said[key] for key in ("outcome", "detail")}, f"{told} {said}")
    check(not content(f"{ROOT}/sys/bus/pci/drivers/vfio-pci/unbind"), "it was unbound")
    check(os.path.exists(NOTICE) == bool(status), "the notice for the next login")


def confirm_after_sleep():
    """It only looks."""
    device = f"{ROOT}/sys/bus/pci/devices/{CARD[1]}"

    def vanish():
        os.unlink(device)

    def fall_off():
        with open(f"{device}/config", "r+b") as out:
            out.write(b"\xff" * 64)

    def become_another():
        text = content(f"{device}/uevent").decode()
        put(f"{device}/uevent", text.replace("PCI_ID=1002:AB38", "PCI_ID=1002:AB39"))

    def move():
        os.unlink(f"{device}/iommu_group")
        os.symlink("../../../kernel/iommu_groups/3", f"{device}/iommu_group")

    def go_to_the_host():
        os.unlink(f"{device}/driver")
        os.symlink("../../../bus/pci/drivers/snd_hda_intel", f"{device}/driver")

    def go_dark():
        screen("disconnected")

    for lose, what in ((vanish, "is gone"), (fall_off, "does not answer"),
                       (become_another, "is another device"), (move, "another IOMMU group"),
                       (go_to_the_host, "but on snd_hda_intel"), (go_dark, "no screen")):
        boot()
        screen()
        says(command("confirm"), 0)
        check(json.loads(command("status", "--json").stdout)["resume"] is None, "it never slept")
        resumed(0, "holds", "When it woke up last: the claim holds")
        lose()
        says(command("confirm", "--resume", "--dry-run"), 1, what)
        check(not os.path.exists(NOTICE), "a dry run posts a notice")
        resumed(1, "lost", what, "nothing was changed")
    screen()
    resumed(0, "holds")


def confirm_without_a_claim():
    os.makedirs(f"{ROOT}/etc")
    says(command("confirm"), 1, "no report")
    boot(cmdline="vfio_claim=off")
    says(command("confirm"), 0, "nothing was claimed", "off")
    check(not os.path.exists(NOTICE), "a notice of what the owner asked for")
    boot("blunder = 1")
    says(command("confirm"), 1, "nothing was claimed", "config-error")
    check(b"config-error" in content(NOTICE), "no notice")
    put(REPORT, "[]")
    says(command("confirm"), 1)


def confirm_settles_what_is_held():
    boot(efi=False)
    put(f"{ROOT}/etc/vfio-claim.partitions", PARTUUID + "\n")
    shutil.rmtree(f"{ROOT}/run")
    os.mkdir(f"{ROOT}/run")
    check(execute("start", "--root", ROOT).returncode == 0, "start fails")
    check(report()["outcome"] == "held", f"the outcome is {report()['outcome']}")
    for address in CARD:
        override = content(f"{ROOT}/sys/bus/pci/devices/{address}/driver_override")
        check(override.startswith(b"vfio-claim\n") or override[:10] == b"vfio-claim",
              f"the override is {override}")
    says(command("confirm"), 1, "held")


def confirm_cannot_write():
    boot(efi=False)
    put(f"{ROOT}/etc/vfio-claim.partitions", PARTUUID + "\n")
    os.makedirs(f"{ROOT}/boot")
    boot(fresh=False)
    screen()
    os.unlink(FILE)
    os.makedirs(f"{FILE}/in-the-way")
    says(command("confirm"), 1, "cannot be written")
    shutil.rmtree(FILE)
    put(FILE, b"VFCR")
    says(command("confirm"), 1, "damaged", "--retry")


def retry_tries_again():
    boot()
    boot(fresh=False)
    check(boot(fresh=False)["reason"] == "safe-mode", "no safe mode")
    says(command("confirm"), 1, "safe-mode", "--retry")
    check(os.path.exists(NOTICE), "no notice")
    says(command("confirm", "--retry", "--dry-run"), 0, "would forget")
    check(boot(fresh=False)["reason"] == "safe-mode", "a dry run writes")
    says(command("confirm", "--retry"), 0, "tries the claim again")
    check(record() == {} and not os.path.exists(NOTICE), f"left: {record()}")
    check(boot(fresh=False)["record"]["attempts"] == 1, "not counted anew")


def retry_heals():
    boot()
    put(VARIABLE, b"\7\0\0\0" + b"x" * 80)
    check(boot(fresh=False)["reason"] == "record-unavailable", "a damaged record is used")
    says(command("confirm"), 1, "damaged", "--retry")
    says(command("confirm", "--retry"), 0)
    check(boot(fresh=False)["outcome"] == "claimed", "not healed")
    boot("record = none")
    says(command("confirm", "--retry"), 1, "not counted")


def trial_ends():
    # this machine is up for longer than a minute, or soon will be
    boot("trial-timeout = 1")
    screen()
    says(command("confirm"), 0)
    says(command("confirm", "--trial"), 0)
    boot("trial-timeout = 1")
    says(command("confirm", "--trial"), 1, "not confirmed within 1 minute", "gaming")
    check(record() == {fingerprint(): (1, False)}, f"on record as {record()}")
    boot()
    screen()
    says(command("confirm"), 0)
    boot("trial-timeout = 1440", fresh=False)
    says(command("confirm", "--trial"), 0)


# ---- optional functions

def rebuilt(optional, missing=()):
    """The machine with these optional, and without what is missing; /run stays."""
    machine = Machine("twins")
    machine.files["etc/vfio-claim.conf"] = "[claim gaming]\n" + "".join(
        machine.get(a).line() + (" optional=yes\n" if a in optional else "\n") for a in CARD)
    machine.files["proc/cmdline"] = "ro quiet\n"
    for address in CARD:
        machine.get(address).driver = "vfio-pci"
    machine.drop(*missing)
    for folder in os.listdir(ROOT) if os.path.isdir(ROOT) else []:
        if folder != "run":
            shutil.rmtree(f"{ROOT}/{folder}")
    machine.write(ROOT)
    os.chmod(f"{ROOT}/etc/vfio-claim.conf", 0o644)


def event(action, address):
    done = execute("event", action, address, "--root", ROOT)
    check(done.returncode == 0, f"event: {done.returncode}")
    return report()


def optional_and_missing():
    rebuilt(CARD[1:], CARD[1:])
    check(execute("start", "--root", ROOT).returncode == 0, "start")
    says(command("status"), 0, "gaming: claimed", f"{CARD[1]} is optional, and not there")
    screen()
    says(command("confirm"), 0, "this boot is good")
    says(command("confirm", "--resume"), 0, "the claim holds")
    rebuilt(CARD[1:])
    told = event("add", CARD[1])
    check(told["stage"] == "event" and told["outcome"] == "claimed", f"{told}")
    check(told["claims"][0]["functions"][1]["address"] == CARD[1], f"{told}")
    screen()
    says(command("confirm"), 0, "this boot is good")
    rebuilt(CARD[1:], CARD[1:])
    told = event("remove", CARD[1])
    check([w["code"] for w in told["warnings"]][-1] == "device-removed", f"{told}")
    says(command("status"), 0, "device-removed")


def all_of_it_is_missing():
    rebuilt(CARD, CARD)
    check(execute("start", "--root", ROOT).returncode == 0, "start")
    check(report()["reason"] == "device-absent", f"{report()}")
    says(command("status"), 0, "gaming: nothing of it is there yet")
    says(command("confirm"), 0, "nothing was claimed")
    check(not os.path.exists(NOTICE), "a notice of what is not wrong")
    rebuilt(CARD)
    check(event("add", CARD[0])["outcome"] == "claimed", f"{report()}")
    says(command("status"), 0, "gaming: claimed")
    # who lets it go does not mean until it is announced; nothing reacts to that here
    says(command("release", "gaming"), 1, "gaming")
    check(not os.path.exists(f"{ROOT}/run/vfio-claim/awaited"), "late arrivals are awaited still")


CASES = [command_usage, status_without_a_boot, status_tells_the_story, status_of_safe_mode,
         status_of_other_records, confirm_writes_once, confirm_on_the_boot_partition,
         confirm_needs_a_display, confirm_revokes, confirm_leaves_what_is_in_use,
         confirm_notices_a_lost_claim, confirm_after_sleep, confirm_without_a_claim,
         confirm_settles_what_is_held, confirm_cannot_write, retry_tries_again, retry_heals,
         trial_ends,
         optional_and_missing, all_of_it_is_missing]
