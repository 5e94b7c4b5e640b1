"""Convolutions: every pass of the layers that networks are made of.

python benchmarks/bench_conv.py --threads 1 --against torch
"""

from tinycnn.bench import script


def main(argv: list[str] | None = None) -> None:
    script("conv", argv)


if __name__ == "__main__":
    main()
