#!/usr/bin/env python3
"""Writes silero/weights.bin and silero/LICENSE-WEIGHTS from the MIT wheel of silero-vad.

Only the 8 kHz half of the network, and of it only what can matter: the STFT is an exact Hann DFT
(checked here, computed in Rust), the third convolution never sees its first tap and the fourth only
its centre (their input is two frames and one frame long, with one frame of padding). The same wheel and
the same sentences of fixtures/speech give the same bytes.

Weights are whole numbers with one scale per output row, and take no more steps than hearing needs:
the Worker's size is counted, and what is mostly small takes few bits. So few steps hear well because
each weight is rounded to make good what rounding did to those before it (GPTQ,
https://arxiv.org/abs/2210.17323), on inputs as the network met them in the fixtures' sentences, with
noise and without; the bias makes good what is left.

Needs pip and the packages `onnx` and `numpy`; run once, the results are committed:

    python3 -m venv target/venv && target/venv/bin/pip install onnx numpy
    target/venv/bin/python scripts/extract-silero.py

The file, little-endian, one layer after the other. Layers: the four convolutions, the LSTM (rows in
the order i f g o), the output. A layer:

    u16 scales       [rows], in 65536ths
    i16 biases       [rows], in 2048ths; the LSTM's two are added up
    u16 share        of the weight three columns before, in 16ths, that is taken off a weight first:
                     the first convolution's is like that of the same tap one frequency below
    u16 frequencies  [256], of −128 to 127 in what is left, adding up to 4096
    u16 code         of the weights [rows][columns], by rANS (https://arxiv.org/abs/1311.2540): its state
                     of 32 bits, the upper half first, and what is shifted into it, 16 bits at a time.
                     Columns are the layer's inputs as the network meets them: channel by channel with
                     the taps of each together, in the third convolution tap by tap, in the LSTM its
                     inputs and then what it said before
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
# Steps of a weight per standard deviation of its row: in the first convolution, where they count
# most, in the others, in the LSTM.
FIRST_STEPS = 10
CONVOLUTION_STEPS = 5
LSTM_STEPS = 2.5
# See the format of the file.
FIRST_SHARE = 12
SCALES, BIASES, SLOTS = 65536, 2048, 4096
STEP, CONTEXT = 256, 32
ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "silero"


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(download(pathlib.Path(folder))) as wheel:
            model, notice = wheel.read(MODEL), wheel.read(LICENSE)
    if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
        sys.exit(f"{MODEL} of {VERSION} is not the file that was measured")
    tensors = eight_khz(onnx.load_from_string(model))
    check_stft(tensors["stft.forward_basis_buffer"])

    exact = layers(tensors)
    met = inputs_met(Network([parts[:2] for parts in exact]))
    data = b"".join(layer(*parts, gram) for parts, gram in zip(exact, met))
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


def layers(tensors: dict[str, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray, float, int]]:
    """Weights (one output after the other), biases, steps and share, in the order of the file."""

    def parts(
        weights: np.ndarray, bias: np.ndarray, steps: float, share: int = 0
    ) -> tuple[np.ndarray, np.ndarray, float, int]:
        return weights.reshape(len(weights), -1).astype(np.float64), bias.astype(np.float64), steps, share

    def convolution(index: int, taps: slice) -> tuple[np.ndarray, np.ndarray, float, int]:
        name = f"encoder.{index}.reparam_conv"
        how = (CONVOLUTION_STEPS, 0) if index else (FIRST_STEPS, FIRST_SHARE)
        return tensors[f"{name}.weight"][:, :, taps], tensors[f"{name}.bias"], *how

    third, *third_rest = convolution(2, slice(1, 3))
    lstm = {name: tensors[f"decoder.rnn.{name}"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    return [
        parts(*convolution(0, slice(0, 3))),
        parts(*convolution(1, slice(0, 3))),
        parts(third.transpose(0, 2, 1), *third_rest),
        parts(*convolution(3, slice(1, 2))),
        parts(np.hstack([lstm["weight_ih"], lstm["weight_hh"]]), lstm["bias_ih"] + lstm["bias_hh"], LSTM_STEPS),
        parts(tensors["decoder.decoder.2.weight"], tensors["decoder.decoder.2.bias"], CONVOLUTION_STEPS),
    ]


class Network:
    """The network in double precision, for several signals side by side."""

    def __init__(self, layers: list[tuple[np.ndarray, np.ndarray]]) -> None:
        self.layers = layers
        self.met = [np.zeros((weights.shape[1] + 1,) * 2) for weights, _ in layers]

    def probabilities(self, signals: np.ndarray, record: bool = False) -> np.ndarray:
        """Of every signal and step. `record` adds up in `met` the products of every two inputs of each
        layer, of which the last is 1."""

        def apply(index: int, inputs: np.ndarray) -> np.ndarray:
            if record:
                rows = inputs.reshape(-1, inputs.shape[-1])
                rows = np.hstack([rows, np.ones((len(rows), 1))])
                self.met[index] += rows.T @ rows
            weights, biases = self.layers[index]
            return inputs @ weights.T + biases

        def taps(frames: np.ndarray, starts: tuple[int, ...]) -> np.ndarray:
            padded = np.pad(frames, ((0, 0), (1, 1), (0, 0)))
            return np.stack([padded[:, t : t + 3].transpose(0, 2, 1).reshape(count, -1) for t in starts], 1)

        count = len(signals)
        hidden, cells, context = np.zeros((count, 128)), np.zeros((count, 128)), np.zeros((count, CONTEXT))
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(128) / 128)
        rectify, sigmoid = lambda x: np.maximum(x, 0), lambda x: 1 / (1 + np.exp(-x))
        out = []
        for start in range(0, signals.shape[1] - STEP + 1, STEP):
            step = signals[:, start : start + STEP].astype(np.float64)
            span = np.hstack([context, step, step[:, -2:-34:-1]])
            context = step[:, -CONTEXT:]
            frames = np.stack([np.abs(np.fft.rfft(span[:, 64 * t : 64 * t + 128] * window)) for t in range(4)], 1)
            four = rectify(apply(0, taps(frames, (0, 1, 2, 3))))
            two = rectify(apply(1, taps(four, (0, 2))))
            one = rectify(apply(2, two.reshape(count, -1)))
            features = rectify(apply(3, one))
            i, f, g, o = np.split(apply(4, np.hstack([features, hidden])), 4, 1)
            cells = sigmoid(f) * cells + sigmoid(i) * np.tanh(g)
            hidden = sigmoid(o) * np.tanh(cells)
            out.append(sigmoid(apply(5, rectify(hidden)))[:, 0])
        return np.stack(out, 1)


def inputs_met(network: Network) -> list[np.ndarray]:
    """What the layers meet in the fixtures' sentences: alone, and louder than white noise, pink noise and
    nine people who talk at once by 15 and 5 dB."""
    pause, speech = np.zeros(4_000), []
    for path in sorted((ROOT / "fixtures/speech").rglob("*.wav")):
        speech += [pause, decode(ulaw_of(path))]
    speech = np.concatenate(speech)
    white = np.random.default_rng(1).standard_normal(len(speech))
    spectrum = np.fft.rfft(white)
    pink = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1), len(speech))
    babble = sum(np.roll(speech, len(speech) * voice // 10) for voice in range(1, 10))
    level = lambda signal: np.sqrt((signal**2).mean())
    noises = [noise * level(speech) / level(noise) for noise in (white, pink, babble)]
    lines = [speech, *(speech + noise * 10 ** (-snr / 20) for snr in (15, 5) for noise in noises)]
    # Shops are not all as loud as the fixtures.
    gains = [1, 1, 0.5, 0.25, 0.25, 1, 0.5]
    network.probabilities(np.stack([line * gain for line, gain in zip(lines, gains)]), record=True)
    return network.met


def ulaw_of(path: pathlib.Path) -> bytes:
    """The data of a μ-law WAV file, which Python's `wave` does not read."""
    data = path.read_bytes()
    start = data.index(b"data") + 8
    return data[start : start + int.from_bytes(data[start - 4 : start], "little")]


def decode(ulaw: bytes) -> np.ndarray:
    """Linear samples, −1 to 1."""
    u = ~np.frombuffer(ulaw, np.uint8).astype(np.int32) & 0xFF
    magnitude = (((u & 0x0F) << 3) + 0x84 << ((u & 0x70) >> 4)) - 0x84
    return (np.where(u & 0x80, -magnitude, magnitude) / 32768).astype(np.float32)


def layer(weights: np.ndarray, bias: np.ndarray, steps: float, share: int, met: np.ndarray) -> bytes:
    """One layer of the file."""
    deviations = np.sqrt((weights**2).mean(axis=1))
    scales = np.maximum(np.abs(weights).max(axis=1) / 127, deviations / steps)
    whole, bias = rounded(weights, bias, scales, met)
    told = np.rint(scales * SCALES).astype("<u2").tobytes() + np.rint(bias * BIASES).astype("<i2").tobytes()
    return told + np.array(share, "<u2").tobytes() + coded(whole.astype(int), share)


def coded(whole: np.ndarray, share: int) -> bytes:
    """Frequencies and code."""
    expected = np.zeros_like(whole)
    expected[:, 3:] = share * whole[:, :-3] >> 4
    values = (whole - expected + 128).ravel()
    counts = np.bincount(values, minlength=256)
    frequencies = np.where(counts > 0, np.maximum(1, np.rint(counts / counts.sum() * SLOTS)), 0).astype(int)
    frequencies[counts.argmax()] += SLOTS - frequencies.sum()
    starts = (np.cumsum(frequencies) - frequencies).tolist()
    # What is coded last is read first.
    state, code = 1 << 16, []
    for value in reversed(values.tolist()):
        frequency = int(frequencies[value])
        if state >= frequency << 20:
            code.append(state & 0xFFFF)
            state >>= 16
        state = state // frequency * SLOTS + state % frequency + starts[value]
    return np.array([*frequencies, state >> 16, state & 0xFFFF, *reversed(code)], "<u2").tobytes()


def read(data: bytes) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights and biases of the layers of the file."""
    numbers = iter(np.frombuffer(data, "<u2").tolist())
    take = lambda count: np.array([next(numbers) for _ in range(count)])

    def layer(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
        scales, biases = take(rows) / SCALES, take(rows).astype(np.int16) / BIASES
        share, frequencies = next(numbers), take(256)
        slots = [(value - 128, f, place) for value, f in enumerate(frequencies.tolist()) for place in range(f)]
        state = next(numbers) << 16 | next(numbers)
        whole = np.zeros((rows, columns))
        for row in whole:
            for column in range(columns):
                value, frequency, place = slots[state % SLOTS]
                state = state // SLOTS * frequency + place
                if state < 1 << 16:
                    state = state << 16 | next(numbers)
                row[column] = value + (share * int(row[column - 3]) >> 4 if column >= 3 else 0)
        return whole * scales[:, None], biases

    shapes = [(128, 3 * 65), (64, 3 * 128), (64, 2 * 64), (128, 64), (512, 2 * 128), (1, 128)]
    layers = [layer(*shape) for shape in shapes]
    assert next(numbers, None) is None
    return layers


def rounded(
    weights: np.ndarray, bias: np.ndarray, scales: np.ndarray, met: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The weights in whole scales, and the bias: the strongest input first, every weight after those
    before it, whose errors it and the rest make good."""
    power = np.diag(met)[:-1]
    order = np.append(np.argsort(-power, kind="stable"), len(power))
    # A little of every input alone, so that what never differed here may differ elsewhere.
    met = met + np.diag(np.append(np.full(len(power), 0.003 * power.mean()), 0))
    weight_of_error = np.linalg.cholesky(np.linalg.inv(met[np.ix_(order, order)])).T
    rest = np.column_stack([weights, bias])[:, order]
    whole = np.zeros_like(weights)
    for place, column in enumerate(order[:-1]):
        whole[:, column] = np.rint(rest[:, place] / scales).clip(-127, 127)
        error = (rest[:, place] - whole[:, column] * scales) / weight_of_error[place, place]
        rest[:, place + 1 :] -= np.outer(error, weight_of_error[place, place + 1 :])
    return whole, rest[:, -1]


if __name__ == "__main__":
    main()
