/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "layout.h"

#include "str.h"

#define FIRST_SLOT 2
#define FUNCTIONS 8

static unsigned take(struct layout *layout, size_t n)
{
	const unsigned first = layout->n_ports + 1;

	layout->n_ports += (unsigned)n;
	return n ? first : 0;
}

void layout_make(const struct vm *vm, const struct claimed *claimed, struct layout *ret)
{
	*ret = (struct layout){ 0 };
	ret->claimed = take(ret, claimed->n_devices);
	ret->usb = take(ret, 1);
	ret->disks = take(ret, vm->disk_bus == VM_VIRTIO ? vm->disks.n : 0);
	ret->network = take(ret, !str_equal(vm->network, "none"));
	ret->shared_memory = take(ret, vm->shared_memory != 0);
}

struct layout_port layout_port(const struct layout *layout, unsigned index)
{
	const unsigned at = index - 1;

	return (struct layout_port){
		.index = index,
		.slot = FIRST_SLOT + at / FUNCTIONS,
		.function = at % FUNCTIONS,
		.port = FIRST_SLOT * FUNCTIONS + at,
		.multifunction = at % FUNCTIONS == 0 && index < layout->n_ports,
	};
}

bool layout_multifunction(const struct claimed *claimed, const struct claimed_function *f)
{
	if (f->number)
		return false;
	for (size_t i = 0; i < claimed->n; i++)
		if (claimed->functions[i].device == f->device &&
		    claimed->functions[i].number)
			return true;
	return false;
}

void layout_drive(const struct vm *vm, size_t i, bool iso, struct layout_drive *ret)
{
	const bool sata = iso || vm->disk_bus == VM_SATA;
	const size_t unit = iso && vm->disk_bus == VM_SATA ? vm->disks.n + i : i;
	struct str s = STR_ON(ret->name);

	ret->unit = (unsigned)unit;
	str_add(&s, sata ? "sd" : "vd");
	if (unit >= 26)
		str_add_char(&s, (char)('a' + unit / 26 - 1));
	str_add_char(&s, (char)('a' + unit % 26));
}
