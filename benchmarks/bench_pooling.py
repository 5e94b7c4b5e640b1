"""Pooling: the layers of LeNet, VGG and ResNet.

python benchmarks/bench_pooling.py --threads 1 --against torch
"""

from tinycnn.bench import script


def main(argv: list[str] | None = None) -> None:
    script("pooling", argv)


if __name__ == "__main__":
    main()
