#!/usr/bin/env python3
"""Makes tests/vectors/adapter with manifest.py, or compares what is there with what it would make.

    make_adapter.py            writes the files
    make_adapter.py --check    writes nothing; exit code 1 and a line for each file that differs
"""
import struct
import sys

sys.dont_write_bytecode = True  # leave nothing in the source tree

import manifest
import vectors

VIT = {'family': 0, 'task': 0, 'width': 12, 'query_width': 12, 'kv_width': 12, 'mlp_width': 20,
       'block_count': 3, 'has_qkv_bias': True, 'has_out_bias': True, 'has_mlp_bias': True,
       'kind': manifest.LORA, 'rank': 3, 'alpha': 8.0, 'is_rank_stabilised': False,
       'target_set': 0b100101, 'ranks': [0, 0, 0, 0, 0, 2, 0], 'top_blocks': 2,
       'labels': ['bag', 'coat']}
BERT = {**VIT, 'family': 2, 'task': 1, 'kind': manifest.NORM_BIAS, 'rank': 0, 'alpha': 0.0,
        'target_set': 0, 'ranks': [0] * 7, 'has_mlp_bias': False, 'top_blocks': 1,
        'labels': ['schön', 'x' * 40, 'c']}
LLAMA = {**VIT, 'family': 3, 'task': 2, 'query_width': 16, 'kv_width': 8, 'block_count': 2,
         'has_qkv_bias': False, 'has_out_bias': False, 'has_mlp_bias': False,
         'is_rank_stabilised': True, 'target_set': 0b1111111, 'ranks': [0] * 7, 'top_blocks': 0,
         'labels': []}
HEAD = {**BERT, 'family': 1, 'task': 0, 'kind': manifest.LORA, 'top_blocks': 0,
        'labels': [str(label) for label in range(20)]}


def case(layout, start):
    count = sum(rows * columns for _, rows, columns in manifest.tensors(layout))
    lanes = struct.pack(f'<{count}f', *(((start + lane) * 7 % 31) / 64 - 0.25
                                        for lane in range(count)))
    content = manifest.layout_bytes(layout)
    lines = manifest.manifest(layout, lanes)
    return {'layout': content, 'start': start, 'lane_count': count,
            'tensors': [f'{name} {rows} {columns}'
                        for name, rows, columns in manifest.tensors(layout)],
            'manifest': lines, 'digest': manifest.digest(content, lines)}


def manifests():
    """Lane i of a case is ((start + i) * 7 mod 31) / 64 - 1 / 4."""
    return {'adapters': [case(VIT, 0), case(BERT, 5), case(LLAMA, 9), case(HEAD, 11)]}


FILES = (manifests,)

if __name__ == '__main__':
    vectors.main('adapter', FILES, __doc__)
