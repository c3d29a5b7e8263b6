/* cmd_transport.c - mlkit transport. */
#include "cli/cmd.h"

mlk_status mlk_cmd_transport(int argc, char **argv, mlk_err *e)
{
    (void)argc, (void)argv;
    return MLK_FAIL(e, MLK_EUNSUPPORTED, "not in this build");
}
