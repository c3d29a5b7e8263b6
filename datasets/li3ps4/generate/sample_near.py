"""Generation 9: Li-P, Li-S and P-S nearer than in any frame of generations 1 to 8.

usage: sample_near.py RUN.h5 OUTDIR

RUN is a `mlkit md` run of 32 atoms at 1200 K (10 ps NPT, 10 ps NVT, 320 ps NVE, 3 fs, positions every 6 fs, start: the frame of the
set nearest zero pressure) with a NEP fitted to generations 1 to 8. Of each of the three pairs the three frames in which it is shortest, at least
1.2 ps apart, go to OUTDIR/g9-near.npz; the first two again with that pair drawn together, along its line and about its middle, to
the distance named in PAIRS, to OUTDIR/g9-push.npz; for run_sp.py.
"""
import sys
import h5py
import numpy as np

PAIRS = [(3, 15, (1.85, 1.95)), (3, 16, (1.60, 1.68)), (15, 16, (1.60, 1.66))]
APART, BLOCK = 200, 2000

f = h5py.File(sys.argv[1], "r")
x, z, L = (f["particles/all/" + k][:] for k in ("position/value", "species", "box/edges"))
L = np.diag(L) if L.ndim == 2 else L
order = np.argsort(z, kind="stable")
x, z = x[:, order].astype(float), z[order]


def vectors(x, a, b):
    d = x[..., None, b, :] - x[..., a, :][..., None, :]
    return d - np.round(d / L) * L


near, pushed = [], []
for za, zb, targets in PAIRS:
    a, b = np.where(z == za)[0], np.where(z == zb)[0]
    r = np.concatenate([np.linalg.norm(vectors(x[t:t + BLOCK], a, b), axis=-1).min((1, 2)) for t in range(0, len(x), BLOCK)])
    picks = []
    for t in r.argsort():
        if all(abs(t - p) > APART for p in picks):
            picks.append(t)
        if len(picks) == 3:
            break
    near += list(x[picks])
    for t, target in zip(picks, targets):
        v = vectors(x[t], a, b)
        i, j = np.unravel_index(np.linalg.norm(v, axis=-1).argmin(), v.shape[:2])
        d, y = v[i, j], x[t].copy()
        move = d / np.linalg.norm(d) * (np.linalg.norm(d) - target) / 2
        y[a[i]] += move
        y[b[j]] -= move
        pushed.append(y)
    print(za, zb, [(int(t), round(float(r[t]), 3)) for t in picks], "drawn to", targets)
for name, X in (("near", near), ("push", pushed)):
    np.savez("%s/g9-%s.npz" % (sys.argv[2], name), H=np.array([np.diag(L)] * len(X)), x=np.array(X), T=1200.0)
