/*
 * The calls of the agent's C side, each as often as it allocates memory, with another of these allocations failing each
 * time. It has to throw, or to give all that it should, and to leave nothing behind. Prints a line for each call.
 *
 *     starved <directory with a file and a link to it>
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "native.h"

/* The allocation that fails, counted from now; none where it is negative. */
static long countdown = -1;
static size_t pieces = 0;

static bool fails(void)
{
    return countdown >= 0 && countdown-- == 0;
}

static void *allocate(JSMallocState *state, size_t size)
{
    (void)state;
    void *piece = fails() ? NULL : malloc(size);
    pieces += piece != NULL;
    return piece;
}

static void release(JSMallocState *state, void *piece)
{
    (void)state;
    pieces -= piece != NULL;
    free(piece);
}

static void *resize(JSMallocState *state, void *piece, size_t size)
{
    if (!piece)
        return size > 0 ? allocate(state, size) : NULL;
    if (size > 0)
        return fails() ? NULL : realloc(piece, size);
    release(state, piece);
    return NULL;
}

static size_t usable_size(const void *piece)
{
    return malloc_usable_size((void *)piece);
}

/* What is thrown for a system call that failed: no more than its code. */
static JSValue make_failure(JSContext *ctx, JSValueConst target, int argc, JSValueConst *argv)
{
    (void)target, (void)argc;
    return JS_DupValue(ctx, argv[0]);
}

static bool is_text(JSContext *ctx, JSValueConst value, const char *expected)
{
    const char *text = JS_ToCString(ctx, value);
    bool same = text && (!expected || strcmp(text, expected) == 0);
    JS_FreeCString(ctx, text);
    return same;
}

/* Whether the object has a field that reads so, or anything where `expected` is NULL. */
static bool has(JSContext *ctx, JSValueConst object, const char *name, const char *expected)
{
    JSValue value = JS_GetPropertyStr(ctx, object, name);
    bool good = !JS_IsUndefined(value) && !JS_IsException(value) && is_text(ctx, value, expected);
    JS_FreeValue(ctx, value);
    return good;
}

static bool is_status(JSContext *ctx, JSValueConst status)
{
    return has(ctx, status, "kind", "file") && has(ctx, status, "mode", NULL) && has(ctx, status, "uid", NULL) &&
           has(ctx, status, "gid", NULL) && has(ctx, status, "size", "7") && has(ctx, status, "mtimeMs", NULL) &&
           has(ctx, status, "identity", NULL);
}

static bool is_space(JSContext *ctx, JSValueConst space)
{
    return has(ctx, space, "bytes", NULL) && has(ctx, space, "inodes", NULL) && has(ctx, space, "readOnly", NULL);
}

static bool is_list(JSContext *ctx, JSValueConst names)
{
    return has(ctx, names, "length", "2") && has(ctx, names, "0", NULL) && has(ctx, names, "1", NULL);
}

static bool is_target(JSContext *ctx, JSValueConst target)
{
    return is_text(ctx, target, "file");
}

static bool is_output(JSContext *ctx, JSValueConst result)
{
    return has(ctx, result, "code", "3") && has(ctx, result, "stdout", "out\n") && has(ctx, result, "stderr", "err\n");
}

static bool is_piece(JSContext *ctx, JSValueConst buffer)
{
    return has(ctx, buffer, "byteLength", "7");
}

static bool is_hasher(JSContext *ctx, JSValueConst hasher)
{
    return has(ctx, hasher, "digest", NULL);
}

static bool is_failure(JSContext *ctx, JSValueConst thrown)
{
    return is_text(ctx, thrown, "ENOENT");
}

static JSValue text(JSContext *ctx, const char *directory, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s%s", directory, name);
    return JS_NewString(ctx, path);
}

static void of_file(JSContext *ctx, const char *directory, JSValue *argv)
{
    argv[0] = JS_NewInt32(ctx, AT_FDCWD);
    argv[1] = text(ctx, directory, "/file");
}

static void of_link(JSContext *ctx, const char *directory, JSValue *argv)
{
    argv[0] = JS_NewInt32(ctx, AT_FDCWD);
    argv[1] = text(ctx, directory, "/link");
}

static void of_directory(JSContext *ctx, const char *directory, JSValue *argv)
{
    argv[0] = text(ctx, directory, "");
}

static void of_nothing(JSContext *ctx, const char *directory, JSValue *argv)
{
    argv[0] = JS_NewInt32(ctx, AT_FDCWD);
    argv[1] = text(ctx, directory, "/none/below");
    argv[2] = JS_NewInt32(ctx, 0755);
}

static void of_program(JSContext *ctx, const char *directory, JSValue *argv)
{
    (void)directory;
    static const char *const WORDS[] = { "sh", "-c", "echo out; echo err >&2; exit 3" };
    argv[0] = JS_NewArray(ctx);
    for (int i = 0; i < LENGTH(WORDS); i++)
        JS_SetPropertyUint32(ctx, argv[0], i, JS_NewString(ctx, WORDS[i]));
    argv[1] = JS_UNDEFINED;
    argv[2] = JS_NewInt32(ctx, 10000);
}

static int opened = -1;

static void of_open_file(JSContext *ctx, const char *directory, JSValue *argv)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/file", directory);
    close(opened);
    opened = open(path, O_RDONLY | O_CLOEXEC);
    argv[0] = JS_NewInt32(ctx, opened);
    argv[1] = JS_NewInt32(ctx, 1000);
}

static void of_algorithm(JSContext *ctx, const char *directory, JSValue *argv)
{
    (void)directory;
    argv[0] = JS_NewString(ctx, "sha256");
}

static const struct {
    const struct functions *part;
    const char *name;
    void (*arguments)(JSContext *ctx, const char *directory, JSValue *argv);
    bool (*is_whole)(JSContext *ctx, JSValueConst result);
    bool throws;
} CALLS[] = {
    { &stat_functions, "lstat", of_file, is_status, false },
    { &stat_functions, "space", of_directory, is_space, false },
    { &stat_functions, "list", of_directory, is_list, false },
    { &stat_functions, "readlink", of_link, is_target, false },
    { &path_functions, "mkdir", of_nothing, is_failure, true },
    { &process_functions, "run", of_program, is_output, false },
    { &file_functions, "read", of_open_file, is_piece, false },
    { &hash_functions, "hasher", of_algorithm, is_hasher, false },
};

static JSContext *new_context(JSRuntime *runtime)
{
    JSContext *ctx = JS_NewContextRaw(runtime);
    JS_AddIntrinsicBaseObjects(ctx);
    JS_AddIntrinsicTypedArrays(ctx);
    prepare_hasher(ctx);
    return ctx;
}

static JSValue function(JSContext *ctx, const struct functions *part, const char *name)
{
    JSValue object = JS_NewObject(ctx);
    JS_SetPropertyFunctionList(ctx, object, part->list, part->length);
    JSValue found = JS_GetPropertyStr(ctx, object, name);
    JS_FreeValue(ctx, object);
    return found;
}

static void fail_with(JSContext *ctx, JSValue type)
{
    JSValue set = function(ctx, &failure_functions, "failWith");
    JS_FreeValue(ctx, JS_Call(ctx, set, JS_UNDEFINED, 1, &type));
    JS_FreeValue(ctx, set);
    JS_FreeValue(ctx, type);
}

enum outcome { WHOLE, THROWN, BROKEN };

/* Calls with allocation `nth` failing. */
static enum outcome attempt(JSContext *ctx, int call, const char *directory, long nth)
{
    JSValue argv[] = { JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED, JS_UNDEFINED };
    CALLS[call].arguments(ctx, directory, argv);
    JSValue called = function(ctx, CALLS[call].part, CALLS[call].name);

    countdown = nth;
    JSValue result = JS_Call(ctx, called, JS_UNDEFINED, LENGTH(argv), argv);
    bool failed = countdown < 0;
    countdown = -1;

    bool threw = JS_IsException(result);
    if (threw)
        result = JS_GetException(ctx);
    bool whole = threw == CALLS[call].throws && CALLS[call].is_whole(ctx, result);
    JS_FreeValue(ctx, result);
    JS_FreeValue(ctx, called);
    for (int i = 0; i < LENGTH(argv); i++)
        JS_FreeValue(ctx, argv[i]);
    return whole ? WHOLE : threw && failed ? THROWN : BROKEN;
}

static enum outcome attempt_afresh(int call, const char *directory, long nth)
{
    static const JSMallocFunctions FUNCTIONS = { allocate, release, resize, usable_size };

    JSRuntime *runtime = JS_NewRuntime2(&FUNCTIONS, NULL);
    JSContext *ctx = new_context(runtime);
    fail_with(ctx, JS_NewCFunction2(ctx, make_failure, "Failure", 2, JS_CFUNC_constructor, 0));
    enum outcome outcome = attempt(ctx, call, directory, nth);
    fail_with(ctx, JS_UNDEFINED);
    JS_FreeContext(ctx);
    JS_FreeRuntime(runtime);
    if (pieces == 0)
        return outcome;
    printf("%s: %zu pieces are left when allocation %ld fails\n", CALLS[call].name, pieces, nth);
    pieces = 0;
    return BROKEN;
}

/* Those that it can do without, as when it makes less of a buffer, may come anywhere: a few in a row are the end. */
#define ENOUGH 10
#define MOST_BROKEN 1000

int main(int argc, char **argv)
{
    if (argc != 2 || !prepare_signals())
        return EXIT_FAILURE;
    int broken = 0;
    for (int call = 0; call < LENGTH(CALLS); call++) {
        int thrown = 0;
        long nth = 0;
        /* A call that is always broken comes to no end by itself. */
        for (int whole = 0; whole < ENOUGH && broken < MOST_BROKEN; nth++) {
            enum outcome outcome = attempt_afresh(call, argv[1], nth);
            if (outcome == BROKEN)
                printf("%s: broken when allocation %ld fails\n", CALLS[call].name, nth);
            broken += outcome == BROKEN;
            thrown += outcome == THROWN;
            whole = outcome == WHOLE ? whole + 1 : 0;
        }
        printf("%s: thrown %d times\n", CALLS[call].name, thrown);
    }
    return broken > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
