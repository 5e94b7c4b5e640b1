"""ONNX Runtime as a contestant: graphs made with onnx.helper, run by an inference session.

A layer is a graph of one node; a network is written down node by node from its modules and their
parameters, so that both compute the same numbers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinycnn import nn

from .errors import stop

OPSET, IR = 17, 8  # understood by every ONNX Runtime since 1.12


class OnnxRuntime:
    """ONNX Runtime with so many threads; the process ends with code 2 if it is not installed."""

    def __init__(self, threads: int):
        try:
            import onnx
            import onnxruntime
        except ImportError:
            stop("ONNX Runtime is not installed: install it (pip install onnx onnxruntime), or "
                 "leave out onnxruntime of --against.")
        self.onnx, self.runtime, self.threads = onnx, onnxruntime, threads
        self.version: str = onnxruntime.__version__

    def layer(
        self, op: str, x: np.ndarray, *arrays: np.ndarray, **attributes: Any
    ) -> Callable[[], list[np.ndarray]]:
        """A call of one node.

        Args:    op (str): "Conv", "MaxPool", ...
                 x (array): its input.
                 arrays (arrays): its constant inputs.
                 attributes: of the node.
        """
        graph = Graph(self.onnx)
        return self.call(graph, graph.node(op, "x", *arrays, **attributes), x)

    def network(self, model: nn.Module, x: np.ndarray) -> Callable[[], list[np.ndarray]]:
        """A call of a whole network, in evaluation."""
        graph = Graph(self.onnx)
        return self.call(graph, modules(graph, model, "x"), x)

    def call(self, graph: "Graph", result: str, x: np.ndarray) -> Callable[[], list[np.ndarray]]:
        """A call that computes a graph's result for `x`."""
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        session = self.runtime.InferenceSession(
            graph.serialize(result, x.shape), options, providers=["CPUExecutionProvider"])
        feed, names = {"x": np.ascontiguousarray(x)}, [result]
        return lambda: session.run(names, feed)


class Graph:
    """Nodes in the order in which they run; a value is known by its name, the input by "x"."""

    def __init__(self, onnx):
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def node(self, op: str, x: str | tuple[str, ...], *arrays: np.ndarray, **attributes) -> str:
        """Add a node; returns the name of its result."""
        inputs = [x] if isinstance(x, str) else list(x)
        for array in arrays:
            name = f"constant{len(self._constants)}"
            self._constants.append(
                self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
            inputs.append(name)
        result = f"{op}{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(op, inputs, [result], **attributes))
        return result

    def serialize(self, result: str, shape: tuple[int, ...]) -> bytes:
        """The bytes of a model from "x" of this shape to a result."""
        helper, real = self._onnx.helper, self._onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes, "graph", [helper.make_tensor_value_info("x", real, shape)],
            [helper.make_tensor_value_info(result, real, None)], self._constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
        return model.SerializeToString()


def modules(graph: Graph, module: nn.Module, x: str) -> str:
    """Write a module's nodes into a graph; returns the name of its result.

    Raises:  TypeError: for a module that no rule is written for.
    """
    if isinstance(module, nn.Sequential):
        for layer in module:
            x = modules(graph, layer, x)
        return x
    if hasattr(module, "write"):  # a block of several layers knows how it is written
        return module.write(graph, modules, x)
    for kind, rule in RULES.items():
        if isinstance(module, kind):
            return rule(graph, module, x)
    raise TypeError(f"modules: expected one of {', '.join(kind.__name__ for kind in RULES)} or "
                    f"Sequential, got {type(module).__name__}. Add a rule for it to RULES.")


def pads(padding: tuple[int, ...]) -> list[int]:
    """ONNX's padding, all starts and then all ends, of the same on both sides of each axis."""
    return [*padding, *padding]


def _both(value):
    return [value, value] if isinstance(value, int) else list(value)


def _arrays(*tensors):
    return [t.detach().numpy() for t in tensors if t is not None]


def _conv(graph, layer, x):
    return graph.node(
        "Conv", x, *_arrays(layer.weight, layer.bias), strides=_both(layer.stride),
        pads=pads(_both(layer.padding)), dilations=_both(layer.dilation), group=layer.groups)


def _batch_norm(graph, layer, x):
    arrays = _arrays(layer.weight, layer.bias, layer.running_mean, layer.running_var)
    return graph.node("BatchNormalization", x, *arrays, epsilon=layer.eps)


def _max_pool(graph, layer, x):
    return graph.node("MaxPool", x, kernel_shape=_both(layer.kernel_size),
                      strides=_both(layer.stride), pads=pads(_both(layer.padding)))


def _global_average(graph, layer, x):
    if layer.output_size not in (1, (1, 1)):
        raise TypeError(f"modules: expected an average pooling to size 1, got {layer}. ONNX has no "
                        f"adaptive pooling to other sizes.")
    return graph.node("GlobalAveragePool", x)


def _linear(graph, layer, x):
    return graph.node("Gemm", x, *_arrays(layer.weight, layer.bias), transB=1)


RULES: dict[type[nn.Module], Callable[[Graph, Any, str], str]] = {
    nn.Conv2d: _conv,
    nn.BatchNorm2d: _batch_norm,
    nn.ReLU: lambda graph, layer, x: graph.node("Relu", x),
    nn.MaxPool2d: _max_pool,
    nn.AdaptiveAvgPool2d: _global_average,
    nn.Flatten: lambda graph, layer, x: graph.node("Flatten", x),
    nn.Linear: _linear,
}
