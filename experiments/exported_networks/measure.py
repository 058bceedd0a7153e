"""Takes exported networks through adze: slim (verified), the engine against plain kernels, static int8.

Usage: /usr/bin/python3 measure.py ADZE FOLDER      (FOLDER: what export.py wrote; prints a Markdown table)
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

adze, folder = sys.argv[1], pathlib.Path(sys.argv[2])
shapes = {"lstm": (12, 32), "gru": (12, 32), "encoder": (16, 64)}
calibration_samples = 8


def run(*words, isa=None):
    begin = time.perf_counter()
    env = dict(os.environ, **({"ADZE_ISA": isa} if isa else {}))
    done = subprocess.run([adze, *map(str, words), "-q", "-f"], env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr}")
    return time.perf_counter() - begin


def output_of(model, x, y, isa=None):
    run("run", model, "--input", x, "--output", y, isa=isa)
    return np.load(y).ravel().astype(np.float64)


print("| network | after slim | engine against plain kernels | int8: SQNR | int8: same bytes on AVX2 "
      "and AVX-512 | slim, quantize |")
print("|---|---|---:|---:|---|---:|")
with tempfile.TemporaryDirectory() as temporary:
    t = pathlib.Path(temporary)
    for model in sorted(p for p in folder.glob("*.onnx") if p.name.count(".") == 1):
        shape = shapes.get(model.stem, (3, 224, 224))
        np.save(t / "calibration.npy", np.random.RandomState(0).randn(calibration_samples, *shape).astype(np.float32))
        np.save(t / "x.npy", np.random.RandomState(1).randn(1, *shape).astype(np.float32))
        slim = run("slim", model, t / "slim.onnx")
        fast, plain = output_of(model, t / "x.npy", t / "y.npy"), output_of(model, t / "x.npy", t / "y.npy", "ref")
        quantize = run("quantize", model, "-o", t / "q.onnx", "--calibration", t / "calibration.npy", "--samples",
                       calibration_samples)
        wide = output_of(t / "q.onnx", t / "x.npy", t / "y.npy")
        narrow = output_of(t / "q.onnx", t / "x.npy", t / "y.npy", "avx2")
        error = np.abs(fast - plain).max() / np.abs(plain).max()
        sqnr = 10 * np.log10((fast**2).sum() / ((fast - wide) ** 2).sum())
        print(f"| {model.stem} | verified | {error:.1e} | {sqnr:.1f} dB | {'yes' if (wide == narrow).all() else 'NO'} "
              f"| {slim:.1f} s, {quantize:.1f} s |", flush=True)
