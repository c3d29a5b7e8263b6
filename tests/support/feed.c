/* feed.c - see feed.h. */
#include "tests/support/feed.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/element.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/number.h"
#include "datasets/dataset.h"
#include "parsers/parser.h"
#include "potentials/potential.h"
#include "tests/support/feed_h5.h"
#include "train/train.h"
#include "transport/table.h"

static const char *const others[] = {"sniff", "store",  "potential", "table",
                                     "flux",  "config", "number"};
enum { N_OTHER = sizeof others / sizeof *others, FILES = 16 };

const char *mlk_feed_target(size_t k)
{
    static char name[80];
    size_t n = 0;
    while (mlk_parsers[n]) n++;
    if (k < n) return mlk_parsers[k]->name;
    if (k < n + N_OTHER) return others[k - n];
    if (k >= 2 * n + N_OTHER) return NULL;
    snprintf(name, sizeof name, "gap-%s", mlk_parsers[k - n - N_OTHER]->name);
    return name;
}

/* ---- the bytes as a file or a folder --------------------------------------------------------- */

static void die(const char *what)
{
    perror(what);
    _exit(3); /* no finding: the machine cannot hold the file */
}

/* A folder of this process, in memory where the system has one. */
static const char *place(void)
{
    static char dir[128];
    const char *top = getenv("MLK_FEED_DIR");
    if (!top) top = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(dir, sizeof dir, "%s/mlk-feed-%ld", top, (long)getpid());
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) die(dir);
    return dir;
}

static void put(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || close(fd) != 0) die(path);
}

typedef struct feed {
    char path[384];            /* what the reader is given  */
    char first[384];           /* of a folder: its first file */
    char file[FILES + 4][384]; /* what to remove afterwards */
    size_t n_file;
} feed;

static bool good_name(const char *s, size_t n)
{
    if (n < 1 || n > 80 || *s == '/' || *s == '.') return false;
    for (size_t k = 0; k < n; k++)
        if (!(isalnum((unsigned char)s[k]) || strchr("._/-", s[k])) ||
            (s[k] == '.' && k + 1 < n && s[k + 1] == '.'))
            return false;
    return true;
}

static void remember(feed *f, const char *path)
{
    if (f->n_file < FILES + 4) snprintf(f->file[f->n_file++], sizeof f->file[0], "%s", path);
}

/* "== NAME\n" starts a file of the folder; path becomes the first of them when single. */
static void make_folder(feed *f, const char *b, size_t n)
{
    char dir[300], path[384];
    snprintf(dir, sizeof dir, "%s/set", place());
    mkdir(dir, 0700);
    snprintf(f->path, sizeof f->path, "%.250s", dir);
    for (size_t at = 0, k = 0; at < n && k < FILES; k++) {
        const char *nl = memchr(b + at, '\n', n - at);
        size_t body = nl ? (size_t)(nl - b) + 1 : n, end = body;
        while (end < n && !(b[end - 1] == '\n' && n - end > 3 && !memcmp(b + end, "== ", 3))) end++;
        size_t len = body - at > 4 ? body - at - 4 : 0;
        if (good_name(b + at + 3, len)) {
            snprintf(path, sizeof path, "%s/%.*s", dir, (int)len, b + at + 3);
            char *slash = strrchr(path, '/');
            *slash = 0;
            if (strcmp(path, dir) && mlk_mkdir_p(path, NULL) == MLK_OK) remember(f, path);
            *slash = '/';
            if (!mlk_file_is_dir(path)) {
                int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
                if (fd >= 0) {
                    if (write(fd, b + body, end - body) < 0) die(path);
                    close(fd);
                    remember(f, path);
                    if (!f->first[0]) snprintf(f->first, sizeof f->first, "%s", path);
                }
            }
        }
        at = end;
    }
}

static void feed_open(feed *f, const char *b, size_t n)
{
    f->n_file = 0;
    f->first[0] = 0;
    if (n > 3 && !memcmp(b, "== ", 3)) {
        make_folder(f, b, n);
        return;
    }
    char path[sizeof f->path];
    snprintf(path, sizeof path, "%s/in", place());
    memcpy(f->path, path, sizeof path);
    remember(f, path);
    if (n > 3 && !memcmp(b, "#h5", 3)) {
        char *script = mlk_alloc(n + 1, 1);
        if (!script) die("script");
        memcpy(script, b, n);
        if (!mlk_feed_h5(f->path, script)) put(f->path, b, n);
        mlk_free(script);
    } else {
        put(f->path, b, n);
    }
}

static void feed_close(feed *f)
{
    for (int pass = 0; pass < 3; pass++) /* files, then folders inside out */
        for (size_t k = f->n_file; k-- > 0;)
            if (unlink(f->file[k]) != 0) rmdir(f->file[k]);
    char dir[300];
    snprintf(dir, sizeof dir, "%s/set", place());
    if (!strncmp(f->path, dir, strlen(dir))) rmdir(dir);
    rmdir(place());
}

/* ---- promises -------------------------------------------------------------------------------- */

static bool ended(const char *s, size_t cap)
{
    return memchr(s, 0, cap) != NULL;
}

const char *mlk_feed_frame(const mlk_frame *fr)
{
    const unsigned known =
        MLK_HAS_CELL | MLK_HAS_ENERGY | MLK_HAS_FORCE | MLK_HAS_VIRIAL | MLK_HAS_VELOCITY;
    if (!fr->n || !fr->z || !fr->x || !fr->f) return "a frame without atoms or arrays";
    if (fr->has & ~known) return "an unknown bit of has";
    if ((fr->has & MLK_HAS_VELOCITY) && !fr->v) return "velocities announced, but no array";
    if (mlk_frame_check(fr, NULL)) return "mlk_frame_check refuses the frame";
    if ((fr->has & MLK_HAS_CELL) && !(fr->cell.volume > 0 && isfinite(fr->cell.volume)))
        return "a cell without volume";
    if ((fr->has & MLK_HAS_VIRIAL) && !(fr->has & MLK_HAS_CELL)) return "a virial without a cell";
    if (isinf(fr->energy0) || isinf(fr->temperature)) return "an infinite energy0 or temperature";
    if (fr->scf < MLK_SCF_UNKNOWN || fr->scf > MLK_SCF_CONVERGED) return "an unknown scf";
    if (fr->step < 0 || fr->line < 0 || fr->run < 0) return "a negative step, line or run";
    if (fr->n_raw != 0 && fr->n_raw != 6 && fr->n_raw != 9) return "n_raw is not 0, 6 or 9";
    if (!ended(fr->source, sizeof fr->source) || !ended(fr->group, sizeof fr->group) ||
        !ended(fr->config_type, sizeof fr->config_type) || !ended(fr->theory, sizeof fr->theory) ||
        !ended(fr->raw_key, sizeof fr->raw_key))
        return "a text without end";
    return NULL;
}

static bool differ(const void *a, const void *b, size_t n)
{
    return memcmp(a, b, n) != 0;
}

static bool differ_real(double a, double b)
{
    return differ(&a, &b, sizeof a) && !(isnan(a) && isnan(b));
}

/* Only what is announced is compared. Labels may be missing from the damaged one. */
mlk_relation mlk_feed_compare(const mlk_frame *w, const mlk_frame *d)
{
    const size_t v3 = w->n * sizeof *w->x;
    if (w->n != d->n || differ(w->z, d->z, w->n * sizeof *w->z) || differ(w->x, d->x, v3) ||
        (d->has & ~w->has) || w->step != d->step || w->line != d->line || w->run != d->run)
        return MLK_DIFFERENT;
    if ((d->has & MLK_HAS_CELL) && (differ(w->cell.h, d->cell.h, sizeof w->cell.h) ||
                                    differ(w->cell.pbc, d->cell.pbc, sizeof w->cell.pbc)))
        return MLK_DIFFERENT;
    if ((d->has & MLK_HAS_ENERGY) &&
        (differ_real(w->energy, d->energy) || w->energy_kind != d->energy_kind))
        return MLK_DIFFERENT;
    if ((d->has & MLK_HAS_FORCE) && differ(w->f, d->f, v3)) return MLK_DIFFERENT;
    if ((d->has & MLK_HAS_VELOCITY) && differ(w->v, d->v, v3)) return MLK_DIFFERENT;
    if ((d->has & MLK_HAS_VIRIAL) && differ(w->virial, d->virial, sizeof w->virial))
        return MLK_DIFFERENT;
    bool lost0 = isnan(d->energy0) && !isnan(w->energy0);
    bool lost_t = isnan(d->temperature) && !isnan(w->temperature);
    bool lost_scf = d->scf == MLK_SCF_UNKNOWN && w->scf != MLK_SCF_UNKNOWN;
    if ((!lost0 && differ_real(w->energy0, d->energy0)) ||
        (!lost_t && differ_real(w->temperature, d->temperature)) || (!lost_scf && w->scf != d->scf))
        return MLK_DIFFERENT;
    if (strcmp(w->group, d->group) || strcmp(w->config_type, d->config_type)) return MLK_DIFFERENT;
    bool lost_theory = !d->theory[0] && w->theory[0];
    if (!lost_theory && strcmp(w->theory, d->theory)) return MLK_DIFFERENT;
    bool fewer = d->has != w->has || lost0 || lost_t || lost_scf || lost_theory;
    return fewer ? MLK_FEWER_LABELS : MLK_SAME;
}

static const char *check_error(mlk_status s, const mlk_err *e, bool place_needed)
{
    if (!s) return NULL;
    if (s == MLK_EBUG) return "an internal promise is broken (MLK_EBUG)";
    if (s == MLK_ENOMEM) return "out of memory: something was allocated because the file said so";
    if (e->code != s) return "status and error differ";
    if (!e->msg[0]) return "an error without a message";
    if (place_needed && s != MLK_EINVAL && !e->file[0]) return "an error without a file";
    return NULL;
}

/* ---- the targets ----------------------------------------------------------------------------- */

typedef struct seen {
    mlk_frame *fr; /* kept when keep */
    size_t n, cap;
    bool keep;
    const char *broken;
} seen;

static mlk_status look(mlk_frame *fr, void *user, mlk_err *e)
{
    seen *s = user;
    if (!s->broken) s->broken = mlk_feed_frame(fr);
    if (s->keep) {
        MLK_TRY(MLK_GROW(s->fr, s->cap, s->n + 1, e));
        s->fr[s->n] = *fr;
        memset(fr, 0, sizeof *fr);
    }
    s->n++;
    return MLK_OK;
}

static void seen_free(seen *s)
{
    for (size_t k = 0; s->keep && k < s->n; k++) mlk_frame_free(&s->fr[k]);
    mlk_free(s->fr);
}

static const char *parse(const char *path, const char *parser, seen *sn, mlk_status *s)
{
    mlk_err e = {0};
    size_t counted;
    *s = mlk_parse_file_as(path, parser, look, sn, &counted, &e);
    if (sn->broken) return sn->broken;
    if (counted != sn->n) return "frames are counted wrongly";
    if (!*s && !sn->n) return "success without a frame";
    return check_error(*s, &e, true);
}

static const char *gap(const char *parser, const char *b, size_t n, mlk_status *s)
{
    seen whole = {.keep = true}, cut = {.keep = true};
    feed f;
    if (n < 3 || !memcmp(b, "#h5", 3) || !memcmp(b, "== ", 3)) return NULL;
    n -= 2; /* the last two bytes say where to cut */
    size_t at = ((unsigned char)b[n] << 8 | (unsigned char)b[n + 1]) % (n + 1);
    feed_open(&f, b, n);
    const char *broken = parse(f.path, parser, &whole, s);
    mlk_status full = *s;
    feed_close(&f);
    if (!broken && full != MLK_EDAMAGED) {
        feed_open(&f, b, at);
        broken = parse(f.path, parser, &cut, s);
        feed_close(&f);
        /* what makes the whole one an error may stand behind the cut */
        if (!broken && cut.n > whole.n + (full != MLK_OK))
            broken = "the cut file has a frame that the whole one lacks";
        for (size_t k = 0; !broken && k < cut.n && k < whole.n; k++)
            if (mlk_feed_compare(&whole.fr[k], &cut.fr[k]) == MLK_DIFFERENT)
                broken = "a frame of the cut file differs from that of the whole one";
    }
    seen_free(&whole), seen_free(&cut);
    return broken;
}

static const char *store(const char *path, mlk_status *s)
{
    mlk_dataset ds = {0};
    mlk_err e = {0};
    *s = mlk_dataset_read_store(&ds, path, &e);
    const char *broken = check_error(*s, &e, true);
    if (*s && ds.n) broken = "frames in spite of an error";
    for (size_t k = 0; !broken && k < ds.n; k++) broken = mlk_feed_frame(&ds.frame[k]);
    mlk_dataset_free(&ds);
    return broken;
}

/* A model that could be read must also be able to answer. */
static const char *answer(const mlk_potential *pot)
{
    mlk_frame fr;
    mlk_neigh nl = {0};
    mlk_eval ev = {0};
    const double side = 12, h[3][3] = {{side, 0, 0}, {0, side, 0}, {0, 0, side}};
    if (pot->rc > 20 || mlk_frame_init(&fr, 4, NULL)) return NULL;
    mlk_cell_init(&fr.cell, h, NULL);
    for (size_t i = 0; i < 4; i++) {
        fr.z[i] = pot->z[i % pot->n_species];
        fr.x[i][i % 3] = 1.9 * (double)i;
    }
    mlk_err e = {0};
    mlk_status s = mlk_potential_eval_frame(pot, &fr, MLK_WANT_VIRIAL | MLK_WANT_W, &nl, &ev, &e);
    const char *broken = s == MLK_ENUMERIC ? NULL : check_error(s, &e, false);
    mlk_neigh_free(&nl), mlk_eval_free(&ev), mlk_frame_free(&fr);
    return broken;
}

static const char *potential(const feed *f, mlk_status *s)
{
    mlk_potential *pot = NULL;
    mlk_err e = {0};
    char manifest[400];
    const char *path = f->path;
    mlk_path_join(manifest, sizeof manifest, f->path, "model.yaml");
    if (mlk_file_is_dir(path) && !mlk_file_exists(manifest) && f->first[0]) path = f->first;
    *s = mlk_potential_read(&pot, path, &e);
    const char *broken = check_error(*s, &e, true);
    if (*s && pot) broken = "a model in spite of an error";
    if (!*s && !broken) broken = answer(pot);
    mlk_potential_destroy(pot);
    return broken;
}

/* known: temperature, volume and interval are given, else the files must say them */
static const char *flux_table(const char *path, bool known, mlk_status *s)
{
    mlk_flux fl = {0};
    mlk_err e = {0};
    mlk_table_opts o = {0};
    if (known) o = (mlk_table_opts){.temperature = 300, .volume = 1000, .dt = 1};
    *s = mlk_table_read(&fl, path, &o, &e);
    const char *broken = check_error(*s, &e, true);
    if (!*s && !broken && !(fl.dt > 0 && fl.volume > 0 && fl.temperature > 0))
        broken = "fluxes without interval, volume or temperature";
    for (size_t k = 0; k < fl.store.k && !broken; k++)
        for (size_t t = 0; t < fl.n && !broken; t++)
            if (!isfinite(fl.store.x[k][t])) broken = "a sample that is not finite";
    mlk_flux_free(&fl);
    return broken;
}

static const char *config(const char *path, mlk_status *s)
{
    mlk_train_config c;
    mlk_err e = {0};
    *s = mlk_train_config_init(&c, false, &e);
    if (!*s) *s = mlk_train_config_read(&c, path, &e);
    mlk_train_config_free(&c);
    return check_error(*s, &e, true);
}

/* mlk_number agrees with strtod to the last bit wherever C can read the number at all. */
static const char *number(const char *b, size_t n)
{
    char text[512];
    if (n >= sizeof text) n = sizeof text - 1;
    memcpy(text, b, n);
    text[n] = 0;
    const char *p = text;
    double v = 0;
    if (!mlk_number(&p, &v)) return p == text ? NULL : "mlk_number failed and moved";
    if (!isfinite(v)) return "mlk_number gave a number that is not finite";
    if (*p && !isspace((unsigned char)*p)) return "mlk_number stopped inside a word";
    char *end;
    double c = strtod(text, &end);
    if (end == p && differ_real(c, v)) return "mlk_number and strtod differ";
    return NULL;
}

/* Else the first file of a folder is what the reader is given, with the others beside it. */
static bool reads_folders(const char *target)
{
    for (size_t k = 0; mlk_parsers[k]; k++)
        if (!strcmp(mlk_parsers[k]->name, target)) return mlk_parsers[k]->sniff_dir != NULL;
    return true;
}

const char *mlk_feed(const char *target, const void *bytes, size_t n, mlk_status *status)
{
    mlk_status ignored, *s = status ? status : &ignored;
    *s = MLK_OK;
    if (!strncmp(target, "gap-", 4)) return gap(target + 4, bytes, n, s);
    if (!strcmp(target, "number")) return number(bytes, n);
    feed f;
    feed_open(&f, bytes, n);
    const char *broken;
    if (!strcmp(target, "store")) {
        broken = store(f.path, s);
    } else if (!strcmp(target, "potential")) {
        broken = potential(&f, s);
    } else if (!strcmp(target, "table")) {
        broken = flux_table(f.path, true, s);
    } else if (!strcmp(target, "flux")) {
        broken = flux_table(f.first[0] ? f.first : f.path, false, s);
    } else if (!strcmp(target, "config")) {
        broken = config(f.path, s);
    } else {
        seen sn = {0};
        const char *path = f.first[0] && !reads_folders(target) ? f.first : f.path;
        broken = parse(path, strcmp(target, "sniff") ? target : NULL, &sn, s);
        seen_free(&sn);
    }
    feed_close(&f);
    return broken;
}
