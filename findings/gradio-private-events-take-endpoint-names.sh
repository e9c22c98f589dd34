#!/usr/bin/env bash
# gradio 6.31.0, gr.api() beside ordinary events.
#
# Good guess: an event with api_visibility="private" has no place in the API, so a public endpoint of gr.api(generate) is
#   /generate whatever the page's own buttons call their functions.
# Seen: the private event's function takes the name; the public endpoint that comes after it is /generate_1, and nothing is at
#   /generate. With gr.api() called first the name is free. A client that asks for /generate is told that there is no such
#   endpoint, and which name it got depends on the order in which the page was put together.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "gradio==6.31.0"
"$folder/venv/bin/python" - <<'PY'
import gradio as gr


def endpoints(api_first: bool) -> list[str]:
    def generate(words: str) -> str:
        return words

    def public() -> None:
        gr.api(generate, api_name="generate")

    with gr.Blocks() as page:
        if api_first:
            public()
        box, button = gr.Textbox(), gr.Button()
        button.click(generate, box, box, api_visibility="private")
        if not api_first:
            public()
    return sorted(page.get_api_info()["named_endpoints"])


after, before = endpoints(api_first=False), endpoints(api_first=True)
print("gr.api after the page's own events: ", after)
print("gr.api before the page's own events:", before)
assert after == ["/generate_1"] and before == ["/generate"], "it changed"
PY
