/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boots.h"

#include <stdlib.h>

#include "count.h"
#include "unit.h"

#define PARTUUID "1234abcd-01"
#define MOST_ENDS 32
#define INDEX_SIZE (2 * BOOTS_MAX_CONTENTS)

static void small(struct scene *s, struct boots *b)
{
	struct fake *f = &s->fake;
	char text[128];

	fake_init(f);
	s->conf[0] = '\0';
	f->conf = s->conf;
	fake_add(f, ROOT_PORT, NULL, "8086:460d", "1043:8694", 0x060400, 1);
	fake_add(f, HOST_GPU, NULL, "8086:4680", "1043:8694",
		 b->display_left ? 0x030000 : 0x028000, 2);
	fake_add(f, GPU, ROOT_PORT, "10de:2484", "1043:87c1", 0x030000, 1);
	snprintf(text, sizeof(text),
		 "[host]\nrequire-display = no\nmax-attempts = %u\nrecord = %s\n",
		 b->max_attempts, b->kind == RECORD_EFI ? "auto" : "PARTUUID=" PARTUUID);
	scene_conf(s, text);
	scene_claim(s, "gaming", GPU, NULL);
	f->efi = b->kind == RECORD_EFI;
	fake_add_partition(f, "/dev/sda1", PARTUUID);
}

static void empty(struct scene *s)
{
	(void)s;
}

static struct fake_volume *volume_of(struct boots *b)
{
	return &b->scene->fake.volumes[b->kind == RECORD_EFI ? 0 : 1];
}

static void prepare(struct boots *b, unsigned content, unsigned fingerprint,
		    enum boots_store store)
{
	struct fake *f = &b->scene->fake;
	struct fake_volume *v = volume_of(b);

	scene_copy(b->scene, b->before);
	/* the kernel is all that differs between the fingerprints */
	f->release[2] = (char)('1' + fingerprint);
	v->record = b->contents[content].file;
	v->record.immutable = true;
	if (store == STORE_READ_ONLY)
		v->mounted = FAKE_READ_ONLY;
	else if (store == STORE_FULL)
		v->write_error = ENOSPC;
	else if (store == STORE_BROKEN)
		fake_fail(f, b->kind == RECORD_EFI ? "VfioClaim" : "vfio-claim.record",
			  EIO, 0);
	else if (store == STORE_STUCK)
		v->mount_error = EIO;
	else if (store == STORE_GONE && b->kind == RECORD_EFI)
		f->efi = false;
	else if (store == STORE_GONE)
		v->partuuid = "1234abcd-02";
	b->runs++;
}

void boots_init(struct boots *b, enum record_kind kind, unsigned max_attempts, bool model,
		bool display_left)
{
	const size_t cells = (size_t)BOOTS_MAX_CONTENTS * BOOTS_FINGERPRINTS;

	*b = (struct boots){ .kind = kind,
			     .max_attempts = max_attempts,
			     .model = model,
			     .display_left = display_left };
	b->scene = scene_new(empty);
	b->before = scene_new(empty);
	small(b->before, b);
	b->contents = calloc(BOOTS_MAX_CONTENTS, sizeof(*b->contents));
	b->memory = calloc(cells * STORE_KINDS, sizeof(*b->memory));
	b->changes = calloc(cells * CHANGES, sizeof(*b->changes));
	b->index = calloc(INDEX_SIZE, sizeof(*b->index));
	assert_true(b->contents && b->memory && b->changes && b->index);
	b->contents[CONTENT_NONE].whole = true;
	b->contents[CONTENT_DAMAGED].file = (struct fake_file){ .there = true, .len = 7 };
	b->n_contents = 2;
	for (unsigned i = 0; i < BOOTS_FINGERPRINTS; i++) {
		prepare(b, CONTENT_NONE, i, STORE_GOOD);
		scene_run(b->scene);
		b->hashes[i] = b->scene->state.report.record.fingerprint;
		assert_true(b->hashes[i] && (!i || b->hashes[i] != b->hashes[i - 1]));
	}
}

void boots_finish(struct boots *b)
{
	const size_t cells = (size_t)b->n_contents * BOOTS_FINGERPRINTS;

	for (size_t i = 0; i < cells * STORE_KINDS; i++)
		free(b->memory[i].ends);
	for (size_t i = 0; i < cells * CHANGES; i++)
		free(b->changes[i].ends);
	free(b->memory);
	free(b->changes);
	free(b->index);
	free(b->contents);
	scene_free(b->scene);
	scene_free(b->before);
}

/* ---- contents */

static unsigned learn(struct boots *b, const struct fake_file *file)
{
	const size_t prefix = b->kind == RECORD_EFI ? 4 : 0;
	struct record_table table;
	uint64_t sum;
	size_t cell;

	if (!file->there)
		return CONTENT_NONE;
	if (file->len < prefix || !record_decode((const uint8_t *)file->data + prefix,
						 file->len - prefix, &table))
		return CONTENT_DAMAGED;
	memcpy(&sum, file->data + file->len - sizeof(sum), sizeof(sum));
	for (cell = sum % INDEX_SIZE; b->index[cell]; cell = (cell + 1) % INDEX_SIZE)
		if (memcmp(b->contents[b->index[cell]].file.data, file->data,
			   file->len) == 0)
			return b->index[cell];
	assert_true(b->n_contents < BOOTS_MAX_CONTENTS);
	b->contents[b->n_contents] =
		(struct boots_content){ .file = *file, .whole = true, .table = table };
	b->index[cell] = b->n_contents;
	return b->n_contents++;
}

struct record_slot boots_slot(struct boots *b, unsigned content, unsigned fingerprint)
{
	if (!b->contents[content].whole)
		return (struct record_slot){ 0 };
	return record_find(&b->contents[content].table, b->hashes[fingerprint]);
}

/* ---- one run */

static int open_store(struct boots *b, bool writable, struct store *ret)
{
	const struct partition partition = { .device = "/dev/sda1", .type = "ext4" };
	struct fs *root = &b->scene->fake.fs;

	return b->kind == RECORD_EFI
		       ? store_open_efi(root, ret)
		       : store_open_partition(root, &partition,
					      writable ? MOUNT_WRITE : MOUNT_READ, ret);
}

/* Returns whether something is bound. */
static bool boot_model(struct boots *b, unsigned fingerprint)
{
	struct record record = { .fingerprint = b->hashes[fingerprint] };
	struct store store;
	enum count count;
	int error;

	if (open_store(b, true, &store) < 0)
		return false;
	count = count_in(&store, b->max_attempts, true, &record, &error);
	store_finish(&store);
	return count == COUNT_DONE;
}

static bool boot_whole(struct boots *b)
{
	scene_run(b->scene);
	if (b->kind == RECORD_PARTITION && b->scene->fake.state_len)
		assert_int_equal(scene_settle(b->scene), 0);
	assert_true(fake_unmounted());
	return b->scene->state.report.outcome == OUTCOME_CLAIMED;
}

/* What is cut off in the middle can leave nothing but the store. */
static bool bound_ever(const struct fake *f, unsigned *ret_at)
{
	*ret_at = 0;
	for (unsigned i = 0; i < f->n_functions; i++)
		if (f->functions[i].bound_at &&
		    (!*ret_at || f->functions[i].bound_at < *ret_at))
			*ret_at = f->functions[i].bound_at;
	return *ret_at != 0;
}

bool boots_uncounted(const struct boots *b, enum boots_store store)
{
	return b->display_left && (store == STORE_READ_ONLY || store == STORE_FULL ||
				   (store == STORE_GONE && b->kind == RECORD_EFI));
}

/* What holds for each boot, whatever came before. */
static void judge_boot(struct boots *b, unsigned content, unsigned fingerprint,
		       enum boots_store store, bool bound, unsigned bound_at)
{
	const struct record_slot slot = boots_slot(b, content, fingerprint);
	const struct fake *f = &b->scene->fake;
	const struct fake_volume *v = volume_of(b);
	const bool uncounted = boots_uncounted(b, store);

	assert_that(!slot.confirmed || !v->writes, "a confirmed boot wrote");
	assert_false(v->quick);
	if (!bound)
		return;
	if (!slot.confirmed && !b->model &&
	    !(v->written_at && v->written_at < bound_at)) {
		assert_that(uncounted,
			    "kind %d, store %d, %u attempts known: bound at access %u, "
			    "counted at %u",
			    b->kind, store, slot.attempts, bound_at, v->written_at);
		assert_true(b->scene->state.report.n_warnings);
		assert_string_equal(b->scene->state.report.warnings[0].code,
				    "record-unavailable");
	}
	/* there is no good record to ask */
	if (uncounted && store == STORE_GONE)
		return;
	assert_that(b->contents[content].whole, "bound with a damaged record");
	assert_that(slot.confirmed || slot.attempts < b->max_attempts,
		    "bound after %u attempts, access %u", slot.attempts, f->kill_at);
}

/* The power goes, or, with `error`, an access does its work and fails all the same. */
struct cut {
	unsigned at; /* 0: nothing happens */
	bool after, error;
	enum fake_torn torn;
};

static void arm(struct fake *f, const struct cut *cut)
{
	if (cut->error) {
		f->faults[1] =
			(struct fake_fault){ .at = cut->at, .error = EIO, .after = true };
		return;
	}
	f->kill_at = cut->at;
	f->kill_after = cut->after;
	f->torn = cut->torn;
}

static struct boots_end boot_once(struct boots *b, unsigned content, unsigned fingerprint,
				  unsigned store, struct cut cut)
{
	struct fake *f = &b->scene->fake;
	struct boots_end end = { .content = content };
	/* not in a register, which longjmp() would bring back */
	static bool up;
	unsigned bound_at;
	jmp_buf out;

	prepare(b, content, fingerprint, store);
	arm(f, &cut);
	up = false;
	if (!setjmp(out)) {
		fake_power_cut = &out;
		up = b->model ? boot_model(b, fingerprint) : boot_whole(b);
	} else {
		machine_finish(&b->scene->work.machine);
		(void)fake_unmounted();
	}
	fake_power_cut = NULL;
	end.up = up;
	end.bound = bound_ever(f, &bound_at) || (b->model && up);
	end.content = learn(b, &volume_of(b)->record);
	judge_boot(b, content, fingerprint, store, end.bound, bound_at);
	return end;
}

/* As vfio-claim confirm does it. */
static bool change_once(struct boots *b, unsigned content, unsigned fingerprint,
			enum boots_change change)
{
	const uint64_t hash = b->hashes[fingerprint];
	struct record_table table = { 0 }, before;
	struct store store;
	int r;

	if (open_store(b, true, &store) < 0)
		return false;
	r = store_read(&store, &table);
	assert_int_equal(r, b->contents[content].whole ? 0 : -EBADMSG);
	if (r < 0)
		table = (struct record_table){ 0 };
	before = table;
	for (unsigned i = 0; change == CHANGE_RETRY && i < RECORD_SLOTS; i++)
		if (!table.slots[i].confirmed)
			table.slots[i] = (struct record_slot){ 0 };
	if (change == CHANGE_CONFIRM)
		record_confirm(&table, hash);
	if (change == CHANGE_REVOKE)
		record_revoke(&table, hash);
	if (r < 0 ? change == CHANGE_RETRY : !record_equal(&before, &table))
		r = store_write(&store, &table);
	store_finish(&store);
	return r == 0;
}

static struct boots_end change_cut(struct boots *b, unsigned content,
				   unsigned fingerprint, unsigned change, struct cut cut)
{
	struct fake *f = &b->scene->fake;
	static bool up;
	jmp_buf out;

	prepare(b, content, fingerprint, STORE_GOOD);
	arm(f, &cut);
	up = false;
	if (!setjmp(out)) {
		fake_power_cut = &out;
		up = change_once(b, content, fingerprint, change);
	}
	fake_power_cut = NULL;
	(void)fake_unmounted();
	return (struct boots_end){ .content = learn(b, &volume_of(b)->record), .up = up };
}

/* ---- all of them */

static void add(struct boots_ends *ends, struct boots_end end)
{
	for (unsigned i = 0; i < ends->n; i++)
		if (ends->ends[i].content == end.content &&
		    ends->ends[i].bound == end.bound && ends->ends[i].up == end.up)
			return;
	assert_true(ends->n < MOST_ENDS);
	ends->ends[ends->n++] = end;
}

typedef struct boots_end once_fn(struct boots *b, unsigned content, unsigned fingerprint,
				 unsigned how, struct cut cut);

static struct boots_ends all_ends(struct boots *b, unsigned content, unsigned fingerprint,
				  unsigned how, once_fn *once)
{
	struct boots_ends ends = { .ends = calloc(MOST_ENDS, sizeof(*ends.ends)) };
	const struct fake *f = &b->scene->fake;
	unsigned total, written, at;

	add(&ends, once(b, content, fingerprint, how, (struct cut){ 0 }));
	total = f->accesses;
	written = volume_of(b)->written_at;
	/* what comes before cannot know what the record holds: once is enough */
	at = content == CONTENT_NONE ? 1 : volume_of(b)->mounted_at;
	for (; at <= total; at++) {
		add(&ends, once(b, content, fingerprint, how, (struct cut){ .at = at }));
		add(&ends, once(b, content, fingerprint, how,
				(struct cut){ .at = at, .after = true }));
	}
	if (!written)
		return ends;
	for (enum fake_torn torn = FAKE_EMPTY; torn < FAKE_TORN_KINDS; torn++)
		add(&ends, once(b, content, fingerprint, how,
				(struct cut){ written, true, false, torn }));
	add(&ends, once(b, content, fingerprint, how,
			(struct cut){ .at = written, .error = true }));
	return ends;
}

/* Nothing can be written: it does not matter when the power goes, but that it does. */
static struct boots_ends few_ends(struct boots *b, unsigned content, unsigned fingerprint,
				  enum boots_store store)
{
	struct boots_ends ends = { .ends = calloc(2, sizeof(*ends.ends)) };
	struct boots_end end =
		boot_once(b, content, fingerprint, store, (struct cut){ 0 });

	assert_int_equal(end.content, content);
	assert_int_equal(volume_of(b)->writes, 0);
	add(&ends, end);
	end.up = false;
	add(&ends, end);
	return ends;
}

struct boots_ends boots_of(struct boots *b, unsigned content, unsigned fingerprint,
			   enum boots_store store)
{
	struct boots_ends *cell =
		&b->memory[(content * BOOTS_FINGERPRINTS + fingerprint) * STORE_KINDS +
			   store];

	if (!cell->ends)
		*cell = store == STORE_GOOD
				? all_ends(b, content, fingerprint, store, boot_once)
				: few_ends(b, content, fingerprint, store);
	return *cell;
}

struct boots_ends boots_changes(struct boots *b, unsigned content, unsigned fingerprint,
				enum boots_change change)
{
	struct boots_ends *cell =
		&b->changes[(content * BOOTS_FINGERPRINTS + fingerprint) * CHANGES +
			    change];

	if (!cell->ends)
		*cell = all_ends(b, content, fingerprint, change, change_cut);
	return *cell;
}
