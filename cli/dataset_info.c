/* dataset_info.c - see dataset_info.h. */
#include "cli/dataset_info.h"

mlk_status mlk_dataset_info(int argc, char **argv, mlk_err *e)
{
    (void)argc, (void)argv;
    return MLK_FAIL(e, MLK_EUNSUPPORTED, "not in this build");
}
mlk_status mlk_dataset_split_show(const mlk_dataset *ds, bool json, mlk_err *e)
{
    (void)ds, (void)json, (void)e;
    return MLK_OK;
}
