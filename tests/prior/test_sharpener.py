"""The second stage of toybox: silent at first, a folder of its own, found by its prior."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import FileFormatError, MissingError
from engine.prior.abilities import Sharpens
from engine.prior.toybox.info import SHARPENER, WEIGHTS, read_info
from engine.prior.toybox.prior import load_toybox
from engine.prior.toybox.sharpener import Sharpener, enlarged, load_sharpener, save_sharpener
from tests.prior.test_toybox_prior import pictures, save_tiny

SIZES = {"fine": 8, "middle": 8, "coarse": 8, "last": 8}


def random_sharpener() -> Sharpener:
    torch.manual_seed(0)
    net = Sharpener(**SIZES)
    net.load_state_dict(
        {name: value + 0.05 * torch.randn_like(value) for name, value in net.state_dict().items()}
    )
    return net.eval()


def test_before_it_learns_it_enlarges() -> None:
    x = torch.rand(2, 4, 64, 64)
    made = Sharpener(**SIZES)(x)
    assert made.shape == (2, 4, 128, 128)
    torch.testing.assert_close(made, enlarged(x))


def test_a_folder_holds_it_and_its_prior_finds_it(tmp_path: Path) -> None:
    save_tiny(tmp_path)
    assert not read_info(tmp_path).sharpens and not load_toybox(tmp_path).info.sharpens
    net = random_sharpener()
    save_sharpener(tmp_path / SHARPENER, SIZES, net.state_dict())
    prior = load_toybox(tmp_path)
    assert read_info(tmp_path).sharpens and prior.info.sharpens and isinstance(prior, Sharpens)
    views = pictures(3, 64)
    finer = prior.sharpened(views)
    assert finer.rgb.shape == (3, 128, 128, 3) and (finer.rgb <= finer.alpha + 1e-6).all()
    expected = prior.decode(net(prior.encode(views)))
    torch.testing.assert_close(finer.alpha, expected.alpha, atol=2e-2, rtol=0)  # stored in half precision


def test_a_prior_without_one_says_what_to_do(tmp_path: Path) -> None:
    save_tiny(tmp_path)
    with pytest.raises(MissingError, match="sharpen_steps"):
        load_toybox(tmp_path).sharpened(pictures(1, 64))


def test_a_damaged_folder_is_named(tmp_path: Path) -> None:
    save_sharpener(tmp_path, SIZES, random_sharpener().state_dict())
    (tmp_path / WEIGHTS).write_bytes(np.arange(40, dtype=np.uint8).tobytes())
    with pytest.raises(FileFormatError, match="damaged"):
        load_sharpener(tmp_path)
    (tmp_path / WEIGHTS).unlink()
    with pytest.raises(MissingError, match=WEIGHTS):
        load_sharpener(tmp_path)
