/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's words about its IOMMU (Documentation/admin-guide/kernel-parameters.txt).
 */
#pragma once

#include <stdbool.h>

struct fs;

/* Whether the running kernel was given a word of this key; `value` NULL: with any. */
bool iommu_word_given(struct fs *root, const char *key, const char *value)
	__attribute__((nonnull(1, 2)));

/* Those that switch it off; ends with NULL. */
extern const char *const iommu_off_words[];

/* Which of them a word of a command line is, or NULL. */
const char *iommu_off_word(const char *word) __attribute__((nonnull));

/*
 * Whether one of them does so here. iommu=soft did before 5.18, unless the running kernel
 * has the IOMMU on in spite of the word; later kernels take it for bounce buffers and no
 * more (arch/x86/kernel/pci-dma.c).
 */
bool iommu_off_counts(struct fs *root, const char *word) __attribute__((nonnull));
