"""The pictures to try are the toybox objects they are said to be, seen from where they are said to be seen
from.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.assets.images.preprocessing import cut_photo
from engine.loop.spec import RunSpec
from engine.toybox.dataset import HELD_OUT_SEED
from engine.toybox.objects import draw_object
from engine.toybox.pictures import render_object
from studio.samples import AZIMUTH_DEG, ELEVATION_DEG, SAMPLES, SEED, Sample, plain_samples, sample_file


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind)
def test_each_is_the_object_of_its_seed_and_cut_out(sample: Sample) -> None:
    path = sample_file(f"{sample.kind}.png")
    assert path is not None
    photo = cut_photo(path)
    seen = render_object(draw_object(SEED, sample.kind), [AZIMUTH_DEG], [ELEVATION_DEG], photo.rgba.shape[0])
    assert np.abs(seen.rgba[0] - photo.rgba).mean() < 0.005 and photo.notes == ()


def test_no_other_file_has_a_name_there() -> None:
    assert all(
        sample_file(name) is None for name in ("../look.css", "look.css", "sample-car.png", "", "car.png/..")
    )
    assert {each["file"] for each in plain_samples()} == {f"{sample.kind}.png" for sample in SAMPLES}


def test_they_are_taken_from_the_usual_height_and_never_trained_on() -> None:
    assert RunSpec("x").image_elevation_deg == ELEVATION_DEG and SEED > HELD_OUT_SEED
