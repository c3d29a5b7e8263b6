#include "transport/facts.h"
bool mlk_is_gpumd(const char *p, const char *head)
{
    (void)p;
    (void)head;
    return false;
}
mlk_status mlk_read_gpumd(mlk_flux *fl, mlk_lines *l, const mlk_table_opts *o, mlk_err *e)
{
    (void)fl;
    (void)l;
    (void)o;
    return MLK_FAIL(e, MLK_EBUG, "x");
}
