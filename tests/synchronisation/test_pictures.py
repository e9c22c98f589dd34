"""Flat pictures through windows and views: by the product's own prior, from the command line, and refusals in
words.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import InputError
from engine.prior.base import Condition
from engine.prior.registry import load_prior
from engine.synchronisation.pictures import Sync, draw, prompts_of
from engine.synchronisation.space import Separate
from studio.cli import main


def test_a_wide_picture_is_as_wide_as_asked_and_of_the_prompts_colour() -> None:
    *_, views = draw(
        Sync(kind="wide", prompts=("a red mug",), width=128, steps=6, stride=0.5), load_prior("toybox")
    )
    assert views.rgb.shape == (1, 64, 128, 3)
    inside = views.rgb[views.alpha[..., 0] > 0.8]
    assert len(inside) > 200 and float(inside[:, 0].mean()) > 2 * float(inside[:, 2].mean())


def test_instances_of_a_joint_prior_are_things_of_their_own() -> None:
    prior = load_prior("toybox")
    how = Sync(kind="ambiguous", prompts=("a red mug", "a blue chair"), steps=2)
    prompts = prompts_of(prior, how, 2)
    x, t = torch.randn(2, 4, 64, 64, generator=torch.Generator().manual_seed(0)), torch.tensor([900, 900])
    both = Separate(prior).predict(x, t, prompts.positive)
    text, cameras = prompts.positive.text.split(1)[1], prompts.positive.cameras[torch.tensor([1])]
    alone = prior.predict(x[1:], t[1:], Condition(text, cameras))
    torch.testing.assert_close(both.x0[1:], alone.x0)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"kind": "tall", "prompts": ("a",)}, "--sync"),
        ({"kind": "wide", "prompts": ("a", "b")}, "2 prompts"),
        ({"kind": "ambiguous", "prompts": ("a",)}, "2 are needed"),
        ({"kind": "ambiguous", "prompts": ("a", " ")}, "needed"),
        ({"kind": "wide", "prompts": ("a",), "stride": 0.0}, "stride"),
    ],
)
def test_what_does_not_go_together_is_refused(values: dict, word: str) -> None:
    with pytest.raises(InputError, match=word):
        Sync(**values)


def test_the_command_writes_one_picture(tmp_path: Path, capsys) -> None:
    command = ["playground", "--out", str(tmp_path), "--sampling-steps", "2", "--quiet"]
    assert main([*command, "--sync", "ambiguous", "--prompt", "a red mug | a blue chair"]) == 0
    assert np.asarray(Image.open(tmp_path / "picture.png")).shape == (64, 64, 3)
    assert (
        main(
            [*command, "--sync", "ambiguous", "--prompt", "a red mug | a car", "--views", "upright,sideways"]
        )
        == 2
    )
    assert "sideways" in capsys.readouterr().err
    assert main([*command, "--sync", "wide", "--prompt", "a red mug", "--width", "32"]) == 2
