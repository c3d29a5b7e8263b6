/* dataset_check_show.c - the report of `mlkit dataset check`, as text and as JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/dataset_check.h"
#include "cli/dataset_info.h"
#include "core/mem.h"

enum { SHOWN = 10 };

static const char *const advice[] = {"keep", "look", "drop"};

/* Kinds that come by the file: counted there, not listed frame by frame. */
static bool by_file(mlk_suspect_kind k)
{
    return k == MLK_SUSPECT_NO_ENERGY || k == MLK_SUSPECT_NO_FORCE || k == MLK_SUSPECT_NO_STRESS ||
           k == MLK_SUSPECT_UNCONVERGED || k == MLK_SUSPECT_NO_LABEL || k == MLK_SUSPECT_HANDED ||
           k == MLK_SUSPECT_VACUUM || k == MLK_SUSPECT_SMEARING;
}

/* The sets that frame and other of a finding belong to. */
static const mlk_frame *frame_of(const mlk_suspect *it, const mlk_dataset *ds,
                                 const mlk_dataset *test)
{
    bool there = it->kind == MLK_SUSPECT_LEAK || it->kind == MLK_SUSPECT_TEST_TWIN;
    return there ? &test->frame[it->frame] : &ds->frame[it->frame];
}

static const mlk_frame *other_of(const mlk_suspect *it, const mlk_dataset *ds,
                                 const mlk_dataset *test)
{
    if (it->kind == MLK_SUSPECT_TEST_TWIN) return &test->frame[it->other];
    return it->kind == MLK_SUSPECT_LEAK || it->other != it->frame ? &ds->frame[it->other] : NULL;
}

/* ---- text ---- */

static void show_one(const mlk_suspect *it, const mlk_dataset *ds, const mlk_dataset *test)
{
    const mlk_frame *fr = frame_of(it, ds, test), *other = other_of(it, ds, test);
    printf("      ");
    mlk_print_place(fr->source, fr->line);
    printf("  frame %zu", it->frame);
    if (fr->step > 0) printf(" step %d", fr->step);
    if (*mlk_suspect_unit(it->kind)) {
        printf("  %.3g %s", it->value, mlk_suspect_unit(it->kind));
        if (it->limit != 0) printf(" (limit %.3g)", it->limit);
    }
    if (other) printf("  as ");
    if (other) mlk_print_place(other->source, other->line);
    printf("%s%s\n", *it->note ? "  " : "", it->note);
}

static void show_files(const mlk_suspect *it, size_t n, const mlk_dataset *ds, bool all)
{
    size_t files = 0;
    for (size_t k = 0, m; k < n; k = m) {
        const mlk_frame *fr = &ds->frame[it[k].frame];
        for (m = k; m < n && !strcmp(ds->frame[it[m].frame].source, fr->source);) m++;
        if (files++ >= SHOWN && !all) continue;
        printf("      ");
        mlk_print_place(fr->source, fr->line);
        printf("  %zu frame%s", m - k, m - k == 1 ? "" : "s");
        if (*mlk_suspect_unit(it[k].kind))
            printf(", first %.3g %s", it[k].value, mlk_suspect_unit(it[k].kind));
        printf("%s%s\n", *it[k].note ? " " : "", it[k].note);
    }
    if (files > SHOWN && !all) printf("      and %zu more files (-v shows all)\n", files - SHOWN);
}

static void show_findings(const mlk_dataset *ds, const mlk_dataset *test, const mlk_check *c,
                          bool all)
{
    const mlk_suspects *s = &c->s;
    printf("\nfindings\n");
    if (!s->n) printf("  none\n");
    for (size_t k = 0; k < s->n;) {
        mlk_suspect_kind kind = s->item[k].kind;
        size_t n = s->count[kind];
        printf("  %-16s %5zu  %-4s  %s\n", mlk_suspect_name(kind), n,
               advice[mlk_suspect_advice(kind)], mlk_suspect_text(kind));
        if (by_file(kind)) {
            show_files(s->item + k, n, ds, all);
        } else {
            for (size_t m = k; m < k + n && (all || m < k + SHOWN); m++)
                show_one(&s->item[m], ds, test);
            if (n > SHOWN && !all) printf("      and %zu more (-v shows all)\n", n - SHOWN);
        }
        k += n;
    }
}

static void show_rows(const mlk_check *c, bool all)
{
    size_t left = 0, shown = 0;
    if (c->fit[0]) printf("\nfitted test: %s\n", c->fit);
    if (!c->n_row) return;
    printf(
        "\nstress against energies of strained cells (strain) and the fitted model (fit), GPa\n");
    printf("  %-28s %-7s %6s %7s %7s %7s %7s  %s\n", "what", "test", "n", "slope", "bias", "RMS",
           "best", "reading");
    for (size_t k = 0; k < c->n_row; k++) {
        const mlk_stress_row *r = &c->row[k];
        if (shown >= SHOWN && !all && !r->bad) {
            left++;
            continue;
        }
        shown++;
        printf("  %-28.28s %-7s %6zu %7.3f %7.3f %7.3f %7.3f  %s%s\n", r->name, r->method, r->n,
               r->slope, r->bias, r->rms, r->best_rms, r->best, r->bad ? "  <-" : "");
    }
    if (left) printf("  and %zu more without a finding (-v shows all)\n", left);
}

static void show_summary(const mlk_check *c)
{
    size_t kinds = 0, by_advice[3] = {0};
    for (int k = 0; k < MLK_SUSPECT_COUNT; k++) {
        kinds += c->s.count[k] > 0;
        by_advice[mlk_suspect_advice((mlk_suspect_kind)k)] += c->s.count[k];
    }
    printf("\nsummary: %zu findings of %zu kinds: drop %zu, look %zu, keep %zu\n", c->s.n, kinds,
           by_advice[MLK_ADVICE_DROP], by_advice[MLK_ADVICE_LOOK], by_advice[MLK_ADVICE_KEEP]);
}

void mlk_check_show(const mlk_dataset *ds, const mlk_dataset *test, const mlk_check *c, bool all)
{
    printf("%-12s%zu of %zu file%s", "frames", ds->n, ds->n_source, ds->n_source == 1 ? "" : "s");
    if (test) printf("; test set: %zu", test->n);
    printf("\n");
    if (isfinite(c->smear_min))
        printf("%-12sF - E(sigma->0) from %.3g to %.3g meV/atom\n", "smearing", c->smear_min,
               c->smear_max);
    for (size_t k = 0; k < ds->n_problem; k++) {
        printf("%-12s", "broken");
        mlk_print_place(ds->problem[k].file, ds->problem[k].line);
        printf(": %s\n", ds->problem[k].msg);
    }
    show_findings(ds, test, c, all);
    show_rows(c, all);
    show_summary(c);
}

/* ---- JSON ---- */

/* A string that may hold bytes that are not UTF-8: those become '?'. */
static json_t *text(const char *s)
{
    json_t *j = json_string(s);
    if (j) return j;
    char copy[1100];
    size_t n = 0;
    for (; *s && n + 1 < sizeof copy; s++) copy[n++] = (unsigned char)*s < 128 ? *s : '?';
    copy[n] = 0;
    return json_string(copy);
}

static json_t *json_finding(const mlk_suspect *it, const mlk_dataset *ds, const mlk_dataset *test)
{
    const mlk_frame *fr = frame_of(it, ds, test), *other = other_of(it, ds, test);
    bool unit = *mlk_suspect_unit(it->kind);
    json_t *j =
        json_pack("{s:s,s:o,s:I,s:I,s:i,s:s}", "kind", mlk_suspect_name(it->kind), "file",
                  text(fr->source), "line", (json_int_t)fr->line, "frame", (json_int_t)it->frame,
                  "step", fr->step, "recommendation", advice[mlk_suspect_advice(it->kind)]);
    json_object_set_new(j, "value", mlk_json_real(unit || it->value != 0 ? it->value : NAN));
    json_object_set_new(j, "limit", mlk_json_real(it->limit != 0 ? it->limit : NAN));
    json_object_set_new(j, "unit", json_string(mlk_suspect_unit(it->kind)));
    json_object_set_new(j, "note", text(it->note));
    json_object_set_new(j, "other_file", other ? text(other->source) : json_null());
    json_object_set_new(j, "other_line", other ? json_integer(other->line) : json_null());
    json_object_set_new(j, "other_frame",
                        other ? json_integer((json_int_t)it->other) : json_null());
    return j;
}

static json_t *json_row(const mlk_stress_row *r)
{
    json_t *j = json_pack("{s:o,s:s,s:I,s:o,s:b,s:b}", "name", text(r->name), "test", r->method,
                          "n", (json_int_t)r->n, "best_reading", text(r->best), "unknown_key",
                          r->raw, "finding", r->bad);
    json_object_set_new(j, "slope", mlk_json_real(r->slope));
    json_object_set_new(j, "bias_GPa", mlk_json_real(r->bias));
    json_object_set_new(j, "rms_GPa", mlk_json_real(r->rms));
    json_object_set_new(j, "best_rms_GPa", mlk_json_real(r->best_rms));
    return j;
}

json_t *mlk_check_json(const mlk_dataset *ds, const mlk_dataset *test, const mlk_check *c)
{
    json_t *j = json_object(), *a = json_array(), *counts = json_object(), *rows = json_array();
    json_t *broken = json_array();
    for (size_t k = 0; k < c->s.n; k++)
        json_array_append_new(a, json_finding(&c->s.item[k], ds, test));
    for (int k = 0; k < MLK_SUSPECT_COUNT; k++)
        json_object_set_new(counts, mlk_suspect_name((mlk_suspect_kind)k),
                            json_integer((json_int_t)c->s.count[k]));
    for (size_t k = 0; k < c->n_row; k++) json_array_append_new(rows, json_row(&c->row[k]));
    for (size_t k = 0; k < ds->n_problem; k++)
        json_array_append_new(broken, json_pack("{s:o,s:I,s:o}", "file", text(ds->problem[k].file),
                                                "line", (json_int_t)ds->problem[k].line, "message",
                                                text(ds->problem[k].msg)));
    json_object_set_new(j, "n_frames", json_integer((json_int_t)ds->n));
    json_object_set_new(j, "n_test", test ? json_integer((json_int_t)test->n) : json_null());
    json_object_set_new(j, "findings", a);
    json_object_set_new(j, "counts", counts);
    json_object_set_new(j, "stress_tests", rows);
    json_object_set_new(j, "fit", text(c->fit));
    json_object_set_new(j, "smearing_meV_atom",
                        json_pack("{s:o,s:o}", "min", mlk_json_real(c->smear_min), "max",
                                  mlk_json_real(c->smear_max)));
    json_object_set_new(j, "problems", broken);
    return j;
}
