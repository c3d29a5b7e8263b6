"""Generations 5 to 7: the moment at which runs come near a contact that no frame shows.

usage: sample_contacts.py list RUN.h5...                   first events of each run
       sample_contacts.py take OUTDIR GROUP=RUN.h5@FRAME,RUN.h5@FRAME...   GROUP...
       sample_contacts.py push OUTDIR GROUP=RUN.h5@FRAME:PP,PP...   GROUP...

Runs are `mlkit md` NVT runs of 32 atoms (30 ps, positions every 40 fs) at 400 to 1600 K and 0.90 to 1.10 of 20.7 A^3/atom, begun
from frames of generations 1 and 2, with models fitted to generations 1 to 3. Events: S-S below 2.5 A with every PS4 whole (g5-ss*);
a P-S bond beyond 2.9 A, not more than two PS4 changed (g5-brk1); a fifth S at a P, or P-P below 4.2 A (g5-exch); S-S below 2.15 A,
where those models fall into a hole (g6-*). A run is read up to its first frame beyond help. Generation 7: runs of 10 and 20 ps (positions
every 20 fs) at 400 to 1200 K and 0.78 to 0.96 of that volume, models fitted to generations 1 to 6; P-P at 4.0 to 4.4 A (g7-pp*), a SNAP in
its hole at 2.3 and 2.7 A (g7-hole3), and frames whose two nearest PS4 are pushed together as rigid bodies to the P-P distances named
(g7-push*). Frames go to OUTDIR/GROUP.npz for run_sp.py.
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


def nearest_pair(x, z, H):
    """two P atoms and the vector from the first to the nearest image of the second"""
    P = np.where(z == 15)[0]
    best = None
    for i in P:
        for j in P[P != i]:
            f = (x[j] - x[i]) @ np.linalg.inv(H)
            for s in SHIFTS:
                v = (f - np.round(f) + s) @ H
                if best is None or np.linalg.norm(v) < np.linalg.norm(best[2]):
                    best = i, j, v
    return best


def tetrahedron(p, x, z, H):
    S = np.where(z == 16)[0]
    f = (x[S] - x[p]) @ np.linalg.inv(H)
    r = np.linalg.norm((f - np.round(f)) @ H, axis=1)
    return [p] + list(S[r.argsort()[:4]])


def push(folder, words):
    for word in words:
        group, pick = word.split("=")
        pick, targets = pick.rsplit(":", 1)
        path, t = pick.rsplit("@", 1)
        x, z, H = load(path)
        o = np.argsort(z, kind="stable")
        x, z = x[int(t)][o], z[o]
        i, j, v = nearest_pair(x, z, H)
        X = []
        for target in targets.split(","):
            y, r = x.copy(), np.linalg.norm(v)
            u = v / r * (r - float(target)) / 2
            y[tetrahedron(i, x, z, H)] += u
            y[tetrahedron(j, x, z, H)] -= u
            X.append(y)
        np.savez("%s/%s.npz" % (folder, group), H=np.array([H] * len(X)), x=np.array(X), T=900.0)


if sys.argv[1] == "list":
    for p in sys.argv[2:]:
        events(p)
else:
    {"take": take, "push": push}[sys.argv[1]](sys.argv[2], sys.argv[3:])
