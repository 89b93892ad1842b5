# SPDX-License-Identifier: GPL-2.0-or-later
"""What a machine keeps when its power is cut: an NBD server that behaves as a disk with a
volatile cache, or as a flash chip, and can fail at an exact operation."""

import os
import socket
import struct
import threading

NBD_MAGIC, OPTION_MAGIC, REPLY_MAGIC = 0x4e42444d41474943, 0x49484156454f5054, 0x3e889045565a9
OPT_EXPORT_NAME, OPT_ABORT, OPT_INFO, OPT_GO = 1, 2, 6, 7
REP_ACK, REP_INFO, REP_ERR_UNSUP = 1, 3, 0x80000001
HAS_FLAGS, READ_ONLY, SEND_FLUSH, SEND_FUA = 1, 2, 4, 8
REQUEST_MAGIC, SIMPLE_REPLY_MAGIC = 0x25609513, 0x67446698
READ, WRITE, DISC, FLUSH = 0, 1, 2, 3
COMMAND_FUA = 1
SECTOR = 512
BLOCK = 4096                    # what most disks write whole; ext4's superblock relies on it
EIO, EPERM, EINVAL = 5, 1, 22


class Medium:
    """A disk (cached) or a chip (not cached) of which `image` is what is safe from a power
    cut. A disk's writes are safe once it was told to flush; at a cut each `unit` of bytes that
    was not is written or lost at random, as a real disk's would be."""

    def __init__(self, image, cached, rng=None, unit=SECTOR):
        self.image = bytearray(image)
        self.cached, self.rng, self.unit = cached, rng, unit
        self.seen = bytearray(image)    # what the machine reads
        self.pending = []               # (offset, data) that are not safe yet
        self.operations = 0             # writes and flushes since `armed` was true
        self.writes = 0                 # writes of them
        self.armed = lambda: True
        self.limit = None               # cut before this operation
        self.on_limit = None
        self.failing = None             # (kinds, start, end): these answer with an I/O error
        self.read_only = False
        self.dead = False
        self.lock = threading.Lock()
        self.listener = None

    # ---- a boot

    def power_on(self, folder, name):
        """Serves as the socket `name` in the folder. Returns the arguments for QEMU, whose
        working directory that is; the block device is called `name`."""
        self.seen = bytearray(self.image)
        self.pending, self.dead = [], False
        self.operations = self.writes = 0
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # A socket's path is limited to 107 bytes, which a checkout's may exceed.
        where = os.open(folder, os.O_PATH)
        try:
            self.listener.bind(f"/proc/self/fd/{where}/{name}")
        finally:
            os.close(where)
        self.listener.listen()
        threading.Thread(target=self._serve, args=(self.listener,), daemon=True).start()
        return ["-blockdev", f"driver=nbd,node-name={name},server.type=unix,"
                f"server.path={name},read-only={'on' if self.read_only else 'off'}"]

    def power_off(self, cut):
        """The machine is gone. What is not safe is lost, in part, if the power was cut."""
        with self.lock:
            self.dead = True
            self.listener.close()
            for offset, data in self.pending:
                for at, part in split(offset, data, self.unit):
                    if not cut or self.rng.random() < 0.5:
                        self.image[at:at + len(part)] = part
            self.pending = []

    # ---- the protocol: github.com/NetworkBlockDevice/nbd, doc/proto.md

    def _serve(self, listener):
        try:
            connection, _ = listener.accept()
            with connection:
                stream = connection.makefile("rwb")
                if self._negotiate(stream):
                    while self._request(stream):
                        pass
        except (OSError, EOFError, struct.error):
            pass                        # QEMU is gone

    def _negotiate(self, stream):
        flags = HAS_FLAGS | SEND_FLUSH | SEND_FUA | (READ_ONLY if self.read_only else 0)
        _send(stream, struct.pack(">QQH", NBD_MAGIC, OPTION_MAGIC, 1))
        client = struct.unpack(">I", _read(stream, 4))[0]
        while True:
            _, option, length = struct.unpack(">QII", _read(stream, 16))
            _read(stream, length)
            export = struct.pack(">QH", len(self.image), flags)
            if option == OPT_EXPORT_NAME:
                _send(stream, export + (b"" if client & 2 else bytes(124)))
                return True
            if option in (OPT_GO, OPT_INFO):
                _reply(stream, option, REP_INFO, struct.pack(">H", 0) + export)
                _reply(stream, option, REP_ACK)
                if option == OPT_GO:
                    return True
            elif option == OPT_ABORT:
                _reply(stream, option, REP_ACK)
                return False
            else:
                _reply(stream, option, REP_ERR_UNSUP)

    def _request(self, stream):
        magic, flags, kind, handle, offset, length = struct.unpack(
            ">IHHQQI", _read(stream, 28))
        if magic != REQUEST_MAGIC or kind == DISC:
            return False
        data = _read(stream, length) if kind == WRITE else b""
        with self.lock:
            if self.dead:
                return False
            error, answer = self._do(kind, flags, offset, length, data)
            if self.dead:
                return False
        _send(stream, struct.pack(">IIQ", SIMPLE_REPLY_MAGIC, error, handle) + answer)
        return True

    def _do(self, kind, flags, offset, length, data):
        if kind in (WRITE, FLUSH) and self.armed():
            self.operations += 1
            self.writes += kind == WRITE
            if self.operations == self.limit:
                if kind == WRITE and self.cached:
                    self.pending.append((offset, data))
                self.dead = True
                self.on_limit()
                return EIO, b""
        if self.failing:
            kinds, start, end = self.failing    # pylint: disable=unpacking-non-sequence
            if kind in kinds and (kind == FLUSH or (offset < end and offset + length > start)):
                return EIO, b""
        if kind == READ:
            return 0, bytes(self.seen[offset:offset + length])
        if kind == WRITE:
            if self.read_only:
                return EPERM, b""
            self.seen[offset:offset + length] = data
            self.pending.append((offset, data))
        elif kind != FLUSH:
            return EINVAL, b""
        if kind == FLUSH or flags & COMMAND_FUA or not self.cached:
            # FUA promises less, for its own write only; nobody relies on the difference
            for at, part in self.pending:
                self.image[at:at + len(part)] = part
            self.pending = []
        return 0, b""


def split(offset, data, unit):
    """Yields the parts of a write that a cut leaves whole, and where they are."""
    end = offset + len(data)
    while offset < end:
        next_one = min(end, (offset // unit + 1) * unit)
        yield offset, data[:next_one - offset]
        data, offset = data[next_one - offset:], next_one


class Chip(Medium):
    """A flash chip that nobody watches or cuts: a file, to which QEMU writes much faster."""

    def __init__(self, image):
        super().__init__(image, cached=False)
        self.path = None

    def power_on(self, folder, name):
        self.path = f"{folder}/{name}"
        with open(self.path, "wb") as out:
            out.write(self.image)
        return ["-blockdev", f"driver=file,node-name={name},filename={name},cache.no-flush=on"]

    def power_off(self, cut):
        with open(self.path, "rb") as source:
            self.image[:] = source.read()


def _read(stream, length):
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data


def _send(stream, data):
    stream.write(data)
    stream.flush()


def _reply(stream, option, kind, data=b""):
    _send(stream, struct.pack(">QIII", REPLY_MAGIC, option, kind, len(data)) + data)
