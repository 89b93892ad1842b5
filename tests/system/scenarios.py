# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of machines and their boots. table.py says what the words mean."""

import steps
from table import CARD, boot, kept, scenario

GAMING = """[claim gaming]
function = 0000:01:00.0 path=0000:00:1c.0/00.0 id=1234:1111 subsystem=1af4:1100 class=030000
function = 0000:01:00.1 path=0000:00:1c.0/00.1 id=8086:293e subsystem=1af4:1100 class=040300
"""
TWINS = "01.0=vga 1c.0/00.0=vga+hda 1d.0/00.0=vga+hda"
MORE = TWINS + " 1e.0/00.0=cirrus"
# Another configuration that claims the same.
LONGER = "[host]\ntrial-timeout = 20\n" + GAMING


CONFIRMED = ["this boot is confirmed", "Next boot: claimed, like the last one"]


def steady(name, why, kind, changed):
    scenario(name, why, kind, TWINS, [
        boot("counted, claimed, and confirmed by the service", attempts=1, confirmed=False,
             store="written", status=CONFIRMED, late=steps.change_hands),
        boot("the same again: nothing is written", confirmed=True, store="same",
             status=CONFIRMED,
             late=steps.put_off),
        kept("vfio-claim.off lies on the boot partition", "off", store="same",
             late=steps.take_off),
        changed,
        boot("a card more: counted and confirmed again", devices=MORE, attempts=1,
             confirmed=False, store="written", late=steps.rebuilt),
    ], GAMING)


steady("confirm-efi", "confirmed, steady, changed; the record is an EFI variable", "esp",
       boot("a changed configuration: counted and confirmed again", conf=LONGER, attempts=1,
            confirmed=False, store="written"))
steady("confirm-partition", "the same; the record is a file on /boot", "mbr",
       boot("another kernel: counted and confirmed again", kernel="next", attempts=1,
            confirmed=False, store="written"))

# ---- the trial of the only card

FAILS = {
    "etc/systemd/system/test-check.service":
        "[Unit]\nDescription=A check that fails\nBefore=boot-complete.target\n"
        "[Service]\nType=oneshot\nExecStart=/bin/false\n",
    "etc/systemd/system/boot-complete.target.requires/test-check.service":
        "-> ../test-check.service",
}
scenario("trial", "the only card, never confirmed: back after the trial", "esp",
         "1c.0/00.0=vga+hda", [
             boot("dark until the trial ends, then a login on the screen", vfio="",
                  attempts=1, confirm="released", complete=False, exit=None,
                  early=steps.trial_ends, motd="1 minute", status=["given back"]),
             kept("vfio_claim=off", "off", cmdline="vfio_claim=off", complete=False,
                  exit=None, late=steps.login_on(CARD)),
         ],
         "[host]\nrequire-display = no\ntrial-timeout = 1\n" + GAMING, files=FAILS)

# ---- the health check

# The host's own card stays without its driver, and SeaBIOS leaves no framebuffer.
NO_DISPLAY = {"etc/modprobe.d/test.conf": "blacklist cirrus\ninstall cirrus /bin/false\n"}
HOST_CIRRUS = "01.0=cirrus 1c.0/00.0=vga+hda"
DARK = {"01.0": None}
UNHEALTHY = {"vfio": "", "drivers": DARK, "confirm": "released", "exit": 1,
             "motd": "given back", "status": ["given back"]}
IMPATIENT = {"etc/systemd/system/vfio-claim-confirm.service.d/test.conf":
             "[Service]\nExecStart=\nExecStart=/usr/bin/vfio-claim confirm --wait 5\n"}
scenario("unhealthy", "the host's display does not come: given back, then safe mode", "mbr",
         HOST_CIRRUS, [
             boot("given back, and everybody is told", attempts=1, console="serial",
                  late=steps.told_at_login, **UNHEALTHY),
             kept("vfio_claim=off", "off", cmdline="vfio_claim=off", drivers=DARK,
                  store="same"),
             boot("the second attempt", attempts=2, files=IMPATIENT, **UNHEALTHY),
             kept("safe mode", "safe-mode", drivers=DARK, exit=1, store="same",
                  motd="safe-mode", status=["safe-mode"], late=steps.retried),
         ],
         GAMING, files=NO_DISPLAY)
scenario("in-use", "the same while a virtual machine has the card open", "mbr", HOST_CIRRUS, [
    boot("not given back, and said so", attempts=1, drivers=DARK, confirm="in-use", exit=1,
         early=steps.open_card, motd="NOT given back", status=["NOT given back"],
         late=steps.close_card),
], GAMING, files=NO_DISPLAY)

# ---- a laptop

LATE = "function = 0000:03:00.0 path=0000:00:1e.0/00.0 id=8086:293e subsystem=1af4:1100 " \
       "class=040300 optional=yes\n"
scenario("sleep", "a card changes hands once it is free, and sleeps with the machine", "mbr",
         TWINS + " 1e.0=port", [
             boot("joined by what is plugged in; waited for; then suspended: the hook's service "
                  "says that the claim holds",
                  kernel="packed", late=steps.wait_and_sleep),
         ], GAMING + LATE)

# ---- a passphrase

LUKS = ("[host]\nrequire-display = no\nmax-attempts = 1\n"
        f"record = PARTUUID={steps.BOOT_PARTUUID}\n") + GAMING
scenario("luks", "a root that waits for its passphrase on a screen that was claimed", "luks",
         "1c.0/00.0=vga+hda", [
             boot("the prompt is on no screen; the power is cut",
                  early=steps.dark_prompt, stops=True),
             boot("vfio_claim=off shows it", cmdline="vfio_claim=off",
                  early=steps.prompt, stops=True),
             kept("safe mode shows it, and the system comes up", "safe-mode",
                  early=steps.passphrase, exit=1, motd="safe-mode",
                  late=steps.login_on(CARD)),
         ], LUKS)
