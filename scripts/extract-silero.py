#!/usr/bin/env python3
"""Writes silero/weights.bin and silero/LICENSE-WEIGHTS from the MIT wheel of silero-vad.

Only the 8 kHz half of the network, and of it only what can matter: the STFT is an exact Hann DFT
(checked here, computed in Rust), the third convolution never sees its first tap and the fourth only
its centre (their input is two frames and one frame long, with one frame of padding). Weights are
signed bytes with one scale per output row, and use no more of a byte's range than hearing needs:
the Worker's size is counted gzipped, which makes 154 kB of them, and 186 kB of bytes used to the
full. The same wheel gives the same bytes.

Needs pip and the packages `onnx` and `numpy`; run once, the results are committed:

    python3 -m venv target/venv && target/venv/bin/pip install onnx numpy
    target/venv/bin/python scripts/extract-silero.py

The file, little-endian, one layer after the other. Layers: the four convolutions, the two matrices
of the LSTM (input, hidden; rows in the order i f g o), the output. A layer:

    i8  weights   [rows][columns]; columns are the layer's inputs as the network meets them: channel
                  by channel with the taps of each together, in the third convolution tap by tap
    f32 scales    [rows]
    f32 biases    [rows]; the LSTM's two biases are added up in its first matrix, its second has none
"""

import hashlib
import math
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import onnx
from onnx import numpy_helper

VERSION = "6.2.3"
MODEL = "silero_vad/data/silero_vad.onnx"
MODEL_SHA256 = "1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3"
LICENSE = f"silero_vad-{VERSION}.dist-info/licenses/LICENSE"
# Steps of a weight per standard deviation of its row. By `sim lab hearing`, F1 then differs from the
# ONNX model by at most .0012, as with whole bytes (.0014); at 5 everywhere by .02.
CONVOLUTION_STEPS = 24
LSTM_STEPS = 8
OUT = pathlib.Path(__file__).resolve().parent.parent / "silero"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(download(pathlib.Path(folder))) as wheel:
            model, notice = wheel.read(MODEL), wheel.read(LICENSE)
    if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
        sys.exit(f"{MODEL} of {VERSION} is not the file that was measured")
    tensors = eight_khz(onnx.load_from_string(model))
    check_stft(tensors["stft.forward_basis_buffer"])

    data = b"".join(layer(*parts) for parts in layers(tensors))
    (OUT / "weights.bin").write_bytes(data)
    text = notice.decode().strip().replace("\r\n", "\n")
    (OUT / "LICENSE-WEIGHTS").write_text(
        f"weights.bin is made from silero-vad {VERSION} (https://github.com/snakers4/silero-vad):\n\n{text}\n"
    )
    print(f"weights.bin: {len(data)} bytes, SHA-256 {hashlib.sha256(data).hexdigest()}")


def download(folder: pathlib.Path) -> pathlib.Path:
    """The wheel of exactly VERSION, by pip, from the index that pip is set up for."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", str(folder), f"silero-vad=={VERSION}"], check=True)
    return next(folder.glob("*.whl"))


def eight_khz(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """The tensors of the branch that is taken when the sample rate is not 16 kHz, by their own names."""
    (choice,) = (node for node in model.graph.node if node.op_type == "If")
    (branch,) = (a.g for a in choice.attribute if a.name == "else_branch")
    return {
        node.output[0].rsplit("_Inline_0__", 1)[-1]: numpy_helper.to_array(node.attribute[0].t)
        for node in branch.node
        if node.op_type == "Constant"
    }


def check_stft(basis: np.ndarray) -> None:
    """That the learned file's STFT is the 128-point DFT under a periodic Hann window."""
    n, k = np.arange(128), np.arange(65)[:, None]
    window, angle = 0.5 - 0.5 * np.cos(2 * math.pi * n / 128), 2 * math.pi * k * n / 128
    exact = np.concatenate([window * np.cos(angle), -window * np.sin(angle)])
    error = np.abs(basis[:, 0, :] - exact).max()
    if error > 1e-6:
        sys.exit(f"the STFT differs from a Hann DFT by {error}")


def layers(tensors: dict[str, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray | None, int]]:
    """Weights (one output after the other), biases and steps, in the order of the file."""

    def convolution(index: int, taps: slice) -> tuple[np.ndarray, np.ndarray, int]:
        name = f"encoder.{index}.reparam_conv"
        return tensors[f"{name}.weight"][:, :, taps], tensors[f"{name}.bias"], CONVOLUTION_STEPS

    def lstm(name: str) -> np.ndarray:
        return tensors[f"decoder.rnn.{name}"]

    third, *third_rest = convolution(2, slice(1, 3))
    return [
        convolution(0, slice(0, 3)),
        convolution(1, slice(0, 3)),
        (third.transpose(0, 2, 1), *third_rest),
        convolution(3, slice(1, 2)),
        (lstm("weight_ih"), lstm("bias_ih") + lstm("bias_hh"), LSTM_STEPS),
        (lstm("weight_hh"), None, LSTM_STEPS),
        (tensors["decoder.decoder.2.weight"], tensors["decoder.decoder.2.bias"], CONVOLUTION_STEPS),
    ]


def layer(weights: np.ndarray, bias: np.ndarray | None, steps: int) -> bytes:
    """One layer of the file: bytes, scales, biases."""
    rows = weights.reshape(weights.shape[0], -1).astype(np.float64)
    deviations = np.sqrt((rows**2).mean(axis=1))
    scales = np.maximum(np.abs(rows).max(axis=1) / 127, deviations / steps).astype("<f4")
    quantized = np.rint(rows / scales[:, None]).clip(-127, 127).astype(np.int8)
    biases = b"" if bias is None else bias.astype("<f4").tobytes()
    return quantized.tobytes() + scales.tobytes() + biases


if __name__ == "__main__":
    main()
