"""The roofline as a picture."""

from pathlib import Path
from typing import Any

from .ceiling import size
from .errors import stop


def check() -> None:
    """End the process with code 2 if Matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        stop("--plot: Matplotlib is not installed: install the extra viz "
             "(pip install 'tinycnn[viz]'), or leave out --plot.")


def points(rows: list[dict[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """Suite to the (FLOP/B, GFLOP/s) of its rows; rows have none whose work is not counted,
    and those that only move numbers."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row.get("flop"):
            gflops = row["flop"] / row["times"]["tinycnn"]["median"] / 1e9
            found.setdefault(row["suite"], []).append((row["intensity"], gflops))
    return found


def roof(gflops: float, gbs: float, low: float, high: float) -> tuple[list[float], list[float]]:
    """The roof from intensity `low` to `high`: GFLOP/s = min(gflops, gbs * FLOP/B)."""
    ridge = gflops / gbs
    xs = [low, *([ridge] if low < ridge < high else []), high]
    return xs, [min(gflops, gbs * x) for x in xs]


def draw(found: dict[str, Any], path: Path) -> None:
    """Draw every row below the roofs of this machine.

    Args:    found (dict): what --json writes.
             path (Path): of the picture.
    """
    from matplotlib.figure import Figure  # without pyplot: no window, no global state

    suites, ceiling = points(found["rows"]), found["ceiling"]
    xs = [x for series in suites.values() for x, _ in series]
    low, high = min([0.1, *xs]) / 1.5, max([100.0, *xs]) * 1.5
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.add_subplot(xscale="log", yscale="log", xlabel="intensity, FLOP/B",
                              ylabel="GFLOP/s")
    for (count, gbs), style in zip(ceiling["copies"].items(), ("-", "--", ":")):
        axes.plot(*roof(ceiling["gflops"], gbs, low, high), style, color="0.4", linewidth=1,
                  label=f"copy of {size(int(count))}, {gbs:.0f} GB/s")
    for name, series in suites.items():
        axes.plot(*zip(*series), "o", markersize=4, label=name)
    known = found["environment"]
    axes.set_title(f"{known['processor']}, {known['threads']} thread"
                   + "s" * (known["threads"] > 1)
                   + f", {ceiling['gflops']:.0f} GFLOP/s by {ceiling['product']}", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.savefig(path, dpi=150)
