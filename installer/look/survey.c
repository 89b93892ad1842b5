/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "survey.h"

#include <errno.h>
#include <stdlib.h>

#include "display.h"
#include "machine.h"

static int compare_ids(const struct pci_function *a, const struct pci_function *b)
{
	return memcmp(&a->ids, &b->ids, sizeof(a->ids));
}

static int compare_kinds(const void *a, const void *b)
{
	return compare_ids(*(const struct pci_function *const *)a,
			   *(const struct pci_function *const *)b);
}

/* Neighbours in the order of their ids are twins. */
static int find_unique(struct survey *s)
{
	const size_t n = s->all->n;
	const struct pci_function **order = malloc((n + 1) * sizeof(*order));
	bool alone;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		order[i] = &s->all->functions[i];
	qsort(order, n, sizeof(*order), compare_kinds);
	for (size_t i = 0; i < n; i++) {
		alone = (i == 0 || compare_ids(order[i - 1], order[i]) != 0) &&
			(i + 1 == n || compare_ids(order[i], order[i + 1]) != 0);
		s->unique[order[i] - s->all->functions] = order[i]->known && alone;
	}
	free(order);
	return 0;
}

static int make_tables(struct survey *s)
{
	/* one more: a machine without PCI */
	s->unique = calloc(s->all->n + 1, sizeof(*s->unique));
	s->group_of = calloc(s->all->n + 1, sizeof(*s->group_of));
	if (!s->unique || !s->group_of)
		return -ENOMEM;
	for (size_t i = 0; i < s->all->n; i++)
		s->group_of[i] = -1;
	return find_unique(s);
}

int survey_init_names(struct survey *survey, struct fs *root, const struct pci_list *all)
{
	int r;

	*survey = (struct survey){ .root = root, .all = all };
	r = make_tables(survey);
	if (r == 0)
		r = names_open(root, &survey->names);
	if (r < 0)
		survey_finish(survey);
	return r;
}

int survey_init(struct survey *survey, struct fs *root, const struct pci_list *all)
{
	char release[MACHINE_RELEASE_LEN];
	int r;

	r = survey_init_names(survey, root, all);
	if (r < 0)
		return r;
	r = displays_scan(root, &survey->displays);
	if (r == 0)
		r = needed_scan(root, &survey->needed);
	if (r < 0) {
		survey_finish(survey);
		return r;
	}
	machine_release(root, release);
	survey->modules = machine_has_modules(root, release);
	survey->iommu = iommu_present(root);
	survey->unsafe = iommu_unsafe_mode(root);
	for (size_t i = 0; i < all->n; i++)
		survey->host_displays += display_serves_host(&all->functions[i]);
	return 0;
}

void survey_finish(struct survey *survey)
{
	for (size_t i = 0; i < survey->n_groups; i++)
		iommu_group_finish(&survey->groups[i]);
	free(survey->groups);
	free(survey->unique);
	free(survey->group_of);
	names_close(survey->names);
	displays_finish(&survey->displays);
	needed_finish(&survey->needed);
	*survey = (struct survey){ 0 };
}

/* Its members need not read it again. */
static void remember(struct survey *s, size_t index)
{
	const struct iommu_group *group = &s->groups[index];
	const struct pci_function *member;

	for (size_t i = 0; i < group->n; i++) {
		member = pci_find(s->all, group->members[i]);
		if (member)
			s->group_of[member - s->all->functions] = (int)index;
	}
}

const struct iommu_group *survey_group(struct survey *survey,
				       const struct pci_function *function)
{
	int *index = &survey->group_of[function - survey->all->functions];

	if (*index >= 0)
		return &survey->groups[*index];
	if (survey->n_groups == survey->room) {
		size_t room = survey->room ? survey->room * 2 : 16;
		void *more = realloc(survey->groups, room * sizeof(*survey->groups));

		if (!more)
			return NULL;
		survey->groups = more;
		survey->room = room;
	}
	if (iommu_group_read(survey->root, function->address,
			     &survey->groups[survey->n_groups]) < 0)
		return NULL;
	*index = (int)survey->n_groups++;
	remember(survey, (size_t)*index);
	return &survey->groups[*index];
}
