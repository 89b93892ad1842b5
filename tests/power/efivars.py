# SPDX-License-Identifier: GPL-2.0-or-later
"""The variables in a copy of OVMF's flash chip, read and damaged from outside.
Layout: edk2, MdeModulePkg/Include/Guid/VariableFormat.h, authenticated variables."""

import struct
import uuid

NAME = "VfioClaimRecord"
GUID = uuid.UUID("5f4c1d2e-8a37-4b0c-9d61-3e7a52c8f014")
STORE = uuid.UUID("aaf32c78-947b-439a-a180-2e144ec37792").bytes_le
HEADER = struct.Struct("<HBBIQ16sIII16s")
START_ID = 0x55aa
ADDED, ADDED_IN_TRANSITION = 0x3f, 0x3e     # 0: what was done; written from 1 to 0
DELETED = 0x02                  # while that bit is set, it is not
BOOT_COUNT = "MTC"
STATE_OFFSET, ATTRIBUTES_OFFSET = 2, 4
ATTRIBUTES = 7                  # non-volatile, boot service, runtime


class Variable:
    def __init__(self, offset, fields, name, data_offset, data):
        self.offset, self.data_offset = offset, data_offset
        self.state, self.attributes, self.guid = fields[1], fields[3], fields[9]
        self.name, self.data = name, data


def variables(image):
    """All variables of the store that a reader would find, the older of two first."""
    start = image.index(STORE)
    size = struct.unpack_from("<I", image, start + 16)[0]
    at, result = start + 28, []
    while at + HEADER.size <= start + size:
        fields = HEADER.unpack_from(image, at)
        if fields[0] != START_ID:
            break
        name_size, data_size = _sizes(fields)
        name_at = at + HEADER.size
        data_at = name_at + name_size
        if fields[1] in (ADDED, ADDED_IN_TRANSITION):
            name = bytes(image[name_at:data_at]).decode("utf-16-le", "replace").rstrip("\0")
            result.append(Variable(at, fields, name, data_at,
                                   bytes(image[data_at:data_at + data_size])))
        at = (data_at + data_size + 3) & ~3
    return result


def find(image):
    """Our variable, or None. While it is being replaced there are two: the new one counts,
    as for the firmware."""
    ours = [v for v in variables(image) if v.name == NAME and v.guid == GUID.bytes_le]
    whole = [v for v in ours if v.state == ADDED]
    return (whole or ours or [None])[-1]


def content(image):
    """What a reader finds, in a form that can be compared, but for the firmware's count of
    boots. None if a write was not finished: it may be the firmware that finishes it."""
    ends = [image.index(STORE) + 28, *_all(image)]
    states = {image[at + STATE_OFFSET] for at in ends[:-1]}
    if any(state != ADDED and state & DELETED for state in states) or \
            any(byte != 0xff for byte in image[ends[-1]:ends[-1] + free(image)]):
        return None
    return sorted((v.guid, v.name, v.attributes, v.data) for v in variables(image)
                  if v.name != BOOT_COUNT)


def put(image, data, attributes=ATTRIBUTES, name=NAME, guid=GUID):
    """Appends a variable, deleting one of that name that is there."""
    for variable in variables(image):
        if variable.name == name and variable.guid == guid.bytes_le:
            delete(image, variable)
    end = [image.index(STORE) + 28, *_all(image)][-1]
    text = (name + "\0").encode("utf-16-le")
    header = HEADER.pack(START_ID, ADDED, 0, attributes, 0, bytes(16), 0, len(text),
                         len(data), guid.bytes_le)
    blob = header + text + data
    image[end:end + len(blob)] = blob


def free(image):
    """Bytes behind the last variable."""
    start = image.index(STORE)
    size = struct.unpack_from("<I", image, start + 16)[0]
    return start + size - [start + 28, *_all(image)][-1]


def compact(image):
    """Drops what was deleted, as the firmware does when the chip is full; that takes it long."""
    start = image.index(STORE)
    size = struct.unpack_from("<I", image, start + 16)[0]
    kept = b""
    for variable in variables(image):
        blob = image[variable.offset:variable.data_offset + len(variable.data)]
        kept += blob + b"\xff" * (-len(blob) % 4)
    image[start + 28:start + size] = kept + b"\xff" * (size - 28 - len(kept))


def delete(image, variable):
    image[variable.offset + STATE_OFFSET] &= ~DELETED


def _all(image):
    """Where each variable ends, deleted ones as well."""
    at = image.index(STORE) + 28
    while True:
        fields = HEADER.unpack_from(image, at)
        if fields[0] != START_ID:
            return
        at = (at + HEADER.size + sum(_sizes(fields)) + 3) & ~3
        yield at


def _sizes(fields):
    """Of name and data. A header whose state, attributes or sizes were not written before the
    cut has none, as for the firmware."""
    if fields[1] == 0xff or 0xffffffff in (fields[3], fields[7], fields[8]):
        return 0, 0
    return fields[7], fields[8]
