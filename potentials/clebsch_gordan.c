/* clebsch_gordan.c - see clebsch_gordan.h. */
#include "potentials/clebsch_gordan.h"

#include <math.h>

double mlk_factorial(int n)
{
    double f = 1;
    for (int k = 2; k <= n; k++) f *= k;
    return f;
}

double mlk_clebsch_gordan(int j1, int a, int j2, int b, int j)
{
    int s = (j1 + j2 - j) / 2, c = a + b - s;
    if (a < 0 || b < 0 || c < 0 || a > j1 || b > j2 || c > j) return 0;
    double sum = 0;
    for (int z = 0; z <= s; z++) {
        int d1 = s - z, d2 = j1 - a - z, d3 = b - z, d4 = a - s + z, d5 = j2 - s - b + z;
        if (d2 < 0 || d3 < 0 || d4 < 0 || d5 < 0) continue;
        double term = 1 / (mlk_factorial(z) * mlk_factorial(d1) * mlk_factorial(d2) *
                           mlk_factorial(d3) * mlk_factorial(d4) * mlk_factorial(d5));
        sum += z % 2 ? -term : term;
    }
    double delta = mlk_factorial(s) * mlk_factorial(j1 - s) * mlk_factorial(j2 - s) /
                   mlk_factorial((j1 + j2 + j) / 2 + 1);
    double m = mlk_factorial(a) * mlk_factorial(j1 - a) * mlk_factorial(b) * mlk_factorial(j2 - b) *
               mlk_factorial(c) * mlk_factorial(j - c);
    return sqrt((j + 1) * delta * m) * sum;
}
