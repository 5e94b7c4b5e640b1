"""Resizing, sampling, unpooling, windows as columns, channels as pixels.

python benchmarks/bench_resample.py --threads 1 --against torch
"""

from tinycnn.bench import script


def main(argv: list[str] | None = None) -> None:
    script("resample", argv)


if __name__ == "__main__":
    main()
