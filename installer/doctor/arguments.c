/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leftovers among the kernel's arguments: of the running kernel, and in the files that
 * boot loaders take them from.
 */
#include "doctor.h"
#include "iommu_words.h"
#include "kargs.h"

#define WORD_MAX 256
#define HITS_MAX 64
#define PLACES_MAX 4 /* that are named */

static const struct bad_word {
	const char *key; /* with _ */
	const char *value; /* NULL: any; "": no value */
	enum doctor_state state;
	const char *why;
} bad_words[] = {
	{ "vfio.enable_unsafe_noiommu_mode", NULL, DOCTOR_PROBLEM,
	  N_("lets guests write to all memory; nothing is claimed") },
	{ "amd_iommu", "on", DOCTOR_WARNING,
	  N_("is no value that the kernel knows: it does nothing (AMD-Vi is on by "
	     "itself)") },
	{ "pcie_acs_override", NULL, DOCTOR_WARNING,
	  N_("splits groups that the hardware does not separate: a guest can reach its "
	     "neighbours; kernels without that patch ignore it") },
	{ "video", "efifb:off", DOCTOR_WARNING,
	  N_("is no longer useful: the framebuffer leaves a claimed card by itself") },
	{ "video", "vesafb:off", DOCTOR_WARNING,
	  N_("is no longer useful: the framebuffer leaves a claimed card by itself") },
	{ "video", "efifb:off,vesafb:off", DOCTOR_WARNING,
	  N_("is no longer useful: the framebuffer leaves a claimed card by itself") },
	{ "video", "vesafb:off,efifb:off", DOCTOR_WARNING,
	  N_("is no longer useful: the framebuffer leaves a claimed card by itself") },
	{ "nomodeset", "", DOCTOR_WARNING,
	  N_("keeps the drivers of the host's cards from driving displays") },
	{ "vfio_iommu_type1.allow_unsafe_interrupts", NULL, DOCTOR_WARNING,
	  N_("lets guests send interrupts into the host") },
	{ "rd.driver.pre", "vfio-pci", DOCTOR_WARNING,
	  N_("is not needed: vfio-claim is there before any driver") },
	{ "vfio_pci.ids", NULL, DOCTOR_WARNING, NULL },
	{ "module_blacklist", NULL, DOCTOR_WARNING, NULL },
	{ "modprobe.blacklist", NULL, DOCTOR_WARNING, NULL },
	{ "rd.driver.blacklist", NULL, DOCTOR_WARNING, NULL },
};

struct hit {
	const struct bad_word *bad;
	char word[WORD_MAX];
	char places[512];
	size_t n;
	bool running;
};

struct hits {
	struct hit hits[HITS_MAX];
	size_t n;
};

static const struct bad_word *find_bad(struct fs *root, const char *word)
{
	static const struct bad_word off = { .state = DOCTOR_PROBLEM,
					     .why = N_("switches the IOMMU off") };
	const char *iommu = iommu_off_word(word);

	if (iommu)
		return iommu_off_counts(root, iommu) ? &off : NULL;
	for (size_t i = 0; i < ARRAY_SIZE(bad_words); i++) {
		const struct bad_word *bad = &bad_words[i];
		const char *value = kargs_value(word, bad->key);

		if (value && (!bad->value || str_equal(value, bad->value)))
			return bad;
	}
	return NULL;
}

static void note(struct doctor *d, struct hits *all, const char *word, const char *path,
		 unsigned line)
{
	const struct bad_word *bad = find_bad(d->root, word);
	struct hit *h = all->hits;
	struct str s;

	if (!bad)
		return;
	while (h < all->hits + all->n && !str_equal(h->word, word))
		h++;
	if (h == all->hits + all->n) {
		if (all->n == HITS_MAX)
			return;
		all->n++;
		*h = (struct hit){ .bad = bad };
		str_copy(h->word, sizeof(h->word), word);
	}
	h->running |= !line;
	s = (struct str){ .buf = h->places,
			  .size = sizeof(h->places),
			  .len = strlen(h->places) };
	if (h->n < PLACES_MAX) {
		str_join(&s, h->n ? ", /" : "/", path, line ? ":" : "", NULL);
		if (line)
			str_add_uint(&s, line);
	} else if (h->n == PLACES_MAX) {
		str_add(&s, _(" and more"));
	}
	h->n++;
}

/* Whatever the syntax of the file, words stand between blanks and quotes. */
static void take_words(struct doctor *d, void *arg, const struct doctor_line *line)
{
	static const char between[] = " \t\"'()[]";
	char word[WORD_MAX];

	for (const char *p = line->text; *p;) {
		size_t len;
		struct str s = STR_ON(word);

		p += strspn(p, between);
		/* a comment after the value */
		if (*p == '#')
			break;
		len = strcspn(p, between);
		str_add_n(&s, p, len);
		if (len && !s.cut)
			note(d, arg, word, line->path, line->line);
		/* GRUB_CMDLINE_LINUX=amd_iommu=on, without quotes */
		if (len && !s.cut && str_starts(word, "GRUB_") && strchr(word, '='))
			note(d, arg, strchr(word, '=') + 1, line->path, line->line);
		p += len;
	}
}

static void gather(struct doctor *d, struct hits *all)
{
	static const char *const files[] = {
		"etc/default/grub",   "etc/kernel/cmdline",
		"etc/default/limine", "boot/refind_linux.conf",
		"boot/limine.conf",   "etc/kernelstub/configuration",
	};
	static const char *const folders[][2] = {
		{ "etc/default/grub.d", ".cfg" },
		{ "etc/cmdline.d", ".conf" },
		{ "boot/loader/entries", ".conf" },
		{ "boot/efi/loader/entries", ".conf" },
		{ "efi/loader/entries", ".conf" },
	};
	char word[KARGS_WORD_MAX];
	const char *p = d->cmdline;
	bool cut;

	while (kargs_next(&p, word, sizeof(word), &cut))
		if (!cut && strlen(word) < WORD_MAX)
			note(d, all, word, "proc/cmdline", 0);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		doctor_lines(d, files[i], false, take_words, all);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		doctor_lines_below(d, folders[i][0], folders[i][1], false, take_words,
				   all);
}

static void judge_drivers(struct doctor *d, const char *where, char *list)
{
	char *driver, *drivers;

	for (driver = strtok_r(list, ",", &drivers); driver;
	     driver = strtok_r(NULL, ",", &drivers)) {
		const size_t before = d->n;

		doctor_judge_blacklist(d, where, driver);
		if (d->n > before)
			doctor_mend(d, _("take %.60s out of that list"), driver);
	}
}

static void judge(struct doctor *d, struct hit *h)
{
	char where[sizeof(h->places) + WORD_MAX + 16];
	struct str s = STR_ON(where);
	char *value = strchr(h->word, '=');

	str_join(&s, h->places, ": ", h->word, NULL);
	if (!h->bad->why && !value)
		return;
	if (!h->bad->why && str_equal(h->bad->key, "vfio_pci.ids")) {
		doctor_judge_ids(d, where, value + 1);
	} else if (!h->bad->why) {
		judge_drivers(d, where, value + 1);
	} else {
		/* a file that is not the boot loader's in use changes nothing */
		doctor_say(d, h->running ? h->bad->state : DOCTOR_WARNING, "%s: %s",
			   where, _(h->bad->why));
		doctor_mend(d, "vfio-claim args remove %s", h->word);
	}
}

void doctor_arguments(struct doctor *d)
{
	static struct hits all;
	const size_t before = d->n;
	char value[16];

	all.n = 0;
	if (d->cmdline_error)
		doctor_say_unreadable(d, "proc/cmdline", d->cmdline_error);
	gather(d, &all);
	for (size_t i = 0; i < all.n; i++)
		judge(d, &all.hits[i]);
	if (doctor_argument(d, "vfio_claim", value, sizeof(value)) &&
	    str_equal(value, "off")) {
		doctor_say(d, DOCTOR_WARNING,
			   _("/proc/cmdline: vfio_claim=off: the host keeps everything "
			     "for this boot"));
		doctor_mend(d, _("boot the usual entry of the menu"));
	}
	if (d->n == before)
		doctor_say(d, DOCTOR_OK,
			   _("nothing of guides in /proc/cmdline and in the boot "
			     "loaders' files"));
}
