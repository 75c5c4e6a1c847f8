/* The engine's memory: as its own allocator, with a limit that gives way once, so that there is room to clean up. */
#include <malloc.h>
#include <stdlib.h>

#include "native.h"

/* A runaway ends with an exception, and so with an undo, long before it can hurt the host. */
#define LIMIT ((size_t)512 << 20)

/*
 * What there is from the first refusal on. Without it nothing is left for the exception itself, and QuickJS 2021-03-27
 * uses an Error after freeing it where its stack trace finds no room; an undo needs memory too.
 */
#define RESERVE ((size_t)16 << 20)

/* What malloc(3) takes beside each piece, as QuickJS counts it. */
#define OVERHEAD sizeof(size_t)

static bool has_room(JSMallocState *state, size_t size)
{
    if (size <= state->malloc_limit && state->malloc_size <= state->malloc_limit - size)
        return true;
    if (state->malloc_limit == LIMIT)
        state->malloc_limit += RESERVE;
    return false;
}

static void *allocate(JSMallocState *state, size_t size)
{
    void *piece = has_room(state, size) ? malloc(size) : NULL;
    if (piece) {
        state->malloc_count++;
        state->malloc_size += malloc_usable_size(piece) + OVERHEAD;
    }
    return piece;
}

static void release(JSMallocState *state, void *piece)
{
    if (!piece)
        return;
    state->malloc_count--;
    state->malloc_size -= malloc_usable_size(piece) + OVERHEAD;
    free(piece);
}

static void *resize(JSMallocState *state, void *piece, size_t size)
{
    if (!piece)
        return size > 0 ? allocate(state, size) : NULL;
    if (size == 0) {
        release(state, piece);
        return NULL;
    }
    size_t before = malloc_usable_size(piece);
    void *resized = size <= before || has_room(state, size - before) ? realloc(piece, size) : NULL;
    if (resized)
        state->malloc_size += malloc_usable_size(resized) - before;
    return resized;
}

static size_t usable_size(const void *piece)
{
    return malloc_usable_size((void *)piece);
}

JSRuntime *new_runtime(void)
{
    static const JSMallocFunctions FUNCTIONS = { allocate, release, resize, usable_size };

    JSRuntime *runtime = JS_NewRuntime2(&FUNCTIONS, NULL);
    if (runtime)
        JS_SetMemoryLimit(runtime, LIMIT);
    return runtime;
}
