# SPDX-License-Identifier: GPL-2.0-or-later
"""The hooks for mkinitcpio, run by what stands for it (tests/boot/mkinitcpio): what is lacking is
said, no build fails because of us, and the drop-in puts them where they belong."""

import os
import shutil

from cases import Failed, equal, must, run
from upgrade import CONF, TOP, Upgraded

HOOK = "usr/lib/initcpio/install/vfio-claim"
DROP_IN = f"{TOP}/hooks/mkinitcpio/conf.d/zz-vfio-claim.conf"
PRESET = "etc/mkinitcpio.d/linux.preset"
MAIN = "etc/mkinitcpio.conf"
ORDERS = {
    "(base udev autodetect block encrypt filesystems)":
        "base vfio-claim udev vfio-claim-settle autodetect block encrypt filesystems",
    "(base systemd autodetect block sd-encrypt)":
        "base vfio-claim systemd autodetect block sd-encrypt",
    "(systemd block)": "vfio-claim systemd block",
    '"base udev block"': "base vfio-claim udev vfio-claim-settle block",
    "(base)": "base vfio-claim vfio-claim-settle",
    "(base vfio-claim udev vfio-claim-settle x)": "base vfio-claim udev vfio-claim-settle x",
    "(base vfio-claim-settle udev x vfio-claim)": "base vfio-claim udev vfio-claim-settle x",
    "(plymouth base udev)": "vfio-claim plymouth base udev vfio-claim-settle",
    "()": "",
}


def root_of(shape):
    def make(path):
        must("tests/boot/mkinitcpio-root", path, shape, must("tests/lib/small-root", "trixie"))
    return Upgraded(f"mkinitcpio-{shape}", make, "mkinitcpio", "-P")


def busybox():
    root = root_of("busybox")
    root.lacks(HOOK, "mkinitcpio -P")
    # a preset that names its configuration: no drop-in is read
    with open(root.full(PRESET), "a", encoding="utf-8") as out:
        out.write(f"ALL_config=/{MAIN}\n")
    root.says("W: vfio-claim: ", "hooks/vfio-claim is not in it", "config does not call")
    root.write(MAIN, "HOOKS=(base vfio-claim udev vfio-claim-settle test)\n")
    root.says()
    root.write(MAIN, "HOOKS=(base udev vfio-claim vfio-claim-settle test)\n")
    root.says("config calls vfio-claim too late")
    root.unconfigured()
    shutil.rmtree(root.path)


def systemd():
    root = root_of("systemd")
    root.lacks(HOOK, "mkinitcpio -P")
    unit = "usr/lib/vfio-claim/initrd/vfio-claim-settle.service"
    root.without(unit)
    root.says("W: vfio-claim: ", "vfio-claim-settle.service is not in it")
    root.again(unit)
    # other drop-ins come first
    root.write("etc/mkinitcpio.conf.d/10-mine.conf", "HOOKS=(base systemd test)\n")
    root.write(MAIN, "HOOKS=(none)\n")
    root.says()
    root.unconfigured()
    shutil.rmtree(root.path)


def order():
    """Sourced once and twice, with our hook installed and without."""
    folder = f"{os.path.dirname(TOP)}/unused"
    with open(DROP_IN, encoding="utf-8") as text:
        drop_in = text.read().replace("/etc/vfio-claim.conf", DROP_IN)
    for hooks, wanted in ORDERS.items():
        for times in (1, 2):
            for install in (os.path.dirname(os.path.dirname(DROP_IN)), folder):
                script = drop_in.replace("@INITCPIO_DIR@", install) * times
                done = run("bash", "-euc", f'HOOKS={hooks}\n{script}\necho "${{HOOKS[*]}}"\n'
                           'set | grep -c "^_vfio" || :')
                here = wanted if install != folder else hooks.strip('()"')
                equal(hooks, (done.stdout.splitlines(), done.stderr), ([here, "0"], ""))


def post_hook_never_fails():
    """Whatever it is given, and whatever became of the command."""
    root = root_of("busybox")
    hook = "/usr/lib/initcpio/post/vfio-claim"
    for version in ("", "none", root.release, "../x"):
        for words in ([], [""], ["", "/none"], ["/boot/vmlinuz", "relative"]):
            done = root.inside("env", f"KERNELVERSION={version}", hook, *words)
            if done.returncode or done.stdout:
                raise Failed(f"{version} {words}: {done}")
    os.unlink(root.full("usr/bin/vfio-claim"))
    root.says()
    os.unlink(root.full(CONF))
    shutil.rmtree(root.path)


CASES = [busybox, systemd, order, post_hook_never_fails]
