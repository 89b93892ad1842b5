/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "loaded.h"

#include <errno.h>

#include "answer.h"
#include "text.h"

bool loaded_machine(struct context *context, struct vm *vm, int *ret)
{
	char text[512], path[FS_PATH_MAX], clean[128];
	struct str s = STR_ON(text);
	int r;

	if (context->n_arguments != 1) {
		*ret = answer(context, "usage", _("name one machine; see --help"),
			      EXIT_USAGE);
		return false;
	}
	r = vm_load(&context->root, context->arguments[0], vm);
	if (r == 0)
		return true;
	text_clean(clean, sizeof(clean), context->arguments[0]);
	vm_path(path, sizeof(path), clean, "json");
	if (r == -ENOENT)
		str_join(&s, clean,
			 _(": no machine of that name was made by \"vfio-claim vm "
			   "create\""),
			 NULL);
	else if (r == -EPROTO)
		str_join(&s, "/", path,
			 _(" is damaged: remove it and make the machine again"), NULL);
	else
		str_join(&s, "/", path, ": ", str_errno(r),
			 r == -EACCES ? _("; run it as root") : "", NULL);
	*ret = answer(context, "refused", text, EXIT_REFUSED);
	return false;
}

static bool find(struct context *context, const struct vm *vm, struct claimed *claimed,
		 struct str *why)
{
	if (claimed_find(&context->root, vm->claim, claimed, why) < 0)
		return false;
	for (size_t i = 0; i < claimed->n; i++) {
		const struct claimed_function *f = &claimed->functions[i];

		if (claimed_found(f))
			continue;
		pci_address_add(why, f->conf->address);
		str_join(why, ": ", match_name(f->match), ", ", f->detail,
			 _("; vfio-claim status says more"), NULL);
		return false;
	}
	return true;
}

bool loaded(struct context *context, struct vm *vm, struct claimed *claimed, int *ret)
{
	char text[512];
	struct str why = STR_ON(text);

	if (!loaded_machine(context, vm, ret))
		return false;
	str_join(&why, _("claim "), vm->claim, ": ", NULL);
	if (find(context, vm, claimed, &why))
		return true;
	vm_finish(vm);
	*ret = answer(context, "refused", text, EXIT_REFUSED);
	return false;
}
