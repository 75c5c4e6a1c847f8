/* JavaScript's values to C's and back. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "native.h"

/* The text as a C string. Throws EINVAL for one with a NUL inside, which would be taken for a shorter path. */
const char *path_of(JSContext *ctx, JSValueConst value)
{
    size_t length;
    const char *path = JS_ToCStringLen(ctx, &length, value);
    if (path && strlen(path) != length) {
        fail(ctx, EINVAL, "path with a NUL", path);
        JS_FreeCString(ctx, path);
        return NULL;
    }
    return path;
}

bool number_of(JSContext *ctx, JSValueConst value, uint32_t most, int error, const char *call, uint32_t *number)
{
    double given;
    if (JS_ToFloat64(ctx, &given, value))
        return false;
    if (!(given >= 0 && given <= most && given == floor(given))) {
        fail(ctx, error, call, NULL);
        return false;
    }
    *number = given;
    return true;
}

bool descriptor_of(JSContext *ctx, JSValueConst value, const char *call, int *fd)
{
    uint32_t number;
    if (!number_of(ctx, value, INT_MAX, EBADF, call, &number))
        return false;
    *fd = number;
    return true;
}

bool directory_of(JSContext *ctx, JSValueConst value, const char *call, int *at)
{
    double given;
    if (JS_ToFloat64(ctx, &given, value))
        return false;
    *at = AT_FDCWD;
    return given == AT_FDCWD || descriptor_of(ctx, value, call, at);
}

/* What a Uint8Array shows. Good until JavaScript runs again. */
uint8_t *bytes_of(JSContext *ctx, JSValueConst value, size_t *length)
{
    size_t offset, size;
    JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, length, NULL);
    if (JS_IsException(buffer))
        return NULL;
    uint8_t *bytes = JS_GetArrayBuffer(ctx, &size, buffer);
    JS_FreeValue(ctx, buffer);
    return bytes ? bytes + offset : NULL;
}

static void free_bytes(JSRuntime *runtime, void *opaque, void *bytes)
{
    (void)opaque;
    js_free_rt(runtime, bytes);
}

JSValue give_bytes(JSContext *ctx, uint8_t *bytes, size_t length)
{
    JSValue buffer = JS_NewArrayBuffer(ctx, bytes, length, free_bytes, NULL, false);
    if (JS_IsException(buffer))
        js_free(ctx, bytes);
    return buffer;
}

struct sequence {
    size_t length;
    bool good;
};

/* The first sequence of UTF-8, or what ends it too early: one U+FFFD's worth, as in the Encoding Standard. */
static struct sequence first_sequence(const uint8_t *at, const uint8_t *end)
{
    uint8_t first = at[0];
    if (first < 0x80)
        return (struct sequence){ 1, true };
    if (first < 0xc2 || first > 0xf4)
        return (struct sequence){ 1, false };

    size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    /* Overlong forms, surrogates and points beyond U+10FFFF all show in the second byte. */
    uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    for (size_t i = 1; i < length; i++) {
        if (at + i == end || at[i] < least || at[i] > most)
            return (struct sequence){ i, false };
        least = 0x80, most = 0xbf;
    }
    return (struct sequence){ length, true };
}

/* The bytes as text. JS_NewStringLen alone lets surrogates through and swallows good bytes after a bad one. */
JSValue new_text(JSContext *ctx, const char *bytes, size_t length)
{
    static const char REPLACEMENT[] = "\xef\xbf\xbd";

    char *clean = js_malloc(ctx, length * (sizeof REPLACEMENT - 1) + 1);
    if (!clean)
        return JS_EXCEPTION;
    const uint8_t *end = (const uint8_t *)bytes + length;
    size_t filled = 0;
    for (const uint8_t *at = (const uint8_t *)bytes; at < end;) {
        struct sequence sequence = first_sequence(at, end);
        size_t size = sequence.good ? sequence.length : sizeof REPLACEMENT - 1;
        memcpy(clean + filled, sequence.good ? (const char *)at : REPLACEMENT, size);
        filled += size;
        at += sequence.length;
    }
    JSValue text = JS_NewStringLen(ctx, clean, filled);
    js_free(ctx, clean);
    return text;
}

/* Defines one field, whose value is taken over. False where it has thrown. */
static bool add_field(JSContext *ctx, JSValueConst object, const struct field *field)
{
    JSAtom name = JS_NewAtom(ctx, field->name);
    if (name == JS_ATOM_NULL) {
        JS_FreeValue(ctx, field->value);
        return false;
    }
    int defined = JS_DefinePropertyValue(ctx, object, name, field->value, JS_PROP_C_W_E);
    JS_FreeAtom(ctx, name);
    return defined >= 0;
}

JSValue new_object(JSContext *ctx, const struct field *fields, int length)
{
    JSValue object = JS_NewObject(ctx);
    bool good = !JS_IsException(object);
    for (int i = 0; i < length; i++)
        if (good && !JS_IsException(fields[i].value))
            good = add_field(ctx, object, &fields[i]);
        else
            good = (JS_FreeValue(ctx, fields[i].value), false);
    if (good)
        return object;
    JS_FreeValue(ctx, object);
    return JS_EXCEPTION;
}
