"""Models for photos, with random weights in the layout of their repositories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.errors import FileFormatError, InputError, MissingError, PresetError
from engine.prior.entries import COMMIT
from engine.prior.vision.depth_estimator import load_estimator
from engine.prior.vision.entries import (
    MAKES,
    fetch_photo,
    find_photo,
    installed_folder,
    list_photo,
    local_folder,
    photo_ids,
    read_photo_entry,
)
from engine.prior.vision.image_processor import Look
from engine.prior.vision.normal_estimator import load_normal_estimator
from engine.prior.vision.segment_anything import Segmenter, load_segmenter
from tests.prior.vision.tiny_photo import (
    DEPTH_SIDE,
    SAM_SIDE,
    save_tiny_depth,
    save_tiny_normals,
    save_tiny_sam,
    write_entry,
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photo")
    save_tiny_sam(folder)
    return save_tiny_depth(folder)


def ramp(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    return np.stack([x, y, 0.5 + 0 * x], -1).astype(np.float32)


def test_shipped_entries_say_what_has_to_be_accepted() -> None:
    entries = list_photo()
    assert {entry.makes for entry in entries} == set(MAKES)
    for entry in entries:
        assert entry.size_mb > 0 and entry.licence == "Apache-2.0", "nothing that may not be used for work"
        assert entry.unpinned or COMMIT.fullmatch(entry.revision)


def test_ids_are_listed_by_what_models_make(shelf: Path) -> None:
    assert photo_ids("mask", shelf) == ("tiny-sam",) and photo_ids("depth", shelf) == ("tiny-depth",)
    with pytest.raises(InputError, match="tiny-depth, tiny-sam"):
        find_photo("nobody", shelf)


def test_a_model_that_is_not_here_names_its_size_licence_and_command(tmp_path: Path) -> None:
    write_entry(tmp_path, "far", "mask", "nobody/far", revision="main", size_mb=7)
    text = (tmp_path / "far.toml").read_text(encoding="utf-8")
    (tmp_path / "far.toml").write_text(text + "\nunpinned = true\n", encoding="utf-8")
    with pytest.raises(MissingError, match=r"7 MB.*CC0") as told:
        installed_folder("far", tmp_path)
    assert told.value.remedy.endswith("priors --fetch far")


@pytest.mark.parametrize(
    ("model_id", "makes", "fault"), [("a", "music", "makes"), ("auto", "mask", "means something else")]
)
def test_a_wrong_entry_is_refused(model_id: str, makes: str, fault: str, tmp_path: Path) -> None:
    write_entry(tmp_path, model_id, makes, "./files")
    with pytest.raises(PresetError, match=fault):
        read_photo_entry(tmp_path / f"{model_id}.toml")


def test_masks_have_the_size_of_the_picture_and_depend_on_it_and_on_the_box(shelf: Path) -> None:
    masker, box = load_segmenter("tiny-sam", shelf), (0.1, 0.1, 0.9, 0.9)
    mask = masker.mask(ramp(40, 90), box)
    assert mask.shape == (40, 90) and mask.min() >= 0 and mask.max() <= 1
    assert np.abs(masker.mask(1 - ramp(40, 90), box) - mask).max() > 1e-4
    assert np.abs(masker.mask(ramp(40, 90), (0.5, 0.5, 0.7, 0.7)) - mask).max() > 1e-4


class Boxed(torch.nn.Module):
    """Stands in for Segment Anything: three masks, the second, which it trusts most, being the box that it
    was told.
    """

    def forward(
        self, pixel_values: torch.Tensor, input_boxes: torch.Tensor, multimask_output: bool
    ) -> object:
        assert multimask_output and pixel_values.shape[-2:] == (SAM_SIDE, SAM_SIDE)
        left, top, right, bottom = (input_boxes[0, 0] / 4).round().int().tolist()
        masks = torch.full((1, 1, 3, SAM_SIDE // 4, SAM_SIDE // 4), -20.0)
        masks[0, 0, 1, top:bottom, left:right] = 20.0

        class Out:
            pred_masks, iou_scores = masks, torch.tensor([[[0.2, 0.9, 0.5]]])

        return Out


@pytest.mark.parametrize("size", [(64, 128), (128, 64), (96, 96)])
def test_the_trusted_mask_comes_back_where_the_box_was(size: tuple[int, int]) -> None:
    masker = Segmenter(Boxed(), Look((0.5,) * 3, (0.5,) * 3, (SAM_SIDE, SAM_SIDE)))
    mask = masker.mask(ramp(*size), (0.25, 0.25, 0.75, 0.75)) > 0.5
    wanted = np.zeros(size, bool)
    wanted[size[0] // 4 : 3 * size[0] // 4, size[1] // 4 : 3 * size[1] // 4] = True
    assert (mask == wanted).mean() > 0.95


def test_relief_has_the_size_of_the_picture_and_is_what_the_network_says(shelf: Path) -> None:
    estimator = load_estimator("tiny-depth", shelf)
    picture = ramp(DEPTH_SIDE, DEPTH_SIDE)
    normalised = (torch.from_numpy(picture) - torch.tensor(estimator.look.mean)) / torch.tensor(
        estimator.look.std
    )
    with torch.no_grad():
        wanted = estimator.model(pixel_values=normalised.movedim(-1, 0)[None]).predicted_depth[0]
    assert np.allclose(estimator.nearness(picture), wanted, atol=1e-4)
    assert estimator.nearness(ramp(50, 50)).shape == (50, 50)


def test_normals_have_the_size_of_the_picture_and_are_what_the_network_says(tmp_path: Path) -> None:
    estimator = load_normal_estimator("tiny-normals", save_tiny_normals(tmp_path))
    picture = ramp(16, 16)
    normals = estimator.normals(picture)
    assert normals.shape == (16, 16, 3) and np.allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-5)
    assert np.array_equal(normals, estimator.normals(picture)), "chance is the same each time"
    assert np.abs(normals - estimator.normals(1 - picture)).max() > 1e-3
    again = {"num_inference_steps": 2, "processing_resolution": 16}
    (wanted,) = estimator.pipeline(
        picture[None], generator=torch.Generator().manual_seed(0), **again
    ).prediction
    assert np.allclose(normals, wanted * [1, -1, -1], atol=1e-4), "up is -y of a camera, the viewer at -z"
    assert estimator.normals(ramp(40, 40)).shape == (40, 40, 3)


def test_a_diffusion_model_lacks_nothing_of_its_parts_or_is_not_there(tmp_path: Path) -> None:
    save_tiny_normals(tmp_path)
    assert local_folder(find_photo("tiny-normals", tmp_path)) is not None
    (tmp_path / "tiny-normals-files" / "vae" / "diffusion_pytorch_model.fp16.safetensors").unlink()
    with pytest.raises(MissingError):
        load_normal_estimator("tiny-normals", tmp_path)


def test_a_model_is_fetched_with_its_settings_and_then_at_hand(
    shelf: Path, tmp_path: Path, fake_hub: Any
) -> None:
    fake_hub.repositories["somebody/outlines"] = shelf / "tiny-sam-files"
    write_entry(
        tmp_path,
        "outlines",
        "mask",
        "somebody/outlines",
        revision="0123456789abcdef" * 2 + "01234567",
        size_mb=1,
    )
    entry, shares = find_photo("outlines", tmp_path), []
    assert local_folder(entry) is None
    place = fetch_photo(entry, shares.append)
    assert installed_folder("outlines", tmp_path) == place and shares == sorted(shares) and shares[-1] > 0
    assert load_segmenter("outlines", tmp_path).look == load_segmenter("tiny-sam", shelf).look


def test_damaged_files_are_told(tmp_path: Path) -> None:
    save_tiny_sam(tmp_path, "broken")
    files = tmp_path / "broken-files"
    (files / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(FileFormatError, match="cannot be loaded"):
        load_segmenter("broken", tmp_path)
    save_tiny_sam(tmp_path, "strange")
    (tmp_path / "strange-files" / "preprocessor_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(FileFormatError, match="what pictures"):
        load_segmenter("strange", tmp_path)
