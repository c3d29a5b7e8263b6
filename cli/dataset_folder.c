/* dataset_folder.c - see dataset_folder.h. */
#include "cli/dataset_folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"

enum { DEPTH_MAX = 8, PATH = 2048 };

/* Is the folder there with anything in it? */
static bool holds_files(const char *dir)
{
    DIR *d = opendir(dir);
    bool any = false;
    if (!d) return false;
    for (struct dirent *it; !any && (it = readdir(d));)
        any = strcmp(it->d_name, ".") && strcmp(it->d_name, "..");
    closedir(d);
    return any;
}

/* Remove what this program wrote below its own temporary folder. */
static void remove_tree(const char *dir, int depth)
{
    char path[PATH];
    DIR *d = depth < DEPTH_MAX ? opendir(dir) : NULL;
    for (struct dirent *it; d && (it = readdir(d));) {
        struct stat st;
        if (!strcmp(it->d_name, ".") || !strcmp(it->d_name, "..")) continue;
        mlk_path_join(path, sizeof path, dir, it->d_name);
        if (lstat(path, &st)) continue;
        if (S_ISDIR(st.st_mode))
            remove_tree(path, depth + 1);
        else
            unlink(path);
    }
    if (d) closedir(d);
    rmdir(dir);
}

/* Is one of the folders above the input this one? */
static bool above(const char *input, const struct stat *dir)
{
    char path[PATH];
    struct stat st;
    snprintf(path, sizeof path, "%s", input);
    for (char *end = path + strlen(path); end > path; *end = 0) {
        if (stat(path, &st) == 0 && st.st_dev == dir->st_dev && st.st_ino == dir->st_ino)
            return true;
        while (end > path && *--end != '/') continue;
    }
    return stat(input[0] == '/' ? "/" : ".", &st) == 0 && st.st_dev == dir->st_dev &&
           st.st_ino == dir->st_ino;
}

static bool holds_input(const mlk_dataset *ds, const char *dir)
{
    struct stat st;
    if (stat(dir, &st)) return false;
    for (size_t k = 0; k < ds->n_source; k++)
        if (above(ds->source[k].path, &st)) return true;
    return false;
}

mlk_status mlk_folder_begin(mlk_folder *f, const mlk_dataset *ds, const char *path, bool force,
                            mlk_err *e)
{
    memset(f, 0, sizeof *f);
    if ((size_t)snprintf(f->path, sizeof f->path, "%s", path) >= sizeof f->path)
        return MLK_FAIL(e, MLK_EINVAL, "path is too long: %s", path);
    for (size_t k = strlen(f->path); k > 1 && f->path[k - 1] == '/';) f->path[--k] = 0;
    const bool there = mlk_file_exists(f->path);
    if (there && (!mlk_file_is_dir(f->path) || holds_input(ds, f->path))) {
        MLK_FAIL(e, MLK_EIO,
                 mlk_file_is_dir(f->path) ? "holds one of the inputs"
                                          : "is in the way: not a folder");
        mlk_err_hint(e, "choose another name");
        return mlk_err_at(e, f->path, 0);
    }
    f->fresh = !holds_files(f->path);
    if (!f->fresh && !force) {
        MLK_FAIL(e, MLK_EIO, "the folder is not empty");
        mlk_err_hint(e, "choose another name, or --force to write into it");
        return mlk_err_at(e, f->path, 0);
    }
    snprintf(f->work, sizeof f->work, f->fresh ? "%s.tmp.%ld" : "%s", f->path, (long)getpid());
    return mlk_mkdir_p(f->work, e);
}

mlk_status mlk_folder_end(mlk_folder *f, bool failed, mlk_err *e)
{
    if (!f->fresh) return MLK_OK;
    if (!failed) {
        rmdir(f->path); /* an empty one may be there */
        if (rename(f->work, f->path) == 0) return MLK_OK;
        MLK_FAIL(e, MLK_EIO, "cannot make the folder: %s", strerror(errno));
        mlk_err_at(e, f->path, 0);
    }
    remove_tree(f->work, 0);
    return failed ? MLK_OK : MLK_EIO;
}
