"""Words to numbers: one number a word, lower case, articles and punctuation left out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import WordLevel
from torch import Tensor

from engine.errors import FileFormatError

PAD, UNKNOWN, START = "<pad>", "<unk>", "<s>"
ARTICLES = ("a", "an", "the")


def build_tokenizer(vocabulary: Sequence[str]) -> Tokenizer:
    """A word-level tokenizer over ``vocabulary``; numbers 0, 1, 2 are padding, the unknown word and the
    start.
    """
    special = (PAD, UNKNOWN, START)
    words = [word for word in dict.fromkeys(vocabulary) if word not in special and word not in ARTICLES]
    tokenizer = Tokenizer(
        WordLevel({word: i for i, word in enumerate((*special, *words))}, unk_token=UNKNOWN)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Lowercase(),
            normalizers.Replace(Regex("[^a-z0-9]+"), " "),
            normalizers.Replace(Regex(r"\b(" + "|".join(ARTICLES) + r")\b"), " "),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return tokenizer


def _number(tokenizer: Tokenizer, name: str) -> int:
    number = tokenizer.token_to_id(name)
    assert number is not None, f"the vocabulary lacks {name}"
    return number


class Tokeniser:
    """Reads prompts into rows of ``length`` numbers: the start, the words, padding. What does not fit is cut
    off.
    """

    def __init__(self, tokenizer: Tokenizer, length: int) -> None:
        self.tokenizer = tokenizer
        self.length = length
        self.pad, self.unknown, self.start = (_number(tokenizer, name) for name in (PAD, UNKNOWN, START))

    @staticmethod
    def load(folder: Path, length: int) -> Tokeniser:
        """From a diffusers folder's ``tokenizer`` folder. Raises `FileFormatError`."""
        path = Path(folder) / "tokenizer.json"
        try:
            return Tokeniser(Tokenizer.from_file(str(path)), length)
        except Exception as error:  # tokenizers raises nothing more precise
            raise FileFormatError(
                f"{path} is not a readable tokenizer ({error}).", "Restore it from the repository."
            ) from error

    def save(self, folder: Path) -> None:
        """Write a ``PreTrainedTokenizerFast`` folder."""
        from transformers import PreTrainedTokenizerFast  # slow to import, and only needed here

        PreTrainedTokenizerFast(
            tokenizer_object=self.tokenizer,
            pad_token=PAD,
            unk_token=UNKNOWN,
            bos_token=START,
            model_max_length=self.length,
        ).save_pretrained(folder)

    def __call__(self, prompts: Sequence[str]) -> Tensor:
        """Numbers (B, length), int64; the empty prompt is the start alone."""
        rows = [
            [self.start, *encoding.ids][: self.length]
            for encoding in self.tokenizer.encode_batch(list(prompts))
        ]
        return torch.tensor([row + [self.pad] * (self.length - len(row)) for row in rows])

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """The words it knows."""
        return frozenset(self.tokenizer.get_vocab()) - {PAD, UNKNOWN, START}

    def unknown_words(self, prompt: str) -> tuple[str, ...]:
        """The words of a prompt that it does not know, in order, each once, articles aside."""
        text = self.tokenizer.normalizer.normalize_str(prompt)
        return tuple(dict.fromkeys(word for word in text.split() if word not in self.vocabulary))
