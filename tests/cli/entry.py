# SPDX-License-Identifier: GPL-2.0-or-later
"""`vfio-claim setup --entry`: a claim that only an entry of the boot menu makes; and boots that
take turns with and without it."""

import json
import os

from host import (CONF, FAR, GRUB, MENTION, NEAR, QEMU_CARD, SYSTEMD_BOOT, answer, host, lines,
                  refused, same, setup, undo, whole)
from installer import VARIABLE, command, content, put, record, report, says, screen
from start import ROOT, check, execute
from tree import Machine

TITLE = "(GPU goes to the guest: gaming)"
MODE = f"{ROOT}/etc/default/grub.d/91-vfio-claim-safe.cfg"
MODE_LINE = 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX \\$vfio_claim_mode"\n'
SCRIPT = "/usr/lib/vfio-claim/vfio-claim-safe-entries"
POP = {"etc/os-release": "ID=pop\n", "usr/bin/kernelstub": "",
       "sys/firmware/efi/fw_platform_size": "64\n",
       "etc/kernelstub/configuration": '{"user": {"kernel_options": ["quiet"]}}\n',
       "boot/efi/loader/loader.conf": "default Pop_OS-current\n",
       "boot/efi/loader/entries/Pop_OS-current.conf":
       "title Pop!_OS\nlinux /EFI/Pop_OS-1/vmlinuz.efi\noptions quiet\n"}


def claims():
    """What the scripts of the boot menu are told."""
    done = command("entries")
    check(done.returncode == 0 and not done.stderr, f"entries: {done.stderr!r}")
    return done.stdout.splitlines()


def entry_there_and_back():
    host(conf=MENTION)
    before = whole()
    done = setup(FAR[0], "--entry", "gaming", "--dry-run",
                 says_=("The claim gaming takes:", TITLE, "+boot = named", "update-grub"))
    check("every other boot leaves it to the host" in done.stdout, done.stdout)
    same(before)
    said = answer(setup(FAR[0], "--entry", "gaming", "--json"))
    check(said["entry"] is True and said["claim"] == "gaming", f"{said}")
    check(claims() == [f"gaming vfio_claim=gaming {TITLE[1:-1]}"], f"{claims()}")
    after = content(CONF)
    for words in ([FAR[0], "--entry", "gaming"], ["--entry", "gaming"], ["gaming"],
                  ["gaming", "--entry", "gaming"], [FAR[0], "--name", "gaming"],
                  # another card in its place
                  [FAR[1], "--only", "--name", "gaming"], [FAR[0], "--entry", "gaming"]):
        setup(*words)
        check(lines().count("boot = named") == 1, f"{words}: {lines()}")
    check(content(CONF) == after, f"now it is {content(CONF)}")
    said = answer(setup("--no-entry", "gaming", "--json"))
    check(said["entry"] is False and "boot = named" not in lines() and not claims(), f"{said}")
    undo()
    same(before)


def entry_of_a_claim_that_is_there():
    """Every other byte stays, and undo gives back what others wrote."""
    mine = MENTION + "[claim other]\n# boot = named\nboot = always # mine\n" + \
        Machine("twins").get(NEAR[1]).line() + "\n [ claim  gaming ]\t# it\n  boot=always\n" + \
        Machine("twins").get(FAR[0]).line() + "\n\n" + Machine("twins").get(FAR[1]).line() + "\n"
    host(conf=mine)
    before = whole()
    setup("--entry", "gaming", says_=[TITLE])
    check(content(CONF).decode() == mine.replace("  boot=always\n", "").replace(
        "# it\n", "# it\nboot = named\n"), content(CONF).decode())
    # what every boot claims, its entry claims, too
    check(claims() == [f"gaming vfio_claim=gaming,other {TITLE[1:-1]}"], f"{claims()}")
    put(CONF, content(CONF) + b"# more\n")
    undo(say=["edited since"])
    check(content(CONF).decode() == mine, "it is not as it was")
    check(content(f"{CONF}.vfio-claim-save").endswith(b"# more\n"), "the edit is lost")
    os.unlink(f"{CONF}.vfio-claim-save")
    same(before)


def entry_goes_with_its_claim():
    """release --keep writes the menu, or says what it cannot."""
    other = "[claim other]\n" + Machine("twins").get(NEAR[1]).line() + "\n"
    gaming = "[claim gaming]\nboot = named\n" + \
        "".join(Machine("twins").get(address).line() + "\n" for address in FAR)
    for loader, program in ((None, ["update-grub"]), (SYSTEMD_BOOT, [SCRIPT]), (POP, [SCRIPT])):
        # one entry names both
        for name in ("gaming", "other"):
            host(loader=loader, conf=MENTION + other + gaming)
            before = whole()
            done = command("release", name, "--keep", "--dry-run")
            says(done, 0, "would be without it", "update-initramfs -u", " ".join(program))
            check(done.stdout.index(program[0]) > done.stdout.index("update-initramfs"),
                  done.stdout)
            same(before)
            says(command("release", name, "--keep"), 0, "is without it", " ".join(program))
            undo()
            same(before)
    refind = {"etc/os-release": "ID=arch\n", "boot/refind_linux.conf": '"a" "quiet"\n'}
    for loader in (refind, {"etc/os-release": "ID=x\n"}):
        host(loader=loader, conf=MENTION + other + gaming)
        says(command("release", "gaming", "--keep", "--dry-run"), 0,
             "vfio_claim=gaming is to be taken out by hand", "would be without it")
        done = command("release", "other", "--keep", "--dry-run")
        check("by hand" not in done.stdout + done.stderr, f"{done}")


def entry_that_is_left_over():
    """doctor tells of ours; what others have named so is theirs."""
    folder, ours = "boot/efi/loader/entries", "# by vfio-claim: changes are lost\n"
    text = "title x\nlinux /x\noptions quiet\n"
    host(loader=SYSTEMD_BOOT, conf=MENTION,
         **{f"{folder}/a-vfio-claim-{name}.conf": mark + text for name, mark in
            (("old", ours), ("theirs", ""), ("off", ours), ("no name", ours))},
         **{f"{folder}/b-vfio-claim-old.conf": ours + text})
    found = [finding for finding in json.loads(command("doctor", "--json").stdout)["checks"]
             if "the boot menu has an entry for" in finding["evidence"]]
    check(len(found) == 1 and "for old, which is no claim" in found[0]["evidence"] and
          found[0]["mend"] == SCRIPT, f"{found}")


def entry_words():
    host(conf=MENTION)
    for words, say in ((["--entry", "a", "--no-entry", "a", FAR[0]], "only one of the last two"),
                       (["--entry", "a", "--entry", "b", FAR[0]], "name one claim"),
                       (["--name", "a", "--entry", "b", FAR[0]], "name one claim"),
                       (["--entry", "off", FAR[0]], "no word of vfio_claim="),
                       (["other", "--entry", "a"], "other: expected an address")):
        refused(*words, status=2, say=[say])
    refused("--entry", "a", say=["there is no terminal to ask"])
    refused("--no-entry", "a", say=["there is no claim a"])
    refused("a", "--no-entry", "a", status=2, say=["a: expected an address"])


def entry_of_both_cards():
    """Either of two cards for the guest, as the menu says; never both."""
    host(conf=MENTION)
    setup(FAR[0], "--entry", "far")
    setup(NEAR[0], "--entry", "near")
    check([line.split()[:2] for line in claims()] ==
          [["far", "vfio_claim=far"], ["near", "vfio_claim=near"]], f"{claims()}")
    # at every boot both would take the last display
    setup("--no-entry", "far")
    refused("--no-entry", "near", say=["last-display"])
    # the same where the groups are not known yet
    host("qemu", change=lambda machine: machine.drop("0000:00:01.0"))
    setup(QEMU_CARD[0], "--entry", "one")
    setup("0000:02:00.0", "--entry", "two")
    setup("--no-entry", "one")
    refused("--no-entry", "two", say=["last-display"])


def entry_with_every_loader():
    host(**{MODE[len(ROOT) + 1:]: MODE_LINE})
    setup(FAR[0], "--entry", "gaming", "--dry-run")
    # somebody's own file forgets what was there
    put(f"{ROOT}/etc/default/grub.d/95-mine.cfg", "GRUB_CMDLINE_LINUX=quiet\n")
    refused(FAR[0], "--entry", "gaming", say=["which entry was chosen", "$vfio_claim_mode",
                                              "vfio_claim=gaming"])
    for loader in (SYSTEMD_BOOT, POP):
        host(loader=loader)
        before = whole()
        said = answer(setup(FAR[0], "--entry", "gaming", "--json"))
        check(said["programs"][-1] == [SCRIPT], f"{said}")
        undo()
        same(before)
    arch = {"etc/os-release": "ID=arch\n", "etc/default/grub": GRUB["etc/default/grub"],
            "boot/grub/grub.cfg": "", "usr/bin/grub-mkconfig": ""}
    host(loader=arch)
    done = command("setup", FAR[0], "--entry", "gaming")
    says(done, 1, "which entry was chosen", MODE_LINE.strip())
    put(f"{ROOT}/etc/default/grub", content(f"{ROOT}/etc/default/grub") + MODE_LINE.encode())
    setup(FAR[0], "--entry", "gaming", says_=["grub-mkconfig"])
    for loader, name in (
            ({"etc/os-release": "ID=fedora\n", "usr/sbin/grubby": "", "etc/default/grub": "",
              "boot/grub2/grub.cfg": "", "boot/loader/entries/a.conf": "linux /x\n"}, "grubby"),
            ({**SYSTEMD_BOOT, "etc/kernel/install.conf": "layout=uki\n"}, "install.conf")):
        host(loader=loader)
        refused(FAR[0], "--entry", "gaming", say=[name, "boot = named", "vfio_claim=gaming",
                                                  "nothing was changed"])


def entry_follows_kernelstub():
    """The entries are copies of kernelstub's."""
    ours = "boot/efi/loader/entries/Pop_OS-current-vfio-claim-off.conf"
    for more, wanted in (({}, []), ({ours: "title x\n"}, [[SCRIPT]])):
        host(loader=POP, **more)
        said = json.loads(command("args", "add", "iommu=pt", "--dry-run", "--json").stdout)
        check(said["programs"] == [["kernelstub", "-a", "iommu=pt"], *wanted], f"{said}")


def entry_of_a_kernel_that_comes_in_a_guest_boot():
    """kernel-install would give it the running kernel's arguments, and every boot of it would
    claim."""
    loader = {path: text for path, text in SYSTEMD_BOOT.items() if path != "etc/kernel/cmdline"}
    quiet = "root=UUID=1 ro quiet"
    for more, wanted in (({}, f"{quiet}\n"), ({"usr/lib/kernel/cmdline": "mine\n"}, None)):
        host(loader=loader, **{"proc/cmdline": f"BOOT_IMAGE=/x {quiet} vfio_claim=gaming\n",
                               **more})
        before = whole()
        for words in ([FAR[0], "--entry", "gaming"], ["gaming"]):
            setup(*words)
            path = f"{ROOT}/etc/kernel/cmdline"
            found = content(path).decode() if os.path.exists(path) else None
            check(found == wanted, f"{more}: {found!r}")
        undo()
        same(before)


# ---- boots

def claimed_already(machine):
    """Without a kernel nothing else can be claimed."""
    for address in FAR:
        machine.get(address).driver = "vfio-pci"


def boots(*cmdlines, fresh=False):
    """Boots one after the other; what each took of the two cards."""
    if fresh:
        host(conf=MENTION, change=claimed_already)
        setup(FAR[0], "--entry", "gaming")
        os.makedirs(os.path.dirname(VARIABLE))
    for cmdline in cmdlines:
        put(f"{ROOT}/proc/cmdline", f"ro quiet {cmdline}\n")
        done = execute("start", "--root", ROOT)
        check(done.returncode == 0, f"start: {done.returncode}")
        yield report()


def entry_boots_take_turns():
    """A host boot neither counts nor uses up an attempt, and nobody writes once the guest's boot
    is confirmed."""
    guest = "vfio_claim=gaming"
    for number, found in enumerate(boots("", guest, "", "", "vfio_claim=on", fresh=True)):
        if number == 1:
            check(found["outcome"] == "claimed" and found["record"]["attempts"] == 1, f"{found}")
            continue
        check(found["outcome"] == "kept" and found["reason"] == "off" and
              guest in found["detail"], f"{number}: {found}")
        says(command("confirm"), 0, "nothing was claimed", "off")
        says(command("status"), 0, "the host kept everything", "Next boot: the host keeps",
             f'"{TITLE}": claimed on trial, attempt {1 + min(number, 1)} of 3')
    check(list(record().values()) == [(1, False)], f"{record()}")
    for found in boots(guest):
        check(found["record"]["attempts"] == 2, f"{found}")
        screen()
        says(command("confirm"), 0, "this boot is confirmed")
    before = (content(VARIABLE), os.stat(VARIABLE).st_mtime_ns)
    for found in boots("", guest, "", guest):
        check(found["outcome"] == "kept" or found["record"]["confirmed"], f"{found}")
        says(command("confirm"), 0)
    check((content(VARIABLE), os.stat(VARIABLE).st_mtime_ns) == before, "it was written")
    says(command("status"), 0, f'"{TITLE}": claimed, like the last one', "Next boot: the host")
    said = command("status", "--json")
    check('"entries": [\n      { "claim": "gaming", "outcome": "claimed", "trial": false }' in
          said.stdout, said.stdout)
    check(list(record().values()) == [(0, True)], f"{record()}")


def entry_boots_that_fail():
    """Safe mode of the guest's boot; the host's goes on as ever."""
    guest = "vfio_claim=gaming"
    last = list(boots(guest, "", guest, "", guest, "", guest, fresh=True))[-1]
    check(last["outcome"] == "kept" and last["reason"] == "safe-mode", f"{last}")
    says(command("status"), 1, f'"{TITLE}": the host keeps everything: safe-mode')
    for found in boots(""):
        check(found["reason"] == "off", f"{found}")
        says(command("confirm"), 0)
        says(command("status"), 0)


CASES = [entry_there_and_back, entry_of_a_claim_that_is_there, entry_goes_with_its_claim,
         entry_that_is_left_over, entry_words, entry_of_both_cards,
         entry_with_every_loader, entry_follows_kernelstub,
         entry_of_a_kernel_that_comes_in_a_guest_boot,
         entry_boots_take_turns, entry_boots_that_fail]
