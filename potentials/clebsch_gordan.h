/* clebsch_gordan.h - the coefficients that couple angular momenta (private to potentials/). */
#ifndef MLK_POTENTIALS_CLEBSCH_GORDAN_H
#define MLK_POTENTIALS_CLEBSCH_GORDAN_H

/* <j1 m1 j2 m2 | j m>, momenta doubled and everything else in indices from below: j1 here is twice
 * the momentum, a = j1/2 + m1 = 0..j1, b = 0..j2, and a + b - s = 0..j with s = (j1+j2-j)/2; 0 out
 * of range. Racah's formula (Varshalovich et al., Quantum theory of angular momentum, 8.2.1). */
double mlk_clebsch_gordan(int j1, int a, int j2, int b, int j);

/* n! */
double mlk_factorial(int n);

#endif
