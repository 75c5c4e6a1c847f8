/* Clocks, the lock, the environment. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "native.h"

/* clock_gettime(2) */
static double clock_ms(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

double monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

int poll_until(double deadline)
{
    double left = deadline - monotonic_ms();
    return isinf(left) && left > 0 ? -1 : left > INT_MAX ? INT_MAX : left > 0 ? (int)ceil(left) : 0;
}

static JSValue now(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    return JS_NewFloat64(ctx, floor(clock_ms(CLOCK_REALTIME)));
}

static JSValue ticks(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    return JS_NewFloat64(ctx, monotonic_ms());
}

/* sleep(ms): nanosleep(2), all of it. */
static JSValue sleep_ms(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    double ms;
    if (JS_ToFloat64(ctx, &ms, argv[0]))
        return JS_EXCEPTION;
    if (!(ms > 0))
        return JS_UNDEFINED;
    struct timespec left = { ms / 1e3, fmod(ms, 1e3) * 1e6 };
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
    return JS_UNDEFINED;
}

/* lock(path): flock(2) on a descriptor that stays open until exit; false when somebody else has it. */
static JSValue lock(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    const char *path = path_of(ctx, argv[0]);
    if (!path)
        return JS_EXCEPTION;
    JSValue result = JS_TRUE;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        result = fail(ctx, errno, "open", path);
    } else if (make_ours(fd, 0600) != 0) {
        result = fail(ctx, errno, "chmod", path);
        close(fd);
    } else if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        result = errno == EWOULDBLOCK ? JS_FALSE : fail(ctx, errno, "flock", path);
        close(fd);
    }
    JS_FreeCString(ctx, path);
    return result;
}

static JSValue terminated(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc, (void)argv;
    struct pollfd polled = { terminate_fd, POLLIN, 0 };
    return JS_NewBool(ctx, poll(&polled, 1, 0) > 0);
}

/* getenv(name): getenv(3); '' where it is not set. */
static JSValue environment(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    const char *name = JS_ToCString(ctx, argv[0]);
    if (!name)
        return JS_EXCEPTION;
    const char *value = getenv(name);
    JS_FreeCString(ctx, name);
    return JS_NewString(ctx, value ? value : "");
}

static const JSCFunctionListEntry LIST[] = {
    JS_CFUNC_DEF("now", 0, now),
    JS_CFUNC_DEF("ticks", 0, ticks),
    JS_CFUNC_DEF("sleep", 1, sleep_ms),
    JS_CFUNC_DEF("lock", 1, lock),
    JS_CFUNC_DEF("terminated", 0, terminated),
    JS_CFUNC_DEF("getenv", 1, environment),
};

const struct functions system_functions = { LIST, LENGTH(LIST) };
