"""Who may include whom. The table is the dependency rule; what it does not list is forbidden."""
import re

# Room -> what it may include beside its own folder and the folders below it: prefixes of paths. The
# longest key that fits a file counts. '!' forbids what another prefix of the list allows.
ADAPTER_DOOR = ('models/adapter/layout.h', 'models/adapter/manifest.h', 'models/adapter/rebase.h',
                'models/adapter/subset.h')
TRAINER_DOOR = ('models/trainer.h', 'models/adapter/layout.h', 'models/adapter/manifest.h',
                'models/adapter/subset.h', 'models/arch/arch.h', 'models/data/dataset.h',
                'models/data/texts.h')
ANSWER_DOOR = ('models/answer/answerer.h', 'models/data/chat.h', 'models/tokenise/')
EDGES = {
    'core/base/': (),
    'core/console/': ('core/base/',),
    'core/threads/': ('core/base/',),
    'core/wire/': ('core/base/',),
    'core/net/': ('core/base/',),
    'crypto/primitives/': ('core/base/',),
    'crypto/ring/': ('core/base/', 'crypto/primitives/'),
    'crypto/privacy/': ('core/base/', 'crypto/primitives/', 'crypto/ring/'),
    'crypto/secagg/': ('core/base/', 'crypto/primitives/', 'crypto/ring/', 'crypto/secagg/'),
    'models/': ('core/base/', 'core/threads/', 'models/'),
    'models/pretrain/': ('core/base/', 'core/console/', 'core/threads/', 'models/'),
    'models/kernels/': ('core/base/', 'models/kernels/'),
    'models/ops/': ('core/base/', 'models/kernels/'),
    'models/block/': ('core/base/', 'models/ops/', 'models/kernels/'),
    'models/arch/': ('core/base/', 'models/kernels/', 'models/ops/', 'models/block/',
                     'models/weights/', 'models/arch/'),
    'models/weights/': ('core/base/',),
    'models/optim/': ('core/base/', 'models/kernels/'),
    'models/tokenise/': ('core/base/',),
    'models/data/': ('core/base/', 'models/tokenise/'),
    'coordinator/': ('core/', 'crypto/', 'models/optim/', 'coordinator/') + ADAPTER_DOOR,
    'coordinator/admin/': ('core/', 'crypto/', 'models/adapter/', 'models/arch/',
                           'models/export/', 'models/weights/', 'models/optim/', 'coordinator/'),
    'coordinator/round/': ('core/base/', 'core/wire/', 'crypto/'),
    'coordinator/apply/': ('core/base/', 'core/wire/', 'crypto/', 'models/optim/') + ADAPTER_DOOR,
    'participant/': ('core/', 'crypto/', 'participant/') + TRAINER_DOOR,
    'participant/trainer/': ('core/base/', 'core/console/', 'core/threads/', 'core/wire/',
                             'crypto/', 'participant/', 'models/adapter/peft.h',
                             'models/arch/files.h', 'models/export/') + TRAINER_DOOR +
                            ANSWER_DOOR,
    'participant/sealer/': ('core/base/', 'core/wire/', 'crypto/', 'participant/') + TRAINER_DOOR,
    'participant/courier/': ('core/', 'crypto/', 'participant/'),
    'simulations/': ('core/base/', 'core/console/', 'core/threads/', 'core/wire/', 'crypto/',
                     'models/', 'coordinator/', 'participant/', 'simulations/',
                     '!coordinator/drive/', '!coordinator/ledger/', '!coordinator/api/'),
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def allowed_for(path):
    fitting = [key for key in EDGES if path.startswith(key)]
    return EDGES[max(fitting, key=len)] if fitting else None


def is_allowed(source, included):
    allowed = allowed_for(source.path)
    if allowed is None or included.startswith(source.folder() + '/'):
        return True
    if any(included.startswith(edge[1:]) for edge in allowed if edge.startswith('!')):
        return False
    return any(included.startswith(edge) for edge in allowed)


def check_edges(tree):
    for source in tree.c_files():
        if not source.in_rooms():
            continue
        for match in INCLUDE.finditer(source.code):
            line = source.line_at(match.start(1))
            if '/' not in match.group(1) or match.group(1).startswith('.'):
                yield source.path, line, f'include "{match.group(1)}" is not relative to the root'
            elif not is_allowed(source, match.group(1)):
                yield source.path, line, f'{source.folder()} may not include {match.group(1)}'


# Outside the kernels nobody looks at what lies in the memory of their device. So those who compute
# over the table neither move memory nor do arithmetic by themselves, and those who only hold such
# addresses move no memory; memcpy would take any address.
BEHIND_THE_DOOR = ('models/ops/', 'models/block/', 'models/arch/network.c',
                   'models/arch/embedding.c', 'models/arch/packing.c', 'models/worker.c',
                   'models/crew.c', 'models/binding.c', 'models/answer/cache.c',
                   'models/pretrain/mae_pass.c', 'models/pretrain/stack.c')
HOLDING_ADDRESSES = ('models/model.c', 'models/trainer.c', 'models/answer/answerer.c',
                     'models/optim/adamw.c', 'models/pretrain/fit.c')
SYSTEM = re.compile(r'^\s*#\s*include\s+<(string|math)\.h>', re.M)
# The members of the device's types, and the kernels' own way to what they hold.
MEMBER = re.compile(r'\bon_device\b|models/kernels/device/host\.h')
# Ways round those types: a cast to a number's address or to none in particular, a copy.
NUMBER = r'(?:float|double|char|void|(?:un)?signed(?: char| int)?|u?int\d+_t)'
WAY_ROUND = re.compile(r'\(\s*(?:const\s+)?' + NUMBER + r'(?:\s+const)?\s*\*\s*(?:const\s*)?\)|'
                       r'\b__builtin_mem\w+|\bunion\b')
FLOATS = re.compile(r'\(\s*(?:const\s+)?float(?:\s+const)?\s*\*\s*(?:const\s*)?\)')
# Whoever names these holds such addresses.
ADDRESS = re.compile(r'\bsotto_(?:device|matrix)_?\w*')


def forbidden_at(source):
    """What a file may not say."""
    behind = BEHIND_THE_DOOR + HOLDING_ADDRESSES
    if source.in_rooms() and not source.path.startswith('models/kernels/'):
        yield MEMBER
    if source.path.startswith(behind):
        yield WAY_ROUND
    elif source.path.startswith('models/') and not source.path.startswith('models/kernels/'):
        yield FLOATS


def is_unlisted(source):
    return (source.path.startswith('models/') and source.path.endswith('.c') and
            not source.path.startswith(('models/kernels/',) + BEHIND_THE_DOOR + HOLDING_ADDRESSES))


def check_door(tree):
    for source in tree.c_files():
        if source.path.startswith(BEHIND_THE_DOOR + HOLDING_ADDRESSES):
            for match in SYSTEM.finditer(source.code):
                if match.group(1) == 'string' or source.path.startswith(BEHIND_THE_DOOR):
                    yield (source.path, source.line_at(match.start(1)),
                           f'may not include <{match.group(1)}.h>: memory and arithmetic are the '
                           'kernels\'')
        match = ADDRESS.search(source.code)
        if match is not None and is_unlisted(source):
            yield (source.path, source.line_at(match.start()),
                   f'{match.group(0)}: who holds addresses of the device is listed in edges.py')
        for pattern in forbidden_at(source):
            for match in pattern.finditer(source.code):
                yield (source.path, source.line_at(match.start()),
                       f'{match.group(0)}: what lies on the device is the kernels\'')
