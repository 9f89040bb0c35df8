#!/usr/bin/env python3
"""Shows that each rule can fail, and that good code passes: small trees with one mistake each."""
import sys

sys.dont_write_bytecode = True  # leave nothing in the source tree

import contracts
import edges
import purity
import shape
import words
from source import Tree

BODY = '    step();\n'
GOOD_HEADER = '/* What it is. */\nint sotto_good_step(int count);\n'
GOOD_SOURCE = '''#include "core/base/good.h"

/* Why. The sum stays below 2^32; see the plan. */
static const int steps[] = {1, 2};

int sotto_good_step(int count)
{
    for (int i = 0; i < count; i++) {
        if (i > 2)
            return steps[0];
        else if (i > 1)
            count--;
        else
            count++;
    }
    switch (count) {
    case 1: return 1;
    default: return (struct pair){.left = {1, 2}}.left[0];
    }
}
'''
DEEP = '''void deep(void)
{
    if (a)
        for (;;)
            while (b) {
                if (c)
                    step();
            }
}
'''


def function(lines):
    return 'void long_one(void)\n{\n' + BODY * (lines - 3) + '}\n'


def parameters(count):
    return 'void wide(' + ', '.join(f'int p{i}' for i in range(count)) + ')\n{\n}\n'


# (rule, path, text, whether the rule must speak)
CASES = (
    (edges.check_edges, 'core/base/a.c', '#include "core/wire/plan.h"\n', True),
    (edges.check_edges, 'core/wire/a.c', '#include "core/base/bytes.h"\n', False),
    (edges.check_edges, 'core/wire/a.c', '#include "core/net/client.h"\n', True),
    (edges.check_edges, 'models/a/a.c', '#include "crypto/ring/lanes.h"\n', True),
    (edges.check_edges, 'models/ops/a.c', '#include "models/block/block.h"\n', True),
    (edges.check_edges, 'models/ops/a.c', '#include "models/kernels/kernels.h"\n', False),
    (edges.check_door, 'models/block/a.c', '#include <string.h>\n', True),
    (edges.check_door, 'models/arch/network.c', '#include <math.h>\n', True),
    (edges.check_door, 'models/kernels/a.c', '#include <string.h>\n', False),
    (edges.check_door, 'models/trainer.c', '#include <string.h>\n', True),
    (edges.check_door, 'models/trainer.c', '#include <math.h>\n', False),
    (edges.check_door, 'models/crew.c', 'float x = rows[2].on_device;\n', True),
    (edges.check_door, 'models/adapter/a.c', 'const float *x = (const float *)rows;\n', True),
    (edges.check_door, 'models/a.c', '#include "models/kernels/device/host.h"\n', True),
    (edges.check_door, 'models/kernels/a.c', 'float x = rows[2].on_device;\n', False),
    (edges.check_door, 'models/a.c', 'float *x;\n', False),
    (edges.check_door, 'models/block/a.c', 'float *x = (void *)rows.at;\n', True),
    (edges.check_door, 'models/worker.c', 'const uint8_t *x = (const uint8_t *)rows;\n', True),
    (edges.check_door, 'models/trainer.c', 'x = (float const *)rows;\n', True),
    (edges.check_door, 'models/ops/a.c', '__builtin_memcpy(x, rows, 4);\n', True),
    (edges.check_door, 'models/ops/a.c', 'union way { float *here; };\n', True),
    (edges.check_door, 'models/ops/a.c', 'run(const float *x, (void)rows);\n', False),
    (edges.check_door, 'models/weights/a.c', 'x = (const char *)json.at;\n', False),
    (edges.check_door, 'models/weights/a.c', 'struct sotto_device_float *rows;\n', True),
    (edges.check_door, 'models/data/a.c', 'struct sotto_matrix rows;\n', True),
    (edges.check_door, 'models/block/a.c', 'struct sotto_matrix rows;\n', False),
    (edges.check_door, 'simulations/a.c', 'float x = rows[2].on_device;\n', True),
    (edges.check_door, 'participant/a.c', '#include "models/kernels/device/host.h"\n', True),
    (edges.check_edges, 'crypto/primitives/a.c', '#include "crypto/ring/lanes.h"\n', True),
    (edges.check_edges, 'crypto/secagg/a/a.c', '#include "crypto/secagg/terms.h"\n', False),
    (edges.check_edges, 'coordinator/gate/a.c', '#include "participant/sealer/turn.h"\n', True),
    (edges.check_edges, 'coordinator/gate/a.c', '#include "models/trainer.h"\n', True),
    (edges.check_edges, 'coordinator/gate/a.c', '#include "models/adapter/layout.h"\n', False),
    (edges.check_edges, 'participant/courier/a.c', '#include "models/trainer.h"\n', True),
    (edges.check_edges, 'participant/sealer/a.c', '#include "core/net/client.h"\n', True),
    (edges.check_edges, 'participant/trainer/a.c', '#include "models/adapter/peft.h"\n', False),
    (edges.check_edges, 'simulations/a.c', '#include "coordinator/ledger/ledger.h"\n', True),
    (edges.check_edges, 'simulations/a.c', '#include "coordinator/round/round.h"\n', False),
    (edges.check_edges, 'core/base/a.c', '#include "bytes.h"\n', True),
    (edges.check_edges, 'core/base/a.c', '#include "../base/bytes.h"\n', True),
    (shape.check_columns, 'core/base/a.c', '/*' + 'x' * 99 + '\n', True),
    (shape.check_columns, 'core/base/a.c', '/*' + 'x' * 98 + '\n', False),
    (shape.check_file_lines, 'core/base/a.c', '\n' * 501, True),
    (shape.check_file_lines, 'core/base/a.c', '\n' * 500, False),
    (shape.check_file_lines, 'tests/core/a.c', '\n' * 800, False),
    (shape.check_file_lines, 'tests/core/a.c', '\n' * 801, True),
    (shape.check_function_lines, 'core/base/a.c', function(71), True),
    (shape.check_function_lines, 'core/base/a.c', function(56), True),
    (shape.check_function_lines, 'core/base/a.c', function(55), False),
    (shape.check_parameters, 'core/base/a.c', parameters(7), True),
    (shape.check_parameters, 'core/base/a.c', parameters(6), False),
    (shape.check_parameters, 'core/base/a.c',
     'void a(void (*f)(int, int, int, int, int, int, int), int b)\n{\n}\n', False),
    (shape.check_depth, 'core/base/a.c', DEEP, True),
    (shape.check_depth, 'core/base/a.c', DEEP.replace('if (c)', 'c();'), False),
    (shape.check_tests, 'tests/core/a.c',
     'static void works(void **state)\n{\n}\ncmocka_unit_test(works)\n', True),
    (shape.check_tests, 'tests/core/a.c',
     'static void a__b__c(void **state)\n{\n}\ncmocka_unit_test(a__b__c)\n', False),
    (shape.check_tests, 'tests/core/a.c',
     'static void a__b__c(void **s)\n{\n' + BODY * 38 + '}\ncmocka_unit_test(a__b__c)\n', True),
    (shape.check_readmes, 'core/README.md', 'line\n' * 41, True),
    (shape.check_readmes, 'core/README.md', 'line\n' * 40, False),
    (words.check_names, 'core/base/a.h', 'int sotto_string_util(void);\n', True),
    (words.check_names, 'core/base/a.h', 'void f(struct view *data);\n', True),
    (words.check_names, 'core/base/a.h', 'struct request_handler {\n', True),
    (words.check_names, 'core/base/a.h', 'enum kind { A_KIND, PROCESS_KIND };\n', True),
    (words.check_names, 'core/base/a.h', '#define COMMON_SIZE 3\n', True),
    (words.check_names, 'core/base/a.h', 'int plan_v2;\n', True),
    (words.check_names, 'core/base/a.h', '#define SOTTO_MODELS_DATA_A_H\n', False),
    (words.check_names, 'core/base/a.c', '    stream->data = dataset;\n    return data;\n', False),
    (words.check_names, 'core/base/a.c', '/* data */ char *text = "int util;";\n', False),
    (words.check_notes, 'docs/a.md', 'TODO: later\n', True),
    (words.check_notes, 'core/base/a.c', '/* XXX */\n', True),
    (words.check_notes, 'core/base/a.c', 'char name[] = "sotto-XXXXXX";\n', False),
    (words.check_machine_paths, 'docs/a.md', 'in /home/ada/sotto\n', True),
    (words.check_machine_paths, 'docs/a.md', 'see /mnt/disk/design\n', True),
    (words.check_machine_paths, 'docs/a.md', 'framework/main, ./tmp/x\n', False),
    (words.check_banners, 'core/base/a.c', '/* --- life --- */\n', True),
    (words.check_banners, 'core/base/a.c', '/******** life ********/\n', True),
    (words.check_banners, 'core/base/a.c', '/* a -- b; --out DIR */\n', False),
    (words.check_if_zero, 'core/base/a.c', '#if 0\n', True),
    (words.check_if_zero, 'core/base/a.c', '#if 01\n', False),
    (words.check_dead_code, 'core/base/a.c', '/* count = count + 1; */\n', True),
    (words.check_dead_code, 'core/base/a.c', '// step(count);\n', True),
    (words.check_dead_code, 'core/base/a.c', '/*\n * if (count > 3) {\n */\n', True),
    (words.check_dead_code, 'core/base/a.c', '/* y = x + PRG(p)   (mod 2^w) */\n', False),
    (words.check_dead_code, 'core/base/a.c', '/* Its owner (the caller) frees it; */\n', False),
    (contracts.check_comments, 'core/base/a.h', 'int sotto_a(void);\n', True),
    (contracts.check_comments, 'core/base/a.h', GOOD_HEADER + 'int sotto_b(void);\n', False),
    (contracts.check_comments, 'core/base/a.h',
     '/* A. */\nint sotto_a(void);\n\nstruct b {\n    int c;\n};\nint sotto_b(void);\n', True),
    (contracts.check_comments, 'core/base/a.h',
     '/* B. */\nstruct b {\n    int c;\n};\n\nint sotto_b(void);\n', False),
    (contracts.check_file_pairs, 'core/base/a.c', 'int sotto_a;\n', True),
    (contracts.check_file_pairs, 'core/base/a.h', 'int sotto_a(void);\n', True),
    (contracts.check_file_pairs, 'core/base/a.h', 'struct a {\n    int (*step)(int);\n};\n', False),
    (contracts.check_file_pairs, 'core/base/main.c', 'int main(void)\n{\n}\n', False),
    (contracts.check_mirrors, 'core/wire/a.h', 'int sotto_a_encode(void);\n', True),
    (contracts.check_mirrors, 'core/wire/a.h',
     'int sotto_a_encode(void);\nint sotto_a_decode(void);\n', False),
    (contracts.check_state, 'core/base/a.c', 'static int count;\n', True),
    (contracts.check_state, 'core/base/a.c', '    static char text[8];\n', True),
    (contracts.check_state, 'core/base/a.c', 'static const int count = 3;\n', False),
    (contracts.check_state, 'core/base/a.c', 'static int step(int count);\n', False),
    (contracts.check_preprocessor, 'core/base/a.c', 'int f(void)\n{\n#ifdef A\n#endif\n}\n', True),
    (contracts.check_preprocessor, 'core/base/a.c', '#ifdef A\nint f(void)\n{\n}\n#endif\n', False),
    (contracts.check_defaults, 'core/base/a.c',
     'int f(void)\n{\n    switch (a) {\n    case SOTTO_A:\n    default: return 0;\n    }\n}', True),
    (contracts.check_defaults, 'core/base/a.c',
     'int f(void)\n{\n    switch (a) {\n    case EIO:\n    default: return 0;\n    }\n}', False),
    (contracts.check_labels, 'core/base/a.c', 'f("sotto/1 plan");\ng("sotto/1 planned");\n', True),
    (contracts.check_labels, 'core/base/a.c', 'f("sotto/1 plan");\ng("sotto/1 place");\n', False),
)

LISTING = 'libsotto_room_crypto_ring.a:\n\nlanes.c.o:\n                 U {symbol}\n'
# (what a pure object asks for, whether it may)
SYMBOLS = (
    ('memcpy', True), ('sotto_prg_fill', True), ('sqrt', True), ('__asan_init', True),
    ('malloc', False), ('free', False), ('clock_gettime', False), ('getrandom', False),
    ('open', False), ('socket', False), ('rand', False), ('pthread_create', False),
    ('RAND_bytes', False), ('sotto_entropy_fill', False), ('sotto_clock_wall_ms', False),
    ('stderr', False), ('getenv', False),
)


def check_own_header_speaks():
    texts = {'core/base/a.h': GOOD_HEADER, 'core/base/a.c': 'int sotto_other(void)\n{\n}\n'}
    return any(contracts.check_own_header(Tree(texts)))


def check_pairs_speaks():
    return (any(shape.check_pairs(Tree({f'core/base/a{i}.h': '' for i in range(13)}))) and
            not any(shape.check_pairs(Tree({f'core/base/a{i}.h': '' for i in range(12)}))))


def check_good_passes():
    tree = Tree({'core/base/good.h': GOOD_HEADER, 'core/base/good.c': GOOD_SOURCE,
                 'core/README.md': '# core\n'})
    rules = {case[0] for case in CASES} | {contracts.check_own_header, shape.check_pairs}
    return [violation for rule in rules for violation in rule(tree)]


def main():
    failures = []
    for rule, path, text, must_speak in CASES:
        if any(True for _ in rule(Tree({path: text}))) != must_speak:
            failures.append(f'{rule.__name__}: {"missed" if must_speak else "blamed"}: {text!r}')
    for symbol, may in SYMBOLS:
        listing = LISTING.format(symbol=symbol)
        if any(purity.judge('crypto/ring', '*', purity.MATHS, listing)) == may:
            failures.append(f'purity: wrong about {symbol}')
    if not check_own_header_speaks():
        failures.append('check_own_header: missed')
    if not check_pairs_speaks():
        failures.append('check_pairs: wrong')
    failures += [f'blamed good code: {violation}' for violation in check_good_passes()]
    for failure in failures:
        print(failure)
    print(f'{len(CASES) + len(SYMBOLS)} cases, {len(failures)} failures')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
