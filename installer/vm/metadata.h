/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#define METADATA_PREFIX "vfio-claim"
#define METADATA_NAMESPACE "https://vfio-claim.dev/xmlns/domain/1"
#define METADATA_CLAIM "claim"
#define METADATA_FUNCTION "function"
