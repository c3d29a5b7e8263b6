/* shared.c - see shared.h. */
#include "tests/support/shared.h"

#include <stdlib.h>
#include <unistd.h>

#include "version.h"

const char *mlk_test_root(void)
{
    return MLK_SOURCE;
}

const char *mlk_test_shared(void)
{
    const char *env = getenv("MLK_SHARED");
    if (env && access(env, R_OK) == 0) return env;
    return access(MLK_SOURCE "/../shared", R_OK) == 0 ? MLK_SOURCE "/../shared" : NULL;
}
