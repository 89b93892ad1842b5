// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stands where a bzImage has its compressed kernel (quick_kernel.py): fetches the unpacked
 * one from QEMU, by the DMA of its fw_cfg device (docs/specs/fw_cfg in QEMU), and jumps to it.
 * It runs with what the kernel's own unpacking leaves, at OFFSET behind the kernel's start.
 */

#include <stdint.h>

#define NAME "opt/kernel"
#define DIRECTORY 0x19
#define READ 0x02
#define SELECT 0x08
#define SELECTED(key) ((uint32_t)(key) << 16 | SELECT)

struct access {
	uint32_t control, length;
	uint64_t address;
};

struct file {
	uint32_t size;
	uint16_t key, reserved;
	char name[56];
};

/*
 * The first of the file: gcc is told to keep the order. What is there as stack and as
 * page tables may lie where the kernel is to be.
 */
__attribute__((naked)) void start(void)
{
	__asm__("lea stack+4096(%rip), %rsp\n"
		"mov %rsi, %rdi\n"
		"call run");
}

char stack[4096] __attribute__((aligned(16)));
static volatile struct access access;
static volatile struct file file;
static uint64_t tables[2][512] __attribute__((aligned(4096)));

static void outl(uint32_t value, uint16_t port)
{
	__asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory");
}

static void fetch(uint32_t control, uintptr_t to, uint32_t length)
{
	uint64_t at = (uintptr_t)&access;

	access.control = __builtin_bswap32(control | READ);
	access.length = __builtin_bswap32(length);
	access.address = __builtin_bswap64(to);
	outl(__builtin_bswap32(at >> 32), 0x514);
	outl(__builtin_bswap32((uint32_t)at), 0x518);
	while (access.control)
		;
}

static int is_ours(void)
{
	static const char name[] = NAME;

	for (unsigned i = 0; i < sizeof name; i++)
		if (file.name[i] != name[i])
			return 0;
	return 1;
}

void run(void *boot_params)
{
	uintptr_t kernel = (uintptr_t)start - OFFSET;
	uint32_t files;

	for (uint64_t i = 0; i < 512; i++) {
		tables[0][i] = i ? 0 : (uintptr_t)tables[1] | 3;
		tables[1][i] = i << 30 | 0x83;
	}
	__asm__ volatile("mov %0, %%cr3" ::"r"(tables) : "memory");
	fetch(SELECTED(DIRECTORY), (uintptr_t)&files, sizeof files);
	do
		fetch(0, (uintptr_t)&file, sizeof file);
	while (!is_ours());
	fetch(SELECTED(__builtin_bswap16(file.key)), kernel,
	      __builtin_bswap32(file.size));
	__asm__ volatile("jmp *%0" ::"r"(kernel + ENTRY), "S"(boot_params));
	__builtin_unreachable();
}
