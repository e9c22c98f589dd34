"""The memory plan: what is given up first, what it saves, and how it is told."""

from __future__ import annotations

import pytest

from engine.prior.memory_plan import (
    GB,
    Economy,
    Footprint,
    Needs,
    activations,
    estimate,
    number_word,
    plan,
    tiers,
)

SD15 = {"sample_size": 64, "block_out_channels": (320, 640, 1280, 1280)}
VAE = {"block_out_channels": (128, 256, 512, 512)}
HALF = {"denoiser": 2, "vae": 2}
FOOTPRINT = Footprint(2 * GB, int(1.6 * GB), **activations({"denoiser": SD15, "vae": VAE}, HALF))
FOUR = Needs(views=4)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("views", [1, 3, 4, 16])
def test_each_tier_takes_no_more_than_the_one_before_and_the_last_the_least(views: int, fused: bool) -> None:
    ladder = tiers(views, fused_attention=fused)
    taken = [estimate(FOOTPRINT, Needs(views), economy, fused_attention=fused) for economy in ladder]
    assert taken == sorted(taken, reverse=True) and taken[-1] < taken[0]
    assert ladder[0] == Economy() and len(set(ladder)) == len(ladder)
    assert ladder[-1].views_per_call == 1 or views == 1


def test_only_what_a_prior_knows_is_given_up() -> None:
    joint = tiers(4, separate_views=False, vae=False, can_offload=False)
    assert joint == (Economy(),)
    assert all(not economy.sliced_attention for economy in tiers(4))
    assert [economy.sliced_attention for economy in tiers(4, fused_attention=False)][:2] == [False, True]


def test_the_first_tier_that_fits_is_chosen() -> None:
    ladder = tiers(4)
    taken = [estimate(FOOTPRINT, FOUR, economy) for economy in ladder]
    for economy, wanted in zip(ladder, taken, strict=True):
        chosen = plan(FOOTPRINT, FOUR, int(wanted / 0.9) + 1, ladder)
        assert chosen.fits and chosen.taken <= wanted and chosen.economy == ladder[taken.index(chosen.taken)]
        assert ladder.index(chosen.economy) <= ladder.index(economy)
    none = plan(FOOTPRINT, FOUR, GB, ladder)
    assert none.economy == ladder[-1] and not none.fits


def test_a_plan_is_told_in_words() -> None:
    economy = Economy(views_per_call=2, pictures_per_call=1)
    found = plan(FOOTPRINT, FOUR, 8 * GB, (economy,))
    assert (
        found.words() == f"about {found.taken / GB:.1f} GB of 8.0 GB: two views at a time, the VAE in slices"
    )
    assert Economy().words(4) == "everything at once"
    assert Economy(views_per_call=1).words(4) == "one view at a time"
    assert number_word(3) == "three" and number_word(12) == "12"


def test_half_the_bytes_a_number_half_the_activations() -> None:
    configs = {"denoiser": SD15, "vae": VAE}
    full, half = activations(configs, {"denoiser": 4, "vae": 4}), activations(configs, HALF)
    assert full.keys() == {"denoise", "learn", "attention", "encode"}
    assert all(full[name] == 2 * half[name] for name in full)


def test_four_times_the_pixels_four_times_the_activations() -> None:
    larger = activations({"denoiser": {**SD15, "sample_size": 128}, "vae": VAE}, HALF)
    smaller = activations({"denoiser": SD15, "vae": VAE}, HALF)
    assert all(larger[name] == (16 if name == "attention" else 4) * smaller[name] for name in smaller)


def test_a_method_that_learns_keeps_what_all_views_need() -> None:
    economy = tiers(4)[3]
    learning = estimate(FOOTPRINT, Needs(4, learns=True), economy)
    assert learning == FOOTPRINT.weights + 4 * FOOTPRINT.learn > estimate(FOOTPRINT, FOUR, economy)


@pytest.mark.parametrize(
    "config", [{}, {"sample_size": None, "block_out_channels": (8,)}, {"sample_size": (8, 16)}]
)
def test_configs_without_a_size_count_nothing(config: dict) -> None:
    assert activations({"denoiser": config}, {}) == {}


def test_a_transformer_is_counted_by_its_tokens() -> None:
    config = {
        "sample_size": 64,
        "patch_size": 2,
        "num_attention_heads": 24,
        "attention_head_dim": 64,
        "num_layers": 24,
    }
    coarse = activations({"denoiser": config}, {"denoiser": 2})
    fine = activations({"denoiser": {**config, "patch_size": 1}}, {"denoiser": 2})
    assert fine["denoise"] == 4 * coarse["denoise"] and fine["learn"] == 4 * coarse["learn"]
