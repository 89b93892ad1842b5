/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pe.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define DOS_SIZE 64
#define DOS_OFFSET_OF_PE 0x3c
#define PE_HEADER_SIZE 24 /* signature and COFF header */
#define SECTION_SIZE 40
#define MAX_SECTIONS 96 /* the specification's */

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) | get16(p + 2) << 16;
}

/* All of it, or -EPROTO where the file ends before. */
static int read_at(int fd, uint64_t offset, void *buf, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = pread(fd, (char *)buf + done, size - done, (off_t)(offset + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -EPROTO;
		done += (size_t)n;
	}
	return 0;
}

/* What the loader would see: no more than the file has, and than the section is long. */
static void parse_section(const uint8_t *header, struct pe_range *ret)
{
	const uint32_t virtual_size = get32(header + 8), raw_size = get32(header + 16);

	ret->offset = get32(header + 20);
	ret->size = virtual_size && virtual_size < raw_size ? virtual_size : raw_size;
}

int pe_find(int fd, const char *name, struct pe_range *ret)
{
	uint8_t dos[DOS_SIZE], pe[PE_HEADER_SIZE], section[SECTION_SIZE];
	char padded[9] = "";
	uint64_t offset;
	uint32_t n;
	int r;

	r = read_at(fd, 0, dos, sizeof(dos));
	if (r < 0)
		return r;
	if (memcmp(dos, "MZ", 2) != 0)
		return -EPROTO;
	offset = get32(dos + DOS_OFFSET_OF_PE);
	r = read_at(fd, offset, pe, sizeof(pe));
	if (r < 0)
		return r;
	n = get16(pe + 6);
	if (memcmp(pe, "PE\0\0", 4) != 0 || n > MAX_SECTIONS)
		return -EPROTO;
	offset += sizeof(pe) + get16(pe + 20);
	strncpy(padded, name, 8);
	for (uint32_t i = 0; i < n; i++, offset += sizeof(section)) {
		r = read_at(fd, offset, section, sizeof(section));
		if (r < 0)
			return r;
		if (!memcmp(section, padded, 8)) {
			parse_section(section, ret);
			return 0;
		}
	}
	return -ENODATA;
}

int pe_section(int fd, const char *name, char **ret)
{
	struct pe_range range;
	char *text;
	int r = pe_find(fd, name, &range);

	if (r < 0)
		return r;
	if (range.size > PE_MAX_SECTION)
		return -EFBIG;
	text = malloc(range.size + 1);
	if (!text)
		return -ENOMEM;
	r = read_at(fd, range.offset, text, range.size);
	if (r < 0) {
		free(text);
		return r;
	}
	text[range.size] = '\0';
	*ret = text;
	return 0;
}
