"""Activations, at the size of a feature map and of a few numbers.

python benchmarks/bench_activation.py --threads 1 --against torch
"""

from tinycnn.bench import script


def main(argv: list[str] | None = None) -> None:
    script("activation", argv)


if __name__ == "__main__":
    main()
