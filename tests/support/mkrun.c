/* mkrun.c - see mkrun.h. */
#include "tests/support/mkrun.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/h5.h"
#include "core/json.h"

enum { N_MODELS = 3, N_TEMPS = 3, N_CURVE = 60 };
static const char *const models[N_MODELS] = {"nep-1", "nep-2", "snap-1"};
static const char *const types[N_MODELS] = {"nep", "nep", "snap"};
static const double naive[N_MODELS] = {1.0, 1.5, 2.0}, corrected[N_MODELS] = {0.80, 0.81, 0.79};
static const double temps[N_TEMPS] = {500, 700, 900};

static void must(mlk_status s, const mlk_err *e)
{
    if (!s) return;
    fprintf(stderr, "mkrun: %s: %s\n", e->file, e->msg);
    abort();
}

static FILE *create(const char *run, const char *name)
{
    char path[1200], dir[1200];
    mlk_err e = {0};
    mlk_path_join(path, sizeof path, run, name);
    snprintf(dir, sizeof dir, "%s", path);
    for (char *p = dir, *slash = NULL;; p++) {
        if (*p == '/') slash = p;
        if (!*p) {
            if (slash) *slash = 0;
            break;
        }
    }
    must(mlk_mkdir_p(dir, &e), &e);
    FILE *f = fopen(path, "w");
    if (!f) abort();
    return f;
}

static void model(const char *run, int m)
{
    char name[100];
    snprintf(name, sizeof name, "models/%s/train.json", models[m]);
    FILE *f = create(run, name);
    fprintf(
        f,
        "{\"model\":\"%s\",\"name\":\"%s\",\"type\":\"%s\",\"species\":[\"Li\",\"S\"],\"n_param\":%"
        "d,\"seed\":%d,"
        "\"n_train\":90,\"n_valid\":10,\"wall_s\":12.5,\"train\":{\"energy_rmse_meV_atom\":1.0,"
        "\"force_rmse_meV_A\":50,\"stress_rmse_GPa\":0.1},\"valid\":{\"energy_rmse_meV_atom\":1.5,"
        "\"force_rmse_meV_A\":60,\"stress_rmse_GPa\":0.12},\"force_rmse_by_species\":{\"Li\":40,"
        "\"S\":70}}\n",
        types[m], models[m], types[m], 1000 * (m + 1), m + 1);
    fclose(f);
    snprintf(name, sizeof name, "models/%s/loss.csv", models[m]);
    f = create(run, name);
    fprintf(f, "epoch,wall_s,lr,loss,energy_train_meV_atom,force_train_meV_A,stress_train_GPa,"
               "energy_valid_meV_atom,force_valid_meV_A,stress_valid_GPa\n");
    for (int k = 1; k <= (m < 2 ? 40 : 1); k++)
        fprintf(f, "%d,%g,0.01,1,%g,%g,%g,%g,%g,%g\n", k, 0.3 * k, 1 + 20.0 / k, 50 + 300.0 / k,
                0.1 + 1.0 / k, 1.5 + 22.0 / k, 60 + 310.0 / k, 0.12 + 1.1 / k);
    fclose(f);
    static const char *const what[] = {"energy", "force", "stress"};
    static const char *const head[] = {"split,group,reference_eV_atom,predicted_eV_atom",
                                       "split,species,reference_eV_A,predicted_eV_A",
                                       "split,component,reference_GPa,predicted_GPa"};
    for (int q = 0; q < 3; q++) {
        snprintf(name, sizeof name, "models/%s/parity_%s.csv", models[m], what[q]);
        f = create(run, name);
        fprintf(f, "%s\n", head[q]);
        for (int k = 0; k < 2000; k++) {
            double x = sin(0.7 * k) * (q == 0 ? 0.1 : 2), err = 0.05 * sin(12.9898 * k * (m + 1));
            fprintf(f, "%s,%s,%.6g,%.6g\n", k % 2 ? "valid" : "train", q == 2 ? "xx" : "Li",
                    x - (q == 0 ? 200 : 0), x + err * (q == 0 ? 0.02 : 1) - (q == 0 ? 200 : 0));
        }
        fclose(f);
    }
}

/* of the two nep models: errors of twice the spread */
static void committee(const char *run)
{
    FILE *f = create(run, "committee/nep/committee.json");
    fprintf(f,
            "{\"format\":\"mlkit-committee\",\"version\":1,\"type\":\"nep\",\"members\":[{},{}]");
    for (int q = 0; q < 2; q++)
        fprintf(f,
                ",\"%s\":{\"spread\":20,\"rmse\":41,\"alpha\":2.05,\"alpha_err\":0.1,\"slope\":0.9,"
                "\"spearman\":0.5,\"coverage_1sigma\":{\"before\":0.33,\"after\":0.671,"
                "\"after_err\":0.021},\"coverage_2sigma\":{\"before\":0.6,\"after\":0.95,"
                "\"after_err\":0.012}}",
                q ? "energy" : "force");
    fprintf(f, "}\n");
    fclose(f);
    f = create(run, "committee/nep/committee_bins.csv");
    fprintf(f, "quantity,unit,n,spread,predicted,rmse,rmse_err\n");
    for (int k = 0; k < 6; k++)
        fprintf(f, "force,meV/A,50,%g,%g,%g,%g\n", 5.0 * (1 << k), 10.0 * (1 << k), 10.5 * (1 << k),
                1.0 * (1 << k));
    fclose(f);
    f = create(run, "committee/nep/committee_quantiles.csv");
    fprintf(f, "quantity,expected,before,after,after_err\n");
    for (int k = 1; k < 10; k++)
        fprintf(f, "force,%g,%g,%g,0.02\nenergy,%g,%g,%g,\n", 0.1 * k, 0.05 * k, 0.1 * k, 0.1 * k,
                0.06 * k, 0.09 * k);
    fclose(f);
}

static json_t *wave(double start, double step, int n, double a, double b)
{
    json_t *j = json_array();
    for (int k = 0; k < n; k++) {
        double x = start + step * k;
        json_array_append_new(j, json_real(a + b * (1 - exp(-x))));
    }
    return j;
}

static json_t *ramp(double start, double step)
{
    json_t *j = json_array();
    for (int k = 0; k < N_CURVE; k++) json_array_append_new(j, json_real(start + step * k));
    return j;
}

static void transport(const char *run, int m, int t)
{
    char path[1200], dir[1100];
    mlk_err e = {0};
    snprintf(dir, sizeof dir, "%s/transport/%s", run, models[m]);
    must(mlk_mkdir_p(dir, &e), &e);
    snprintf(path, sizeof path, "%s/%04.0fK.json", dir, temps[t]);
    double kn = naive[m], kc = corrected[m];
    json_t *gauge = json_object(), *gx = ramp(-1, 2.0 / (N_CURVE - 1)), *gy = json_array();
    for (int k = 0; k < N_CURVE; k++) {
        double x = -1 + 2.0 * k / (N_CURVE - 1), c = sqrt(kn - kc);
        json_array_append_new(gy, json_real(kc + (c + 2 * x) * (c + 2 * x)));
    }
    json_object_set_new(gauge, "offset_eV", gx);
    json_object_set_new(gauge, "kappa_naive", gy);
    json_object_set_new(gauge, "kappa", json_real(kc));
    json_t *gk = json_pack("{s:o,s:o,s:o,s:o,s:o}", "t_ps", ramp(0, 0.05), "kappa_naive",
                           wave(0, 0.05, N_CURVE, 0, kn), "kappa_naive_err", ramp(0, 0.002),
                           "kappa", wave(0, 0.05, N_CURVE, 0, kc), "kappa_err", ramp(0, 0.002));
    json_t *sp = json_pack("{s:o,s:o,s:o,s:o,s:o}", "f_THz", ramp(0, 0.3), "naive", ramp(kn, 0.05),
                           "naive_filtered", ramp(kn, 0.04), "corrected", ramp(kc, 0.05),
                           "corrected_filtered", ramp(kc, 0.04));
    json_t *full = json_pack("{s:o,s:o}", "f_THz", ramp(0, 1), "naive", ramp(kn, 0.05));
    json_t *ps = json_pack("{s:o,s:o,s:o}", "p", ramp(1, 1), "kappa",
                           wave(0, 0.3, N_CURVE, kc - 0.2, 0.2), "kappa_err", ramp(0.03, 0.002));
    json_t *msd = json_pack("{s:o,s:o,s:o}", "t_ps", ramp(0, 0.1), "Li", ramp(0, 0.5), "S",
                            wave(0, 1, N_CURVE, 0.1, 0.2));
    json_t *j =
        json_pack("{s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:i,s:f,s:[s],s:{s:{s:f,s:f,s:b}},s:{s:o,s:o,s:"
                  "o,s:o,s:o,s:o}}",
                  "temperature_K", temps[t], "kappa_naive", kn, "kappa_naive_err", 0.05, "kappa",
                  kc, "kappa_err", 0.05, "theta", 1 - kc / kn, "theta_err", 0.03, "sigma_S_m",
                  10.0 + t, "pstar", 12, "fstar_THz", 18.0, "mobile", "Li", "diffusion", "Li",
                  "D_cm2_s", 1e-5 * (t + 1), "D_err", 1e-6, "mobile", 1, "curves", "green_kubo", gk,
                  "spectrum", sp, "spectrum_full", full, "pstar", ps, "msd", msd, "gauge", gauge);
    json_object_set_new(j, "green_kubo",
                        json_pack("{s:[[f,f,f],[f,f,f],[f,f,f]],s:[[f,f,f],[f,f,f],[f,f,f]]}",
                                  "parts_naive", 0.1, 0.01, 0.02, 0.01, 0.3, -0.04, 0.02, -0.04,
                                  0.5, "parts_naive_err", 0.01, 0.001, 0.002, 0.001, 0.03, 0.004,
                                  0.002, 0.004, 0.05));
    must(mlk_json_write(j, path, &e), &e);
    json_decref(j);
}

static void md(const char *run, int m, int t)
{
    char path[1200], dir[1100];
    mlk_err e = {0};
    mlk_h5 *h = NULL;
    enum { N = 500, BINS = 80 };
    double temp[N], etot[N], r[BINS], g[BINS], step = 40;
    snprintf(dir, sizeof dir, "%s/md/%s/%04.0fK/r1", run, models[m], temps[t]);
    must(mlk_mkdir_p(dir, &e), &e);
    snprintf(path, sizeof path, "%s/run.h5", dir);
    for (int k = 0; k < N; k++)
        temp[k] = temps[t] + 20 * sin(0.37 * k + m), etot[k] = -1000 + 1e-3 * sin(0.9 * k);
    for (int k = 0; k < BINS; k++)
        r[k] = 0.1 * (k + 1), g[k] = (1 + 0.02 * m) * (1 - exp(-pow(r[k] / 2.5, 8)));
    must(mlk_h5_open(&h, path, "w", &e), &e);
    must(mlk_h5_write(h, "/observables/temperature/value", MLK_H5_DOUBLE, 1, (size_t[]){N}, temp,
                      &e),
         &e);
    must(mlk_h5_write(h, "/observables/temperature/time", MLK_H5_DOUBLE, 0, NULL, &step, &e), &e);
    must(mlk_h5_write(h, "/observables/total_energy/value", MLK_H5_DOUBLE, 1, (size_t[]){N}, etot,
                      &e),
         &e);
    static const char *const pair[] = {"Li-Li", "Li-S", "S-S"};
    for (int k = 0; k < 3; k++) {
        char name[80];
        snprintf(name, sizeof name, "/parameters/mlkit/rdf/%s/r", pair[k]);
        must(mlk_h5_write(h, name, MLK_H5_DOUBLE, 1, (size_t[]){BINS}, r, &e), &e);
        snprintf(name, sizeof name, "/parameters/mlkit/rdf/%s/g", pair[k]);
        must(mlk_h5_write(h, name, MLK_H5_DOUBLE, 1, (size_t[]){BINS}, g, &e), &e);
    }
    static const char *const key[] = {"temperature_K", "temperature_mean_K", "drift_meV_atom_ns",
                                      "wall_s",        "atom_steps_per_s",   "dt_fs",
                                      "volume_A3"};
    const double value[] = {temps[t], m == 1 && t == 2 ? 2000 : temps[t] + 3, 0.02, 40, 1.5e5, 2,
                            5000};
    for (int k = 0; k < 7; k++)
        must(mlk_h5_attr_set_double(h, "/parameters/mlkit", key[k], value[k], &e), &e);
    must(mlk_h5_attr_set_int(h, "/parameters/mlkit", "n_atoms", 256, &e), &e);
    if (m == 2 && t > 0) { /* left its training data; at the higher temperature bonds broke, too */
        static const char *const what[] = {"outside", "worst_grade", "shortest_ratio"};
        const double how[] = {0.25, 1.5 + t, 0.875};
        for (int k = 0; k < 3; k++)
            must(mlk_h5_attr_set_double(h, "/parameters/mlkit", what[k], how[k], &e), &e);
        must(mlk_h5_attr_set_int(h, "/parameters/mlkit", "extrapolation_flag", 1, &e), &e);
        must(mlk_h5_attr_set_int(h, "/parameters/mlkit", "shortest_flag", 2, &e), &e);
        must(mlk_h5_attr_set_int(h, "/parameters/mlkit", "bonds_start", 64, &e), &e);
        must(mlk_h5_attr_set_int(h, "/parameters/mlkit", "bonds_broke", t > 1 ? 3 : 0, &e), &e);
    }
    must(mlk_h5_attr_set_int(h, "/parameters/mlkit", "complete", 1, &e), &e);
    must(mlk_h5_close(&h, &e), &e);
}

static void plan(const char *run)
{
    FILE *f = create(run, "campaign.yaml");
    fprintf(f,
            "version: 1\nmlkit: \"0\"\ncreated: \"2026-01-01T00:00:00Z\"\nsettings:\n  replicas: "
            "\"1\"\n  dt: \"2fs\"\n"
            "  equil: \"6ps\"\n  temps: \"500:900:200\"\ntemperatures: [500, 700, 900]\nmodels:\n");
    for (int m = 0; m < N_MODELS; m++)
        fprintf(f, "  - {name: %s, type: %s, seed: %d, run_ps: 50}\n", models[m], types[m], m + 1);
    fprintf(f,
            "inputs:\n  - {path: \"/data/<a&b>.xml\", sha256: 0123}\nstart:\n  from: \"a frame\"\n"
            "  supercell: [2, 2, 2]\n  atoms: 256\n");
    fclose(f);
}

void mlk_test_mkrun_values(const char *run, const double n[3], const double k[3], double err)
{
    plan(run);
    for (int m = 0; m < N_MODELS; m++)
        for (int t = 0; t < N_TEMPS; t++) {
            char name[100];
            snprintf(name, sizeof name, "transport/%s/%04.0fK.json", models[m], temps[t]);
            FILE *f = create(run, name);
            fprintf(f,
                    "{\"temperature_K\":%g,\"kappa_naive\":%g,\"kappa_naive_err\":%g,\"kappa\":%g,"
                    "\"kappa_err\":%g}\n",
                    temps[t], n[m], err, k[m], err);
            fclose(f);
        }
}

void mlk_test_mkrun(const char *run, int complete)
{
    plan(run);
    FILE *f = create(run, "journal.jsonl");
    fprintf(f, "{\"event\":\"start\",\"job\":\"train/nep-1\",\"command\":\"mlkit train --model "
               "nep\",\"threads\":1}\n"
               "{\"event\":\"done\",\"job\":\"train/"
               "nep-1\",\"status\":0,\"wall_s\":12.5}\n{\"event\":\"sta");
    fclose(f);
    for (int m = 0; m < N_MODELS - !complete; m++) {
        model(run, m);
        for (int t = 0; t < N_TEMPS; t++) md(run, m, t), transport(run, m, t);
    }
    if (complete) committee(run);
}
