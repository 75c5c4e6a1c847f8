/* The operator's side: stdin and stdout. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "native.h"

static bool hung_up(int error)
{
    return error == EPIPE || error == ECONNRESET || error == EIO;
}

/*
 * readInput(ms): what is there as soon as something is, empty at the end of input. undefined when the time is over or
 * SIGTERM came.
 */
static JSValue read_input(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    static uint8_t bytes[64 * 1024];

    double ms;
    if (JS_ToFloat64(ctx, &ms, argv[0]))
        return JS_EXCEPTION;
    double deadline = monotonic_ms() + ms;
    struct pollfd polled[] = { { STDIN_FILENO, POLLIN, 0 }, { terminate_fd, POLLIN, 0 } };
    int ready;
    do
        ready = poll(polled, LENGTH(polled), poll_until(deadline));
    while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return fail(ctx, errno, "poll", "stdin");
    if (!polled[0].revents)
        return JS_UNDEFINED;

    ssize_t length = read(STDIN_FILENO, bytes, sizeof bytes);
    if (length < 0 && !hung_up(errno))
        return fail(ctx, errno, "read", "stdin");
    return JS_NewArrayBufferCopy(ctx, bytes, length > 0 ? length : 0);
}

/* writeOutput(bytes): false, for good, once nobody reads there. */
static JSValue write_output(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    static bool closed = false;

    size_t length;
    const uint8_t *bytes = bytes_of(ctx, argv[0], &length);
    if (!bytes)
        return JS_EXCEPTION;
    if (closed || write_all(STDOUT_FILENO, bytes, length))
        return JS_NewBool(ctx, !closed);
    if (!hung_up(errno))
        return fail(ctx, errno, "write", "stdout");
    closed = true;
    return JS_FALSE;
}

static const JSCFunctionListEntry LIST[] = {
    JS_CFUNC_DEF("readInput", 1, read_input),
    JS_CFUNC_DEF("writeOutput", 1, write_output),
};

const struct functions stdio_functions = { LIST, LENGTH(LIST) };
