"""The embedded prior: RGBA views of one object, cleaned together, told words, cameras and clean views."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from engine.core.cameras import Cameras
from engine.core.noise_schedule import NoiseSchedule, eps_from_x0
from engine.core.views import Views
from engine.errors import FileFormatError, MissingError
from engine.prior.base import Condition, Prediction, PriorInfo, Prompts, TextEmbedding
from engine.prior.resize import to_square
from engine.prior.toybox.correspondence import CorrespondenceAdapter, Joined, Surface, load_correspondence
from engine.prior.toybox.distilled import LARGEST_GUIDANCE, load_distilled
from engine.prior.toybox.info import CONTROLLER, CORRESPONDENCE, DISTILLED, SHARPENER
from engine.prior.toybox.network import StemFeatures, ToyboxDenoiser
from engine.prior.toybox.pipeline_files import base_digest, base_note, base_of, load_controller, load_parts
from engine.prior.toybox.poses import Poses, poses_from_cameras, unknown_poses
from engine.prior.toybox.reference_controller import ReferenceController
from engine.prior.toybox.reference_features import features_for
from engine.prior.toybox.schedule import time_fraction
from engine.prior.toybox.sharpener import Sharpener, load_sharpener
from engine.prior.toybox.text_encoder import Words
from engine.prior.toybox.threads import FastestThreads
from engine.prior.toybox.tokeniser import Tokeniser


class ToyboxPrior:
    """A frozen `ToyboxDenoiser` behind the `Prior` protocol; all views of one call show one object.

    With a ``controller`` it takes 3D references. It is asked once in each call in which a reference has any
    strength. With a ``distilled`` student of the same weights, guidance by words costs one call instead of
    two.
    """

    def __init__(
        self,
        net: ToyboxDenoiser,
        tokeniser: Tokeniser,
        schedule: NoiseSchedule,
        info: PriorInfo,
        device: torch.device | str = "cpu",
        controller: ReferenceController | None = None,
        sharpener: Sharpener | None = None,
        distilled: ToyboxDenoiser | None = None,
        correspondence: CorrespondenceAdapter | None = None,
    ) -> None:
        self.device = torch.device(device)
        self.net = net.to(self.device).eval().requires_grad_(False)
        self.tokeniser = tokeniser
        self.schedule = schedule
        has = {
            "takes_references": controller is not None,
            "sharpens": sharpener is not None,
            "guidance_distilled": distilled is not None,
        }
        self.info = replace(info, implies_noise=True, taught_words=True, **has)
        self.controller = (
            None if controller is None else controller.to(self.device).eval().requires_grad_(False)
        )
        self.sharpener = None if sharpener is None else sharpener.to(self.device)
        self.distilled = None if distilled is None else distilled.to(self.device).eval().requires_grad_(False)
        self._silence: TextEmbedding | None = None
        self.correspondence = None if correspondence is None else correspondence.to(self.device)
        self.surface: Surface | None = None
        self._half = half_pays(self.device)
        self._threads = FastestThreads(None if self.device.type == "cpu" else 1)

    @property
    def network(self) -> ToyboxDenoiser:
        return self.net

    def along_surface(self, points: Tensor, mask: Tensor, cameras: Cameras) -> ToyboxPrior:
        """The same prior, whose views from ``cameras`` attend to each other along the surface that they show.

        ``points`` (V,S,S,3) are of the world, ``mask`` (V,S,S) says where there is one. Raises `MissingError`
        without an adapter.
        """
        if self.correspondence is None:
            raise MissingError(
                f"The prior {self.info.id!r} has no correspondence adapter.",
                "Train one: python -m engine.toybox.train correspondence, or leave it away.",
            )
        surface = Surface.of(points, mask, cameras).to(self.device)
        return self.joined_by(self.correspondence, surface)

    def joined_by(self, adapter: CorrespondenceAdapter, surface: Surface) -> ToyboxPrior:
        """The same prior, for views of this ``surface`` alone."""
        joined = copy.copy(self)
        joined.correspondence, joined.surface = adapter, surface
        return joined

    def encode(self, views: Views) -> Tensor:
        """Premultiplied pictures over black to (B,4,64,64): 2 rgb - alpha, 2 alpha - 1; empty space is grey
        at alpha -1.
        """
        pictures = to_square(views.rgba, self.info.resolution)
        rgb, alpha = pictures[:, :3], pictures[:, 3:]
        return torch.cat([2 * rgb - alpha, 2 * alpha - 1], dim=1)

    def decode(self, x: Tensor) -> Views:
        """Back to premultiplied pictures over black; colour cannot exceed alpha."""
        alpha = ((x[:, 3:] + 1) / 2).clamp(0, 1)
        rgb = ((x[:, :3] + alpha) / 2).clamp(min=0).minimum(alpha)
        rgb, alpha = rgb.permute(0, 2, 3, 1), alpha.permute(0, 2, 3, 1)
        return Views(rgb, alpha, torch.zeros_like(alpha))

    @torch.no_grad()
    def sharpened(self, views: Views) -> Views:
        """Views of 64 pixels at 128. Raises `MissingError` without a second stage."""
        if self.sharpener is None:
            raise MissingError(f"The prior {self.info.id!r} has no second stage.", "Set sharpen_steps to 0.")
        x = self.encode(views)
        sharpener = self.sharpener
        return self.decode(self._threads.run(lambda: sharpener(x), len(x)))

    @torch.no_grad()
    def embed(self, prompt: str) -> TextEmbedding:
        """Encoded words (1,L,D); words it does not know count as one unknown word (see `unknown_words`)."""
        words = self.net.text(self.tokeniser([prompt]).to(self.device))
        return TextEmbedding(words.tokens, words.mask, words.pooled)

    def unknown_words(self, prompt: str) -> tuple[str, ...]:
        """Words of a prompt that it was never taught, in order."""
        return self.tokeniser.unknown_words(prompt)

    def with_two_passes(self) -> ToyboxPrior:
        """The same prior without its student: guided exactly."""
        plain = copy.copy(self)
        plain.distilled = None
        return plain

    def answers_guided(self, prompts: Prompts, guidance_scale: float) -> bool:
        """Whether its student knows the scale, and words are all that the two branches differ in."""
        positive, other = prompts.positive, prompts.unconditional
        known = self.distilled is not None and 1 < guidance_scale <= LARGEST_GUIDANCE
        alike = positive.clean_views is other.clean_views and positive.cameras is other.cameras
        plain = positive.reference is None and other.reference is None and self.surface is None
        return known and alike and plain and self._is_silent(other.text)

    def _is_silent(self, text: TextEmbedding) -> bool:
        if self._silence is None:
            self._silence = self.embed("")
        return text.tokens.shape == self._silence.tokens.shape and bool(
            torch.equal(text.tokens, self._silence.tokens)
        )

    @torch.no_grad()
    def predict_guided(self, x_t: Tensor, t: Tensor, prompts: Prompts, guidance_scale: float) -> Prediction:
        """What two passes and guidance would say of ``x_t`` (B,4,64,64), by the student in one."""
        return self._predict(x_t, t, prompts.positive, guidance_scale)

    def predict(self, x_t: Tensor, t: Tensor, condition: Condition) -> Prediction:
        """Clean ``x_t`` (B,4,64,64), B views of one object at times ``t`` (B,); differentiable. One prompt
        serves all views.
        """
        return self._predict(x_t, t, condition)

    def _predict(
        self, x_t: Tensor, t: Tensor, condition: Condition, guidance_scale: float | None = None
    ) -> Prediction:
        noisy, given = len(x_t), condition.clean_views
        x, at = x_t, time_fraction(t.to(x_t.device), len(self.schedule))
        if given is not None:
            x, at = torch.cat([x_t, given.x.to(x_t)]), torch.cat([at, at.new_zeros(len(given.x))])
        clean = torch.arange(len(x), device=x.device) >= noisy
        if x.requires_grad:
            return self._cleaned(x_t, t, x, at, clean, condition, guidance_scale)
        return self._threads.run(
            lambda: self._cleaned(x_t, t, x, at, clean, condition, guidance_scale), len(x)
        )

    def _cleaned(
        self,
        x_t: Tensor,
        t: Tensor,
        x: Tensor,
        at: Tensor,
        clean: Tensor,
        condition: Condition,
        guidance_scale: float | None,
    ) -> Prediction:
        """The prediction for ``x_t``, the first of all views ``x`` (V,4,64,64), of which some are given
        ``clean``.
        """
        noisy = len(x_t)
        poses = self._poses(condition, len(x))  # in full precision: rays need it
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self._half):
            words = _words(condition.text)
            added = self._added(at, words, poses, condition)
            if guidance_scale is None:
                predicted = self.net(
                    x[None], at[None], words, poses, clean[None], added, joined=self._joined(at)
                )
            else:
                assert self.distilled is not None, "only a student answers guided"
                scale = torch.full((1,), guidance_scale, device=x.device)
                predicted = self.distilled(x[None], at[None], words, poses, clean[None], added, scale)
        x0 = predicted[0, :noisy].to(x_t.dtype)
        if guidance_scale is None:  # guidance goes past the bounds, and is meant to
            x0 = x0.clamp(-1, 1)
        return Prediction(eps_from_x0(x_t, x0, *self.schedule.signal_and_noise(t, x_t)), x0)

    def _joined(self, at: Tensor) -> Joined | None:
        """What attends along the surface; None where none is known, or other views than those that show it
        are cleaned.
        """
        if self.surface is None or self.correspondence is None or len(at) != self.surface.count:
            return None
        return Joined(self.correspondence, self.surface, self.correspondence.state(at))

    def _added(self, at: Tensor, words: Words, poses: Poses, condition: Condition) -> StemFeatures | None:
        """What the controller adds for the reference; None where there is none, or one without strength."""
        if condition.reference is None or condition.reference.maps is None:
            return None
        if self.controller is None:
            raise MissingError(
                f"The prior {self.info.id!r} has no controller that could read a 3D reference.",
                "Set reference_by to shape, which needs none.",
            )
        return features_for(self.controller, condition.reference, condition.clean_views, at, words, poses)

    def _poses(self, condition: Condition, views: int) -> Poses:
        """Of the noisy views, then of the given ones; unknown if the noisy ones' cameras are."""
        if condition.cameras is None:
            return unknown_poses(1, views, self.device)
        poses = poses_from_cameras(condition.cameras.to(self.device))
        if condition.clean_views is None:
            return poses
        given = poses_from_cameras(condition.clean_views.cameras.to(self.device))
        return Poses(
            torch.cat([poses.c2w, given.c2w], 1), torch.cat([poses.rays, given.rays], 1), poses.known
        )


def load_toybox(
    folder: Path, device: torch.device | str = "cpu", controller_folder: Path | None = None
) -> ToyboxPrior:
    """The prior in a folder, with its reference controller if it has one, or with that of another
    ``controller_folder``.

    Raises `MissingError` if files are not there, `FileFormatError` if they are damaged or do not fit each
    other.
    """
    parts = load_parts(folder)
    place = controller_folder or (folder / CONTROLLER if parts.info.takes_references else None)
    sharpener = load_sharpener(folder / SHARPENER) if parts.info.sharpens else None
    base, along, student = base_digest(folder), folder / CORRESPONDENCE, folder / DISTILLED
    # what learned from other weights would draw another prior's toys
    correspondence = load_correspondence(along) if along.is_dir() and base_of(along) == base else None
    learned = parts.info.guidance_distilled and base_of(student) == base
    distilled = load_distilled(student) if learned else None
    controller, info = None, parts.info
    if place is not None:
        controller, info = load_controller(place), replace(info, reference_note=base_note(place, base))
        _check_fits(controller, parts.net, place)
    beside = (controller, sharpener, distilled, correspondence)
    return ToyboxPrior(parts.net, parts.tokeniser, parts.schedule, info, device, *beside)


def _check_fits(controller: ReferenceController, net: ToyboxDenoiser, place: Path) -> None:
    for name in ("channels", "width", "fine", "middle"):
        its, ours = controller.config[name], net.config[name]
        if its != ours:
            raise FileFormatError(
                f"The reference controller in {place} does not fit its prior: its {name} is {its}, not "
                f"{ours}.",
                "Restore both from the repository, or train one for this prior.",
            )


def half_pays(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there: on a GPU, and on processors that multiply it
    natively.
    """
    return (
        device.type == "cuda" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    )


def _words(text: TextEmbedding) -> Words:
    assert len(text.tokens) == 1, f"the views of one call share one prompt, got {len(text.tokens)}"
    assert text.mask is not None and text.pooled is not None, "they are this prior's own words"
    return Words(text.tokens, text.mask, text.pooled)
