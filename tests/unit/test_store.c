/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both kinds of store: over the model, and as files of a captured machine. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene.h"
#include "store.h"

#define PARTUUID "1234abcd-01"

static struct scene *s;
static struct fake *f;
static struct fake_volume *efi, *boot;
static const struct partition partition = { PARTUUID, "/dev/sda1", "ext4" };
static const struct record_table some = { { { 0x4711, 1, false }, { 7, 0, true } } };

static int begin(void **state)
{
	(void)state;
	s = scene_new(scene_desktop);
	f = &s->fake;
	f->efi = true;
	efi = &f->volumes[0];
	boot = fake_add_partition(f, "/dev/sda1", PARTUUID);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	scene_free(s);
	return fake_unmounted() ? 0 : -1;
}

static int open_kind(enum record_kind kind, bool writable, struct store *store)
{
	return kind == RECORD_EFI
		       ? store_open_efi(&f->fs, store)
		       : store_open_partition(&f->fs, &partition,
					      writable ? MOUNT_WRITE : MOUNT_READ, store);
}

static int write_some(enum record_kind kind)
{
	struct store store;
	int r = open_kind(kind, true, &store);

	assert_int_equal(r, 0);
	r = store_write(&store, &some);
	store_finish(&store);
	return r;
}

static int read_kind(enum record_kind kind, struct record_table *table)
{
	struct store store;
	int r = open_kind(kind, false, &store);

	memset(table, 0xa5, sizeof(*table));
	assert_int_equal(r, 0);
	assert_int_equal(store.kind, kind);
	r = store_read(&store, table);
	store_finish(&store);
	return r;
}

static void nothing_yet(void **state)
{
	struct record_table table;

	(void)state;
	for (enum record_kind kind = RECORD_EFI; kind <= RECORD_PARTITION; kind++) {
		assert_int_equal(read_kind(kind, &table), 0);
		assert_true(record_equal(&table, &(struct record_table){ 0 }));
	}
	assert_int_equal(efi->writes + boot->writes, 0);
}

static void written_and_read(void **state)
{
	struct record_table table;

	(void)state;
	efi->record.immutable = true;
	for (enum record_kind kind = RECORD_EFI; kind <= RECORD_PARTITION; kind++) {
		assert_int_equal(write_some(kind), 0);
		assert_int_equal(read_kind(kind, &table), 0);
		assert_true(record_equal(&table, &some));
	}
	assert_int_equal(efi->writes, 1);
	assert_int_equal(boot->writes, 1);
	assert_int_equal(efi->record.len, RECORD_SIZE + 4);
	assert_memory_equal(efi->record.data, "\7\0\0\0VFCR", 8);
	assert_int_equal(boot->record.len, RECORD_SIZE);
	assert_false(boot->quick);
	/* a folder boot/ means the root partition */
	boot->boot_folder = true;
	assert_int_equal(write_some(RECORD_PARTITION), 0);
	assert_int_equal(read_kind(RECORD_PARTITION, &table), 0);
	assert_true(record_equal(&table, &some));
}

static void what_is_no_record(void **state)
{
	static const size_t lengths[] = { 0, 3, 4, 5, 40, 79, 81, 83, 85, 100 };
	struct record_table table;

	(void)state;
	for (enum record_kind kind = RECORD_EFI; kind <= RECORD_PARTITION; kind++) {
		struct fake_file *file =
			kind == RECORD_EFI ? &efi->record : &boot->record;

		for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
			assert_int_equal(write_some(kind), 0);
			file->len = lengths[i];
			assert_that(read_kind(kind, &table) == -EBADMSG,
				    "kind %d, %zu bytes", kind, lengths[i]);
		}
		assert_int_equal(write_some(kind), 0);
		file->data[file->len / 2] ^= 1;
		assert_int_equal(read_kind(kind, &table), -EBADMSG);
		/* and it can be replaced */
		assert_int_equal(write_some(kind), 0);
		assert_int_equal(read_kind(kind, &table), 0);
	}
}

static void errors_are_forwarded(void **state)
{
	static const int errors[] = { EIO, EACCES, EROFS, ENOSPC, ENOMEM };
	struct record_table table;

	(void)state;
	for (enum record_kind kind = RECORD_EFI; kind <= RECORD_PARTITION; kind++)
		for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
			const char *path =
				kind == RECORD_EFI ? STORE_VARIABLE : STORE_FILE;

			memset(f->faults, 0, sizeof(f->faults));
			fake_fail(f, path, errors[i], 0);
			assert_int_equal(read_kind(kind, &table), -errors[i]);
			assert_int_equal(write_some(kind), -errors[i]);
		}
}

static void no_firmware_variables(void **state)
{
	struct store store;

	(void)state;
	assert_true(store_efi_present(&f->fs));
	efi->mount_error = EPERM;
	assert_int_equal(store_open_efi(&f->fs, &store), -EPERM);
	f->efi = false;
	assert_false(store_efi_present(&f->fs));
	assert_int_equal(store_open_efi(&f->fs, &store), -ENODEV);
}

static void mounted_by_the_system(void **state)
{
	static const struct {
		enum fake_mounted mounted;
		bool writable;
		int result; /* of a write */
	} cases[] = {
		{ FAKE_NOWHERE, false, -EROFS },   { FAKE_NOWHERE, true, 0 },
		{ FAKE_READ_ONLY, false, -EROFS }, { FAKE_READ_ONLY, true, -EROFS },
		{ FAKE_READ_WRITE, false, 0 },	   { FAKE_READ_WRITE, true, 0 },
	};
	struct record_table table;
	struct store store;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		boot->mounted = cases[i].mounted;
		assert_int_equal(store_open_partition(&f->fs, &partition,
						      cases[i].writable, &store),
				 0);
		assert_int_equal(store_read(&store, &table), 0);
		assert_int_equal(store_write(&store, &some), cases[i].result);
		store_finish(&store);
		store_finish(&store);
		assert_true(fake_unmounted());
	}
	efi->mounted = FAKE_READ_ONLY;
	assert_int_equal(write_some(RECORD_EFI), -EROFS);
}

static void partitions_that_cannot_be_mounted(void **state)
{
	const struct partition raw = { PARTUUID, "/dev/sda1", "" },
			       wrong = { PARTUUID, "/dev/sda1", "vfat" };
	struct store store;

	(void)state;
	assert_int_equal(store_open_partition(&f->fs, &raw, MOUNT_READ, &store), -ENODEV);
	assert_int_equal(boot->mounted_at, 0);
	assert_int_equal(store_open_partition(&f->fs, &wrong, MOUNT_READ, &store),
			 -ENODEV);
	boot->mount_error = EUCLEAN;
	assert_int_equal(store_open_partition(&f->fs, &partition, MOUNT_WRITE, &store),
			 -EUCLEAN);
}

static void the_off_file(void **state)
{
	struct store store;

	(void)state;
	for (int folder = 0; folder < 2; folder++)
		for (int off = 0; off < 2; off++) {
			boot->boot_folder = folder;
			boot->off.there = off;
			assert_int_equal(store_open_partition(&f->fs, &partition,
							      MOUNT_READ, &store),
					 0);
			assert_int_equal(store_has_off_file(&store), off);
			store_finish(&store);
		}
	/* who cannot read it has not been told */
	fake_fail(f, STORE_OFF_FILE, EIO, 0);
	assert_int_equal(store_open_partition(&f->fs, &partition, MOUNT_READ, &store), 0);
	assert_false(store_has_off_file(&store));
	store_finish(&store);
}

/* ---- a captured machine */

static char folder[256];
static struct fs root;

static const char *at(const char *path)
{
	static char text[2][600];
	static unsigned i;

	i = !i;
	snprintf(text[i], sizeof(text[i]), "%s/%s", folder, path);
	return text[i];
}

static int capture(void **state)
{
	const char *top = getenv("UNIT_TMP");

	(void)state;
	snprintf(folder, sizeof(folder), "%s/store.XXXXXX", top ? top : ".");
	if (!mkdtemp(folder) || mkdir(at("sys"), 0755) || mkdir(at("boot"), 0755) ||
	    mkdir(at("sys/firmware"), 0755) || mkdir(at("sys/firmware/efi"), 0755))
		return -1;
	return fs_init(&root, folder);
}

static int release(void **state)
{
	char command[512];

	(void)state;
	fs_finish(&root);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static size_t size_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(at(path), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	return (size_t)st.st_size;
}

static void round_trip(struct store *store)
{
	struct record_table table;

	umask(022);
	assert_int_equal(store_read(store, &table), 0);
	assert_true(record_equal(&table, &(struct record_table){ 0 }));
	assert_int_equal(store_write(store, &some), 0);
	assert_int_equal(store_read(store, &table), 0);
	assert_true(record_equal(&table, &some));
	record_count(&table, 1);
	assert_int_equal(store_write(store, &table), 0);
	assert_int_equal(store_read(store, &table), 0);
	assert_false(record_equal(&table, &some));
	store_finish(store);
}

static void a_captured_variable(void **state)
{
	struct store store;
	struct fs view;

	(void)state;
	assert_false(store_efi_present(&root));
	assert_int_equal(store_open_efi(&root, &store), -ENOENT);
	assert_int_equal(mkdir(at("sys/firmware/efi/efivars"), 0755), 0);
	assert_true(store_efi_present(&root));
	assert_int_equal(store_open_efi(&root, &store), 0);
	round_trip(&store);
	assert_int_equal(size_of("sys/firmware/efi/efivars/" STORE_VARIABLE),
			 RECORD_SIZE + 4);
	/* nothing was mounted */
	assert_int_equal(root.ops->mount(&root, "efivarfs", NULL, MOUNT_WRITE, &view),
			 -EPERM);
	assert_int_equal(root.ops->exists(&root, "sys"), 0);
}

static void a_captured_partition(void **state)
{
	const struct partition none = { .device = "" };
	struct store store;
	FILE *file;

	(void)state;
	assert_int_equal(store_open_partition(&root, &none, MOUNT_WRITE, &store), 0);
	round_trip(&store);
	assert_int_equal(size_of("boot/" STORE_FILE), RECORD_SIZE);
	assert_int_equal(store_open_partition(&root, &none, MOUNT_WRITE, &store), 0);
	assert_false(store_has_off_file(&store));
	/* the root's own folder is not the partition's */
	file = fopen(at(STORE_OFF_FILE), "w");
	assert_non_null(file);
	fclose(file);
	assert_false(store_has_off_file(&store));
	assert_int_equal(rename(at(STORE_OFF_FILE), at("boot/" STORE_OFF_FILE)), 0);
	assert_true(store_has_off_file(&store));
	store_finish(&store);
	/* a folder in its place is no record */
	assert_int_equal(unlink(at("boot/" STORE_FILE)), 0);
	assert_int_equal(mkdir(at("boot/" STORE_FILE), 0755), 0);
	assert_int_equal(store_open_partition(&root, &none, MOUNT_WRITE, &store), 0);
	assert_int_equal(store_read(&store, &(struct record_table){ 0 }), -EISDIR);
	assert_int_not_equal(store_write(&store, &some), 0);
	store_finish(&store);
}

/* A variable that could not be written is not left behind empty. */
static void a_captured_variable_that_does_not_fit(void **state)
{
	char path[] = "sys/firmware/efi/efivars/x";

	(void)state;
	assert_int_equal(mkdir(at("sys/firmware/efi/efivars"), 0755), 0);
	assert_int_equal(symlink("/dev/full", at(path)), 0);
	assert_int_not_equal(root.ops->put_variable(&root, path, "x", 1), 0);
	assert_int_equal(unlink(at(path)), 0);
	assert_int_equal(root.ops->put_variable(&root, "sys/none/x", "x", 1), -ENOENT);
	assert_int_equal(root.ops->put_variable(&root, path, "x", 1), 0);
	assert_int_equal(root.ops->remove(&root, path), 0);
	assert_int_equal(root.ops->remove(&root, path), -ENOENT);
	assert_int_not_equal(root.ops->remove(&root, "sys/firmware"), 0);
	assert_int_equal(root.ops->exists(&root, "sys/firmware"), 0);
}

int main(void)
{
#define ON_MODEL(test) cmocka_unit_test_setup_teardown(test, begin, finish)
#define CAPTURED(test) cmocka_unit_test_setup_teardown(test, capture, release)
	const struct CMUnitTest tests[] = {
		ON_MODEL(nothing_yet),
		ON_MODEL(written_and_read),
		ON_MODEL(what_is_no_record),
		ON_MODEL(errors_are_forwarded),
		ON_MODEL(no_firmware_variables),
		ON_MODEL(mounted_by_the_system),
		ON_MODEL(partitions_that_cannot_be_mounted),
		ON_MODEL(the_off_file),
		CAPTURED(a_captured_variable),
		CAPTURED(a_captured_partition),
		CAPTURED(a_captured_variable_that_does_not_fit),
	};

	return UNIT_RUN(tests);
}
