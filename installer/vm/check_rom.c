/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file with the card's ROM, for a card whose own cannot be read: QEMU opens it as its
 * own user, and neither libvirt nor AppArmor's helper sees to that.
 */
#include <errno.h>
#include <unistd.h>

#include "apparmor.h"
#include "check.h"
#include "qemu_conf.h"
#include "slurp.h"
#include "text.h"

#define APPARMOR_MORE "etc/apparmor.d/abstractions/libvirt-qemu.d"

/* Each file once: functions of a card may name the same. */
static bool next_rom(const struct check *c, size_t *i, char *path, size_t size)
{
	for (; *i < c->attached->n_hostdevs; (*i)++) {
		const xmlNode *rom = tree_first(c->attached->hostdevs[*i].node, "rom");

		if (tree_get(rom, "file", path, size) && *path == '/') {
			(*i)++;
			return true;
		}
	}
	return false;
}

void check_rom_missing(struct check *c)
{
	char path[CHECK_PATH_MAX];

	for (size_t i = 0; next_rom(c, &i, path, sizeof(path));) {
		if (!check_missing(c, path))
			continue;
		check_say(c, CHECK_PROBLEM, _("the ROM file %s is not there"), path);
		check_mend(c, _("virsh edit %s: the file's place, or no <rom>"), c->name);
	}
}

void check_rom_invalid(struct check *c)
{
	char path[CHECK_PATH_MAX], head[512];
	struct stat st;
	size_t len;

	for (size_t i = 0; next_rom(c, &i, path, sizeof(path));) {
		/* to open a device can do something */
		if (check_stat(c, path, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		if (c->root->ops->read(c->root, path + 1, FS_ATTRIBUTE, head,
				       sizeof(head), &len, NULL) < 0 ||
		    (len > 2 && head[0] == 0x55 && (head[1] & 0xff) == 0xaa))
			continue;
		check_say(
			c, CHECK_WARNING,
			_("the ROM file %s does not begin with 55 aa, as every ROM does: "
			  "the guest will not run it"),
			path);
		check_mend(c, _("what NVIDIA's and AMD's own tools write has a header in "
				"front, which is to be cut off"));
	}
}

/*
 * libvirt makes disks, devices and firmware the property of QEMU's user, but not this
 * (virSecurityDACSetAllLabel() knows no ROM).
 */
void check_rom_unreadable(struct check *c)
{
	char path[CHECK_PATH_MAX];
	struct qemu_user user;
	struct stat st;

	if (c->session || !qemu_conf_user(c, &user) || !user.known)
		return;
	for (size_t i = 0; next_rom(c, &i, path, sizeof(path));) {
		const int r = check_stat(c, path, &st);

		if (r < 0 || (S_ISREG(st.st_mode) && qemu_user_may(c, &user, path, R_OK)))
			continue;
		check_say(c, CHECK_PROBLEM,
			  S_ISREG(st.st_mode)
				  ? _("the ROM file %s cannot be read by %s, as whom "
				      "libvirt runs QEMU")
				  : _("the ROM file %s is no file; %s, as whom libvirt "
				      "runs QEMU, reads it"),
			  path, user.name);
		check_mend(c,
			   _("chmod o+r %s, and o+x for each folder above; or keep it "
			     "in /usr/share/vgabios"),
			   path);
	}
}

/* ---- AppArmor */

static bool is_confined(struct check *c)
{
	char text[256];
	const xmlNode *label = tree_first(c->domain, "seclabel");

	if (c->session ||
	    fs_read_text(c->root, "sys/module/apparmor/parameters/enabled", text,
			 sizeof(text)) < 0 ||
	    !str_equal(text, "Y") ||
	    /* distributions without this have a libvirt that does not use it */
	    check_missing(c, "etc/apparmor.d/abstractions/libvirt-qemu"))
		return false;
	for (; label; label = tree_next(label, "seclabel"))
		if (tree_is(label, "type", "none") &&
		    (tree_is(label, "model", "apparmor") ||
		     !tree_get(label, "model", text, sizeof(text))))
			return false;
	return !qemu_conf_get(c, "security_driver", text, sizeof(text)) ||
	       qemu_conf_has(text, "apparmor");
}

/*
 * virt-aa-helper writes a profile with the files that a domain names, but of a hostdev
 * only the device's: its get_files() does not look at <rom>. Seen with libvirt 9.0:
 * "virt-aa-helper -d -r -u libvirt-UUID" lists disks and /dev/vfio, no ROM.
 */
static bool is_allowed(struct check *c, const char *path)
{
	static const char *const profiles[] = {
		"etc/apparmor.d/abstractions/libvirt-qemu",
		"etc/apparmor.d/local/abstractions/libvirt-qemu",
		"etc/apparmor.d/libvirt/TEMPLATE.qemu",
	};
	struct name_list list;
	bool allowed = false;

	for (size_t i = 0; !allowed && i < ARRAY_SIZE(profiles); i++)
		allowed =
			check_read(c, profiles[i]) == 0 && apparmor_allows(c->text, path);
	if (allowed || name_list_read(c->root, APPARMOR_MORE, &list) < 0)
		return allowed;
	for (size_t i = 0; !allowed && i < list.n; i++) {
		char name[FS_PATH_MAX];
		struct str s = STR_ON(name);

		str_join(&s, APPARMOR_MORE "/", list.names[i], NULL);
		allowed = !s.cut && check_read(c, name) == 0 &&
			  apparmor_allows(c->text, path);
	}
	name_list_finish(&list);
	return allowed;
}

void check_rom_apparmor(struct check *c)
{
	char path[CHECK_PATH_MAX];
	const bool confined = is_confined(c);

	for (size_t i = 0; confined && next_rom(c, &i, path, sizeof(path));) {
		if (is_allowed(c, path))
			continue;
		check_say(
			c, CHECK_PROBLEM,
			_("AppArmor does not let QEMU read the ROM file %s: libvirt adds "
			  "disks to a domain's profile, but no ROM"),
			path);
		check_mend(c,
			   _("keep it in /usr/share/vgabios; or a line \"%s r,\" in "
			     "/etc/apparmor.d/local/abstractions/libvirt-qemu"),
			   path);
	}
}
