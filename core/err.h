/* err.h - errors are values that carry the position in the user's input.
 * A function that can fail returns mlk_status and takes `mlk_err *e` last. The first failure wins;
 * a caller may add a position or a hint that is still missing, never overwrite one. */
#ifndef MLK_CORE_ERR_H
#define MLK_CORE_ERR_H

typedef enum {
    MLK_OK = 0,
    MLK_EINVAL,       /* an argument or option is wrong                     */
    MLK_ENOMEM,       /* memory is exhausted                                */
    MLK_EIO,          /* a file cannot be read or written                   */
    MLK_EFORMAT,      /* a file's content is not what its format promises   */
    MLK_EUNSUPPORTED, /* legal, but mlkit does not do it                    */
    MLK_ENUMERIC,     /* NaN, divergence, singular matrix                   */
    MLK_EINTERRUPTED, /* SIGINT/SIGTERM: state is saved, run again          */
    MLK_EBUG,         /* an internal promise is broken                      */
    MLK_EDAMAGED      /* a checksum is wrong: no byte of the file counts    */
} mlk_status;

typedef struct mlk_err {
    mlk_status code; /* MLK_OK while nothing has failed                 */
    char file[512];  /* the user's file, "" when none                   */
    long line;       /* line in it, 0 when unknown                      */
    char msg[1024];  /* one line, no final full stop                    */
    char hint[512];  /* what to do, "" when none                        */
    const char *src; /* where in our source it was raised               */
    int src_line;
} mlk_err;

/* Raise: fills *e unless it already holds a failure; returns code. e may be NULL. */
mlk_status mlk_err_raise(mlk_err *e, const char *src, int src_line, mlk_status code,
                         const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Add the user's file and line (0 = unknown) if the error has no file yet. Returns e->code. */
mlk_status mlk_err_at(mlk_err *e, const char *file, long line);
/* Add a hint if there is none yet. Returns e->code. */
mlk_status mlk_err_hint(mlk_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Put a printf-formatted prefix before the message. Returns e->code. */
mlk_status mlk_err_prefix(mlk_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Short name of a code: "bad data", "out of memory", ... */
const char *mlk_status_name(mlk_status s);

#define MLK_FAIL(e, code, ...) mlk_err_raise((e), __FILE__, __LINE__, (code), __VA_ARGS__)
#define MLK_TRY(call)                                                                              \
    do {                                                                                           \
        mlk_status mlk_try_s = (call);                                                             \
        if (mlk_try_s) return mlk_try_s;                                                           \
    } while (0)
/* The same with a forward jump to `done`, for functions that own something; needs `mlk_status s`.
 */
#define MLK_GO(call)                                                                               \
    do {                                                                                           \
        s = (call);                                                                                \
        if (s) goto done;                                                                          \
    } while (0)

#endif
