"""Generation 3: configurations on the way to a broken P-S bond, where a model trained on intact PS4 alone errs.

usage: sample_break.py OUTDIR N_STRETCHED run.h5... [frames.xyz for the stretched ones]

One group per run in OUTDIR, g3-break1.npz ..., and g3-stretch.npz. From each run of `mlkit md` (32 atoms, a model of generations 1 and 2, 1500 K, positions every 20 fs) up to five frames in
which the longest of the 16 first P-S bonds is between 2.55 and 3.8 Angstrom and at most two are longer than 3.4; and
N_STRETCHED frames of frames.xyz (generations 1 and 2) with one S moved outwards along its bond to 2.4 ... 3.6 Angstrom.
"""
import sys
import numpy as np
import h5py

rng = np.random.default_rng(3)


def vectors(x, H, i, j):
    f = (x[j] - x[i]) @ np.linalg.inv(H)
    return (f - np.round(f)) @ H


def bonds(x, H):
    pairs = [(p, s, np.linalg.norm(vectors(x, H, p, s))) for p in range(12, 16) for s in range(16, 32)]
    return [(p, s) for p, s, d in pairs if d < 2.6]


def lengths(x, H, pairs):
    return np.array([np.linalg.norm(vectors(x, H, p, s)) for p, s in pairs])


def from_run(path, keep=5, apart=25):
    f = h5py.File(path, "r")
    X = f["particles/all/position/value"][:]
    H = np.array(f["particles/all/box/edges"][()] if "particles/all/box/edges" in f
                 else f["particles/all/box/edges/value"][0])
    H = np.diag(H) if H.ndim == 1 else H
    pairs, out, last = bonds(X[0], H), [], -10 ** 9
    for k in range(len(X)):
        d = lengths(X[k], H, pairs)
        if 2.55 < d.max() < 3.8 and (d > 3.4).sum() <= 2 and k - last >= apart // 5:
            out.append((k, X[k]))
            last = k
    pick = np.unique(np.linspace(0, len(out) - 1, min(keep, len(out))).astype(int)) if out else []
    for q in pick:
        d = lengths(out[q][1], H, pairs)
        print(path, out[q][0], "longest P-S %.2f" % d.max(), "nearest P-S %.2f" % d.min())
    return [(H, out[q][1]) for q in pick]


def read_xyz(path):
    lines, i = open(path).read().split("\n"), 0
    while i < len(lines) and lines[i].strip():
        n = int(lines[i])
        H = np.array([float(v) for v in lines[i + 1].split('Lattice="')[1].split('"')[0].split()]).reshape(3, 3)
        yield H, np.array([[float(v) for v in l.split()[1:4]] for l in lines[i + 2:i + 2 + n]])
        i += n + 2


def stretched(frames, n):
    out = []
    while len(out) < n:
        H, x = frames[rng.integers(len(frames))]
        p, s = bonds(x, H)[rng.integers(16)]
        v = vectors(x, H, p, s)
        y = x.copy()
        y[s] = y[p] + v / np.linalg.norm(v) * rng.uniform(2.4, 3.6)
        near = [np.linalg.norm(vectors(y, H, s, j)) for j in range(32) if j not in (s, p)]
        if min(near[:12]) > 1.95 and min(near[12:15]) > 2.9 and min(near[15:]) > 2.6:
            out.append((H, y))
    return out


def save(name, frames):
    if frames:
        np.savez("%s/%s.npz" % (sys.argv[1], name), H=np.array([H for H, _ in frames]),
                 x=np.array([x for _, x in frames]), T=1500.0)
        print(name, len(frames), "frames")


for k, path in enumerate(p for p in sys.argv[3:] if p.endswith(".h5")):
    save("g3-break%d" % (k + 1), from_run(path))
for path in sys.argv[3:]:
    if path.endswith(".xyz"):
        save("g3-stretch", stretched(list(read_xyz(path)), int(sys.argv[2])))
