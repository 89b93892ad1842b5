/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iommu_words.h"

#include "iommu.h"
#include "kargs.h"
#include "machine.h"
#include "str.h"

#define SOFT "iommu=soft"

const char *const iommu_off_words[] = { "intel_iommu=off", "amd_iommu=off", "iommu=off",
					SOFT, NULL };

bool iommu_word_given(struct fs *root, const char *key, const char *value)
{
	char cmdline[4096], word[KARGS_WORD_MAX];
	const char *p = cmdline, *found;
	bool cut;

	if (fs_read_text(root, "proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		return true;
	while (kargs_next(&p, word, sizeof(word), &cut)) {
		found = kargs_value(word, key);
		if (found && (!value || str_equal(found, value)))
			return true;
	}
	return false;
}

static bool is_before_5_18(const char *release)
{
	uint64_t major, minor = 0;

	if (!str_take_uint(&release, 999, &major))
		return false;
	release += *release == '.';
	return major < 5 ||
	       (major == 5 && (!str_take_uint(&release, 999, &minor) || minor < 18));
}

static bool soft_is_off(struct fs *root)
{
	char running[MACHINE_RELEASE_LEN];

	machine_release(root, running);
	return is_before_5_18(running) &&
	       !(iommu_present(root) && iommu_word_given(root, "iommu", "soft"));
}

const char *iommu_off_word(const char *word)
{
	for (const char *const *off = iommu_off_words; *off; off++) {
		char key[32];
		struct str s = STR_ON(key);
		const char *sign = strchr(*off, '='), *value;

		str_add_n(&s, *off, (size_t)(sign - *off));
		value = kargs_value(word, key);
		if (value && str_equal(value, sign + 1))
			return *off;
	}
	return NULL;
}

bool iommu_off_counts(struct fs *root, const char *word)
{
	return !str_equal(word, SOFT) || soft_is_off(root);
}
