/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vm.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "slurp.h"
#include "str.h"
#include "text.h"
#include "write.h"

#define MAX_NAME 60
#define MAX_JSON (256 * 1024)
#define VERSION_OF_JSON 1

const char *const vm_os_names[] = { "", "win11", "win10", "linux", NULL };
const char *const vm_flag_names[] = { "", "no", "yes", NULL };
const char *const vm_type_names[] = { "", "kvm", "qemu", NULL };
const char *const vm_bus_names[] = { "", "virtio", "sata", NULL };
const char *const vm_nic_names[] = { "", "virtio", "e1000e", NULL };
const char *const vm_display_names[] = { "", "none", "spice", NULL };
const char *const vm_sound_names[] = { "", "none", "spice", "pulse", NULL };

enum kind { TEXT, NUMBER, CHOICE, LIST };

struct field {
	const char *key;
	enum kind kind;
	size_t offset;
	const char *const *names; /* of a CHOICE */
};

#define AT(member) offsetof(struct vm, member)

static const struct field fields[] = {
	{ "name", TEXT, AT(name), NULL },
	{ "title", TEXT, AT(title), NULL },
	{ "uuid", TEXT, AT(uuid), NULL },
	{ "claim", TEXT, AT(claim), NULL },
	{ "os", CHOICE, AT(os), vm_os_names },
	{ "type", CHOICE, AT(type), vm_type_names },
	{ "emulator", TEXT, AT(emulator), NULL },
	{ "libvirt", CHOICE, AT(libvirt), vm_flag_names },
	{ "secure-boot", CHOICE, AT(secure_boot), vm_flag_names },
	{ "tpm", CHOICE, AT(tpm), vm_flag_names },
	{ "loader", TEXT, AT(loader), NULL },
	{ "loader-format", TEXT, AT(loader_format), NULL },
	{ "nvram-template", TEXT, AT(nvram_template), NULL },
	{ "nvram", TEXT, AT(nvram), NULL },
	{ "memory-mib", NUMBER, AT(memory), NULL },
	{ "cpus", NUMBER, AT(cpus), NULL },
	{ "threads", NUMBER, AT(threads), NULL },
	{ "topoext", CHOICE, AT(topoext), vm_flag_names },
	{ "address-bits", NUMBER, AT(address_bits), NULL },
	{ "address-limit", CHOICE, AT(address_limit), vm_flag_names },
	{ "hugepages", CHOICE, AT(hugepages), vm_flag_names },
	{ "hugepage-kib", NUMBER, AT(hugepage_size), NULL },
	{ "pin", CHOICE, AT(pin), vm_flag_names },
	{ "pins", LIST, AT(pins), NULL },
	{ "other-cpus", TEXT, AT(other_cpus), NULL },
	{ "nodes", TEXT, AT(nodes), NULL },
	{ "hide-kvm", CHOICE, AT(hide_kvm), vm_flag_names },
	{ "x-vga", CHOICE, AT(x_vga), vm_flag_names },
	{ "rom", TEXT, AT(rom), NULL },
	{ "disks", LIST, AT(disks), NULL },
	{ "disk-formats", LIST, AT(disk_formats), NULL },
	{ "made", LIST, AT(made), NULL },
	{ "made-bytes", LIST, AT(made_bytes), NULL },
	{ "disk-bus", CHOICE, AT(disk_bus), vm_bus_names },
	{ "isos", LIST, AT(isos), NULL },
	{ "display", CHOICE, AT(display), vm_display_names },
	{ "video", CHOICE, AT(video), vm_flag_names },
	{ "sound-server", TEXT, AT(sound_server), NULL },
	{ "sound", CHOICE, AT(sound), vm_sound_names },
	{ "network", TEXT, AT(network), NULL },
	{ "mac", TEXT, AT(mac), NULL },
	{ "nic", CHOICE, AT(nic), vm_nic_names },
	{ "usb", LIST, AT(usb), NULL },
	{ "evdev", LIST, AT(evdev), NULL },
	{ "looking-glass", TEXT, AT(looking_glass), NULL },
	{ "shared-memory-mib", NUMBER, AT(shared_memory), NULL },
};

static char **text_of(struct vm *vm, const struct field *f)
{
	return (char **)((char *)vm + f->offset);
}

/* An enum of ours is as wide as an unsigned. */
static unsigned *number_of(struct vm *vm, const struct field *f)
{
	return (unsigned *)((char *)vm + f->offset);
}

static struct vm_list *list_of(struct vm *vm, const struct field *f)
{
	return (struct vm_list *)((char *)vm + f->offset);
}

void vm_finish(struct vm *vm)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];

		if (f->kind == TEXT)
			free(*text_of(vm, f));
		for (size_t k = 0; f->kind == LIST && k < list_of(vm, f)->n; k++)
			free(list_of(vm, f)->items[k]);
	}
	*vm = (struct vm){ 0 };
}

unsigned vm_choice(const char *const *names, const char *name)
{
	for (unsigned i = 1; names[i]; i++)
		if (str_equal(names[i], name))
			return i;
	return 0;
}

bool vm_is_windows(const struct vm *vm)
{
	return vm->os == VM_WIN11 || vm->os == VM_WIN10;
}

int vm_set(char **text, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

int vm_list_add(struct vm_list *list, const char *value)
{
	if (list->n == VM_MAX_LIST)
		return -ENOSPC;
	list->items[list->n] = strdup(value);
	if (!list->items[list->n])
		return -ENOMEM;
	list->n++;
	return 0;
}

bool vm_text_ok(const char *text)
{
	const size_t size = strlen(text) + 1;
	char *clean = malloc(size);
	bool ok;

	if (!clean)
		return false;
	/* what cannot stand is '?' in the copy; XML has no U+FFFE and U+FFFF either */
	text_clean(clean, size, text);
	ok = str_equal(clean, text) && !strstr(text, "\xef\xbf\xbe") &&
	     !strstr(text, "\xef\xbf\xbf");
	free(clean);
	return ok;
}

bool vm_name_ok(const char *name)
{
	return *name && *name != '.' && *name != '-' && strlen(name) <= MAX_NAME &&
	       !strchr(name, '/') && vm_text_ok(name);
}

/* ---- JSON */

static struct json_object *value_of(struct vm *vm, const struct field *f)
{
	struct json_object *array;
	struct vm_list *list;

	switch (f->kind) {
	case TEXT:
		return *text_of(vm, f) ? json_object_new_string(*text_of(vm, f)) : NULL;
	case NUMBER:
		return json_object_new_int64(*number_of(vm, f));
	case CHOICE:
		return json_object_new_string(f->names[*number_of(vm, f)]);
	default:
		list = list_of(vm, f);
		array = json_object_new_array();
		for (size_t i = 0; i < list->n; i++)
			json_object_array_add(array,
					      json_object_new_string(list->items[i]));
		return array;
	}
}

static bool is_set(struct vm *vm, const struct field *f)
{
	return f->kind == TEXT	 ? *text_of(vm, f) != NULL
	       : f->kind == LIST ? list_of(vm, f)->n != 0
				 : *number_of(vm, f) != 0;
}

struct json_object *vm_to_json(const struct vm *vm)
{
	struct json_object *o = json_object_new_object();
	struct vm *v = (struct vm *)vm; /* it is only looked at */

	if (!o)
		return NULL;
	json_object_object_add(o, "version", json_object_new_int(VERSION_OF_JSON));
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		if (is_set(v, &fields[i]))
			json_object_object_add(o, fields[i].key, value_of(v, &fields[i]));
	return o;
}

void vm_path(char *buf, size_t size, const char *name, const char *leaf)
{
	struct str s;

	str_init(&s, buf, size);
	str_join(&s, VM_FOLDER "/", name, ".", leaf, NULL);
}

static int make_folder(void *root, const char *path)
{
	return write_folder(root, path, 0700);
}

int vm_make_folders(struct fs *root, const char *path)
{
	return write_missing(root, path, make_folder, root);
}

int vm_save(struct fs *root, const struct vm *vm)
{
	struct json_object *o = vm_to_json(vm);
	char path[FS_PATH_MAX];
	const char *text;
	int r = -ENOMEM;

	text = o ? json_object_to_json_string_ext(
			   o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE)
		 : NULL;
	vm_path(path, sizeof(path), vm->name, "json");
	if (text)
		r = vm_make_folders(root, path);
	if (text && r == 0)
		r = write_now(root, path, text, strlen(text), 0600);
	json_object_put(o);
	return r;
}

int vm_lock(struct fs *root, const struct vm *vm)
{
	char path[FS_PATH_MAX];
	int fd;

	vm_path(path, sizeof(path), vm->name, "json");
	fd = fs_open(root, path, O_RDONLY, 0);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
		const int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

static int take_list(struct vm_list *list, struct json_object *value)
{
	int r = 0;

	if (!json_object_is_type(value, json_type_array))
		return -EPROTO;
	for (size_t i = 0; r == 0 && i < json_object_array_length(value); i++) {
		struct json_object *item = json_object_array_get_idx(value, i);

		if (!json_object_is_type(item, json_type_string) ||
		    !vm_text_ok(json_object_get_string(item)))
			return -EPROTO;
		r = vm_list_add(list, json_object_get_string(item));
	}
	return r == -ENOSPC ? -EPROTO : r;
}

static int take(struct vm *vm, const struct field *f, struct json_object *value)
{
	const char *text = json_object_get_string(value);
	int64_t number;

	if (f->kind == LIST)
		return take_list(list_of(vm, f), value);
	if (f->kind == NUMBER) {
		number = json_object_get_int64(value);
		if (!json_object_is_type(value, json_type_int) || number < 0 ||
		    number > INT32_MAX)
			return -EPROTO;
		*number_of(vm, f) = (unsigned)number;
		return 0;
	}
	if (!json_object_is_type(value, json_type_string) || !vm_text_ok(text))
		return -EPROTO;
	if (f->kind == TEXT)
		return vm_set(text_of(vm, f), text);
	*number_of(vm, f) = vm_choice(f->names, text);
	return *number_of(vm, f) ? 0 : -EPROTO;
}

/* What "vm create" always writes, and what belongs together. */
static bool is_whole(const struct vm *vm)
{
	if (!vm->name || !vm->claim || !vm->uuid || !vm->mac || !vm->loader ||
	    !vm->loader_format || !vm->nvram || !vm->nvram_template || !vm->emulator ||
	    !vm->network || !vm->cpus || !vm->threads || !vm->memory || !vm->sound)
		return false;
	if (vm->pins.n && (!vm->other_cpus || !vm->nodes))
		return false;
	if (vm->sound != VM_SILENT && vm->sound != VM_SOUND_SPICE && !vm->sound_server)
		return false;
	return vm->disks.n == vm->disk_formats.n && vm->made.n == vm->made_bytes.n;
}

static int from_json(struct json_object *o, struct vm *vm)
{
	struct json_object *value;
	int r = 0;

	if (!json_object_object_get_ex(o, "version", &value) ||
	    json_object_get_int(value) != VERSION_OF_JSON)
		return -EPROTO;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(fields); i++)
		if (json_object_object_get_ex(o, fields[i].key, &value))
			r = take(vm, &fields[i], value);
	return r == 0 && !is_whole(vm) ? -EPROTO : r;
}

int vm_load(struct fs *root, const char *name, struct vm *ret)
{
	VM_OWNED struct vm vm = { 0 };
	TEXT_OWNED char *text = NULL;
	char path[FS_PATH_MAX];
	struct json_object *o;
	size_t len;
	int r;

	if (!vm_name_ok(name))
		return -ENOENT;
	vm_path(path, sizeof(path), name, "json");
	r = slurp(root, path, MAX_JSON, &text, &len);
	if (r < 0)
		return r;
	o = json_tokener_parse(text);
	r = json_object_is_type(o, json_type_object) ? from_json(o, &vm) : -EPROTO;
	json_object_put(o);
	if (r < 0)
		return r;
	if (!str_equal(vm.name, name))
		return -EPROTO;
	*ret = vm;
	vm = (struct vm){ 0 };
	return 0;
}
