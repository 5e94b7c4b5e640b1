"""What summary() returns: rows and totals, and how they are shown as text and as HTML."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction
from html import escape
from typing import Any

from .._core.checks import shape_text

WIDTH = 100
_TITLES = ("Layer", "Output", "Parameters", "Multiply-adds", "Memory", "Field", "Jump", "Start")
_LEFT = 2  # columns of words
_LEAST = 24  # width of the first column


@dataclass(frozen=True)
class Row:
    """One call of a module, with all that is called inside it.

    name                dotted, as in named_modules; "" is the model
    label               the name as seen from the row that it is inside of
    type                name of its class
    depth               how many calls it is inside of
    output_shape        of its result, with the batch; a list of shapes if it has several; None if
                        it was never called
    parameters          those not counted in a row above; of what is inside, too
    multiply_adds       products of convolutions and matrices for one image, without biases
    connections         these and the biases: the lines between units, as LeCun et al. count them
    memory              bytes of its results and of those inside, each once
    own_parameters, own_multiply_adds, own_connections, own_memory  the same without what is called
                        inside
    receptive_field     (size, ...) for each spatial axis of the input; None where there are none,
                        or it is not known
    jump, start         as arithmetic.Field: jump 0 if all units see the same
    sees_all            whether the field is the whole input
    groups              of a convolution
    shared              whether it was called before, or has parameters of another row
    inside              how many of the following rows belong to it
    """

    name: str
    label: str
    type: str
    depth: int
    output_shape: Any
    parameters: int
    multiply_adds: int
    connections: int
    memory: int
    own_parameters: int
    own_multiply_adds: int
    own_connections: int
    own_memory: int
    receptive_field: tuple | None
    jump: tuple | None
    start: tuple | None
    sees_all: bool
    groups: int
    shared: bool
    inside: int


class Summary:
    """The layers of a model and their totals: see tinycnn.summary. Shown by print and notebooks.

    rows                     list of Row, in order of the calls
    total_parameters         numbers in all parameters, each counted once
    trainable_parameters     of these, those that want a gradient
    total_buffers            numbers in buffers, such as running statistics
    total_multiply_adds, total_connections   for one image; None without an input
    parameter_bytes, buffer_bytes, input_bytes, activation_bytes   memory; activations are the
                             results of all layers for the input as given, each once

    Example: >>> import tinycnn
             >>> from tinycnn import nn
             >>> model = nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU())
             >>> info = tinycnn.summary(model, (1, 1, 32, 32))
             >>> info.total_parameters, info.total_multiply_adds
             (156, 117600)
             >>> info.rows[1].receptive_field
             (5, 5)
             >>> print(info)
             Layer         Output         Parameters Multiply-adds   Memory Field Jump Start
             ───────────────────────────────────────────────────────────────────────────────
             Sequential    (1, 6, 28, 28)                                       5    1     2
             ├─ 0  Conv2d  (1, 6, 28, 28)        156       117,600 18.4 KiB     5    1     2
             └─ 1  ReLU    (1, 6, 28, 28)          -             - 18.4 KiB     5    1     2
             ───────────────────────────────────────────────────────────────────────────────
             Parameters     156 (156 trainable)
             Multiply-adds  117,600 for one image, 122,304 connections
             Memory         parameters 624 B, activations 36.8 KiB, input 4.0 KiB
    """

    rows: list[Row]
    total_parameters: int
    trainable_parameters: int
    total_buffers: int
    total_multiply_adds: int | None
    total_connections: int | None
    parameter_bytes: int
    buffer_bytes: int
    input_bytes: int
    activation_bytes: int | None

    def __init__(self, rows: list[Row], depth: int | None, **totals: Any) -> None:
        self.rows = rows
        self._depth = depth
        self._totals = totals
        vars(self).update(totals)

    def to_dict(self) -> dict[str, Any]:
        """Totals, and under "layers" a dict for each row: numbers, strings and lists, as JSON has.

        Example: >>> import tinycnn
                 >>> from tinycnn import nn
                 >>> layer = tinycnn.summary(nn.Linear(3, 2), (1, 3)).to_dict()["layers"][0]
                 >>> layer["type"], layer["parameters"], layer["output_shape"]
                 ('Linear', 8, [1, 2])
        """
        return {**self._totals, "layers": [_plain(asdict(row)) for row in self.rows]}

    def __str__(self) -> str:
        return "\n".join(self._lines())

    __repr__ = __str__

    def _shown(self):
        """Titles and lines of the table as (column, text) pairs: rows deeper than `depth` are left
        out, and what is unknown as long as the model has not run."""
        kept = [i for i, title in enumerate(_TITLES)
                if self.total_multiply_adds is not None or title in ("Layer", "Parameters")]
        result = [_TITLES]
        for i, row in enumerate(self.rows):
            if self._depth is not None and row.depth > self._depth:
                continue
            opened = row.inside > 0 and (self._depth is None or row.depth < self._depth)
            result.append((_branch(self.rows, i) + _label(row), *_cells(row, opened)))
        return [[(i, texts[i]) for i in kept] for texts in result]

    def _lines(self):
        shown = self._shown()
        widths = [max(len(text) for _, text in column) for column in zip(*shown)]
        spare = WIDTH - sum(widths[1:]) - len(widths)
        widths[0] = min(widths[0], max(spare, _LEAST))
        lines = []
        for cells in shown:
            texts = [_cut(text, width).ljust(width) if i < _LEFT else text.rjust(width)
                     for (i, text), width in zip(cells, widths)]
            lines.append(f"{texts[0]}  {' '.join(texts[1:])}".rstrip())
        rule = "─" * (sum(widths) + len(widths))
        return [lines[0], rule, *lines[1:], rule, *self._closing()]

    def _closing(self):
        """The lines of totals."""
        said = [f"Parameters     {self.total_parameters:,}"
                f" ({self.trainable_parameters:,} trainable)"]
        if self.total_buffers:
            said[0] += f", {self.total_buffers:,} in buffers"
        if self.total_multiply_adds is not None:
            said.append(f"Multiply-adds  {self.total_multiply_adds:,} for one image, "
                        f"{self.total_connections:,} connections")
        memory = [f"parameters {_bytes(self.parameter_bytes + self.buffer_bytes)}"]
        if self.activation_bytes is not None:
            memory += [f"activations {_bytes(self.activation_bytes)}",
                       f"input {_bytes(self.input_bytes)}"]
        return [*said, f"Memory         {', '.join(memory)}"]

    def to_html(self) -> str:
        """The table as an HTML fragment."""
        style = "text-align:{};padding:1px 8px;white-space:pre"
        left, right = style.format("left"), style.format("right")
        lines = []
        for tag, cells in zip(["th", *["td"] * len(self.rows)], self._shown()):
            lines.append("".join([f'<{tag} style="{left if i < _LEFT else right}">{escape(text)}'
                                  f"</{tag}>" for i, text in cells]))
        totals = "<br>".join([escape(line) for line in self._closing()])
        return (f'<table style="border-collapse:collapse;font-size:90%"><thead>'
                f"<tr>{lines[0]}</tr></thead><tbody>"
                f"{''.join([f'<tr>{line}</tr>' for line in lines[1:]])}</tbody></table>"
                f'<p style="white-space:pre">{totals}</p>')

    _repr_html_ = to_html


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Fraction) else value


def _branch(rows, i):
    """The lines of the tree in front of row i."""
    depth, tree = rows[i].depth, ""
    for level in range(1, depth + 1):
        following = next((row.depth for row in rows[i + 1 :] if row.depth <= level), 0)
        last = following < level
        if level == depth:
            tree += "└─ " if last else "├─ "
        else:
            tree += "   " if last else "│  "
    return tree


def _label(row):
    notes = [f"{row.groups} groups"] * (row.groups != 1) + ["shared"] * row.shared
    kind = row.type + (f" ({', '.join(notes)})" if notes else "")
    return f"{row.label}  {kind}" if row.label else kind


def _cut(text, width):
    return text if len(text) <= width else text[: width - 1] + "…"


def _cells(row, opened):
    """The texts of a row; of one whose inside is shown, what is shown there is left out."""
    if opened:
        counts = [f"{n:,}" if n else "" for n in (row.own_parameters, row.own_multiply_adds)]
        memory = _bytes(row.own_memory) if row.own_memory else ""
    else:
        counts = [f"{n:,}" if n else "-" for n in (row.parameters, row.multiply_adds)]
        memory = _bytes(row.memory) if row.memory else "-"
    return [_shapes(row.output_shape), *counts, memory, *_field(row, opened)]


def _shapes(shape):
    if shape is None:
        return "not called"
    return shape_text(shape) if isinstance(shape, tuple) else ", ".join(map(shape_text, shape))


def _field(row, opened):
    if row.receptive_field is None:
        return ["", "", ""] if opened or row.output_shape is None else ["-", "-", "-"]
    size = "all" if row.sees_all else _axes(row.receptive_field)
    moves = any(row.jump)
    return [size, _axes(row.jump) if moves else "-", _axes(row.start) if moves else "-"]


def _axes(numbers):
    """One number if all axes have the same, else 3x5."""
    texts = [f"{float(n):.5g}" for n in numbers]
    return texts[0] if len(set(texts)) == 1 else "x".join(texts)


def _bytes(count):
    power = min(max(count.bit_length() - 1, 0) // 10, 3)
    return f"{count / 1024**power:.1f} {'KMG'[power - 1]}iB" if power else f"{count} B"
