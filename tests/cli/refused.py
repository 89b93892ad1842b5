# SPDX-License-Identifier: GPL-2.0-or-later
"""What `vfio-claim setup` refuses: exit status, words, and not a byte written."""

import fcntl
import os
import shutil

from host import (CONF, FAR, GRUB, IMAGES, MENTION, NEAR, QEMU_CARD, RELEASES, SYSTEMD_BOOT,
                  answer, host, refused, same, setup, whole)
from installer import command, content, put, says
from start import BUILD, ROOT, check
from tree import Machine

MOUNT = "22 1 {} / {} rw,relatime shared:1 - ext4 {} rw\n"


def setup_refuses_the_last_display():
    host(change=lambda machine: machine.drop(*NEAR))
    refused(FAR[0], say=["last-display", "--no-display-ok allows"])
    # with the IOMMU off, the plan does not come so far
    host("qemu", change=lambda machine: machine.drop("0000:00:01.0", "0000:02:00.0"))
    refused(QEMU_CARD[0], say=["last-display", "--no-display-ok allows"])
    # a 3D controller has no outputs: it goes, and the card beside it stays
    for machine, card, other in (("twins", FAR[0], NEAR[0]), ("qemu", QEMU_CARD[0], "0000:02:00.0")):
        def change(found, other=other):
            found.drop("0000:00:01.0")
            found.get(other).cls = 0x030200
        host(machine, change=change)
        refused(card, say=["last-display", "--no-display-ok allows"])
        setup(other, "--dry-run")
    # another claim takes the other one
    mine = "[claim mine]\n" + Machine("qemu").get("0000:02:00.0").line() + "\n"
    host("qemu", change=lambda machine: machine.drop("0000:00:01.0"), conf=mine)
    refused(QEMU_CARD[0], say=["last-display"])
    refused(QEMU_CARD[0], "--name", "other", say=["last-display"])
    setup(QEMU_CARD[0], "--name", "mine", "--dry-run")
    # nor does early boot claim it where boots cannot be counted, unless nobody wants that
    host(change=lambda machine: machine.drop(*NEAR))
    shutil.rmtree(f"{ROOT}/boot")
    refused(FAR[0], "--no-display-ok", say=["record-unavailable", "set record = none"])
    put(CONF, "[host]\nrecord = none\n")
    setup(FAR[0], "--no-display-ok")
    # audio alone is no display
    host(change=lambda machine: machine.drop(*NEAR))
    setup(FAR[1])


def setup_refuses_a_group():
    host("desktop")
    refused("0000:01:00.0", "--only",
            say=["group-not-viable", "0000:01:00.1", "name that one, too"])
    refused("0000:01:00.0", "0000:01:00.1", "--only",
            say=["group-not-viable", "0000:01:00.2, which is held by xhci_hcd"])
    host("arc")
    refused("0000:0c:00.0", "--only", "0000:03:00.0", "0000:12:00.0", "0000:09:00.0",
            say=["group-not-viable", "0000:0a:00.0, which is held by snd_hda_intel"])


def setup_refuses_what_the_machine_lives_on():
    disk = "0000:09:00.0"

    def files(machine):
        machine.files["sys/dev/block/8:1/uevent"] = ""
    for point in ("/", "/boot"):
        host(change=files)
        folder = Machine("twins").get(disk).directory
        put(f"{ROOT}/{folder}/ata1/block/sda/sda1/partition", "1\n")
        os.unlink(f"{ROOT}/sys/dev/block/8:1/uevent")
        os.rmdir(f"{ROOT}/sys/dev/block/8:1")
        os.symlink(f"../../../{folder[4:]}/ata1/block/sda/sda1", f"{ROOT}/sys/dev/block/8:1")
        setup(disk, "--dry-run")
        put(f"{ROOT}/proc/self/mountinfo", MOUNT.format("8:1", point, "/dev/sda1"))
        refused(disk, say=[disk, point, "does not run"])
        mine = "[claim mine]\n" + Machine("twins").get(disk).line() + "\n"
        put(CONF, mine)
        refused("mine", say=[disk, point])


def setup_refuses_without_an_iommu():
    host(change=lambda machine: machine.no_iommu())
    refused(FAR[0], say=["firmware offers no IOMMU", "VT-d", "AMD"])
    put(f"{ROOT}/sys/firmware/acpi/tables/IVRS", "IVRS")
    setup(FAR[0])


def setup_refuses_a_switched_off_iommu():
    for word in ("amd_iommu=off", "intel_iommu=off", "iommu=off", "iommu=soft"):
        host("qemu", **{"etc/default/grub": f'GRUB_CMDLINE_LINUX_DEFAULT="quiet {word}"\n',
                        "proc/sys/kernel/osrelease": "5.10.0-28-amd64\n"})
        refused(QEMU_CARD[0], say=[word, f'vfio-claim args remove {word}'])
        says(command("args", "remove", word), 0)
        setup(QEMU_CARD[0])
    # since 5.18 it sets up bounce buffers and no more; before, the running kernel tells
    soft = 'GRUB_CMDLINE_LINUX_DEFAULT="quiet iommu=soft"\n'
    for machine, running, cmdline in (("qemu", "5.18.0-1-amd64", ""), ("qemu", RELEASES[1], ""),
                                      ("twins", "5.10.0-28-amd64", "quiet iommu=soft\n")):
        host(machine, **{"etc/default/grub": soft, "proc/cmdline": cmdline,
                         "proc/sys/kernel/osrelease": f"{running}\n"})
        setup(QEMU_CARD[0] if machine == "qemu" else FAR[0])
    host(**{"etc/default/grub": soft, "proc/sys/kernel/osrelease": "5.17.0-1-amd64\n"})
    refused(FAR[0], say=["args remove iommu=soft"])
    host("qemu", loader=SYSTEMD_BOOT, **{"etc/kernel/cmdline": "root=1 intel_iommu=off\n"})
    refused(QEMU_CARD[0], say=["args remove intel_iommu=off"])


def setup_refuses_bridges_and_others():
    host()
    refused("0000:03:00.0", say=["not-an-endpoint", "bridge"])
    refused("0000:99:00.0", status=2, say=["no such PCI function"])
    host(change=lambda machine: machine.files.update(
        {"sys/module/vfio/parameters/enable_unsafe_noiommu_mode": "Y\n"}))
    refused(FAR[0], say=["no-iommu-mode"])


def setup_refuses_words():
    host()
    for word in ("../x", "0000:01:00.0/..", "", "x" * 300, "0" * 300, "0000:05:00.8", "05:00",
                 "0000:05:00.0 ", "\n", "\x1b[31m", "*", "gpu", "off", "0000:05:00.0\n[claim x]"):
        said = refused(word, status=2, say=["expected an address"])
        check("\x1b" not in said["detail"] and "\n" not in said["detail"], f"{said}")
    refused(FAR[0], "../x", status=2, say=["expected an address"])
    for words in ([FAR[0], "--root"], ["--roots"], ["--name"], ["--yes=1"]):
        before = whole()
        done = command("setup", *words, root=None) if words[-1] == "--root" else \
            command("setup", *words)
        if words[-1] != "--name":       # which takes the --root of ours
            says(done, 2, "--help")
        same(before)
    refused(status=1, say=["name the card"])


def setup_refuses_names():
    host()
    for name in ("n" * 33, "off", "dry-run", "", "a]", "a\n[claim b", "a b", "-a", ".a", "a#b",
                 "ä", "a,b", "x" * 5000):
        refused(FAR[0], "--name", name, status=2, say=["1 to 32 letters"])
    put(CONF, "[claim mine]\n" + Machine("twins").get(FAR[0]).line() + "\n")
    refused("other", status=2, say=["expected an address", "name of a claim"])
    for more in (["--only"], ["--no-display-ok"], ["--name", "x"], [FAR[0]]):
        refused("mine", *more, status=2, say=["expected an address"])


def setup_refuses_a_claim_that_cannot_be():
    """The configuration is judged as it is."""
    line = Machine("twins").get(FAR[0]).line
    for text, what in ((line(id="1002:7341"), "device-changed"),
                       (line(path="0000:00:01.3/00.0"), "device-ambiguous"),
                       (Machine("twins").get("0000:03:00.0").line(), "not-an-endpoint")):
        host(conf=f"[claim mine]\n{text}\n")
        refused("mine", say=[what])
    host(conf="[claim mine]\n" + line() + "\n", change=lambda machine: machine.drop(*FAR))
    refused("mine", say=["device-absent"])
    host(conf="[claim mine]\n" + line() + "\n", change=lambda machine: machine.drop(*NEAR))
    refused("mine", say=["last-display", "require-display = no in /etc/vfio-claim.conf"])


def setup_refuses_another_file_in_its_place():
    for make, what in ((lambda: os.symlink("elsewhere", CONF), "link"),
                       (lambda: os.mkdir(CONF), "directory"),
                       (lambda: os.mkfifo(CONF), "/etc/vfio-claim.conf"),
                       (lambda: put(CONF, "a\0b\n"), "not a text file"),
                       (lambda: put(CONF, "#" * 200000), "larger"),
                       (lambda: (put(CONF, MENTION), os.chmod(CONF, 0o666)), "writable"),
                       (lambda: (put(CONF, MENTION), os.chmod(CONF, 0o664)), "writable")):
        host()
        make()
        refused(FAR[0], say=[what, "/etc/vfio-claim.conf"])
    host()
    put(f"{BUILD}/outside", MENTION)
    os.symlink(f"{BUILD}/outside", CONF)
    refused(FAR[0], say=["/etc/vfio-claim.conf"])
    check(content(f"{BUILD}/outside").decode() == MENTION, "something outside was written")


def setup_refuses_a_damaged_configuration():
    for text, line in ((MENTION + "blunder = 1\n", 8), ("[claim a\n", 1), ("x\n", 1),
                       ("[claim gpu]\n\n[claim x]\nfunction = y\n", 1),
                       ("[claim gpu]\n" + Machine("twins").get(FAR[0]).line() +
                        "\n\n[claim x]\nfunction = y\n", 5)):
        for word in (FAR[0], "gpu"):
            host(conf=text)
            said = refused(word, say=[f"/etc/vfio-claim.conf:{line}: "])
            check("mend that first" in said["detail"], f"{said}")
    # right by itself, but not with what is asked for
    host(conf="[claim mine]\n" + Machine("twins").get(FAR[0]).line() + "\n")
    refused(FAR[0], say=["/etc/vfio-claim.conf would be wrong in line "])


def setup_refuses_beside_another():
    host()
    folder = f"{ROOT}/var/lib/vfio-claim"
    os.mkdir(folder, 0o700)
    lock = os.open(f"{folder}/lock", os.O_CREAT | os.O_WRONLY, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        before = whole()
        for words in ([], ["--json"]):
            done = setup(FAR[0], *words, status=1)
            check("another vfio-claim" in done.stdout + done.stderr, f"{done}")
        check(answer(done)["outcome"] == "refused", f"{done}")
        says(command("undo", "--yes"), 1, "another vfio-claim")
        same(before)
        setup(FAR[0], "--dry-run")
    finally:
        os.close(lock)
    setup(FAR[0])


def setup_refuses_links_out_of_the_root():
    os.makedirs(f"{BUILD}/outside/grub.d")
    put(f"{BUILD}/outside/grub", GRUB["etc/default/grub"])
    for target in (f"{BUILD}/outside", "../../outside"):
        host("qemu", loader={path: text for path, text in GRUB.items() if "default" not in path})
        os.symlink(target, f"{ROOT}/etc/default")
        before = whole()
        done = command("setup", QEMU_CARD[0])
        check(done.returncode == 1 and done.stderr, f"{done}")
        same(before)
        found = os.listdir(f"{BUILD}/outside") + os.listdir(f"{BUILD}/outside/grub.d")
        check(sorted(found) == ["grub", "grub.d"], f"written outside: {found}")
    for path in ("etc/default/grub.d", "var/lib/vfio-claim"):
        host("qemu")
        os.makedirs(os.path.dirname(f"{ROOT}/{path}"), exist_ok=True)
        os.symlink(f"{BUILD}/outside/grub.d", f"{ROOT}/{path}")
        before = whole()
        done = command("setup", QEMU_CARD[0])
        check(done.returncode == 1 and done.stderr, f"{path}: {done}")
        said = answer(command("setup", QEMU_CARD[0], "--json"))
        check(said["outcome"] in ("failed", "refused"), f"{said}")
        same(before)
        check(not os.listdir(f"{BUILD}/outside/grub.d"), "written outside")


def setup_refuses_what_it_does_not_know():
    host(loader={"etc/os-release": "ID=debian\n"})
    refused(FAR[0], say=["boot loader"])
    host(images={})
    refused(FAR[0], say=["initramfs", "install"])
    for name, path in (("booster", "usr/bin/booster"), ("mkinitfs", "sbin/mkinitfs"),
                       ("tiny-initramfs", "usr/sbin/mktirfs")):
        host(images={path: ""})
        refused(FAR[0], say=[f"by {name}", "initramfs-tools, dracut and mkinitcpio are"])
    host(images={"usr/bin/mkinitcpio": ""})
    refused(FAR[0], say=["no preset in /etc/mkinitcpio.d"])
    host(images={"usr/bin/dracut": "", f"efi/EFI/Linux/linux-{RELEASES[0]}-1.efi": ""})
    refused(FAR[0], say=["unified"])
    host(images={**IMAGES, "usr/bin/dracut": ""})
    refused(FAR[0], say=["several generators", "dracut"])


def setup_without_functions():
    """A tree that is no machine."""
    host()
    os.rename(f"{ROOT}/sys/bus/pci/devices", f"{ROOT}/elsewhere")
    done = command("setup", FAR[0], "--json")
    check(done.returncode in (1, 2), f"{done}")
    answer(done)
    check(not os.path.exists(CONF), "written for nothing")


CASES = [setup_refuses_the_last_display, setup_refuses_a_group,
         setup_refuses_what_the_machine_lives_on, setup_refuses_without_an_iommu,
         setup_refuses_a_switched_off_iommu, setup_refuses_bridges_and_others,
         setup_refuses_words, setup_refuses_names, setup_refuses_a_claim_that_cannot_be,
         setup_refuses_another_file_in_its_place, setup_refuses_a_damaged_configuration,
         setup_refuses_beside_another, setup_refuses_links_out_of_the_root,
         setup_refuses_what_it_does_not_know, setup_without_functions]
