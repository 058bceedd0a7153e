#!/usr/bin/env python3
"""The default MFCC of adze on a formula's sound, by direct sums: the figures in tests/data/sound_test.cpp."""
import cmath
import math
import struct

rate, window, hop, size, mels, coefficients = 8000, 320, 160, 512, 40, 10


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def sound(i):
    t = i / rate
    noise = (i * 7919 + 104729) % 65536 / 65536 - 0.5
    return f32(0.5 * math.sin(2 * math.pi * 440 * t) + 0.25 * math.sin(2 * math.pi * 1800 * t) + 0.05 * noise)


def mel(hz):
    return 2595 * math.log10(1 + hz / 700)


corners = [700 * (10 ** ((mel(20) + (mel(4000) - mel(20)) * i / (mels + 1)) / 2595) - 1) for i in range(mels + 2)]


def mfcc(frame):
    x = [sound(frame * hop + i) * 0.5 * (1 - math.cos(2 * math.pi * i / window)) for i in range(window)]
    power = [abs(sum(v * cmath.exp(-2j * math.pi * k * i / size) for i, v in enumerate(x))) ** 2
             for k in range(size // 2 + 1)]
    logs = []
    for left, centre, right in zip(corners, corners[1:], corners[2:]):
        energy = 0.0
        for k, p in enumerate(power):
            hz = k * rate / size
            energy += p * max(0.0, min((hz - left) / (centre - left), (right - hz) / (right - centre)))
        logs.append(math.log(energy + 1e-6))
    return [math.sqrt((1 if k == 0 else 2) / mels) *
            sum(v * math.cos(math.pi / mels * (m + 0.5) * k) for m, v in enumerate(logs)) for k in range(coefficients)]


for frame in (0, 48):
    values = mfcc(frame)
    print(", ".join(f"{values[k]:.6f}" for k in (0, 1, 2, 3, 9)))
