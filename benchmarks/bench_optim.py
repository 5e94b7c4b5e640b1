"""Optimizers: one step over all parameters of a network.

python benchmarks/bench_optim.py --threads 1 --against torch
"""

from tinycnn.bench import script


def main(argv: list[str] | None = None) -> None:
    script("optim", argv)


if __name__ == "__main__":
    main()
