"""The texture table: the true colours are the ceiling, and its numbers are zero where they should be."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.assets.meshes.mesh_shape import ReferenceShape
from engine.editing.texturing import Paint, prepared, work_texels
from engine.prior.registry import load_prior
from engine.toybox.benchmark.__main__ import main
from engine.toybox.benchmark.tasks import text_tasks
from engine.toybox.benchmark.texture import (
    TRUTH,
    TextureResult,
    agreement_and_seam,
    drawn_all_round,
    parts_right,
    psnr_inside,
    texture_table,
    ways_of,
)
from engine.toybox.classifier import load_classifier


@pytest.fixture(scope="module")
def mug() -> ReferenceShape:
    mesh = text_tasks(1)[0].object.mesh
    return ReferenceShape(np.float32(mesh.vertices), np.int32(mesh.faces), np.float32(mesh.face_colours))


def test_the_true_colours_are_named_right_and_others_are_not(mug: ReferenceShape) -> None:
    task, classifier = text_tasks(1)[0], load_classifier()
    truth = drawn_all_round(mug, 128)
    assert parts_right(truth, task, classifier) == 1.0 and psnr_inside(truth, truth) == pytest.approx(90)
    turned = truth[..., [1, 2, 0, 3]]
    assert parts_right(turned, task, classifier) < 1 and psnr_inside(turned, truth) < 25


def test_views_of_one_texture_agree_and_have_no_seam_and_others_do(mug: ReferenceShape) -> None:
    texels = work_texels(mug)
    space = prepared(mug, Paint(prompt="a mug", views=4), load_prior("toybox"), texels=texels).space
    one = torch.full((space.count, 3, space.side, space.side), 0.3)
    agreement, seam = agreement_and_seam(one, space, texels.points)
    assert agreement == pytest.approx(0, abs=0.01) and seam == pytest.approx(0, abs=0.01)
    each = one + 0.2 * (torch.arange(space.count) % 2).view(-1, 1, 1, 1)
    agreement, seam = agreement_and_seam(each, space, texels.points)
    assert 5 < agreement < 51 and seam > 10


def test_the_table_has_a_row_for_each_way() -> None:
    rows = [TRUTH, *ways_of(8, 6)]
    assert len(rows) == 9 and {way.steps for way in ways_of(8, 6).values()} == {8, 24}
    table = texture_table([TextureResult(row, 0.5, np.inf, np.nan, 1.0, 2.0) for row in rows])
    assert table.count("\n") == 10 and "| 50% | – | – | 1.0 | 2.0 |" in table


def test_less_than_one_object_is_refused(capsys) -> None:
    assert main(["--texture", "--objects", "0"]) == 2 and "fewer than one" in capsys.readouterr().err
