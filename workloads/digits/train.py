#!/usr/bin/env python3
"""Trains the digit classifier, quantises it to int8 and writes data/.

    data/weights.bin       the network that is compiled into the WebAssembly module
    data/test_images.bin   the held-out images, in the module's input format
    data/test_labels.bin   what those images show
    data/expected.json     the module's exact output for the held-out images

Run it through ./train, which makes the Python environment. The same bytes come out on every machine: matrix products
are exact (see `grid`), so that neither the BLAS, its threads nor the processor's vector width can change a bit.
"""

import argparse
import json
import random
import struct
from decimal import Decimal, getcontext
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

SEED = 20_26
HELD_OUT = 450
LAYERS = (64, 96, 48, 10)
EPOCHS = 120
BATCH = 32
RATE = 0.004
DECAY = 2.0e-4  # of the weights, per step, relative to the rate
SMOOTHING = 0.05  # of the labels

# Steps of the fixed grids on which numbers live while training.
WEIGHT_STEP, SIGNAL_STEP, DELTA_STEP = 2.0**-20, 2.0**-12, 2.0**-20
WEIGHT_MAX, SIGNAL_MAX = 4.0, 63.0


def grid(x, step):
    """Rounds to multiples of `step`.

    A product of two such numbers is a multiple of the product of the steps, and every sum below stays under 2^53 of
    those, so float64 adds them without rounding: the order of a sum, or a fused multiply-add, makes no difference.
    """
    return np.rint(x / step) * step


def power_table():
    """2^-(i/256) for i in 0..=20*256, on a grid of 2^-30, without the platform's exp()."""
    getcontext().prec = 40
    base = Decimal(2) ** (Decimal(-1) / Decimal(256))
    scale = Decimal(2) ** 30
    return np.array([int((base**i * scale).to_integral_value()) for i in range(20 * 256 + 1)], dtype=np.float64) / 2.0**30


POWERS = power_table()


def softmax2(z):
    """Softmax to the base 2."""
    below = np.minimum(np.rint((z.max(axis=1, keepdims=True) - z) * 256), len(POWERS) - 1).astype(np.int64)
    e = POWERS[below]
    return grid(e / e.sum(axis=1, keepdims=True), DELTA_STEP)


def load():
    """(train images, train labels, held-out images, held-out labels); pixels are whole numbers from 0 to 16."""
    digits = load_digits()
    images, labels = digits.data.astype(np.uint8), digits.target.astype(np.uint8)
    order = list(range(len(labels)))
    random.Random(SEED).shuffle(order)
    held, rest = order[:HELD_OUT], order[HELD_OUT:]
    return images[rest], labels[rest], images[held], labels[held]


def forward(weights, biases, x):
    """Signals of every layer, the input first and the logits last."""
    signals = [x]
    for i, (w, b) in enumerate(zip(weights, biases)):
        z = signals[-1] @ w.T + b
        last = i == len(weights) - 1
        signals.append(z if last else grid(np.clip(z, 0.0, SIGNAL_MAX), SIGNAL_STEP))
    return signals


def train(x, y):
    """Adam on mini-batches. Element-wise float64 steps are IEEE 754 operations one by one, the same everywhere."""
    rng = random.Random(SEED + 1)
    weights = [
        np.array([[rng.randrange(-(2**20), 2**20) / 2**20 for _ in range(n)] for _ in range(m)]) * (6.0 / n) ** 0.5
        for n, m in zip(LAYERS, LAYERS[1:])
    ]
    weights = [grid(w, WEIGHT_STEP) for w in weights]
    biases = [np.zeros(m) for m in LAYERS[1:]]
    parameters = weights + biases
    first = [np.zeros_like(p) for p in parameters]
    second = [np.zeros_like(p) for p in parameters]
    target = np.full((len(y), LAYERS[-1]), SMOOTHING / LAYERS[-1])
    target[np.arange(len(y)), y] += 1.0 - SMOOTHING
    target = grid(target, DELTA_STEP)

    order = list(range(len(y)))
    correct1 = correct2 = 1.0
    total = EPOCHS * (len(y) // BATCH)
    step = 0
    for epoch in range(EPOCHS):
        rng.shuffle(order)
        for start in range(0, len(y) - BATCH + 1, BATCH):
            pick = order[start : start + BATCH]
            signals = forward(weights, biases, x[pick])
            delta = grid(softmax2(signals[-1]) - target[pick], DELTA_STEP)
            grads_w, grads_b = [], []
            for i in reversed(range(len(weights))):
                grads_w.insert(0, delta.T @ signals[i] / BATCH)
                grads_b.insert(0, delta.sum(axis=0) / BATCH)
                if i:
                    delta = grid((delta @ weights[i]) * (signals[i] > 0), DELTA_STEP)
            step += 1
            correct1, correct2 = correct1 * 0.9, correct2 * 0.999
            rate = RATE * (1.0 - step / (total + 1))
            for k, g in enumerate(grads_w + grads_b):
                first[k] = 0.9 * first[k] + 0.1 * g
                second[k] = 0.999 * second[k] + 0.001 * (g * g)
                move = (first[k] / (1 - correct1)) / (np.sqrt(second[k] / (1 - correct2)) + 1e-8)
                decay = DECAY * parameters[k] if k < len(weights) else 0.0
                moved = np.clip(parameters[k] - rate * move - decay, -WEIGHT_MAX, WEIGHT_MAX)
                parameters[k][...] = grid(moved, WEIGHT_STEP)
    return weights, biases


def quantise(weights, biases, x):
    """Post-training quantisation, symmetric, one scale per layer, calibrated on the training images alone.

    A layer computes `acc = bias + sum(w * signal)` in int32; a hidden layer then makes the next signal as
    `min(255, (max(acc, 0) * multiplier + 2^(shift-1)) >> shift)`.
    """
    signals = forward(weights, biases, x)
    scale_in = 1.0 / 16.0  # a pixel of 16 is 1.0
    layers = []
    for i, (w, b) in enumerate(zip(weights, biases)):
        scale_w = np.abs(w).max() / 127.0
        w8 = np.rint(w / scale_w).astype(np.int8)
        b32 = np.rint(b / (scale_w * scale_in)).astype(np.int32)
        multiplier, shift = 0, 0
        if i < len(weights) - 1:
            scale_out = signals[i + 1].max() / 255.0
            shift = 24
            multiplier = int(round(float(scale_w * scale_in / scale_out) * 2**shift))
            assert 0 < multiplier < 2**31
            scale_in = scale_out
        layers.append((w8, b32, multiplier, shift))
    return layers


def infer(layers, images):
    """What the module computes, in numpy's integers. int32 logits."""
    signal = images.astype(np.int64)
    for w8, b32, multiplier, shift in layers:
        acc = signal @ w8.astype(np.int64).T + b32
        assert np.abs(acc).max() < 2**31
        if not multiplier:
            return acc
        signal = np.minimum((np.maximum(acc, 0) * multiplier + (1 << (shift - 1))) >> shift, 255)
    raise ValueError("the last layer must have no multiplier")


def predictions(logits):
    """(digit, runner-up, margin) per image; the lower digit wins a tie."""
    order = np.argsort(-logits, axis=1, kind="stable")
    rows = np.arange(len(logits))
    margin = logits[rows, order[:, 0]] - logits[rows, order[:, 1]]
    return [(int(a), int(b), int(m)) for a, b, m in zip(order[:, 0], order[:, 1], margin)]


def output_json(found):
    """The module's output, byte for byte."""
    lines = [
        f'{{"image":{i},"digit":{digit},"runner_up":{other},"margin":{margin}}}'
        for i, (digit, other, margin) in enumerate(found)
    ]
    return f'{{"images":{len(found)},"predictions":[\n' + ",\n".join(lines) + "\n]}\n"


def write(folder, layers, images, labels):
    weights = bytearray(b"JWGT" + struct.pack("<II", 1, len(layers)) + struct.pack(f"<{len(LAYERS)}I", *LAYERS))
    for w8, b32, multiplier, shift in layers:
        weights += struct.pack("<II", multiplier, shift) + b32.astype("<i4").tobytes() + w8.tobytes()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.bin").write_bytes(weights)
    (folder / "test_images.bin").write_bytes(b"JIMG" + struct.pack("<II", 1, len(images)) + images.tobytes())
    (folder / "test_labels.bin").write_bytes(b"JLBL" + struct.pack("<II", 1, len(labels)) + labels.tobytes())
    text = output_json(predictions(infer(layers, images)))
    assert json.loads(text)["images"] == len(images)
    (folder / "expected.json").write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "data", help="where the files go")
    out = parser.parse_args().out
    images, labels, held_images, held_labels = load()
    x, held_x = images / 16.0, held_images / 16.0
    weights, biases = train(x, labels)
    layers = quantise(weights, biases, x)

    def share(hits):
        return f"{int(hits.sum())} of {len(hits)} = {100 * hits.mean():.2f} %"

    def digit(logits):
        return np.argmax(logits, axis=1)

    print(f"training images, float   {share(digit(forward(weights, biases, x)[-1]) == labels)}")
    print(f"training images, int8    {share(digit(infer(layers, images)) == labels)}")
    print(f"held-out images, float   {share(digit(forward(weights, biases, held_x)[-1]) == held_labels)}")
    print(f"held-out images, int8    {share(digit(infer(layers, held_images)) == held_labels)}")
    write(out, layers, held_images, held_labels)
    print(f"wrote weights.bin, test_images.bin, test_labels.bin, expected.json to {out}")


if __name__ == "__main__":
    main()
