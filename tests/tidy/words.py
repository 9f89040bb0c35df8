"""Words: names that say nothing, left-over notes, dead code, paths of one machine."""
import re

BANNED = {'util', 'utils', 'helper', 'helpers', 'common', 'misc', 'manager', 'handler', 'handlers',
          'data', 'info', 'process'}
BANNED_ENDINGS = ('_v2', '_new', '_impl')
# Terms of the field: X.509's, HKDF's (RFC 5869), and a level of the log.
TERMS = {'common_name', 'info', 'sotto_log_info'}
KEYWORDS = {'return', 'else', 'case', 'goto', 'sizeof', 'do', 'in', 'typedef', 'defined'}

NOTES = re.compile(r'\b(?:TODO|FIXME|XXX|HACK)\b')
MACHINE = re.compile(r'(?<![\w.$}])/(?:root|home/\w+|mnt|tmp)/')
BANNER = re.compile(r'(?:/\*|#|//)\s*(?:[-=*#]{3,}|~{3,})|[-=]{4,}\s*\*/')
IF_ZERO = re.compile(r'^\s*#\s*if\s+0\b')

# A comment line that would compile.
TYPE = (r'(?:static|const|struct|enum|void|bool|char|int|unsigned|long|float|double|size_t|'
        r'u?int\d+_t)')
DEAD_CODE = re.compile(
    r'^(?:'
    r'(?:if|for|while|switch)\s*\(.*\)\s*\{?'
    r'|return\b[^.]*;'
    r'|' + TYPE + r'\b[\w\s*\[\]]*(?:=[^;]*)?;'
    r'|[\w>.\[\]\-]+\s*[-+*/|&^]?=\s*[^=].*;'
    r'|\w+\([^)]*\)\s*;'
    r'|#\s*(?:include|define|if|endif).*'
    r'|\}(?:\s*else\s*\{)?'
    r')$')


def declared_names(source):
    """(line, name) of what this file itself names: macros, types, variables, members, functions."""
    code = re.sub(r'\\\n', ' \n', source.code)
    for match in re.finditer(r'^\s*#\s*define\s+(\w+)', code, re.M):
        if not match.group(1).endswith('_H'):
            yield source.line_at(match.start(1)), match.group(1)
    code = re.sub(r'^\s*#.*$', lambda match: ' ' * len(match.group(0)), code, flags=re.M)
    for match in re.finditer(r'\b(?:struct|enum|union)\s+(\w+)\s*[{;]', code):
        yield source.line_at(match.start(1)), match.group(1)
    for match in re.finditer(r'\benum\b[^{};()]*\{([^}]*)\}', code):
        for name in re.finditer(r'(?:^|,)\s*(\w+)', match.group(1)):
            yield source.line_at(match.start(1) + name.start(1)), name.group(1)
    for match in re.finditer(r'([A-Za-z_]\w*)(?:\s+\**|\s*\*+\s*)([A-Za-z_]\w*)\s*(?=[;,=\[():])',
                             code):
        if match.group(1) not in KEYWORDS:
            yield source.line_at(match.start(2)), match.group(2)


def is_banned(name):
    lower = name.lower()
    if lower in TERMS or '__' in lower or lower.endswith('_not_new'):
        return False
    return bool(BANNED & set(lower.split('_'))) or lower.endswith(BANNED_ENDINGS)


def check_names(tree):
    for source in tree.c_files():
        for line, name in declared_names(source):
            if is_banned(name):
                yield source.path, line, f'the name {name} has a word that says nothing'


def in_scope(source):
    """This folder quotes what it forbids."""
    return not source.path.startswith('tests/tidy/')


def check_notes(tree):
    for source in filter(in_scope, tree.sources):
        for number, line in enumerate(source.lines, 1):
            if NOTES.search(line):
                yield source.path, number, 'a left-over note'


def check_machine_paths(tree):
    for source in filter(in_scope, tree.sources):
        for number, line in enumerate(source.lines, 1):
            if MACHINE.search(line):
                yield source.path, number, 'a path of one machine'


def check_banners(tree):
    for source in tree.c_files():
        for first, _, comment in source.comments:
            if BANNER.search(comment):
                yield source.path, first, 'a banner: a file with sections wants to be two'


def check_if_zero(tree):
    for source in tree.c_files():
        for number, line in enumerate(source.code_lines, 1):
            if IF_ZERO.match(line):
                yield source.path, number, 'code switched off by the preprocessor'


def check_dead_code(tree):
    for source in tree.c_files():
        for first, _, comment in source.comments:
            for offset, line in enumerate(comment.split('\n')):
                bare = re.sub(r'^\s*(?:/\*+|//|\*(?!/))\s?|\s*\*/\s*$', '', line).strip()
                if DEAD_CODE.match(bare):
                    yield source.path, first + offset, 'a comment that is code'
