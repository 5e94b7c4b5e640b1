"""Whole networks: a training step and a forward pass.

python benchmarks/bench_train_step.py --threads 1 --against torch
"""

from tinycnn.bench import script


def main(argv: list[str] | None = None) -> None:
    script("train_step", argv)


if __name__ == "__main__":
    main()
