# SPDX-License-Identifier: GPL-2.0-or-later
"""`start` and `settle` on trees that keep a record: an EFI variable is a file below
sys/firmware/efi/efivars/, the boot partition is boot/. The card is on vfio-pci already, so
that boots are claimed without a kernel."""

import os
import stat
import subprocess

from installer import (EFIVARS, FILE, PARTUUID, VARIABLE, boot, content, decode, fingerprint,
                       fnv, put, record, report)
from start import CARD, ROOT, check, execute

OVERRIDE = f"{ROOT}/sys/bus/pci/devices/{{}}/driver_override"
DARK = "require-display = no"


def encoded(slots):
    """A record, written after its description."""
    data = b"VFCR\1\0\0\0"
    for number in range(4):
        fingerprint_, attempts, confirmed = slots[number] if number < len(slots) else (0, 0, 0)
        data += fingerprint_.to_bytes(8, "little") + bytes([attempts, confirmed]) + bytes(6)
    return data + fnv(data).to_bytes(8, "little")


def overrides():
    found = []
    for address in CARD:
        with open(OVERRIDE.format(address), encoding="ascii") as text:
            # a plain file keeps the rest of a longer word
            found.append(text.read().split("\n")[0])
    return found


def kept(found, reason, *texts):
    check(found["outcome"] == "kept" and found["reason"] == reason, f"{found}")
    for text in texts:
        check(text in found["detail"], f"{text!r} is not in {found['detail']!r}")


def record_in_a_variable():
    found = boot()
    check(found["stage"] == "start" and found["outcome"] == "claimed", f"{found}")
    check(found["record"]["kind"] == "efi" and found["record"]["attempts"] == 1 and
          "partition" not in found["record"], f"{found['record']}")
    check(len(fingerprint()) == 16 and not found["warnings"], f"{found}")
    check(record() == {fingerprint(): (1, False)}, f"{record()}")
    check(stat.S_IMODE(os.stat(VARIABLE).st_mode) == 0o644, "the variable's mode")
    check(os.listdir(EFIVARS) == [os.path.basename(VARIABLE)], f"{os.listdir(EFIVARS)}")
    boot(fresh=False)
    before = content(VARIABLE)
    check(record() == {fingerprint(): (2, False)}, f"{record()}")
    kept(boot(fresh=False), "safe-mode", "confirm --retry")
    check(content(VARIABLE) == before, "safe mode writes")


def record_of_others():
    """What other boots left there stays; who is confirmed is not written."""
    boot()
    mine = int(fingerprint(), 16)
    put(VARIABLE, b"\7\0\0\0" + encoded([(1, 1, 0), (2, 0, 1)]))
    boot(fresh=False)
    check(record() == {fingerprint(): (1, False), f"{1:016x}": (1, False),
                       f"{2:016x}": (0, True)}, f"{record()}")
    put(VARIABLE, b"\7\0\0\0" + encoded([(1, 1, 0), (mine, 0, 1)]))
    before = os.stat(VARIABLE).st_mtime_ns, content(VARIABLE)
    found = boot(fresh=False)
    check(found["outcome"] == "claimed" and found["record"]["confirmed"], f"{found}")
    check((os.stat(VARIABLE).st_mtime_ns, content(VARIABLE)) == before, "it was written")


def record_damaged():
    boot()
    good = content(VARIABLE)
    for data in (b"", good[:3], good[:4], good[:40], good[:-1], good + b"\0", good * 20,
                 bytes([*good[:20], good[20] ^ 1, *good[21:]]), b"\xff" * 84, good[4:]):
        put(VARIABLE, data)
        kept(boot(fresh=False), "record-unavailable", "damaged")
        check(content(VARIABLE) == data, "it was written")
    os.unlink(VARIABLE)
    os.mkdir(VARIABLE)
    kept(boot(fresh=False), "record-unavailable")


def record_where_none_can_be():
    """`auto` goes on while the host keeps a display; what is configured has to be there."""
    found = boot(efi=False)
    check(found["outcome"] == "claimed" and found["record"]["kind"] == "none", f"{found}")
    check([w["code"] for w in found["warnings"]] == ["record-unavailable"], f"{found}")
    kept(boot("record = efi", efi=False), "record-unavailable", "EFI variable")


def record_dry_run():
    found = boot(cmdline="vfio_claim=dry-run")
    check(found["reason"] == "dry-run" and not os.listdir(EFIVARS), f"{found}")
    kept(boot(cmdline="vfio_claim=off"), "off")
    check(not os.listdir(EFIVARS), "off writes")


def held():
    """A start that only holds."""
    boot(f"record = PARTUUID={PARTUUID.upper()}")
    subprocess.run(["rm", "-rf", FILE, f"{ROOT}/run"], check=True)
    os.makedirs(f"{ROOT}/run")
    os.makedirs(f"{ROOT}/boot", exist_ok=True)
    for address in CARD:
        put(OVERRIDE.format(address), "(null)\n")
    done = execute("start", "--root", ROOT)
    check(done.returncode == 0, f"start: {done}")
    found = report()
    check(found["outcome"] == "held" and found["reason"] == "record-unavailable" and
          found["record"] == {"kind": "partition", "attempts": 0, "confirmed": False,
                              "fingerprint": fingerprint(), "partition": PARTUUID},
          f"{found}")
    check(overrides() == ["vfio-claim"] * 2, f"{overrides()}")
    check(not os.path.exists(FILE) and not os.listdir(EFIVARS), "start counts")


def settled():
    done = execute("settle", "--root", ROOT)
    check(done.returncode == 0 and not done.stdout, f"settle: {done}")
    check(not os.path.exists(f"{ROOT}/run/vfio-claim/state"), "the state is still there")
    return report()


def settle_counts_and_binds():
    held()
    found = settled()
    check(found["stage"] == "settle" and found["outcome"] == "claimed", f"{found}")
    check(decode(content(FILE)) == {fingerprint(): (1, False)}, "counted otherwise")
    check(overrides() == ["vfio-pci"] * 2, f"{overrides()}")
    check(os.listdir(f"{ROOT}/boot") == ["vfio-claim.record"], "something is left behind")
    before = content(FILE), content(f"{ROOT}/run/vfio-claim/report.json")
    done = execute("settle", "--root", ROOT)
    check((done.returncode, done.stdout, done.stderr) == (0, "", ""), f"again: {done}")
    check(before == (content(FILE), content(f"{ROOT}/run/vfio-claim/report.json")),
          "the second one does something")


def settle_releases():
    """What a record does not allow, or cannot say; the file that switches all off."""
    held()
    mine = int(fingerprint(), 16)
    for data, reason, text in ((encoded([(mine, 2, 0)]), "safe-mode", "--retry"),
                               (encoded([(mine, 0, 0)])[:-1], "record-unavailable", PARTUUID),
                               (b"", "record-unavailable", "damaged"),
                               (None, "off", f"vfio-claim.off lies on partition {PARTUUID}")):
        held()
        put(FILE if data is not None else f"{ROOT}/boot/vfio-claim.off", data or b"")
        kept(settled(), reason, text)
        check(overrides() == [""] * 2, f"{overrides()}")
        check(data is None or content(FILE) == data, "it was written")


def settle_without_a_start():
    held()
    os.unlink(f"{ROOT}/run/vfio-claim/state")
    before = content(f"{ROOT}/run/vfio-claim/report.json")
    settled()
    put(f"{ROOT}/run/vfio-claim/state", b"another version's" * 1000)
    done = execute("settle", "--root", ROOT)
    check(done.returncode == 0 and "cannot be used" in done.stderr, f"{done}")
    check(content(f"{ROOT}/run/vfio-claim/report.json") == before, "another report")


CASES = [record_in_a_variable, record_of_others, record_damaged, record_where_none_can_be,
         record_dry_run, settle_counts_and_binds, settle_releases, settle_without_a_start]
