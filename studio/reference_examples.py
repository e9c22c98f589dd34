"""An example for each use of a reference, which works offline: a preset, words, and a picture or a model
where it needs one.

A click on one sets all of it. Applying its preset fills it in as far as nothing else was given.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency
from gradio.utils import get_upload_folder

from engine.assets.images.image_arguments import Listed
from engine.errors import storage_errors
from engine.loop.reference.reference_source import AUTO
from engine.session.presets import FOLDER
from studio.handlers import Handlers
from studio.preset_bar import Memory, Presetting
from studio.samples import AZIMUTH_DEG, sample_file
from studio.tabs import REFERENCE

MODELS = FOLDER / "examples"
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class ReferenceExample:
    """``reference`` is a value of the setting, or the name of a file in ``presets/examples``; ``sample`` that
    of a picture.
    """

    preset: str
    title: str
    prompt: str = ""
    reference: str = AUTO
    sample: str = ""
    variations: int = 1

    def values(self) -> tuple[str, str, str]:
        """Prompt, pictures and reference, with files where uploads lie. Raises StorageError."""
        return self.prompt, self._picture(), self._model()

    def _picture(self) -> str:
        path = sample_file(self.sample) if self.sample else None
        return "" if path is None else str(Listed(str(uploaded(path)), AZIMUTH_DEG))

    def _model(self) -> str:
        path = MODELS / self.reference
        return str(uploaded(path)) if path.is_file() else self.reference


EXAMPLES = (
    ReferenceExample("reference-text", "From words", "a red chair"),
    ReferenceExample("reference-image", "From a picture", sample="house.png"),
    ReferenceExample("reference-theme", "Variations", "a blue chair", "shelf:toybox/701000", variations=3),
    ReferenceExample("reference-blocks", "From blocks", "a white house with a red roof", "house-blocks.json"),
    ReferenceExample(
        "reference-completion", "Complete a part", "a red chair with an orange cushion", "part-of-a-chair.glb"
    ),
)


def example_for(preset: str | None) -> ReferenceExample | None:
    """The example of a preset; None if it has none."""
    return next((example for example in EXAMPLES if example.preset == preset), None)


def uploaded(path: Path) -> Path:
    """A copy of a shipped file where uploads lie, as if it had been uploaded. Raises StorageError."""
    copy = Path(get_upload_folder()) / "examples" / path.name
    with storage_errors(copy):
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return copy


def draw_examples() -> gr.HTML:
    """A row of examples in the current Blocks, in sight while there is nothing to go by; its value is the
    chosen one's preset.
    """
    return gr.HTML(
        "",
        html_template='<div class="mq-ref-examples"></div>',
        js_on_load="maquette.mountReferenceExamples(element, props, trigger)",
        apply_default_css=False,
        elem_id="mq-reference-examples",
        examples=[asdict(example) for example in EXAMPLES],
    )


def fill(preset: str) -> tuple[Any, Any, Any, Any, Any]:
    """All of an example: (prompt, pictures, crops, reference, how many variations)."""
    example = example_for(preset)
    if example is None:
        return gr.skip(), gr.skip(), gr.skip(), gr.skip(), gr.skip()
    prompt, images, reference = example.values()
    return prompt, images, "", reference, example.variations


def fill_empty(memory: Memory, tab: str, prompt: str, images: str, reference: str) -> tuple[Any, Any, Any]:
    """After a preset was applied in the reference tab: (prompt, pictures, reference), as far as nothing was
    given yet.
    """
    example = example_for(memory.applied) if tab == REFERENCE.key and memory.replaced is not None else None
    if example is None or prompt.strip() or images.strip():
        return gr.skip(), gr.skip(), gr.skip()
    words, pictures, model = example.values()
    return words, pictures or gr.skip(), model if reference.strip() in ("", AUTO) else gr.skip()


def connect_examples(
    examples: gr.HTML, variations: gr.components.Component, panel: Any, handlers: Handlers
) -> None:
    """A click on an example applies its preset, and fills it in."""
    bar, controls = panel.presets, panel.controls
    everything = [
        panel.tabs,
        panel.prompt,
        panel.negative_prompt,
        panel.prior,
        panel.method,
        *controls.components,
    ]
    shown = [*bar.outputs, panel.problem, *panel.groups, *everything]
    images, crops, reference = (controls.named(name) for name in ("images", "image_crops", "reference"))
    apply: Callable[..., list[Any]] = Presetting(handlers).apply
    applied = examples.input(apply, [bar.memory, panel.token, examples, *everything], shown, **QUIET)
    applied.then(fill, examples, [panel.prompt, images, crops, reference, variations], **QUIET)


def connect_filling(applied: Dependency, panel: Any) -> None:
    """After a preset was applied, fill in its example where nothing was given."""
    images, reference = (panel.controls.named(name) for name in ("images", "reference"))
    given = [panel.presets.memory, panel.tabs, panel.prompt, images, reference]
    applied.then(fill_empty, given, [panel.prompt, images, reference], **QUIET)
