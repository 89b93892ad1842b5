/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resume.h"

#include <errno.h>
#include <json-c/json.h>

#include "changed.h"
#include "health.h"
#include "iommu.h"
#include "pci.h"
#include "text.h"

#define JSON_MAX 4096

/* ---- looking */

struct woken {
	struct fs *root;
	struct pci_list list;
};

static bool stayed(void *arg, const struct report_function *f, struct str *what)
{
	struct woken *w = arg;
	const struct pci_function *now = pci_find(&w->list, f->address);
	struct pci_config config;

	if (!now)
		str_add(what, _("is gone"));
	else if (pci_config_read(w->root, f->address, false, &config) == 0 &&
		 config.present && !config.alive)
		str_add(what, _("does not answer any more"));
	else if (now->known && f->vendor &&
		 (now->ids.vendor != f->vendor || now->ids.device != f->device))
		str_add(what, _("is another device now"));
	else if (f->group >= 0 && iommu_group_number(w->root, f->address) != f->group)
		str_add(what, _("is in another IOMMU group now"));
	return !what->len;
}

static bool devices_stayed(struct fs *root, const struct report *boot, struct str *why)
{
	struct woken w = { .root = root };
	bool holds;

	if (pci_scan(root, &w.list) < 0) {
		str_add(why, _("the PCI functions cannot be listed"));
		return false;
	}
	holds = health_each(boot, stayed, &w, why);
	pci_list_finish(&w.list);
	return holds;
}

bool resume_check(struct fs *root, const struct report *boot, bool require_display,
		  struct str *why)
{
	static struct report now;

	now = *boot;
	changed_apply(root, &now);
	return devices_stayed(root, &now, why) &&
	       health_check(root, &now, require_display, why);
}

enum outcome resume_applies(struct fs *root, const struct report *boot)
{
	static struct report now;
	enum outcome most = OUTCOME_KEPT;

	now = *boot;
	changed_apply(root, &now);
	for (unsigned i = 0; i < now.n_claims; i++)
		if (now.claims[i].outcome > most)
			most = now.claims[i].outcome;
	return most;
}

/* ---- the note for status */

void resume_load(struct fs *root, struct resume *ret)
{
	struct json_object *object, *detail, *outcome;
	char text[JSON_MAX];

	*ret = (struct resume){ .known = false };
	if (fs_read_file(root, RESUME_PATH, text, sizeof(text), NULL) < 0)
		return;
	object = json_tokener_parse(text);
	if (json_object_is_type(object, json_type_object) &&
	    json_object_object_get_ex(object, "outcome", &outcome) &&
	    json_object_object_get_ex(object, "detail", &detail)) {
		ret->known = true;
		ret->holds = str_equal(json_object_get_string(outcome), "holds");
		str_copy(ret->detail, sizeof(ret->detail),
			 json_object_get_string(detail));
	}
	json_object_put(object);
}

int resume_save(struct fs *root, const struct resume *resume)
{
	char text[JSON_MAX];
	struct str s = STR_ON(text);

	str_join(&s, "{ \"version\": 1, \"outcome\": \"",
		 resume->holds ? "holds" : "lost", "\", \"detail\": ", NULL);
	report_add_string(&s, resume->detail);
	str_add(&s, " }\n");
	return root->ops->replace(root, RESUME_PATH, text, s.len, FS_QUICK);
}
