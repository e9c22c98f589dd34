"""PLY (G. Turk, 1994): the header, and the rows of any element, in words or in either byte order, with lists
or without.

Nothing is believed: counts are compared with the bytes that are there before anything is set aside for them.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

MAX_HEADER_BYTES = 4 << 20
TYPES = {
    "char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4", "float": "f4",
    "double": "f8",
    "int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4",
    "float32": "f4", "float64": "f8",
}  # fmt: skip
_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": ""}


@dataclass(frozen=True)
class Property:
    """A column ``name`` of numbers of the numpy kind ``kind``, or of lists of them whose lengths are of the
    kind ``counted``.
    """

    name: str
    kind: str
    counted: str = ""


@dataclass(frozen=True)
class Element:
    """``count`` rows of ``properties``."""

    name: str
    count: int
    properties: tuple[Property, ...]

    @property
    def has_lists(self) -> bool:
        return any(column.counted for column in self.properties)

    def dtype(self, order: str) -> np.dtype:
        """The layout of a row without lists. Raises ValueError where two columns have one name."""
        return np.dtype([(column.name, order + column.kind) for column in self.properties])


@dataclass(frozen=True)
class Header:
    """``size`` bytes come before the data; ``order`` is "<", ">" or "" for numbers in words."""

    size: int
    order: str
    elements: tuple[Element, ...]
    comments: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Rows:
    """``columns`` (N,) of plain numbers; ``lists`` of each row's ``(lengths (N,), values)``, the values one
    after the other.
    """

    columns: Mapping[str, np.ndarray]
    lists: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)


def read_header(start: bytes) -> Header:
    """The header at the beginning of a file, with any of the three line ends. Raises ValueError with what is
    wrong.
    """
    end = start.find(b"end_header")
    if not start.startswith(b"ply") or end < 0:
        raise ValueError("it is not a PLY file, or its header is cut off")
    newline = next(
        (sign for sign in (b"\r\n", b"\n", b"\r") if start[3:].lstrip(b" ").startswith(sign)), b"\n"
    )
    size = end + len(b"end_header")
    if start[size : size + len(newline)] != newline:
        raise ValueError("it is not a PLY file, or its header is cut off")
    lines = [line.strip() for line in start[:end].decode("ascii", "replace").splitlines()[1:]]
    words = [line.split() for line in lines if line and not line.startswith(("comment", "obj_info"))]
    if not words or words[0][0] != "format" or len(words[0]) < 2 or words[0][1] not in _ORDERS:
        raise ValueError(f"its format is {' '.join(words[0][1:]) if words else 'not told'}")
    comments = tuple(line.removeprefix("comment").strip() for line in lines if line.startswith("comment"))
    return Header(size + len(newline), _ORDERS[words[0][1]], _elements(words[1:]), comments)


def _elements(words: Sequence[Sequence[str]]) -> tuple[Element, ...]:
    elements: list[tuple[str, int, list[Property]]] = []
    for line in words:
        if line[0] == "element" and len(line) > 2:
            if not line[2].isdecimal():
                raise ValueError(f"it starts with {' '.join(line)}")
            elements.append((line[1], int(line[2]), []))
        elif line[0] == "property" and elements:
            elements[-1][2].append(_property(line))
        else:
            raise ValueError(f"{' '.join(line)} is not understood")
    return tuple(Element(name, count, tuple(columns)) for name, count, columns in elements)


def _property(line: Sequence[str]) -> Property:
    kinds = line[2:4] if line[1:2] == ["list"] else line[1:2]
    if len(line) < (5 if len(kinds) == 2 else 3) or any(kind not in TYPES for kind in kinds):
        raise ValueError(f"{' '.join(line)} is not understood")
    return (
        Property(line[4], TYPES[kinds[1]], TYPES[kinds[0]])
        if len(kinds) == 2
        else Property(line[2], TYPES[kinds[0]])
    )


def read_elements(data: bytes, header: Header, wanted: Sequence[str]) -> dict[str, Rows]:
    """The rows of the elements named in ``wanted``, from a whole file. Raises ValueError where fewer are
    there than announced.
    """
    rows, at = {}, header.size
    if not header.order:
        numbers, at = _numbers(data[header.size :]), 0
    for element in header.elements:
        if set(wanted) <= set(rows):
            break
        if header.order:
            columns, at = _binary(data, at, element, header.order)
        else:
            columns, at = _in_words(numbers, at, element)
        if element.name in wanted:
            rows[element.name] = columns
    return rows


def numbers_in(text: bytes, kind: type = np.float64) -> np.ndarray:
    """Every number of a text, with spaces or line ends between them. Raises ValueError where there is
    something else.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)  # how numpy says that it stopped half way
        try:
            return np.fromstring(text, kind, sep=" ") if text.strip() else np.zeros(0, kind)
        except DeprecationWarning as error:
            raise ValueError("its rows are no numbers") from error


def _numbers(text: bytes) -> np.ndarray:
    try:
        return numbers_in(text)
    except ValueError as error:
        raise ValueError("it says that it is ASCII, not binary, and its rows are no numbers") from error


def _short(element: Element, whole: int) -> ValueError:
    return ValueError(f"it is truncated: {whole:,} of {element.count:,} rows of {element.name} are there")


def _binary(data: bytes, at: int, element: Element, order: str) -> tuple[Rows, int]:
    if not element.has_lists:
        kind = element.dtype(order)
        whole = (len(data) - at) // max(kind.itemsize, 1)
        if element.count > whole:
            raise _short(element, whole)
        rows = np.frombuffer(data, kind, element.count, at)
        return Rows({name: rows[name] for name in kind.names or ()}), at + element.count * kind.itemsize
    if element.count > len(data) - at:
        raise _short(element, len(data) - at)
    return _even_lists(data, at, element, order) or _uneven_lists(data, at, element, order)


def _even_lists(data: bytes, at: int, element: Element, order: str) -> tuple[Rows, int] | None:
    """Rows whose lists are all as long as the first row's; None where they are not."""
    lengths, place = {}, at
    if not element.count:
        empty = {
            column.name: (np.zeros(0, np.int64), np.zeros(0))
            for column in element.properties
            if column.counted
        }
        return Rows(
            {column.name: np.zeros(0) for column in element.properties if not column.counted}, empty
        ), at
    for column in element.properties:
        if column.counted:
            lengths[column.name] = _one(data, place, order + column.counted, element)
            place += np.dtype(column.counted).itemsize
        place += np.dtype(column.kind).itemsize * lengths.get(column.name, 1)
    fields: list[tuple] = []
    for column in element.properties:
        if column.counted:
            fields.append((f"{column.name} length", order + column.counted))
        shape = ((lengths[column.name],),) if column.counted else ()
        fields.append((column.name, order + column.kind, *shape))
    kind = np.dtype(fields)
    if at + kind.itemsize * element.count > len(data):
        return None
    rows = np.frombuffer(data, kind, element.count, at)
    if any((rows[f"{name} length"] != length).any() for name, length in lengths.items()):
        return None
    lists = {name: (np.full(element.count, length), rows[name].ravel()) for name, length in lengths.items()}
    return Rows(
        {name: rows[name] for name in kind.names or () if name.split(" ")[0] not in lengths}, lists
    ), at + rows.nbytes


def _one(data: bytes, at: int, kind: str, element: Element) -> int:
    """A list's length. Raises ValueError where it is none, or reaches beyond the data."""
    if at + np.dtype(kind).itemsize > len(data):
        raise _short(element, 0)
    length = int(np.frombuffer(data, kind, 1, at)[0])
    if not 0 <= length <= len(data) - at:
        raise ValueError(f"a list of {element.name} has the length {length}")
    return length


def _uneven_lists(data: bytes, at: int, element: Element, order: str) -> tuple[Rows, int]:
    sizes = {column.name: np.dtype(column.kind).itemsize for column in element.properties}
    heads = {
        column.name: np.dtype(column.counted).itemsize for column in element.properties if column.counted
    }
    places: dict[str, list[int]] = {column.name: [] for column in element.properties}
    lengths: dict[str, list[int]] = {name: [] for name in heads}
    byte_order = "little" if order == "<" else "big"
    for row in range(element.count):
        for column in element.properties:
            length = 1
            if column.counted:
                length = int.from_bytes(data[at : at + heads[column.name]], byte_order)
                at += heads[column.name]
                lengths[column.name].append(length)
            places[column.name].append(at)
            at += length * sizes[column.name]
        if at > len(data):
            raise _short(element, row)
    columns, lists = {}, {}
    for column in element.properties:
        counts = np.array(lengths.get(column.name, [1] * element.count), np.int64)
        values = _gathered(
            data, np.array(places[column.name], np.int64), counts, np.dtype(order + column.kind)
        )
        if column.counted:
            lists[column.name] = (counts, values)
        else:
            columns[column.name] = values
    return Rows(columns, lists), at


def _gathered(data: bytes, starts: np.ndarray, counts: np.ndarray, kind: np.dtype) -> np.ndarray:
    """The numbers of runs that start at bytes ``starts`` (N,) and hold ``counts`` (N,) each."""
    ends = np.cumsum(counts)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
    first = np.repeat(starts, counts) + within * kind.itemsize
    every = first[:, None] + np.arange(kind.itemsize)
    return np.ascontiguousarray(np.frombuffer(data, np.uint8)[every]).view(kind).ravel()


def _in_words(numbers: np.ndarray, at: int, element: Element) -> tuple[Rows, int]:
    if not element.has_lists:
        width = len(element.properties)
        if at + width * element.count > len(numbers):
            raise _short(element, (len(numbers) - at) // max(width, 1))
        rows = numbers[at : at + width * element.count].reshape(element.count, width)
        return Rows({column.name: rows[:, k] for k, column in enumerate(element.properties)}), at + rows.size
    columns: dict[str, list[float]] = {column.name: [] for column in element.properties}
    lengths: dict[str, list[int]] = {column.name: [] for column in element.properties if column.counted}
    pieces: dict[str, list[np.ndarray]] = {name: [np.zeros(0)] for name in lengths}
    for row in range(element.count):
        for column in element.properties:
            if at >= len(numbers):
                raise _short(element, row)
            if not column.counted:
                columns[column.name].append(numbers[at])
                at += 1
                continue
            length = int(numbers[at]) if numbers[at] >= 0 else -1
            if length < 0 or at + 1 + length > len(numbers):
                raise _short(element, row)
            lengths[column.name].append(length)
            pieces[column.name].append(numbers[at + 1 : at + 1 + length])
            at += 1 + length
    lists = {name: (np.array(lengths[name], np.int64), np.concatenate(pieces[name])) for name in lengths}
    return Rows({name: np.array(values) for name, values in columns.items() if name not in lists}, lists), at
