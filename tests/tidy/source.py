"""Files as the rules see them: text, comments, functions, code without comments and strings."""
import os
import re
import subprocess

ROOMS = ('core', 'crypto', 'models', 'coordinator', 'participant', 'simulations')
SUFFIXES = ('.c', '.h', '.py', '.sh', '.cmake', '.txt', '.md', '.yaml', '.json')


class Function:
    """A C function: where it stands, its signature, and its body without comments."""

    def __init__(self, name, first, last, signature, body):
        self.name = name
        self.first = first  # lines from 1, the signature's first and the closing brace's
        self.last = last
        self.signature = signature
        self.body = body

    def length(self):
        return self.last - self.first + 1


class Source:
    """One file. `code` has the lines of `text` with comments and the insides of strings blanked."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split('\n')
        self.is_c = path.endswith(('.c', '.h'))
        self.comments = []  # (first line, last line, text)
        self.code = self._blank() if self.is_c else text
        self.code_lines = self.code.split('\n')

    def folder(self):
        return os.path.dirname(self.path)

    def in_rooms(self):
        return self.path.split('/')[0] in ROOMS

    def line_at(self, offset):
        return self.code.count('\n', 0, offset) + 1

    def _blank(self):
        pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)

        def replace(match):
            found = match.group(0)
            if found.startswith('/'):
                first = self.text.count('\n', 0, match.start()) + 1
                self.comments.append((first, first + found.count('\n'), found))
                return re.sub(r'[^\n]', ' ', found)
            if self._is_include(match.start()):
                return found
            return found[0] + ' ' * (len(found) - 2) + found[-1]

        return pattern.sub(replace, self.text)

    def _is_include(self, offset):
        begin = self.text.rfind('\n', 0, offset) + 1
        return self.text[begin:offset].lstrip().startswith('#')

    def functions(self):
        """Definitions in this project's style: the brace of a function stands alone in column 0."""
        found = []
        lines = self.code_lines
        for index, line in enumerate(lines):
            if line.rstrip() != '{':
                continue
            first = index
            while first > 0 and re.match(r'\s*\S', lines[first - 1]) and \
                    not lines[first - 1].startswith(('#', '}')) and \
                    not lines[first - 1].rstrip().endswith((';', '}')):
                first -= 1
            last = index
            while last < len(lines) and not lines[last].startswith('}'):
                last += 1
            signature = ' '.join(lines[first:index])
            name = re.search(r'(\w+)\s*\(', signature)
            if name:
                found.append(Function(name.group(1), first + 1, last + 1, signature,
                                      '\n'.join(lines[index:last + 1])))
        return found


class Tree:
    """All files, by path. The self-test makes small ones of its own."""

    def __init__(self, texts):
        self.sources = [Source(path, text) for path, text in sorted(texts.items())]

    def c_files(self):
        return [source for source in self.sources if source.is_c]

    def by_path(self):
        return {source.path: source for source in self.sources}


def listed_files(root):
    """Tracked and new files if this is a git checkout, else everything but build products."""
    try:
        out = subprocess.run(['git', 'ls-files', '-co', '--exclude-standard'], cwd=root, check=True,
                             capture_output=True, text=True).stdout
        return [path for path in out.splitlines() if os.path.isfile(os.path.join(root, path))]
    except (OSError, subprocess.CalledProcessError):
        return walked_files(root)


def walked_files(root):
    paths = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != 'build' and
                      (not name.startswith('.') or name == '.ci')]
        paths += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return paths


def is_text(root, path):
    if path.endswith(SUFFIXES):
        return '/seeds/' not in path and '/vectors/' not in path
    if '.' in os.path.basename(path):
        return False
    with open(os.path.join(root, path), 'rb') as stream:
        return stream.read(2) == b'#!'


def load_tree(root):
    texts = {}
    for path in listed_files(root):
        if is_text(root, path):
            with open(os.path.join(root, path), encoding='utf-8', errors='replace') as stream:
                texts[path] = stream.read()
    return Tree(texts)
