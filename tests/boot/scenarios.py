# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of boot scenarios. tests/boot/table.py says what the words mean."""

from table import UNLOAD, again, claim, scenario, want

# The machine of most scenarios: the host's own card, and two identical cards with audio
# behind root ports.
TWINS = "01.0=vga 1c.0/00.0=vga+hda 1d.0/00.0=vga+hda"
FIRST = ["01:00.0 1c.0/00.0 vga", "01:00.1 1c.0/00.1 hda"]
SECOND = ["02:00.0 1d.0/00.0 vga", "02:00.1 1d.0/00.1 hda"]
GAMING = [claim("gaming", *FIRST)]


def kept(name, why, reason, match="exact", **words):
    """One claim, which is refused."""
    words = {"devices": TWINS, "conf": GAMING,
             "expect": [want("gaming", "kept", reason, match)], **words}
    scenario(name, why, outcome="kept", reason=reason, **words)


def taken(name, why, match="exact", **words):
    """One claim, which is claimed."""
    words = {"devices": TWINS, "conf": GAMING, **words}
    scenario(name, why, outcome="claimed", expect=[want("gaming", "claimed", None, match)],
             **words)


def config_error(name, why, detail, conf, **words):
    """A configuration that is refused as a whole."""
    scenario(name, why, devices=TWINS, conf=conf, outcome="kept", reason="config-error",
             detail="/etc/vfio-claim.conf" + detail, expect=[], **words)


# ---- claimed

taken("twins-intel", "exactly one of two identical cards is taken")
taken("twins-amd", "the same with AMD's IOMMU", machine="amd")
taken("twins-second", "the other one of the two",
      conf=[claim("gaming", *SECOND)], long=True)
taken("twins-ovmf", "the same with UEFI firmware", firmware="ovmf")
taken("twins-ovmf-amd", "UEFI firmware and AMD's IOMMU", machine="amd", firmware="ovmf", long=True)
taken("old-guide-ids", "a forgotten vfio-pci.ids= takes no twin",
      cmdline="vfio-pci.ids=1234:1111,8086:293e")
taken("class-0380", "a display that is no VGA",
      devices="01.0=vga 1c.0/00.0=display+hda",
      conf=[claim("gaming", "01:00.0 1c.0/00.0 display", "01:00.1 1c.0/00.1 hda")])
taken("audio-behind-sibling-port", "GPU and audio behind two ports of the card's own switch",
      devices="01.0=vga 1c.0/00.0=upstream 1c.0/00.0/00.0=downstream "
              "1c.0/00.0/01.0=downstream 1c.0/00.0/00.0/00.0=vga 1c.0/00.0/01.0/00.0=hda",
      conf=[claim("gaming", "03:00.0 1c.0/00.0/00.0/00.0 vga",
                  "04:00.0 1c.0/00.0/01.0/00.0 hda")])
taken("group-whole", "a group behind a PCI bridge that is claimed as a whole",
      devices="01.0=vga 1c.0/00.0=bridge 1c.0/00.0/01.0=vga 1c.0/00.0/02.0=hda",
      conf=[claim("gaming", "02:01.0 1c.0/00.0/01.0 vga", "02:02.0 1c.0/00.0/02.0 hda")])
taken("many-functions", "200 functions that no claim names",
      devices=TWINS + "".join(
          f" {slot:02x}.0={'+'.join(['testdev'] * 8)}" for slot in range(3, 27)))
taken("on", "vfio_claim=on", cmdline="vfio_claim=on", long=True)

taken("framebuffer", "the firmware's framebuffer is on the claimed card, a display that is no VGA",
      # any display driver of the host would evict it, wherever it is: the host has none
      devices="01.0=display 1c.0/00.0=ati+hda", firmware="ovmf", framebuffer=False,
      conf=[claim("gaming", "00:01.0 01.0 display")])
taken("modules-xz", "modules compressed with xz", image="xz")
taken("modules-zst", "modules compressed with zstd", image="zst")

# ---- late arrivals

SLOT = "01.0=cirrus 1c.0=port,pref64-reserve=64M"
BOX = f"{SLOT} 1c.0/00.0=display+hda"
BOXED = [claim("gaming", "01:00.0 1c.0/00.0 display optional=yes",
               "01:00.1 1c.0/00.1 hda optional=yes")]
PLUG = ("add", "1c.0/00.0", "display+hda")
PULL = ("del", "1c.0/00.0")
CLAIMED = "claimed for vfio-pci: 0000:01:00.0 0000:01:00.1"
RETURNS = [CLAIMED, *["was removed"] * 2, "device-absent", CLAIMED]

taken("late-card", "a card that is plugged in is claimed before its drivers",
      devices=SLOT, ends=BOX, conf=BOXED, late=[PLUG])
kept("late-card-no-iommu", "a card that is plugged in, no IOMMU", "iommu-inactive",
     devices=SLOT, ends=BOX, conf=BOXED, late=[PLUG], cmdline="intel_iommu=off")
kept("late-card-pulled", "a card that is plugged in and pulled out", "device-absent", "absent",
     devices=SLOT, ends=SLOT, conf=BOXED, late=[PLUG, PULL],
     warnings=["device-removed"] * 2)
taken("late-card-loaded", "a card whose drivers are loaded when it is plugged in",
      devices=SLOT, ends=BOX, conf=BOXED,
      late=["modprobe bochs", "modprobe snd_hda_intel", PLUG])
taken("late-again", "a card that is pulled out and plugged in again",
      devices=SLOT, ends=BOX, conf=BOXED, late=[PLUG, PULL, PLUG], log=RETURNS)
taken("late-rescan", "a card that the kernel removes, and finds again",
      devices=SLOT, ends=BOX, conf=BOXED, log=RETURNS,
      late=[PLUG, *(f"echo 1 >/sys/bus/pci/devices/0000:01:00.{n}/remove" for n in (1, 0)),
            "echo 1 >/sys/bus/pci/rescan"])
taken("late-audio", "a function that appears on a claimed slot",
      devices=TWINS, conf=[claim("gaming", FIRST[0], FIRST[1] + " optional=yes")],
      early="echo 1 >/sys/bus/pci/devices/0000:01:00.1/remove\n",
      late=["echo 1 >/sys/bus/pci/rescan"])

# ---- several claims

BOTH = [claim("left", *FIRST), claim("right", *SECOND)]
scenario("two-claims", "both cards are claimed", devices=TWINS, conf=BOTH,
         outcome="claimed", expect=[want("left", "claimed"), want("right", "claimed")])
scenario("choose", "the command line names one of two claims", devices=TWINS, conf=BOTH,
         cmdline="vfio_claim=right",
         outcome="claimed", expect=[want("left", "kept", "off"), want("right", "claimed")])
scenario("choose-unknown", "the command line names a claim that does not exist",
         devices=TWINS, conf=BOTH, cmdline="vfio_claim=right,wrong",
         outcome="kept", reason="config-error",
         expect=[want("left", "kept", "config-error"), want("right", "kept", "config-error")])
scenario("partial", "one of two claims is refused", devices=TWINS,
         conf=[claim("left", *FIRST),
               claim("right", "02:00.0 1d.0/00.0 qxl", "02:00.1 1d.0/00.1 hda")],
         outcome="partial", reason="device-changed",
         expect=[want("left", "claimed"),
                 want("right", "kept", "device-changed", "changed exact")])
scenario("two-claims-two-displays", "two claims would leave the host without a display",
         devices="1c.0/00.0=vga+hda 1d.0/00.0=vga+hda", conf=BOTH,
         outcome="partial", reason="last-display",
         expect=[want("left", "claimed"), want("right", "kept", "last-display")])

# ---- no IOMMU

kept("iommu-none", "no IOMMU", "iommu-inactive", machine="none")
kept("iommu-none-ovmf", "no IOMMU, UEFI firmware", "iommu-inactive", machine="none",
     firmware="ovmf", long=True)
kept("iommu-virtio", "an IOMMU that this kernel makes no groups for", "iommu-inactive",
     machine="virtio-iommu")
kept("iommu-off-intel", "Intel's IOMMU, off in the kernel", "iommu-inactive",
     cmdline="intel_iommu=off", detail="intel_iommu=on")
kept("iommu-off-amd", "AMD's IOMMU, off in the kernel", "iommu-inactive", machine="amd",
     cmdline="amd_iommu=off", detail="remove amd_iommu=off")
# Debian's kernel does not have the mode, so what sysfs would show is put there.
NO_IOMMU_MODE = """modprobe vfio
mount -t tmpfs none /sys/module/vfio
mkdir /sys/module/vfio/parameters
echo Y >/sys/module/vfio/parameters/enable_unsafe_noiommu_mode
"""
kept("no-iommu-mode", "vfio in no-IOMMU mode, no IOMMU", "no-iommu-mode", machine="none",
     early=NO_IOMMU_MODE)
kept("no-iommu-mode-intel", "vfio in no-IOMMU mode, though there is an IOMMU",
     "no-iommu-mode", early=NO_IOMMU_MODE)
kept("no-iommu-mode-asked", "a command line that asks for no-IOMMU mode, no IOMMU",
     "iommu-inactive", machine="none", cmdline="vfio.enable_unsafe_noiommu_mode=1", long=True)
taken("no-iommu-mode-dropped", "such an option does not reach vfio when we load it",
      cmdline="vfio.enable_unsafe_noiommu_mode=1")

# ---- identity

taken("renumbered", "another card before it: same path, other bus",
      devices="01.0=vga 03.0/00.0=nvme,serial=1 1c.0/00.0=vga+hda 1d.0/00.0=vga+hda")
kept("absent", "the card is not in the machine", "device-absent", "absent",
     devices="01.0=vga 1d.0/00.0=cirrus")
kept("absent-others", "the card is not in the machine, two of its kind are",
     "device-ambiguous", "ambiguous absent", devices="01.0=vga 1d.0/00.0=vga+hda")
kept("audio-absent", "the card is there, its audio is not", "device-absent",
     "exact absent", devices="01.0=vga 1c.0/00.0=vga 1d.0/00.0=cirrus")
kept("changed", "another card in its slot", "device-changed", "changed exact",
     devices="01.0=vga 1c.0/00.0=cirrus+hda 1d.0/00.0=vga", detail="1013:00b8")
kept("changed-subsystem", "the same chip of another maker in its slot", "device-changed",
     "changed exact",
     conf=[claim("gaming", "01:00.0 1c.0/00.0 vga subsystem=1043:87c1", FIRST[1])], long=True)

UNIQUE = [claim("gaming", *(line.replace("01:", "07:").replace("1c.0", "1b.0")
                            + " unique=yes" for line in FIRST))]
taken("moved", "in another slot, and the only one of its kind", "moved", conf=UNIQUE,
      devices="01.0=cirrus 1c.0/00.0=vga+hda", vfio="1c.0/00.0 1c.0/00.1",
      warnings=["device-moved"] * 2)
kept("moved-unproven", "in another slot, but not known to be unique", "device-absent",
     "absent", devices="01.0=cirrus 1d.0/00.0=vga+hda")
kept("moved-ambiguous", "in another slot, and a second one of its kind",
     "device-ambiguous", "ambiguous", conf=UNIQUE)

# A network card stands for a GPU here: it is QEMU's endpoint with a serial number.
NIC = "e1000e,mac=52:54:00:aa:bb:%02x"
BY_SERIAL = [claim("gaming", "07:00.0 1b.0/00.0 e1000e serial=52-54-00-ff-ff-aa-bb-02")]
taken("moved-serial", "in another slot beside a twin, known by its serial number", "moved",
      devices=f"01.0=vga 1c.0/00.0={NIC % 1} 1d.0/00.0={NIC % 2}", conf=BY_SERIAL,
      vfio="1d.0/00.0", warnings=["device-moved"])
kept("changed-serial", "its twin with another serial number in its slot", "device-changed",
     "changed", devices=f"01.0=vga 1b.0/00.0={NIC % 1}", conf=BY_SERIAL,
     detail="525400ffffaabb01")

# ---- groups, bridges, drivers

kept("group-shared", "behind a PCI bridge with a device that no claim names",
     "group-not-viable",
     devices="01.0=vga 1c.0/00.0=bridge 1c.0/00.0/01.0=vga 1c.0/00.0/02.0=hda",
     conf=[claim("gaming", "02:01.0 1c.0/00.0/01.0 vga")], detail="0000:02:02.0")
kept("group-driver-to-come", "its audio is not claimed and will get a driver",
     "group-not-viable", conf=[claim("gaming", FIRST[0])], detail="0000:01:00.1")
kept("group-driver-bound", "its audio is not claimed and has a driver", "group-not-viable",
     conf=[claim("gaming", FIRST[0])], early="modprobe snd_hda_intel",
     detail="0000:01:00.1, which is held by snd_hda_intel")
kept("bridge", "a claim that names a root port", "not-an-endpoint",
     conf=[claim("gaming", "00:1c.0 1c.0 port subsystem=1b36:0000", *FIRST)])

XHCI = {"devices": "01.0=vga 1c.0/00.0=vga+hda+xhci",
        "conf": [claim("gaming", *FIRST, "01:00.2 1c.0/00.2 xhci")]}
taken("xhci", "a card with a USB controller", **XHCI)
taken("xhci-bound-first", "its USB controller has a driver already", **XHCI,
      early="modprobe xhci_pci; modprobe xhci_hcd")
taken("all-bound-first", "every function has a driver already", **XHCI,
      early="modprobe -a bochs snd_hda_intel xhci_pci")
kept("xhci-bound-first-kept", "its USB controller has a driver and keeps it",
     "module-unavailable", **XHCI,
     early="modprobe xhci_pci; rm /usr/lib/modules/*/kernel/drivers/vfio/pci/vfio-pci.ko*")
kept("xhci-bound-first-dry-run", "nothing is let go for a dry run", "dry-run", **XHCI,
     early="modprobe xhci_pci", cmdline="vfio_claim=dry-run", long=True)
kept("virtual-functions", "a function with virtual functions, which vfio-pci refuses",
     "bind-failed",
     devices="01.0=vga 1c.0/00.0=nvme,serial=1,subsys=subsystem,sriov_max_vfs=1,"
             "sriov_vi_flexible=1,sriov_vq_flexible=2,max_ioqpairs=4,msix_qsize=4",
     extra=["-device", "nvme-subsys,id=subsystem"],
     conf=[claim("gaming", "01:00.0 1c.0/00.0 nvme")],
     early="modprobe nvme; sleep 1; echo 1 >/sys/bus/pci/devices/0000:01:00.0/sriov_numvfs")

# ---- what is set before binding. A network card and a disk stand for a GPU: they can sleep.

taken("settings", "one sleeps and one does not, and each is reset as it is told",
      devices="01.0=vga 1c.0/00.0=e1000e 1d.0/00.0=nvme,serial=1",
      conf=[claim("gaming", "01:00.0 1c.0/00.0 e1000e idle=d3hot reset=bus",
                  "02:00.0 1d.0/00.0 nvme reset=flr"), "idle = on", "vga = no"],
      settings={"1c.0/00.0": {"reset_method": "bus", "d3cold_allowed": "0",
                              "power/control": "auto", "power/runtime_status": "suspended",
                              "power_state": "D3hot"},
                "1d.0/00.0": {"reset_method": "flr", "power/control": "on",
                              "power/runtime_status": "active", "power_state": "D0"},
                "vfio-pci": {"disable_vga": "Y", "disable_idle_d3": "N"}})
# QEMU 7.2 emulates no resizable BAR.
taken("settings-refused", "a card that offers nothing of it is claimed as it is",
      conf=[*GAMING, "rebar = 0:1G", "reset = flr,bus", "idle = d3hot"],
      warnings=["rebar-refused"] + ["reset-refused", "idle-refused"] * 2)

# ---- displays

ONLY = "1c.0/00.0=vga+hda"
kept("only-display", "the machine's only display", "last-display", devices=ONLY)
kept("only-display-allowed", "allowed, but no record could bring it back",
     "record-unavailable", devices=ONLY, conf=["[host]", "require-display = no", *GAMING])
taken("only-display-no-record", "allowed, and no record wanted", devices=ONLY,
      conf=["[host]", "require-display = no", "record = none", *GAMING])
taken("only-display-ovmf", "the same with the firmware's picture on it", devices=ONLY,
      firmware="ovmf", conf=["[host]", "require-display = no", "record = none", *GAMING])
taken("boot-display-ovmf", "the card with the firmware's picture; another one stays",
      firmware="ovmf", conf=GAMING, devices="1c.0/00.0=vga+hda 1d.0/00.0=cirrus")

# ---- modules

kept("module-missing", "no vfio-pci in the image", "module-unavailable",
     early="rm /usr/lib/modules/*/kernel/drivers/vfio/pci/vfio-pci.ko*")
kept("module-corrupt", "a vfio-pci that does not load", "module-unavailable",
     files={"usr/lib/modules/%RELEASE%/kernel/drivers/vfio/pci/vfio-pci.ko": "garbage\n"})
kept("modules-missing", "no modules in the image at all", "module-unavailable",
     early="modprobe -a bochs snd_hda_intel; rm -r /usr/lib/modules/*")

# ---- off

for word in ("vfio_claim=off", "single", "emergency", "systemd.unit=rescue.target"):
    kept("off-" + word.rpartition("=")[2].replace(".target", ""),
         f"{word} on the command line", "off", cmdline=word,
         long=word not in ("vfio_claim=off", "single"))
kept("off-wins", "off wins over on", "off", cmdline="vfio_claim=off vfio_claim=gaming", long=True)
scenario("off-broken", "off with a broken configuration", devices=TWINS, conf="nonsense\n",
         cmdline="vfio_claim=off", outcome="kept", reason="off", expect=[])
kept("dry-run", "all is looked at, nothing is done", "dry-run", cmdline="vfio_claim=dry-run")
kept("dry-run-none", "a dry run without an IOMMU", "iommu-inactive", machine="none",
     cmdline="vfio_claim=dry-run", long=True)
kept("cmdline-bad", "vfio_claim= without a value", "config-error", cmdline="vfio_claim=", long=True)

# ---- configuration

GOOD = GAMING[0].text()
FUNCTION = "function = 0000:01:00.0 path=%s id=1234:1111 subsystem=1af4:1100 class=030000\n"
config_error("conf-none", "no configuration", ": no such file", None)
kept("conf-empty", "an empty configuration", "config-error", conf="", expect=[],
     detail="no [claim]", long=True)
config_error("conf-nonsense", "a configuration that is none", ": not a text file",
             "\0\1\2\377 nonsense\n", long=True)
config_error("conf-unknown-key", "a good claim, and a key that does not exist",
             ":2: unknown key", "[host]\nrequire-displays = yes\n" + GOOD)
config_error("conf-half-line", "a function without its path", ":2: a function line needs path=",
             "[claim gaming]\nfunction = 0000:01:00.0 id=1234:1111\n", long=True)
config_error("conf-twice", "two claims of one name", ":4: a second claim of this name",
             GOOD + GOOD, long=True)
config_error("conf-65-claims", "more claims than allowed", ":129: more than 64 claims", "".join(
    f"[claim c{n}]\n" + FUNCTION % f"0000:00:1c.0/{n // 8:02x}.{n % 8}" for n in range(65)),
             long=True)
config_error("conf-257-functions", "more functions than allowed", ":258: more than 256 functions",
             "[claim gaming]\n" + "".join(
                 FUNCTION % f"0000:00:1c.0/{n // 8 % 32:02x}.{n % 8}/{n // 256:02x}.0"
                 for n in range(257)), long=True)
config_error("conf-one-megabyte", "a huge configuration", ": larger than 128 KiB",
             GOOD + "# and so on\n" * 90000)
config_error("conf-world-writable", "a configuration that anybody may write",
             ": must not be writable", GAMING, conf_mode=0o100666)
config_error("conf-not-root", "a configuration that is not root's", ": must belong to root",
             GAMING, conf_uid=1000, long=True)
scenario("conf-64-claims", "as many claims and functions as allowed, one of them real",
         devices=TWINS,
         conf=[*GAMING, *(claim(f"c{n}", *(f"09:00.0 {0x10 + n // 32:02x}.0/{n % 32:02x}.{f} qxl"
                                           for f in range(4 if n < 63 else 6)))
                          for n in range(1, 64))],
         outcome="partial", reason="device-absent",
         expect=[want("gaming", "claimed"),
                 *(want(f"c{n}", "kept", "device-absent", "absent") for n in range(1, 64))])

# ---- the other generators. Their images force a GPU's driver, as their owners can.

DISK = {"06.0": "virtio-pci"}
SHAPES = ["twins-intel", "module-missing"]
SHAPELESS = ["class-0380", "iommu-off-intel", "off-off", "only-display"]


def late(unit, seconds=3):
    """Files that let it start late: whoever could come first has the time for it."""
    folder = f"etc/systemd/system/{unit}.service.d/"
    return {folder: "", f"{folder}late.conf": f"[Service]\nExecStartPre=/bin/sleep {seconds}\n"}


def everywhere(prefix, generator, long=False):
    """What is booted with each generator; with `long` its other shape has had the most of it."""
    again(SHAPES, prefix, generator=generator)
    again(SHAPELESS, prefix, generator=generator, long=long)


def plugged(prefix, generator):
    """What is plugged in while such an image runs, at first before its drivers are there."""
    again(["late-card"], prefix, generator=generator, late=[UNLOAD, PLUG])
    again(["late-card-no-iommu"], prefix, generator=generator, long="busybox" not in generator)
    again(["late-again"], prefix, generator=generator, long=True)


everywhere("trixie-initramfs-tools", "initramfs-tools trixie")
again(["settings"], "trixie-initramfs-tools", generator="initramfs-tools trixie")
again(["settings"], "sid-dracut-shell", generator="dracut sid shell")
for suite in ("bookworm", "trixie", "sid"):
    again(["twins-intel"], f"{suite}-dracut-systemd-slow", generator=f"dracut {suite} systemd",
          files=late("vfio-claim-start"))
    for init in ("systemd", "shell"):
        everywhere(f"{suite}-dracut-{init}", f"dracut {suite} {init}", init == "shell")
        again(["twins-intel"], f"{suite}-dracut-{init}-counted",
              generator=f"dracut {suite} {init}", counted=True, drivers=DISK)
for init in ("systemd", "shell"):
    plugged(f"trixie-dracut-{init}", f"dracut trixie {init}")
    again(["twins-intel"], f"trixie-dracut-{init}-luks", generator=f"dracut trixie {init} crypt",
          counted=True, luks=True, drivers={**DISK, "07.0": "virtio-pci"},
          files=late("vfio-claim-settle", 10))
again(["twins-intel"], "mkinitcpio-systemd-slow", generator="mkinitcpio systemd",
      files=late("vfio-claim-start"))
for shape in ("busybox", "systemd"):
    everywhere(f"mkinitcpio-{shape}", f"mkinitcpio {shape}", shape == "systemd")
    plugged(f"mkinitcpio-{shape}", f"mkinitcpio {shape}")
    again(["twins-intel"], f"mkinitcpio-{shape}-counted", generator=f"mkinitcpio {shape}",
          counted=True, drivers=DISK)
