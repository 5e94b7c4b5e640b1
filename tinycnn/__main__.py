"""The command `tinycnn`, also as `python -m tinycnn`."""

import argparse
import sys

from . import __version__


def main(argv: list[str] | None = None) -> None:
    """Run a command.

    Args:    argv (list or None): command-line arguments; None for the process's.
    """
    from . import bench  # here, so that importing this file costs nothing

    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="tinycnn", description="A small, readable framework that trains convolutional "
        "networks.")
    parser.add_argument("--version", action="version", version=f"tinycnn {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    about = "time the kernels and compare them with what this machine can do"
    command = commands.add_parser("bench", help=about, description=about.capitalize() + ".")
    bench.add_arguments(command)
    bench.run(command, parser.parse_args(argv), ["tinycnn", *argv])


if __name__ == "__main__":
    main()
