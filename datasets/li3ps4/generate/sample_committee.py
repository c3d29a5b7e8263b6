"""Generation 8: frames on which two equally good models disagree, before a bond is broken.

usage: sample_committee.py list RUN.h5...               > FRAMES.xyz, to evaluate with both models
       sample_committee.py take OUTDIR FRAMES.xyz A.xyz B.xyz    (FRAMES evaluated: mlkit evaluate MODEL FRAMES.xyz -o A.xyz)

Runs are `mlkit md` NVT runs of 32 atoms (30 ps, 2 fs, positions every 40 fs) at 1000 to 1600 K and 0.95 to 1.10 of 20.7 A^3/atom, begun from
frames of generations 1 and 2 stretched to that volume, with two NEP (seeds) fitted to generations 1 to 7. list writes a run up to its first
P-S bond beyond 3.1 A. take finds the runs in which the energies of the two, their median difference removed, come to differ by 1 eV, and keeps
of each the first frame with 0.5 eV, the first with 1 eV and the one of the largest difference whose P-S bonds are shorter than 3 A; and
of runs in which a bond broke while the two agreed, the first frame with one beyond 3 A. Groups: g8-far1.. (disagreement), g8-broken.
"""
import re
import sys
import h5py
import numpy as np

SHIFTS = np.array([(a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)], float)
SYMBOL = {3: "Li", 15: "P", 16: "S"}


def bonds(x, z, H):
    """(P,S) nearest images, each row sorted"""
    f = (x[z == 15][:, None] - x[z == 16][None]) @ np.linalg.inv(H)
    f -= np.round(f)
    return np.sort(np.min([np.linalg.norm((f + s) @ H, axis=2) for s in SHIFTS], axis=0), axis=1)


def frames(path):
    f = h5py.File(path, "r")
    x, z, H = (f["particles/all/" + k][:] for k in ("position/value", "species", "box/edges"))
    H = np.diag(H) if H.ndim == 1 else H
    o = np.argsort(z, kind="stable")
    for t in range(len(x)):
        r = bonds(x[t], z, H)
        if r.min() < 1.6:
            return
        print('32\nrun=%s frame=%d longest=%.3f Lattice="%s" Properties=species:S:1:pos:R:3 pbc="T T T"' % (
            path, t, r[:, 3].max(), " ".join("%.8f" % v for v in H.ravel())))
        for i in o:
            print("%s %.8f %.8f %.8f" % (SYMBOL[int(z[i])], *x[t][i]))
        if r[:, 3].max() > 3.1:
            return


def heads(path):
    return [l for l in open(path) if "Lattice=" in l]


def value(line, key):
    return re.search(r"\b%s=(\S+)" % key, line).group(1)


def take(out, path, a, b):
    head, lines = heads(path), open(path).read().split("\n")
    d = np.array([float(value(p, "energy")) - float(value(q, "energy")) for p, q in zip(heads(a), heads(b))])
    d = abs(d - np.median(d))
    run, longest = [value(h, "run") for h in head], np.array([float(value(h, "longest")) for h in head])
    far, broken = [], []
    for r in sorted(set(run)):
        i = np.array([k for k, n in enumerate(run) if n == r])
        if (d[i] > 1).any():
            i = i[: np.argmax(d[i] > 1) + 40]
            whole = i[longest[i] < 3]
            far.append(sorted({i[np.argmax(d[i] > 0.5)], i[np.argmax(d[i] > 1)], whole[np.argmax(d[whole])]}))
        elif longest[i].max() > 3:
            broken.append(i[np.argmax(longest[i] > 3)])
    groups = {"g8-far%d" % (k + 1): sum(far[k::4], []) for k in range(4)}
    groups["g8-broken"] = broken[::2]
    for g, ix in groups.items():
        rows = [[l.split() for l in lines[34 * k + 2: 34 * k + 34]] for k in ix]
        H = [np.array(re.search('Lattice="([^"]*)"', head[k]).group(1).split(), float).reshape(3, 3) for k in ix]
        np.savez("%s/%s.npz" % (out, g), H=np.array(H), x=np.array([[[float(v) for v in w[1:4]] for w in r] for r in rows]),
                 T=1200.0)
        print(g, len(ix), [(run[k], value(head[k], "frame"), "%.2f" % longest[k], "%.2f" % d[k]) for k in ix])


if sys.argv[1] == "list":
    for p in sys.argv[2:]:
        frames(p)
else:
    take(*sys.argv[2:])
