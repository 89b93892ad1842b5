#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Writes what this host has, for state.py: what a guest took must be back when it is gone. One
# process per kind of fact, because a fork is dear under emulation.
export LC_ALL=C
cd /sys/bus/pci/devices || exit

echo "== drivers"
find ./*/driver ./*/iommu_group -prune -printf '%p %l\n' 2>/dev/null
echo "== overrides"
grep . -- */driver_override
echo "== modules"
cut -d ' ' -f 1 /proc/modules
echo "== mounts"
cat /proc/mounts
echo "== processes"
readlink /proc/[0-9]*/exe
echo "== libvirtd"
find "/proc/$(pidof libvirtd)/fd" -type l -printf '%l\n' | sed 's/\[.*//'
echo "== vfio"
find /proc/[0-9]*/fd -lname '*vfio*' -printf '%p %l\n' 2>/dev/null
echo "== devices"
stat -c '%n %a %U %G' /dev/kvm /dev/vfio/*
echo "== files"
# a guest keeps its firmware's variables and its TPM
find /run/libvirt /var/lib/libvirt /tmp -path '*/nvram/*' -o -path '/var/lib/libvirt/swtpm*' \
	-o -printf '%p %m %u %g\n'
echo "== cgroups"
find /sys/fs/cgroup -type d -name '*machine*'
echo "== locked"
# what a guest's memory could be
grep -E '^(Mlocked|Unevictable|HugePages_.*|Hugetlb):' /proc/meminfo
echo "== domains"
virsh list --all --name
echo "== memory"
sync
echo 3 >/proc/sys/vm/drop_caches
grep MemAvailable /proc/meminfo
echo "== end"
