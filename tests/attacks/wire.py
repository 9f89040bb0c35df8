"""The messages of core/wire, written and read: a site, the coordinator, or something in between."""
import base64
import hashlib
import struct

VERSION = 1
PLAN, MAIL, OUTCOME, ROSTER, TOKEN, ENROL_REQUEST, ENROL_RESPONSE = range(1, 8)
KINDS = ("none", "plan", "cohort", "inbox", "survivors", "inclusions", "outcome")

# Name and kind of each field of a plan, as they follow one another.
PLAN_FIELDS = (
    ("protocol", "text"), ("campaign", "text"), ("round", "whole"),
    ("base_model", "bytes"), ("adapter", "bytes"), ("layout", "bytes"),
    ("lane_count", "whole"), ("trained", "whole"), ("ring_bits", "whole"),
    ("value_bits", "whole"), ("weight_max", "whole"), ("clip_norm", "real"), ("lane_range", "real"),
    ("rotate", "whole"), ("feedback", "whole"), ("noise_multiplier", "real"),
    ("cohort_min", "whole"), ("cohort_max", "whole"), ("survivors_min", "whole"),
    ("corrupt_fraction", "real"), ("dropout_fraction", "real"), ("organisation_max", "whole"),
    ("roster", "bytes"), ("roster_epoch", "whole"), ("roster_signature", "bytes"),
    ("epochs", "whole"), ("batch", "whole"), ("learning_rate_start", "real"),
    ("learning_rate_end", "real"), ("weight_decay", "real"), ("proximal", "real"),
    ("dropout", "real"),
    ("gathering_ms", "whole"), ("sharing_ms", "whole"), ("uploading_ms", "whole"),
    ("including_ms", "whole"), ("revealing_ms", "whole"), ("nonce", "bytes"),
)


def digest(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def digest_list(label, *parts):
    """The digest of several byte strings that keeps them apart."""
    return digest(label.encode(), struct.pack("<I", len(parts)), *map(digest, parts))


def pack(value):
    """The shortest msgpack of a bool, number, text, bytes or list."""
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, int):
        return pack_whole(value)
    if isinstance(value, str):
        text = value.encode()
        return pack_length(len(text), ((0xA0, 31), (0xD9, ">B"), (0xDA, ">H"))) + text
    if isinstance(value, bytes):
        return pack_length(len(value), ((0xC4, ">B"), (0xC5, ">H"), (0xC6, ">I"))) + value
    return (pack_length(len(value), ((0x90, 15), (0xDC, ">H"), (0xDD, ">I"))) +
            b"".join(map(pack, value)))


def pack_whole(value):
    if value < 0x80:
        return bytes([value])
    for code, form in ((0xCC, ">B"), (0xCD, ">H"), (0xCE, ">I"), (0xCF, ">Q")):
        if value < 1 << 8 * struct.calcsize(form):
            return bytes([code]) + struct.pack(form, value)
    raise OverflowError(value)


def pack_length(length, forms):
    for code, form in forms:
        if isinstance(form, int):
            if length <= form:
                return bytes([code | length])
        elif length < 1 << 8 * struct.calcsize(form):
            return bytes([code]) + struct.pack(form, length)
    raise OverflowError(length)


class Unpacker:
    NUMBERS = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xCB: ">d"}
    STRINGS = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H"}
    LISTS = {0xDC: ">H", 0xDD: ">I"}

    def __init__(self, content):
        self.content = content
        self.at = 0

    def take(self, length):
        self.at += length
        if self.at > len(self.content):
            raise ValueError("a message ends too early")
        return self.content[self.at - length:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self):
        code = self.take(1)[0]
        if code < 0x80:
            return code
        if code in (0xC2, 0xC3):
            return code == 0xC3
        if code in self.NUMBERS:
            return self.number(self.NUMBERS[code])
        if 0xA0 <= code < 0xC0:
            return self.take(code & 31).decode()
        if code in self.STRINGS:
            content = self.take(self.number(self.STRINGS[code]))
            return content.decode() if code >= 0xD9 else content
        if 0x90 <= code < 0xA0:
            return [self.value() for _ in range(code & 15)]
        if code in self.LISTS:
            return [self.value() for _ in range(self.number(self.LISTS[code]))]
        raise ValueError(f"a message has the type {code:#x}")


def message(number, *fields):
    return pack([VERSION, number, *fields])


def read_message(number, content):
    unpacker = Unpacker(content)
    version, kind, *fields = unpacker.value()
    if (version, kind) != (VERSION, number) or unpacker.at != len(content):
        raise ValueError(f"message {kind} of version {version} instead of {number}")
    return fields


def plan(fields):
    return message(PLAN, *(fields[name] for name, _ in PLAN_FIELDS))


def read_plan(content):
    values = read_message(PLAN, content)
    return {name: value for (name, _), value in zip(PLAN_FIELDS, values, strict=True)}


def mail(kind, campaign, number, body, signature=bytes(64)):
    return message(MAIL, KINDS.index(kind), campaign, number, body, signature)


def read_mail(content):
    kind, campaign, number, body, signature = read_message(MAIL, content)
    return KINDS[kind], campaign, number, body, signature


def roster(epoch, lines):
    """Lines are (id, identity, certificate digest, name of the organisation)."""
    names = sorted({organisation for *_, organisation in lines})
    return message(ROSTER, epoch, names, [[number, identity, certificate, names.index(name)]
                                          for number, identity, certificate, name in lines])


def read_roster(content):
    """Epoch, names of organisations, lines."""
    return read_message(ROSTER, content)


def read_outcome(content):
    names = ("kind", "campaign", "round", "is_last", "adapter", "layout", "survivors", "reason")
    return dict(zip(names, read_message(OUTCOME, content), strict=True))


def read_token(text):
    content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    names = ("url", "site", "organisation", "authority", "expires_s", "secret")
    return dict(zip(names, read_message(TOKEN, content), strict=True))
