/* cmd_dataset.c - mlkit dataset: its verbs, and what they share. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cmd.h"
#include "cli/dataset_verbs.h"
#include "core/file.h"
#include "datasets/store.h"

mlk_status mlk_dataset_inputs(mlk_dataset *ds, int n, char **words, const char *parser, bool all,
                              const char *command, mlk_err *e)
{
    if (n == 0) {
        MLK_FAIL(e, MLK_EINVAL, "no data given");
        return mlk_err_hint(e, "'mlkit dataset %s --help' shows how", command);
    }
    for (int k = 0; k < n; k++)
        MLK_TRY(all ? mlk_dataset_read_all(ds, words[k], parser, e)
                    : mlk_dataset_read(ds, words[k], e));
    return MLK_OK;
}

mlk_status mlk_dataset_may_write(const mlk_dataset *ds, const char *path, bool force, mlk_err *e)
{
    struct stat a, b;
    bool input = false;
    for (size_t k = 0; k < ds->n_source && !input; k++)
        input = !stat(path, &a) && !stat(ds->source[k].path, &b) && a.st_dev == b.st_dev &&
                a.st_ino == b.st_ino;
    if (!input && (force || !mlk_file_exists(path))) return MLK_OK;
    MLK_FAIL(e, MLK_EIO, input ? "is one of the inputs" : "exists already");
    mlk_err_hint(e,
                 input ? "choose another name" : "choose another name, or --force to replace it");
    return mlk_err_at(e, path, 0);
}

mlk_status mlk_dataset_store(const mlk_dataset *ds, const char *path, bool force, mlk_err *e)
{
    return force ? mlk_dataset_replace(ds, path, e) : mlk_dataset_write(ds, path, e);
}

mlk_status mlk_cmd_dataset(int argc, char **argv, mlk_err *e)
{
    static const struct {
        const char *name, *summary;
        mlk_status (*run)(int argc, char **argv, mlk_err *e);
    } verbs[] = {{"info", "what is in data files, what is missing or suspicious", mlk_dataset_info},
                 {"convert", "between the formats of VASP, ASE, GPUMD, n2p2, DeePMD, LAMMPS",
                  mlk_dataset_convert},
                 {"split", "training, validation and test: by group, at random, by temperature",
                  mlk_dataset_splitting},
                 {"check", "do the labels mean what they should; twins, leaks, shifted files",
                  mlk_dataset_checking},
                 {"select", "which frames to compute next, by a model's descriptors",
                  mlk_dataset_selecting}};
    const size_t n = sizeof verbs / sizeof *verbs;
    const char *word = argc > 1 ? argv[1] : "";
    for (size_t k = 0; k < n; k++)
        if (!strcmp(word, verbs[k].name)) return verbs[k].run(argc - 1, argv + 1, e);
    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help")) {
        printf("usage: mlkit dataset VERB ...   (mlkit dataset VERB --help for each)\n\n");
        for (size_t k = 0; k < n; k++) printf("  %-8s %s\n", verbs[k].name, verbs[k].summary);
        printf("\nexample:\n  mlkit dataset info vasprun.xml\n");
        return MLK_OK;
    }
    if (*word)
        MLK_FAIL(e, MLK_EINVAL, "unknown 'mlkit dataset' verb '%s'", word);
    else
        MLK_FAIL(e, MLK_EINVAL, "'mlkit dataset' needs a verb");
    return mlk_err_hint(e,
                        "info, check, convert, split or select; 'mlkit dataset --help' explains");
}
