/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "domain.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "diff.h"
#include "slurp.h"
#include "text.h"
#include "vm.h"
#include "write.h"

#define BACKUPS VM_FOLDER "/backup"
#define MAX_NAME 180 /* leaves room in FS_PATH_MAX */

void domain_finish(struct domain *d)
{
	if (d->handle)
		virDomainFree(d->handle);
	if (d->connection)
		virConnectClose(d->connection);
	xmlFreeDoc(d->doc);
	free(d->name);
	free(d->text);
	free(d->before);
	*d = (struct domain){ 0 };
}

/* ---- reading */

static bool name_ok(const char *name)
{
	return *name && strlen(name) <= MAX_NAME && !strchr(name, '/') &&
	       !str_equal(name, ".") && !str_equal(name, "..") && vm_text_ok(name);
}

static bool read_captured(struct domain *d, const char *name, struct str *why)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);
	size_t len;
	int r;

	str_join(&s, DOMAIN_FOLDER "/", name, ".xml", NULL);
	r = slurp(d->root, path, TREE_MAX, &d->text, &len);
	if (r == 0 && strlen(d->text) != len)
		r = -EPROTO;
	if (r == -ENOENT)
		str_join(why, _("there is no such domain: no /"), path, NULL);
	else if (r < 0)
		str_join(why, "/", path, ": ",
			 r == -EFBIG ? _("larger than any domain") : str_errno(r), NULL);
	if (r < 0)
		return false;
	d->name = strdup(name);
	return d->name != NULL;
}

/* A reader may not see what is secret, and needs no password for the rest. */
static char *definition(const struct domain *d, struct str *why)
{
	char *xml;

	if (!d->read_only)
		return libvirt_xml(d->handle, why);
	xml = virDomainGetXMLDesc(d->handle, VIR_DOMAIN_XML_INACTIVE);
	if (!xml)
		libvirt_error(why);
	return xml;
}

static bool ends_in(const char *text, const char *end)
{
	const size_t len = strlen(text), n = strlen(end);

	return len >= n && str_equal(text + len - n, end);
}

static bool read_defined(struct domain *d, const char *name, struct str *why)
{
	const char *own;
	char *uri;

	d->connection = libvirt_open(d->read_only, why);
	if (!d->connection)
		return false;
	d->handle = libvirt_find(d->connection, name, NULL, why);
	if (!d->handle)
		return false;
	/* defining it would make it stay */
	if (!d->read_only && virDomainIsPersistent(d->handle) == 0) {
		str_add(why, _("it is transient: it has no definition to be changed, and "
			       "is gone when it ends"));
		return false;
	}
	own = virDomainGetName(d->handle);
	d->name = own ? strdup(own) : NULL;
	d->running = virDomainIsActive(d->handle) == 1;
	uri = virConnectGetURI(d->connection);
	d->session = uri && ends_in(uri, "/session");
	free(uri);
	d->text = definition(d, why);
	return d->text && d->name;
}

static bool is_qemu(const xmlNode *node, struct str *why)
{
	char type[32];

	if (tree_named(node, NULL, "domain") &&
	    tree_get(node, "type", type, sizeof(type)) &&
	    (str_equal(type, "kvm") || str_equal(type, "qemu")) &&
	    tree_first(node, "devices"))
		return true;
	str_add(why, _("it is no domain of QEMU"));
	return false;
}

bool domain_open(struct fs *root, const char *name, bool read_only, struct domain *ret,
		 struct str *why)
{
	DOMAIN_OWNED struct domain d = { .root = root, .read_only = read_only };

	if (!name_ok(name)) {
		str_add(why, _("that is no domain's name"));
		return false;
	}
	if (!(root->captured ? read_captured(&d, name, why)
			     : read_defined(&d, name, why)))
		return false;
	if (!name_ok(d.name)) {
		str_add(why, _("its name cannot be one of a file"));
		return false;
	}
	d.doc = tree_parse(d.text, strlen(d.text), &d.prolog, why);
	d.node = d.doc ? xmlDocGetRootElement(d.doc) : NULL;
	if (!d.node || !is_qemu(d.node, why))
		return false;
	d.before = tree_text(d.doc);
	if (!d.before) {
		str_add(why, str_errno(ENOMEM));
		return false;
	}
	*ret = d;
	d = (struct domain){ 0 };
	return true;
}

/* ---- writing */

bool domain_changed(const struct domain *d)
{
	TEXT_OWNED char *after = tree_text(d->doc);

	return after && !str_equal(after, d->before);
}

/* Differences are shown to others, and passwords are none. */
static void hide_secrets(char *text)
{
	char *p = text;

	while ((p = strstr(p, " passwd='")))
		for (p += strlen(" passwd='"); *p && *p != '\''; p++)
			*p = '*';
}

void domain_diff(const struct domain *d, FILE *out, bool colour)
{
	TEXT_OWNED char *before = strdup(d->before), *after = tree_text(d->doc);
	char old[MAX_NAME + 8], new[MAX_NAME + 8];
	struct str o = STR_ON(old), n = STR_ON(new);

	if (!before || !after)
		return;
	hide_secrets(before);
	hide_secrets(after);
	str_join(&o, "a/", d->name, ".xml", NULL);
	str_join(&n, "b/", d->name, ".xml", NULL);
	(void)!diff_print(out, &(struct diff_side){ old, before, strlen(before) },
			  &(struct diff_side){ new, after, strlen(after) }, colour);
}

/* One that is not there yet: several changes may be made in a second. */
static int backup_path(const struct domain *d, char *buf, size_t size)
{
	const time_t now = time(NULL);
	char when[32];
	struct tm tm;
	int r = 0;

	if (!localtime_r(&now, &tm) ||
	    !strftime(when, sizeof(when), "%Y%m%d-%H%M%S", &tm))
		return -EOVERFLOW;
	for (unsigned i = 1; r == 0 && i < 1000; i++) {
		struct str s;

		str_init(&s, buf, size);
		str_join(&s, BACKUPS "/", d->name, "-", when, NULL);
		if (i > 1) {
			str_add_char(&s, '-');
			str_add_uint(&s, i);
		}
		str_add(&s, ".xml");
		if (s.cut)
			return -ENAMETOOLONG;
		r = d->root->ops->exists(d->root, buf);
	}
	return r == -ENOENT ? 0 : r == 0 ? -EEXIST : r;
}

static int back_up(const struct domain *d, char **ret)
{
	char path[FS_PATH_MAX];
	int r = backup_path(d, path, sizeof(path));

	if (r == 0)
		r = vm_make_folders(d->root, path);
	if (r == 0)
		r = write_now(d->root, path, d->text, strlen(d->text), 0600);
	if (r == 0 && !(*ret = strdup(path)))
		r = -ENOMEM;
	return r;
}

static bool write_captured(const struct domain *d, const char *after, struct str *why)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);
	const size_t len = d->prolog + strlen(after);
	TEXT_OWNED char *text = malloc(len + 1);
	int r = -ENOMEM;

	str_join(&s, DOMAIN_FOLDER "/", d->name, ".xml", NULL);
	if (text) {
		memcpy(text, d->text, d->prolog);
		memcpy(text + d->prolog, after, len - d->prolog + 1);
		r = write_now(d->root, path, text, len, 0600);
	}
	if (r < 0)
		str_join(why, "/", path, ": ", str_errno(r), NULL);
	return r == 0;
}

static bool define(const struct domain *d, const char *after, struct str *why)
{
	TEXT_OWNED char *now = definition(d, why);

	if (!now)
		return false;
	if (!str_equal(now, d->text)) {
		str_add(why, _("somebody has changed it meanwhile; try again"));
		return false;
	}
	return libvirt_define(d->connection, after, why);
}

bool domain_save(struct domain *d, char **ret_backup, struct str *why)
{
	TEXT_OWNED char *after = tree_text(d->doc), *backup = NULL;
	int r = after ? back_up(d, &backup) : -ENOMEM;

	if (r < 0) {
		str_join(why, _("no copy of it can be kept in /" BACKUPS ": "),
			 str_errno(r), NULL);
		if (r == -EACCES || r == -EPERM)
			str_add(why, _("; run it as root"));
		return false;
	}
	if (!(d->root->captured ? write_captured(d, after, why) : define(d, after, why)))
		return false;
	*ret_backup = backup;
	backup = NULL;
	return true;
}
