/* Names in directories: everything about a file but its contents. */
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

static bool absent(int error)
{
    return error == ENOENT || error == ENOTDIR;
}

static bool absent_or_full(int error)
{
    return absent(error) || error == ENOTEMPTY || error == EEXIST;
}

static int make_directory(const char *path, const uint32_t *mode)
{
    struct stat status;
    if (mkdir(path, *mode) == 0)
        return 0;
    int error = errno;
    if (error == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return 0;
    errno = error;
    return -1;
}

static int remove_file(const char *path, const uint32_t *unused)
{
    (void)unused;
    return unlink(path);
}

static int remove_directory(const char *path, const uint32_t *unused)
{
    (void)unused;
    return rmdir(path);
}

static int change_mode(const char *path, const uint32_t *mode)
{
    return fchmodat(AT_FDCWD, path, *mode, AT_SYMLINK_NOFOLLOW);
}

static int change_owner(const char *path, const uint32_t *owner_group)
{
    return lchown(path, owner_group[0], owner_group[1]);
}

static int sync_by(int (*sync)(int fd), const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = sync(fd);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

static int sync_path(const char *path, const uint32_t *unused)
{
    (void)unused;
    return sync_by(fsync, path);
}

static int sync_file_system(const char *path, const uint32_t *unused)
{
    (void)unused;
    return sync_by(syncfs, path);
}

enum { MKDIR, UNLINK, RMDIR, CHMOD, CHOWN, SYNC, SYNCFS };

/* To chown(2) the last number of all says that the owner stays. */
#define LAST_ID (UINT32_MAX - 1)

/* Calls of one path and numbers from 0 to `most`; `expects` tells which errors are an answer, false. */
static const struct {
    const char *name;
    int (*call)(const char *path, const uint32_t numbers[2]);
    bool (*expects)(int error);
    int numbers;
    uint32_t most;
} ON_ONE[] = {
    [MKDIR] = { "mkdir", make_directory, NULL, 1, 07777 },
    [UNLINK] = { "unlink", remove_file, absent, 0, 0 },
    [RMDIR] = { "rmdir", remove_directory, absent_or_full, 0, 0 },
    [CHMOD] = { "chmod", change_mode, NULL, 1, 07777 },
    [CHOWN] = { "chown", change_owner, NULL, 2, LAST_ID },
    [SYNC] = { "fsync", sync_path, NULL, 0, 0 },
    [SYNCFS] = { "syncfs", sync_file_system, NULL, 0, 0 },
};

static JSValue on_one(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv, int which)
{
    (void)this, (void)argc;
    uint32_t numbers[2];
    for (int i = 0; i < ON_ONE[which].numbers; i++)
        if (!number_of(ctx, argv[1 + i], ON_ONE[which].most, EINVAL, ON_ONE[which].name, &numbers[i]))
            return JS_EXCEPTION;
    const char *path = path_of(ctx, argv[0]);
    if (!path)
        return JS_EXCEPTION;

    JSValue result = JS_TRUE;
    if (ON_ONE[which].call(path, numbers) != 0)
        result = ON_ONE[which].expects && ON_ONE[which].expects(errno) ? JS_FALSE
                                                                       : fail(ctx, errno, ON_ONE[which].name, path);
    JS_FreeCString(ctx, path);
    return result;
}

enum { SYMLINK, LINK, RENAME };

static const struct {
    const char *name;
    int (*call)(const char *from, const char *to);
} ON_TWO[] = {
    [SYMLINK] = { "symlink", symlink },
    [LINK] = { "link", link },
    [RENAME] = { "rename", rename },
};

static JSValue on_two(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv, int which)
{
    (void)this, (void)argc;
    JSValue result = JS_EXCEPTION;
    const char *from = path_of(ctx, argv[0]);
    const char *to = from ? path_of(ctx, argv[1]) : NULL;
    if (to)
        result = ON_TWO[which].call(from, to) == 0 ? JS_UNDEFINED : fail(ctx, errno, ON_TWO[which].name, to);
    JS_FreeCString(ctx, from);
    JS_FreeCString(ctx, to);
    return result;
}

static JSValue status_object(JSContext *ctx, const struct stat *status)
{
    mode_t mode = status->st_mode;
    const char *kind = S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "directory" : S_ISLNK(mode) ? "symlink" : "other";
    double mtime = status->st_mtim.tv_sec * 1e3 + status->st_mtim.tv_nsec / 1e6;

    const struct field fields[] = {
        { "kind", JS_NewString(ctx, kind) },
        { "mode", JS_NewInt32(ctx, mode & 07777) },
        { "uid", JS_NewInt64(ctx, status->st_uid) },
        { "gid", JS_NewInt64(ctx, status->st_gid) },
        { "size", JS_NewInt64(ctx, status->st_size) },
        { "mtimeMs", JS_NewFloat64(ctx, mtime) },
    };
    return new_object(ctx, fields, LENGTH(fields));
}

/* lstat(path): lstat(2); undefined where there is nothing. */
static JSValue path_status(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    const char *path = path_of(ctx, argv[0]);
    if (!path)
        return JS_EXCEPTION;
    struct stat status;
    JSValue result = lstat(path, &status) == 0 ? status_object(ctx, &status)
                     : absent(errno)           ? JS_UNDEFINED
                                               : fail(ctx, errno, "lstat", path);
    JS_FreeCString(ctx, path);
    return result;
}

/* readlink(path): readlink(2); undefined where there is no symbolic link. */
static JSValue link_target(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    const char *path = path_of(ctx, argv[0]);
    if (!path)
        return JS_EXCEPTION;
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target);
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

static const JSCFunctionListEntry LIST[] = {
    JS_CFUNC_MAGIC_DEF("mkdir", 3, on_one, MKDIR),
    JS_CFUNC_MAGIC_DEF("unlink", 3, on_one, UNLINK),
    JS_CFUNC_MAGIC_DEF("rmdir", 3, on_one, RMDIR),
    JS_CFUNC_MAGIC_DEF("chmod", 3, on_one, CHMOD),
    JS_CFUNC_MAGIC_DEF("lchown", 3, on_one, CHOWN),
    JS_CFUNC_MAGIC_DEF("syncPath", 3, on_one, SYNC),
    JS_CFUNC_MAGIC_DEF("syncFileSystem", 3, on_one, SYNCFS),
    JS_CFUNC_MAGIC_DEF("symlink", 2, on_two, SYMLINK),
    JS_CFUNC_MAGIC_DEF("link", 2, on_two, LINK),
    JS_CFUNC_MAGIC_DEF("rename", 2, on_two, RENAME),
    JS_CFUNC_DEF("lstat", 1, path_status),
    JS_CFUNC_DEF("readlink", 1, link_target),
    JS_CFUNC_DEF("list", 1, list_directory),
    JS_CFUNC_DEF("space", 1, space_left),
};

const struct functions path_functions = { LIST, LENGTH(LIST) };
