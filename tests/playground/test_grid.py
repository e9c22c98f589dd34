"""Which cells a grid has, and what is not allowed."""

from __future__ import annotations

import pytest

from engine.errors import InputError
from engine.guidance import methods
from engine.loop.settings import flatten
from engine.playground.grid import Grid, canvas_settings, chosen_methods, chosen_scales
from tests.loop.balls import ball_prior

BASE = canvas_settings("a red ball", ball_prior().info, seed=3, steps=7)


def test_cells_run_row_by_row_and_differ_only_in_method_and_scale() -> None:
    cells = Grid(BASE, ("sds", "lods"), (1.0, 7.5)).cells()
    assert [(cell.method, cell.guidance_scale) for cell in cells] == [
        ("sds", 1),
        ("sds", 7.5),
        ("lods", 1),
        ("lods", 7.5),
    ]
    told = [flatten(cell.settings) for cell in cells]
    for values, cell in zip(told, cells):
        assert (values["method"], values["guidance_scale"]) == (cell.method, cell.guidance_scale)
        assert {**told[0], **values} == {**values, **{k: v for k, v in told[0].items() if k not in values}}
    assert {**told[0], "guidance_scale": 7.5} == told[1]
    assert len({cell.key for cell in cells}) == 4


def test_the_canvas_is_one_picture_of_the_size_that_the_prior_sees() -> None:
    spec = BASE.spec
    assert (spec.scene, spec.start, spec.draft_views, spec.render_size) == (
        "canvas",
        "ball",
        1,
        ball_prior().info.resolution,
    )
    assert (spec.seed, spec.refine_steps) == (3, 7)


def test_a_change_reaches_the_methods_that_have_it() -> None:
    sds, sjc = Grid(BASE, ("sds", "sjc"), (2.0,), {"weighting": "denoise", "learning_rate": "2"}).cells()
    assert flatten(sds.settings)["weighting"] == "denoise" and flatten(sds.settings)["learning_rate"] == 2.0
    assert flatten(sjc.settings).get("weighting") is None and flatten(sjc.settings)["learning_rate"] == 2.0


def test_a_setting_that_no_method_has_is_named() -> None:
    with pytest.raises(InputError, match="'weihgting'"):
        Grid(BASE, ("sds", "sjc"), (2.0,), {"weihgting": "denoise"}).cells()


def test_a_scale_that_one_method_forbids_leaves_the_others() -> None:
    sds, lods = Grid(BASE, ("sds", "lods"), (500.0,)).cells()
    assert sds.settings is None and "from 1 to 100" in sds.trouble
    assert lods.settings is not None and not lods.trouble
    with pytest.raises(InputError, match="No cell"):
        Grid(BASE, ("sds", "lods"), (0.5,)).cells()


def test_a_key_is_the_same_for_the_same_settings_only() -> None:
    def key(seed: int) -> str:
        base = canvas_settings("a red ball", ball_prior().info, seed=seed, steps=7)
        return Grid(base, ("sds",), (1.0,)).cells()[0].key

    assert key(3) == key(3) != key(4)


def test_methods_and_scales_are_read_as_written() -> None:
    assert chosen_methods("lods, sds,lods") == ("lods", "sds")
    assert chosen_methods("all") == tuple(methods())
    assert chosen_scales("1, 2.5,1") == (1.0, 2.5)


@pytest.mark.parametrize(("read", "text", "said"), [
    (chosen_methods, "sds,magic", "magic"), (chosen_methods, " , ", "No guidance method"),
    (chosen_scales, "1,two", "1,two"), (chosen_scales, "", "no list"),
])  # fmt: skip
def test_what_cannot_be_read_is_told(read, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(text)
