"""How people write the ten digits: strokes in a box one unit high, x to the right, y downwards.

`curve` runs smoothly through its points, `line` straight from each to the next. A glyph is a list
of strokes; a digit has several glyphs, one for each way of writing it.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

POINTS = 48  # a glyph's points, at equal distances along its strokes


def line(*points: tuple[float, float]) -> np.ndarray:
    """The points themselves, (N, 2): straight from each to the next."""
    return np.array(points, np.float64)


def curve(*points: tuple[float, float]) -> np.ndarray:
    """A smooth path (M, 2) through the points.

    Between p1 and p2, with neighbours p0 and p3, t from 0 to 1:
    p(t) = 1/2 (2 p1 + (p2 - p0) t + (2 p0 - 5 p1 + 4 p2 - p3) t^2 + (3 p1 - p0 - 3 p2 + p3) t^3)

    Source:  Catmull & Rom 1974, "A class of local interpolating splines".
    """
    p = np.array(points, np.float64)
    p = np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    p0, p1, p2, p3 = (p[i : len(p) - 3 + i, None] for i in range(4))
    t = np.linspace(0, 1, 12, endpoint=False)[:, None]
    path = 2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2
    path += (3 * p1 - p0 - 3 * p2 + p3) * t**3
    return np.concatenate([path.reshape(-1, 2) / 2, p[-2:-1]])


def strokes() -> dict[int, list[list[np.ndarray]]]:
    """The glyphs of every digit, each a list of strokes (M, 2)."""
    return {
        0: [
            [curve((.52, .0), (.28, .10), (.17, .45), (.24, .84), (.48, 1.), (.74, .86), (.83, .48),
                   (.74, .12), (.50, .0))],
            [curve((.60, .04), (.40, .02), (.20, .28), (.18, .68), (.36, .98), (.62, .92),
                   (.80, .58), (.78, .22), (.62, .03), (.46, .06))],
            [curve((.50, .12), (.22, .24), (.12, .55), (.26, .86), (.55, .90), (.84, .70),
                   (.86, .36), (.66, .14), (.42, .13))],
        ],
        1: [
            [line((.50, .0), (.50, 1.))],
            [curve((.56, .0), (.52, .35), (.49, .7), (.48, 1.))],
            [line((.32, .24), (.54, .0), (.54, 1.))],
            [line((.34, .22), (.53, .0), (.53, 1.)), line((.30, 1.), (.76, 1.))],
        ],
        2: [
            [curve((.20, .24), (.30, .06), (.52, .0), (.74, .10), (.76, .32), (.58, .58),
                   (.34, .82), (.18, .98)),
             line((.18, .98), (.82, .96))],
            [curve((.20, .20), (.40, .02), (.66, .06), (.74, .28), (.60, .60), (.36, .88),
                   (.20, .92), (.18, .80), (.34, .78), (.56, .94), (.72, .98), (.86, .88))],
            [curve((.18, .16), (.46, .02), (.72, .10), (.74, .34), (.52, .66), (.22, .94)),
             curve((.22, .94), (.40, .88), (.58, .96), (.84, .94))],
        ],
        3: [
            [curve((.22, .12), (.44, .0), (.70, .08), (.72, .30), (.58, .44), (.42, .48)),
             curve((.42, .48), (.66, .50), (.80, .68), (.72, .90), (.46, 1.), (.18, .88))],
            [line((.20, .04), (.74, .04), (.44, .42)),
             curve((.44, .42), (.68, .46), (.78, .68), (.66, .92), (.40, 1.), (.18, .90))],
            [curve((.24, .06), (.52, .0), (.68, .14), (.62, .32), (.40, .46)),
             curve((.40, .46), (.62, .50), (.72, .70), (.60, .92), (.36, 1.), (.20, .96))],
        ],
        4: [
            [line((.24, .0), (.18, .52), (.82, .50)), line((.70, .02), (.66, 1.))],
            [line((.62, .0), (.14, .64), (.86, .64)), line((.64, .28), (.62, 1.))],
            [line((.64, 1.), (.64, .0), (.14, .62), (.86, .62))],
            [curve((.22, .04), (.18, .30), (.28, .48), (.50, .50), (.72, .42)),
             curve((.78, .0), (.74, .34), (.68, .68), (.66, 1.))],
        ],
        5: [
            [line((.78, .02), (.32, .02), (.28, .42)),
             curve((.28, .42), (.50, .36), (.74, .46), (.80, .70), (.62, .94), (.40, 1.),
                   (.18, .90))],
            [curve((.30, .06), (.28, .24), (.24, .46)),
             curve((.24, .46), (.48, .42), (.70, .54), (.72, .78), (.52, .98), (.24, .96)),
             line((.30, .06), (.82, .0))],
            [curve((.80, .0), (.50, .04), (.34, .16), (.30, .34), (.44, .46), (.64, .58),
                   (.68, .78), (.50, .98), (.20, .94))],
        ],
        6: [
            [curve((.66, .0), (.44, .14), (.26, .42), (.20, .74), (.36, .98), (.62, .96),
                   (.78, .76), (.66, .56), (.44, .56), (.24, .74))],
            [curve((.44, .0), (.28, .28), (.20, .64), (.30, .94), (.56, 1.), (.72, .82), (.62, .62),
                   (.40, .62), (.24, .78))],
            [curve((.78, .06), (.56, .02), (.34, .20), (.20, .56), (.28, .90), (.54, 1.),
                   (.76, .84), (.72, .60), (.50, .52), (.26, .66))],
        ],
        7: [
            [line((.18, .04), (.80, .04), (.40, 1.))],
            [curve((.16, .10), (.46, .06), (.80, .04)), curve((.80, .04), (.62, .38), (.52, .66),
                   (.48, 1.))],
            [line((.18, .04), (.80, .04), (.42, 1.)), line((.32, .52), (.78, .48))],
            [line((.18, .22), (.20, .06), (.80, .04)), curve((.80, .04), (.68, .28), (.52, .62),
                  (.46, 1.))],
        ],
        8: [
            [curve((.72, .12), (.50, .0), (.28, .12), (.34, .34), (.54, .48), (.76, .68),
                   (.70, .92), (.48, 1.), (.26, .90), (.24, .68), (.46, .48), (.70, .32),
                   (.72, .12))],
            [curve((.50, .46), (.30, .36), (.28, .12), (.50, .0), (.72, .12), (.70, .36),
                   (.50, .46)),
             curve((.50, .46), (.24, .58), (.22, .88), (.50, 1.), (.78, .88), (.76, .58),
                   (.50, .46))],
            [curve((.74, .06), (.50, .02), (.30, .18), (.42, .40), (.60, .60), (.60, .88),
                   (.42, 1.), (.28, .86), (.40, .60), (.62, .36), (.76, .06))],
        ],
        9: [
            [curve((.72, .20), (.54, .0), (.28, .10), (.22, .34), (.40, .50), (.62, .42),
                   (.72, .20)),
             line((.72, .20), (.66, 1.))],
            [curve((.74, .22), (.58, .02), (.32, .06), (.22, .28), (.34, .48), (.58, .46),
                   (.74, .22)),
             curve((.74, .22), (.74, .54), (.66, .84), (.44, 1.), (.24, .94))],
            [curve((.70, .08), (.44, .02), (.24, .20), (.30, .42), (.54, .40), (.72, .14)),
             curve((.72, .14), (.66, .46), (.56, .76), (.50, 1.))],
        ],
    }


def _spread(strokes):
    """A glyph's `POINTS` points (POINTS, 2) about the box's centre, and the distance between them.

    Every stroke gets points in proportion to its length; each stands for an equal piece of it.
    """
    lengths = [np.hypot(*np.diff(stroke, axis=0).T).sum() for stroke in strokes]
    ends = np.round(np.cumsum(lengths) / sum(lengths) * POINTS).astype(int)
    points = []
    for stroke, length, count in zip(strokes, lengths, np.diff(ends, prepend=0)):
        along = np.concatenate([[0.0], np.hypot(*np.diff(stroke, axis=0).T).cumsum()])
        at = (np.arange(count) + 0.5) / count * length
        points.append(np.stack([np.interp(at, along, stroke[:, a]) for a in (0, 1)], axis=1))
    return np.concatenate(points) - 0.5, sum(lengths) / POINTS


class Glyphs(NamedTuple):
    """All glyphs in one table, digit after digit."""

    paths: np.ndarray  # (glyphs, POINTS, 2), about the box's centre
    spacing: np.ndarray  # (glyphs,), distance between a glyph's points
    styles: np.ndarray  # (10,), glyphs of each digit
    first: np.ndarray  # (10,), row of each digit's first glyph


@cache
def glyphs() -> Glyphs:
    """The table, computed when the first digit is drawn."""
    of_digit = strokes()
    spread = [_spread(glyph) for digit in range(10) for glyph in of_digit[digit]]
    paths, spacing = (np.array(column, np.float32) for column in zip(*spread))
    styles = np.array([len(of_digit[digit]) for digit in range(10)])
    return Glyphs(paths, spacing, styles, np.cumsum(styles) - styles)
