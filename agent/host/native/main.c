/* The agent's process: the bundle in bytecode, an engine that has what the bundle needs, and how both start and end. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "native.h"

/* Made by qjsc from the bundle. */
extern const uint8_t agent[];
extern const uint32_t agent_size;

#define STACK_LIMIT ((size_t)1 << 20)

static const struct functions *const PARTS[] = {
    &failure_functions, &file_functions,  &path_functions,   &stat_functions, &process_functions,
    &probe_functions,   &stdio_functions, &system_functions, &hash_functions,
};

static int prepare_process(void);
static int complete_path(void);
static JSContext *new_context(JSRuntime *runtime);
static bool evaluate(JSContext *ctx);
static void print_exception(JSContext *ctx);

int main(void)
{
    if (prepare_process() != 0) {
        perror("deptool");
        return EXIT_FAILURE;
    }
    JSRuntime *runtime = new_runtime();
    JSContext *ctx = runtime ? new_context(runtime) : NULL;
    if (!ctx) {
        fputs("deptool: out of memory\n", stderr);
        return EXIT_FAILURE;
    }
    bool done = evaluate(ctx);
    if (!done)
        print_exception(ctx);
    /* The kernel frees all of it faster than the engine could. */
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int prepare_process(void)
{
    /* With one of 0, 1 and 2 closed, the next file opened would become the agent's stdin or stdout. */
    int fd;
    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd < 0)
        return -1;
    close(fd);

    umask(UMASK);
    /* Programs that the agent runs are read by it: no translations, no colours, no pager. */
    setenv("LC_ALL", "C", 1);
    setenv("SYSTEMD_COLORS", "0", 1);
    setenv("SYSTEMD_PAGER", "", 1);
    return complete_path() || !prepare_signals() ? -1 : 0;
}

/* What an operator has in PATH, behind sudo too, may lack the directories of root's programs. */
static int complete_path(void)
{
    static const char usual[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const char *own = getenv("PATH");
    char *path;
    if (!own || !*own)
        return setenv("PATH", usual, 1);
    if (asprintf(&path, "%s:%s", own, usual) < 0)
        return -1;
    int failed = setenv("PATH", path, 1);
    free(path);
    return failed;
}

static int export_functions(JSContext *ctx, JSModuleDef *module)
{
    for (int i = 0; i < LENGTH(PARTS); i++)
        if (JS_SetModuleExportList(ctx, module, PARTS[i]->list, PARTS[i]->length))
            return -1;
    return 0;
}

static int add_module(JSContext *ctx)
{
    JSModuleDef *module = JS_NewCModule(ctx, "native", export_functions);
    if (!module)
        return -1;
    for (int i = 0; i < LENGTH(PARTS); i++)
        if (JS_AddModuleExportList(ctx, module, PARTS[i]->list, PARTS[i]->length))
            return -1;
    return 0;
}

/* No eval and no Function: nothing here turns text into code, and the linker drops the whole parser. No promises either. */
static JSContext *new_context(JSRuntime *runtime)
{
    JS_SetMaxStackSize(runtime, STACK_LIMIT);
    JSContext *ctx = JS_NewContextRaw(runtime);
    if (!ctx)
        return NULL;
    JS_AddIntrinsicBaseObjects(ctx);
    JS_AddIntrinsicDate(ctx);
    JS_AddIntrinsicRegExp(ctx);
    JS_AddIntrinsicJSON(ctx);
    JS_AddIntrinsicMapSet(ctx);
    JS_AddIntrinsicTypedArrays(ctx);
    return prepare_hasher(ctx) == 0 && add_module(ctx) == 0 ? ctx : NULL;
}

static bool evaluate(JSContext *ctx)
{
    JSValue bundle = JS_ReadObject(ctx, agent, agent_size, JS_READ_OBJ_BYTECODE);
    if (JS_IsException(bundle))
        return false;
    if (JS_ResolveModule(ctx, bundle) < 0) {
        JS_FreeValue(ctx, bundle);
        return false;
    }
    JSValue result = JS_EvalFunction(ctx, bundle);
    bool done = !JS_IsException(result);
    JS_FreeValue(ctx, result);
    return done;
}

static void print_exception(JSContext *ctx)
{
    JSValue exception = JS_GetException(ctx);
    JSValue stack = JS_GetPropertyStr(ctx, exception, "stack");
    const char *message = JS_ToCString(ctx, exception);
    const char *trace = JS_IsUndefined(stack) ? NULL : JS_ToCString(ctx, stack);
    fprintf(stderr, "deptool: %s\n%s", message ? message : "unknown exception", trace ? trace : "");
    JS_FreeCString(ctx, message);
    JS_FreeCString(ctx, trace);
    JS_FreeValue(ctx, stack);
    JS_FreeValue(ctx, exception);
}
