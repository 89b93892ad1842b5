# SPDX-License-Identifier: GPL-2.0-or-later
"""Brings two QEMU command lines, libvirt's and ours, into one form, and says how they differ.

The form has no ids: a device stands at its place ("pcie.0/02.3/00.1": function 1 of what is
plugged into the root port at 02.3), and what it refers to by an id stands in it. What libvirt
alone needs is left out, each with a reason here; everything else is compared.
"""
import collections
import json
import re

# option: why it does not count. The second ones have a value.
ALONE = {
    "-S": "libvirt starts the processors once everything is in place",
    "-no-shutdown": "libvirt looks at what the guest did before QEMU ends",
    "-daemonize": "libvirt has a daemon of its own",
}
WITH_VALUE = {
    "-mon": "libvirt speaks to QEMU there", "-monitor": "as a person does",
    "-qmp": "the same", "-chardev": "it stands in what refers to it",
    "-msg": "time stamps in libvirt's log", "-pidfile": "libvirt knows the process",
    "-vga": "none, as -nodefaults says",
    "-sandbox": "libvirt asks for it wherever QEMU can, its configuration decides",
}
MACHINE = {
    "usb": "false, as Q35 has it", "dump-guest-core": "libvirt's configuration decides",
    "memory-backend": "stands in memory", "pflash0": "stands in firmware",
    "pflash1": "stands in firmware", "accel": "stands in accel", "type": "stands in type",
}
SPICE = {
    "port": "libvirt chooses the next free one",
    "seamless-migration": "libvirt says it of every display",
}
OBJECTS = {
    "secret": "libvirt's key for passwords",
    "thread-context": "libvirt's threads that fill huge pages",
}
# what QEMU takes where nothing is said
DEFAULTS = {("VGA", "vgamem_mb"): 16}
# the mounts of libvirt.py
HUGE_PAGES = {"/run/huge": 2 << 20, "/run/huge-1G": 1 << 30}
# values that are texts, whatever they look like
TEXTS = {"guest", "file", "filename", "path", "mem-path", "romfile", "evdev", "server",
         "serial", "string", "host", "hostdevice", "drive", "id", "bus", "netdev", "memdev",
         "chardev", "audiodev", "iothread", "rng", "tpmdev", "node-name", "uuid", "name"}
IMPLIED = {"-machine": "type", "-cpu": "model", "-device": "driver", "-object": "qom-type",
           "-smp": "cpus", "-m": "size", "-netdev": "type", "-accel": "accel",
           "-chardev": "backend", "-tpmdev": "type", "-audiodev": "driver", "-name": "guest",
           "-fw_cfg": "name", "-uuid": "uuid", "-display": "type", "-drive": "file",
           "-vga": "type", "-boot": "order"}
NO_VALUE = {"-no-user-config", "-nodefaults", "-no-hpet", "-no-reboot", "-enable-kvm",
            "-nographic", *ALONE}
BOOLS = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}


def flat(value, prefix=""):
    """{"cache": {"direct": true}} -> {"cache.direct": True}"""
    result = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            result |= flat(inner, f"{prefix}{key}.")
        else:
            result[prefix + key] = inner
    return result


def size(text, unit=1):
    match = re.fullmatch(r"(\d+)([bkmgt]?)i?b?", str(text).lower())
    return int(match[1]) * (1024 ** "bkmgt".index(match[2]) if match[2] else unit)


def meaning(key, value):
    if key == "addr" and "." not in str(value)[4:]:     # hexadecimal; of SPICE it is the host
        slot, _, function = str(value).removeprefix("0x").partition(".")
        return f"{int(slot, 16):02x}.{int(function or '0', 16):x}"
    if key == "size":
        return size(value)
    if not isinstance(value, str) or key.rpartition(".")[2] in TEXTS:
        return value
    if key == "mac":
        return value.lower()
    if value in BOOLS:
        return BOOLS[value]
    if re.fullmatch(r"0x[0-9a-f]+|\d+", value):
        return int(value, 16 if value.startswith("0x") else 10)
    return value


def options(option, text):
    """A dictionary of an option's value, in JSON or as QEMU's own list."""
    if text.startswith("{"):
        found = flat(json.loads(text))
    else:
        found = {}
        for number, part in enumerate(re.findall("(?:[^,]|,,)+", text)):
            part = part.replace(",,", ",")
            key, equals, value = part.partition("=")
            if not number and option in IMPLIED and not equals:
                key, value = IMPLIED[option], part
            elif not equals:
                value = "on"
            if option == "-cpu" and key[0] in "+-":
                key, value = key[1:], "on" if key[0] == "+" else "off"
            found[key] = value
    if option in ("-machine", "-cpu"):      # QEMU takes both
        found = {key.replace("_", "-"): value for key, value in found.items()}
    if option == "-m":
        found["size"] = size(found["size"], 1 << 20)
    return {key: meaning(key, value) for key, value in found.items()}


class Line:
    """A command line, as lists of dictionaries by option."""

    def __init__(self, words):
        self.given = collections.defaultdict(list)
        words = iter(words[1:])
        for word in words:
            word = "-" + word.lstrip("-")
            self.given[word].append({} if word in NO_VALUE else options(word, next(words)))
        self.objects = {o["id"]: o for o in self.given.pop("-object", [])}
        self.chardevs = {o["id"]: o for o in self.given["-chardev"]}
        self.nodes = {o["node-name"]: o for o in self.given.pop("-blockdev", [])}
        self.drives = {}
        self.flash = {}
        for drive in self.given.pop("-drive", []):
            if drive.get("if") == "pflash":
                self.flash[drive.get("unit", len(self.flash))] = self._drive(drive)
            else:
                self.drives[drive.get("id")] = self._drive(drive)
        self.given["-device"] = self.given["-device"] or []
        self.devices = {d["id"]: d for d in self.given["-device"] if "id" in d}

    def one(self, option):
        """The value of an option, whose parts QEMU takes together."""
        value = {}
        for given in self.given.pop(option, []):
            if value.keys() & given.keys():
                raise ValueError(f"{option} says a thing twice: {given}")
            value |= given
        return value

    # ---- disks

    @staticmethod
    def _disk(path, *, form, device, readonly=False, direct=False, no_flush=False,
              aio="threads", discard=False, zeroes=False):
        return {"path": path, "format": form, "device": device, "readonly": bool(readonly),
                "direct": bool(direct), "no-flush": bool(no_flush), "aio": aio,
                "discard": discard in (True, "unmap"), "detect-zeroes": zeroes}

    def _drive(self, drive):
        cache = drive.get("cache", "writeback")
        return self._disk(drive["file"], form=drive.get("format"),
                          device=drive["file"].startswith("/dev/"),
                          readonly=drive.get("readonly"), direct=cache in ("none", "directsync"),
                          no_flush=cache == "unsafe", aio=drive.get("aio", "threads"),
                          discard=drive.get("discard"), zeroes=drive.get("detect-zeroes", False))

    def _node(self, name):
        """The storage below a format: cache and discard are the format's, for what stands at
        the storage libvirt sets everywhere."""
        node = self.nodes[name]
        storage = self.nodes.get(node.get("file")) or \
            {key[5:]: value for key, value in node.items() if key.startswith("file.")} or node
        return self._disk(storage["filename"], form=node["driver"] if storage is not node
                          else "raw", device=storage["driver"] == "host_device",
                          readonly=node.get("read-only"), direct=node.get("cache.direct"),
                          no_flush=node.get("cache.no-flush"),
                          aio=storage.get("aio", "threads"), discard=node.get("discard"),
                          zeroes=node.get("detect-zeroes", False))

    def disk(self, name):
        return self.drives[name] if name in self.drives else self._node(name)

    # ---- devices

    def place(self, device):
        bus, address = device.get("bus"), device.get("addr", "")
        if "port" in device and not device["driver"].startswith(("pcie-", "xio")):
            address = f"port {device['port']}"
        if bus is None and device["driver"].startswith("usb-"):
            bus = next((i for i, d in self.devices.items() if "xhci" in d["driver"]), None)
        above = self.devices.get(bus) or self.devices.get((bus or "").rpartition(".")[0])
        return f"{self.place(above) if above else bus}/{address}"

    def device(self, given):
        """A device with its place, and in it what it refers to."""
        result = {"place": self.place(given)}
        for key, value in given.items():
            if key in ("id", "bus", "addr") or key == "port" and "port" in result["place"]:
                continue
            if key == "drive":
                result |= {f"disk.{k}": v for k, v in self.disk(value).items()}
            elif key == "netdev":
                # libvirt makes a tap of every kind, for then it needs no network; what kind
                # it is stands in the XML and is compared there
                result[key] = value in {n["id"] for n in self.given["-netdev"]}
            elif key in ("memdev", "rng", "iothread"):
                result |= self._named(key, self.objects[value])
            elif key == "chardev":
                # a serial port ends at the terminal, with libvirt at virsh console
                if given["driver"] != "isa-serial":
                    result |= self._named(key, self.chardevs[value])
            elif key in ("audiodev", "tpmdev"):
                which = next(o for o in self.given["-" + key] if o["id"] == value)
                result |= self._named(key, which)
            elif key == "write-cache" and value is True or \
                    DEFAULTS.get((given["driver"], key)) == value:
                pass            # the cache is on wherever QEMU is not told otherwise
            elif key == "hostdevice":
                bus, number = value.split("/")[-2:]     # see libvirt.py: who, not where
                result |= {"vendorid": int(bus), "productid": int(number)}
            else:
                result[key] = value
        return result

    @staticmethod
    def _named(key, what):
        """Of a chardev only the kind counts: where libvirt listens is its own."""
        keys = {"backend", "name"} if key == "chardev" else set(what) - {"id", "chardev"}
        return {f"{key}.{k}": what[k] for k in keys if k in what}


def _memory(line, machine):
    """Of huge pages their size counts, not whether they come from a mount, as libvirt has
    them, or without a name."""
    backend = line.objects.pop(machine.get("memory-backend"), {})
    path, pages = backend.get("mem-path"), backend.get("hugetlb")
    if path:
        pages = HUGE_PAGES.get(path.split("/libvirt/")[0], path)
    elif pages:
        pages = size(backend["hugetlbsize"])
    nodes = backend.get("host-nodes")
    return {"size": line.one("-m").get("size"), "pages": pages,
            "share": bool(backend.get("share")),
            "prealloc": bool(backend.get("prealloc")),
            "nodes": nodes if isinstance(nodes, list) or nodes is None else [nodes],
            "policy": backend.get("policy")}


def _smp(line):
    smp = {"sockets": 1, "dies": 1, "clusters": 1, "cores": 1, "threads": 1, **line.one("-smp")}
    smp.setdefault("maxcpus", smp.get("cpus"))
    return smp


def _globals(line):
    found = []
    for given in line.given.pop("-global", []):
        if "driver" in given:
            found.append((given["driver"], given["property"], given["value"]))
        else:
            (name, value), = given.items()
            found.append((*name.rsplit(".", 1), value))
    return found


def _objects(line):
    """Those that no device refers to: evdev."""
    used = {device.get(key) for device in line.given["-device"]
            for key in ("memdev", "rng", "iothread")}
    return [{key: value for key, value in o.items() if key != "id"}
            for name, o in line.objects.items()
            if name not in used and o["qom-type"] not in OBJECTS]


def normal(words, machine="q35"):
    """The form of a command line. `machine`: what libvirt calls the newest Q35."""
    line = Line(words)
    board = line.one("-machine")
    accel = line.one("-accel") or {"accel": board.get("accel")}
    if "-enable-kvm" in line.given:
        accel = {"accel": "kvm"}
    hpet = "-no-hpet" not in line.given and board.pop("hpet", True)
    kind = board.get("type")
    cpu = line.one("-cpu")
    spice = line.one("-spice")
    flash = line.flash or {i: line.disk(board[f"pflash{i}"]) for i in (0, 1)
                           if f"pflash{i}" in board}
    form = {
        "type": "q35" if kind == machine else kind,
        "machine": {k: v for k, v in board.items() if k not in MACHINE},
        "accel": accel, "hpet": hpet, "cpu": cpu.pop("model", None), "cpu flags": cpu,
        "memory": _memory(line, board), "smp": _smp(line),
        "firmware": [{key: flash[i][key] for key in ("path", "format", "readonly")}
                     for i in sorted(flash)],
        "spice": {k: v for k, v in spice.items() if k not in SPICE},
        "globals": _globals(line),
        "devices": [line.device(given) for given in line.given["-device"]],
        "objects": _objects(line),
    }
    if spice or line.given.get("-display") == [{"type": "none"}]:
        line.given.pop("-display", None)        # QEMU opens no window then
    for option in ("-device", "-netdev", "-tpmdev", "-audiodev", "-no-hpet", "-enable-kvm",
                   *ALONE, *WITH_VALUE):
        line.given.pop(option, None)
    return form | {option: values for option, values in line.given.items() if values}


def networks(words):
    """The kinds of a command line's networks."""
    return [given["type"] for given in Line(words).given["-netdev"]]


# kind of interface: what it is without libvirt, whose networks a plain QEMU cannot join
PLAIN_NETWORK = {"network": "user", "user": "user", "bridge": "bridge"}


def same_type(form):
    """The form as it would be without KVM: see Connection.kvm."""
    swap = {"kvm": "tcg"}
    return form | {"accel": {k: swap.get(v, v) for k, v in form["accel"].items()},
                   "cpu": "max" if form["cpu"] == "host" else form["cpu"]}


def _items(value):
    """A list of what can be compared and counted."""
    if isinstance(value, dict):
        return [f"{key}={inner!r}" for key, inner in sorted(value.items())]
    if isinstance(value, list):
        return ["; ".join(_items(inner)) for inner in value]
    return [repr(value)]


def differences(ours, theirs):
    """Sentences, none if both forms say the same. Only of firmware the order counts: devices
    have places."""
    found = []
    for key in sorted(ours.keys() | theirs.keys()):
        mine, other = _items(ours.get(key, {})), _items(theirs.get(key, {}))
        if key == "firmware":
            mine, other = [" | ".join(mine)], [" | ".join(other)]
        left, right = collections.Counter(mine), collections.Counter(other)
        found += [f"{key}: only ours: {item}" for item in (left - right).elements()]
        found += [f"{key}: only libvirt's: {item}" for item in (right - left).elements()]
    return found
