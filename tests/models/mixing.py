"""Host and device do not mix: what must not compile, beside what must. mixing.py COMPILER ROOT"""
import subprocess
import sys

PROLOGUE = '''#include "models/kernels/kernels.h"

float probe(const struct sotto_kernels *kernels, struct sotto_device_float *there,
            struct sotto_device_loss *loss, float *here);
float probe(const struct sotto_kernels *kernels, struct sotto_device_float *there,
            struct sotto_device_loss *loss, float *here)
{
    (void)kernels;
    (void)there;
    (void)loss;
    (void)here;
'''
EPILOGUE = '''    return 0.0f;
}
'''

# (what is tried, the code, whether it may compile)
CASES = (
    ('a kernel over the device', 'kernels->add(there, there + 4, 4);', True),
    ('a row of a matrix', 'kernels->softmax_rows(sotto_matrix_of(there + 3 * 4, 1, 4));', True),
    ('a way over and back', 'kernels->upload(there, here, 4); kernels->download(here, there, 4);',
     True),
    ('a host address for a kernel', 'kernels->add(there, here, 4);', False),
    ('a host address to be cleared', 'kernels->clear(here, 4);', False),
    ('a matrix over host memory', 'kernels->softmax_rows(sotto_matrix_of(here, 1, 4));', False),
    ('a host address of a device one', 'float *at = there; (void)at;', False),
    ('an element that is read', 'here[0] = there[2];', False),
    ('an element that is computed with', 'here[0] = there[2] + 1.0f;', False),
    ('an element that is written', 'there[2] = here[0];', False),
    ('an element that decides', 'if (there[2] > 0.0f) return 1.0f;', False),
    ('a loss that is read', 'here[0] = (float)loss->sum;', False),
    ('an upload the wrong way', 'kernels->upload(here, there, 4);', False),
)


def compiles(compiler, root, code):
    text = PROLOGUE + '    ' + code + '\n' + EPILOGUE
    done = subprocess.run([compiler, '-std=c11', '-D_GNU_SOURCE', '-I', root, '-Wall', '-Wextra',
                           '-Werror', '-fsyntax-only', '-x', 'c', '-'], input=text, text=True,
                          capture_output=True, check=False)
    return done.returncode == 0, done.stderr


def main():
    compiler, root = sys.argv[1:]
    wrong = 0
    for what, code, expected in CASES:
        did, errors = compiles(compiler, root, code)
        if did != expected:
            wrong += 1
            print(f'{what}: {"compiles" if did else "does not compile"}\n{errors}')
    print(f'{len(CASES)} cases, {wrong} wrong')
    return 1 if wrong > 0 else 0


if __name__ == '__main__':
    sys.exit(main())
