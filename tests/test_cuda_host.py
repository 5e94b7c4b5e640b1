"""Devices above the kernels: modules, checkpoints, optimisers, loaders, clipping, messages."""

import numpy as np
import pytest

import tinycnn
import tinycnn.nn.functional as F
from tinycnn import nn, optim
from tinycnn.cuda import OutOfMemoryError
from tinycnn.data import DataLoader, TensorDataset


def test_a_module_moves_with_parameters_buffers_and_gradients():
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    parameters = list(net.parameters())
    for p in parameters:
        p.grad = tinycnn.ones_like(p)
    assert net.cuda() is net
    tensors = [*net.parameters(), *net.buffers(), *[p.grad for p in net.parameters()]]
    assert {t.device for t in tensors} == {"cuda"}
    assert list(net.parameters()) == parameters  # the same objects, which an optimiser holds
    assert {t.device for t in net.cpu().state_dict().values()} == {"cpu"}


def test_layers_are_made_on_the_device():
    for layer in nn.Linear(3, 2, device="cuda"), nn.Conv2d(1, 2, 3, device="cuda"):
        assert layer.weight.device == layer.bias.device == "cuda"
        assert layer.weight.abs().sum().item() > 0


def test_initial_weights_do_not_depend_on_the_device():
    tinycnn.manual_seed(1)
    here = nn.Linear(3, 2).weight.tolist()
    tinycnn.manual_seed(1)
    assert nn.Linear(3, 2, device="cuda").weight.tolist() == here


@pytest.mark.parametrize("saved", ["cpu", "cuda"])
@pytest.mark.parametrize("loaded", ["cpu", "cuda"])
def test_checkpoints_load_on_any_device(saved, loaded, tmp_path):
    net = nn.Linear(3, 2).to(saved)
    optimizer = optim.Adam(net.parameters())
    net(tinycnn.ones(1, 3, device=saved)).sum().backward()
    optimizer.step()
    path = tmp_path / "state.safetensors"
    tinycnn.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, path)
    assert tinycnn.load(path)["net"]["weight"].device == "cpu"
    state = tinycnn.load(path, map_location=loaded)
    assert state["net"]["weight"].device == loaded
    other = nn.Linear(3, 2).to("cuda")
    other.load_state_dict(state["net"])
    again = optim.Adam(other.parameters())
    again.load_state_dict(state["optimizer"])
    assert other.weight.device == again.state[other.weight]["exp_avg"].device == "cuda"
    assert other.weight.tolist() == net.weight.tolist()
    assert again.state[other.weight]["step"].item() == 1


def test_gradients_are_clipped_on_the_device():
    x = tinycnn.tensor([3.0, 4.0], device="cuda", requires_grad=True)
    (x * x / 2).sum().backward()
    total = nn.utils.clip_grad_norm_([x], 1.0)
    assert total.device == "cuda"
    assert total.item() == 5
    np.testing.assert_allclose(x.grad.tolist(), [0.6, 0.8], rtol=1e-5)
    nn.utils.clip_grad_value_([x], 0.7)
    np.testing.assert_allclose(x.grad.tolist(), [0.6, 0.7], rtol=1e-5)
    vector = nn.utils.parameters_to_vector([x])
    nn.utils.vector_to_parameters(vector * 2, [x])
    assert x.tolist() == [6, 8]


def test_batches_go_to_the_device_from_page_locked_memory():
    data = TensorDataset(tinycnn.arange(6).to(tinycnn.float32), tinycnn.arange(6))
    for workers in 0, 2:
        seen = []
        for x, y in DataLoader(data, 4, pin_memory=True, num_workers=workers):
            assert x.device == "cpu"
            seen += (x.to("cuda", non_blocking=True) + y.cuda()).tolist()
        assert seen == [0, 2, 4, 6, 8, 10]


def test_a_training_step_learns():
    net = nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(12, 2)).to("cuda")
    optimizer = optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
    images = tinycnn.rand(4, 1, 4, 4, device="cuda")
    labels = tinycnn.tensor([0, 1, 1, 0], device="cuda")
    losses = []
    for _ in range(8):
        loss = F.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_a_label_out_of_range_is_found_when_the_device_is_waited_for():
    x = tinycnn.zeros(2, 3, device="cuda", requires_grad=True)
    with pytest.raises(ValueError, match=r"cross_entropy: expected classes from 0 to 2"):
        F.cross_entropy(x, tinycnn.tensor([1, 3], device="cuda")).item()
    assert F.cross_entropy(x, tinycnn.tensor([1, 2], device="cuda")).item() > 0


def test_a_model_and_its_input_on_two_devices_are_told():
    with pytest.raises(ValueError, match=r"expected tensors on one device, got .*'cpu'.*'cuda'"):
        nn.Conv2d(1, 2, 3).to("cuda")(tinycnn.ones(1, 1, 4, 4))
    with pytest.raises(ValueError, match="expected tensors on one device"):
        F.cross_entropy(tinycnn.zeros(2, 3, device="cuda"), tinycnn.tensor([0, 1]))


def test_state_left_on_another_device_is_told():
    net = nn.Linear(2, 1)
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(tinycnn.ones(1, 2)).sum().backward()
    optimizer.step()
    net.to("cuda")
    with pytest.raises((TypeError, ValueError), match="momentum_buffer"):
        optimizer.step()


def test_memory_that_does_not_suffice_says_what_was_asked_and_what_is_free():
    error = OutOfMemoryError(3 * 2**30, 2**30, 2**34, 2**33)
    assert isinstance(error, MemoryError)
    assert str(error).startswith("GPU: expected 3.00 GiB of free memory, got 1.00 of 16.00 GiB "
                                 "(arrays hold 8.00). Use a smaller batch")
