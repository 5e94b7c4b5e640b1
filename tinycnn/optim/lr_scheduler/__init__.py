"""Schedules: how learning rates change while a network is trained.

Call `scheduler.step()` after `optimizer.step()`: once an epoch, or once a batch if it counts those.
"""

from .cosine import CosineAnnealingLR as CosineAnnealingLR
from .cosine import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from .cyclic import CyclicLR as CyclicLR
from .functions import LambdaLR as LambdaLR
from .functions import MultiplicativeLR as MultiplicativeLR
from .one_cycle import OneCycleLR as OneCycleLR
from .plateau import ReduceLROnPlateau as ReduceLROnPlateau
from .scheduler import LRScheduler as LRScheduler
from .sequential import SequentialLR as SequentialLR
from .steps import ConstantLR as ConstantLR
from .steps import ExponentialLR as ExponentialLR
from .steps import LinearLR as LinearLR
from .steps import MultiStepLR as MultiStepLR
from .steps import PolynomialLR as PolynomialLR
from .steps import StepLR as StepLR
