/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scrub.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "str.h"

#define KEY_LEN 80
#define HOST_LEN 65

/* What was found, in the order of its first appearance; its number replaces it. */
struct scrub {
	char (*keys)[KEY_LEN];
	size_t n, room;
	bool failed; /* no memory */
	char host[HOST_LEN];
};

/* A word like that would be found where it is no host name. */
static bool is_common(const char *name)
{
	static const char *const words[] = {
		"localhost", "linux",	"debian",  "ubuntu", "fedora",	"arch",
		"archlinux", "nixos",	"proxmox", "pve",    "gentoo",	"opensuse",
		"suse",	     "manjaro", "root",	   "boot",   "vfio",	"kvm",
		"host",	     "desktop", "server",  "system", "default", "quiet"
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_equal(words[i], name))
			return true;
	return strlen(name) < 3;
}

void scrub_set_host(struct scrub *scrub, const char *name)
{
	str_copy(scrub->host, sizeof(scrub->host), is_common(name) ? "" : name);
}

int scrub_new(struct fs *root, struct scrub **ret)
{
	struct scrub *scrub = calloc(1, sizeof(*scrub));
	char name[256];

	if (!scrub)
		return -ENOMEM;
	if (fs_read_text(root, "proc/sys/kernel/hostname", name, sizeof(name)) == 0 ||
	    fs_read_text(root, "etc/hostname", name, sizeof(name)) == 0) {
		/* example.org of host.example.org stays */
		name[strcspn(name, ".\n")] = '\0';
		scrub_set_host(scrub, name);
	}
	*ret = scrub;
	return 0;
}

void scrub_free(struct scrub *scrub)
{
	if (!scrub)
		return;
	free(scrub->keys);
	free(scrub);
}

/* 1 and up; `kind` keeps things of different kinds apart. */
static unsigned number_of(struct scrub *s, char kind, const char *text, size_t len)
{
	char key[KEY_LEN];
	struct str k = STR_ON(key);

	str_add_char(&k, kind);
	for (size_t i = 0; i < len; i++)
		str_add_char(&k, (char)tolower((unsigned char)text[i]));
	for (size_t i = 0; i < s->n; i++)
		if (str_equal(s->keys[i], key))
			return (unsigned)i + 1;
	if (s->n == s->room) {
		size_t room = s->room ? s->room * 2 : 32;
		void *more = realloc(s->keys, room * sizeof(*s->keys));

		if (!more) {
			s->failed = true;
			return 0;
		}
		s->keys = more;
		s->room = room;
	}
	str_copy(s->keys[s->n++], KEY_LEN, key);
	return (unsigned)s->n;
}

/*
 * Length of what looks like `shape` at `c`, in which x is a hex digit; 0 if it does not,
 * or goes on.
 */
static size_t match(const char *c, const char *shape)
{
	size_t len = 0;

	for (; shape[len]; len++)
		if (shape[len] == 'x' ? !isxdigit((unsigned char)c[len])
				      : c[len] != shape[len])
			return 0;
	return isalnum((unsigned char)c[len]) ? 0 : len;
}

/* The same shape with the number in its hex digits, from the right. */
static void put_shape(FILE *out, const char *shape, unsigned number, size_t keep)
{
	char text[KEY_LEN];

	str_copy(text, sizeof(text), shape);
	for (size_t i = strlen(text) - keep; i-- > 0;) {
		if (text[i] != 'x')
			continue;
		text[i] = "0123456789abcdef"[number & 15];
		number >>= 4;
	}
	fwrite(text, 1, strlen(text) - keep, out);
}

static const struct shape {
	char kind;
	const char *shape;
	bool named; /* only behind UUID= and the like */
	unsigned keep; /* characters at its end that stay */
} shapes[] = {
	{ 'u', "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", false, 0 },
	/* of a PCI function, as in the configuration */
	{ 's', "xx-xx-xx-xx-xx-xx-xx-xx", false, 0 },
	/* a machine id, and what systemd-boot's entries are called */
	{ 'm', "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false, 0 },
	{ 'f', "xxxx-xxxx", true, 0 }, /* FAT */
	{ 'd', "xxxxxxxx-xx", true, 3 }, /* an MBR's partition */
	{ 'n', "xxxxxxxxxxxxxxxx", true, 0 }, /* NTFS */
};

static bool is_named(const char *start, const char *c)
{
	static const char *const prefixes[] = { "UUID=", "by-uuid/", "by-partuuid/",
						"--set=root ", "--fs-uuid " };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		const size_t len = strlen(prefixes[i]);

		if ((size_t)(c - start) >= len && !strncmp(c - len, prefixes[i], len))
			return true;
	}
	return false;
}

/* Bytes of the text that were replaced; 0: nothing of it here. */
static size_t replace_shape(struct scrub *s, FILE *out, const char *start, const char *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		const struct shape *shape = &shapes[i];
		const size_t len = match(c, shape->shape);
		const size_t goes = len - shape->keep;

		if (!len || (shape->named && !is_named(start, c)))
			continue;
		put_shape(out, shape->shape, number_of(s, shape->kind, c, goes),
			  shape->keep);
		return goes;
	}
	return 0;
}

/* /dev/disk/by-id/ata-Samsung_SSD_S3Z8NB0K-part2 */
static size_t replace_disk(struct scrub *s, FILE *out, const char *start, const char *c)
{
	const char *const prefix = "by-id/";
	size_t len = strcspn(c, " \t\n\"',:/;");
	const char *part;

	if ((size_t)(c - start) < strlen(prefix) || !len ||
	    strncmp(c - strlen(prefix), prefix, strlen(prefix)) != 0)
		return 0;
	part = memmem(c, len, "-part", 5);
	if (part)
		len = (size_t)(part - c);
	fprintf(out, "scrubbed-%u", number_of(s, 'i', c, len));
	return len;
}

static size_t replace_host(const struct scrub *s, FILE *out, const char *c)
{
	const size_t len = strlen(s->host);

	if (!len || !str_starts(c, s->host) || isalnum((unsigned char)c[len]))
		return 0;
	fputs("host", out);
	return len;
}

static bool starts_word(const char *start, const char *c)
{
	return c == start || !isalnum((unsigned char)c[-1]);
}

char *scrub_text(struct scrub *scrub, const char *text, bool host)
{
	char *copy = NULL;
	size_t len = 0, gone;
	FILE *out = open_memstream(&copy, &len);

	if (!out)
		return NULL;
	for (const char *c = text; *c;) {
		gone = 0;
		if (starts_word(text, c)) {
			gone = replace_disk(scrub, out, text, c);
			if (!gone)
				gone = replace_shape(scrub, out, text, c);
			if (!gone && host)
				gone = replace_host(scrub, out, c);
		}
		if (!gone)
			putc(*c, out);
		c += gone ? gone : 1;
	}
	if (fclose(out) != 0 || scrub->failed) {
		free(copy);
		return NULL;
	}
	return copy;
}

static uint32_t dword(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

void scrub_config(struct scrub *scrub, uint8_t *bytes, size_t len)
{
	char text[24];
	uint32_t header;
	size_t at = 0x100;
	struct str s = STR_ON(text);
	unsigned number;

	/* as pci_config_parse() walks */
	for (unsigned hops = (4096 - 0x100) / 8; hops && at >= 0x100 && at + 12 <= len;
	     hops--) {
		header = dword(bytes + at);
		if (header == 0 || header == 0xffffffff)
			return;
		if ((header & 0xffff) == 0x0003)
			break;
		at = header >> 20 & ~3U;
		if (hops == 1)
			return;
	}
	if (at < 0x100 || at + 12 > len)
		return;
	for (unsigned i = 8; i-- > 0;) {
		str_add_hex(&s, bytes[at + 4 + i], 2);
		str_add(&s, i ? "-" : "");
	}
	number = number_of(scrub, 's', text, strlen(text));
	for (unsigned i = 0; i < 8; i++)
		bytes[at + 4 + i] = i < 4 ? (uint8_t)(number >> (8 * i)) : 0;
}

/* ---- passwords */

static bool is_password(const char *line)
{
	line += strspn(line, " \t");
	return str_starts(line, "password ") || str_starts(line, "password\t") ||
	       str_starts(line, "password_pbkdf2");
}

char *scrub_passwords(const char *text)
{
	char *copy = NULL;
	size_t len = 0, line;
	FILE *out = open_memstream(&copy, &len);

	if (!out)
		return NULL;
	for (; *text; text += line) {
		line = strcspn(text, "\n");
		line += text[line] == '\n';
		if (is_password(text) || memmem(text, line, "grub.pbkdf2.", 12))
			fputs("# a password was here\n", out);
		else
			fwrite(text, 1, line, out);
	}
	if (fclose(out) != 0) {
		free(copy);
		return NULL;
	}
	return copy;
}
