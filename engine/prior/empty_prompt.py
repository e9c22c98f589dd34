"""The empty prompt, from which guidance pushes off: a prior without one cannot be guided."""

from __future__ import annotations

from engine.errors import InputError, StudioError
from engine.prior.base import Prior, TextEmbedding

REMEDY = "Fetch the prior again, or choose another one: guidance compares the prompt with the empty one."


def empty_prompt(prior: Prior) -> TextEmbedding:
    """The empty prompt as ``prior`` reads it. Raises InputError if it has no embedding that guidance could start from."""
    try:
        text = prior.embed("")
    except StudioError as error:
        raise InputError(f"The prior {prior.info.id!r} has no null prompt. {error.what}", error.remedy or REMEDY) from error
    if not text.tokens.numel():
        raise InputError(f"The prior {prior.info.id!r} reads the empty prompt as no tokens at all.", REMEDY)
    if not all(part.isfinite().all() for part in (text.tokens, text.pooled) if part is not None):
        raise InputError(f"The prior {prior.info.id!r} reads the empty prompt as numbers that are not finite.", REMEDY)
    return text
