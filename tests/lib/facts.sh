#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes what this machine looks like, for facts.py. Runs in initramfs and host alike.
# One process per kind of fact, because a fork is dear under emulation.
cd /sys/bus/pci/devices || exit

# Firmware may have left half a line.
echo
echo "== cmdline"
cat /proc/cmdline
echo "== uptime"
cat /proc/uptime
echo "== functions"
ls -ld -- *
echo "== links"
ls -ld -- */driver */iommu_group 2>/dev/null
echo "== overrides"
grep . -- */driver_override
echo "== settings"
grep . -- */reset_method */d3cold_allowed */power_state */power/control \
	*/power/runtime_status /sys/module/vfio_pci/parameters/* 2>/dev/null
echo "== uevents"
grep . -- */uevent
echo "== modules"
cat /proc/modules
echo "== framebuffers"
grep -E 'efifb|vesafb|BOOTFB|simple' /proc/iomem
echo "== log"
dmesg
echo "== report-file"
ls -l /run/vfio-claim /run/vfio-claim/
echo "== report"
cat /run/vfio-claim/report.json
echo
echo "== end"
