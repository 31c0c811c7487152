#!/usr/bin/env python3
"""reader.py - read a topic from its files, by the manual pages alone.

Written from sblog-store(5), sblog-manifest(5), sblog-wal(5), sblog-segment(5)
and sblog-index(5), without looking at the source: it proves that the pages say
enough, and it is the second opinion on every byte.  Checks every hash, every
rule of "When a batch is good" and the chain, and prints each record as
"sblog read -f json" does.

Usage: reader.py [-v] STORE TOPIC.  Exit status 0, or 6 where anything is wrong.
Needs the modules xxhash and lz4 (Debian: python3-xxhash python3-lz4).
"""
import base64
import json
import os
import re
import struct
import sys

import lz4.block
import xxhash

M64 = (1 << 64) - 1
CHAIN_START = 0x73626C6F67000001
NULL_VALUE = 0x6E756C6C00000000
P1, P2, P3 = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x9FB21C651E98DF25
SECTION_MAX = (1 << 31) - 1


class Damage(Exception):
    """Bytes are not what the pages say."""


class Torn(Exception):
    """No good batch here."""


def xxh3(data, seed=0):
    return xxhash.xxh3_64_intdigest(data, seed=seed)


def sb_seed(salt, position, base):
    return xxh3(salt + struct.pack("<QQ", position, base))


def need(condition, what):
    if not condition:
        raise Damage(what)


# ---- sblog-store(5) ------------------------------------------------------


class FileHead:
    """The first 128 bytes of a file."""

    def __init__(self, data, magic):
        need(len(data) >= 128, "shorter than a file head")
        need(data[8:16] == magic, "wrong magic")
        (self.hash,) = struct.unpack_from("<Q", data, 0)
        need(self.hash == xxh3(data[8:128]), "head_hash")
        major, _, features = struct.unpack_from("<HHI", data, 16)
        need(major == 1 and features == 0, "written by a newer version")
        self.salt, self.topic = data[24:40], data[40:56]
        self.base, self.chain, self.created, self.head_size = \
            struct.unpack_from("<QQqI", data, 56)
        self.count, self.body_hash, self.body_size, self.of_size = \
            struct.unpack_from("<QQQQ", data, 88)
        need(128 <= self.head_size <= 1 << 20 and self.head_size % 8 == 0,
             "head_size")

    def matches(self, manifest, entry):
        need(self.topic == manifest.topic, "file of another topic")
        need(self.salt == entry["salt"], "salt differs from the manifest")
        need(self.base == entry["base"], "base differs from the manifest")


# ---- sblog-manifest(5) ---------------------------------------------------

NUM, SIGNED = r"(\d{1,20})", r"(-?\d{1,20})"
HEX16, HEX32 = r"([0-9a-f]{16})", r"([0-9a-f]{32})"
FULL = (f"base={NUM} next={NUM} count={NUM} size={NUM} raw={NUM} "
        f"salt={HEX32} chain={HEX16} end={HEX16} first={SIGNED} last={SIGNED}")
LINES = [  # kind, pattern, least, most
    ("generation", f"generation {NUM}", 1, 1),
    ("topic", f"topic {HEX32}", 1, 1),
    ("created", f"created {SIGNED}", 1, 1),
    ("start", f"start {NUM}", 1, 1),
    ("segment", f"segment {FULL}(?: rev={NUM} clean={NUM})?", 0, None),
    ("wal", f"wal {FULL}", 0, None),
    ("active", f"active base={NUM} salt={HEX32} chain={HEX16}", 0, 1),
    ("lost", f"lost from={NUM} to={NUM}", 0, None),
]


class Manifest:
    """Which files make the topic."""

    def __init__(self, data):
        at = data.rfind(b"hash ")
        need(re.fullmatch(rb"hash [0-9a-f]{16}\n", data[at:]),
             "manifest: last line")
        need(int(data[at + 5:at + 21], 16) == xxh3(data[:at]),
             "manifest: hash")
        need(data.startswith(b"sblog-manifest 1\n"), "manifest: first line")
        self.files, self.lost = [], []
        lines = data[:at].decode("ascii").split("\n")[1:-1]
        for kind, pattern, least, most in LINES:
            n = 0
            while lines and lines[0].split(" ")[0] == kind:
                found = re.fullmatch(pattern, lines[0])
                need(found, f"manifest: line {lines[0]!r}")
                self.take(kind, found.groups())
                del lines[0]
                n += 1
            need(n >= least and (most is None or n <= most),
                 f"manifest: {n} lines {kind}")
        need(not lines, "manifest: lines out of order")
        self.tiled()

    def take(self, kind, f):
        if kind in ("segment", "wal"):
            self.files.append({
                "kind": kind, "base": int(f[0]), "next": int(f[1]),
                "count": int(f[2]), "size": int(f[3]), "raw": int(f[4]),
                "salt": bytes.fromhex(f[5]), "chain": int(f[6], 16),
                "end": int(f[7], 16), "first": int(f[8]), "last": int(f[9]),
                "rev": int(f[10] or 0) if kind == "segment" else 0})
        elif kind == "active":
            self.files.append({
                "kind": kind, "base": int(f[0]), "salt": bytes.fromhex(f[1]),
                "chain": int(f[2], 16)})
        elif kind == "lost":
            self.lost.append((int(f[0]), int(f[1])))
        elif kind == "topic":
            self.topic = bytes.fromhex(f[0])
        else:
            setattr(self, kind, int(f[0]))

    def tiled(self):
        """Files follow each other; a gap between two is a lost range."""
        for a, b in zip(self.files, self.files[1:]):
            if a["next"] == b["base"]:
                need(a["end"] == b["chain"], "manifest: chain between files")
            else:
                need(a["next"] < b["base"] and
                     any(f <= a["next"] and b["base"] <= t
                         for f, t in self.lost), "manifest: gap or overlap")


# ---- sblog-wal(5) --------------------------------------------------------

HEAD = struct.Struct("<QIIQQqQQqQQIIIIIIII6BBB8s")
NAMES = ("head_hash magic count base next base_time durable_upto chain "
         "user_time_min columns_hash values_hash total_size columns_raw "
         "columns_stored values_raw values_stored value_len_min key_len_min "
         "header_len_min w_value w_key w_header w_time w_offset w_user flags "
         "delim_len delim").split()
BATCH, TRAILER = 0x31424253, 0x31454253


class Batch:
    """A batch at a position of a file: head first, then its sections."""

    def __init__(self, data, pos, salt):
        if len(data) - pos < 128:
            raise Torn("file ends")
        self.__dict__.update(zip(NAMES, HEAD.unpack_from(data, pos)))
        if self.magic not in (BATCH, TRAILER):
            raise Torn("magic")
        self.seed = sb_seed(salt, pos, self.base)
        if self.head_hash != xxh3(data[pos + 8:pos + 128], self.seed):
            raise Torn("head_hash")
        need(self.flags & ~7 == 0, "flags of a newer version")
        self.size = 8 * self.total_size
        self.widths = (self.w_value, self.w_key, self.w_header, self.w_time,
                       self.w_offset, self.w_user)
        self.consistent()
        if self.magic == BATCH:
            self.sections(data, pos)

    def consistent(self):
        used = 128 + self.columns_stored + self.values_stored
        need(all(w in (0, 1, 2, 4, 8) for w in self.widths), "width")
        need(all(w <= 4 for w in self.widths[:3]), "width of lengths")
        need(self.count * sum(self.widths) <= self.columns_raw, "columns_raw")
        need(max(self.columns_raw, self.values_raw) <= SECTION_MAX, "raw size")
        need(self.columns_stored <= self.columns_raw and
             self.values_stored <= self.values_raw, "stored size")
        need(self.flags & 1 or self.columns_stored == self.columns_raw,
             "columns_stored")
        need(self.flags & 2 or self.values_stored == self.values_raw,
             "values_stored")
        need(used <= self.size < used + 4096, "total_size")
        need(self.next <= (1 << 63) - 1, "next")
        need(self.delim_len <= 8 and self.base_time >= 0, "delim_len or time")
        if self.magic == TRAILER:
            need(self.count == 0 and self.base == self.next, "trailer")
            return
        need(self.base < self.next and 1 <= self.count <= 1 << 20 and
             self.count <= self.next - self.base, "count")
        need(self.w_offset or self.count == self.next - self.base,
             "count without holes")

    def sections(self, data, pos):
        at = pos + 128
        columns = bytes(data[at:at + self.columns_stored])
        at += self.columns_stored
        values = bytes(data[at:at + self.values_stored])
        if len(values) < self.values_stored:
            raise Torn("file ends in batch")
        if self.columns_hash != xxh3(columns, (self.seed + 1) & M64):
            raise Torn("columns_hash")
        if self.values_hash != xxh3(values, (self.seed + 2) & M64):
            raise Torn("values_hash")
        self.columns = unpack(columns, self.columns_raw, self.flags & 1)
        self.values = unpack(values, self.values_raw, self.flags & 2)

    def column(self, i):
        """Entries of column i, as stored."""
        w, at = self.widths[i], self.count * sum(self.widths[:i])
        if w == 0:
            return [0] * self.count
        code = {1: "B", 2: "H", 4: "I", 8: "Q"}[w]
        return struct.unpack_from(f"<{self.count}{code}", self.columns, at)

    def records(self):
        """(offset, time, user time, key, headers as bytes, value)."""
        value = [e + self.value_len_min for e in self.column(0)]
        key = [e + self.key_len_min for e in self.column(1)]
        header = [e + self.header_len_min for e in self.column(2)]
        time = self.column(3)
        offset = self.column(4) if self.w_offset else range(self.count)
        user = self.column(5) if self.w_user else [1] * self.count
        keys_at = self.count * sum(self.widths)
        headers_at = keys_at + sum(k - 1 for k in key if k)
        values_at = 0
        need(headers_at + sum(header) == self.columns_raw,
             "columns do not add up")
        need(sum(v - 1 for v in value if v) + self.count * self.delim_len ==
             self.values_raw, "values do not add up")
        need(time[0] == 0 and list(time) == sorted(time), "times")
        need(all(a < b for a, b in zip(offset, offset[1:])) and
             offset[-1] < self.next - self.base, "offsets")
        need(self.base_time + time[-1] <= (1 << 63) - 1, "time")
        for i in range(self.count):
            k = v = u = None
            if key[i]:
                k = self.columns[keys_at:keys_at + key[i] - 1]
                keys_at += key[i] - 1
            h = self.columns[headers_at:headers_at + header[i]]
            headers_at += header[i]
            if value[i]:
                v = self.values[values_at:values_at + value[i] - 1]
                values_at += value[i] - 1
            values_at += self.delim_len
            if self.flags & 4 and user[i]:
                u = (self.user_time_min + user[i] - 1) & M64
                u -= (u >> 63) << 64
            yield self.base + offset[i], self.base_time + time[i], u, k, h, v


def unpack(stored, raw, packed):
    if not packed:
        return stored
    try:
        data = lz4.block.decompress(stored, uncompressed_size=raw)
    except lz4.block.LZ4BlockError as e:
        raise Damage(f"LZ4: {e}") from e
    need(len(data) == raw, "decompressed size")
    return data


def headers_of(run):
    """[(name, value or None)] of an encoded run."""
    found, at = [], 0
    need(len(run) <= 1 << 20, "headers too long")
    while at < len(run):
        need(at + 6 <= len(run), "headers cut short")
        n, v = struct.unpack_from("<HI", run, at)
        at += 6
        need(n > 0 and at + n + max(v - 1, 0) <= len(run), "header lengths")
        found.append((run[at:at + n], run[at + n:at + n + v - 1] if v else None))
        at += n + max(v - 1, 0)
    return found


def chain_of(chain, offset, time, user, key, headers, value):
    h = NULL_VALUE if value is None else xxh3(value)
    if key is not None or headers or user is not None:
        h = xxh3(struct.pack(
            "<QQQQq", h,
            (key is not None) + 2 * (user is not None),
            0 if key is None else xxh3(key),
            xxh3(headers) if headers else 0, user or 0))
    return ((chain ^ ((h + offset * P1 + time * P2) & M64)) * P3) & M64


# ---- a topic -------------------------------------------------------------


class Topic:
    """Walks all files in order; keeps chain, offset and time as it goes."""

    def __init__(self, store, name, print_record):
        self.name, self.print = name, print_record
        self.dir = os.path.join(store, name)
        self.manifest = Manifest(self.bytes_of("manifest"))
        self.time, self.notes = 0, []
        self.chain = self.offset = None

    def bytes_of(self, name):
        with open(os.path.join(self.dir, name), "rb") as f:
            return f.read()

    def read(self):
        for entry in self.manifest.files:
            kind = "seg" if entry["kind"] == "segment" else "wal"
            rev = f".{entry['rev']}" if entry.get("rev") else ""
            name = f"{entry['base']:020d}{rev}.{kind}"
            try:
                data = self.bytes_of(name)
                self.chain, self.offset = entry["chain"], entry["base"]
                if kind == "seg":
                    self.segment(data, entry)
                else:
                    self.wal(data, entry)
            except (Damage, Torn, FileNotFoundError) as e:
                raise Damage(f"{name}: {e}") from e

    def batch(self, data, pos, salt):
        """Check and print one batch; returns it and its records."""
        b = Batch(data, pos, salt)
        need(b.base == self.offset and self.chain in (b.chain, None) and
             b.base_time >= self.time, "batch does not follow")
        self.chain = b.chain
        rows = list(b.records()) if b.magic == BATCH else []
        for row in rows:
            self.chain = chain_of(self.chain, *row)
            headers = headers_of(row[4])
            if row[0] >= self.manifest.start:
                self.print(self.name, headers, *row)
            self.time = row[1]
        self.offset = b.next
        return b, rows

    def segment(self, data, entry):
        head = FileHead(data, b"sblogSEG")
        head.matches(self.manifest, entry)
        need(head.chain == entry["chain"], "chain of the head")
        need(len(data) == entry["size"], "size differs from the manifest")
        foot_at = len(data) - 128
        need(foot_at >= head.head_size, "no room for a foot")
        foot = struct.unpack_from("<Q8sQQQQQQQqqQ", data, foot_at)
        need(foot[1] == b"sblogEND" and foot[2] == entry["base"], "foot")
        need(foot[0] == xxh3(data[foot_at + 8:],
                             sb_seed(head.salt, foot_at, foot[2])), "foot_hash")
        pos, blocks, rows_all, raw = head.head_size, [], 0, 0
        first = None
        while pos < foot[11]:
            b, rows = self.batch(data, pos, head.salt)
            need(b.magic == BATCH, "trailer in a segment")
            if entry["rev"] and len(rows) != b.next - b.base:
                self.chain = None  # said by what follows: records are gone
            blocks.append((b.base, pos, b.base_time))
            first = rows[0][1] if first is None else first
            rows_all += len(rows)
            raw += b.values_raw
            pos += b.size
        need(pos == foot[11] and pos <= foot_at, "blocks_end")
        self.chain = entry["end"] if self.chain is None else self.chain
        told = (entry["base"], entry["next"], rows_all, len(blocks), raw,
                entry["chain"], self.chain, first, self.time)
        need(foot[2:11] == told, "foot does not tell what the blocks hold")
        need((entry["count"], entry["raw"], entry["end"], entry["first"],
              entry["last"]) == (rows_all, raw, self.chain, first, self.time),
             "manifest does not tell what the blocks hold")
        need(self.offset == entry["next"], "next")
        self.segment_index(entry, blocks)

    def segment_index(self, entry, blocks):
        rev = f".{entry['rev']}" if entry["rev"] else ""
        name = f"{entry['base']:020d}{rev}.idx"
        try:
            data = self.bytes_of(name)
        except FileNotFoundError:
            self.notes.append(f"{name}: missing")
            return
        head = FileHead(data, b"sblogIDX")
        head.matches(self.manifest, entry)
        body = data[head.head_size:]
        n = len(blocks)
        need((head.count, head.body_size, len(body), head.of_size) ==
             (n, 24 * n, 24 * n, entry["size"]), f"{name}: sizes")
        need(head.body_hash == xxh3(body, sb_seed(head.salt, n, head.base)),
             f"{name}: body_hash")
        cells = struct.unpack(f"<{3 * n}Q", body)
        rows = list(zip(cells[:n], cells[n:2 * n], cells[2 * n:]))
        need(rows == blocks, f"{name}: not where the blocks are")

    def wal(self, data, entry):
        head = FileHead(data, b"sblogWAL")
        head.matches(self.manifest, entry)
        need(head.chain == entry["chain"], "chain of the head")
        pos, places, n, raw, trailer = head.head_size, {}, 0, 0, False
        first = None
        while not trailer:
            try:
                b, rows = self.batch(data, pos, head.salt)
            except Torn as e:
                self.tail(data, pos, head, entry, e)
                break
            trailer = b.magic == TRAILER
            places[b.base] = (pos, b.base_time)
            if rows and first is None:
                first = rows[0][1]
            n += len(rows)
            raw += b.values_raw
            pos += b.size
        if entry["kind"] == "wal":
            need((entry["next"], entry["count"], entry["raw"], entry["end"]) ==
                 (self.offset, n, raw, self.chain), "manifest differs")
            need(not n or (entry["first"], entry["last"]) ==
                 (first, self.time), "times in the manifest differ")
            need(len(data) == entry["size"], "size differs from the manifest")
        self.wal_index(entry, places)

    def tail(self, data, pos, head, entry, why):
        """Where the walk stopped: the end, a torn tail, or damage."""
        need(entry["kind"] == "active", f"byte {pos}: {why}")
        durable = self.durable()
        for at in range((pos + 7) & ~7, len(data) - 127, 8):
            if data[at + 8:at + 12] not in (b"SBB1", b"SBE1"):
                continue
            base, = struct.unpack_from("<Q", data, at + 16)
            seed = sb_seed(head.salt, at, base)
            if data[at:at + 8] == struct.pack(
                    "<Q", xxh3(data[at + 8:at + 128], seed)):
                upto, = struct.unpack_from("<Q", data, at + 40)
                durable = max(durable, upto)
        need(self.offset >= durable, f"byte {pos}: {why}; records "
             f"{self.offset} to {durable} are lost")
        if any(data[pos:]):
            self.notes.append(f"torn tail at byte {pos}")

    def durable(self):
        """The durable end in the state page, if its check is right."""
        try:
            page = self.bytes_of("state")
        except FileNotFoundError:
            return 0
        if len(page) != 4096:
            return 0
        topic0, = struct.unpack_from("<Q", self.manifest.topic)
        check, = struct.unpack_from("<Q", page, 264)
        if check != xxh3(page[256:264], topic0 ^ 0x6475726162C0FFEE):
            return 0
        return struct.unpack_from("<Q", page, 256)[0]

    def wal_index(self, entry, places):
        name = f"{entry['base']:020d}.wdx"
        try:
            data = self.bytes_of(name)
        except FileNotFoundError:
            return
        if not data:
            return
        head = FileHead(data, b"sblogWDX")
        head.matches(self.manifest, entry)
        for at in range(head.head_size, len(data) - 31, 32):
            offset, pos, time, told = struct.unpack_from("<QQqQ", data, at)
            if told != xxh3(data[at:at + 24], sb_seed(head.salt, at, offset)):
                break
            need(places.get(offset) == (pos, time),
                 f"{name}: entry at {at} points to no batch")


# ---- JSON, sblog-format(7) -----------------------------------------------


def quoted(text):
    """A JSON string; controls, also DEL and U+0080 to U+009F, are escaped."""
    out = json.dumps(text, ensure_ascii=False)
    return re.sub("[\x7f-\x9f]", lambda m: f"\\u00{ord(m[0]):02x}", out)


def member(name, data):
    """"name":"text", null, or base64 where the bytes are not UTF-8."""
    if data is None:
        return f'"{name}":null'
    try:
        return f'"{name}":{quoted(data.decode("utf-8"))}'
    except UnicodeDecodeError:
        return f'"{name}_b64":"{base64.b64encode(data).decode("ascii")}"'


def print_json(topic, headers, offset, time, user, key, _, value):
    row = [f'"topic":"{topic}"', f'"offset":{offset}', f'"ts":{time}']
    if user is not None:
        row.append(f'"user_ts":{user}')
    row += [member("key", key), member("value", value)]
    run = ",".join("{" + member("key", n) + "," + member("value", v) + "}"
                   for n, v in headers)
    row.append(f'"headers":[{run}]')
    sys.stdout.write("{" + ",".join(row) + "}\n")


def main():
    args = sys.argv[1:]
    verbose = args[:1] == ["-v"]
    if len(args) != 2 + verbose:
        sys.exit(__doc__)
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    try:
        topic = Topic(args[-2], args[-1], print_json)
        topic.read()
    except Damage as e:
        print(f"reader.py: {args[-1]}: {e}", file=sys.stderr)
        return 6
    for note in topic.notes if verbose else []:
        print(f"reader.py: {args[-1]}: {note}", file=sys.stderr)
    if verbose:
        print(f"reader.py: {args[-1]}: end {topic.offset} "
              f"chain {topic.chain:016x}" if topic.offset is not None else
              f"reader.py: {args[-1]}: no file", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
