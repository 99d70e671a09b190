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

sys.path.insert(0, str(ROOT / "scripts"))
extract = importlib.import_module("extract-silero")
STEP, CONTEXT = extract.STEP, extract.CONTEXT


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


def steps(samples: np.ndarray) -> np.ndarray:
    return samples[: len(samples) // STEP * STEP].reshape(-1, STEP)


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
    onnx, file = Onnx(model()), extract.Network(extract.read((ROOT / "silero/weights.bin").read_bytes()))
    print("# signal\tstep\tONNX\tweights.bin; by scripts/silero-reference.py golden")
    for name, samples in [("synthetic", synthetic()), ("fixture", extract.decode(extract.ulaw_of(pathlib.Path(path))))]:
        pairs = zip(onnx.probabilities(samples), file.probabilities(samples[None])[0])
        for step, (exact, quantized) in enumerate(pairs):
            print(f"{name}\t{step}\t{exact:.6f}\t{quantized:.6f}")


def probabilities(folder: str) -> None:
    onnx, file = Onnx(model()), extract.Network(extract.read((ROOT / "silero/weights.bin").read_bytes()))
    for path in sorted(pathlib.Path(folder).glob("*.ulaw")):
        samples = extract.decode(path.read_bytes())
        np.array(onnx.probabilities(samples), "<f4").tofile(path.with_suffix(".onnx"))
        if path.name.startswith("clean"):
            file.probabilities(samples[None])[0].astype("<f4").tofile(path.with_suffix(".exact"))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["probabilities", folder]:
            probabilities(folder)
        case ["golden", path]:
            golden(path)
        case _:
            sys.exit(__doc__)
