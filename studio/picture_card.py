"""The card that takes pictures of an object: by drop, choice, paste or camera; where each was taken from, and
its crop.
"""

from __future__ import annotations

from collections.abc import Sequence

import gradio as gr

from engine.assets.images.decoding import MAX_BYTES
from engine.assets.images.image_arguments import MOST_PICTURES, MOST_WEIGHT
from studio.controls import Controls, Field, unmarked
from studio.samples import plain_samples
from studio.tabs import IMAGE

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif")
FIDELITY = "fidelity"
TELL = "(fill, way) => { maquette.framePictures(fill, way); }"


def draw_picture_card(controls: Controls, fields: Sequence[Field] = ()) -> None:
    """Draw the card in the current Blocks, by ``assets/pictures.js``, and take it for the control of its two
    settings.

    Of ``fields``, how true to the pictures the object is to be stands here, too: it is what most people want
    to change.
    """
    with gr.Column(elem_classes=["mq-card", "mq-in-image", "mq-in-reference"], elem_id="mq-pictures-card"):
        images = gr.HTML(
            "",
            html_template='<div class="mq-pictures"></div>',
            js_on_load="maquette.mountPictures(element, props, trigger, watch, upload)",
            apply_default_css=False,
            elem_id="mq-images",
            most=MOST_PICTURES,
            most_weight=MOST_WEIGHT,
            largest=MAX_BYTES,
            endings=list(ENDINGS),
            samples=plain_samples(),
        )
        crops = gr.HTML(
            "",
            html_template="<i hidden></i>",
            js_on_load="maquette.mountPictureCrops(props, trigger, watch)",
            apply_default_css=False,
            elem_id="mq-image_crops",
        )
        controls.draw([field for field in fields if field.name == FIDELITY], tab=IMAGE.key)
    controls.place(unmarked("images"), images)
    controls.place(unmarked("image_crops"), crops)


def connect_picture_card(controls: Controls) -> None:
    """Let the previews follow how much of its frame an object takes, and how it is cut out."""
    framing = [controls.named("image_fill"), controls.named("image_cut_out")]
    for control in framing:
        control.change(None, framing, None, js=TELL, api_visibility="private")
