"""Looks for secrets in the memory of a running process, as only its machine's root can."""
import os
import re
import struct

WRITABLE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def spans(pid):
    """What the process may write, heap and stacks among it, as far as it ever touched it."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/pagemap", "rb", buffering=0) as pages:
        for found in filter(None, map(WRITABLE.match, maps)):
            begin, end = (int(word, 16) for word in found.groups())
            pages.seek(begin // PAGE_BYTES * 8)
            count = (end - begin) // PAGE_BYTES
            entries = struct.unpack(f"<{count}Q", pages.read(8 * count))
            yield from runs(begin, [entry >> 62 != 0 for entry in entries])


def runs(begin, touched):
    first = None
    for page, is_touched in enumerate([*touched, False]):
        if is_touched and first is None:
            first = page
        elif not is_touched and first is not None:
            yield begin + first * PAGE_BYTES, (page - first) * PAGE_BYTES
            first = None


def found_in(pid, secrets):
    """Which of {name: bytes} the process remembers."""
    found = set()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for begin, length in spans(pid):
            memory.seek(begin)
            content = memory.read(length)
            found |= {name for name, secret in secrets.items() if secret in content}
    return found
