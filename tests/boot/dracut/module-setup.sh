#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# As tests/boot/initramfs, for dracut: the host drivers of every device that a scenario has, and
# a script that judges behind udev's coldplug. tests/boot/run adds one that runs before vfio-claim.

check() {
	return 0
}

depends() {
	return 0
}

installkernel() {
	hostonly='' instmods bochs cirrus qxl snd_hda_intel snd_hda_codec_generic xhci_pci e1000e nvme virtio_pci virtio_blk
}

install() {
	local unit

	inst_multiple ls grep cat dmesg stty sleep rm mkdir mount modprobe rmmod udevadm
	inst_simple /usr/lib/test/facts.sh
	inst_script "${moddir:?}/judge" /usr/lib/test/judge
	if ! dracut_module_included systemd; then
		# where a passphrase is asked for: dracut calls that cryptroot-ask-NAME.sh
		inst_hook initqueue/settled 01 "$moddir/judge.sh"
		return 0
	fi
	inst_simple "$moddir/cryptsetup-pre.target" "${systemdsystemunitdir:?}/cryptsetup-pre.target"
	for unit in test-early.service test-judge.service; do
		inst_simple "$moddir/$unit" "$systemdsystemunitdir/$unit"
		mkdir -p "${initdir:?}$systemdsystemunitdir/initrd.target.wants"
		ln -sf "../$unit" "$initdir$systemdsystemunitdir/initrd.target.wants/$unit"
	done
}
