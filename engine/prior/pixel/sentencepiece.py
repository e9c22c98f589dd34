"""Read T5's ``spiece.model`` without the sentencepiece package: a unigram vocabulary in a protocol-buffer
file.

    ModelProto        field 1, repeated: a piece        field 3: the normaliser
    piece             field 1: its text                 field 2: its score, a float
    normaliser        field 2: the character map

Field numbers are those of sentencepiece_model.proto in google/sentencepiece.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

PADDING, END, UNKNOWN = "<pad>", "</s>", "<unk>"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def t5_tokenizer(model: bytes, length: int) -> Tokenizer:
    """The tokenizer in the bytes of a ``spiece.model``: every prompt becomes ``length`` tokens, padded or
    cut, with an end token.

    Raises ValueError (or UnicodeDecodeError, struct.error, IndexError) for bytes that hold no T5 vocabulary.
    """
    pieces, charsmap = read_model(model)
    names = [text for text, _ in pieces]
    if not {PADDING, END, UNKNOWN} <= set(names):
        raise ValueError(f"the vocabulary of {len(names)} pieces lacks {PADDING}, {END} or {UNKNOWN}")
    tokenizer = Tokenizer(Unigram(pieces, unk_id=names.index(UNKNOWN), byte_fallback=False))
    if charsmap:
        tokenizer.normalizer = normalizers.Precompiled(charsmap)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    return prepared(tokenizer, length)


def prepared(tokenizer: Tokenizer, length: int) -> Tokenizer:
    """``tokenizer`` set to end each prompt, and to pad or cut it to ``length`` tokens."""
    padding, end = tokenizer.token_to_id(PADDING), tokenizer.token_to_id(END)
    if padding is None or end is None:
        raise ValueError(f"the vocabulary lacks {PADDING} or {END}")
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {END}", special_tokens=[(END, end)])
    tokenizer.enable_truncation(length)
    tokenizer.enable_padding(length=length, pad_id=padding, pad_token=PADDING)
    return tokenizer


def read_t5_tokenizer(folder: Path, length: int) -> Tokenizer:
    """The tokenizer in a pipeline's folder, from ``tokenizer.json`` where there is one, else from
    ``spiece.model``.
    """
    whole = folder / "tokenizer.json"
    if whole.exists():
        return prepared(Tokenizer.from_file(str(whole)), length)
    return t5_tokenizer((folder / "spiece.model").read_bytes(), length)


def read_model(model: bytes) -> tuple[list[tuple[str, float]], bytes]:
    """The (text, score) of each piece in order, and the normaliser's character map (empty: none)."""
    pieces: list[tuple[str, float]] = []
    charsmap = b""
    for number, value in marked_fields(model):
        if number == 1:
            piece = dict(marked_fields(value))
            pieces.append((piece[1].decode("utf-8"), struct.unpack("<f", piece.get(2, bytes(4)))[0]))
        elif number == 3:
            charsmap = dict(marked_fields(value)).get(2, b"")
    return pieces, charsmap


def marked_fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """(field number, raw bytes) of a protocol-buffer message; whole numbers, which are not needed here, come
    as empty bytes.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
            size = 0
        elif kind in (_FIXED32, _FIXED64):
            size = 4 if kind == _FIXED32 else 8
        elif kind == _BYTES:
            size, at = _varint(message, at)
        else:
            raise ValueError(f"byte {at} begins a field of the unknown kind {kind}")
        if at + size > len(message):
            raise ValueError(f"it ends within a field of {size} bytes")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The whole number that begins at byte ``at``, seven bits a byte, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
