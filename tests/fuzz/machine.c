/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole of `start`, and of `settle` where it leaves something to it, on a tree of any
 * content, configuration, command line and records included: what is written, what is
 * left behind and that the report is JSON.
 */
#include <errno.h>

#include "driver.h"
#include "fuzz.h"
#include "json.h"
#include "settle.h"
#include "state.h"
#include "tree.h"

#define JSON_MAX (1024 * 1024)

/* Only functions that the report names are written to, and nothing else is. */
static const struct report *reported;

static bool named(struct pci_address address)
{
	for (unsigned i = 0; i < reported->n_functions; i++)
		if (reported->functions[i].found &&
		    pci_address_compare(reported->functions[i].address, address) == 0)
			return true;
	return false;
}

static bool ends(const char *path, const char *leaf)
{
	return strlen(path) > strlen(leaf) &&
	       !strcmp(path + strlen(path) - strlen(leaf), leaf);
}

/* What may be written to below a function. */
static bool allowed(const char *leaf)
{
	return !strcmp(leaf, "driver_override") || !strcmp(leaf, "reset_method") ||
	       !strcmp(leaf, "d3cold_allowed") || !strcmp(leaf, "power/control") ||
	       (!strncmp(leaf, "resource", 8) && strchr("012345", leaf[8]) &&
		!strcmp(leaf + 9, "_resize"));
}

static void watch(struct tree *tree, const char *path, const char *data, size_t len)
{
	const char *below = path + strlen(PCI_DEVICES "/");
	char text[64] = "";
	struct pci_address address;

	(void)tree;
	CHECK(len < sizeof(text) * 4);
	if (!strncmp(path, "sys/bus/platform/drivers/", 25)) {
		CHECK(strstr(path, "-framebuffer/bind") ||
		      strstr(path, "-framebuffer/unbind"));
		return;
	}
	if (!strncmp(path, PCI_DEVICES "/", strlen(PCI_DEVICES "/"))) {
		CHECK(strchr(below, '/') && allowed(strchr(below, '/') + 1));
		CHECK(strcspn(below, "/") < sizeof(text));
		memcpy(text, below, strcspn(below, "/"));
	} else {
		CHECK(!strncmp(path, "sys/bus/pci/drivers", 19) && len < sizeof(text));
		CHECK(ends(path, "/bind") || ends(path, "/unbind") ||
		      ends(path, "/drivers_probe"));
		memcpy(text, data, len);
	}
	CHECK(pci_address_parse(text, &address) && named(address));
}

static int load(struct module_loader *loader, const char *name)
{
	(void)loader, (void)name;
	return -ENOENT;
}

struct before {
	bool override_known, driver_known;
	char override[PCI_DRIVER_LEN], driver[PCI_DRIVER_LEN];
};

/* What the kernel could have said: one line, and uevent and link agree. */
static void look(struct fs *fs, const struct pci_function *f, struct before *ret)
{
	ret->override_known = driver_override_read(fs, f->address, ret->override) == 0 &&
			      !strchr(ret->override, '\n');
	ret->driver_known = f->known &&
			    driver_current(fs, f->address, ret->driver) == 0 &&
			    !strcmp(ret->driver, f->driver);
}

static bool is_claimed(const struct report *r, struct pci_address address)
{
	for (unsigned i = 0; i < r->n_claims; i++)
		for (unsigned k = 0; k < r->claims[i].n; k++) {
			const struct report_function *f =
				&r->functions[r->claims[i].first + k];

			if (r->claims[i].outcome == OUTCOME_CLAIMED && f->found &&
			    pci_address_compare(f->address, address) == 0)
				return true;
		}
	return false;
}

static void check_claims(struct tree *tree, const struct report *r)
{
	char driver[PCI_DRIVER_LEN];
	bool any = false;

	CHECK(r->n_claims <= CONF_MAX_CLAIMS && r->n_functions <= CONF_MAX_FUNCTIONS);
	for (unsigned i = 0; i < r->n_claims; i++) {
		const struct report_claim *c = &r->claims[i];

		CHECK(c->name[0] && (!c->n || c->first + c->n <= r->n_functions));
		CHECK((c->outcome == OUTCOME_CLAIMED) == (c->reason == REASON_NONE));
		CHECK(c->reason == REASON_NONE || c->detail[0]);
		CHECK(c->reason != REASON_DEADLINE);
		any |= c->outcome == OUTCOME_CLAIMED;
		for (unsigned k = 0; c->outcome == OUTCOME_CLAIMED && k < c->n; k++) {
			const struct report_function *f = &r->functions[c->first + k];

			if (f->optional && f->match == MATCH_ABSENT)
				continue;
			CHECK(f->found &&
			      (f->match == MATCH_EXACT || f->match == MATCH_MOVED));
			CHECK(driver_current(&tree->fs, f->address, driver) == 0);
			CHECK(!strcmp(driver, "vfio-pci") &&
			      !strcmp(f->driver, "vfio-pci"));
			CHECK(f->group >= 0);
		}
	}
	CHECK((r->outcome == OUTCOME_CLAIMED || r->outcome == OUTCOME_PARTIAL) == any ||
	      r->reason != REASON_NONE || r->n_claims == 0);
	CHECK(any || r->outcome == OUTCOME_KEPT || r->reason == REASON_NONE);
}

static void check_json(const struct report *r)
{
	static char text[JSON_MAX];
	struct str s;

	str_init(&s, text, sizeof(text));
	report_add_json(&s, r);
	CHECK(!s.cut && json_valid(text));
}

/* What is not claimed has the override and the driver that it had. */
static void check_given_back(struct tree *tree, const struct report *r,
			     const struct pci_list *list, const struct before *before)
{
	char now[PCI_DRIVER_LEN];

	for (size_t i = 0; i < list->n; i++) {
		const struct pci_address at = list->functions[i].address;

		if (is_claimed(r, at))
			continue;
		if (before[i].override_known) {
			CHECK(driver_override_read(&tree->fs, at, now) == 0);
			CHECK(!strcmp(now, before[i].override));
		}
		if (before[i].driver_known) {
			CHECK(driver_current(&tree->fs, at, now) == 0);
			CHECK(!strcmp(now, before[i].driver));
		}
	}
}

static int find_none(struct partition_finder *finder, struct fs *root,
		     const char *partuuid, struct partition *ret)
{
	(void)finder, (void)root, (void)partuuid, (void)ret;
	return -ENODEV;
}

/* By way of the file, as a boot does it. */
static void settle(struct tree *tree, struct start *start)
{
	for (unsigned i = 0; i < start->state->report.n_claims; i++)
		CHECK(start->state->report.claims[i].outcome != OUTCOME_CLAIMED);
	memset(start->state, 0xa5, sizeof(*start->state));
	/* what cannot be read back stays held: nobody is there to release it */
	if (state_take(&tree->fs, start->state) < 0) {
		memset(start->state, 0, sizeof(*start->state));
		return;
	}
	start->finder.find = find_none;
	settle_run(start);
	for (unsigned i = 0; i < start->state->report.n_claims; i++)
		CHECK(start->state->report.claims[i].outcome != OUTCOME_HELD);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct start_state state;
	static struct start_work work;
	struct tree *tree = tree_new(data, size);
	struct start start = {
		.root = &tree->fs, .here = &tree->fs, .state = &state, .work = &work
	};
	struct pci_list list;
	struct before *before;
	struct kargs_choice choice = { .mode = KARGS_OFF };
	const struct tree_entry *e = tree_get(tree, '@', "proc/cmdline");
	bool persistent = false;

	if (pci_scan(&tree->fs, &list) < 0)
		list = (struct pci_list){ 0 };
	before = calloc(list.n + 1, sizeof(*before));
	CHECK(before);
	for (size_t i = 0; i < list.n; i++)
		look(&tree->fs, &list.functions[i], &before[i]);
	for (size_t i = 0; i < tree->n; i++)
		persistent |= tree->entries[i].kind == '!';
	if (e)
		kargs_choose(e->data, &choice);
	tree->watch = watch;
	/* a captured machine's record is a file */
	tree->fs.captured = tree->fs.ops->exists(&tree->fs, "boot") == 0 ||
			    store_efi_present(&tree->fs);
	/* one that was captured without a command line is not off */
	if (!e && tree->fs.captured)
		choice.mode = KARGS_ON;
	tree->read_only = choice.mode == KARGS_OFF || choice.mode == KARGS_DRY_RUN;

	memset(&state, 0, sizeof(state));
	memset(&work, 0, sizeof(work));
	state.report.stage = "start";
	reported = &state.report;
	str_copy(start.release, sizeof(start.release), "6.1.0-test");
	start.loader = (struct module_loader){ .load = load, .fs = &tree->fs };
	start_run(&start);
	if (state.hold && state.report.outcome != OUTCOME_KEPT)
		settle(tree, &start);

	check_claims(tree, &state.report);
	check_json(&state.report);
	if (!persistent)
		check_given_back(tree, &state.report, &list, before);
	start_finish(&start);
	free(before);
	pci_list_finish(&list);
	tree_free(tree);
	return 0;
}
