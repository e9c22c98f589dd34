#!/usr/bin/env bash
# gaussforge 0.6.0 (its wheel, CPython 3.11).
# Good guess: `read(data, format)`, documented as "Returns dict with 'data' or 'error'", gives the splats of any file that
# `convert` of the same object takes.
# Seen: it answers {"error": "std::bad_cast"} for a plain PLY and for an SPZ that `convert` has just written, while `convert` reads
# both: whoever wants the numbers has to convert to PLY and read that. It also refuses a PLY whose `vertex` element is not the
# first ("missing vertex count"), which the format allows.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "gaussforge==0.6.0" "numpy==2.4.6"
"$work/venv/bin/python" - <<'PY'
import gaussforge
import numpy as np

names = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2", "opacity", "scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"]
rows = np.random.default_rng(0).normal(size=(8, len(names))).astype("<f4")
rows[:, 7:10] = -3.0
rows[:, 10:] = (1, 0, 0, 0)


def ply(before: str = "", data: bytes = b"") -> bytes:
    """A splat PLY of eight rows, with another element before them where one is given."""
    head = "ply\nformat binary_little_endian 1.0\n" + before + f"element vertex {len(rows)}\n"
    return (head + "".join(f"property float {n}\n" for n in names) + "end_header\n").encode() + data + rows.tobytes()


def tried(call) -> str:
    try:
        answer = call()
        return "error: " + str(answer["error"]) if "error" in answer else "ok"
    except Exception as error:
        return f"{type(error).__name__}: {error}"


forge = gaussforge.GaussForge()
spz = forge.convert(ply(), "ply", "spz")["data"]
outcome = {
    "read(ply)": tried(lambda: forge.read(ply(), "ply")),
    "convert(spz to ply)": tried(lambda: forge.convert(spz, "spz", "ply")),
    "read(spz)": tried(lambda: forge.read(spz, "spz")),
    "read(ply, camera element first)": tried(
        lambda: forge.read(ply("element camera 1\nproperty float fov\n", np.float32(40).tobytes()), "ply")
    ),
}
for name, answer in outcome.items():
    print(f"{name}: {answer}")
assert outcome.pop("convert(spz to ply)") == "ok", "this has changed"
assert all(answer.startswith("error") for answer in outcome.values()), "this has changed"
PY
