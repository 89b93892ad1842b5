# SPDX-License-Identifier: GPL-2.0-or-later
"""The record as lib/record.c documents it, written down a second time so that a test does not
believe the product."""

import struct

SIZE, SLOTS = 80, 4
MAGIC = b"VFCR\1\0\0\0"
SLOT = struct.Struct("<QBB6x")


class Damaged(ValueError):
    pass


def checksum(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 & 0xffffffffffffffff
    return value


def encode(slots):
    """slots: (fingerprint, attempts, confirmed), the last written first."""
    slots = [*slots, *[(0, 0, 0)] * (SLOTS - len(slots))]
    data = MAGIC + b"".join(SLOT.pack(*slot) for slot in slots)
    return data + struct.pack("<Q", checksum(data))


def decode(data):
    if len(data) != SIZE or data[:8] != MAGIC or \
            struct.unpack("<Q", data[-8:])[0] != checksum(data[:-8]):
        raise Damaged(data.hex())
    slots = [SLOT.unpack_from(data, 8 + i * SLOT.size) for i in range(SLOTS)]
    return [slot for slot in slots if slot[1] or slot[2]]


def attempts(data):
    """Of the fingerprint that was written last; 0 if there is no record."""
    slots = decode(data) if data is not None else []
    return slots[0][1] if slots else 0
