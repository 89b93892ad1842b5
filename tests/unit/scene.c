/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scene.h"

#include <sys/mman.h>
#include <unistd.h>

#include "event.h"
#include "settle.h"
#include "state.h"

#include "unit.h"

void scene_desktop(struct scene *s)
{
	struct fake *f = &s->fake;

	fake_init(f);
	s->conf[0] = '\0';
	f->conf = s->conf;
	fake_add(f, HOST_BRIDGE, NULL, "8086:4660", "1043:8694", 0x060000, 0);
	fake_add(f, ROOT_PORT, NULL, "8086:460d", "1043:8694", 0x060400, 1);
	fake_add(f, HOST_GPU, NULL, "8086:4680", "1043:8694", 0x030000, 2);
	fake_add(f, GPU, ROOT_PORT, "10de:2484", "1043:87c1", 0x030000, 1);
	fake_add(f, AUDIO, ROOT_PORT, "10de:228b", "1043:87c1", 0x040300, 1);
	fake_add(f, USB, ROOT_PORT, "10de:1ad8", "1043:87c1", 0x0c0330, 1);
}

void scene_add_twin(struct scene *s)
{
	struct fake *f = &s->fake;

	fake_add(f, TWIN_PORT, NULL, "8086:460e", "1043:8694", 0x060400, 3);
	fake_add(f, TWIN, TWIN_PORT, "10de:2484", "1043:87c1", 0x030000, 3);
	fake_add(f, TWIN_AUDIO, TWIN_PORT, "10de:228b", "1043:87c1", 0x040300, 3);
}

void scene_conf(struct scene *s, const char *text)
{
	size_t len = strlen(s->conf);

	assert_true(len + strlen(text) < sizeof(s->conf));
	strcpy(s->conf + len, text);
}

static void add_path(struct str *s, const struct fake *f, const struct fake_function *fn)
{
	const struct fake_function *above =
		fn->parent == FAKE_NONE ? NULL : &f->functions[fn->parent];

	/* a new domain starts a path of its own */
	if (!above || above->address.domain != fn->address.domain) {
		pci_address_add(s, fn->address);
		return;
	}
	add_path(s, f, above);
	str_add_char(s, '/');
	str_add_hex(s, fn->address.devfn >> 3, 2);
	str_add_char(s, '.');
	str_add_hex(s, fn->address.devfn & 7, 1);
}

void scene_add_line(struct scene *s, const struct fake_function *fn, const char *words)
{
	char line[1024];
	struct str t = STR_ON(line);

	str_add(&t, "function = ");
	pci_address_add(&t, fn->address);
	str_add(&t, " path=");
	add_path(&t, &s->fake, fn);
	snprintf(line + t.len, sizeof(line) - t.len,
		 " id=%04x:%04x subsystem=%04x:%04x class=%06x", fn->ids.vendor,
		 fn->ids.device, fn->ids.subvendor, fn->ids.subdevice, fn->ids.class);
	t.len = strlen(line);
	if (fn->has_serial) {
		str_add(&t, " serial=");
		for (int byte = 7; byte >= 0; byte--) {
			str_add_hex(&t, fn->serial >> (8 * byte) & 0xff, 2);
			if (byte)
				str_add_char(&t, '-');
		}
	}
	str_join(&t, " ", words, "\n", NULL);
	assert_false(t.cut);
	scene_conf(s, line);
}

static void claim(struct scene *s, const char *words, const char *name, va_list ap)
{
	const char *address;

	scene_conf(s, "[claim ");
	scene_conf(s, name);
	scene_conf(s, "]\n");
	while ((address = va_arg(ap, const char *)))
		scene_add_line(s, fake_at(&s->fake, address), words);
}

void scene_claim(struct scene *s, const char *name, ...)
{
	va_list ap;

	va_start(ap, name);
	claim(s, "", name, ap);
	va_end(ap);
}

void scene_claim_with(struct scene *s, const char *words, const char *name, ...)
{
	va_list ap;

	va_start(ap, name);
	claim(s, words, name, ap);
	va_end(ap);
}

static struct start start_of(struct scene *s)
{
	struct start start = {
		.root = &s->fake.fs,
		.here = &s->fake.fs,
		.loader = fake_loader(&s->fake),
		.finder = fake_finder(),
		.state = &s->state,
		.work = &s->work,
		.wait = s->wait,
	};

	str_copy(start.release, sizeof(start.release), s->fake.release);
	return start;
}

void scene_run(struct scene *s)
{
	struct start start = start_of(s);

	memset(&s->state, 0, sizeof(s->state));
	memset(&s->work, 0, sizeof(s->work));
	s->state.report.stage = "start";
	start_run(&start);
	start_finish(&start);
}

void scene_run_whole(struct scene *s)
{
	struct start start = start_of(s);

	memset(&s->state, 0, sizeof(s->state));
	memset(&s->work, 0, sizeof(s->work));
	early_bounded(&start, "start");
}

static int take_state(struct scene *s)
{
	memset(&s->state, 0, sizeof(s->state));
	return state_take(&s->fake.fs, &s->state);
}

int scene_settle(struct scene *s)
{
	struct start start = start_of(s);
	int r = take_state(s);

	if (r == 0)
		settle_run(&start);
	return r;
}

int scene_settle_whole(struct scene *s)
{
	struct start start = start_of(s);
	int r = take_state(s);

	if (r == 0)
		early_bounded(&start, "settle");
	return r;
}

static int event(struct scene *s, const char *action, const char *address, bool whole)
{
	struct start start = start_of(s);
	int r;

	memset(&s->state, 0, sizeof(s->state));
	memset(&s->work, 0, sizeof(s->work));
	start.removed = str_equal(action, "remove");
	start.lock = -1;
	assert_true(pci_address_parse(address, &start.address));
	r = early_load(&start, "event");
	if (r == 0 && whole)
		early_bounded(&start, "event");
	else if (r == 0)
		event_run(&start);
	if (start.lock >= 0)
		close(start.lock);
	return r;
}

int scene_event(struct scene *s, const char *action, const char *address)
{
	return event(s, action, address, false);
}

int scene_event_whole(struct scene *s, const char *action, const char *address)
{
	return event(s, action, address, true);
}

enum reason scene_reason(const struct scene *s, const char *name)
{
	const struct report *r = &s->state.report;

	for (unsigned i = 0; i < r->n_claims; i++)
		if (!name || str_equal(r->claims[i].name, name))
			return r->claims[i].reason;
	return r->reason;
}

/* Shared, so that what a worker does to it is seen. */
struct scene *scene_new(void (*make)(struct scene *))
{
	struct scene *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_true(s != MAP_FAILED);
	make(s);
	return s;
}

void scene_free(struct scene *s)
{
	munmap(s, sizeof(*s));
}

void scene_copy(struct scene *s, const struct scene *from)
{
	/* its conf still points into `from`: that is read only */
	memcpy(&s->fake, &from->fake,
	       offsetof(struct fake, state) + from->fake.state_len);
}

static const char *differs(const struct fake_function *now,
			   const struct fake_function *before, const char *driver)
{
	static char text[256];
	char name[PCI_ADDRESS_LEN];
	struct str s = STR_ON(name);

	pci_address_add(&s, now->address);
	if (!str_equal(now->driver, driver))
		snprintf(text, sizeof(text), "%s has the driver '%s', not '%s'", name,
			 now->driver, driver);
	else if (driver == before->driver && !str_equal(now->override, before->override))
		snprintf(text, sizeof(text), "%s has the override '%s', not '%s'", name,
			 now->override, before->override);
	else if (driver == before->driver && now->rebar_size != before->rebar_size)
		snprintf(text, sizeof(text), "%s has a BAR of 2^%u MiB, not 2^%u", name,
			 now->rebar_size, before->rebar_size);
	else if (driver == before->driver &&
		 !str_equal(now->reset_method, before->reset_method))
		snprintf(text, sizeof(text), "%s resets by '%s', not '%s'", name,
			 now->reset_method, before->reset_method);
	else if (driver == before->driver &&
		 (now->d3cold_allowed != before->d3cold_allowed ||
		  now->awake != before->awake))
		snprintf(text, sizeof(text), "%s may sleep as it could not before", name);
	else
		return NULL;
	return text;
}

static const char *compare(const struct scene *s, const struct scene *before,
			   bool claimed)
{
	const char *wrong = NULL, *driver;
	char name[64];

	for (unsigned i = 0; i < s->fake.n_functions && !wrong; i++) {
		const struct fake_function *now = &s->fake.functions[i];
		struct str t = STR_ON(name);

		str_add(&t, "function = ");
		pci_address_add(&t, now->address);
		driver = claimed && strstr(before->conf, name)
				 ? "vfio-pci"
				 : before->fake.functions[i].driver;
		wrong = differs(now, &before->fake.functions[i], driver);
	}
	if (!wrong && !claimed &&
	    s->fake.framebuffer.bound != before->fake.framebuffer.bound)
		wrong = "the framebuffer is not bound any more";
	return wrong;
}

const char *scene_not_claimed(const struct scene *s, const struct scene *before)
{
	return compare(s, before, true);
}

const char *scene_not_as_found(const struct scene *s, const struct scene *before)
{
	return compare(s, before, false);
}

void assert_driver(struct scene *s, const char *address, const char *driver)
{
	assert_string_equal(fake_at(&s->fake, address)->driver, driver);
}

void assert_reason(const struct scene *s, const char *name, enum reason reason)
{
	const struct report *r = &s->state.report;

	assert_that(scene_reason(s, name) == reason, "reason is '%s', not '%s': %s / %s",
		    reason_name(scene_reason(s, name)), reason_name(reason),
		    r->n_claims ? r->claims[0].detail : "-", r->detail);
}
