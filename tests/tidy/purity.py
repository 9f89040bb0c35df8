"""Pure rooms: what their objects may ask of the system, by `nm -u` against a list."""
import fnmatch
import os
import re
import subprocess

LANGUAGE = ('mem*', 'str*', '__mem*_chk', '__str*_chk', '__stack_chk_fail', '__assert_fail',
            'abort', 'explicit_bzero', '__explicit_bzero_chk', 'snprintf', '__snprintf_chk',
            'vsnprintf', '__vsnprintf_chk', 'bsearch', '_GLOBAL_OFFSET_TABLE_', '__*san_*',
            '__sanitizer_*', '__sancov*', '__gcov*')
MATHS = ('sqrt', 'sqrtf', 'floor', 'floorf', 'ceil', 'lround', 'llround', 'lrint', 'fabs', 'fmin',
         'fmax', 'exp', 'expf', 'log', 'log1p', 'log2', 'pow', 'cos', 'cosf', 'nextafter', 'ldexp')
OPENSSL = ('EVP_*', 'OSSL_PARAM_*', 'ERR_*', 'CRYPTO_memcmp', 'OPENSSL_cleanse')
MEMORY = ('malloc', 'calloc', 'free')

# Our own functions that reach for the system. The rest of ours is judged in its own room.
IMPURE = ('sotto_entropy_*', 'sotto_clock_*', 'sotto_log_*', 'sotto_file_*', 'sotto_folder_*',
          'sotto_descriptor_*', 'sotto_sealed_*', 'sotto_config_*', 'sotto_arena_open',
          'sotto_arena_close')
# Entropy hidden behind a library's own name.
DRAWING = ('RAND_*', 'EVP_RAND_*', 'EVP_PKEY_keygen*', 'EVP_PKEY_generate', 'EVP_PKEY_Q_keygen')

# (room, its objects, what they may use beside the language and our own pure functions)
PURE = (
    ('crypto/primitives', '*', OPENSSL + MEMORY),
    ('crypto/ring', '*', MATHS),
    ('crypto/privacy', '*', MATHS),
    ('crypto/secagg', '*', MATHS),
    ('coordinator/round', '*', MATHS),
    ('coordinator/apply', '*', MATHS + MEMORY),
    # The turn is handed its entropy, and draws from what it was handed.
    ('participant/sealer', 'turn.c.o', MATHS + ('sotto_entropy_fill',)),
    ('participant/sealer', 'policy.c.o', MATHS),
)


def library_of(build, room):
    return os.path.join(build, room, 'libsotto_room_' + room.replace('/', '_') + '.a')


def undefined_symbols(listing):
    """(object, symbol) from what `nm -u` prints of an archive."""
    current = ''
    for line in listing.splitlines():
        header = re.match(r'^(?:.*[(/])?([^()/]+\.o)\)?:$', line)
        if header:
            current = header.group(1)
            continue
        symbol = re.match(r'^\s+[Uwv]\s+([^@\s]+)', line)
        if symbol:
            yield current, symbol.group(1)


def fits(symbol, patterns):
    return any(fnmatch.fnmatchcase(symbol, pattern) for pattern in patterns)


def is_pure(symbol, allowed):
    if fits(symbol, DRAWING):
        return False
    if fits(symbol, allowed) or fits(symbol, LANGUAGE):
        return True
    return symbol.startswith('sotto_') and not fits(symbol, IMPURE)


def judge(room, objects, allowed, listing):
    for name, symbol in undefined_symbols(listing):
        if fits(name, (objects,)) and not is_pure(symbol, allowed):
            yield f'{room}/{name[:-2]}', 1, f'a pure room may not use {symbol}'


def check_purity(build):
    for room, objects, allowed in PURE:
        library = library_of(build, room)
        if not os.path.exists(library):
            yield room, 1, f'is not built: {library}'
            continue
        listing = subprocess.run(['nm', '-u', library], check=True, capture_output=True,
                                 text=True).stdout
        yield from judge(room, objects, allowed, listing)
