# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's screendumps: what is on them, and PNGs for people."""

import struct
import zlib


class Picture:
    """A PPM file of 8 bits per colour, as QEMU's screendump writes it."""

    def __init__(self, path):
        with open(path, "rb") as source:
            data = source.read()
        magic, size, depth, self.pixels = data.split(b"\n", 3)
        self.width, self.height = (int(word) for word in size.split())
        if magic != b"P6" or depth != b"255" or \
                len(self.pixels) != self.width * self.height * 3:
            raise ValueError(f"{path} is not a screendump")

    def write_png(self, path):
        stride = self.width * 3
        rows = b"".join(b"\0" + self.pixels[row * stride:(row + 1) * stride]
                        for row in range(self.height))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        with open(path, "wb") as out:
            out.write(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header)
                      + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b""))

    def count(self, colour):
        """The number of pixels of one colour, a tuple of three."""
        wanted = bytes(colour)
        return sum(self.pixels[at:at + 3] == wanted for at in range(0, len(self.pixels), 3))


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + \
        struct.pack(">I", zlib.crc32(kind + data))
