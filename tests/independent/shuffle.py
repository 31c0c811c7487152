#!/usr/bin/env python3
"""shuffle.py - random topics: what sblog reads, what reader.py reads, before
and after a seal, in a copy and by single offsets must be the same.

Usage: shuffle.py BIN DIR FIRST LAST.  Seeds FIRST to LAST - 1, commands from
BIN, stores below DIR, which must exist.  Says the seed of the first difference
and exits 1.
"""
import base64
import json
import os
import random
import shutil
import subprocess
import sys

READER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reader.py")
TEXT = 'abc \u00e4\u0085\x7f\\"\n'


class Shuffle:
    """One seed: one topic of random records, written in random ways."""

    def __init__(self, binaries, store, seed):
        self.bin, self.store, self.seed = binaries, store, seed
        self.rng = random.Random(seed)
        self.keep = self.rng.random() < .5
        self.offset, self.time = 0, 1000
        shutil.rmtree(store, ignore_errors=True)

    def run(self, command, *args, data=b""):
        done = subprocess.run(
            [os.path.join(self.bin, f"sblog-{command}"), "-C", self.store,
             *args], input=data, capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command} {args}: {done.stderr.decode()}")
        return done.stdout

    def read(self, topic="t", *args):
        return self.run("read", "-f", "json", topic, *args)

    def size(self):
        if self.rng.random() < .05:
            return self.rng.choice([0, 1, 100, 1000, 40000, 120000])
        return self.rng.choice([0, 1, 5, 20, 60])

    def record(self):
        rng, row, n = self.rng, {}, self.size()
        if self.keep:
            row = {"offset": self.offset, "ts": self.time}
        kind = rng.random()
        if kind < .1:
            row["value"] = None
        elif kind < .3:
            row["value_b64"] = base64.b64encode(rng.randbytes(n)).decode()
        else:
            row["value"] = "".join(rng.choice(TEXT) for _ in range(n))
        if rng.random() < .4:
            row["key"] = rng.choice(["", "k", f"key{rng.randrange(50)}"])
        if rng.random() < .3:
            row["user_ts"] = rng.choice(
                [0, -1, -2**40, 2**62, rng.randrange(-10**15, 10**15)])
        if rng.random() < .3:
            row["headers"] = [
                {"key": rng.choice("xyz") * rng.randrange(1, 5),
                 "value": rng.choice([None, "", "v" * rng.randrange(50)])}
                for _ in range(rng.randrange(4))]
        return json.dumps(row)

    def append(self):
        rng, rows = self.rng, []
        for _ in range(rng.randrange(1, 400)):
            if rng.random() < .1:
                self.offset += rng.choice([1, 1, 2, 70000])
            if rng.random() < .3:
                self.time += rng.choice([1, 300, 10**7])
            rows.append(self.record())
            self.offset += 1
        args = rng.choice([[], ["-z", "lz4"], ["--atomic"], ["--sync=none"]])
        if self.keep:
            args = args + ["--keep-offsets"]
        self.run("append", "-f", "json", *args, "t",
                 data=("\n".join(rows) + "\n").encode())
        if not self.keep and rng.random() < .3:
            self.run("append", "t", data=b"".join(
                b"line %d\n" % i for i in range(rng.randrange(1, 9000))))

    def seal(self):
        before = self.read()
        self.run("seal", "t")
        assert self.read() == before, "sealing changed what is read"

    def chain(self, topic):
        report = json.loads(self.run("stat", "--json", topic))
        return report["topics"][0]["chain"]

    def compare(self):
        ours = self.read()
        theirs = subprocess.run(
            [sys.executable, READER, self.store, "t"], capture_output=True,
            check=False)
        assert theirs.returncode == 0, theirs.stderr.decode()
        assert theirs.stdout == ours, "the readers differ"
        self.run("verify", "--deep", "t")
        self.run("append", "-f", "frame", "--keep-offsets", "copy",
                 data=self.run("read", "-f", "frame", "t"))
        copy = self.read("copy").replace(b'"topic":"copy"', b'"topic":"t"')
        assert copy == ours, "the copy differs"
        assert self.chain("t") == self.chain("copy"), "the chains differ"
        lines = ours.splitlines(keepends=True)
        for _ in range(3):
            line = self.rng.choice(lines)
            at = str(json.loads(line)["offset"])
            assert self.read("t", "-o", at, "-c", "1") == line, f"offset {at}"

    def go(self):
        self.run("create", "--config",
                 "segment.bytes=" + self.rng.choice(["64K", "256K", "1G"]),
                 "--config",
                 "compression.type=" + self.rng.choice(["lz4", "none"]), "t")
        for _ in range(self.rng.randrange(1, 8)):
            self.append()
            if self.rng.random() < .3:
                self.seal()
        self.compare()


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    for seed in range(int(sys.argv[3]), int(sys.argv[4])):
        store = os.path.join(sys.argv[2], "shuffle")
        try:
            Shuffle(sys.argv[1], store, seed).go()
        except AssertionError as e:
            print(f"shuffle.py: seed {seed}: {e}", file=sys.stderr)
            return 1
        shutil.rmtree(store, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
