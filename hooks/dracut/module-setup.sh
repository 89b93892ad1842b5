#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Puts vfio-claim into the image. Never fails: that would break a kernel upgrade.

CONF=/etc/vfio-claim.conf
EARLY=@LIBDIR@/vfio-claim-early
RULES=@UDEV_RULES_DIR@/60-vfio-claim.rules
# dracut --sysroot builds for another system
SYSTEM=${dracutsysrootdir-}

# called by dracut
check() {
	[[ -e $SYSTEM$CONF ]] || return 1
	[[ -x $SYSTEM$EARLY ]] && return 0
	dwarn "vfio-claim: $EARLY is missing: the host keeps its GPU"
	return 1
}

# called by dracut
depends() {
	return 0
}

# called by dracut
installkernel() {
	# efivarfs, and what the boot partition or the ESP needs, for the record
	hostonly='' instmods vfio-pci efivarfs ext4 xfs vfat nls_cp437 nls_ascii nls_iso8859-1 nls_utf8
	modprobe -q -n ${SYSTEM:+-d "$SYSTEM"} -S "${kernel:?}" vfio-pci ||
		dwarn "vfio-claim: kernel $kernel has no vfio-pci: the host will keep its GPU"
	return 0
}

units() {
	local unit wants=${initdir:?}${systemdsystemunitdir:?}/initrd.target.wants

	mkdir -p "$wants"
	for unit in vfio-claim-start.service vfio-claim-settle.service; do
		inst_simple "@LIBDIR@/initrd/$unit" "$systemdsystemunitdir/$unit" &&
			ln -sfn "../$unit" "$wants/$unit" || return 1
	done
}

hooks() {
	# modules that are forced are loaded by cmdline 01
	inst_hook cmdline 00 "${moddir:?}/vfio-claim-start.sh"
	# passphrases are asked for behind it; without a wait for disks it runs before the mount
	inst_hook initqueue/settled 00 "$moddir/vfio-claim-settle.sh"
	inst_hook pre-mount 00 "$moddir/vfio-claim-settle.sh"
}

# called by dracut
install() {
	if mkdir -p "${initdir:?}/etc" "$initdir${EARLY%/*}" "$initdir${RULES%/*}" &&
		cp -p "$SYSTEM$EARLY" "$initdir$EARLY" &&
		cp -p "$SYSTEM$RULES" "$initdir$RULES" &&
		cp -pL "$SYSTEM$CONF" "$initdir$CONF" &&
		@LIBDIR@/boot-partitions >"$initdir/etc/vfio-claim.partitions" &&
		if dracut_module_included systemd; then units; else hooks; fi; then
		return 0
	fi
	rm -f "$initdir$EARLY" "$initdir$CONF"
	dwarn "vfio-claim: the image cannot be written: the host keeps its GPU"
	return 0
}
