/* output.c - loss.csv, parity data, the same in GPUMD's layout, and errors as JSON. */
#include "train/output.h"

#include <math.h>
#include <string.h>

#include "core/file.h"
#include "core/units.h"

json_t *mlk_errors_json(const mlk_fit_errors *er)
{
    const struct {
        const char *rmse, *mae;
        const mlk_stat *s;
        double unit;
    } row[] = {{"energy_rmse_meV_atom", "energy_mae_meV_atom", &er->energy, 1e3},
               {"force_rmse_meV_A", "force_mae_meV_A", &er->force, 1e3},
               {"stress_rmse_GPa", "stress_mae_GPa", &er->stress, 1}};
    json_t *j = json_object();
    for (int k = 0; k < 3; k++) {
        json_object_set_new(j, row[k].rmse, mlk_json_real(mlk_stat_rmse(row[k].s) * row[k].unit));
        json_object_set_new(j, row[k].mae, mlk_json_real(mlk_stat_mae(row[k].s) * row[k].unit));
    }
    return j;
}

json_t *mlk_errors_species_json(const mlk_fit_errors *er)
{
    json_t *j = json_object();
    for (int z = 1; z <= MLK_ELEMENT_MAX; z++)
        if (er->species[z].n)
            json_object_set_new(j, mlk_element_symbol(z),
                                mlk_json_real(mlk_stat_rmse(&er->species[z]) * 1e3));
    return j;
}

/* empty where there is no value: every reader of CSV understands that as missing */
static void cell(FILE *f, double v, bool last)
{
    if (isfinite(v)) fprintf(f, "%.7g", v);
    fputc(last ? '\n' : ',', f);
}

mlk_status mlk_write_loss_csv(const char *dir, const mlk_history *h, mlk_err *e)
{
    char path[1024];
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, dir, "loss.csv"), e));
    fprintf(o.fp, "epoch,wall_s,lr,loss,energy_train_meV_atom,force_train_meV_A,stress_train_GPa,"
                  "energy_valid_meV_atom,force_valid_meV_A,stress_valid_GPa\n");
    for (size_t k = 0; k < h->n; k++) {
        const mlk_epoch *r = &h->row[k];
        const double v[10] = {r->epoch,   r->wall,    r->lr,      r->loss,    r->e_train,
                              r->f_train, r->s_train, r->e_valid, r->f_valid, r->s_valid};
        for (int c = 0; c < 10; c++) cell(o.fp, v[c], c == 9);
    }
    return mlk_out_commit(&o, e);
}

static const char *split_name(int split)
{
    return split == MLK_SPLIT_TRAIN ? "train" : split == MLK_SPLIT_VALID ? "valid" : "test";
}

static void energy_rows(FILE *f, const mlk_dataset *ds, const mlk_prediction *p)
{
    fprintf(f, "split,group,reference_eV_atom,predicted_eV_atom\n");
    for (size_t k = 0; k < ds->n; k++) {
        const mlk_frame *fr = &ds->frame[k];
        double n = (double)fr->n;
        if (!(fr->has & MLK_HAS_ENERGY)) continue;
        fprintf(f, "%s,", split_name(ds->split[k]));
        for (const char *c = fr->group; *c; c++) fputc(*c == ',' || *c == '"' ? '_' : *c, f);
        fprintf(f, ",%.9g,%.9g\n", fr->energy / n, p[k].energy / n);
    }
}

static void force_rows(FILE *f, const mlk_dataset *ds, const mlk_prediction *p)
{
    fprintf(f, "split,species,reference_eV_A,predicted_eV_A\n");
    for (size_t k = 0; k < ds->n; k++) {
        const mlk_frame *fr = &ds->frame[k];
        for (size_t i = 0; i < fr->n && (fr->has & MLK_HAS_FORCE); i++)
            for (int c = 0; c < 3; c++)
                fprintf(f, "%s,%s,%.7g,%.7g\n", split_name(ds->split[k]),
                        mlk_element_symbol(fr->z[i]), fr->f[i][c], p[k].f[i][c]);
    }
}

static void stress_rows(FILE *f, const mlk_dataset *ds, const mlk_prediction *p)
{
    fprintf(f, "split,component,reference_GPa,predicted_GPa\n");
    for (size_t k = 0; k < ds->n; k++) {
        const mlk_frame *fr = &ds->frame[k];
        for (int c = 0; c < 6 && (fr->has & MLK_HAS_VIRIAL); c++)
            fprintf(f, "%s,%s,%.7g,%.7g\n", split_name(ds->split[k]), mlk_stress_name[c],
                    mlk_stress_gpa((const double(*)[3])fr->virial, fr->cell.volume, c),
                    mlk_stress_gpa((const double(*)[3])p[k].virial, fr->cell.volume, c));
    }
}

mlk_status mlk_write_parity(const char *dir, const mlk_dataset *ds, const mlk_prediction *p,
                            mlk_err *e)
{
    static const struct {
        const char *name;
        void (*rows)(FILE *, const mlk_dataset *, const mlk_prediction *);
    } file[] = {{"parity_energy.csv", energy_rows},
                {"parity_force.csv", force_rows},
                {"parity_stress.csv", stress_rows}};
    for (int k = 0; k < 3; k++) {
        char path[1024];
        mlk_out o;
        MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, dir, file[k].name), e));
        file[k].rows(o.fp, ds, p);
        MLK_TRY(mlk_out_commit(&o, e));
    }
    return MLK_OK;
}

/* one row of virial or stress: six predicted, six reference; unit 0: missing */
static void six(FILE *f, const mlk_frame *fr, const mlk_prediction *p, double unit)
{
    double gpa = unit / MLK_EVA3_GPA * fr->cell.volume;
    for (int c = 0; c < 6; c++)
        fprintf(f, "%g ", -gpa * mlk_stress_gpa((const double(*)[3])p->virial, fr->cell.volume, c));
    for (int c = 0; c < 6; c++) {
        double v = fr->has & MLK_HAS_VIRIAL
                       ? -gpa * mlk_stress_gpa((const double(*)[3])fr->virial, fr->cell.volume, c)
                       : -1e6;
        fprintf(f, "%g%c", v, c == 5 ? '\n' : ' ');
    }
}

static void gpumd_frame(FILE *const f[4], const mlk_frame *fr, const mlk_prediction *p)
{
    double n = (double)fr->n;
    /* digits enough for the hundreds of eV per atom of a pseudopotential */
    fprintf(f[0], "%.9g %.9g\n", p->energy / n, fr->has & MLK_HAS_ENERGY ? fr->energy / n : -1e6);
    for (size_t i = 0; i < fr->n; i++) {
        bool has = fr->has & MLK_HAS_FORCE;
        fprintf(f[1], "%g %g %g %g %g %g\n", p->f[i][0], p->f[i][1], p->f[i][2],
                has ? fr->f[i][0] : -1e6, has ? fr->f[i][1] : -1e6, has ? fr->f[i][2] : -1e6);
    }
    six(f[2], fr, p, 1 / n);
    six(f[3], fr, p, MLK_EVA3_GPA / fr->cell.volume);
}

mlk_status mlk_write_gpumd_out(const char *dir, const mlk_dataset *ds, const mlk_prediction *p,
                               const mlk_history *h, mlk_err *e)
{
    static const char *const what[4] = {"energy", "force", "virial", "stress"};
    char path[1024], name[64];
    for (int split = MLK_SPLIT_TRAIN; split <= MLK_SPLIT_VALID; split++) {
        mlk_out o[4];
        FILE *f[4];
        for (int k = 0; k < 4; k++) {
            snprintf(name, sizeof name, "%s_%s.out", what[k],
                     split == MLK_SPLIT_TRAIN ? "train" : "test");
            MLK_TRY(mlk_out_begin(&o[k], mlk_path_join(path, sizeof path, dir, name), e));
            f[k] = o[k].fp;
        }
        for (size_t k = 0; k < ds->n; k++)
            if (ds->split[k] == split) gpumd_frame(f, &ds->frame[k], &p[k]);
        for (int k = 0; k < 4; k++) MLK_TRY(mlk_out_commit(&o[k], e));
    }
    if (!h->n) return MLK_OK;
    mlk_out o;
    MLK_TRY(mlk_out_begin(&o, mlk_path_join(path, sizeof path, dir, "loss.out"), e));
    for (size_t k = 0; k < h->n; k++) {
        const mlk_epoch *r = &h->row[k];
        /* columns: step, total, L1 and L2 regularisation (SNES only), then errors; the virial in
         * eV/atom from SNES, the stress in GPa from gradients */
        bool snes = r->l1 > 0 || r->l2 > 0 || r->v_train > 0;
        const double v[9] = {r->loss,
                             r->l1,
                             r->l2,
                             r->e_train * 1e-3,
                             r->f_train * 1e-3,
                             snes ? r->v_train : r->s_train,
                             r->e_valid * 1e-3,
                             r->f_valid * 1e-3,
                             snes ? r->v_valid : r->s_valid};
        fprintf(o.fp, "%.0f", r->epoch);
        for (int c = 0; c < 9; c++) fprintf(o.fp, " %.5f", isfinite(v[c]) ? v[c] : 0);
        fputc('\n', o.fp);
    }
    return mlk_out_commit(&o, e);
}
