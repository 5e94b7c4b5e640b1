"""Networks of the literature: one paper a file, architecture only."""

from .lenet import LeNet5 as LeNet5
