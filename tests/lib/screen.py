# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the text of a Linux console from a picture of it: the kernel draws every letter in
the same way, with a font that stands in the kernel itself."""

import functools

WIDTH, HEIGHT = 8, 16
# The first two letters of drivers/video/console/font_8x16.c: nothing, and a face.
START = bytes(16) + bytes.fromhex("00007e81a58181bd9981817e00000000")


class Font:
    def __init__(self, glyphs):
        self.letters = {}
        for code in range(0x20, 0x7f):
            self.letters[glyphs[code * HEIGHT:(code + 1) * HEIGHT]] = chr(code)
        self.letters[bytes(HEIGHT)] = " "
        self.letters[bytes(HEIGHT - 2) + b"\xff\xff"] = " "  # the cursor

    @staticmethod
    @functools.cache
    def of(kernel):
        """The font of an unpacked kernel."""
        with open(kernel, "rb") as source:
            data = source.read()
        at = data.index(START)
        return Font(data[at:at + 256 * HEIGHT])

    def read(self, picture):
        """The lines of a picture, "" for a blank one. A letter that is none reads "?"."""
        lines = []
        band = picture.width * 3 * HEIGHT
        for top in range(0, picture.height - HEIGHT + 1, HEIGHT):
            at = top * picture.width * 3
            if picture.pixels.count(0, at, at + band) == band:
                lines.append("")
                continue
            lines.append("".join(self._letter(picture, top, left) for left in
                                 range(0, picture.width - WIDTH + 1, WIDTH)).rstrip())
        return "\n".join(lines).rstrip()

    def _letter(self, picture, top, left):
        rows, colours = [], {}
        for row in range(top, top + HEIGHT):
            at = (row * picture.width + left) * 3
            rows.append(picture.pixels[at:at + WIDTH * 3])
        if not any(any(row) for row in rows):
            return " "
        bits = bytearray()
        for row in rows:
            byte = 0
            for column in range(0, WIDTH * 3, 3):
                pixel = row[column:column + 3]
                colours[pixel] = colours.get(pixel, 0) + 1
                byte = byte << 1 | (pixel != rows[0][:3])
            bits.append(byte)
        return self.letters.get(bytes(bits), "?")
