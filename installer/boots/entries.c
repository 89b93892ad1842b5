/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entries.h"

#include "str.h"

void entries_choose(const struct conf *conf, const struct conf_claim *claim,
		    struct kargs_choice *ret)
{
	struct str s;

	*ret = (struct kargs_choice){ .mode = KARGS_ON };
	s = STR_ON(ret->names);
	str_add(&s, claim->name);
	for (unsigned i = 0; i < conf->n_claims; i++)
		if (&conf->claims[i] != claim && !conf->claims[i].named)
			str_join(&s, ",", conf->claims[i].name, NULL);
}
