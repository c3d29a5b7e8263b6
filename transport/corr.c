/* corr.c - see corr.h. A run goes through in blocks of B samples, each transformed once with as
 * many zeros behind it. Pairs (t, t+k) lie within a block or reach from one block into the next:
 * with X the later block, shifted by B, conj(Y) X turned by exp(-2 pi i k B / 2B) is the transform
 * of the latter, and for lags up to B nothing wraps around. */
#include "transport/corr.h"

#include <math.h>
#include <string.h>

#include "core/fft.h"
#include "core/mem.h"
#include "core/units.h"

size_t mlk_corr_row(size_t m, size_t a, size_t b)
{
    if (a > b) {
        size_t t = a;
        a = b, b = t;
    }
    return a * m - a * (a + 1) / 2 + b;
}

typedef struct work {
    mlk_fft fwd;
    size_t block;       /* samples of a block: at least twice nlag, half the transform's length */
    double *now, *last; /* (m*nc, nf) complex transforms of this block and the one before */
    double *inside, *between; /* (rows, nf) complex products */
    double *turn;             /* (nf) complex exp(-2 pi i k shift / nfft) */
    size_t shift, last_len;   /* samples of the block before, 0 when there is none */
} work;

mlk_status mlk_corr_begin(mlk_corr_work *w, size_t len, size_t m, size_t nc, size_t nlag,
                          mlk_err *e)
{
    /* below this the cost of a transform is not worth cutting */
    static const size_t least = 4096;
    memset(w, 0, sizeof *w);
    if (nlag < 1 || nlag > len || m < 1 || nc < 1)
        return MLK_FAIL(e, MLK_EINVAL, "correlation of %zu samples up to lag %zu", len, nlag);
    /* a piece is cut evenly: its blocks are longer than half a block, and so than the lags */
    size_t want = 2 * nlag > least ? 2 * nlag : least < len ? least : len;
    size_t nfft = 2, nf, rows = m * (m + 1) / 2;
    while (nfft < 2 * want) nfft *= 2;
    nf = nfft / 2 + 1;
    work *q = mlk_alloc(1, sizeof *q);
    if (!q) return MLK_FAIL(e, MLK_ENOMEM, "correlation up to lag %zu", nlag);
    w->own = q;
    w->m = m, w->nc = nc, w->nlag = nlag;
    q->block = nfft / 2;
    q->now = mlk_alloc(m * nc * 2 * nf, sizeof *q->now);
    q->last = mlk_alloc(m * nc * 2 * nf, sizeof *q->last);
    q->inside = mlk_alloc(rows * 2 * nf, sizeof *q->inside);
    q->between = mlk_alloc(rows * 2 * nf, sizeof *q->between);
    q->turn = mlk_alloc(2 * nf, sizeof *q->turn);
    mlk_status s = q->now && q->last && q->inside && q->between && q->turn
                       ? MLK_OK
                       : MLK_FAIL(e, MLK_ENOMEM, "correlation up to lag %zu", nlag);
    if (!s) s = mlk_fft_init(&q->fwd, MLK_FFT_R2C, nfft, e);
    if (s) mlk_corr_end(w);
    return s;
}

void mlk_corr_end(mlk_corr_work *w)
{
    work *q = w->own;
    if (!q) return;
    mlk_fft_free(&q->fwd);
    mlk_free(q->now), mlk_free(q->last);
    mlk_free(q->inside), mlk_free(q->between);
    mlk_free(q->turn);
    mlk_free(q);
    memset(w, 0, sizeof *w);
}

static void transform(work *q, size_t series, size_t len, const double *const *x, size_t first)
{
    size_t nf2 = 2 * (q->fwd.n / 2 + 1);
    for (size_t a = 0; a < series; a++) {
        memcpy(q->fwd.in, x[a] + first, len * sizeof **x);
        memset(q->fwd.in + len, 0, (q->fwd.n - len) * sizeof **x);
        mlk_fft_execute(&q->fwd);
        memcpy(q->now + a * nf2, q->fwd.out, nf2 * sizeof **x);
    }
}

/* r += (conj X_a X_b + conj X_b X_a)/2, which is real: the transform of the symmetrised sums */
static void products_inside(size_t n, const double *u, const double *v, double *r)
{
    for (size_t k = 0; k < n; k++) r[2 * k] += u[2 * k] * v[2 * k] + u[2 * k + 1] * v[2 * k + 1];
}

/* r += turn (conj Y_a X_b + conj Y_b X_a)/2: X begins after Y */
static void products_between(size_t n, const double *turn, const double *ya, const double *yb,
                             const double *xa, const double *xb, double *r)
{
    for (size_t k = 0; k < n; k++) {
        size_t i = 2 * k, j = 2 * k + 1;
        double re = 0.5 * (ya[i] * xb[i] + ya[j] * xb[j] + yb[i] * xa[i] + yb[j] * xa[j]);
        double im = 0.5 * (ya[i] * xb[j] - ya[j] * xb[i] + yb[i] * xa[j] - yb[j] * xa[i]);
        r[i] += turn[i] * re - turn[j] * im;
        r[j] += turn[i] * im + turn[j] * re;
    }
}

/* exp(-2 pi i k shift / nfft) */
static void set_turn(work *q, size_t shift)
{
    size_t nfft = q->fwd.n;
    if (q->shift == shift) return;
    q->shift = shift;
    for (size_t k = 0; k <= nfft / 2; k++) {
        double t = 2 * MLK_PI * (double)(k * shift % nfft) / (double)nfft;
        q->turn[2 * k] = cos(t), q->turn[2 * k + 1] = -sin(t);
    }
}

/* add the pairs within the block `now`, and those from `last` to it, the latter to `cross` */
static void add_block(const mlk_corr_work *w, double *cross)
{
    enum { STRIP = 256 }; /* frequencies whose transforms stay in the cache for all pairs */
    work *q = w->own;
    size_t nf = q->fwd.n / 2 + 1, m = w->m, nc = w->nc;
    if (q->last_len > 0) set_turn(q, q->last_len);
    for (size_t k = 0; k < nf; k += STRIP) {
        size_t n = nf - k < STRIP ? nf - k : STRIP;
        for (size_t a = 0; a < m; a++)
            for (size_t b = a; b < m; b++)
                for (size_t c = 0; c < nc; c++) {
                    size_t ia = 2 * ((a * nc + c) * nf + k), ib = 2 * ((b * nc + c) * nf + k);
                    size_t r = 2 * (mlk_corr_row(m, a, b) * nf + k);
                    products_inside(n, q->now + ia, q->now + ib, q->inside + r);
                    if (q->last_len > 0)
                        products_between(n, q->turn + 2 * k, q->last + ia, q->last + ib,
                                         q->now + ia, q->now + ib, cross + r);
                }
    }
}

/* out += the sums whose transforms are acc, which is cleared. The way back is the Hartley transform
 * of Re - Im, and that is Re - Im of the transform forth: no plan for the way back is needed. */
static void back(const mlk_corr_work *w, double *acc, double *out)
{
    work *q = w->own;
    size_t nfft = q->fwd.n, nf2 = 2 * (nfft / 2 + 1), rows = w->m * (w->m + 1) / 2;
    for (size_t r = 0; r < rows; r++) {
        const double *f = acc + r * nf2;
        for (size_t k = 0; k <= nfft / 2; k++) {
            q->fwd.in[k] = f[2 * k] - f[2 * k + 1];
            if (k > 0) q->fwd.in[nfft - k] = f[2 * k] + f[2 * k + 1];
        }
        q->fwd.in[nfft / 2] = f[nfft]; /* real there and at 0 */
        mlk_fft_execute(&q->fwd);
        for (size_t k = 0; k < w->nlag; k++)
            out[r * w->nlag + k] += (q->fwd.out[2 * k] - q->fwd.out[2 * k + 1]) / (double)nfft;
    }
    memset(acc, 0, rows * nf2 * sizeof *acc);
}

void mlk_corr_piece(mlk_corr_work *w, size_t n, const double *const *x, const mlk_flux *fl,
                    double *sums)
{
    work *q = w->own;
    size_t rows = w->m * (w->m + 1) / 2;
    size_t n_block = (n + q->block - 1) / q->block;
    for (size_t i = 0, t = 0; i < n_block; i++, t += q->last_len) {
        size_t len = n / n_block + (i < n % n_block);
        transform(q, w->m * w->nc, len, x, t);
        /* a block before the first one belongs to the piece before */
        add_block(w, t > 0 ? q->inside : q->between);
        double *swap = q->last;
        q->last = q->now, q->now = swap;
        q->last_len = len;
        if (fl) mlk_flux_release(fl);
    }
    memset(sums, 0, rows * w->nlag * sizeof *sums);
    back(w, q->inside, sums);
}

void mlk_corr_between(mlk_corr_work *w, double *sums)
{
    work *q = w->own;
    back(w, q->between, sums);
    q->last_len = 0;
}

void mlk_corr_normalise(const mlk_corr_work *w, size_t n, double *sums)
{
    for (size_t r = 0; r < w->m * (w->m + 1) / 2; r++)
        for (size_t k = 0; k < w->nlag; k++)
            sums[r * w->nlag + k] /= (double)w->nc * (double)(n - k);
}

mlk_status mlk_corr(size_t n, size_t m, size_t nc, const double *const *x, size_t nlag, double *out,
                    mlk_err *e)
{
    mlk_corr_work w;
    MLK_TRY(mlk_corr_begin(&w, n, m, nc, nlag, e));
    mlk_corr_piece(&w, n, x, NULL, out);
    mlk_corr_normalise(&w, n, out);
    mlk_corr_end(&w);
    return MLK_OK;
}

void mlk_corr_integral(size_t n, const double *c, double dt, double *out)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++) {
        if (k > 0) sum += 0.5 * dt * (c[k - 1] + c[k]);
        out[k] = sum;
    }
}
