"""Networks of the literature: one paper a file, architecture only."""

from .adaline import Adaline as Adaline
from .adaline import Madaline as Madaline
from .convnetjs import convnetjs_cifar10 as convnetjs_cifar10
from .convnetjs import convnetjs_mnist as convnetjs_mnist
from .lenet import LeNet5 as LeNet5
from .neocognitron import CLayer as CLayer
from .neocognitron import Neocognitron as Neocognitron
from .neocognitron import SLayer as SLayer
from .perceptron import Perceptron as Perceptron
from .two_layer import TwoLayerNet as TwoLayerNet
