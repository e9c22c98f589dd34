"""Kinds of pictures that are not read, known by how they begin, so that a refusal can name them."""

from __future__ import annotations

_BRANDS = {
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"): "a HEIC picture, as telephones take them",
    (b"avif", b"avis"): "an AVIF picture",
    (b"crx ",): "a raw picture of a camera",
}
_STARTS = {
    b"\xff\x0a": "a JPEG XL picture",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 picture",
    b"8BPS": "a Photoshop file",
    b"gimp xcf": "a GIMP file",
    b"v/1\x01": "an OpenEXR picture",
    b"#?RADIANCE": "a Radiance HDR picture",
    b"%PDF": "a PDF file",
    b"<svg": "an SVG drawing",
    b"\xabKTX ": "a KTX texture",
    b"DDS ": "a DDS texture",
}


def foreign_name(data: bytes) -> str:
    """What a file is, in words; empty where that is not known either."""
    if data[4:8] == b"ftyp":
        brands = {data[at : at + 4] for at in (8, *range(16, min(len(data), 64), 4))}
        for names, words in _BRANDS.items():
            if data[8:12] in names:
                return words
        return next((words for names, words in _BRANDS.items() if brands & set(names)), "")
    start = data[:512].lstrip()
    if start.startswith((b"<?xml", b"<!--")) and b"<svg" in data[:2048]:
        return "an SVG drawing"
    return next((words for sign, words in _STARTS.items() if start.startswith(sign) or data.startswith(sign)), "")
