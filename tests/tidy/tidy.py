#!/usr/bin/env python3
"""Holds the tree to its own rules; prints each violation as file:line: text.

    tidy.py [--build DIR] [PATH ...]    PATH: only violations in files that begin with it
"""
import argparse
import os
import sys

sys.dont_write_bytecode = True  # leave nothing in the source tree

import contracts
import edges
import purity
import shape
import words
from source import load_tree

RULES = (
    edges.check_edges,
    edges.check_door,
    shape.check_columns,
    shape.check_file_lines,
    shape.check_function_lines,
    shape.check_parameters,
    shape.check_depth,
    shape.check_tests,
    shape.check_pairs,
    shape.check_readmes,
    words.check_names,
    words.check_notes,
    words.check_machine_paths,
    words.check_banners,
    words.check_if_zero,
    words.check_dead_code,
    contracts.check_comments,
    contracts.check_file_pairs,
    contracts.check_own_header,
    contracts.check_mirrors,
    contracts.check_state,
    contracts.check_preprocessor,
    contracts.check_defaults,
    contracts.check_labels,
)


def violations(tree, build):
    for rule in RULES:
        yield from rule(tree)
    if build is not None:
        yield from purity.check_purity(build)


def main():
    parser = argparse.ArgumentParser(description='Checks the rules that CONTRIBUTING.md names.')
    parser.add_argument('--build', help='a build folder: also check the pure rooms with nm')
    parser.add_argument('path', nargs='*', help='show only what begins with one of these')
    arguments = parser.parse_args()
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    found = sorted(set(violations(load_tree(root), arguments.build)))
    if arguments.path:
        found = [entry for entry in found if entry[0].startswith(tuple(arguments.path))]
    for path, line, text in found:
        print(f'{path}:{line}: {text}')
    if found:
        print(f'{len(found)} violations', file=sys.stderr)
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
