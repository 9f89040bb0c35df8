"""
Nothing plain reaches the hub. Every byte that TLS hands to the hub is captured after decryption,
and everything in its state folder is read; neither may hold a site's pixels, file names, or plain
lanes.

With the smallest learning rate the plain lanes are known: the update rounds to zero, so that each
lane is the weight times one of the two middle steps of the quantiser. The same search is shown to
find all of them where they are.
"""
import glob
import os
import re
import struct
import sys
import unittest
import zlib

from federation import Federation

BINARIES = sys.argv.pop(1)
CAPTURE = sys.argv.pop(1)
MARK = "canary-7f3a9c"


def png_rows(path):
    """The rows of an 8-bit grey PNG without interlace, unfiltered."""
    with open(path, "rb") as photo:
        content = photo.read()
    at, packed = 8, b""
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        if kind == b"IHDR":
            width, height = struct.unpack(">II", content[at + 8 : at + 16])
        if kind == b"IDAT":
            packed += content[at + 8 : at + 8 + length]
        at += 12 + length
    plain, rows, above = zlib.decompress(packed), [], bytes(width)
    for y in range(height):
        kind, row = plain[y * (width + 1)], bytearray(
            plain[y * (width + 1) + 1 : (y + 1) * (width + 1)]
        )
        for x in range(width):
            left = row[x - 1] if x else 0
            corner = above[x - 1] if x else 0
            row[x] = (row[x] + predict(kind, left, above[x], corner)) & 255
        above = bytes(row)
        rows.append(above)
    return rows


def predict(kind, left, above, corner):
    """PNG's five filters."""
    if kind == 4:
        near = left + above - corner
        return min(
            (abs(near - left), 0, left),
            (abs(near - above), 1, above),
            (abs(near - corner), 2, corner),
        )[2]
    return (0, left, above, (left + above) // 2)[kind]


class Canaries:
    """What must not be found, as byte strings and one pattern."""

    def __init__(self, photo_folders):
        self.strings = {MARK.encode()}
        weights = set()
        for folder in photo_folders:
            photos = sorted(glob.glob(os.path.join(folder, "*", "*.png")))
            weights.add(len(photos))
            for photo in photos:
                self.strings.update(row for row in png_rows(photo) if len(set(row)) > 12)
        steps = [
            struct.pack("<I", weight * middle) for weight in weights for middle in (32767, 32768)
        ]
        self.plain_lanes = re.compile(
            b"(?:" + b"|".join(re.escape(step) for step in steps) + b"){4}"
        )
        self.weights = weights

    def found_in(self, content):
        hits = [string for string in self.strings if string in content]
        return hits + self.plain_lanes.findall(content)


class Privacy(unittest.TestCase):
    def setUp(self):
        self.federation = Federation(BINARIES, sites=3)
        self.addCleanup(self.federation.close)
        f = self.federation
        f.pretrain()
        f.partition(
            "sites=3",
            "cohort_max=3",
            "cohort_min=3",
            "survivors_min=3",
            "examples_min=30",
            "examples_max=40",
        )
        for photo in glob.glob(f.path("photos/*/*/*.png")):
            os.rename(photo, photo.replace(".png", f"-{MARK}.png"))
        self.canaries = Canaries(glob.glob(f.path("photos/*")))

    def test_search__where_they_are__finds_every_kind(self):
        rows = next(iter(string for string in self.canaries.strings if string != MARK.encode()))
        weight = next(iter(self.canaries.weights))
        lanes = b"".join(struct.pack("<I", weight * (32767 + i % 2)) for i in range(50))
        self.assertTrue(self.canaries.found_in(b"....." + rows + b"..."))
        self.assertTrue(self.canaries.found_in(b"GET /" + MARK.encode()))
        self.assertTrue(self.canaries.found_in(b"\0" * 3 + lanes))
        self.assertFalse(self.canaries.found_in(os.urandom(1 << 20)))

    def test_round__everything_the_hub_received_and_stored__holds_no_canary(self):
        f = self.federation
        capture = f.path("capture")
        f.init_hub()
        f.serve({"LD_PRELOAD": CAPTURE, "SOTTO_TEST_CAPTURE": capture})
        for name in f.names:
            f.enrol(name)
            f.join(name)
        f.create_campaign(
            "bridges",
            "--rounds",
            2,
            "--cohort-min",
            3,
            "--cohort-max",
            3,
            "--survivors-min",
            3,
            "--learning-rate",
            1e-12,
            "--weight-decay",
            0,
        )
        f.admin("campaign", "start", "bridges")
        f.admin("campaign", "wait", "bridges", "--timeout", 60)
        with open(capture, "rb") as captured:
            received = captured.read()
        lane_bytes = 4 * f.campaign("bridges")["rounds"][0]["lane_count"]
        self.assertGreater(len(received), 2 * 3 * lane_bytes, "the capture must hold all uploads")
        self.assertEqual(self.canaries.found_in(received), [])
        for folder, _, files in os.walk(f.path("hub")):
            for name in files:
                with open(os.path.join(folder, name), "rb") as stored:
                    self.assertEqual(self.canaries.found_in(stored.read()), [], name)
                self.assertNotIn(MARK, name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
