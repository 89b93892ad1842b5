/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What runs the guests: KVM, QEMU, libvirt, and who may use them.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "doctor.h"
#include "tools.h"

#define KVM "dev/kvm"
#define VFIO "dev/vfio"

void doctor_kvm(struct doctor *d)
{
	struct stat st;
	const char *module = doctor_exists(d, "sys/module/kvm_intel") ? "kvm_intel"
			     : doctor_exists(d, "sys/module/kvm_amd") ? "kvm_amd"
								      : NULL;
	const int r = doctor_stat(d, KVM, &st);

	if (r == 0) {
		doctor_say(d, DOCTOR_OK, _("/%s is there%s%s"), KVM, module ? ", " : "",
			   module ? module : "");
	} else if (r != -ENOENT) {
		doctor_say_unreadable(d, KVM, r);
	} else if (module) {
		doctor_say(d, DOCTOR_PROBLEM, _("/%s is not there, though %s is loaded"),
			   KVM, module);
		doctor_mend(d, "modprobe -r %s && modprobe %s", module, module);
	} else {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("/%s is not there, and neither kvm_intel nor kvm_amd is in "
			     "/sys/module"),
			   KVM);
		doctor_mend(d, _("see \"CPU virtualisation\"; if that is ok: modprobe "
				 "kvm_intel, or kvm_amd; dmesg | grep kvm says why not"));
	}
}

void doctor_qemu(struct doctor *d)
{
	const char *found = doctor_first(d, tools_qemu);

	if (found) {
		doctor_say(d, DOCTOR_OK, "/%s", found);
		return;
	}
	doctor_say(d, DOCTOR_WARNING, _("not installed: /%s is not there"),
		   tools_qemu[0]);
	doctor_mend_install(d, "qemu-system-x86", "qemu-kvm", "qemu-desktop");
}

void doctor_ovmf(struct doctor *d)
{
	static const char *const places[] = {
		"usr/share/OVMF/OVMF_CODE_4M.fd", /* Debian */
		"usr/share/OVMF/OVMF_CODE.fd",
		"usr/share/edk2/ovmf/OVMF_CODE.fd", /* Fedora */
		"usr/share/edk2/ovmf/OVMF_CODE_4M.qcow2",
		"usr/share/edk2/x64/OVMF_CODE.4m.fd", /* Arch */
		"usr/share/edk2/x64/OVMF_CODE.fd",
		"usr/share/edk2-ovmf/x64/OVMF_CODE.fd",
		"usr/share/qemu/ovmf-x86_64-code.bin", /* openSUSE */
		NULL
	};
	const char *found = doctor_first(d, places);

	if (found) {
		doctor_say(d, DOCTOR_OK, "/%s", found);
		return;
	}
	doctor_say(d, DOCTOR_WARNING,
		   _("not installed: no OVMF_CODE below /usr/share/OVMF or "
		     "/usr/share/edk2; most guests with a card need it"));
	doctor_mend_install(d, "ovmf", "edk2-ovmf", "edk2-ovmf");
}

void doctor_libvirt(struct doctor *d)
{
	static const char *const sockets[] = { "run/libvirt/virtqemud-sock",
					       "run/libvirt/libvirt-sock", NULL };
	const char *daemon = doctor_first(d, tools_libvirt),
		   *socket = doctor_first(d, sockets), *name;

	if (!daemon) {
		doctor_say(d, DOCTOR_WARNING,
			   _("not installed: neither /%s nor /%s is there; QEMU can be "
			     "used without it"),
			   tools_libvirt[0], tools_libvirt[2]);
		doctor_mend_install(d, "libvirt-daemon-system virtinst",
				    "libvirt-daemon-kvm virt-install",
				    "libvirt virt-install");
		return;
	}
	if (socket) {
		doctor_say(d, DOCTOR_OK, _("/%s, listening at /%s"), daemon, socket);
		return;
	}
	name = strrchr(daemon, '/') + 1;
	doctor_say(d, DOCTOR_WARNING, _("/%s does not run: no /%s"), daemon,
		   str_equal(name, "virtqemud") ? sockets[0] : sockets[1]);
	doctor_mend(d, "systemctl enable --now %s.socket", name);
}

/* ---- the user */

struct user {
	char uid[16];
	char name[64], gid[16]; /* empty: not in /etc/passwd */
	bool group_exists, member;
	const char *group;
};

static void take_user(struct doctor *d, void *arg, const struct doctor_line *line)
{
	struct user *u = arg;
	char uid[16];

	(void)d;
	text_field(line->text, 2, uid, sizeof(uid));
	if (*u->name || !str_equal(uid, u->uid))
		return;
	text_field(line->text, 0, u->name, sizeof(u->name));
	text_field(line->text, 3, u->gid, sizeof(u->gid));
}

static void take_group(struct doctor *d, void *arg, const struct doctor_line *line)
{
	struct user *u = arg;
	char name[64], gid[16], *member, *members;

	(void)d;
	text_field(line->text, 0, name, sizeof(name));
	if (!str_equal(name, u->group))
		return;
	text_field(line->text, 2, gid, sizeof(gid));
	u->group_exists = true;
	u->member = str_equal(gid, u->gid);
	members = strrchr(line->text, ':');
	if (!members)
		return;
	for (member = strtok_r(members, ":, ", &members); member;
	     member = strtok_r(NULL, ":, ", &members))
		u->member |= str_equal(member, u->name);
}

static bool lacks(struct doctor *d, struct user *u, const char *group)
{
	u->group = group;
	u->group_exists = u->member = false;
	doctor_lines(d, "etc/group", false, take_group, u);
	return u->group_exists && !u->member;
}

static void judge_user(struct doctor *d, struct user *u)
{
	struct stat st;
	const bool everybody = doctor_stat(d, KVM, &st) == 0 && (st.st_mode & 06) == 06;
	const bool libvirt = lacks(d, u, "libvirt"),
		   kvm = !everybody && lacks(d, u, "kvm");
	const char *groups = libvirt && kvm ? "libvirt,kvm" : libvirt ? "libvirt" : "kvm";

	if (!libvirt && !kvm) {
		doctor_say(d, DOCTOR_OK,
			   _("%s is in the groups that are there of libvirt and kvm "
			     "(/etc/group)"),
			   u->name);
		return;
	}
	doctor_say(d, DOCTOR_WARNING, _("%s is not in %s (/etc/group)"), u->name, groups);
	doctor_mend(d, _("usermod -aG %s %s, then log in again"), groups, u->name);
}

void doctor_user(struct doctor *d)
{
	const char *sudo = getenv("SUDO_UID");
	struct user u = { 0 };
	struct str s = STR_ON(u.uid);

	if (sudo && *sudo && strspn(sudo, "0123456789") == strlen(sudo))
		str_add(&s, sudo);
	else
		str_add_uint(&s, getuid());
	if (str_equal(u.uid, "0")) {
		doctor_say(d, DOCTOR_OK,
			   _("root may use everything; through sudo this looks at the "
			     "groups of who calls it"));
		return;
	}
	doctor_lines(d, "etc/passwd", false, take_user, &u);
	if (*u.name)
		judge_user(d, &u);
	else
		doctor_say(d, DOCTOR_UNKNOWN, _("user %s is not in /etc/passwd"), u.uid);
}

/* ---- VFIO devices */

/* How many of a folder's devices anybody may open; the first is named. */
static size_t open_to_all(struct doctor *d, const char *folder, char *first, size_t size)
{
	struct doctor_names names;
	char path[FS_PATH_MAX];
	struct stat st;
	size_t n = 0;

	if (doctor_list(d, folder, "", &names) < 0)
		return 0;
	for (size_t i = 0; i < names.n; i++) {
		struct str s = STR_ON(path);

		str_join(&s, folder, "/", names.names[i], NULL);
		/* the container is for everybody: it reaches no device */
		if (str_equal(names.names[i], "vfio") || doctor_stat(d, path, &st) < 0 ||
		    S_ISDIR(st.st_mode) || !(st.st_mode & S_IWOTH))
			continue;
		if (!n++)
			str_copy(first, size, path);
	}
	doctor_names_finish(&names);
	return n;
}

void doctor_vfio_devices(struct doctor *d)
{
	char first[FS_PATH_MAX] = "", other[FS_PATH_MAX];
	size_t n;

	if (!doctor_exists(d, VFIO)) {
		doctor_say(d, DOCTOR_OK, _("/%s is not there: it comes with vfio-pci"),
			   VFIO);
		return;
	}
	n = open_to_all(d, VFIO, first, sizeof(first));
	n += open_to_all(d, VFIO "/devices", n ? other : first, sizeof(first));
	if (!n) {
		doctor_say(d, DOCTOR_OK, _("none in /%s is open to everybody"), VFIO);
		return;
	}
	doctor_say(d, DOCTOR_WARNING,
		   _("/%s%s can be written by everybody: any program may take the card"),
		   first, n > 1 ? _(" and more") : "");
	doctor_mend(d, _("remove the rule with MODE=\"0666\" for vfio from "
			 "/etc/udev/rules.d; libvirt needs none"));
}
