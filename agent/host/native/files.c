/* What files contain. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "native.h"

/* read(2) until `size` bytes or the end. -1 with errno set. */
static ssize_t read_up_to(int fd, uint8_t *bytes, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t got = read(fd, bytes + length, size - length);
        if (got == 0)
            break;
        if (got > 0)
            length += got;
        else if (errno != EINTR)
            return -1;
    }
    return length;
}

bool write_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, bytes, length);
        if (put < 0) {
            if (errno != EINTR)
                return false;
            continue;
        }
        bytes += put;
        length -= put;
    }
    return true;
}

int make_ours(int fd, mode_t mode)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return -1;
    bool ours = status.st_uid == geteuid() && status.st_gid == getegid();
    /* Who is not root keeps an embedded host, and can give nothing away. */
    if (!ours && fchown(fd, geteuid(), getegid()) != 0 && (geteuid() == 0 || errno != EPERM))
        return -1;
    mode_t wanted = mode & 07777 & ~UMASK;
    return (status.st_mode & 07777) == wanted ? 0 : fchmod(fd, wanted);
}

enum { READ, PLAIN, DIRECTORY, NEW, EXCLUSIVE, APPEND };

/* Who puts a FIFO in the place of a file that is to be read must not hold the agent up. */
static const int FLAGS[] = {
    [READ] = O_RDONLY | O_NONBLOCK,
    [PLAIN] = O_RDONLY | O_NONBLOCK | O_NOFOLLOW,
    [DIRECTORY] = O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
    [NEW] = O_WRONLY | O_CREAT | O_TRUNC,
    [EXCLUSIVE] = O_WRONLY | O_CREAT | O_EXCL,
    [APPEND] = O_WRONLY | O_CREAT | O_APPEND,
};

/* Whether the error says that there is nothing of the kind that was to be opened. */
static bool is_absence(int which, int error)
{
    return which <= DIRECTORY && (absent(error) || (which == DIRECTORY && error == ELOOP));
}

/* openat(2). -1 with errno set. What is opened for writing is ours, with this mode, when it returns. */
static int open_as(int which, int at, const char *path, mode_t mode)
{
    /* Nobody else may have opened it before it has its group. */
    int fd = openat(at, path, FLAGS[which] | O_CLOEXEC, mode & S_IRWXU);
    if (fd < 0 || which <= DIRECTORY || make_ours(fd, mode) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/*
 * openRead(at, path), openPlain(at, path), openDirectory(at, path), openNew(at, path, mode),
 * openExclusive(at, path, mode), openAppend(at, path, mode): a descriptor; the first three undefined where there is none.
 */
static JSValue open_file(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv, int which)
{
    (void)this, (void)argc;
    int at;
    uint32_t mode = 0;
    if (!directory_of(ctx, argv[0], "open", &at))
        return JS_EXCEPTION;
    if (which > DIRECTORY && !number_of(ctx, argv[2], 07777, EINVAL, "open", &mode))
        return JS_EXCEPTION;
    const char *path = path_of(ctx, argv[1]);
    if (!path)
        return JS_EXCEPTION;

    int fd = open_as(which, at, path, mode);
    JSValue result = fd >= 0                      ? JS_NewInt32(ctx, fd)
                     : is_absence(which, errno) ? JS_UNDEFINED
                                                  : fail(ctx, errno, "open", path);
    JS_FreeCString(ctx, path);
    return result;
}

/* read(fd, size): an ArrayBuffer of `size` bytes, fewer only at the end of the file. */
static JSValue read_piece(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    uint32_t size;
    /* As much as an ArrayBuffer of QuickJS can hold. */
    if (!descriptor_of(ctx, argv[0], "read", &fd) || !number_of(ctx, argv[1], INT32_MAX, EFBIG, "read", &size))
        return JS_EXCEPTION;
    uint8_t *bytes = js_malloc(ctx, size ? size : 1);
    if (!bytes)
        return JS_EXCEPTION;
    ssize_t length = read_up_to(fd, bytes, size);
    if (length < 0) {
        js_free(ctx, bytes);
        return fail(ctx, errno, "read", NULL);
    }
    uint8_t *fitted = js_realloc_rt(JS_GetRuntime(ctx), bytes, length ? length : 1);
    return give_bytes(ctx, fitted ? fitted : bytes, length);
}

static JSValue write_bytes(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    size_t length;
    if (!descriptor_of(ctx, argv[0], "write", &fd))
        return JS_EXCEPTION;
    const uint8_t *bytes = bytes_of(ctx, argv[1], &length);
    if (!bytes)
        return JS_EXCEPTION;
    return write_all(fd, bytes, length) ? JS_UNDEFINED : fail(ctx, errno, "write", NULL);
}

/* status(fd): fstat(2), and of a directory whether it has an access control list. */
static JSValue file_status(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    struct stat status;
    if (!descriptor_of(ctx, argv[0], "stat", &fd))
        return JS_EXCEPTION;
    if (fstat(fd, &status) != 0)
        return fail(ctx, errno, "stat", NULL);
    JSValue result = status_object(ctx, &status);
    if (JS_IsException(result) || !S_ISDIR(status.st_mode))
        return result;
    bool listed = fgetxattr(fd, "system.posix_acl_access", NULL, 0) > 0;
    if (JS_DefinePropertyValueStr(ctx, result, "acl", JS_NewBool(ctx, listed), JS_PROP_C_W_E) >= 0)
        return result;
    JS_FreeValue(ctx, result);
    return JS_EXCEPTION;
}

/* fchmod(fd, mode) */
static JSValue change_mode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    uint32_t mode;
    if (!descriptor_of(ctx, argv[0], "chmod", &fd) || !number_of(ctx, argv[1], 07777, EINVAL, "chmod", &mode))
        return JS_EXCEPTION;
    return fchmod(fd, mode) == 0 ? JS_UNDEFINED : fail(ctx, errno, "chmod", NULL);
}

/* fchown(fd, uid, gid) */
static JSValue change_owner(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    uint32_t uid, gid;
    if (!descriptor_of(ctx, argv[0], "chown", &fd) || !number_of(ctx, argv[1], LAST_ID, EINVAL, "chown", &uid)
        || !number_of(ctx, argv[2], LAST_ID, EINVAL, "chown", &gid))
        return JS_EXCEPTION;
    return fchown(fd, uid, gid) == 0 ? JS_UNDEFINED : fail(ctx, errno, "chown", NULL);
}

/* fsync(fd) */
static JSValue sync_file(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    if (!descriptor_of(ctx, argv[0], "fsync", &fd))
        return JS_EXCEPTION;
    return fsync(fd) == 0 ? JS_UNDEFINED : fail(ctx, errno, "fsync", NULL);
}

/* syncfs(fd) */
static JSValue sync_file_system(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    if (!descriptor_of(ctx, argv[0], "syncfs", &fd))
        return JS_EXCEPTION;
    return syncfs(fd) == 0 ? JS_UNDEFINED : fail(ctx, errno, "syncfs", NULL);
}

static JSValue close_file(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    if (!descriptor_of(ctx, argv[0], "close", &fd))
        return JS_EXCEPTION;
    /* On Linux the descriptor is gone after EINTR too, close(2). */
    return close(fd) == 0 || errno == EINTR ? JS_UNDEFINED : fail(ctx, errno, "close", NULL);
}

static const JSCFunctionListEntry LIST[] = {
    JS_CFUNC_MAGIC_DEF("openRead", 3, open_file, READ),
    JS_CFUNC_MAGIC_DEF("openPlain", 3, open_file, PLAIN),
    JS_CFUNC_MAGIC_DEF("openDirectory", 3, open_file, DIRECTORY),
    JS_CFUNC_MAGIC_DEF("openNew", 3, open_file, NEW),
    JS_CFUNC_MAGIC_DEF("openExclusive", 3, open_file, EXCLUSIVE),
    JS_CFUNC_MAGIC_DEF("openAppend", 3, open_file, APPEND),
    JS_CFUNC_DEF("read", 2, read_piece),
    JS_CFUNC_DEF("write", 2, write_bytes),
    JS_CFUNC_DEF("status", 1, file_status),
    JS_CFUNC_DEF("fchmod", 2, change_mode),
    JS_CFUNC_DEF("fchown", 3, change_owner),
    JS_CFUNC_DEF("fsync", 1, sync_file),
    JS_CFUNC_DEF("syncfs", 1, sync_file_system),
    JS_CFUNC_DEF("close", 1, close_file),
};

const struct functions file_functions = { LIST, LENGTH(LIST) };
