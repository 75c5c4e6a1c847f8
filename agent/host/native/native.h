/* The agent's C side: what qjs.ts needs of Linux and QuickJS lacks, as an ES module named 'native'. */
#ifndef NATIVE_H
#define NATIVE_H

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "quickjs.h"

#define LENGTH(array) (int)(sizeof(array) / sizeof *(array))

/* What one file adds to the module. */
struct functions {
    const JSCFunctionListEntry *list;
    int length;
};

extern const struct functions failure_functions, file_functions, path_functions, process_functions, probe_functions,
    stat_functions, stdio_functions, system_functions, hash_functions;

/* failure.c: every system call that failed leaves C through here. Throws; `subject` may be NULL. */
JSValue fail(JSContext *ctx, int error, const char *call, const char *subject);

/* values.c: JavaScript's values to C's and back. Where one returns NULL or JS_EXCEPTION, it has thrown. */
const char *path_of(JSContext *ctx, JSValueConst value); /* free with JS_FreeCString */
uint8_t *bytes_of(JSContext *ctx, JSValueConst value, size_t *length);
JSValue give_bytes(JSContext *ctx, uint8_t *bytes, size_t length); /* takes over what js_malloc gave */
JSValue new_text(JSContext *ctx, const char *bytes, size_t length);

/*
 * A whole number from 0 to `most`; for any other, `error` of `call` is thrown. QuickJS's own conversions take a number
 * modulo 2^32: a size of 4 GiB would be none, and user 4294967296 would be root.
 */
bool number_of(JSContext *ctx, JSValueConst value, uint32_t most, int error, const char *call, uint32_t *number);
bool descriptor_of(JSContext *ctx, JSValueConst value, const char *call, int *fd);
/* An open directory, or AT_FDCWD. */
bool directory_of(JSContext *ctx, JSValueConst value, const char *call, int *at);
/* To chown(2) the last number of all says that the owner stays. */
#define LAST_ID (UINT32_MAX - 1)

struct field {
    const char *name;
    JSValue value; /* an exception, where making it has thrown */
};

/* An object of these fields, whose values it takes over in any case. */
JSValue new_object(JSContext *ctx, const struct field *fields, int length);

/* files.c: write(2) until all is written. False with errno set. */
bool write_all(int fd, const uint8_t *bytes, size_t length);
/*
 * Gives an open file or directory our owner and group, whatever its parent passes on, and the mode, less the umask. -1
 * with errno set.
 */
#define UMASK 022
int make_ours(int fd, mode_t mode);

/* stat.c */
JSValue status_object(JSContext *ctx, const struct stat *status);
bool absent(int error); /* whether the error says that there is nothing */

/* signals.c */
extern int terminate_fd; /* readable from the moment SIGTERM came, for good */
extern int child_fd;     /* readable when a child has ended */
bool prepare_signals(void);
int restore_signals(posix_spawnattr_t *attributes);

/* system.c: a clock that nobody sets, and poll(2)'s timeout until then; INFINITY is never. */
double monotonic_ms(void);
int poll_until(double deadline);

/* memory.c: NULL without memory. */
JSRuntime *new_runtime(void);

/* hash.c */
int prepare_hasher(JSContext *ctx);

#endif
