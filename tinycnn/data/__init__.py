"""Data: sets of samples, loaders of batches, transforms, and the pictures people start with."""

from . import transforms as transforms
from .cifar10 import CIFAR10 as CIFAR10
from .collate import default_collate as default_collate
from .collate import default_convert as default_convert
from .dataset import ConcatDataset as ConcatDataset
from .dataset import Dataset as Dataset
from .dataset import Subset as Subset
from .dataset import TensorDataset as TensorDataset
from .dataset import random_split as random_split
from .fashion_mnist import FashionMNIST as FashionMNIST
from .files import DatasetNotFound as DatasetNotFound
from .image_dataset import ImageDataset as ImageDataset
from .loader import DataLoader as DataLoader
from .mnist import MNIST as MNIST
from .sampler import BatchSampler as BatchSampler
from .sampler import RandomSampler as RandomSampler
from .sampler import Sampler as Sampler
from .sampler import SequentialSampler as SequentialSampler
from .sampler import SubsetRandomSampler as SubsetRandomSampler
from .sampler import WeightedRandomSampler as WeightedRandomSampler
from .synthetic import SyntheticDigits as SyntheticDigits
from .synthetic import synthetic_digits as synthetic_digits
