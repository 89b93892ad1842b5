#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes what facts.sh does not: the system's side of a boot. For facts.py, too.
units="vfio-claim-confirm.service vfio-claim-trial.service"
echo "== cmdline"
cat /proc/cmdline
echo "== confirm"
cat /run/vfio-claim/confirm.json
echo
echo "== status"
vfio-claim status
echo "exit $?"
echo "== status-json"
vfio-claim status --json
echo
echo "== units"
# shellcheck disable=SC2086 # a list
systemctl show -p Id -p LoadState -p ActiveState -p SubState -p Result -p ExecMainStatus \
	boot-complete.target $units
echo "== journal"
# shellcheck disable=SC2046,SC2086 # a list
journalctl -b --no-pager -o cat $(printf ' -u %s' $units)
echo "== motd"
cat /run/motd.d/* 2>/dev/null
echo "== store"
# what a write would change: bytes, times, and the file behind the name
find /boot -xdev -name 'vfio-claim.*' -exec stat -c '%n %i %s %y %z' {} + \
	-exec sha256sum {} + 2>/dev/null
findmnt -n -l -o TARGET,SOURCE,OPTIONS | grep /boot
ls -l /sys/firmware/efi/efivars/Vfio* 2>/dev/null
echo "== failed"
systemctl --failed --no-legend --plain
echo "== over"
