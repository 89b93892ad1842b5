# SPDX-License-Identifier: GPL-2.0-or-later
"""`vfio-claim setup` and its undo on stock machines below build/cli/: what is written."""

import os
import re

from host import (CONF, DROP_IN, FAR, GRUB, MENTION, NEAR, QEMU_CARD, RELEASES, SYSTEMD_BOOT,
                  accepted, answer, functions, host, lines, refused, same, setup, terminal, undo, whole)
from installer import command, content, put, says
from start import ROOT, check
from tree import Machine

OTHER = "[claim other] # kept\n" + Machine("twins").get(NEAR[1]).line() + "\n"


def argument():
    """What was added to the kernel's arguments."""
    if not os.path.exists(DROP_IN):
        return ""
    found = re.findall(r'^GRUB_CMDLINE\w*="\S+ (.*)"$', content(DROP_IN).decode(), re.M)
    check(len(found) == 1, f"the drop-in is {content(DROP_IN)}")
    return found[0]


def there_and_back(*words):
    before = whole()
    setup(*words)
    after = whole()
    check(after != before, "nothing was written")
    setup(*words)
    check({path: entry for path, entry in whole().items() if "var/lib" not in path} ==
          {path: entry for path, entry in after.items() if "var/lib" not in path},
          "a second setup writes")
    undo()
    same(before)
    return after


def setup_shows_its_plan():
    host("qemu")
    before = whole()
    done = setup(QEMU_CARD[0], "--dry-run", says_=(
        "The claim gpu takes:", *QEMU_CARD, "--- /dev/null\n+++ /etc/vfio-claim.conf\n@@ ",
        "\n+[claim gpu]\n", "intel_iommu=on", "update-initramfs -u", "update-grub",
        "IOMMU is off now", "dry run"))
    check("0000:02:00" not in done.stdout, "the twin is in the plan")
    same(before)
    said = answer(setup(QEMU_CARD[0], "--dry-run", "--json"))
    check(said["outcome"] == "dry-run" and said["functions"] == QEMU_CARD and
          {"path": "/etc/vfio-claim.conf", "action": "create"} in said["files"] and
          ["update-grub"] in said["programs"] and "IOMMU is off now" in said["notes"], f"{said}")
    same(before)


def setup_programs_are_not_run():
    host("qemu")
    for path in ("usr/sbin/update-grub", "usr/sbin/update-initramfs"):
        put(f"{ROOT}/{path}", f"#!/bin/sh\ntouch {ROOT}/it-ran\n")
        os.chmod(f"{ROOT}/{path}", 0o755)
    setup(QEMU_CARD[0], says_=("not run", "update-grub"))
    said = answer(setup("02:00.0", "--json"))
    check(said["outcome"] == "done" and said["claim"] == "gpu", f"{said}")
    check(not os.path.exists(f"{ROOT}/it-ran"), "a program was run")


def setup_and_undo_with_grub():
    host("qemu")
    there_and_back(QEMU_CARD[0])
    setup(QEMU_CARD[0])
    check(argument() == "intel_iommu=on", f"added: {argument()!r}")
    check(os.stat(CONF).st_mode & 0o777 == 0o644, "the mode of the configuration")
    check(content(f"{ROOT}/etc/default/grub") == GRUB["etc/default/grub"].encode(), "edited")


def setup_keeps_what_is_set_before_binding():
    host("qemu")
    setup(QEMU_CARD[0])
    text = content(CONF).decode().replace("[claim gpu]\n", "[claim gpu]\nidle=on\n# mine\nvga = no\n")
    text = re.sub(r"(function = 0000:01:00.1 .*)", r"\1 reset=flr,bus", text)
    put(CONF, text)
    setup(QEMU_CARD[0], says_=["0000:01:00.1: reset = flr,bus: the kernel knows no way to reset it",
                               "it will be left as it is"])
    after = content(CONF).decode()
    check("[claim gpu]\nidle = on\nvga = no\n#" in after and after.count(" reset=flr,bus\n") == 1
          and re.search(r"0000:01:00.1 .* reset=flr,bus\n", after), after)
    setup(QEMU_CARD[0])
    check(content(CONF).decode() == after, "a second setup writes")
    # the card is in another slot now
    put(CONF, after.replace("path=0000:00:1c.0", "path=0000:00:1b.0"))
    setup(QEMU_CARD[0])
    check(content(CONF).decode() == after, "another slot loses what was said")


def setup_keeps_what_comes_late():
    """Its word, and the line of what is not there now."""
    host("qemu")
    setup(QEMU_CARD[0])
    late = "function = 0000:01:00.2 path=0000:00:1c.0/00.2 id=1b36:000d subsystem=1af4:1100 " \
           "class=0c0330 optional=yes\n"
    text = re.sub(r"(function = 0000:01:00.1 .*)", r"\1 optional=yes", content(CONF).decode())
    put(CONF, text + late)
    setup(QEMU_CARD[0])
    after = content(CONF).decode()
    check(re.search(r"0000:01:00.1 .* optional=yes\n", after) and after.count(late) == 1, after)
    setup(QEMU_CARD[0])
    check(content(CONF).decode() == after, "a second setup writes")


def setup_and_undo_with_systemd_boot():
    host("qemu", loader=SYSTEMD_BOOT)
    there_and_back(QEMU_CARD[0])
    setup(QEMU_CARD[0], says_=[f"kernel-install add {release}" for release in RELEASES])
    check(content(f"{ROOT}/etc/kernel/cmdline") == b"root=UUID=1 ro quiet intel_iommu=on\n",
          f"{content(ROOT + '/etc/kernel/cmdline')}")
    check(os.stat(f"{ROOT}/etc/kernel/cmdline").st_mode & 0o777 == 0o604, "its mode")


def undo_keeps_a_seed():
    """What kernel-install takes without the file is what the running kernel has: our words."""
    loader = {path: text for path, text in SYSTEMD_BOOT.items() if path != "etc/kernel/cmdline"}
    quiet = "root=UUID=1 ro quiet"
    host("qemu", loader=loader, **{"proc/cmdline": f"{quiet}\n"})
    there_and_back(QEMU_CARD[0])
    setup(QEMU_CARD[0])
    put(f"{ROOT}/proc/cmdline", f"BOOT_IMAGE=/x {quiet} intel_iommu=on\n")
    undo(say=["/etc/kernel/cmdline stays, without our words"])
    check(content(f"{ROOT}/etc/kernel/cmdline") == f"{quiet}\n".encode(),
          f"{content(ROOT + '/etc/kernel/cmdline')}")
    undo(say=["nothing to undo"])
    # with a fallback nothing is taken from the running kernel
    host("qemu", loader=loader, **{"usr/lib/kernel/cmdline": f"{quiet}\n"})
    setup(QEMU_CARD[0])
    put(f"{ROOT}/proc/cmdline", f"{quiet} intel_iommu=on\n")
    undo()
    check(not os.path.exists(f"{ROOT}/etc/kernel/cmdline"), "it is still there")


def setup_and_undo_with_dracut():
    host("qemu", images={"usr/bin/dracut": ""})
    there_and_back(QEMU_CARD[0])
    setup(QEMU_CARD[0], says_=[f"dracut --force /boot/initramfs-{release}.img {release}"
                               for release in RELEASES])


def setup_and_undo_with_mkinitcpio():
    """As Arch Linux has it: one preset for a kernel's package."""
    preset = ("ALL_kver=/boot/vmlinuz-linux\nPRESETS=('default' 'fallback')\n"
              "default_image=/boot/initramfs-linux.img\n"
              "fallback_image=/boot/initramfs-linux-fallback.img\n"
              "fallback_options='-S autodetect'\n")
    arch = {"etc/os-release": "ID=arch\n", "etc/default/grub": GRUB["etc/default/grub"],
            "boot/grub/grub.cfg": "", "usr/bin/grub-mkconfig": ""}
    images = {"usr/bin/mkinitcpio": "", "etc/mkinitcpio.d/linux.preset": preset,
              f"lib/modules/{RELEASES[0]}/pkgbase": "linux\n"}
    host("qemu", loader=arch, images=images)
    there_and_back(QEMU_CARD[0])
    said = answer(setup(QEMU_CARD[0], "--dry-run", "--json"))
    check(["mkinitcpio", "-P"] in said["programs"], f"{said}")
    # no drop-in is read
    host("qemu", loader=arch, images={**images, "etc/mkinitcpio.d/linux.preset":
                                      "ALL_config=/etc/mkinitcpio.conf\n" + preset})
    refused(QEMU_CARD[0], say=["names a configuration", "take ALL_config"])


def setup_beside_other_claims():
    """Every byte of what is there stays, but for the claim's own section."""
    mine = MENTION + OTHER + "\n# the end"
    host(conf=mine)
    there_and_back(FAR[0])
    setup(FAR[0])
    text = content(CONF).decode()
    check(text.startswith(mine + "\n"), f"it is now {text!r}")
    check(os.stat(CONF).st_mode & 0o777 == 0o640, "its mode")
    check(list(functions()) == [NEAR[1], *FAR], f"claimed: {list(functions())}")
    accepted()


def setup_takes_the_whole_card():
    """An Arc card's audio is behind a sibling port of the card's own switch."""
    card = ["0000:03:00.0", "0000:04:00.0"]
    for words, wanted in ((card[:1], card), ([card[0], "--only"], card[:1]),
                          (card[1:], card[1:]), (card, card), (["03:00.0"], card),
                          (["0000:09:00.0"], ["0000:09:00.0", "0000:0a:00.0"])):
        host("arc")
        there_and_back(*words)
        setup(*words)
        check(list(functions()) == wanted, f"{words} takes {list(functions())}")
        found = accepted()
        check([f["address"] for c in found["claims"] for f in c["functions"]] == wanted,
              f"{found}")


def setup_only_the_chosen_twin():
    host()
    setup(FAR[0])
    check(list(functions()) == FAR, f"claimed: {functions()}")
    for line in functions().values():
        check("unique" not in line and "serial" not in line, f"{line!r}")
    machine = Machine("twins")
    check([line + "\n" for line in functions().values()] ==
          [machine.get(address).line() + "\n" for address in FAR], f"{functions()}")
    accepted()


def setup_knows_serials_and_unique_ids():
    def serial(machine):
        machine.get(FAR[0]).words.append("serial=00-00-00-00-00-00-00-01")
    host(change=serial)
    setup(FAR[0])
    check("serial=00-00-00-00-00-00-00-01" in functions()[FAR[0]], f"{functions()}")
    check("serial" not in functions()[FAR[1]], f"{functions()}")
    accepted()
    host(change=lambda machine: machine.drop(NEAR[1]))
    setup(FAR[0])
    check("unique=yes" in functions()[FAR[1]], f"{functions()}")
    check("unique" not in functions()[FAR[0]], f"{functions()}")
    accepted()
    host("desktop")
    setup("01:00.0")
    check(len(functions()) == 4 and
          all("unique=yes" in line for line in functions().values()), f"{functions()}")
    accepted()


def setup_another_name():
    host()
    for name in ("a", "a.b-C_9", "n" * 32):
        setup(FAR[0], "--name", name)
        check(f"[claim {name}]" in lines(), f"{lines()}")
        accepted()
        undo()


def setup_without_a_display():
    host(change=lambda machine: machine.drop(*NEAR), conf=MENTION)
    there_and_back(FAR[0], "--no-display-ok")
    setup(FAR[0], "--no-display-ok")
    text = content(CONF).decode()
    check(text.startswith(MENTION.replace("display = yes", "display = no")), f"{text!r}")
    for mine in (None, "[host]\nmax-attempts = 3\n", "# nothing\n"):
        host(change=lambda machine: machine.drop(*NEAR), conf=mine)
        setup(FAR[0], "--no-display-ok")
        check(lines().count("require-display = no") == 1, f"{mine!r}: {lines()}")
    host(change=lambda machine: machine.drop(*NEAR))
    setup(FAR[0], "--no-display-ok")
    check(lines().count("require-display = no") == 1 and
          not any("= yes" in line for line in lines()), f"{lines()}")
    os.makedirs(f"{ROOT}/sys/firmware/efi/efivars")     # early boot keeps count there
    accepted()


def setup_arguments_of_the_iommu():
    on, off = "#\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n", "#\n"
    # Debian's: on, but not for the processor's graphics
    debian = off + "CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y\n"
    new, old = (f"boot/config-{release}" for release in RELEASES)
    # machine, files, what is added
    for machine, files, wanted in (
            ("qemu", {}, "intel_iommu=on"), ("qemu", {new: on, old: on}, ""),
            ("qemu", {new: on, old: off}, "intel_iommu=on"),
            ("qemu", {new: off, old: on}, "intel_iommu=on"),
            ("qemu", {new: debian, old: debian}, ""), ("qemu", {new: debian, old: on}, ""),
            ("qemu", {new: off, old: debian}, "intel_iommu=on"),
            ("laptop", {new: debian, old: debian}, "intel_iommu=on"),
            ("laptop", {new: on, old: on}, ""), ("twins", {}, "")):
        host(machine, **files)
        if machine == "laptop":                         # the processor's own graphics
            put(f"{ROOT}/sys/firmware/acpi/tables/DMAR", "DMAR")
            setup("0000:00:02.0", "--no-display-ok")
            check(argument() == wanted, f"{machine} {files}: {argument()!r}")
            setup("0000:01:00.0", "--name", "other", "--dry-run")
            continue
        setup(QEMU_CARD[0] if machine == "qemu" else FAR[0])
        check(argument() == wanted, f"{machine} {files}: {argument()!r}")

    # a hook of linux-base puts it into /boot, where it ran
    host("qemu")
    for release in RELEASES:
        os.rename(f"{ROOT}/boot/config-{release}", f"{ROOT}/lib/modules/{release}/config")
        put(f"{ROOT}/lib/modules/{release}/config", debian)
    setup(QEMU_CARD[0])
    check(argument() == "", f"beside the modules: {argument()!r}")

    def active(machine):
        machine.iommu = ["dmar0"]
        for number, function in enumerate(machine.functions):
            function.group = str(number)
    for cmdline, configs, wanted in (
            ("quiet", False, ""),
            # no configuration says so, but the firmware has opted in
            ("quiet", True, ""),
            ("quiet intel_iommu=on", True, "intel_iommu=on"),
            # somebody typed it at the boot menu
            ("quiet intel_iommu=on", False, "intel_iommu=on")):
        host("qemu", change=active, **{"proc/cmdline": cmdline + "\n"})
        for release in RELEASES if not configs else ():
            os.unlink(f"{ROOT}/boot/config-{release}")
        setup(QEMU_CARD[0])
        check(argument() == wanted, f"{cmdline}, {configs}: {argument()!r}")


def setup_more_arguments():
    host()
    there_and_back(FAR[0], "--iommu-pt", "--ignore-msrs")
    setup(FAR[0], "--iommu-pt")
    check(argument() == "iommu=pt", f"{argument()!r}")
    setup(FAR[0], "--ignore-msrs")
    check(argument() == "iommu=pt kvm.ignore_msrs=1", f"{argument()!r}")


def setup_what_is_configured_stays():
    host("qemu", **{"etc/default/grub": 'GRUB_CMDLINE_LINUX_DEFAULT="quiet intel_iommu=on"\n'})
    there_and_back(QEMU_CARD[0])
    setup(QEMU_CARD[0])
    check(not os.path.exists(DROP_IN), "the argument is there already")


def setup_another_card_replaces_it():
    mine = MENTION + OTHER
    host(conf=mine)
    before = whole()
    setup(FAR[0])
    setup(FAR[1])
    check(list(functions()) == [NEAR[1], FAR[1]], f"{functions()}")
    check(content(CONF).decode().startswith(mine), "other text was lost")
    undo()
    same(before)


def setup_with_a_claim_of_the_configuration():
    """Arguments and images for the file as it is."""
    mine = MENTION + "[claim mine]\n" + "".join(
        Machine("qemu").get(address).line() + "\n" for address in QEMU_CARD)
    host("qemu", conf=mine)
    there_and_back("mine")
    done = setup("mine", says_=("The claim mine takes:", *QEMU_CARD, "update-initramfs"))
    check("vfio-claim.conf" not in done.stdout, "the configuration is in the plan")
    check(content(CONF) == mine.encode() and argument() == "intel_iommu=on", "not set up")
    done = undo(say=["were there before"])
    check("leaves the GPU" not in done.stdout, f"{done.stdout!r}")
    said = answer(setup("mine", "--json"))
    check(said["claim"] == "mine" and said["functions"] == QEMU_CARD and
          said["files"] and not any("conf" in file["path"] for file in said["files"]), f"{said}")


def undo_keeps_what_others_wrote():
    host(conf=MENTION)
    setup(FAR[0])
    undo(say=["leaves the GPU to the host"])
    host(conf=MENTION + OTHER)
    setup(FAR[0])
    put(CONF, "# before\n" + content(CONF).decode() + "# after\n")
    undo(say=["edited since"])
    text = content(CONF).decode()
    check(text.startswith("# before\n" + MENTION + OTHER) and text.endswith("# after\n") and
          "claim gpu" not in text, f"{text!r}")
    host()
    setup(FAR[0])
    mine = content(CONF).decode() + "# mine\n"
    put(CONF, mine)
    undo(say=["is kept as"])
    check(not os.path.exists(CONF) and
          content(f"{CONF}.vfio-claim-save").decode() == mine, "my text is lost")


def undo_asks_for_nothing():
    host()
    before = whole()
    says(command("undo"), 0, "nothing to undo")
    same(before)
    setup(FAR[0])
    after = whole()
    says(command("undo"), 1, "--yes")
    check(answer(command("undo", "--json"))["outcome"] == "refused", "not refused")
    says(command("undo", "--dry-run"), 0, "/etc/vfio-claim.conf is removed", "update-initramfs")
    said = answer(command("undo", "--dry-run", "--json"))
    check(said["outcome"] == "planned" and said["programs"], f"{said}")
    same(after)
    check(answer(command("undo", "--yes", "--json"))["outcome"] == "done", "not done")
    check(answer(command("undo", "--yes", "--json"))["outcome"] == "nothing", "not nothing")
    same(before)


ASKS = "Which card"


def setup_asks_which_card():
    host()
    before = whole()
    status, shown = terminal("setup", "--dry-run", answers=[(ASKS, "7\n"), (ASKS, "x\n"),
                                                            (ASKS, "\n")], NO_COLOR="1")
    check(status == 0 and shown.count("A number from 1 to 2") == 2, f"{status}: {shown!r}")
    check("\x1b" not in shown, "colours in spite of NO_COLOR")
    # the one that shows nothing now is proposed
    check("  1  0000:05:00.0" in shown and "with 0000:05:00.1" in shown and
          "  2  0000:0c:00.0" in shown and "[1]" in shown, f"{shown!r}")
    check("+# " in shown and "+function = 0000:05:00.0" in shown, f"{shown!r}")
    status, shown = terminal("setup", "--dry-run", answers=[(ASKS, "2\n")])
    check("function = 0000:0c:00.0" in shown and "0000:05:00.0 path" not in shown, f"{shown!r}")
    check("\x1b[" in shown, "no colours on a terminal")
    for typed in ("q\n", "\x04"):
        status, shown = terminal("setup", answers=[(ASKS, typed)])
        check(status == 1 and "nothing was changed" in shown, f"{status}: {shown!r}")
    same(before)
    status, shown = terminal("setup", answers=[(ASKS, "\n")])
    check(status == 0 and list(functions()) == FAR, f"{status}: {shown!r}")
    status, shown = terminal("undo", answers=[("[y/N]", "n\n")])
    check(status == 1 and list(functions()) == FAR, f"{status}: {shown!r}")
    status, shown = terminal("undo", answers=[("[y/N]", "y\n")])
    check(status == 0, f"{status}: {shown!r}")
    same(before)


def setup_asks_on_a_laptop():
    """What each card drives is said; no card with a connector of the panel is proposed."""
    host("swift")
    before = whole()
    status, shown = terminal("setup", "--dry-run", answers=[(ASKS, "\n")])
    check(status == 0 and "drives the inner panel" in shown and "[2]" in shown and
          "function = 0000:03:00.0" in shown, f"{status}: {shown!r}")
    same(before)
    host("zephyrus")        # the MUX has the panel at the card; the processor's is no proposal
    status, shown = terminal("setup", "--dry-run", answers=[(ASKS, "q\n")])
    check(status == 1 and "a MUX gives to another card now" in shown and "[2]" not in shown and
          "[1]" not in shown, f"{status}: {shown!r}")


POP = {"etc/os-release": "ID=pop\n", "usr/bin/system76-power": "", "usr/bin/kernelstub": "",
       "etc/kernelstub/configuration":
       '{"user": {"kernel_options": ["quiet", "splash"], "esp_path": "/boot/efi"}}\n'}
CARD = ["0000:01:00.0", "0000:01:00.1"]


def setup_proposes_a_mode_of_graphics():
    """What is proposed is shown, in JSON, too, and not run; that of another card is not."""
    hybrid = "Before the reboot: system76-power graphics hybrid"
    host("adder", loader=POP, **{"etc/prime-discrete": "on\n"})
    done = setup(CARD[0], "--dry-run", says_=("(mode nvidia)", hybrid, "kernelstub"))
    check(done.stdout.count("Graphics switching") == 1, done.stdout)
    said = answer(setup(CARD[0], "--dry-run", "--json"))
    check([p["mend"] for p in said["graphics"]] == ["system76-power graphics hybrid"] and
          "mode nvidia" in said["graphics"][0]["evidence"] and hybrid in said["notes"] and
          not [p for p in said["programs"] if p[0] == "system76-power"], f"{said}")
    before = content(f"{ROOT}/etc/prime-discrete")
    setup(CARD[0], says_=[hybrid, "not run"])
    check(content(f"{ROOT}/etc/prime-discrete") == before, "the mode was changed")
    setup("0000:49:00.0", "--name", "reader", "--dry-run")      # no card of NVIDIA's
    for files, mend in (({"etc/prime-discrete": "on-demand\n"}, None),
                        ({}, "system76-power graphics hybrid"),
                        ({"etc/modprobe.d/system76-power.conf": "blacklist nouveau\n"},
                         "system76-power graphics hybrid"),
                        ({"etc/modprobe.d/system76-power.conf": "blacklist nvidia-drm\n"}, None)):
        host("adder", loader=POP, **files)
        for words, wanted in (([CARD[0]], [mend] if mend else []), (["0000:49:00.0"], [])):
            said = answer(setup(*words, "--dry-run", "--json"))
            check([p["mend"] for p in said["graphics"]] == wanted, f"{files}, {words}: {said}")
            check(("Graphics switching" in said.get("notes", "")) == bool(wanted), f"{said}")


def setup_says_what_the_panels_card_costs():
    host("optimus", **{"etc/prime-discrete": "on-demand\n"})
    setup("00:02.0", "--dry-run", "--no-display-ok",
          says_=("Graphics cards: 0000:00:02.0: drives the inner panel", "dark on the host",
                 "claim the other card"))
    check(answer(setup(CARD[0], "--dry-run", "--json"))["graphics"] == [], "of the other card, too")


def setup_repeats_what_doctor_says_of_switching():
    for machine, card, files, mend in (
            ("optimus", CARD[0], {}, "prime-select on-demand"),
            ("optimus", CARD[0], {"etc/prime-discrete": "on-demand\n"}, None),
            ("zephyrus", "0000:03:00.0", {}, "supergfxctl --mode Hybrid"),
            ("swift", "0000:03:00.0", {}, None),
            ("optimus", CARD[0], {"etc/prime-discrete": "",
                                  "etc/X11/xorg.conf": "# by EnvyControl\n"},
             "envycontrol --switch hybrid")):
        host(machine, **files)
        said = answer(setup(card, "--dry-run", "--json"))
        mends = [p["mend"] for p in said["graphics"]]
        check(mend in mends if mend else not mends, f"{machine}: {mends}")


CASES = [setup_shows_its_plan, setup_programs_are_not_run, setup_and_undo_with_grub,
         setup_and_undo_with_systemd_boot, undo_keeps_a_seed, setup_and_undo_with_dracut,
         setup_and_undo_with_mkinitcpio, setup_beside_other_claims,
         setup_takes_the_whole_card, setup_only_the_chosen_twin,
         setup_knows_serials_and_unique_ids, setup_another_name, setup_without_a_display,
         setup_arguments_of_the_iommu, setup_more_arguments, setup_what_is_configured_stays,
         setup_another_card_replaces_it, setup_keeps_what_is_set_before_binding,
         setup_keeps_what_comes_late,
         setup_with_a_claim_of_the_configuration,
         undo_keeps_what_others_wrote, undo_asks_for_nothing, setup_asks_which_card,
         setup_asks_on_a_laptop, setup_proposes_a_mode_of_graphics,
         setup_says_what_the_panels_card_costs, setup_repeats_what_doctor_says_of_switching]
