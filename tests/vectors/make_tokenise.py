"""Makes tests/vectors/tokenise: small tokenizer.json files and the indices that they give.

    python3 tests/vectors/make_tokenise.py        with PyPI tokenizers (0.23.3 made what is here)

Each NAME.json is a tokenizer.json, each NAME.ids a JSON list of [text, indices] by the reference;
where the file has a decoder, NAME.texts is one of [indices, text without special tokens], of the
same indices and of some at random. tests/models/tokenise.c compares them with Sotto's; it needs none of this.
"""
import json
import os
import random

from tokenizers import (Tokenizer, decoders, models, normalizers, pre_tokenizers, processors,
                        trainers)
from tokenizers import AddedToken, Regex

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'tokenise')

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+"
          r"[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")

PLAIN = [
    'The quick brown fox jumps over the lazy dog, and the dog does not mind at all.',
    "I'll say it's what they've said: we're sure you'd not, I'm not, don't!",
    'naïve café déjà-vu, Ångström, Straße, İstanbul, ŒUVRE, ﬁne ligature',
    'In 2024, 1234567 people paid $3.50 (or 3,50 €) for 10% of the 42 things.',
    'def f(x):\n    return x + 1\n\n\nclass A:\r\n\tpass\r\n',
    'unbelievable unbelievably internationalisation antidisestablishmentarianism',
]

NASTY = PLAIN + [
    '',
    ' ',
    '   ',
    'a',
    '\n',
    '\r\n\r\n',
    ' \n \n  x \n',
    'tabs\tand\x0bvertical\x0cfeeds\x1c\x1d\x1e\x1f end',
    'nul\x00 bell\x07 delete\x7f c1\x80\x85\x9f soft\xadhyphen',
    'no-break\xa0space thin\u2009space ideographic\u3000space zero\u200bwidth \u180e mongolian',
    '\ufeffbyte order mark and \ufffd replacement \uffff nonchar',
    'joiners: a\u200db c\u200cd; marks \u202eright to left\u202c; isolates \u2066x\u2069',
    '\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd; '
    '\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645\u060c \u0664\u0662',
    'e\u0301 o\u0308 n\u0303 \u1e69 s\u0323\u0307 \u0344 \u1100\u1161\u11a8 \uac01',
    'Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324 zalgo',
    '\u4f60\u597d\uff0c\u4e16\u754c\u3002\u6771\u4eac\u90fd\u306e\u30ab\u30bf\u30ab\u30ca',
    '\u3400\u4dbf\U00020000\U0002a6df\U0002b820\U0002ceaf\uf900\U0002f800 ideographs',
    '\u0939\u093f\u0928\u094d\u0926\u0940 \u0e44\u0e17\u0e22 \uc548\ub155\ud558\uc138\uc694',
    '\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f '
    '\U0001f44d\U0001f3fd',
    '\u0130 I\u0307 i \u0131 \u03a3\u03c3\u03c2 \u1e9e \u01c5 \ua7ae \U00010400',
    "'s 'S '\u017f 'RE 're'll 'LL' 'l 'd'D ''t' x's'",
    "  's   'tis don' t \u2019s it\u2019s",
    '0 01 012 0123 01234 \u0661\u0662\u0663\u0664 \u00b2\u00b3\u00b9 \u2164\u2163 \u00bd'
    '\U0001d7d8\U0001d7d9 \u3007\u4e00',
    'a1b22c333d4444 1.2.3 1,000,000.00 3rd 2nd x2',
    '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~ \u00a1\u00a7\u00ab\u00bb\u2014\u2026\u201c\u201d',
    '+++===--- ... ??? !!!\n\n;;;\r\n \u2e43\u061d\u166d\u2e52 \U00010ead',
    'x' * 99 + ' ' + 'y' * 100 + ' ' + 'z' * 101 + ' ' + '\u00e9' * 101,
    'ab' * 300,
    'a' * 1000,
    ' ' * 70 + 'end',
    '\u2581 lower \u2581one\u2581eighth\u2581\u2581block',
    '[CLS] [SEP] [MASK] [mask] [UNK] [PAD] x[MASK]y [MASK ] ##ing ## #',
    '<s> </s> <unk> <|endoftext|> <|im_start|>user\nhi<|im_end|>\n <|im_end |> <|eot_id|>x',
    '<0x0A> <0xFF> <0xff>',
    'spaces   before  <keep>  and after  <strip>  now<strip>glued ',
    'word wordy awordb word. WORD \u00e9word word\u0301 word_ (word) word',
    'Lower LOWER lower l\u00f6wer L\u00d6WER',
    '\u24b6\u24d0 \U0001f130 word\u24b6 word\u200d',
    '\u0378 \U000e0001 \ue000 \U00100000 unassigned and private',
    '\u2028line\u2029paragraph\u0085next',
    'The End',
]


def corpus():
    """Without NUL, which a key of a JSON object may not have here."""
    return PLAIN * 4 + [text for text in NASTY if len(text) < 200 and '\x00' not in text]


def added(content, **how):
    return AddedToken(content, **{'normalized': False, **how})


def bert(lowercase, strip_accents, clean_text=True, chinese=True):
    tokenizer = Tokenizer(models.WordPiece(unk_token='[UNK]'))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=clean_text, handle_chinese_chars=chinese, strip_accents=strip_accents,
        lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(corpus(), trainers.WordPieceTrainer(
        vocab_size=420, min_frequency=2, limit_alphabet=150, show_progress=False,
        special_tokens=['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']))
    tokenizer.post_processor = processors.TemplateProcessing(
        single='[CLS] $A [SEP]', pair='[CLS] $A [SEP] $B:1 [SEP]:1',
        special_tokens=[('[CLS]', 2), ('[SEP]', 3)])
    return tokenizer


def bert_cut():
    """With truncation and padding, which the file of a sentence encoder has."""
    tokenizer = bert(True, None)
    tokenizer.enable_truncation(12)
    tokenizer.post_processor = processors.BertProcessing(('[SEP]', 3), ('[CLS]', 2))
    return tokenizer


def bert_added():
    """Every flag of an added token."""
    tokenizer = bert(True, True)
    tokenizer.add_tokens([
        added('<keep>'), added('<strip>', lstrip=True, rstrip=True),
        added('word', single_word=True), added('Lower', normalized=True),
        added('LOWER', single_word=True), added('The End', normalized=True), added('The'),
        added('left', lstrip=True), added('right', rstrip=True), added('[mask]'),
    ])
    return tokenizer


def bytes_of(pre_tokenizer, normalizer=None, ignore_merges=False, size=420):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(
        vocab_size=size, min_frequency=2, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=['<|endoftext|>']))
    tokenizer.add_special_tokens([added(x) for x in (
        '<|im_start|>', '<|im_end|>', '<|eot_id|>', '<s>', '</s>')])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def gpt2():
    return bytes_of(pre_tokenizers.ByteLevel(add_prefix_space=False))


def roberta():
    tokenizer = bytes_of(pre_tokenizers.ByteLevel(add_prefix_space=True))
    tokenizer.post_processor = processors.RobertaProcessing(
        ('</s>', tokenizer.token_to_id('</s>')), ('<s>', tokenizer.token_to_id('<s>')))
    return tokenizer


def smollm():
    """With added tokens that are said, of bytes and of characters that stand for none."""
    tokenizer = bytes_of(pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)]))
    tokenizer.add_tokens([added('<keep>'), added('two words'), added('\u00e9')])
    return tokenizer


def split_by(pattern):
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), 'isolated'),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def llama3():
    tokenizer = bytes_of(split_by(LLAMA3))
    whole = json.loads(tokenizer.to_str())
    whole['model']['ignore_merges'] = True
    # A whole word that no merge leads to.
    whole['model']['vocab']['Ġinternationalisation'] = len(whole['model']['vocab']) + 100
    tokenizer = Tokenizer.from_str(json.dumps(whole))
    start = tokenizer.token_to_id('<s>')
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single='<s> $A', pair='<s> $A <s>:1 $B:1',
                                      special_tokens=[('<s>', start)])])
    return tokenizer


def qwen2():
    return bytes_of(split_by(LLAMA3.replace('{1,3}', '')), normalizers.NFC())


SENTENCES = [decoders.Replace('▁', ' '), decoders.ByteFallback(), decoders.Fuse()]


def with_byte_fallback(normalizer, pre_tokenizer, decoder):
    """As SentencePiece's models are converted: characters, and bytes for those that are unknown."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    trained.train_from_iterator(corpus(), trainers.BpeTrainer(
        vocab_size=320, min_frequency=2, limit_alphabet=110, show_progress=False))
    whole = json.loads(trained.to_str())
    names = ['<unk>', '<s>', '</s>'] + [f'<0x{byte:02X}>' for byte in range(256)]
    names += list(whole['model']['vocab'])
    tokenizer = Tokenizer(models.BPE(
        vocab={name: index for index, name in enumerate(names)},
        merges=[tuple(pair) for pair in whole['model']['merges']],
        unk_token='<unk>', fuse_unk=True, byte_fallback=True))
    if normalizer is not None:
        tokenizer.normalizer = normalizer
    if pre_tokenizer is not None:
        tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.add_special_tokens([added('<unk>'), added('<s>'), added('</s>')])
    tokenizer.post_processor = processors.TemplateProcessing(
        single='<s> $A', pair='<s> $A <s>:1 $B:1', special_tokens=[('<s>', 1)])
    tokenizer.decoder = decoder
    return tokenizer


def llama2():
    return with_byte_fallback(
        normalizers.Sequence([normalizers.Prepend('▁'), normalizers.Replace(' ', '▁')]), None,
        decoders.Sequence(SENTENCES + [decoders.Strip(' ', 1, 0)]))


def mistral():
    return with_byte_fallback(None, pre_tokenizers.Metaspace(
        prepend_scheme='first', split=False), decoders.Sequence(SENTENCES))


def metaspace():
    return with_byte_fallback(normalizers.NFKC(), pre_tokenizers.Metaspace(),
                              decoders.Metaspace())


def unknown():
    """Characters with an unknown token, fused; merges written the old way, 'a b'."""
    tokenizer = Tokenizer(models.BPE(unk_token='<unk>', fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Digits(individual_digits=False)])
    tokenizer.train_from_iterator(corpus(), trainers.BpeTrainer(
        vocab_size=200, limit_alphabet=60, show_progress=False, special_tokens=['<unk>']))
    return tokenizer


def decodable(reference, seed):
    """[indices, text]: of every text, and at random, which are seldom UTF-8."""
    chance = random.Random(seed)
    size = reference.get_vocab_size(with_added_tokens=True) + 20
    lists = [reference.encode(text).ids for text in NASTY if len(text) < 100]
    lists += [[chance.randrange(size) for _ in range(chance.randrange(1, 24))] for _ in range(40)]
    lists += [[chance.randrange(min(300, size)) for _ in range(12)] for _ in range(20)]
    return [[ids, reference.decode(ids)] for ids in lists]


def write_lines(path, rows):
    lines = [json.dumps(row, separators=(',', ':')) for row in rows]
    with open(os.path.join(HERE, path), 'w', encoding='utf-8') as file:
        file.write('[' + ',\n'.join(lines) + ']\n')


def main():
    made = {
        'bert-uncased': bert(True, None),
        'bert-cased': bert(False, None),
        'bert-accents': bert(False, True, clean_text=False, chinese=False),
        'bert-umlauts': bert(True, False),
        'bert-cut': bert_cut(),
        'bert-added': bert_added(),
        'gpt2': gpt2(),
        'roberta': roberta(),
        'smollm': smollm(),
        'llama3': llama3(),
        'qwen2': qwen2(),
        'llama2': llama2(),
        'mistral': mistral(),
        'metaspace': metaspace(),
        'unknown': unknown(),
    }
    os.makedirs(HERE, exist_ok=True)
    for name, tokenizer in made.items():
        whole = json.loads(tokenizer.to_str())
        if name == 'unknown':
            whole['model']['merges'] = [' '.join(pair) for pair in whole['model']['merges']]
        with open(os.path.join(HERE, name + '.json'), 'w', encoding='utf-8') as file:
            json.dump(whole, file, ensure_ascii=True, separators=(',', ':'))
            file.write('\n')
        reference = Tokenizer.from_file(os.path.join(HERE, name + '.json'))
        write_lines(name + '.ids', [[text, reference.encode(text).ids] for text in NASTY])
        if whole['decoder'] is not None:
            write_lines(name + '.texts', decodable(reference, name))


if __name__ == '__main__':
    main()
