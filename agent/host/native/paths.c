/*
 * Names in directories: given, taken and changed. Each call takes a path or a name, relative to the open directory `at`;
 * NOWHERE is for absolute paths. None follows a symbolic link at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native.h"

static bool absent_or_full(int error)
{
    return absent(error) || error == ENOTEMPTY || error == EEXIST;
}

static bool is_directory(int at, const char *path)
{
    struct stat status;
    return fstatat(at, path, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
}

/* One that is there already is left as it is. */
static int make_directory(int at, const char *path, const uint32_t *mode)
{
    if (mkdirat(at, path, *mode) != 0) {
        int error = errno;
        if (error == EEXIST && is_directory(at, path))
            return 0;
        errno = error;
        return -1;
    }
    int fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = make_ours(fd, *mode);
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

static int remove_file(int at, const char *path, const uint32_t *unused)
{
    (void)unused;
    return unlinkat(at, path, 0);
}

static int remove_directory(int at, const char *path, const uint32_t *unused)
{
    (void)unused;
    return unlinkat(at, path, AT_REMOVEDIR);
}

static int change_mode(int at, const char *path, const uint32_t *mode)
{
    return fchmodat(at, path, *mode, AT_SYMLINK_NOFOLLOW);
}

static int change_owner(int at, const char *path, const uint32_t *owner_group)
{
    return fchownat(at, path, owner_group[0], owner_group[1], AT_SYMLINK_NOFOLLOW);
}

enum { MKDIR, UNLINK, RMDIR, CHMOD, CHOWN };

/* Calls of one path and numbers from 0 to `most`; `expects` tells which errors are an answer, false. */
static const struct {
    const char *name;
    int (*call)(int at, const char *path, const uint32_t numbers[2]);
    bool (*expects)(int error);
    int numbers;
    uint32_t most;
} ON_ONE[] = {
    [MKDIR] = { "mkdir", make_directory, NULL, 1, 07777 },
    [UNLINK] = { "unlink", remove_file, absent, 0, 0 },
    [RMDIR] = { "rmdir", remove_directory, absent_or_full, 0, 0 },
    [CHMOD] = { "chmod", change_mode, NULL, 1, 07777 },
    [CHOWN] = { "chown", change_owner, NULL, 2, LAST_ID },
};

static JSValue on_one(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv, int which)
{
    (void)this, (void)argc;
    int at;
    uint32_t numbers[2];
    if (!directory_of(ctx, argv[0], ON_ONE[which].name, &at))
        return JS_EXCEPTION;
    for (int i = 0; i < ON_ONE[which].numbers; i++)
        if (!number_of(ctx, argv[2 + i], ON_ONE[which].most, EINVAL, ON_ONE[which].name, &numbers[i]))
            return JS_EXCEPTION;
    const char *path = path_of(ctx, argv[1]);
    if (!path)
        return JS_EXCEPTION;

    JSValue result = JS_TRUE;
    if (ON_ONE[which].call(at, path, numbers) != 0)
        result = ON_ONE[which].expects && ON_ONE[which].expects(errno) ? JS_FALSE
                                                                       : fail(ctx, errno, ON_ONE[which].name, path);
    JS_FreeCString(ctx, path);
    return result;
}

static int make_link(int at, const char *target, const char *path)
{
    return symlinkat(target, at, path);
}

static int add_name(int at, const char *existing, const char *path)
{
    return linkat(at, existing, at, path, 0);
}

static int change_name(int at, const char *from, const char *to)
{
    return renameat(at, from, at, to);
}

enum { SYMLINK, LINK, RENAME };

static const struct {
    const char *name;
    int (*call)(int at, const char *from, const char *to);
} ON_TWO[] = {
    [SYMLINK] = { "symlink", make_link },
    [LINK] = { "link", add_name },
    [RENAME] = { "rename", change_name },
};

static JSValue on_two(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv, int which)
{
    (void)this, (void)argc;
    int at;
    if (!directory_of(ctx, argv[0], ON_TWO[which].name, &at))
        return JS_EXCEPTION;
    JSValue result = JS_EXCEPTION;
    const char *from = path_of(ctx, argv[1]);
    const char *to = from ? path_of(ctx, argv[2]) : NULL;
    if (to)
        result = ON_TWO[which].call(at, from, to) == 0 ? JS_UNDEFINED : fail(ctx, errno, ON_TWO[which].name, to);
    JS_FreeCString(ctx, from);
    JS_FreeCString(ctx, to);
    return result;
}

static const JSCFunctionListEntry LIST[] = {
    JS_PROP_INT32_DEF("NOWHERE", AT_FDCWD, 0),
    JS_CFUNC_MAGIC_DEF("mkdir", 4, on_one, MKDIR),
    JS_CFUNC_MAGIC_DEF("unlink", 4, on_one, UNLINK),
    JS_CFUNC_MAGIC_DEF("rmdir", 4, on_one, RMDIR),
    JS_CFUNC_MAGIC_DEF("chmod", 4, on_one, CHMOD),
    JS_CFUNC_MAGIC_DEF("lchown", 4, on_one, CHOWN),
    JS_CFUNC_MAGIC_DEF("symlink", 3, on_two, SYMLINK),
    JS_CFUNC_MAGIC_DEF("link", 3, on_two, LINK),
    JS_CFUNC_MAGIC_DEF("rename", 3, on_two, RENAME),
};

const struct functions path_functions = { LIST, LENGTH(LIST) };
