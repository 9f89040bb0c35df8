"""What headers promise, and what sources may not hide: state, conditions, swallowed enum values."""
import re

MESSAGES = ('core/wire/',)


def statements(source):
    """(first line, last line, text) of each declaration or definition at the outermost level."""
    code = re.sub(r'^\s*#.*(?:\\\n.*)*$', lambda match: re.sub(r'[^\n]', ' ', match.group(0)),
                  source.code, flags=re.M)
    depth, begin = 0, 0
    for index, character in enumerate(code):
        depth += {'{': 1, '(': 1, '}': -1, ')': -1}.get(character, 0)
        if character == ';' and depth == 0:
            text = code[begin:index + 1]
            first = begin + len(text) - len(text.lstrip())
            yield source.line_at(first), source.line_at(index), text.strip()
            begin = index + 1


def prototypes(source):
    """(first line, last line, name) of each function that a header declares."""
    for first, last, text in statements(source):
        bare = re.sub(r'__attribute__\s*\(\(.*\)\)', '', text, flags=re.S)
        name = re.match(r'[^{}=(]*?\b(\w+)\s*\(', bare)
        if name and not text.startswith(('typedef', 'static', '_Static_assert')):
            yield first, last, name.group(1)


def check_comments(tree):
    """A comment, or a type with one, opens a group of functions; a bare type ends it."""
    for source in tree.c_files():
        if not source.path.endswith('.h') or not source.in_rooms():
            continue
        functions = {first: name for first, _, name in prototypes(source)}
        places = {end for _, end, _ in source.comments}
        explained = False
        for first, last, _ in statements(source):
            is_commented = any(line in places for line in range(first - 1, last + 1))
            if first not in functions:
                explained = first - 1 in places
            elif is_commented:
                explained = True
            elif not explained:
                yield source.path, first, f'{functions[first]} has no comment'


def has_main(source):
    return re.search(r'^int main\(', source.code, re.M) is not None


def check_file_pairs(tree):
    sources = tree.by_path()
    for source in tree.c_files():
        if not source.in_rooms():
            continue
        if source.path.endswith('.c'):
            if not has_main(source) and source.path[:-1] + 'h' not in sources:
                yield source.path, 1, 'has no header of its name'
        elif any(prototypes(source)) and source.path[:-1] + 'c' not in sources:
            yield source.path, 1, 'declares functions and has no source of its name'


def check_own_header(tree):
    """What x.c makes public stands in x.h."""
    sources = tree.by_path()
    for source in tree.c_files():
        header = sources.get(source.path[:-1] + 'h') if source.path.endswith('.c') else None
        if header is None or not source.in_rooms():
            continue
        for function in source.functions():
            is_public = not re.search(r'\bstatic\b', function.signature)
            if is_public and not re.search(r'\b' + function.name + r'\b', header.code):
                yield source.path, function.first, f'{function.name} is not in {header.path}'


def check_mirrors(tree):
    """What is encoded as a message can be decoded, and is declared beside it."""
    for source in tree.c_files():
        if not source.path.endswith('.h') or not source.path.startswith(MESSAGES):
            continue
        names = {name: first for first, _, name in prototypes(source)}
        for name, first in sorted(names.items()):
            mirror = re.sub('_encode$', '_decode', name)
            if mirror not in names:
                yield source.path, first, f'{name} has no mirror {mirror}'


def check_state(tree):
    """Variables that outlive a call. Tests and the flag that a signal sets are let be."""
    variable = re.compile(r'^\s*static\s+(?!const\b|inline\b|_Noreturn\b|volatile sig_atomic_t\b|'
                          r'_Atomic sig_atomic_t\b)[^()={;]*[;={\[]')
    for source in tree.c_files():
        if not source.in_rooms():
            continue
        for number, line in enumerate(source.code_lines, 1):
            if variable.match(line) and not re.search(r'\*\s*const\b|\bconst\b', line):
                yield source.path, number, 'state that outlives a call'


def check_preprocessor(tree):
    """No conditional compilation inside a function."""
    for source in tree.c_files():
        for function in source.functions():
            for offset, line in enumerate(function.body.split('\n')):
                if re.match(r'^\s*#\s*(?:if|ifdef|ifndef|else|elif|endif)\b', line):
                    line_number = function.last - function.body.count('\n') + offset
                    yield source.path, line_number, 'a preprocessor condition inside a function'


def check_defaults(tree):
    """A `default:` beside the values of one of our own enums swallows a value added later."""
    for source in tree.c_files():
        for match in re.finditer(r'\bswitch\s*\(', source.code):
            body = source.code[match.start():].split('\n}', 1)[0]
            labels = re.findall(r'\bcase\s+(\w+)\s*:', body)
            found = re.search(r'\bdefault\s*:', body)
            if found and any(label.startswith('SOTTO_') for label in labels):
                yield (source.path, source.line_at(match.start() + found.start()),
                       'a default beside the values of an enum')


LABEL = re.compile(r'"(sotto/\d+ [a-z0-9 ]+)"')


def check_labels(tree):
    """Labels stand before what is hashed or signed: if one began another, two meanings could have
    the same bytes."""
    found = {}
    for source in tree.c_files():
        if source.in_rooms():
            for number, line in enumerate(source.lines, 1):
                for label in LABEL.findall(line):
                    found.setdefault(label, (source.path, number))
    for label, (path, number) in sorted(found.items()):
        for other in sorted(found):
            if other != label and other.startswith(label):
                yield path, number, f'the label {label!r} begins {other!r}'
