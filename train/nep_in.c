#include "train/train.h"
bool mlk_nep_in_sniff(const char *path, const char *text)
{
    (void)path;
    (void)text;
    return false;
}
mlk_status mlk_train_config_nep_in(mlk_train_config *c, const char *path, const char *text,
                                   mlk_err *e)
{
    (void)c;
    (void)path;
    (void)text;
    (void)e;
    return MLK_OK;
}
