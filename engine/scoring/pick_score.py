"""PickScore (arXiv 2305.01569): a CLIP ViT-H/14 tuned on which of two pictures people picked; a reward like
ImageReward.
"""

from __future__ import annotations

from pathlib import Path

import torch

from engine.scoring.base import ScorerInfo
from engine.scoring.clip import ClipScorer

INFO = ScorerInfo(
    id="pick-score",
    title="PickScore v1",
    sentence="Which picture people would pick for the prompt; about 16 to 24, to be compared within one "
    "prompt.",
    picture_size=224,
    points=(1.0, 0.0),
    source="yuvalkirstain/PickScore_v1",
    revision="a4e4367c6dfa7288a00c550414478f865b875800",
    licence="not stated on its page",
    size_mb=3950,
    files=(
        "config.json",
        "model.safetensors",
        "preprocessor_config.json",
        "vocab.json",
        "merges.txt",
        "tokenizer_config.json",
    ),
    needs=("transformers",),
    install="pip install transformers",
)


def load(folder: Path, device: torch.device) -> ClipScorer:
    """The model in ``folder``. Raises FileFormatError."""
    return ClipScorer(INFO, folder, device, scaled=True)
