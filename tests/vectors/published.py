#!/usr/bin/env python3
"""Holds the shipped primitives against vectors that others published.

    published.py ANSWERS nist FOLDER         RFCs and NIST's, as Debian's python3-cryptography-vectors
    published.py ANSWERS wycheproof FOLDER   Wycheproof's JSON files, version 1 of their format

ANSWERS is the program of answers.c. None of these files are in this repository. Prints how many
vectors of each file were held, and each that was not; exit code 1 then, 77 if FOLDER is not there.
"""
import hashlib
import json
import pathlib
import re
import subprocess
import sys

SIGNATURE_BYTES = 64
SECRET_BYTES = 32


class Examination:
    """Questions with the answers that they must have."""

    def __init__(self):
        self.questions, self.expected, self.names = [], [], []

    def ask(self, name, expected, word, *arguments):
        self.questions.append(' '.join([word, *(argument or '-' for argument in arguments)]))
        self.expected.append(expected.lower())
        self.names.append(name)

    def mark(self, answers):
        """Prints the result of each file; returns whether everything was right."""
        given = subprocess.run([answers], input='\n'.join(self.questions) + '\n', text=True,
                               stdout=subprocess.PIPE, check=True).stdout.split()
        assert len(given) == len(self.questions) > 0
        wrong = dict.fromkeys(self.names, 0)
        for name, got, expected, question in zip(self.names, given, self.expected, self.questions):
            if got != expected:
                wrong[name] += 1
                print(f'{name}: {question[:300]}: {got}, not {expected[:64]}')
        for name, count in wrong.items():
            print(f'{name}: {self.names.count(name)} vectors, {count} wrong')
        return not any(wrong.values())


def fields(path):
    """Vectors of a file of NIST's kind: a dictionary for each block of NAME = VALUE."""
    for block in re.split(r'\n\s*\n', path.read_text()):
        found = dict(re.findall(r'^(\w+)\s*=[ \t]*(\S*)$', block, re.M))
        if found:
            yield found


def ask_hashes(examination, folder):
    for name in ('hashes/SHA2/SHA256ShortMsg.rsp', 'hashes/SHA2/SHA256LongMsg.rsp'):
        for vector in fields(folder / name):
            if 'MD' in vector:
                length = int(vector['Len']) // 4
                examination.ask(name, vector['MD'], 'hash', vector['Msg'][:length])


def ask_macs(examination, folder):
    """Our keys have 32 bytes. HMAC fills short ones with zeros and hashes long ones, so that they
    stand for them."""
    name = 'HMAC/rfc-4231-sha256.txt'
    for vector in fields(folder / name):
        if 'MD' in vector:
            key = bytes.fromhex(vector['Key'])
            key = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(32, b'\0').hex()
            assert len(key) == 2 * SECRET_BYTES
            examination.ask(name, vector['MD'], 'hmac', key, vector['Msg'])


def ask_derivations(examination, folder):
    """Ours is the first 32 bytes. Blank lines stand inside these vectors: COUNT begins one."""
    name = 'KDF/rfc-5869-HKDF-SHA256.txt'
    for text in (folder / name).read_text().split('COUNT')[1:]:
        vector = dict(re.findall(r'^(\w+)\s*=[ \t]*(\S*)$', text, re.M))
        examination.ask(name, vector['OKM'][:2 * SECRET_BYTES], 'hkdf', vector['IKM'],
                        vector['salt'], vector['info'])


def ask_streams(examination, folder):
    """The cipher of a block of zeros is where our stream begins."""
    for name in ('ciphers/AES/ECB/ECBVarKey256.rsp', 'ciphers/AES/ECB/ECBKeySbox256.rsp'):
        for vector in fields(folder / name):
            if 'PLAINTEXT' in vector:
                assert set(vector['PLAINTEXT']) == {'0'}
                examination.ask(name, vector['CIPHERTEXT'], 'prg', vector['KEY'],
                                vector['PLAINTEXT'])


def ask_curves(examination, folder):
    name = 'asymmetric/X25519/rfc7748.txt'
    for vector in fields(folder / name):
        if 'INPUT_U' in vector and 'OUTPUT_U' in vector:
            examination.ask(name, vector['OUTPUT_U'], 'x25519', vector['INPUT_SCALAR'],
                            vector['INPUT_U'])
    name = 'asymmetric/Ed25519/sign.input'
    for line in (folder / name).read_text().split():
        secret, public, message, signed = line.split(':')[:4]
        signature = signed[:2 * SIGNATURE_BYTES]
        examination.ask(name, signature, 'sign', secret[:2 * SECRET_BYTES], message)
        examination.ask(name, 'yes', 'verify', public, signature, message)
        examination.ask(name, 'yes', 'ed25519_usable', public)


def nist(examination, folder):
    for ask in (ask_hashes, ask_macs, ask_derivations, ask_streams, ask_curves):
        ask(examination, folder)


def groups(folder, name):
    """(group, vector) of a Wycheproof file, wherever below the folder it is."""
    path = next(folder.rglob(name))
    for group in json.loads(path.read_text())['testGroups']:
        for vector in group['tests']:
            yield group, vector


def ask_exchanges(examination, folder):
    """Every key is taken as RFC 7748 says; only an all-zero secret is refused."""
    name = 'x25519_test.json'
    for _, vector in groups(folder, name):
        flags = set(vector['flags'])
        refused = 'ZeroSharedSecret' in flags
        examination.ask(name, 'refused' if refused else vector['shared'], 'x25519',
                        vector['private'], vector['public'])
        top_bit = int(vector['public'][-2:], 16) >> 7
        usable = not refused and not top_bit and 'NonCanonicalPublic' not in flags
        examination.ask(name, 'yes' if usable else 'no', 'x25519_usable', vector['public'])


def ask_signatures(examination, folder):
    """Signatures of other lengths than 64 bytes do not fit our type. Keys of low order are refused;
    of mixed order they may be either, and so are not asked."""
    name = 'ed25519_test.json'
    for group, vector in groups(folder, name):
        public, flags = group['publicKey']['pk'], vector['flags']
        if len(vector['sig']) != 2 * SIGNATURE_BYTES or vector['result'] == 'acceptable' \
                and 'SmallOrderPublicKey' not in flags:
            continue
        examination.ask(name, 'yes' if vector['result'] == 'valid' else 'no', 'verify', public,
                        vector['sig'], vector['msg'])
        examination.ask(name, 'no' if 'SmallOrderPublicKey' in flags else 'yes', 'ed25519_usable',
                        public)


def ask_expansions(examination, folder):
    """Ours is the first 32 bytes."""
    name = 'hkdf_sha256_test.json'
    for _, vector in groups(folder, name):
        if vector['result'] == 'valid' and vector['size'] >= SECRET_BYTES:
            examination.ask(name, vector['okm'][:2 * SECRET_BYTES], 'hkdf', vector['ikm'],
                            vector['salt'], vector['info'])


def ask_seals(examination, folder):
    """Our nonce is twelve zeros: few vectors have it."""
    name = 'aes_gcm_test.json'
    for group, vector in groups(folder, name):
        if (group['keySize'], group['ivSize'], group['tagSize']) == (256, 96, 128) \
                and set(vector['iv']) == {'0'}:
            expected = vector['msg'] if vector['result'] == 'valid' else 'refused'
            examination.ask(name, expected, 'aead_open', vector['key'], vector['aad'],
                            vector['ct'] + vector['tag'])


def wycheproof(examination, folder):
    for ask in (ask_exchanges, ask_signatures, ask_expansions, ask_seals):
        ask(examination, folder)


def main():
    suites = {'nist': nist, 'wycheproof': wycheproof}
    if len(sys.argv) != 4 or sys.argv[2] not in suites:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[3])
    if not folder.is_dir():
        print(f'SKIP: {folder} is not there')
        sys.exit(77)
    examination = Examination()
    suites[sys.argv[2]](examination, folder)
    sys.exit(0 if examination.mark(sys.argv[1]) else 1)


if __name__ == '__main__':
    main()
