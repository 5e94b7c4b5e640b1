"""Layer norm, group norm, instance norm and local response norm.

python benchmarks/bench_norm.py --threads 1 --against torch
"""

from tinycnn.bench import script


def main(argv: list[str] | None = None) -> None:
    script("norm", argv)


if __name__ == "__main__":
    main()
