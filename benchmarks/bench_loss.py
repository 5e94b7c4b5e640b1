"""Losses of class scores, of errors and of sequences.

python benchmarks/bench_loss.py --threads 1 --against torch
"""

from tinycnn.bench import script


def main(argv: list[str] | None = None) -> None:
    script("loss", argv)


if __name__ == "__main__":
    main()
