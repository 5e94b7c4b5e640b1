"""Whether kernels run on a GPU, or in the simulator."""

from ..gpu import SIMULATED as SIMULATED
