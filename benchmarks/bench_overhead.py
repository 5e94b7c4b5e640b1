"""What an operation costs beyond NumPy's own: 10 numbers, with and without recording.

python benchmarks/bench_overhead.py --threads 1 --against torch
"""

from tinycnn.bench import script


def main(argv: list[str] | None = None) -> None:
    script("overhead", argv)


if __name__ == "__main__":
    main()
