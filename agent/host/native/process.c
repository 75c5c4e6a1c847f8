/* Other programs. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native.h"

extern char **environ;

/* How much of a program's output is kept, from its end. */
#define KEPT (64 * 1024)

/* The end of what came out of a pipe. */
struct tail {
    int fd; /* -1 at its end */
    size_t length;
    char bytes[2 * KEPT];
};

struct child {
    pid_t pid;
    int status; /* as of wait(2) */
    bool killed;
    bool threw; /* whoever was asked whether it is still wanted */
    struct tail out, err;
};

static void close_tail(struct tail *tail)
{
    if (tail->fd >= 0)
        close(tail->fd);
    tail->fd = -1;
}

/* One read(2). Returns how much came, 0 at the end or when nothing is there. */
static size_t read_tail(struct tail *tail)
{
    if (tail->length == sizeof tail->bytes) {
        memcpy(tail->bytes, tail->bytes + KEPT, KEPT);
        tail->length = KEPT;
    }
    ssize_t got = read(tail->fd, tail->bytes + tail->length, sizeof tail->bytes - tail->length);
    if (got > 0)
        tail->length += got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        close_tail(tail);
    return got > 0 ? got : 0;
}

/* What the program itself wrote is in the pipe when it has ended; what a grandchild goes on to write is not waited for. */
static void finish_tail(struct tail *tail)
{
    int waiting = 0;
    if (tail->fd >= 0)
        ioctl(tail->fd, FIONREAD, &waiting);
    while (waiting > 0 && tail->fd >= 0) {
        size_t got = read_tail(tail);
        if (got == 0)
            break;
        waiting -= got;
    }
    close_tail(tail);
}

static JSValue tail_text(JSContext *ctx, const struct tail *tail)
{
    size_t kept = tail->length < KEPT ? tail->length : KEPT;
    return new_text(ctx, tail->bytes + tail->length - kept, kept);
}

/* Opens a pipe to `tail`; the other end is for the child. Returns it, or -1 with errno set. */
static int open_tail(struct tail *tail)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    tail->fd = ends[0];
    return ends[1];
}

/* stdin from /dev/null, stdout and stderr into the pipes, posix_spawn_file_actions_addopen(3). */
static int plan_descriptors(posix_spawn_file_actions_t *actions, const char *cwd, int out, int err)
{
    int error = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    error = error ? error : posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
    error = error ? error : posix_spawn_file_actions_adddup2(actions, err, STDERR_FILENO);
    return error || !cwd ? error : posix_spawn_file_actions_addchdir_np(actions, cwd);
}

/* A process group of its own, so that a timeout reaches grandchildren and the operator's Ctrl-C does not. */
static int plan_process(posix_spawnattr_t *attributes)
{
    short flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
    int error = posix_spawnattr_setflags(attributes, flags);
    error = error ? error : posix_spawnattr_setpgroup(attributes, 0);
    return error ? error : restore_signals(attributes);
}

/* posix_spawnp(3): does not copy our memory, and tells when exec failed. Returns an error number. */
static int spawn(struct child *child, char *const *argv, const char *cwd, int out, int err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        error = plan_descriptors(&actions, cwd, out, err);
        error = error ? error : plan_process(&attributes);
        error = error ? error : posix_spawnp(&child->pid, argv[0], &actions, &attributes, argv, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Starts the program. Returns an error number. */
static int start(struct child *child, char *const *argv, const char *cwd)
{
    int out = open_tail(&child->out);
    if (out < 0)
        return errno;
    int err = open_tail(&child->err);
    int error = err < 0 ? errno : spawn(child, argv, cwd, out, err);
    close(out);
    if (err >= 0)
        close(err);
    return error;
}

static bool has_ended(struct child *child)
{
    struct signalfd_siginfo news;
    while (read(child_fd, &news, sizeof news) > 0)
        ;
    return waitpid(child->pid, &child->status, WNOHANG) == child->pid;
}

/* How often somebody is asked whether a program is still wanted, in milliseconds. */
#define ASK_MS 50

/* What `interrupted` says, where it is a function. One that throws says so too, and is heard by the caller. */
static bool is_unwanted(JSContext *ctx, JSValueConst interrupted, struct child *child)
{
    if (!JS_IsFunction(ctx, interrupted))
        return false;
    JSValue answer = JS_Call(ctx, interrupted, JS_UNDEFINED, 0, NULL);
    child->threw = JS_IsException(answer);
    bool unwanted = child->threw || JS_ToBool(ctx, answer);
    JS_FreeValue(ctx, answer);
    return unwanted;
}

/* Collects output until the program ends, or is killed at the deadline or when it is not wanted any more. */
static void watch(JSContext *ctx, struct child *child, double deadline, JSValueConst interrupted)
{
    double pause = JS_IsFunction(ctx, interrupted) ? ASK_MS : INFINITY;
    do {
        struct pollfd polled[] = {
            { child_fd, POLLIN, 0 }, { child->out.fd, POLLIN, 0 }, { child->err.fd, POLLIN, 0 }
        };
        poll(polled, LENGTH(polled), poll_until(fmin(deadline, monotonic_ms() + pause)));
        if (polled[1].revents)
            read_tail(&child->out);
        if (polled[2].revents)
            read_tail(&child->err);
        if (has_ended(child))
            return;
    } while (monotonic_ms() < deadline && !is_unwanted(ctx, interrupted, child));

    child->killed = true;
    kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
        ;
}

static JSValue result_object(JSContext *ctx, const struct child *child)
{
    bool exited = !child->killed && WIFEXITED(child->status);

    const struct field fields[] = {
        { "code", exited ? JS_NewInt32(ctx, WEXITSTATUS(child->status)) : JS_NULL },
        { "stdout", tail_text(ctx, &child->out) },
        { "stderr", tail_text(ctx, &child->err) },
    };
    return new_object(ctx, fields, LENGTH(fields));
}

static JSValue run_child(JSContext *ctx, char *const *argv, const char *cwd, double timeout, JSValueConst interrupted)
{
    struct child *child = js_malloc(ctx, sizeof *child);
    if (!child)
        return JS_EXCEPTION;
    child->killed = child->threw = false;
    child->out.fd = child->err.fd = -1;
    child->out.length = child->err.length = 0;

    int error = start(child, argv, cwd);
    if (!error)
        watch(ctx, child, monotonic_ms() + timeout, interrupted);
    finish_tail(&child->out);
    finish_tail(&child->err);
    JSValue result = error          ? fail(ctx, error, "run", argv[0])
                     : child->threw ? JS_EXCEPTION
                                    : result_object(ctx, child);
    js_free(ctx, child);
    return result;
}

static void free_words(JSContext *ctx, const char **words)
{
    for (int i = 0; words && words[i]; i++)
        JS_FreeCString(ctx, words[i]);
    js_free(ctx, words);
}

/* More than execve(2) takes, each with its pointer: a quarter of 8 MiB of stack, unless somebody raised that. */
#define MOST_WORDS (1 << 20)

/* An array of strings as execve(2) wants it. NULL where it has thrown; free with free_words(). */
static const char **words_of(JSContext *ctx, JSValueConst array)
{
    JSValue value = JS_GetPropertyStr(ctx, array, "length");
    uint32_t length;
    bool good = !JS_IsException(value) && number_of(ctx, value, MOST_WORDS, E2BIG, "run", &length);
    JS_FreeValue(ctx, value);
    if (!good)
        return NULL;
    const char **words = js_mallocz(ctx, ((size_t)length + 1) * sizeof *words);
    for (uint32_t i = 0; words && i < length; i++) {
        value = JS_GetPropertyUint32(ctx, array, i);
        words[i] = path_of(ctx, value);
        JS_FreeValue(ctx, value);
        if (!words[i]) {
            free_words(ctx, words);
            return NULL;
        }
    }
    return words;
}

/*
 * run(argv, cwd, timeout, interrupted): { code, stdout, stderr }. `cwd` may be undefined, the timeout in ms Infinity;
 * `interrupted` is undefined, or asked now and then whether the program is to be killed.
 */
static JSValue run(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    double timeout;
    if (JS_ToFloat64(ctx, &timeout, argv[2]))
        return JS_EXCEPTION;
    const char **words = words_of(ctx, argv[0]);
    if (!words)
        return JS_EXCEPTION;

    JSValue result = JS_EXCEPTION;
    if (JS_IsUndefined(argv[1])) {
        result = run_child(ctx, (char *const *)words, NULL, timeout, argv[3]);
    } else {
        const char *cwd = path_of(ctx, argv[1]);
        if (cwd)
            result = run_child(ctx, (char *const *)words, cwd, timeout, argv[3]);
        JS_FreeCString(ctx, cwd);
    }
    free_words(ctx, words);
    return result;
}

static const JSCFunctionListEntry LIST[] = {
    JS_CFUNC_DEF("run", 4, run),
};

const struct functions process_functions = { LIST, LENGTH(LIST) };
