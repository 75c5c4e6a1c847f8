/* Looking at what there is: everything about a file but its contents. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "native.h"

bool absent(int error)
{
    return error == ENOENT || error == ENOTDIR;
}

JSValue status_object(JSContext *ctx, const struct stat *status)
{
    mode_t mode = status->st_mode;
    const char *kind = S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "directory" : S_ISLNK(mode) ? "symlink" : "other";
    double mtime = status->st_mtim.tv_sec * 1e3 + status->st_mtim.tv_nsec / 1e6;
    /* As text: a number of JavaScript's has 53 bits. */
    char identity[40];
    snprintf(identity, sizeof identity, "%jx:%jx", (uintmax_t)status->st_dev, (uintmax_t)status->st_ino);

    const struct field fields[] = {
        { "kind", JS_NewString(ctx, kind) },
        { "mode", JS_NewInt32(ctx, mode & 07777) },
        { "uid", JS_NewInt64(ctx, status->st_uid) },
        { "gid", JS_NewInt64(ctx, status->st_gid) },
        { "size", JS_NewInt64(ctx, status->st_size) },
        { "mtimeMs", JS_NewFloat64(ctx, mtime) },
        { "identity", JS_NewString(ctx, identity) },
    };
    return new_object(ctx, fields, LENGTH(fields));
}

/* lstat(at, path): fstatat(2); undefined where there is nothing. */
static JSValue path_status(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int at;
    if (!directory_of(ctx, argv[0], "lstat", &at))
        return JS_EXCEPTION;
    const char *path = path_of(ctx, argv[1]);
    if (!path)
        return JS_EXCEPTION;
    struct stat status;
    JSValue result = fstatat(at, path, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status_object(ctx, &status)
                     : absent(errno)                                      ? JS_UNDEFINED
                                                                          : fail(ctx, errno, "lstat", path);
    JS_FreeCString(ctx, path);
    return result;
}

/* readlink(at, path): readlinkat(2); undefined where there is no symbolic link. */
static JSValue link_target(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int at;
    if (!directory_of(ctx, argv[0], "readlink", &at))
        return JS_EXCEPTION;
    const char *path = path_of(ctx, argv[1]);
    if (!path)
        return JS_EXCEPTION;
    char target[PATH_MAX];
    ssize_t length = readlinkat(at, path, target, sizeof target);
    JSValue result = length >= 0                          ? new_text(ctx, target, length)
                     : absent(errno) || errno == EINVAL ? JS_UNDEFINED
                                                          : fail(ctx, errno, "readlink", path);
    JS_FreeCString(ctx, path);
    return result;
}

static bool is_self_or_parent(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* All names of an open directory, readdir(3). */
static JSValue entry_names(JSContext *ctx, DIR *directory, const char *path)
{
    JSValue names = JS_NewArray(ctx);
    if (JS_IsException(names))
        return names;
    uint32_t length = 0;
    struct dirent *entry;
    while (errno = 0, (entry = readdir(directory))) {
        if (is_self_or_parent(entry->d_name))
            continue;
        JSValue name = JS_NewString(ctx, entry->d_name);
        if (JS_IsException(name) || JS_SetPropertyUint32(ctx, names, length++, name) < 0) {
            JS_FreeValue(ctx, names);
            return JS_EXCEPTION;
        }
    }
    if (errno == 0)
        return names;
    JS_FreeValue(ctx, names);
    return fail(ctx, errno, "readdir", path);
}

/* list(path): the names in no order; undefined where there is no directory. */
static JSValue list_directory(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    const char *path = path_of(ctx, argv[0]);
    if (!path)
        return JS_EXCEPTION;
    JSValue result;
    DIR *directory = opendir(path);
    if (directory) {
        result = entry_names(ctx, directory, path);
        closedir(directory);
    } else {
        result = absent(errno) ? JS_UNDEFINED : fail(ctx, errno, "opendir", path);
    }
    JS_FreeCString(ctx, path);
    return result;
}

static JSValue space_object(JSContext *ctx, const struct statvfs *status)
{
    /* File systems without a table of inodes, btrfs for one, say that they have none at all. */
    double inodes = status->f_files == 0 ? INFINITY : (double)status->f_favail;

    const struct field fields[] = {
        { "bytes", JS_NewFloat64(ctx, (double)status->f_bavail * status->f_frsize) },
        { "inodes", JS_NewFloat64(ctx, inodes) },
        { "readOnly", JS_NewBool(ctx, (status->f_flag & ST_RDONLY) != 0) },
    };
    return new_object(ctx, fields, LENGTH(fields));
}

/* space(path): statvfs(3). */
static JSValue space_left(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    const char *path = path_of(ctx, argv[0]);
    if (!path)
        return JS_EXCEPTION;
    struct statvfs status;
    JSValue result = statvfs(path, &status) == 0 ? space_object(ctx, &status) : fail(ctx, errno, "statvfs", path);
    JS_FreeCString(ctx, path);
    return result;
}

/* user(): geteuid(2) and getegid(2). */
static JSValue own_user(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    const struct field fields[] = {
        { "uid", JS_NewInt64(ctx, geteuid()) },
        { "gid", JS_NewInt64(ctx, getegid()) },
    };
    return new_object(ctx, fields, LENGTH(fields));
}

static const JSCFunctionListEntry LIST[] = {
    JS_CFUNC_DEF("lstat", 2, path_status),
    JS_CFUNC_DEF("readlink", 2, link_target),
    JS_CFUNC_DEF("list", 1, list_directory),
    JS_CFUNC_DEF("space", 1, space_left),
    JS_CFUNC_DEF("user", 0, own_user),
};

const struct functions stat_functions = { LIST, LENGTH(LIST) };
