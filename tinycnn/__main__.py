"""The command `tinycnn`, also as `python -m tinycnn`."""

import argparse
import sys
from difflib import get_close_matches

from . import __version__, summary


def main(argv: list[str] | None = None) -> None:
    """Run a command.

    Args:    argv (list or None): command-line arguments; None for the process's.
    """
    from . import bench, models  # here, so that importing this file costs nothing

    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(
        prog="tinycnn", description="A small, readable framework that trains convolutional "
        "networks.")
    parser.add_argument("--version", action="version", version=f"tinycnn {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    about = "time the kernels and compare them with what this machine can do"
    command = commands.add_parser("bench", help=about, description=about.capitalize() + ".")
    bench.add_arguments(command)
    about = "list the layers of a model, with what each costs and what it sees"
    listing = commands.add_parser(
        "summary", help=about, description=about.capitalize() + ".", epilog="Field: pixels that a "
        "unit sees along an axis, or all; Jump: pixels from the field of a unit to that of the "
        "next; Start: the centre of the first, counted from 0.")
    listing.add_argument("model", help="a name in tinycnn.models, such as LeNet5")
    listing.add_argument("size", type=int, nargs="+", help="input with the batch: 1 1 28 28")
    listing.add_argument("--depth", type=int, default=3, help="how deep modules are opened")
    args = parser.parse_args(argv)
    if not hasattr(args, "model"):
        bench.run(command, args, ["tinycnn", *argv])
        return
    known = [name for name in vars(models) if callable(getattr(models, name))]
    if args.model not in known:
        near = [name for name in known if name.lower() == args.model.lower()] or get_close_matches(
            args.model, known)
        hint = f"; perhaps {' or '.join(near)}" if near else f", but {', '.join(known)}"
        listing.error(f"there is no {args.model} in tinycnn.models{hint}")
    try:
        model = getattr(models, args.model)()
    except TypeError as error:
        listing.error(f"{args.model} cannot be made without arguments: {error}")
    try:
        print(summary(model, args.size, depth=args.depth))
    except (RuntimeError, ValueError) as error:
        listing.error(str(error))


if __name__ == "__main__":
    main()
