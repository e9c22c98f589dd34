"""The download of a prior on the page: what it takes and under which licence, consent, how far it is, and
cancel.

The session's ``Fetching`` does the work; a timer asks it how far it is while a download goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import gradio as gr

from engine.errors import StudioError
from engine.session.fetching import MEGABYTE, Download, Fetching, Offer
from studio.catalogue import Catalogue
from studio.menu import plain, prior_options
from studio.messages import problem, size_words

POLL_SECONDS = 1.0
QUIET = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True)
class FetchBox:
    """What stands under the prior menu while the chosen prior is not on this machine."""

    note: gr.HTML
    download: gr.Button
    cancel: gr.Button
    timer: gr.Timer


def draw_fetch_box() -> FetchBox:
    """Draw the box in the current Blocks; it is empty until it is needed."""
    note = gr.HTML(elem_id="mq-fetch", apply_default_css=False)
    with gr.Row(elem_id="mq-fetch-acts"):
        download = gr.Button(
            "Download", variant="primary", size="sm", visible=False, elem_id="mq-download", min_width=0
        )
        cancel = gr.Button("Cancel", size="sm", visible=False, elem_id="mq-cancel-download", min_width=0)
    return FetchBox(note, download, cancel, gr.Timer(POLL_SECONDS, active=False))


def connect_fetch_box(page: gr.Blocks, box: FetchBox, prior: gr.HTML, catalogue: Catalogue) -> None:
    """Let the box follow the prior menu, its buttons and the download."""
    handlers = FetchHandlers(catalogue)
    outputs = [box.note, box.download, box.cancel, box.timer, prior]
    for event in (page.load, prior.change, box.timer.tick):
        event(handlers.look, prior, outputs, trigger_mode="always_last", **QUIET)
    box.download.click(handlers.start, prior, outputs, **QUIET)
    box.cancel.click(handlers.cancel, prior, outputs, **QUIET)


class FetchHandlers:
    """Each answers (note, download button, cancel button, timer, prior menu)."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue, self.fetching = catalogue, catalogue.fetching

    @property
    def _there(self) -> Fetching:
        assert self.fetching is not None, "the buttons are hidden where nothing can be fetched"
        return self.fetching

    def look(self, prior: str) -> list[Any]:
        """How things stand for the chosen prior."""
        return self._shown(prior) if self.fetching is not None else [*_updates(""), gr.skip()]

    def start(self, prior: str) -> list[Any]:
        """Begin to fetch the chosen prior: pressing Download is the consent."""
        try:
            self._there.start(prior)
        except StudioError as error:
            return [problem(error), *self._shown(prior)[1:]]
        return self._shown(prior)

    def cancel(self, prior: str) -> list[Any]:
        """End the download; the timer shows when it has ended."""
        self._there.cancel()
        return self._shown(prior)

    def _shown(self, prior: str) -> list[Any]:
        download, offer = self._there.view(), self._there.offer(prior)
        menu = gr.update(options=plain(prior_options(self.catalogue)))
        if download is not None and download.state == "running":
            return [*_updates(progress_note(download), cancel=True, active=True), menu]
        if (
            download is not None
            and download.offer.id == prior
            and (offer is not None or download.state == "done")
        ):
            again = "Go on" if download.state != "done" else ""
            return [*_updates(ended_note(download), download=again), menu]
        return [
            *_updates(
                "" if offer is None else offer_note(offer), download="" if offer is None else "Download"
            ),
            menu,
        ]


def _updates(note: str, *, download: str = "", cancel: bool = False, active: bool = False) -> list[Any]:
    button = gr.update(visible=bool(download), value=download or "Download")
    return [note, button, gr.update(visible=cancel), gr.Timer(active=active)]


def offer_note(offer: Offer) -> str:
    """What a person should know before a download."""
    gate = (
        " The publisher asks you to accept the licence there first, and to run <code>hf auth login</code>."
        if offer.gated
        else ""
    )
    return _box(
        f"<p><b>{escape(offer.title)} is not on this machine.</b> It takes "
        f"{size_words(offer.size_mb * MEGABYTE)}, kept in "
        f"<code>{escape(str(offer.target))}</code>.</p>"
        f"<p>Licence: {escape(offer.licence)}. By downloading it you accept that licence: "
        f'<a href="{escape(offer.page)}" target="_blank" rel="noopener">read it on its page</a>.{gate}</p>'
    )


def progress_note(download: Download) -> str:
    """How far a download is: share, bytes, speed, time left."""
    total = size_words(download.offer.size_mb * MEGABYTE)
    facts = [f"{download.share:.0%}", f"{size_words(download.bytes)} of {total}"]
    if download.eta_seconds is not None:
        facts += [f"{size_words(download.bytes_per_second)}/s", f"{time_words(download.eta_seconds)} left"]
    bar = f'<progress max="1" value="{download.share:.4f}" aria-label="Download"></progress>'
    return _box(f"<p><b>Fetching {escape(download.offer.title)}</b></p>{bar}<p>{' · '.join(facts)}</p>")


def ended_note(download: Download) -> str:
    """What became of a download."""
    if download.state == "done":
        path = escape(str(download.path))
        return _box(
            f"<p><b>{escape(download.offer.title)} is here.</b> You can use it now. It lies in "
            f"<code>{path}</code>.</p>"
        )
    what, remedy = download.error or ("", "")
    return _box(f"<p><b>{escape(what)}</b> {escape(remedy)}</p>")


def time_words(seconds: float) -> str:
    """Seconds or minutes, roughly."""
    return f"about {max(1, round(seconds))} s" if seconds < 90 else f"about {round(seconds / 60)} min"


def _box(inside: str) -> str:
    return f'<div class="mq-fetch" role="status">{inside}</div>'
