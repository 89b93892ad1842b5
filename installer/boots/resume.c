/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "resume.h"

#include <errno.h>
#include <json-c/json.h>

#include "health.h"
#include "pci.h"
#include "text.h"

#define JSON_MAX 4096

/* ---- looking */

static int group_of(struct fs *root, struct pci_address address)
{
	char path[FS_PATH_MAX], name[16];
	const char *c = name;
	uint64_t group;

	pci_device_path(path, sizeof(path), address, "iommu_group");
	if (fs_link_name(root, path, name, sizeof(name)) < 0 ||
	    !str_take_uint(&c, INT32_MAX, &group))
		return -1;
	return (int)group;
}

/* NULL, or what became of it. */
static const char *changed(struct fs *root, const struct pci_list *list,
			   const struct report_function *f)
{
	const struct pci_function *now = pci_find(list, f->address);
	struct pci_config config;

	if (!now)
		return _("is gone");
	if (pci_config_read(root, f->address, false, &config) == 0 && config.present &&
	    !config.alive)
		return _("does not answer any more");
	if (now->known && f->vendor &&
	    (now->ids.vendor != f->vendor || now->ids.device != f->device))
		return _("is another device now");
	if (f->group >= 0 && group_of(root, f->address) != f->group)
		return _("is in another IOMMU group now");
	return NULL;
}

static bool devices_stayed(struct fs *root, const struct report *boot, struct str *why)
{
	const char *what = NULL;
	struct pci_list list;

	if (pci_scan(root, &list) < 0) {
		str_add(why, _("the PCI functions cannot be listed"));
		return false;
	}
	for (unsigned c = 0; !what && c < boot->n_claims; c++) {
		const struct report_claim *claim = &boot->claims[c];

		if (claim->outcome != OUTCOME_CLAIMED)
			continue;
		for (unsigned i = claim->first; !what && i < claim->first + claim->n;
		     i++) {
			what = changed(root, &list, &boot->functions[i]);
			if (!what)
				continue;
			str_join(why, "the claim ", claim->name,
				 " does not hold: ", NULL);
			pci_address_add(why, boot->functions[i].address);
			str_join(why, " ", what, NULL);
		}
	}
	pci_list_finish(&list);
	return !what;
}

bool resume_check(struct fs *root, const struct report *boot, bool require_display,
		  struct str *why)
{
	return devices_stayed(root, boot, why) &&
	       health_check(root, boot, require_display, why);
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
