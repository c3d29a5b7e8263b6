/* cmd_evaluate.c - mlkit evaluate. */
#include "cli/cmd.h"

mlk_status mlk_cmd_evaluate(int argc, char **argv, mlk_err *e)
{
    (void)argc, (void)argv;
    return MLK_FAIL(e, MLK_EUNSUPPORTED, "not in this build");
}
