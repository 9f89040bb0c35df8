"""Sizes: lines of files and functions, columns, parameters, depth, files of a folder."""
import re

from source import ROOMS

FUNCTION_LINES_MAX = 70
FUNCTION_LINES_P95_MAX = 55
TEST_LINES_MAX = 40
PARAMETERS_MAX = 6
DEPTH_MAX = 3
FILE_LINES_MAX = 500
TEST_FILE_LINES_MAX = 800
COLUMNS_MAX = 100
PAIRS_MAX = 12
README_LINES_MAX = 40

WORDS = r'[a-z0-9]+(?:_[a-z0-9]+)*'
TEST_NAME = re.compile(f'^{WORDS}__{WORDS}__{WORDS}$')
TOKEN = re.compile(r'[A-Za-z_]\w*|[0-9][\w.]*|->|[^\s\w]')


def check_columns(tree):
    for source in tree.sources:
        if source.path.endswith(('.md', '.json')):
            continue
        for number, line in enumerate(source.lines, 1):
            if len(line) > COLUMNS_MAX:
                yield source.path, number, f'{len(line)} columns; at most {COLUMNS_MAX}'


def check_file_lines(tree):
    for source in tree.sources:
        most = TEST_FILE_LINES_MAX if source.path.startswith('tests/') else FILE_LINES_MAX
        count = len(source.text.splitlines())
        if count > most and not source.path.endswith(('.md', '.json')):
            yield source.path, most + 1, f'{count} lines; at most {most}'


def check_function_lines(tree):
    lengths = []
    for source in tree.c_files():
        for function in source.functions():
            lengths.append((function.length(), source.path, function))
            if function.length() > FUNCTION_LINES_MAX:
                yield (source.path, function.first, f'{function.name} has {function.length()} '
                       f'lines; at most {FUNCTION_LINES_MAX}')
    lengths.sort(key=lambda entry: entry[0])
    if lengths and lengths[int(0.95 * (len(lengths) - 1))][0] > FUNCTION_LINES_P95_MAX:
        length, path, function = lengths[int(0.95 * (len(lengths) - 1))]
        yield (path, function.first, f'one function in twenty has {length} lines or more; at most '
               f'{FUNCTION_LINES_P95_MAX}')


def parameters_of(signature):
    """The count of parameters of the last bracket at the outermost level before the body."""
    depth, begin, count = 0, None, 0
    for index, character in enumerate(signature):
        if character == '(':
            depth += 1
            if depth == 1:
                begin, count = index + 1, 1
        elif character == ')':
            depth -= 1
            if depth == 0 and signature[begin:index].strip() in ('', 'void'):
                count = 0
        elif character == ',' and depth == 1:
            count += 1
    return count


def check_parameters(tree):
    for source in tree.c_files():
        for function in source.functions():
            count = parameters_of(function.signature)
            if count > PARAMETERS_MAX:
                yield (source.path, function.first, f'{function.name} has {count} parameters; at '
                       f'most {PARAMETERS_MAX}')


class Depth:
    """Walks the statements of a body and keeps the deepest level of control structures."""

    def __init__(self, body):
        code = re.sub(r'^\s*#.*$', '', body, flags=re.M)
        self.tokens = TOKEN.findall(code)
        self.at = 0
        self.deepest = 0

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ''

    def skip_brackets(self):
        depth = 0
        while self.at < len(self.tokens):
            depth += {'(': 1, '[': 1, '{': 1, ')': -1, ']': -1, '}': -1}.get(self.peek(), 0)
            self.at += 1
            if depth == 0:
                return

    def skip_to(self, end):
        while self.peek() not in ('', end):
            if self.peek() in '([{':
                self.skip_brackets()
            else:
                self.at += 1
        self.at += 1

    def control(self, level, has_condition):
        self.deepest = max(self.deepest, level)
        self.at += 1
        if has_condition:
            self.skip_brackets()
        self.statement(level)

    def branch(self, level):
        self.control(level, True)
        if self.peek() != 'else':
            return
        if self.tokens[self.at + 1:self.at + 2] == ['if']:
            self.at += 1
            self.branch(level)
        else:
            self.control(level, False)

    def block(self, level):
        self.at += 1
        while self.peek() not in ('', '}'):
            self.statement(level)
        self.at += 1

    def statement(self, level):
        """One statement, inside `level` control structures."""
        token = self.peek()
        following = self.tokens[self.at + 1:self.at + 2]
        if token == '{':
            self.block(level)
        elif token == 'if':
            self.branch(level + 1)
        elif token in ('for', 'while', 'switch'):
            self.control(level + 1, True)
        elif token == 'do':
            self.control(level + 1, False)
            self.skip_to(';')
        elif token in ('case', 'default') or (following == [':'] and token != '?'):
            self.skip_to(':')
        else:
            self.skip_to(';')


def depth_of(body):
    walk = Depth(body)
    walk.block(0)
    return walk.deepest


def check_depth(tree):
    for source in tree.c_files():
        for function in source.functions():
            depth = depth_of(function.body)
            if depth > DEPTH_MAX:
                yield (source.path, function.first, f'{function.name} is {depth} levels deep; at '
                       f'most {DEPTH_MAX}')


def check_tests(tree):
    """Every cmocka test: unit__situation__outcome, and short."""
    for source in tree.c_files():
        for function in source.functions():
            is_test = re.search(r'\b(?:cmocka_unit_test\w*|[A-Z_]+)\(\s*' + function.name + r'\b',
                                source.code) and re.search(r'void \*\*', function.signature)
            if not is_test or not source.path.startswith('tests/'):
                continue
            if re.search(r'(?:setup|teardown)\w*\([^)]*,\s*' + function.name + r'\b', source.code):
                continue
            if function.signature.lstrip().startswith('static int'):
                continue
            if not TEST_NAME.match(function.name):
                yield source.path, function.first, f'{function.name} is no unit__situation__outcome'
            if function.length() > TEST_LINES_MAX:
                yield (source.path, function.first, f'{function.name} has {function.length()} '
                       f'lines; a test has at most {TEST_LINES_MAX}')


def check_pairs(tree):
    folders = {}
    for source in tree.c_files():
        if source.in_rooms():
            folders.setdefault(source.folder(), set()).add(source.path.rsplit('.', 1)[0])
    for folder, stems in sorted(folders.items()):
        if len(stems) > PAIRS_MAX:
            yield folder, 1, f'{len(stems)} pairs of files; at most {PAIRS_MAX}'


def check_readmes(tree):
    sources = tree.by_path()
    tops = {source.path.split('/')[0] for source in tree.sources}
    for top in sorted(tops & {*ROOMS, 'tests'}):
        readme = sources.get(f'{top}/README.md')
        if readme is None:
            yield f'{top}/README.md', 1, 'is missing'
        elif len(readme.text.splitlines()) > README_LINES_MAX:
            yield readme.path, README_LINES_MAX + 1, f'more than {README_LINES_MAX} lines'
