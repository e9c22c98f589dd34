"""A sheet of samples: four sides of each of some prompts, drawn as the product draws them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from engine.core.cameras import orbit_cameras
from engine.errors import storage_errors
from engine.prior.base import Condition, Prior, Prompts
from engine.prior.sampling import ddim, sampling_times

PROMPTS = (
    "a red mug",
    "a blue chair with yellow legs",
    "a green car",
    "a white house with a red roof",
    "a green tree",
    "a red mushroom with white spots",
    "a blue rocket",
    "a snowman",
    "a yellow bird",
    "a purple table",
    "a pink cake",
    "a gray robot",
    "a brown bottle",
    "an orange lamp",
    "a black sword",
    "a yellow boat",
)
AZIMUTHS_DEG = (30.0, 120.0, 210.0, 300.0)
COLUMNS = 2


def write_samples(prior: Prior, prompts: Sequence[str], path: Path, steps: int = 6, elevation_deg: float = 15.0) -> None:
    """Write a PNG with a strip of four views over white for each prompt, two prompts a row. Raises `StorageError`."""
    strips = [_strip(prior, prompt, steps, elevation_deg) for prompt in prompts]
    strips += [np.full_like(strips[0], 255)] * (-len(strips) % COLUMNS)
    rows = [np.concatenate(strips[i : i + COLUMNS], axis=1) for i in range(0, len(strips), COLUMNS)]
    with storage_errors(path):
        Image.fromarray(np.concatenate(rows)).save(path)


def _strip(prior: Prior, prompt: str, steps: int, elevation_deg: float) -> np.ndarray:
    """Four views (64, 256, 3) uint8 of one prompt; the noise is the same for each prompt."""
    info, count = prior.info, len(AZIMUTHS_DEG)
    cameras = orbit_cameras(AZIMUTHS_DEG, elevation_deg, info.distance, info.fov_deg, info.resolution)
    told = Prompts(Condition(prior.embed(prompt), cameras), Condition(prior.embed(""), cameras))
    noise = torch.randn(count, 4, info.resolution, info.resolution, generator=torch.Generator().manual_seed(1))
    *_, sample = ddim(prior, told, noise.to(prior.device), sampling_times(prior.schedule, steps), info.default_guidance_scale)
    views = prior.decode(sample)
    pictures = (views.rgb + 1 - views.alpha).mul(255).round().byte().cpu().numpy()
    return np.concatenate(list(pictures), axis=1)
