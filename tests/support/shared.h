/* shared.h - where tests find the third-party data and golden numbers, if this machine has them. */
#ifndef MLK_TESTS_SHARED_H
#define MLK_TESTS_SHARED_H

/* The folder with data/ and reference/ ($MLK_SHARED, or ../shared beside the source tree), or NULL.
 */
const char *mlk_test_shared(void);
/* Root of the source tree. */
const char *mlk_test_root(void);

#endif
