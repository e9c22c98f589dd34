"""The benchmark's classifier: what it learns from, and how well the shipped weights read true and roughened
pictures.
"""

import pytest
import torch

from engine.errors import FileFormatError, MissingError
from engine.toybox.benchmark.train_classifier import (
    CEILING_SEED,
    UNKNOWN,
    Lesson,
    azimuth_targets,
    examine,
    loss_of,
    make_lesson,
    roughen,
    teach,
)
from engine.toybox.classifier import (
    COLOUR_WORDS,
    SLOTS,
    WEIGHTS,
    ToyClassifier,
    base_colour,
    load_classifier,
    read,
    save_classifier,
    slot_of,
)
from engine.toybox.dataset import CLASSIFIER_SEED
from engine.toybox.objects import JUDGED_KINDS, parts_of
from engine.toybox.words import COLOURS


@pytest.fixture(scope="module")
def exam() -> Lesson:
    torch.set_num_threads(1)
    return make_lesson(CEILING_SEED, 120)


@pytest.fixture(scope="module")
def classifier() -> ToyClassifier:
    return load_classifier()


def test_shipped_weights_read_true_pictures(classifier, exam):
    marks = examine(classifier, exam)
    assert marks["kind"] > 0.95 and marks["colour"] > 0.8 and marks["azimuth"] > 0.85


def test_shipped_weights_forgive_what_reconstruction_does(classifier, exam):
    rough = (roughen(exam.images / 255, torch.Generator().manual_seed(3)) * 255).round().to(torch.uint8)
    marks = examine(classifier, Lesson(rough, exam.kind, exam.azimuth_deg, exam.colour))
    assert marks["kind"] > 0.92 and marks["colour"] > 0.75


def test_shipped_weights_are_small():
    assert WEIGHTS.stat().st_size < 2_000_000


def test_a_reading_is_made_of_probabilities(classifier, exam):
    seen = read(classifier, exam.images[:5].movedim(1, -1) / 255)
    assert seen.kind.shape == (5, len(JUDGED_KINDS)) and seen.azimuth.shape == (5, len(JUDGED_KINDS), 8)
    assert seen.colour.shape == (5, len(SLOTS), len(COLOUR_WORDS))
    for logs in (seen.kind, seen.azimuth, seen.colour):
        assert torch.allclose(logs.exp().sum(-1), torch.ones(logs.shape[:-1]), atol=1e-5)


def test_azimuths_belong_to_their_two_nearest_bins():
    targets = azimuth_targets(torch.tensor([0.0, 45.0, 67.5, 350.0]))
    wanted = torch.zeros(4, 8)
    wanted[0, 0] = wanted[1, 1] = 1.0
    wanted[2, 1] = wanted[2, 2] = 0.5
    wanted[3, 0], wanted[3, 7] = 7 / 9, 2 / 9
    assert torch.allclose(targets, wanted, atol=1e-5)


def test_every_part_has_a_slot_and_every_shade_a_base():
    assert [SLOTS[slot_of(kind, part)] for kind in JUDGED_KINDS for part in parts_of(kind)] == list(SLOTS)
    assert {base_colour(word) for word in COLOURS} == set(COLOUR_WORDS)
    assert base_colour("dark red") == "red"


def test_lessons_name_the_parts_that_were_painted(exam):
    painted = (exam.colour != UNKNOWN).sum(1)
    assert painted.min() >= 1 and painted.max() >= 3
    for row in range(0, len(exam), 16):
        kinds = {SLOTS[slot][0] for slot in torch.nonzero(exam.colour[row] != UNKNOWN)[:, 0].tolist()}
        assert kinds == {JUDGED_KINDS[int(exam.kind[row])]}


def test_roughening_keeps_range_and_place(exam):
    clean = exam.images[:16] / 255
    rough = roughen(clean, torch.Generator().manual_seed(0))
    assert rough.shape == clean.shape and rough.min() >= 0 and rough.max() <= 1
    error = (rough - clean).square().mean()
    assert 0 < error < clean.square().mean() / 2


def test_teaching_lowers_the_loss_of_a_few_pictures():
    lesson = make_lesson(CLASSIFIER_SEED, 6, views=2)
    pictures = lesson.images / 255
    before = float(loss_of(ToyClassifier()(pictures), lesson).detach())
    taught = teach(lesson, steps=12, batch=12, report=0)
    with torch.no_grad():
        assert float(loss_of(taught.train()(pictures), lesson)) < 0.9 * before


def test_weights_survive_saving(classifier, exam, tmp_path):
    path = tmp_path / "classifier.safetensors"
    save_classifier(classifier, path)
    pictures = exam.images[:4] / 255
    with torch.no_grad():
        assert torch.equal(load_classifier(path)(pictures).kind, classifier(pictures).kind)


def test_missing_and_broken_weights_are_refused(tmp_path):
    with pytest.raises(MissingError, match="The benchmark's classifier is not at"):
        load_classifier(tmp_path / "none.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"not weights")
    with pytest.raises(FileFormatError):
        load_classifier(tmp_path / "broken.safetensors")
