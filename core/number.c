/* number.c - see number.h. Up to 19 digits and 27 decimals are done with one 128-bit division,
 * whose quotient and remainder round exactly; everything else goes to strtod. */
#include "core/number.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

__extension__ typedef unsigned __int128 wide;

static const uint64_t pow5[28] = {1u,
                                  5u,
                                  25u,
                                  125u,
                                  625u,
                                  3125u,
                                  15625u,
                                  78125u,
                                  390625u,
                                  1953125u,
                                  9765625u,
                                  48828125u,
                                  244140625u,
                                  1220703125u,
                                  6103515625u,
                                  30517578125u,
                                  152587890625u,
                                  762939453125u,
                                  3814697265625u,
                                  19073486328125u,
                                  95367431640625u,
                                  476837158203125u,
                                  2384185791015625u,
                                  11920928955078125u,
                                  59604644775390625u,
                                  298023223876953125u,
                                  1490116119384765625u,
                                  7450580596923828125u};

static const double pow10[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* m / 10^q, 0 <= q <= 27, m > 0, correctly rounded. */
static double divide(uint64_t m, int q)
{
    if (m < (uint64_t)1 << 53 && q <= 22) return (double)m / pow10[q];
    int up = __builtin_clzll(m); /* numerator m * 2^(64+up): 128 bits, top bit set */
    wide num = (wide)(m << up) << 64;
    wide quot = num / pow5[q];
    int sticky = quot * pow5[q] != num;
    /* value = quot * 2^-(64 + up + q); quot has at least 65 bits */
    int bits = 128 - (quot >> 64 ? __builtin_clzll((uint64_t)(quot >> 64)) : 64);
    int drop = bits - 55;
    uint64_t top = (uint64_t)(quot >> drop);
    sticky |= (quot & (((wide)1 << drop) - 1)) != 0;
    top |= (uint64_t)sticky; /* 55 bits: 53, one to round, one sticky */
    uint64_t half = top & 3, base = top >> 2;
    if (half == 3 || (half == 2 && (base & 1))) base++;
    return ldexp((double)base, drop + 2 - 64 - up - q);
}

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

/* The general case: a copy with an exponent as C writes it. */
static bool slow(const char *from, const char *to, double *v)
{
    char buf[512];
    size_t n = 0;
    bool exponent = false;
    for (const char *p = from; p < to; p++) {
        if (n + 3 > sizeof buf) return false;
        if (*p == 'd' || *p == 'D' || *p == 'e' || *p == 'E') {
            buf[n++] = 'e';
            exponent = true;
        } else {
            if ((*p == '-' || *p == '+') && p > from && !exponent) {
                buf[n++] = 'e';
                exponent = true;
            }
            buf[n++] = *p;
        }
    }
    buf[n] = 0;
    char *end;
    double x = strtod(buf, &end);
    if (*end || end == buf || !isfinite(x)) return false;
    *v = x;
    return true;
}

bool mlk_number_at(const char *s, const char **end, double *v)
{
    const char *p = s;
    bool neg = *p == '-';
    if (*p == '-' || *p == '+') p++;
    uint64_t m = 0;
    int digits = 0, decimals = 0, any = 0;
    for (; *p >= '0' && *p <= '9'; p++, any = 1) {
        m = m * 10 + (uint64_t)(*p - '0');
        digits += digits || *p != '0'; /* not `m != 0`: m wraps around, 2^64 to 0 */
    }
    if (*p == '.')
        for (p++; *p >= '0' && *p <= '9'; p++, any = 1) {
            m = m * 10 + (uint64_t)(*p - '0');
            digits += digits || *p != '0';
            decimals++;
        }
    if (!any) return false;
    bool letter = *p == 'e' || *p == 'E' || *p == 'd' || *p == 'D', down = p[letter] == '-';
    if (letter || down || *p == '+') { /* the exponent, with or without its letter */
        p += letter;
        if (*p == '-' || *p == '+') p++;
        int x = 0;
        if (*p < '0' || *p > '9') return false;
        for (; *p >= '0' && *p <= '9'; p++)
            if (x < 100000) x = 10 * x + (*p - '0');
        decimals += down ? x : -x;
    }
    *end = p;
    if (digits > 19 || decimals > 27 || decimals < 0) return slow(s, p, v);
    double x = m ? divide(m, decimals) : 0;
    *v = neg ? -x : x;
    return true;
}

bool mlk_number(const char **s, double *v)
{
    const char *p = *s, *end;
    double x;
    while (blank(*p)) p++;
    if (!mlk_number_at(p, &end, &x) || (*end && !blank(*end))) return false;
    *v = x;
    *s = end;
    return true;
}

size_t mlk_numbers(const char **s, size_t n, double *v)
{
    size_t k = 0;
    while (k < n && mlk_number(s, &v[k])) k++;
    return k;
}

bool mlk_numbers_only(const char *s, size_t n, double *v)
{
    if (mlk_numbers(&s, n, v) != n) return false;
    while (blank(*s)) s++;
    return !*s;
}

static const char between[] = " \t\r\n\f\v,[]{}()\"";

bool mlk_number_lost(const char *s)
{
    s += strspn(s, between);
    size_t n = strcspn(s, between);
    if (memchr(s, '*', n)) return true;
    if (*s == '-' || *s == '+') s++;
    return !strncasecmp(s, "nan", 3) || !strncasecmp(s, "inf", 3);
}

const char *mlk_number_find_lost(const char *s, size_t *len)
{
    for (s += strspn(s, between); *s; s += *len, s += strspn(s, between)) {
        *len = strcspn(s, between);
        if (mlk_number_lost(s)) return s;
    }
    return NULL;
}
