"""How a picture is prepared for an image encoder, against transformers' own class."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPImageProcessor

from engine.errors import FileFormatError, MissingError
from engine.prior.image_prompt.clip_image_encoder import Preparation
from engine.prior.pipeline_folder import parts_of

GRADIENT = (np.mgrid[:60, :60][[0, 1, 0]].transpose(1, 2, 0) * 4).astype(np.uint8)


def write(folder: Path, **config: object) -> Path:
    (folder / "feature_extractor").mkdir(exist_ok=True)
    (folder / "feature_extractor" / "preprocessor_config.json").write_text(
        json.dumps(config), encoding="utf-8"
    )
    return folder


@pytest.mark.parametrize(
    "config",
    [
        {"size": {"shortest_edge": 28}, "crop_size": {"height": 28, "width": 28}},
        {"size": 40, "crop_size": 28, "image_mean": [0.5] * 3, "image_std": [0.8] * 3},
        {"size": {"height": 32, "width": 32}, "do_center_crop": False},
    ],
    ids=["whole", "middle", "uncut"],
)
def test_it_is_what_transformers_makes_of_the_picture(tmp_path: Path, config: dict) -> None:
    expected = CLIPImageProcessor(**config)(Image.fromarray(GRADIENT), return_tensors="pt").pixel_values
    prepare = Preparation.read(write(tmp_path, **config), "feature_extractor")
    found = prepare(torch.from_numpy(GRADIENT)[None] / 255)
    # it rounds to whole levels between
    assert found.shape == expected.shape and (found - expected).abs().max() < 0.02


@pytest.mark.parametrize(
    "config", [{"size": "big"}, {"size": 28, "crop_size": 40}, {"image_std": [0, 0, 0]}, {"image_mean": 1}]
)
def test_a_preparation_that_makes_no_sense_is_refused(tmp_path: Path, config: dict) -> None:
    with pytest.raises(FileFormatError, match="how a picture is prepared"):
        Preparation.read(write(tmp_path, **config), "feature_extractor")


def test_a_preparation_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"preprocessor_config\.json"):
        Preparation.read(tmp_path, "feature_extractor")


def test_a_feature_extractor_is_needed_beside_an_image_encoder_only(
    tmp_path: Path, tiny_pipelines: dict[str, Path]
) -> None:
    """Elsewhere it serves the safety checker, and whoever fetched a model before is not asked to fetch
    more.
    """
    tiny = importlib.import_module("tests.prior.tiny_sight")
    index = {
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "unet": ["diffusers", "UNet2DConditionModel"],
    }
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "P", **index}), encoding="utf-8")
    assert parts_of(tmp_path) == {"unet": "UNet2DConditionModel"}
    tiny.change_index(tmp_path, image_encoder=["transformers", "CLIPVisionModel"])
    assert set(parts_of(tmp_path)) == {"unet", "feature_extractor", "image_encoder"}
