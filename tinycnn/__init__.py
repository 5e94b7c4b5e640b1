"""tinycnn: a small framework that trains convolutional networks on a CPU."""

from ._version import __version__ as __version__
