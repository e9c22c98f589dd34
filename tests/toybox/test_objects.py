"""Procedural objects: canonical pose, closed outward surfaces, deterministic draws, colours where they were
asked for.
"""

import numpy as np
import pytest

from engine.errors import InputError
from engine.toybox.objects import FIRST_KINDS, KINDS, KINDS_WITH_FRONT, any_kind, draw_object, parts_of
from engine.toybox.objects import primitives as solids
from engine.toybox.objects.assembly import Assembly, face_areas
from engine.toybox.objects.catalogue import CATALOGUE
from engine.toybox.words import BASE_COLOURS, COLOURS, draw_colour, nearest_colour_word

SEEDS = (0, 17, 123_456)


@pytest.mark.parametrize("kind", KINDS)
def test_mesh_is_canonical(kind: str) -> None:
    for seed in SEEDS:
        mesh = draw_object(seed, kind).mesh
        assert np.isfinite(mesh.vertices).all()
        assert np.linalg.norm(mesh.vertices, axis=1).max() == pytest.approx(1.0, abs=1e-4)
        np.testing.assert_allclose(mesh.vertices.min(0) + mesh.vertices.max(0), 0.0, atol=1e-5)
        assert 200 <= len(mesh.faces) <= 2400
        assert mesh.faces.min() >= 0 and mesh.faces.max() < len(mesh.vertices)
        assert face_areas(mesh.vertices, mesh.faces).min() > 0
        assert mesh.face_colours.shape == mesh.faces.shape
        assert mesh.face_colours.min() >= 0 and mesh.face_colours.max() <= 1


@pytest.mark.parametrize("kind", CATALOGUE, ids=lambda kind: kind.name)
def test_every_solid_of_a_kind_is_closed_and_winds_outward(kind) -> None:
    paint = {part.name: np.full(3, 0.5) for part in kind.parts}
    for seed in SEEDS:
        assembly: Assembly = kind.build(np.random.default_rng(seed), paint)
        for solid in assembly.solids:
            assert _is_closed(solid)
            assert solids.signed_volume(solid) > 0


def _is_closed(solid: solids.Solid) -> bool:
    """Every directed edge is met exactly once in the other direction."""
    directed = np.concatenate([solid.faces[:, [0, 1]], solid.faces[:, [1, 2]], solid.faces[:, [2, 0]]])
    forth, back = {tuple(edge) for edge in directed}, {tuple(edge[::-1]) for edge in directed}
    return len(forth) == len(directed) and forth == back


def test_solids_enclose_their_closed_form_volumes() -> None:
    octagon = 0.5 * 8 * np.sin(2 * np.pi / 8)
    for solid, volume in (
        (solids.box((2, 3, 4), (5, 6, 7)), 24.0),
        (solids.rod((1, 2, 3), (1, 2, 5), 0.5), 2 * 0.25 * octagon),
        (solids.cone((0, 0, 0), (3, 0, 0), 1.0, segments=8), octagon),
        (solids.slab([(0, 0), (2, 0), (2, 1), (0, 1)], 0.5), 1.0),
        (solids.ball(1.0, segments=96, rings=96), 4 / 3 * np.pi),
    ):
        assert solids.signed_volume(solid) == pytest.approx(volume, rel=3e-3)


def test_a_mirror_image_still_winds_outward_and_a_turn_keeps_the_volume() -> None:
    wedge = solids.cone((0.2, 0.1, 0.0), (0.3, 0.9, 1.0), 0.4)
    volume = solids.signed_volume(wedge)
    assert solids.signed_volume(solids.stretched(wedge, (1, -1, 1))) == pytest.approx(volume)
    assert solids.signed_volume(solids.moved(solids.turned(wedge, "y", 33), (3, 4, 5))) == pytest.approx(
        volume
    )


def test_turning_takes_front_to_left_about_z() -> None:
    tip = solids.turned(solids.Solid(np.array([[1.0, 0, 0]]), np.zeros((0, 3), int)), "z", 90).vertices[0]
    np.testing.assert_allclose(tip, (0, 1, 0), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_draws_repeat_for_a_seed_and_differ_between_seeds(kind: str) -> None:
    first, again, other = draw_object(5, kind), draw_object(5, kind), draw_object(6, kind)
    assert np.array_equal(first.mesh.vertices, again.mesh.vertices)
    assert np.array_equal(first.mesh.face_colours, again.mesh.face_colours)
    assert first.part_colours == again.part_colours
    same_shape = first.mesh.vertices.shape == other.mesh.vertices.shape
    assert not same_shape or np.abs(first.mesh.vertices - other.mesh.vertices).max() > 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_shows_its_forced_colour(kind: str) -> None:
    for part in parts_of(kind):
        colours = {name: "lime" if name == part else "purple" for name in parts_of(kind)}
        obj = draw_object(3, kind, colours)
        areas = face_areas(obj.mesh.vertices, obj.mesh.faces)
        share = areas[_near(obj.mesh.face_colours, "lime")].sum() / areas.sum()
        assert share > (0.12 if part == "body" else 0.008), (part, share)
        assert dict(obj.part_colours) == colours and obj.bound == parts_of(kind)


def _near(colours: np.ndarray, word: str) -> np.ndarray:
    """Faces whose hue and brightness lie near a colour word's."""
    return np.abs(colours - np.asarray(COLOURS[word])).max(1) < 0.14


def test_forcing_colours_leaves_the_shape_alone() -> None:
    red, blue = (
        draw_object(9, "car", {"body": "red"}),
        draw_object(9, "car", {"body": "blue", "wheels": "pink"}),
    )
    assert np.array_equal(red.mesh.vertices, blue.mesh.vertices)


def test_proportion_words_follow_the_proportions() -> None:
    mugs = [draw_object(seed, "mug") for seed in range(60)]
    upright = {
        word: [
            np.ptp(m.mesh.vertices[:, 2]) / np.ptp(m.mesh.vertices[:, 0])
            for m in mugs
            if word in m.adjectives
        ]
        for word in ("tall", "short")
    }
    assert min(upright["tall"]) > max(upright["short"])


def test_doors_beaks_and_spouts_are_at_the_front() -> None:
    for kind, part in (("house", "door"), ("bird", "beak"), ("teapot", "spout")):
        mesh = draw_object(
            4, kind, {name: "lime" if name == part else "purple" for name in parts_of(kind)}
        ).mesh
        centres = mesh.vertices[mesh.faces].mean(1)[_near(mesh.face_colours, "lime")]
        assert centres[:, 0].mean() > 0.25, kind


def test_catalogue_is_wide_enough() -> None:
    assert len(KINDS) == len(set(KINDS)) >= 140 and KINDS[:24] == FIRST_KINDS and len(FIRST_KINDS) == 24
    assert len(KINDS_WITH_FRONT) >= 8 and set(KINDS) > KINDS_WITH_FRONT
    assert all(parts_of(kind)[0] == "body" and len(parts_of(kind)) >= 2 for kind in KINDS)
    assert {draw_object(seed).kind for seed in range(400)} == set(FIRST_KINDS)
    assert {any_kind(seed) for seed in range(2000)} == set(KINDS) and any_kind(3, ("mug",)) == "mug"


def test_colour_words_stay_apart_under_jitter() -> None:
    assert len(BASE_COLOURS) >= 12
    rng = np.random.default_rng(0)
    for word in COLOURS:
        assert all(nearest_colour_word(draw_colour(word, rng)) == word for _ in range(200)), word


def test_natural_draws_bind_nothing_and_are_a_small_share() -> None:
    objects = [draw_object(seed, "table") for seed in range(400)]
    natural = [obj for obj in objects if obj.natural]
    assert all(obj.bound == () for obj in natural) and 0.02 < len(natural) / len(objects) < 0.12


def test_unknown_names_are_refused_with_the_choices() -> None:
    with pytest.raises(InputError, match="mug"):
        draw_object(0, "zeppelin")
    with pytest.raises(InputError, match="handle"):
        draw_object(0, "mug", {"wheels": "red"})
    with pytest.raises(InputError, match="orange"):
        draw_object(0, "mug", {"body": "infrared"})
