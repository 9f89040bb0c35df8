"""An adapter's tensors, manifest and digest, a second time: written from docs/protocol.md and from
the names that transformers 4 gives to layers."""
import hashlib
import struct

QUERY, KEY, VALUE, ATTENTION_OUT, MLP_IN, MLP_OUT, MLP_GATE = range(7)
LORA, NORM_BIAS = range(2)
LANGUAGE_MODEL = 2  # of the tasks

ENCODER = {QUERY: 'attention.attention.query', KEY: 'attention.attention.key',
           VALUE: 'attention.attention.value', ATTENTION_OUT: 'attention.output.dense',
           MLP_IN: 'intermediate.dense', MLP_OUT: 'output.dense'}
ENCODER_NORMS = ('layernorm_before', 'layernorm_after')
BERT = {**ENCODER, QUERY: 'attention.self.query', KEY: 'attention.self.key',
        VALUE: 'attention.self.value'}
LLAMA = {QUERY: 'self_attn.q_proj', KEY: 'self_attn.k_proj', VALUE: 'self_attn.v_proj',
         ATTENTION_OUT: 'self_attn.o_proj', MLP_IN: 'mlp.up_proj', MLP_OUT: 'mlp.down_proj',
         MLP_GATE: 'mlp.gate_proj'}

# Of ViT, DeiT, BERT and Llama: where the blocks are, the layers, the norms, whether these have a
# bias.
FAMILIES = (
    ('vit.encoder.layer', ENCODER, ENCODER_NORMS, True),
    ('deit.encoder.layer', ENCODER, ENCODER_NORMS, True),
    ('bert.encoder.layer', BERT, ('attention.output.LayerNorm', 'output.LayerNorm'), True),
    ('model.layers', LLAMA, ('input_layernorm', 'post_attention_layernorm'), False),
)

FIELDS = ('family', 'task', 'width', 'query_width', 'kv_width', 'mlp_width', 'block_count',
          'has_qkv_bias', 'has_out_bias', 'has_mlp_bias', 'kind', 'rank', 'alpha',
          'is_rank_stabilised', 'target_set', 'ranks', 'top_blocks', 'labels')


def pack(value):
    """The shortest msgpack of what a layout is made of."""
    if isinstance(value, bool):
        return b'\xc3' if value else b'\xc2'
    if isinstance(value, float):
        return b'\xcb' + struct.pack('>d', value)
    if isinstance(value, int):
        for code, form, end in ((b'', '>B', 1 << 7), (b'\xcc', '>B', 1 << 8),
                                (b'\xcd', '>H', 1 << 16), (b'\xce', '>I', 1 << 32)):
            if value < end:
                return code + struct.pack(form, value)
    if isinstance(value, str):
        text = value.encode()
        return (bytes([0xa0 | len(text)]) if len(text) < 32 else
                b'\xd9' + bytes([len(text)])) + text
    head = bytes([0x90 | len(value)]) if len(value) < 16 else b'\xdc' + struct.pack('>H',
                                                                                    len(value))
    return head + b''.join(map(pack, value))


def unpack(content):
    """The value that stands first, and what follows it."""
    code, rest = content[0], content[1:]
    if code < 0x80:
        return code, rest
    if code in (0xc2, 0xc3):
        return code == 0xc3, rest
    for known, form in ((0xcb, '>d'), (0xcc, '>B'), (0xcd, '>H'), (0xce, '>I')):
        if code == known:
            length = struct.calcsize(form)
            return struct.unpack(form, rest[:length])[0], rest[length:]
    if code == 0xd9 or 0xa0 <= code < 0xc0:
        length = rest[0] if code == 0xd9 else code & 31
        rest = rest[1:] if code == 0xd9 else rest
        return rest[:length].decode(), rest[length:]
    count = code & 15
    if code == 0xdc:
        count, rest = struct.unpack('>H', rest[:2])[0], rest[2:]
    values = []
    for _ in range(count):
        value, rest = unpack(rest)
        values.append(value)
    return values, rest


def layout_bytes(layout):
    return pack([layout[name] for name in FIELDS])


def layout_of(content):
    values, rest = unpack(content)
    if rest or len(values) != len(FIELDS):
        raise ValueError('no layout')
    return dict(zip(FIELDS, values))


def sides(layout, target):
    """Columns and rows of a layer's weight."""
    width, query, kv, mlp = (layout[name] for name in ('width', 'query_width', 'kv_width',
                                                       'mlp_width'))
    return {QUERY: (width, query), KEY: (width, kv), VALUE: (width, kv),
            ATTENTION_OUT: (query, width), MLP_IN: (width, mlp), MLP_GATE: (width, mlp),
            MLP_OUT: (mlp, width)}[target]


def has_bias(layout, target):
    if target in (QUERY, KEY, VALUE):
        return layout['has_qkv_bias']
    return layout['has_out_bias' if target == ATTENTION_OUT else 'has_mlp_bias']


def block_tensors(layout, block):
    blocks, layers, norms, has_norm_bias = FAMILIES[layout['family']]
    place = f'{blocks}.{block}'
    if layout['kind'] == NORM_BIAS:
        for norm in norms:
            yield f'{place}.{norm}.weight', layout['width'], 1
            if has_norm_bias:
                yield f'{place}.{norm}.bias', layout['width'], 1
    for target in sorted(layers):
        columns, rows = sides(layout, target)
        rank = layout['ranks'][target] or layout['rank']
        if layout['kind'] == NORM_BIAS and has_bias(layout, target):
            yield f'{place}.{layers[target]}.bias', rows, 1
        elif layout['kind'] == LORA and layout['target_set'] >> target & 1:
            yield f'{place}.{layers[target]}.lora_A.weight', rank, columns
            yield f'{place}.{layers[target]}.lora_B.weight', rows, rank


def tensors(layout):
    """Name, rows and columns of each."""
    count = layout['block_count']
    first = count - layout['top_blocks'] if layout['top_blocks'] else 0
    if layout['kind'] == LORA and layout['rank'] == 0:
        first = count
    found = [tensor for block in range(first, count) for tensor in block_tensors(layout, block)]
    if layout['task'] != LANGUAGE_MODEL:
        found += [('classifier.weight', len(layout['labels']), layout['width']),
                  ('classifier.bias', len(layout['labels']), 1)]
    return [(f'base_model.model.{name}', rows, columns) for name, rows, columns in found]


def sha256(*parts):
    return hashlib.sha256(b''.join(parts)).digest()


def line(name, rows, columns, lanes):
    return sha256(b'sotto/1 tensor', name.encode(), b'\0F32\0', struct.pack('<II', rows, columns),
                  lanes)


def manifest(layout, lanes):
    """The lines of an adapter's tensors, 32 bytes each."""
    lines, at = [], 0
    for name, rows, columns in tensors(layout):
        length = 4 * rows * columns
        lines.append(line(name, rows, columns, lanes[at:at + length]))
        at += length
    if at != len(lanes):
        raise ValueError(f'{len(lanes)} bytes of lanes where the layout has {at}')
    return b''.join(lines)


def digest(layout_content, manifest_content):
    return sha256(b'sotto/1 adapter', struct.pack('<I', 2), sha256(layout_content),
                  sha256(manifest_content))
