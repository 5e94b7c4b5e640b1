"""Batch norm: training and evaluation.

python benchmarks/bench_batchnorm.py --threads 1 --against torch
"""

from tinycnn.bench import script


def main(argv: list[str] | None = None) -> None:
    script("batchnorm", argv)


if __name__ == "__main__":
    main()
