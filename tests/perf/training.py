#!/usr/bin/env python3
"""training.py - NEP training against its anchors: errors and CPU seconds of `mlkit train` with default
settings on the data sets of ../shared/data (and the bundled Li3PS4), one core, next to published or
measured errors of other programs. Called by `make perf-train`; prints one table.

  training.py BINARY SHARED [NAME...]     only the named rows: pbte-quick pbte pbte-held si li cu2s mos2 li3ps4 li6ps5cl
"""
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile

binary, shared, only = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), sys.argv[3:]
data = os.path.join(shared, "data")
work = tempfile.mkdtemp(prefix="mlk-training-")
env = dict(os.environ, OMP_NUM_THREADS="1")
failed = False


def mlkit(*args):
    """Output as JSON and CPU seconds of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out = subprocess.run([binary, *args, "--json", "-q"], env=env, stdout=subprocess.PIPE, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(out.stdout), cpu


def train(name, files, *options, model="nep"):
    out = os.path.join(work, name)
    result, cpu = mlkit("train", *files, "--model", model, "--no-baseline", "-o", out, *options)
    return result["models"][0], os.path.join(out, result["models"][0]["name"]), cpu


def test_errors(folder, path):
    result, _ = mlkit("validate", folder, path)
    return result["models"][0]


def virial_rmse(folder):
    """meV/atom over six components, training and validation frames together, from the GPUMD files."""
    s = n = 0
    for part in ("train", "test"):
        path = os.path.join(folder, "virial_%s.out" % part)
        for line in open(path) if os.path.exists(path) else ():
            v = [float(w) for w in line.split()]
            s += sum((a - b) ** 2 for a, b in zip(v[:6], v[6:12]))
            n += 6
    return 1e3 * math.sqrt(s / n)


def split_frames(name, paths, held_out):
    """Two files: the frames of extended XYZ files to train on, and those held out."""
    frames = []
    for path in paths:
        lines = open(path).read().split("\n")
        i = 0
        while i < len(lines) and lines[i].strip():
            n = int(lines[i]) + 2
            frames.append("\n".join(lines[i:i + n]) + "\n")
            i += n
    out = [os.path.join(work, "%s-%s.xyz" % (name, part)) for part in ("train", "test")]
    for q, path in enumerate(out):
        with open(path, "w") as f:
            f.writelines(x for k, x in enumerate(frames) if held_out(k) == bool(q))
    return out


def row(name, what, value, target, anchor, who, cpu=None, limit=None):
    """One quantity; smaller is better."""
    global failed
    ok = value <= target and (cpu is None or limit is None or cpu <= limit)
    failed = failed or not ok
    print("%-11s %-26s %8.2f %8s %8s %6s  %7s %6s  %s  %s"
          % (name, what, value, "%.4g" % target, "%.4g" % anchor, "%.2f" % (anchor / value),
             "" if cpu is None else "%.0f" % cpu, "" if limit is None else "%d" % limit,
             "met   " if ok else "MISSED", who), flush=True)


def pbte(name, limit, target, *options):
    files = [os.path.join(data, "pbte", "train.xyz")]
    m, _, cpu = train(name, files, "--valid-fraction", "0", *options)
    who = "GPUMD SNES, 20 000 generations"
    row(name, "E meV/atom, training", m["train"]["energy_rmse_meV_atom"], target[0], 0.414, who, cpu, limit)
    row(name, "F meV/A, training", m["train"]["force_rmse_meV_A"], target[1], 39.9, who, cpu, limit)


def pbte_held_out(name):
    files = split_frames(name, [os.path.join(data, "pbte", "train.xyz")], lambda k: k % 8 == 7)
    _, folder, cpu = train(name, files[:1], "--valid-fraction", "0")
    m = test_errors(folder, files[1])
    who = "prototype of exact-gradient training"
    row(name, "E meV/atom, 3 frames", m["energy_rmse_meV_atom"], 0.49, 0.49, who, cpu)
    row(name, "F meV/A, 3 frames", m["force_rmse_meV_A"], 35.0, 35.0, who, cpu)


def mlearn(name, element, target, anchor, who):
    base = os.path.join(data, "mlearn", element)
    _, folder, cpu = train(name, [os.path.join(base, "train.xyz")])
    m = test_errors(folder, os.path.join(base, "test.xyz"))
    row(name, "E meV/atom, test file", m["energy_rmse_meV_atom"], target[0], anchor[0], who[0], cpu, 90)
    row(name, "F meV/A, test file", m["force_rmse_meV_A"], target[1], anchor[1], who[1], cpu, 90)


def cu2s(name):
    files = split_frames(name, [os.path.join(data, "cu2s", r + ".xyz") for r in ("run3", "run4")],
                         lambda k: k % 10 == 9)
    _, folder, cpu = train(name, files[:1])
    m = test_errors(folder, files[1])
    who = "prototype of exact-gradient training"
    row(name, "E meV/atom, every tenth", m["energy_rmse_meV_atom"], 0.8, 0.87, who, cpu, 150)
    row(name, "F meV/A, every tenth", m["force_rmse_meV_A"], 42, 45.5, who, cpu, 150)


def mos2(name):
    m, folder, cpu = train(name, [os.path.join(data, "mos2", "train.xyz")], "--valid-fraction", "0.1")
    who = "NEP89 fine-tuned, training error"
    row(name, "E meV/atom, held-out tenth", m["valid"]["energy_rmse_meV_atom"], 0.4, 0.44, who, cpu)
    row(name, "F meV/A, held-out tenth", m["valid"]["force_rmse_meV_A"], 50, 60.3, who, cpu)
    row(name, "virial meV/atom, all", virial_rmse(folder), 6, 6.70, who, cpu)


def half_of_snap(name, files):
    """Forces on held-out groups: at most half of the error of a linear SNAP (2J = 8, one density)."""
    snap, _, _ = train(name + "-snap", files, "--snap.chem=false", "--snap.twojmax=8", model="snap")
    m, _, cpu = train(name, files)
    f = [x["valid"]["force_rmse_meV_A"] for x in (m, snap)]
    row(name, "F meV/A, held-out groups", f[0], 0.5 * f[1], f[1], "linear SNAP 2J=8", cpu)


rows = {
    "pbte-quick": lambda n: pbte(n, 45, (0.5, 44), "--quick"),
    "pbte": lambda n: pbte(n, 180, (0.41, 40)),
    "pbte-held": pbte_held_out,
    "si": lambda n: mlearn(n, "Si", (5.5, 115), (5.51, 170), ("quadratic SNAP", "NNP")),
    "li": lambda n: mlearn(n, "Li", (1.0, 16), (0.85, 23.4), ("quadratic SNAP", "NNP")),
    "cu2s": cu2s,
    "mos2": mos2,
    "li3ps4": lambda n: half_of_snap(n, []),
    "li6ps5cl": lambda n: half_of_snap(
        n, [os.path.join(data, "li6ps5cl", t + ".extxyz.gz") for t in ("600K", "1200K")]),
}
try:
    print("%-11s %-26s %8s %8s %8s %6s  %7s %6s  %s" % ("set", "RMSE", "mlkit", "target", "anchor", "ratio",
                                                       "CPU s", "limit", "       anchor by"))
    for name, run in rows.items():
        if only and name not in only:
            continue
        if name != "li3ps4" and not os.path.isdir(data):
            print("%-11s skipped: %s is not there" % (name, data))
            continue
        run(name)
finally:
    shutil.rmtree(work)
sys.exit(1 if failed else 0)
