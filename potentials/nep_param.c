/* nep_param.c - which species a parameter of a NEP belongs to; order of nep.txt (nep_io.c). */
#include "potentials/nep.h"

void mlk_nep_param_species(const mlk_potential *pot, int (*of)[2])
{
    const mlk_nep *m = pot->state;
    size_t q = 0, nt = m->nt, per_net = m->neuron * (m->dim + 2);
    for (size_t t = 0; t < m->n_net; t++)
        for (size_t k = 0; k < per_net; k++, q++)
            of[q][0] = m->version == 3 ? -1 : (int)t, of[q][1] = -1;
    of[q][0] = of[q][1] = -1; /* the bias of all networks */
    q++;
    for (; q < pot->n_param; q++) {
        size_t pair = (q - m->n_ann) % (nt * nt);
        of[q][0] = (int)(pair / nt), of[q][1] = (int)(pair % nt);
    }
}
