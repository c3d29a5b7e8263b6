/* bonds.c - do the molecular groups of the start hold together? A covalent bond is a pair of
 * non-metals (metalloids included) that begins nearer than 1.2 times the sum of its single-bond
 * radii; it counts as broken once beyond 1.6 times that sum, and as whole again once back within
 * 1.2. Between the two nothing changes, so thermal motion is not counted.
 *
 * LIMIT: contacts with metals are not watched, though some are strong: a mobile ion changes
 * partners all the time, and distances alone do not tell Li-S from Zr-O. */
#include <math.h>
#include <string.h>

#include "core/log.h"
#include "md/md.h"

#define WHOLE 1.2
#define BROKEN 1.6

static bool non_metal(int z)
{
    static const unsigned char list[] = {1,  5,  6,  7,  8,  9,  14, 15, 16,
                                         17, 32, 33, 34, 35, 51, 52, 53};
    return z > 0 && memchr(list, z, sizeof list);
}

/* Sum of the radii [A] of a pair whose bonds are watched, else 0. */
static double reach(int a, int b)
{
    return non_metal(a) && non_metal(b) ? mlk_element_radius(a) + mlk_element_radius(b) : 0;
}

static double length(const mlk_neigh *nl, size_t k)
{
    return sqrt(nl->r[0][k] * nl->r[0][k] + nl->r[1][k] * nl->r[1][k] + nl->r[2][k] * nl->r[2][k]);
}

mlk_status mlk_md_find_bonds(mlk_md *md, mlk_err *e)
{
    double longest = 0;
    size_t cap = 0;
    for (size_t a = 0; a < md->n_el; a++)
        for (size_t b = a; b < md->n_el; b++)
            longest = fmax(longest, WHOLE * reach(md->element[a], md->element[b]));
    if (longest <= 0) return MLK_OK;
    mlk_neigh nl = {0};
    mlk_status s = mlk_neigh_build(&md->cell, md->n, (const double(*)[3])md->x, longest, &nl, e);
    for (size_t i = 0; !s && i < md->n; i++)
        for (size_t k = nl.start[i]; !s && k < nl.start[i + 1]; k++) {
            size_t j = (size_t)nl.j[k];
            if (nl.rev[k] < (int)k || length(&nl, k) >= WHOLE * reach(md->z[i], md->z[j])) continue;
            s = MLK_GROW(md->bond, cap, md->n_bond + 1, e);
            if (s) break;
            mlk_md_bond *b = &md->bond[md->n_bond++];
            b->i = i, b->j = j;
            for (int c = 0; c < 3; c++) b->image[c] = nl.image[c][k];
        }
    mlk_neigh_free(&nl);
    if (!s && md->n_bond) md->turns = mlk_alloc(md->n_bond, sizeof *md->turns);
    if (!s && md->n_bond && !md->turns) s = MLK_FAIL(e, MLK_ENOMEM, "%zu bonds", md->n_bond);
    return s;
}

/* Length of a bond with the images it began with. */
static double now(const mlk_md *md, const mlk_md_bond *b)
{
    double image[3], shift[3], r2 = 0;
    for (int c = 0; c < 3; c++) image[c] = b->image[c] + md->img[b->j][c] - md->img[b->i][c];
    mlk_cell_cart(&md->cell, image, shift);
    for (int c = 0; c < 3; c++) {
        double d = md->x[b->j][c] + shift[c] - md->x[b->i][c];
        r2 += d * d;
    }
    return sqrt(r2);
}

void mlk_md_note_bonds(mlk_md *md)
{
    for (size_t k = 0; k < md->n_bond; k++) {
        const mlk_md_bond *b = &md->bond[k];
        double sum = reach(md->z[b->i], md->z[b->j]), d = now(md, b);
        bool broken = md->turns[k] & 1;
        if (broken ? d > WHOLE * sum : d < BROKEN * sum) continue;
        md->turns[k]++;
        if (broken || md->watch.warned_bond > 0) continue;
        md->watch.warned_bond = 1;
        mlk_log(MLK_LOG_WARN,
                "step %lld (%.4g ps): the bond of %s atom %zu and %s atom %zu broke (%.2f A)",
                (long long)md->step, (double)md->step * md->cfg.dt * 1e-3,
                mlk_element_symbol(md->z[b->i]), b->i + 1, mlk_element_symbol(md->z[b->j]),
                b->j + 1, d);
    }
}

mlk_md_bond_count mlk_md_count_bonds(const mlk_md *md, int za, int zb)
{
    mlk_md_bond_count n = {0};
    for (size_t k = 0; k < md->n_bond; k++) {
        int i = md->z[md->bond[k].i], j = md->z[md->bond[k].j];
        if (za && !(i == za && j == zb) && !(i == zb && j == za)) continue;
        n.start++;
        n.whole += !(md->turns[k] & 1);
        n.broke += (md->turns[k] + 1) / 2;
    }
    return n;
}
