/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "release.h"

#include <errno.h>
#include <time.h>

#include "act.h"
#include "driver.h"
#include "users.h"

#define WAIT_MS 5000
#define POLL_MS 100

/* udev loads what is missing: it knows the blacklists. */
static int load_nothing(struct module_loader *loader, const char *name)
{
	(void)loader;
	(void)name;
	return -EPERM;
}

static bool is_display(struct fs *root, struct pci_address address)
{
	char path[FS_PATH_MAX], class[16];

	pci_device_path(path, sizeof(path), address, "class");
	return fs_read_text(root, path, class, sizeof(class)) == 0 &&
	       str_starts(class, "0x03");
}

/* As when it was plugged in: udev loads the driver that the host has for it. */
static void announce(struct fs *root, struct pci_address address)
{
	char path[FS_PATH_MAX];

	pci_device_path(path, sizeof(path), address, "uevent");
	(void)!fs_write_text(root, path, "add");
}

static void wait_for_driver(struct fs *root, const struct report_function *f,
			    struct str *what)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	char driver[PCI_DRIVER_LEN] = "";

	for (int waited = 0; waited < WAIT_MS; waited += POLL_MS) {
		if (driver_current(root, f->address, driver) < 0 || driver[0])
			break;
		if (root->captured)
			break;
		nanosleep(&pause, NULL);
	}
	str_add(what, "; ");
	pci_address_add(what, f->address);
	if (driver[0])
		str_join(what, " is on ", driver, NULL);
	else
		str_add(what, " has no driver of the host");
}

static enum verdict release(struct fs *root, const struct report *boot,
			    const struct report_claim *claim, struct str *what)
{
	static struct act_log log;
	struct module_loader loader = { .load = load_nothing };

	log.n = claim->n;
	for (unsigned i = 0; i < claim->n; i++) {
		const struct report_function *f = &boot->functions[claim->first + i];

		log.entries[i] = (struct act_entry){
			.address = f->address,
			.override_begun = true,
		};
		/* what an old guide gave to vfio-pci before us goes to the host, too */
		if (!driver_vfio_accepts(f->previous_driver))
			str_copy(log.entries[i].previous_driver, PCI_DRIVER_LEN,
				 f->previous_driver);
	}
	str_join(what, claim->name, " was given back", NULL);
	if (!act_undo(root, &loader, &log, what))
		return VERDICT_FAILED;
	for (unsigned i = 0; i < claim->n; i++)
		announce(root, boot->functions[claim->first + i].address);
	for (unsigned i = 0; i < claim->n; i++)
		if (is_display(root, boot->functions[claim->first + i].address))
			wait_for_driver(root, &boot->functions[claim->first + i], what);
	return VERDICT_RELEASED;
}

enum verdict release_all(struct fs *root, const struct report *boot, struct str *what)
{
	enum verdict worst = VERDICT_RELEASED, verdict;
	const size_t begin = what->len;

	for (unsigned i = 0; i < boot->n_claims; i++) {
		const struct report_claim *claim = &boot->claims[i];

		if (claim->outcome != OUTCOME_CLAIMED && claim->outcome != OUTCOME_HELD)
			continue;
		if (what->len > begin)
			str_add(what, "; ");
		if (users_find(root, boot, claim, what)) {
			str_join(what, ", so ", claim->name, " was NOT given back", NULL);
			verdict = VERDICT_IN_USE;
		} else {
			verdict = release(root, boot, claim, what);
		}
		if (verdict > worst)
			worst = verdict;
	}
	return worst;
}
