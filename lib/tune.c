/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tune.h"

#include <errno.h>

#include "d3cold.h"

#define PARAMETERS "sys/module/vfio_pci/parameters/"
#define TRIES 3 /* of a write that gives something back */

/* ---- what there is */

static int read_leaf(struct fs *fs, struct pci_address address, const char *leaf,
		     char *buf, size_t size)
{
	char path[FS_PATH_MAX];

	pci_device_path(path, sizeof(path), address, leaf);
	return fs_read_text(fs, path, buf, size);
}

static int write_leaf(struct fs *fs, struct pci_address address, const char *leaf,
		      const char *text)
{
	char path[FS_PATH_MAX];

	pci_device_path(path, sizeof(path), address, leaf);
	return fs_write_text(fs, path, text);
}

int tune_sizes(struct fs *fs, struct pci_address address, unsigned bar, uint64_t *ret)
{
	char leaf[] = "resource0_resize", text[32];
	const char *p = text;
	int r;

	leaf[8] = (char)('0' + bar);
	r = read_leaf(fs, address, leaf, text, sizeof(text));
	if (r < 0)
		return r;
	return str_take_hex(&p, 1, 16, ret) && !*p ? 0 : -EPROTO;
}

int tune_resets(struct fs *fs, struct pci_address address, char *buf, size_t size)
{
	return read_leaf(fs, address, "reset_method", buf, size);
}

/* A line for each BAR: start, end and flags. */
static int read_size(struct fs *fs, struct pci_address address, unsigned bar, char *buf,
		     size_t size)
{
	char text[1024];
	const char *p = text;
	struct str s;
	uint64_t start, end;
	unsigned bit = 0;
	int r;

	r = read_leaf(fs, address, "resource", text, sizeof(text));
	if (r < 0)
		return r;
	for (; bar > 0 && *p; p += *p == '\n') {
		p += strcspn(p, "\n");
		bar--;
	}
	if (!str_take_text(&p, "0x") || !str_take_hex(&p, 1, 16, &start) ||
	    !str_take_text(&p, " 0x") || !str_take_hex(&p, 1, 16, &end))
		return -EPROTO;
	while (bit < TUNE_SIZES && end - start + 1 != 1ULL << (20 + bit))
		bit++;
	str_init(&s, buf, size);
	str_add_uint(&s, bit);
	return bit < TUNE_SIZES ? 0 : -ERANGE;
}

/* ---- what is offered */

static enum tune unreadable(struct str *why, const char *what, int r)
{
	str_join(why, what, " cannot be read: ", str_errno(r), NULL);
	return TUNE_E_UNREADABLE;
}

static enum tune check_rebar(struct fs *fs, struct pci_address address,
			     const struct setting *want, struct str *why)
{
	uint64_t sizes;
	int r;

	r = tune_sizes(fs, address, want->bar, &sizes);
	if (r < 0 && r != -ENOENT)
		return unreadable(why, "what sizes the BAR can have", r);
	if (r == 0 && sizes >> want->size & 1)
		return TUNE_OFFERED;
	str_add(why, r < 0 ? "this BAR cannot be resized" : "this BAR can have");
	for (unsigned i = 0; r == 0 && i < TUNE_SIZES; i++) {
		if (!(sizes >> i & 1))
			continue;
		str_add_char(why, ' ');
		setting_add_size(why, i);
	}
	return TUNE_E_REFUSED;
}

/* Whether each word of `words` is in `list`. */
static bool all_in(const char *list, const char *words)
{
	for (size_t len; *words; words += len + (words[len] == ' ')) {
		len = strcspn(words, " ");
		if (!str_has_word(list, words, len))
			return false;
	}
	return true;
}

static enum tune check_reset(struct fs *fs, struct pci_address address,
			     const struct setting *want, struct str *why)
{
	char list[128];
	int r;

	r = tune_resets(fs, address, list, sizeof(list));
	if (r < 0 && r != -ENOENT)
		return unreadable(why, "reset_method", r);
	if (r == 0 && all_in(list, want->reset))
		return TUNE_OFFERED;
	if (r == 0)
		str_join(why, "its reset methods are ", *list ? list : "none", NULL);
	else
		str_add(why, "the kernel knows no way to reset it");
	return TUNE_E_REFUSED;
}

static enum tune check_idle(struct fs *fs, struct pci_address address,
			    const struct setting *want, struct str *why)
{
	bool power = true;
	char text[8];
	int r = 0;

	if (want->idle != SETTING_IDLE_ON)
		r = pci_power_read(fs, address, &power);
	if (r < 0)
		return unreadable(why, "its capabilities", r);
	if (!power) {
		str_add(why, "it has no power management capability");
		return TUNE_E_REFUSED;
	}
	if (want->idle == SETTING_IDLE_D3COLD)
		r = read_leaf(fs, address, "d3cold_allowed", text, sizeof(text));
	if (r < 0 && r != -ENOENT)
		return unreadable(why, "d3cold_allowed", r);
	if (r == -ENOENT)
		str_add(why, "this kernel does not let it go to D3cold");
	else if (want->idle == SETTING_IDLE_D3COLD &&
		 d3cold_of(fs, address) == D3COLD_NEVER)
		str_add(why, "the firmware cannot cut its power; d3hot is what it has");
	else
		return TUNE_OFFERED;
	return TUNE_E_REFUSED;
}

enum tune tune_check(struct fs *fs, struct pci_address address,
		     const struct setting *want, enum setting_key key, struct str *why)
{
	switch (key) {
	case SETTING_REBAR:
		return check_rebar(fs, address, want, why);
	case SETTING_RESET:
		return check_reset(fs, address, want, why);
	case SETTING_IDLE:
		return check_idle(fs, address, want, why);
	default:
		return TUNE_OFFERED; /* vfio-pci decides: tune_check_parameters() */
	}
}

/* ---- notes */

void tune_add_name(struct str *s, struct pci_address address, const struct setting *want,
		   enum setting_key key)
{
	pci_address_add(s, address);
	str_join(s, ": ", setting_name(key), " = ", NULL);
	setting_add(s, want, key);
	str_add(s, ": ");
}

/* What does not fit is left out. */
static struct str note(struct tune_notes *notes, enum setting_key key)
{
	static char nowhere[1];
	struct tune_note *n = &notes->notes[notes->n];

	if (notes->n == TUNE_MAX_NOTES)
		return STR_ON(nowhere);
	notes->n++;
	n->key = (uint8_t)key;
	return STR_ON(n->text);
}

static void note_refused(struct tune_notes *notes, struct pci_address address,
			 const struct setting *want, enum setting_key key,
			 const char *why, bool untouched)
{
	struct str s = note(notes, key);

	tune_add_name(&s, address, want, key);
	str_join(&s, why, untouched ? "; left as it was" : "; it is NOT as it was", NULL);
}

/* ---- setting */

struct knob {
	enum setting_key key;
	char leaf[20];
	unsigned bar;
	char *before; /* in the undo */
	size_t size;
};

static struct knob knob_of(enum setting_key key, unsigned bar, struct tune_undo *undo)
{
	struct knob k = {
		.key = key, .bar = bar, .before = undo->reset, .size = sizeof(undo->reset)
	};
	struct str s = STR_ON(k.leaf);

	if (key == SETTING_REBAR) {
		k.before = undo->rebar;
		k.size = sizeof(undo->rebar);
		str_add(&s, "resource");
		str_add_uint(&s, bar);
		str_add(&s, "_resize");
	} else if (key == SETTING_IDLE) {
		k.before = undo->idle;
		k.size = sizeof(undo->idle);
		str_add(&s, "d3cold_allowed");
	} else {
		str_add(&s, "reset_method");
	}
	return k;
}

static int knob_read(struct fs *fs, struct pci_address address, const struct knob *k,
		     char *buf, size_t size)
{
	return k->key == SETTING_REBAR ? read_size(fs, address, k->bar, buf, size)
				       : read_leaf(fs, address, k->leaf, buf, size);
}

/* Writes what is not so already. 0 once it reads back, or why not. */
static int knob_turn(struct fs *fs, struct pci_address address, const struct knob *k,
		     const char *value, unsigned tries)
{
	char now[SETTING_RESET_LEN];
	int written = 0, r;

	for (;; tries--) {
		r = knob_read(fs, address, k, now, sizeof(now));
		if (r == 0 && str_equal(now, value))
			return 0;
		if (!tries)
			return written < 0 ? written : r < 0 ? r : -EIO;
		written = write_leaf(fs, address, k->leaf, value);
	}
}

/* What reads back once it is so; NULL: nothing to write before the function is bound. */
static const char *knob_value(const struct setting *want, enum setting_key key, char *buf,
			      size_t size)
{
	struct str s;

	if (key == SETTING_RESET)
		return want->reset;
	if (key == SETTING_REBAR) {
		str_init(&s, buf, size);
		str_add_uint(&s, want->size);
		return buf;
	}
	if (key != SETTING_IDLE || want->idle == SETTING_IDLE_ON)
		return NULL;
	return want->idle == SETTING_IDLE_D3COLD ? "1" : "0";
}

/* False, with why, if it is not so afterwards. */
static bool set(struct fs *fs, struct pci_address address, const struct setting *want,
		enum setting_key key, struct tune_undo *undo, struct str *why)
{
	struct knob k = knob_of(key, want->bar, undo);
	char buf[4];
	const char *value = knob_value(want, key, buf, sizeof(buf));
	int r;

	if (tune_check(fs, address, want, key, why) != TUNE_OFFERED)
		return false;
	if (!value)
		return true;
	r = knob_read(fs, address, &k, k.before, k.size);
	if (r < 0) {
		(void)unreadable(why, "what it is now", r);
		return false;
	}
	if (str_equal(k.before, value))
		return true;
	undo->begun |= (uint8_t)(1 << key);
	undo->bar = want->bar;
	r = knob_turn(fs, address, &k, value, 1);
	if (r == 0)
		return true;
	str_join(why, "the kernel refuses it: ", str_errno(r), NULL);
	if (knob_turn(fs, address, &k, k.before, TRIES) == 0)
		undo->begun &= (uint8_t) ~(1 << key);
	return false;
}

void tune_before(struct fs *fs, struct pci_address address, const struct setting *want,
		 struct tune_undo *undo, struct tune_notes *notes)
{
	char text[160];

	for (unsigned key = 0; key < SETTING_KEYS; key++) {
		struct str why = STR_ON(text);

		if (setting_says(want, key) && !set(fs, address, want, key, undo, &why))
			note_refused(notes, address, want, key, text,
				     !(undo->begun >> key & 1));
	}
}

void tune_after(struct fs *fs, struct pci_address address, const struct setting *want,
		struct tune_notes *notes)
{
	struct knob k = { .key = SETTING_IDLE, .leaf = "power/control" };
	int r;

	if (!setting_says(want, SETTING_IDLE))
		return;
	r = knob_turn(fs, address, &k, want->idle == SETTING_IDLE_ON ? "on" : "auto", 1);
	if (r < 0)
		note_refused(notes, address, want, SETTING_IDLE, str_errno(r), true);
}

bool tune_restore(struct fs *fs, struct pci_address address, struct tune_undo *undo,
		  struct str *lost)
{
	bool whole = true;

	for (unsigned key = 0; key < SETTING_KEYS; key++) {
		struct knob k = knob_of(key, undo->bar, undo);

		if (!(undo->begun >> key & 1))
			continue;
		if (knob_turn(fs, address, &k, k.before, TRIES) < 0) {
			str_join(lost, whole ? "; not as it was: " : ", ",
				 setting_name(key), NULL);
			whole = false;
		}
	}
	undo->begun = 0;
	return whole;
}

void tune_default(struct fs *fs, struct pci_address address, const struct setting *want,
		  struct str *lost)
{
	static const struct {
		enum setting_key key;
		const char *leaf, *value;
	} defaults[] = {
		{ SETTING_RESET, "reset_method", "default" },
		{ SETTING_IDLE, "d3cold_allowed", "1" },
	};
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
		if (!setting_says(want, defaults[i].key))
			continue;
		r = write_leaf(fs, address, defaults[i].leaf, defaults[i].value);
		/* what a function does not have was not changed, either */
		if (r == 0 || r == -ENOENT)
			continue;
		str_add(lost, "; ");
		tune_add_name(lost, address, want, defaults[i].key);
		str_join(lost, "not as before the claim: ", str_errno(r), NULL);
	}
}

/* ---- what vfio-pci has one value for */

void tune_vote(struct tune_votes *votes, const struct setting *want)
{
	const bool idle = setting_says(want, SETTING_IDLE);

	votes->unsaid |= !idle;
	votes->on |= idle && want->idle == SETTING_IDLE_ON;
	votes->asleep |= idle && want->idle != SETTING_IDLE_ON;
	if (setting_says(want, SETTING_VGA)) {
		votes->vga |= want->vga;
		votes->no_vga |= !want->vga;
	}
}

/*
 * One that is to stay awake can be kept so by itself (power/control), so only what all of
 * them say is made the rule.
 */
void tune_parameters(const struct tune_votes *votes, struct module_loader *loader)
{
	unsigned n = 0;

	if (votes->vga != votes->no_vga)
		loader->parameters[n++] = votes->vga ? "disable_vga=0" : "disable_vga=1";
	if (votes->asleep)
		loader->parameters[n++] = "disable_idle_d3=0";
	else if (votes->on && !votes->unsaid)
		loader->parameters[n++] = "disable_idle_d3=1";
	loader->parameters[n] = NULL;
}

/* -ENOENT if there is no such parameter. */
static int disabled(struct fs *fs, const char *path)
{
	char text[4];
	int r = fs_read_text(fs, path, text, sizeof(text));

	return r < 0 ? r : text[0] == 'Y';
}

static void note_parameter(struct tune_notes *notes, enum setting_key key,
			   const char *said, const char *parameter, bool is)
{
	struct str s = note(notes, key);

	str_join(&s, said, ": vfio-pci has ", parameter, is ? "=Y" : "=N",
		 ", which it takes when it is loaded: the kernel argument vfio-pci.",
		 parameter, is ? "=0" : "=1", " says otherwise", NULL);
}

/* Without its parameter vfio-pci was built without VGA, and gives no guest any. */
static void check_vga(struct fs *fs, const struct tune_votes *votes,
		      struct tune_notes *notes)
{
	const int r = disabled(fs, PARAMETERS "disable_vga");
	struct str s;

	if (r != -ENOENT && (r == 1) != votes->no_vga) {
		note_parameter(notes, SETTING_VGA, votes->vga ? "vga = yes" : "vga = no",
			       "disable_vga", votes->vga);
	} else if (r == -ENOENT && votes->vga) {
		s = note(notes, SETTING_VGA);
		str_add(&s, "vga = yes: this kernel's vfio-pci has no VGA "
			    "(CONFIG_VFIO_PCI_VGA)");
	}
}

void tune_check_parameters(struct fs *fs, const struct tune_votes *votes,
			   struct tune_notes *notes)
{
	struct str s;

	if (votes->vga && votes->no_vga) {
		s = note(notes, SETTING_VGA);
		str_add(&s, TUNE_DISAGREE);
	} else if (votes->vga || votes->no_vga) {
		check_vga(fs, votes, notes);
	}
	if (votes->asleep && disabled(fs, PARAMETERS "disable_idle_d3") == 1)
		note_parameter(notes, SETTING_IDLE, "idle", "disable_idle_d3", true);
}
