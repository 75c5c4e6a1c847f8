/* What files contain. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
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

enum { READ, PLAIN, NEW, EXCLUSIVE, APPEND };

/* Who puts a FIFO in the place of a file that is to be read must not hold the agent up. */
static const int FLAGS[] = {
    [READ] = O_RDONLY | O_NONBLOCK,
    [PLAIN] = O_RDONLY | O_NONBLOCK | O_NOFOLLOW,
    [NEW] = O_WRONLY | O_CREAT | O_TRUNC,
    [EXCLUSIVE] = O_WRONLY | O_CREAT | O_EXCL,
    [APPEND] = O_WRONLY | O_CREAT | O_APPEND,
};

/* openRead(path), openPlain(path), openNew(path, mode), openExclusive(path, mode), openAppend(path, mode): open(2). */
static JSValue open_file(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv, int which)
{
    (void)this, (void)argc;
    uint32_t mode = 0;
    if (which > PLAIN && !number_of(ctx, argv[1], 07777, EINVAL, "open", &mode))
        return JS_EXCEPTION;
    const char *path = path_of(ctx, argv[0]);
    if (!path)
        return JS_EXCEPTION;

    int fd = open(path, FLAGS[which] | O_CLOEXEC, mode);
    bool absent = which <= PLAIN && (errno == ENOENT || errno == ENOTDIR);
    JSValue result = fd >= 0  ? JS_NewInt32(ctx, fd)
                     : absent ? JS_UNDEFINED
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

/* size(fd): fstat(2). */
static JSValue file_size(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    struct stat status;
    if (!descriptor_of(ctx, argv[0], "stat", &fd))
        return JS_EXCEPTION;
    return fstat(fd, &status) == 0 ? JS_NewInt64(ctx, status.st_size) : fail(ctx, errno, "stat", NULL);
}

static JSValue sync_file(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    int fd;
    if (!descriptor_of(ctx, argv[0], "fsync", &fd))
        return JS_EXCEPTION;
    return fsync(fd) == 0 ? JS_UNDEFINED : fail(ctx, errno, "fsync", NULL);
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
    JS_CFUNC_MAGIC_DEF("openRead", 2, open_file, READ),
    JS_CFUNC_MAGIC_DEF("openPlain", 2, open_file, PLAIN),
    JS_CFUNC_MAGIC_DEF("openNew", 2, open_file, NEW),
    JS_CFUNC_MAGIC_DEF("openExclusive", 2, open_file, EXCLUSIVE),
    JS_CFUNC_MAGIC_DEF("openAppend", 2, open_file, APPEND),
    JS_CFUNC_DEF("read", 2, read_piece),
    JS_CFUNC_DEF("write", 2, write_bytes),
    JS_CFUNC_DEF("size", 1, file_size),
    JS_CFUNC_DEF("fsync", 1, sync_file),
    JS_CFUNC_DEF("close", 1, close_file),
};

const struct functions file_functions = { LIST, LENGTH(LIST) };
