#!/usr/bin/env bash
# gradio 6.31.0: a page with one event, launched, and nobody there.
#
# Good guess: a server that waits for work sleeps until some comes; an idle demo costs nothing, beside a model or a training run on the same cores.
# Seen: the queue looks for work by polling, and rests a millisecond in between (50 on Windows): nine hundred and more rounds of its
#   event loop each second, 8 % of a core, for as long as the process lives. Beside a computation on two cores that is time it lacks, and
#   a laptop never sleeps. `demo._queue.sleep_when_free = 0.02` before the launch ends most of it, at twenty milliseconds more before an event begins.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install -q gradio==6.31.0
cat > idle.py <<'PY'
import asyncio
import os
import sys
import time

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

import gradio as gr

SECONDS = 5
rests = 0
sleep = asyncio.sleep


async def counted(seconds, *more):
    global rests
    rests += 1
    return await sleep(seconds, *more)


asyncio.sleep = counted
with gr.Blocks() as demo:
    box = gr.Textbox()
    box.submit(str.upper, box, box)
if len(sys.argv) > 1:
    demo.queue()
    demo._queue.sleep_when_free = float(sys.argv[1])
demo.launch(prevent_thread_lock=True, quiet=True)
time.sleep(2)
before, cpu = rests, time.process_time()
time.sleep(SECONDS)
a_second, share = (rests - before) / SECONDS, (time.process_time() - cpu) / SECONDS
print(f"rest {demo._queue.sleep_when_free * 1000:g} ms: it wakes {a_second:.0f} times a second, {share:.1%} of a core")
os._exit(0 if (a_second > 200) == (len(sys.argv) == 1) else 1)
PY
env/bin/python idle.py || { echo "it changed: an idle page rests"; exit 1; }
env/bin/python idle.py 0.02 || { echo "it changed: a longer rest does not end it"; exit 1; }
