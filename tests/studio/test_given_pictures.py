"""The pictures of a run for the other half of the stage: as the run sees them, and from their own cameras."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_preview import ball_picture, decoded

from engine.assets.images.preprocessing import cut_photo
from engine.errors import InputError
from engine.loop.input_images import shown_pictures
from engine.loop.spec import RunSpec
from studio.downloads import SIDE, given_pictures


def test_each_is_as_the_run_sees_it_with_its_camera(tmp_path: Path) -> None:
    path = ball_picture(tmp_path / "ball.png")
    spec = RunSpec(
        "", images=f"{path}@-90;{path}@30", image_crops="auto;whole", image_elevation_deg=20.0, image_fill=0.6
    )
    told, (seen, _) = given_pictures(spec, cut_photo), shown_pictures(spec, SIDE)
    assert [(each["azimuth"], each["elevation"]) for each in told] == [(-90, 20), (30, 20)]
    for one, frame in zip(told, seen, strict=True):
        assert np.abs(decoded(one["frame"]) - frame).mean() < 0.01


def test_one_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        given_pictures(RunSpec("", images=str(tmp_path / "gone.png")), cut_photo)
