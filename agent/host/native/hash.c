/* SHA-1 and SHA-256 (FIPS 180-4), a piece at a time: they differ in their block function and its constants only. */
#include <string.h>

#include "native.h"

#define BLOCK 64

struct algorithm {
    const char *name;
    int words;
    uint32_t initial[8];
    void (*absorb)(uint32_t *state, const uint8_t *block);
};

struct hasher {
    const struct algorithm *algorithm;
    uint32_t state[8];
    uint64_t length;
    uint8_t rest[BLOCK];
};

static uint32_t load(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static uint32_t rotate_left(uint32_t word, int by)
{
    return word << by | word >> (32 - by);
}

static uint32_t rotate_right(uint32_t word, int by)
{
    return word >> by | word << (32 - by);
}

static void absorb_sha1(uint32_t *state, const uint8_t *block)
{
    uint32_t w[80];
    for (int t = 0; t < 16; t++)
        w[t] = load(block + 4 * t);
    for (int t = 16; t < 80; t++)
        w[t] = rotate_left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);

    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
#define ROUNDS(from, to, f, k)                                              \
    for (int t = from; t < to; t++) {                                       \
        uint32_t next = rotate_left(a, 5) + (f) + e + (k) + w[t];           \
        e = d, d = c, c = rotate_left(b, 30), b = a, a = next;              \
    }
    ROUNDS(0, 20, d ^ (b & (c ^ d)), 0x5a827999)
    ROUNDS(20, 40, b ^ c ^ d, 0x6ed9eba1)
    ROUNDS(40, 60, (b & c) | (d & (b | c)), 0x8f1bbcdc)
    ROUNDS(60, 80, b ^ c ^ d, 0xca62c1d6)
#undef ROUNDS
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

static const uint32_t K256[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void absorb_sha256(uint32_t *state, const uint8_t *block)
{
    uint32_t w[64];
    for (int t = 0; t < 16; t++)
        w[t] = load(block + 4 * t);
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotate_right(w[t - 15], 7) ^ rotate_right(w[t - 15], 18) ^ w[t - 15] >> 3;
        uint32_t s1 = rotate_right(w[t - 2], 17) ^ rotate_right(w[t - 2], 19) ^ w[t - 2] >> 10;
        w[t] = w[t - 16] + s0 + w[t - 7] + s1;
    }

    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
    for (int t = 0; t < 64; t++) {
        uint32_t s1 = rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25);
        uint32_t t1 = h + s1 + (g ^ (e & (f ^ g))) + K256[t] + w[t];
        uint32_t s0 = rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22);
        uint32_t t2 = s0 + ((a & b) | (c & (a | b)));
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static const struct algorithm ALGORITHMS[] = {
    { "sha1", 5, { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }, absorb_sha1 },
    { "sha256",
      8,
      { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 },
      absorb_sha256 },
};

static void add(struct hasher *hasher, const uint8_t *bytes, size_t length)
{
    size_t filled = hasher->length % BLOCK;
    hasher->length += length;
    if (filled > 0) {
        size_t taken = length < BLOCK - filled ? length : BLOCK - filled;
        memcpy(hasher->rest + filled, bytes, taken);
        bytes += taken, length -= taken;
        if (filled + taken < BLOCK)
            return;
        hasher->algorithm->absorb(hasher->state, hasher->rest);
    }
    for (; length >= BLOCK; bytes += BLOCK, length -= BLOCK)
        hasher->algorithm->absorb(hasher->state, bytes);
    memcpy(hasher->rest, bytes, length);
}

/* Pads with a one bit, zeros and the length in bits, so that it ends with a block. */
static void finish(struct hasher *hasher)
{
    static const uint8_t PADDING[BLOCK] = { 0x80 };

    uint64_t bits = hasher->length * 8;
    size_t filled = hasher->length % BLOCK;
    add(hasher, PADDING, filled < 56 ? 56 - filled : 56 + BLOCK - filled);
    uint8_t length[8];
    for (int i = 0; i < 8; i++)
        length[i] = bits >> (56 - 8 * i);
    add(hasher, length, sizeof length);
}

static JSClassID class_id;

static void free_hasher(JSRuntime *runtime, JSValue object)
{
    js_free_rt(runtime, JS_GetOpaque(object, class_id));
}

static JSValue new_hasher(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    const char *name = JS_ToCString(ctx, argv[0]);
    if (!name)
        return JS_EXCEPTION;
    const struct algorithm *algorithm = &ALGORITHMS[strcmp(name, ALGORITHMS[0].name) == 0 ? 0 : 1];
    JS_FreeCString(ctx, name);

    struct hasher *hasher = js_mallocz(ctx, sizeof *hasher);
    if (!hasher)
        return JS_EXCEPTION;
    hasher->algorithm = algorithm;
    memcpy(hasher->state, algorithm->initial, sizeof hasher->state);
    JSValue object = JS_NewObjectClass(ctx, class_id);
    if (JS_IsException(object))
        js_free(ctx, hasher);
    else
        JS_SetOpaque(object, hasher);
    return object;
}

static JSValue update(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)argc;
    struct hasher *hasher = JS_GetOpaque2(ctx, this, class_id);
    size_t length;
    const uint8_t *bytes = hasher ? bytes_of(ctx, argv[0], &length) : NULL;
    if (!bytes)
        return JS_EXCEPTION;
    add(hasher, bytes, length);
    return JS_UNDEFINED;
}

/* The hasher is used up: a second call throws. */
static JSValue digest(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)argc, (void)argv;
    struct hasher *hasher = JS_GetOpaque2(ctx, this, class_id);
    if (!hasher)
        return JS_EXCEPTION;
    finish(hasher);

    char hex[64];
    int digits = hasher->algorithm->words * 8;
    for (int i = 0; i < digits; i++)
        hex[i] = "0123456789abcdef"[hasher->state[i / 8] >> (28 - i % 8 * 4) & 15];
    JS_SetOpaque(this, NULL);
    js_free(ctx, hasher);
    return JS_NewStringLen(ctx, hex, digits);
}

static const JSCFunctionListEntry METHODS[] = {
    JS_CFUNC_DEF("update", 1, update),
    JS_CFUNC_DEF("digest", 0, digest),
};

int prepare_hasher(JSContext *ctx)
{
    static const JSClassDef CLASS = { "Hasher", .finalizer = free_hasher };

    JS_NewClassID(&class_id);
    if (JS_NewClass(JS_GetRuntime(ctx), class_id, &CLASS))
        return -1;
    JSValue prototype = JS_NewObject(ctx);
    if (JS_IsException(prototype))
        return -1;
    JS_SetPropertyFunctionList(ctx, prototype, METHODS, LENGTH(METHODS));
    JS_SetClassProto(ctx, class_id, prototype);
    return 0;
}

static const JSCFunctionListEntry LIST[] = {
    JS_CFUNC_DEF("hasher", 1, new_hasher),
};

const struct functions hash_functions = { LIST, LENGTH(LIST) };
