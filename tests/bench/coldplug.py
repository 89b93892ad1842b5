# SPDX-License-Identifier: GPL-2.0-or-later
"""What udev's coldplug of many functions costs while a late arrival is awaited."""

import statistics

import boots
from machine import MODELS

RUNS = 3
CASE = "coldplug"
SLOTS = [f"{slot:02x}.0=" + "+".join(["testdev"] * 8) for slot in range(0x03, 0x0b)]
MARK = "/run/vfio-claim/awaited"
MODEL = MODELS["testdev"].id.upper()

# "program": udev starts one for each function, as for all before it asked for the model.
SCRIPT = f"""#!/bin/sh
stamp() {{ echo "bench: $*" >/dev/kmsg; }}
coldplug() {{
	udevadm trigger --subsystem-match=pci --action=add
	udevadm settle
}}
[ -e {MARK} ] || stamp nothing is awaited
coldplug
i=0
while [ $i -lt {RUNS} ]; do
	for kind in program awaited nothing; do
		rm -f {MARK} {MARK}.{MODEL}
		[ $kind = nothing ] || : >{MARK}
		[ $kind != program ] || : >{MARK}.{MODEL}
		stamp start $kind
		coldplug
		stamp end $kind
	done
	i=$((i + 1))
done
"""


def measure():
    """kind -> median of the guest's instructions for a coldplug, the kernel's included, and the
    number of functions."""
    boots.CASES[CASE] = ("intel", " ".join(["01.0=qxl", "1c.0=port", *SLOTS]), False)
    conf = "".join(f"{line} optional=yes\n" if line.startswith("function") else f"{line}\n"
                   for line in boots.CONF.splitlines())
    facts, _ = boots.boot(CASE, "ours", CASE, options=("-icount", "shift=0,sleep=off"),
                          files={"etc/vfio-claim.conf": conf, "test/late": SCRIPT})
    if any("nothing is awaited" in line for line in facts.log):
        raise OSError("nothing is awaited")
    times, _ = boots.durations(facts)
    return {kind: round(statistics.median(values) * 1000)
            for kind, values in times.items()}, len(facts.functions)
