"""Tables that fit a terminal, or Markdown."""

import math
import textwrap
from collections.abc import Callable, Sequence

WIDTH = 120  # characters of a line on a terminal


class Table:
    """Rows below titles.

    Where a line would be longer than a terminal's, the first column stands on a line of its own,
    above all rows that share it:

        64->64 3x3, 32x32, batch 32
          forward               16.2 ms ...
          gradient of input     16.1 ms ...

    Args:    columns (list of (str, int)): title and width at most, negative for text to the left.
             markdown (bool): a Markdown table instead.
             write (callable): takes a line.
    """

    def __init__(
        self, columns: Sequence[tuple[str, int]], markdown: bool, write: Callable[[str], None]
    ):
        self.columns = columns
        self.markdown, self.write = markdown, write
        widths = [max(abs(width), len(title)) for title, width in columns]
        self.grouped = not markdown and sum(widths) + 2 * len(widths) - 2 > WIDTH
        self._widths = [width if column[1] > 0 else -width
                        for width, column in zip(widths, columns)]
        self._group = ""

    def heading(self) -> None:
        """The titles."""
        titles = [title for title, _ in self.columns]
        if self.grouped:
            self.write(titles[0])
            titles = titles[1:]
        self._line(titles)
        if self.markdown:
            self._line(["---" if width < 0 else "---:" for width in self._widths])

    def row(self, cells: Sequence[str]) -> None:
        """One cell for each column."""
        if self.grouped:
            if cells[0] != self._group:
                self.write(cells[0])
            self._group, cells = cells[0], cells[1:]
        self._line(cells)

    def _line(self, cells):
        if self.markdown:
            self.write("| " + " | ".join(cells) + " |")
            return
        padded = [cell.ljust(-width) if width < 0 else cell.rjust(width)
                  for cell, width in zip(cells, self._widths[self.grouped:])]
        self.write((" " * self.grouped + "  ".join(padded)).rstrip())


def paragraph(text: str, markdown: bool) -> str:
    """A text in lines of a terminal's width; one line in Markdown."""
    if markdown:
        return text
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def duration(seconds: float) -> str:
    """Three digits and a unit."""
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= size:
            return f"{digits(seconds / size)} {unit}"
    return f"{seconds * 1e6:.2f} us"


def digits(number: float) -> str:
    """Three digits: 1.20, 12.0, 120."""
    return f"{number:.{max(0, 2 - int(math.log10(max(number, 1))))}f}"
