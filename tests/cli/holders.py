# SPDX-License-Identifier: GPL-2.0-or-later
"""Who holds a claim's functions, as `vfio-claim claim` and `release` see it in a /proc below
build/cli/root/: links and device numbers, which only root can make."""

import os
import signal
import stat
import subprocess
import threading

from host import CONF, FAR, NEAR, answer, host, same, whole
from installer import COMMAND, command, content, put, says
from release import MINE, on_vfio
from start import REPORT, ROOT, check, execute

CARD, RENDER, HOST_CARD, SOUND = (226, 1), (226, 129), (226, 0), (116, 7)


def above(address):
    """Where sysfs has the function, as links in sys/dev write it."""
    return os.readlink(f"{ROOT}/sys/bus/pci/devices/{address}").partition("/devices/")[2]


def node(path, number, address=None, kind="char", part="drm/x"):
    """A device node, and what sysfs knows of it."""
    os.makedirs(os.path.dirname(f"{ROOT}/{path}"), exist_ok=True)
    mode = stat.S_IFCHR if kind == "char" else stat.S_IFBLK
    os.mknod(f"{ROOT}/{path}", mode | 0o600, os.makedev(*number))
    if address:
        os.makedirs(f"{ROOT}/sys/dev/{kind}", exist_ok=True)
        os.symlink(f"../../devices/{above(address)}/{part}",
                   f"{ROOT}/sys/dev/{kind}/{number[0]}:{number[1]}")


def process(pid, comm, *targets, words=(), maps=""):
    put(f"{ROOT}/proc/{pid}/comm", f"{comm}\n")
    put(f"{ROOT}/proc/{pid}/cmdline", "".join(f"{word}\0" for word in (words or [comm])))
    put(f"{ROOT}/proc/{pid}/maps", maps)
    os.makedirs(f"{ROOT}/proc/{pid}/fd")
    for number, target in enumerate(("/dev/null", "/var/log/x", "socket:[1]") + targets):
        os.symlink(target, f"{ROOT}/proc/{pid}/fd/{number}")


def ends_process(pid):
    for number in os.listdir(f"{ROOT}/proc/{pid}/fd"):
        os.unlink(f"{ROOT}/proc/{pid}/fd/{number}")


def desk(driver="amdgpu", change=lambda machine: None):
    """The far card is the host's, with its nodes; so is the near one."""
    def change_all(machine):
        machine.get(FAR[0]).driver = driver
        machine.get(FAR[1]).driver = "snd_hda_intel"
        change(machine)

    host(conf=MINE, change=change_all)
    node("dev/null", (1, 3))
    node("dev/dri/card0", HOST_CARD, NEAR[0])
    node("dev/dri/card1", CARD, FAR[0])
    node("dev/dri/renderD129", RENDER, FAR[0])
    node("dev/snd/controlC1", SOUND, FAR[1], part="sound/card1/controlC1")
    process(1, "systemd", "/dev/kmsg")
    process(20, "steady", "/dev/dri/card0")


def holders(*words, name="claim", outcome="in-use", status=1):
    """Those that are told to scripts; nothing is written."""
    before = whole()
    done = command(name, "mine", "--dry-run", "--json", *words)
    said = answer(done)
    check(done.returncode == status and said["outcome"] == outcome, f"{done}")
    same(before)
    return said


def told(said):
    return [(h["pid"], h["command"], h["role"], h["guest"], h["holds"])
            for h in said["holders"]]


def equal(found, wanted):
    check(found == wanted, f"{found}, not {wanted}")


def holders_of_a_desktop():
    """By process, with what it is; for people in a sentence, with what to do."""
    desk()
    process(812, "Xorg", "/dev/dri/card1", "/dev/dri/card0", "/dev/dri/renderD129")
    process(900, "wireplumber", "/dev/snd/controlC1", "/dev/snd/controlC1")
    process(901, "evil\x1bname", "/dev/dri/card1")
    said = holders()
    equal(told(said), [(812, "Xorg", "desktop", None, "/dev/dri/card1"),
                       (812, "Xorg", "desktop", None, "/dev/dri/renderD129"),
                       (900, "wireplumber", "sound", None, "/dev/snd/controlC1"),
                       (901, "evil?name", None, None, "/dev/dri/card1")])
    equal((said["unseen"], said["more_holders"]), (0, 0))
    before = whole()
    for more in ([], ["--dry-run"]):
        says(command("claim", "mine", *more), 1, "mine is in use: Xorg (pid 812, desktop) has "
             "/dev/dri/card1, /dev/dri/renderD129 open; wireplumber (pid 900, sound) has",
             "log out of the desktop", "stop the sound server", "--when-free")
    same(before)


def holders_by_a_mapping():
    """What is closed and still mapped; below map_files there are no leading zeros."""
    desk()
    process(70, "mapper", maps="00400000-00401000 r--p 00000000 08:01 5 /usr/bin/mapper\n"
            "0000f000-00010000 rw-s 00000000 00:06 321                      /dev/dri/card1\n"
            "7f00-7f01 rw-p 00000000 00:00 0 [heap]\n")
    equal(told(holders()), [(70, "mapper", None, None, "/dev/dri/card1")])
    process(71, "other", maps="f000-10000 rw-s 00000000 00:06 321  /dev/elsewhere\n")
    os.makedirs(f"{ROOT}/proc/71/map_files")
    os.symlink("/dev/dri/card1", f"{ROOT}/proc/71/map_files/f000-10000")
    equal(len(told(holders())), 2)


def holders_in_another_name_space():
    """It is the number of the device that counts, not its name."""
    desk()
    node("dev/other/gpu", CARD)
    node("dev/dri/card7", (226, 7))
    process(70, "container", "/dev/other/gpu")
    process(71, "nobody", "/dev/dri/card7", "/dev/dri/none")
    equal(told(holders()), [(70, "container", None, None, "/dev/other/gpu")])


def nvidia_gpu(address, number):
    put(f"{ROOT}/proc/driver/nvidia/gpus/{address}/information",
        f"Model: \t\t GeForce\nDevice Minor: \t {number}\nGPU Excluded:\t No\n")


def holders_by_nvidia():
    """Its nodes are not in sysfs: a number is a card's, the others are everybody's."""
    desk("nvidia")
    process(70, "cuda", "/dev/nvidia0", "/dev/nvidia12")
    equal(len(told(holders())), 2)         # which card that is, is not known
    nvidia_gpu(FAR[0], 1)
    nvidia_gpu(NEAR[0], 0)
    holders(outcome="done", status=0)
    process(71, "nvidia-persiste", "/dev/nvidia1", "/dev/nvidiactl", "/dev/nvidia-uvm")
    equal(told(holders()), [(71, "nvidia-persiste", "daemon", None, f"/dev/nvidia{n}")
                            for n in ("1", "ctl", "-uvm")])
    says(command("claim", "mine"), 1, "systemctl stop nvidia-persistenced")
    desk("nouveau")
    process(70, "cuda", "/dev/nvidia0", "/dev/nvidiactl")
    holders(outcome="done", status=0)


def holders_in_the_kernel():
    """nvidia waits for nvidia_drm; the others let go, and it is only said."""
    desk("nvidia")
    os.makedirs(f"{ROOT}/sys/bus/pci/devices/{FAR[0]}/drm/card1")
    said = holders()
    equal([(h["pid"], "modprobe -r nvidia_drm" in h["holds"]) for h in said["holders"]],
          [(None, True)])
    desk()
    process(70, "rocm", "/dev/kfd")
    equal(told(holders()), [(70, "rocm", None, None, "/dev/kfd")])
    ends_process(70)
    device = f"{ROOT}/sys/bus/pci/devices/{FAR[0]}"
    os.makedirs(f"{device}/drm/card1")
    os.makedirs(f"{device}/graphics/fb0")
    put(f"{device}/power/runtime_status", "suspended\n")
    put(f"{ROOT}/sys/module/amdgpu/refcnt", "17\n")
    put(f"{ROOT}/sys/bus/pci/drivers/amdgpu/bind", "")
    os.symlink("../../../../module/amdgpu", f"{ROOT}/sys/bus/pci/drivers/amdgpu/module")
    said = holders(outcome="done", status=0)
    equal(said["holders"], [])
    equal(said["notes"], [f"{FAR[0]}: users of the module amdgpu: 17",
                          f"{FAR[0]}: the text console may be on it, and leaves it then",
                          f"{FAR[0]}: it sleeps, and is woken for that"])
    says(command("claim", "mine", "--dry-run"), 0, "it sleeps, and is woken", "would claim mine")


def holders_that_are_guests():
    """Of what vfio-pci has: the group, or the device; with the guest's name."""
    host(conf=MINE, change=on_vfio(*FAR))
    os.makedirs(f"{ROOT}/sys/bus/pci/devices/{FAR[1]}/vfio-dev/vfio3")
    process(50, "qemu-system-x86", "/dev/vfio/vfio", "/dev/vfio/21",
            words=["/usr/bin/qemu-system-x86_64", "-name", "guest=win,debug-threads=on"])
    process(51, "qemu-kvm", "/dev/vfio/devices/vfio3", words=["qemu-kvm", "-name", "old"])
    process(52, "qemu-system-x86", "/dev/vfio/19", "/dev/vfio/devices/vfio4")
    process(53, "other", "/dev/vfio/22", words=["other", "-name"])
    equal(told(holders(name="release")), [
        (50, "qemu-system-x86", "guest", "win", "/dev/vfio/21"),
        (51, "qemu-kvm", "guest", "old", "/dev/vfio/devices/vfio3"),
        (53, "other", None, None, "/dev/vfio/22")])
    before = whole()
    says(command("release", "mine"), 1, "qemu-system-x86 (pid 50, guest win) has /dev/vfio/21",
         "shut the guest down", "NOT given back")
    same(before)


def holders_of_what_came_since_the_boot():
    """A guest has the audio, which the boot has not seen."""
    def without_audio(machine):
        on_vfio(FAR[0])(machine)
        machine.drop(FAR[1])

    late = MINE.rstrip("\n") + " optional=yes\n"
    host(conf=late, change=without_audio)
    os.chmod(CONF, 0o644)
    os.makedirs(f"{ROOT}/sys/firmware/efi/efivars")
    check(execute("start", "--root", ROOT).returncode == 0, "start")
    booted = content(REPORT)
    check(b'"claimed"' in booted, f"{booted}")
    host(conf=late, change=on_vfio(*FAR))
    put(REPORT, booted)
    process(53, "other", "/dev/vfio/22")
    equal(told(holders(name="release")), [(53, "other", None, None, "/dev/vfio/22")])


def holders_that_are_many():
    desk()
    for pid in range(100, 140):
        process(pid, f"p{pid}", "/dev/dri/card1")
    said = holders()
    equal((len(said["holders"]), said["more_holders"]), (32, 8))
    done = command("claim", "mine")
    says(done, 1, "; and others")
    check(done.stderr.count("(pid") == 4 and len(done.stderr) < 1024, f"{done.stderr}")


def holders_that_cannot_be_looked_at():
    """In doubt there is one; a dry run only says so."""
    desk()
    process(70, "hidden", "/dev/dri/card1")
    os.unlink(f"{ROOT}/proc/70/maps")
    os.mkdir(f"{ROOT}/proc/70/maps")       # cannot be read as a file
    ends_process(70)
    before = whole()
    said = answer(command("claim", "mine", "--dry-run", "--json"))
    equal((said["outcome"], said["unseen"]), ("done", 1))
    check("unless one of the 1 processes" in said["detail"], f"{said}")
    says(command("claim", "mine"), 1, "1 processes cannot be looked at")
    same(before)


def waiting(*words):
    """It waits: the process, and the lines that it says on stderr."""
    # pylint: disable=consider-using-with
    child = subprocess.Popen([COMMAND, *words, "--root", ROOT], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    guard = threading.Timer(60, child.kill)
    guard.start()
    return child, guard


def when_free_waits_and_tells():
    """Each time that it is somebody else; then it is done."""
    for more in ([], ["--json"]):
        desk()
        process(70, "first", "/dev/dri/card1")
        child, guard = waiting("claim", "mine", "--when-free", *more)
        line = child.stderr.readline()
        check("waiting: first (pid 70) has /dev/dri/card1 open" in line, f"{line!r}")
        process(71, "second", "/dev/dri/renderD129")
        ends_process(70)
        while "second (pid 71)" not in line:
            check(line and child.poll() is None, f"it does not wait for the second: {line!r}")
            line = child.stderr.readline()
        check(written_nothing(), "something is written while it waits")
        ends_process(71)
        out, errors = child.communicate()
        guard.cancel()
        # nobody binds here
        check(child.returncode == 1 and "bind-failed" in (out + errors), f"{out} {errors}")
        check("waiting" not in errors, f"{errors!r}")
        check(not more or out.lstrip().startswith("{"), f"{out!r}")


def written_nothing():
    return all(open(f"{ROOT}/sys/bus/pci/devices/{a}/driver_override", "rb").read() == b"(null)\n"
               for a in FAR)


def when_free_ends_on_request():
    """Ctrl-C, and a time: nothing is changed."""
    desk()
    process(70, "first", "/dev/dri/card1")
    before = whole()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        child, guard = waiting("claim", "mine", "--when-free", "--json")
        child.stderr.readline()
        child.send_signal(number)
        out, errors = child.communicate()
        guard.cancel()
        check(child.returncode == 1 and '"interrupted"' in out and "nothing was changed" in out,
              f"{child.returncode} {out} {errors}")
    done = command("claim", "mine", "--timeout", "1", "--json")
    said = answer(done)
    check((done.returncode, said["outcome"]) == (1, "in-use") and
          "still so after 1 s" in said["detail"] and said["holders"][0]["pid"] == 70, f"{said}")
    same(before)
    done = command("claim", "mine", "--when-free", "--dry-run")
    says(done, 0, "first (pid 70)", "would be waited for")
    for words in (["--timeout", "0"], ["--timeout", "x"], ["--timeout", "1s"]):
        says(command("claim", "mine", *words), 2, "--timeout")
    says(command("claim", "nobody", "--when-free"), 1, "no claim nobody")
    same(before)


def when_free_releases():
    host(conf=MINE, change=on_vfio(*FAR))
    process(50, "qemu-system-x86", "/dev/vfio/21",
            words=["qemu-system-x86_64", "-name", "guest=win"])
    child, guard = waiting("release", "mine", "--when-free")
    line = child.stderr.readline()
    check("waiting: qemu-system-x86 (pid 50, guest win)" in line, f"{line!r}")
    ends_process(50)
    _, errors = child.communicate()
    guard.cancel()
    # nothing lets go here
    check(child.returncode == 1 and "NOT given back" in errors, f"{errors!r}")


def can_make_nodes():
    try:
        os.makedirs(ROOT, exist_ok=True)
        os.mknod(f"{ROOT}/probe", stat.S_IFCHR | 0o600, os.makedev(1, 3))
        os.unlink(f"{ROOT}/probe")
    except PermissionError:
        return False
    return True


CASES = [holders_that_are_guests, holders_of_what_came_since_the_boot, when_free_releases]
if can_make_nodes():
    CASES += [holders_of_a_desktop, holders_by_a_mapping, holders_in_another_name_space,
              holders_by_nvidia, holders_in_the_kernel, holders_that_are_many,
              holders_that_cannot_be_looked_at, when_free_waits_and_tells,
              when_free_ends_on_request]
