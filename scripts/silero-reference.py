#!/usr/bin/env python3
"""What silero/ must compute: its golden probabilities, and its parity with the ONNX model.

    silero-reference.py golden FILE.wav     prints silero/golden.tsv: per step of 32 ms the
                                            probability of the ONNX model, and of weights.bin in
                                            float64 (NumPy), for two signals
    silero-reference.py probabilities FOLDER    writes FOLDER/NAME.onnx, and NAME.exact for names
                                            that begin with `clean`: the same for FOLDER/NAME.ulaw,
                                            as f32 (`sim lab hearing` compares)

Needs pip and the packages `numpy`, `onnx` and `onnxruntime`:

    python3 -m venv target/venv && target/venv/bin/pip install numpy onnx onnxruntime
"""

import importlib
import pathlib
import sys
import wave

import numpy as np
import onnxruntime

ROOT = pathlib.Path(__file__).resolve().parent.parent
STEP, CONTEXT = 256, 32

sys.path.insert(0, str(ROOT / "scripts"))
extract = importlib.import_module("extract-silero")


class Onnx:
    """The model of the wheel at 8 kHz."""

    def __init__(self, model: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def probabilities(self, samples: np.ndarray) -> list[float]:
        state, context = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32)
        out = []
        for step in steps(samples):
            given = np.concatenate([context, step])[None].astype(np.float32)
            probability, state = self.session.run(None, {"input": given, "state": state, "sr": np.array(8000)})
            context = step[-CONTEXT:]
            out.append(float(probability[0, 0]))
        return out


class File:
    """weights.bin, in double precision."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.conv1 = self.layer(128, 65, 3)
        self.conv2 = self.layer(64, 128, 3)
        self.conv3 = self.layer(64, 2, 64)
        self.conv4 = self.layer(128, 64)
        self.inputs = self.layer(512, 128)
        self.hidden = self.layer(512, 128, biases=False)
        self.output = self.layer(1, 128)
        assert not self.data

    def layer(self, *shape: int, biases: bool = True) -> tuple[np.ndarray, np.ndarray]:
        rows, count = shape[0], int(np.prod(shape))
        weights = self.take(np.int8, count).reshape(rows, -1) * self.take("<f4", rows)[:, None]
        return weights.reshape(shape), self.take("<f4", rows) if biases else np.zeros(rows)

    def take(self, kind: str, count: int) -> np.ndarray:
        size = np.dtype(kind).itemsize * count
        taken, self.data = self.data[:size], self.data[size:]
        return np.frombuffer(taken, kind).astype(np.float64)

    def probabilities(self, samples: np.ndarray) -> list[float]:
        hidden, cells, context = np.zeros(128), np.zeros(128), np.zeros(CONTEXT)
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(128) / 128)
        sigmoid = lambda x: 1 / (1 + np.exp(-x))
        out = []
        for step in steps(samples.astype(np.float64)):
            span = np.concatenate([context, step, step[-2:-34:-1]])
            context = step[-CONTEXT:]
            frames = np.stack([np.abs(np.fft.rfft(span[64 * t : 64 * t + 128] * window)) for t in range(4)], 1)
            padded = np.pad(frames, ((0, 0), (1, 1)))
            four = [self.rectified(self.conv1, "oik,ik->o", padded[:, t : t + 3]) for t in range(4)]
            padded = np.pad(np.stack(four, 1), ((0, 0), (1, 1)))
            two = [self.rectified(self.conv2, "oik,ik->o", padded[:, t : t + 3]) for t in (0, 2)]
            one = self.rectified(self.conv3, "oki,ki->o", np.stack(two))
            features = self.rectified(self.conv4, "oi,i->o", one)
            gates = self.inputs[0] @ features + self.inputs[1] + self.hidden[0] @ hidden
            i, f, g, o = np.split(gates, 4)
            cells = sigmoid(f) * cells + sigmoid(i) * np.tanh(g)
            hidden = sigmoid(o) * np.tanh(cells)
            out.append(float(sigmoid(self.output[0] @ np.maximum(hidden, 0) + self.output[1])[0]))
        return out

    @staticmethod
    def rectified(layer: tuple[np.ndarray, np.ndarray], product: str, inputs: np.ndarray) -> np.ndarray:
        return np.maximum(np.einsum(product, layer[0], inputs) + layer[1], 0)


def steps(samples: np.ndarray) -> np.ndarray:
    return samples[: len(samples) // STEP * STEP].reshape(-1, STEP)


def decode(ulaw: bytes) -> np.ndarray:
    """Linear samples, −1 to 1."""
    u = ~np.frombuffer(ulaw, np.uint8).astype(np.int32) & 0xFF
    magnitude = (((u & 0x0F) << 3) + 0x84 << ((u & 0x70) >> 4)) - 0x84
    return (np.where(u & 0x80, -magnitude, magnitude) / 32768).astype(np.float32)


def ulaw_of(path: str) -> bytes:
    """The data of a μ-law WAV file, which Python's `wave` does not read."""
    data = pathlib.Path(path).read_bytes()
    start = data.index(b"data") + 8
    return data[start : start + int.from_bytes(data[start - 4 : start], "little")]


def synthetic() -> np.ndarray:
    """Two seconds of a voice-like buzz in noise, in integers so that Rust makes the same."""
    out, noise, y1, y2, z1, z2 = [], 1, 0, 0, 0, 0
    for n in range(16_000):
        noise = (noise * 1_664_525 + 1_013_904_223) & 0xFFFF_FFFF
        voiced = (n // 2_000) % 2 == 1
        pulse = 6_000 if voiced and n % (70 + n // 1_000) == 0 else 0
        y1, y2 = pulse + ((28_000 * y1 - 15_000 * y2) >> 14), y1
        z1, z2 = pulse + ((16_000 * z1 - 15_400 * z2) >> 14), z1
        out.append(max(-32_768, min(32_767, y1 + z1 // 2 + (noise >> 24) - 128)))
    return (np.array(out) / 32768).astype(np.float32)


def model() -> bytes:
    import tempfile
    import zipfile

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(extract.download(pathlib.Path(folder))) as wheel:
            return wheel.read(extract.MODEL)


def golden(path: str) -> None:
    onnx, file = Onnx(model()), File((ROOT / "silero/weights.bin").read_bytes())
    print("# signal\tstep\tONNX\tweights.bin; by scripts/silero-reference.py golden")
    for name, samples in [("synthetic", synthetic()), ("fixture", decode(ulaw_of(path)))]:
        pairs = zip(onnx.probabilities(samples), file.probabilities(samples))
        for step, (exact, quantized) in enumerate(pairs):
            print(f"{name}\t{step}\t{exact:.6f}\t{quantized:.6f}")


def probabilities(folder: str) -> None:
    onnx, file = Onnx(model()), (ROOT / "silero/weights.bin").read_bytes()
    for path in sorted(pathlib.Path(folder).glob("*.ulaw")):
        samples = decode(path.read_bytes())
        np.array(onnx.probabilities(samples), "<f4").tofile(path.with_suffix(".onnx"))
        if path.name.startswith("clean"):
            np.array(File(file).probabilities(samples), "<f4").tofile(path.with_suffix(".exact"))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["probabilities", folder]:
            probabilities(folder)
        case ["golden", path]:
            golden(path)
        case _:
            sys.exit(__doc__)
