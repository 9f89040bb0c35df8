"""Files of test vectors: what they are drawn from, how they are written, and the comparison of what
is there with what would be. Bytes are hex, numbers are numbers."""
import json
import pathlib
import sys

import secagg

ORIGIN = b'sotto test vectors'


def drawn(*names):
    """32 bytes for a name."""
    return secagg.sha256(ORIGIN, *(repr(name).encode() for name in names))


def hexed(value):
    """The same with all bytes as hex."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): hexed(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [hexed(each) for each in value]
    return value


def encoded(value):
    """One entry of a list a line, so that a difference shows where it is."""
    members = []
    for key, each in hexed(value).items():
        if isinstance(each, list) and isinstance(each[0], dict):
            rows = ',\n  '.join(json.dumps(row) for row in each)
            members.append(f'{json.dumps(key)}: [\n  {rows}]')
        else:
            members.append(f'{json.dumps(key)}: {json.dumps(each)}')
    return '{\n ' + ',\n '.join(members) + '\n}\n'


def main(folder, makers, usage):
    """Writes FOLDER/NAME.json for each maker NAME, or compares them with --check."""
    if sys.argv[1:] not in ([], ['--check']):
        sys.exit(usage)
    differs = False
    for make in makers:
        path = pathlib.Path(__file__).parent / folder / f'{make.__name__}.json'
        text = encoded(make())
        if not sys.argv[1:]:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            print(f'{path}: not what docs/protocol.md gives; {sys.argv[0]} writes it anew')
            differs = True
    sys.exit(differs)
