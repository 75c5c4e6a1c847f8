/* A failed system call as a JavaScript exception that carries errno's name, errno(3). */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "native.h"

static const char *errno_name(int error);

static JSValue failure_type;

/* failWith(type): the constructor (code, what) of what is thrown. The first thing qjs.ts does. */
static JSValue fail_with(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    JS_FreeValue(ctx, failure_type);
    failure_type = JS_DupValue(ctx, argv[0]);
    return JS_UNDEFINED;
}

JSValue fail(JSContext *ctx, int error, const char *call, const char *subject)
{
    char what[PATH_MAX + 64];
    int length = subject ? snprintf(what, sizeof what, "%s '%s'", call, subject) : snprintf(what, sizeof what, "%s", call);
    size_t kept = (size_t)length < sizeof what ? (size_t)length : sizeof what - 1;

    JSValue argv[] = { JS_NewString(ctx, errno_name(error)), new_text(ctx, what, kept) };
    bool made = !JS_IsException(argv[0]) && !JS_IsException(argv[1]);
    JSValue failure = made ? JS_CallConstructor(ctx, failure_type, LENGTH(argv), argv) : JS_EXCEPTION;
    JS_FreeValue(ctx, argv[0]);
    JS_FreeValue(ctx, argv[1]);
    return JS_IsException(failure) ? failure : JS_Throw(ctx, failure);
}

/* glibc has strerrorname_np(3), musl has nothing like it. */
static const char *errno_name(int error)
{
    static char number[16];

    switch (error) {
#define NAME(code) case code: return #code
    NAME(E2BIG);
    NAME(EACCES);
    NAME(EADDRNOTAVAIL);
    NAME(EAGAIN);
    NAME(EBADF);
    NAME(EBUSY);
    NAME(ECHILD);
    NAME(ECONNREFUSED);
    NAME(ECONNRESET);
    NAME(EDQUOT);
    NAME(EEXIST);
    NAME(EFAULT);
    NAME(EFBIG);
    NAME(EHOSTUNREACH);
    NAME(EINTR);
    NAME(EINVAL);
    NAME(EIO);
    NAME(EISDIR);
    NAME(ELOOP);
    NAME(EMFILE);
    NAME(EMLINK);
    NAME(ENAMETOOLONG);
    NAME(ENETUNREACH);
    NAME(ENFILE);
    NAME(ENODEV);
    NAME(ENOENT);
    NAME(ENOEXEC);
    NAME(ENOLCK);
    NAME(ENOMEM);
    NAME(ENOSPC);
    NAME(ENOSYS);
    NAME(ENOTDIR);
    NAME(ENOTEMPTY);
    NAME(ENXIO);
    NAME(EOPNOTSUPP);
    NAME(EOVERFLOW);
    NAME(EPERM);
    NAME(EPIPE);
    NAME(EROFS);
    NAME(ESTALE);
    NAME(ETIMEDOUT);
    NAME(ETXTBSY);
    NAME(EXDEV);
#undef NAME
    default:
        snprintf(number, sizeof number, "E%d", error);
        return number;
    }
}

static const JSCFunctionListEntry LIST[] = {
    JS_CFUNC_DEF("failWith", 1, fail_with),
};

const struct functions failure_functions = { LIST, LENGTH(LIST) };
