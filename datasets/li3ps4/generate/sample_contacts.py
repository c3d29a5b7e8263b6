"""Generations 5 and 6: the moment at which hot runs come near a contact that no frame shows.

usage: sample_contacts.py list RUN.h5...                   first events of each run
       sample_contacts.py take OUTDIR GROUP=RUN.h5@FRAME,RUN.h5@FRAME...   GROUP...

Runs are `mlkit md` NVT runs of 32 atoms (30 ps, positions every 40 fs) at 400 to 1600 K and 0.90 to 1.10 of 20.7 A^3/atom, begun
from frames of generations 1 and 2, with models fitted to generations 1 to 3. Events: S-S below 2.5 A with every PS4 whole (g5-ss*);
a P-S bond beyond 2.9 A, not more than two PS4 changed (g5-brk1); a fifth S at a P, or P-P below 4.2 A (g5-exch); S-S below 2.15 A,
where those models fall into a hole (g6-*). A run is read up to its first frame beyond help. Taken frames go to
OUTDIR/GROUP.npz for run_sp.py.
"""
import sys
import h5py
import numpy as np

SHIFTS = [(a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]


def load(path):
    f = h5py.File(path, "r")
    x, z, H = (f["particles/all/" + k][:] for k in ("position/value", "species", "box/edges"))
    return x, z, np.diag(H) if H.ndim == 1 else H


def distances(x, H):
    """(n,n) nearest images, small cells included; 99 on the diagonal"""
    f = (x[:, None] - x[None]) @ np.linalg.inv(H)
    f -= np.round(f)
    best = np.full(f.shape[:2], 99.0)
    for s in SHIFTS:
        r = np.linalg.norm((f + s) @ H, axis=2)
        r[r < 1e-6] = 99
        best = np.minimum(best, r)
    return best


def look(x, z, H):
    r, Li, P, S = distances(x, H), z == 3, z == 15, z == 16
    near = {"PP": (P, P), "SS": (S, S), "LiS": (Li, S), "LiLi": (Li, Li), "PS": (P, S)}
    near = {k: r[np.ix_(*v)].min() for k, v in near.items()}
    near["out"] = r[np.ix_(S, P)].min(1).max()
    return near, tuple(sorted(int(n) for n in (r[np.ix_(P, S)] < 2.75).sum(1)))


def events(path):
    x, z, H = load(path)
    seen = set()
    for t in range(len(x)):
        m, around = look(x[t], z, H)
        if m["PS"] < 1.7 or m["PP"] < 3 or m["LiS"] < 1.8 or m["LiLi"] < 1.85 or sum(n != 4 for n in around) > 2:
            return
        for what, here in (("contact", 2 < m["SS"] < 2.5), ("hole", m["SS"] < 2.15), ("approach", m["PP"] < 4.2),
                           ("break", m["out"] > 2.9 and max(around) == 4 > min(around)), ("exchange", max(around) > 4)):
            if here and what not in seen:
                seen.add(what)
                print("%s@%d %-8s" % (path, t, what), around, " ".join("%s %.2f" % q for q in m.items()))
        if m["SS"] < 1.55:
            return


def take(folder, words):
    for word in words:
        group, picks = word.split("=")
        H, X = [], []
        for pick in picks.split(","):
            path, t = pick.rsplit("@", 1)
            x, z, h = load(path)
            H.append(h)
            X.append(x[int(t)][np.argsort(z, kind="stable")])
        np.savez("%s/%s.npz" % (folder, group), H=np.array(H), x=np.array(X), T=1300.0)


if sys.argv[1] == "list":
    for p in sys.argv[2:]:
        events(p)
else:
    take(sys.argv[2], sys.argv[3:])
