/* Asking a service on this host whether it is there: TCP or a socket in the file system, and one line of answer. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "native.h"

/* The longest first line that is read of an answer. */
#define LINE 1024

union place {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

/* An absolute path, an IPv6 or an IPv4 address. Returns its size, 0 with errno set where it is none of these. */
static socklen_t read_place(union place *place, const char *address, uint16_t port)
{
    memset(place, 0, sizeof *place);
    if (address[0] == '/' && strlen(address) < sizeof place->local.sun_path) {
        place->local.sun_family = AF_UNIX;
        strcpy(place->local.sun_path, address);
        return sizeof place->local;
    }
    if (inet_pton(AF_INET6, address, &place->v6.sin6_addr) == 1) {
        place->v6.sin6_family = AF_INET6;
        place->v6.sin6_port = htons(port);
        return sizeof place->v6;
    }
    if (inet_pton(AF_INET, address, &place->v4.sin_addr) == 1) {
        place->v4.sin_family = AF_INET;
        place->v4.sin_port = htons(port);
        return sizeof place->v4;
    }
    errno = EINVAL;
    return 0;
}

/* Waits until the socket is ready. False with errno set, ETIMEDOUT at the deadline. */
static bool await(int fd, short events, double deadline)
{
    for (;;) {
        struct pollfd polled = { fd, events, 0 };
        int ready = poll(&polled, 1, poll_until(deadline));
        if (ready > 0)
            return true;
        if (ready == 0)
            errno = ETIMEDOUT;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

/* connect(2) that gives up. False with errno set. */
static bool dial(int fd, const union place *place, socklen_t size, double deadline)
{
    if (connect(fd, &place->any, size) == 0)
        return true;
    if (errno != EINPROGRESS || !await(fd, POLLOUT, deadline))
        return false;
    int error;
    socklen_t length = sizeof error;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        return false;
    errno = error;
    return error == 0;
}

static bool say(int fd, const char *request, size_t length, double deadline)
{
    while (length > 0) {
        ssize_t sent = send(fd, request, length, MSG_NOSIGNAL);
        if (sent >= 0) {
            request += sent;
            length -= sent;
        } else if ((errno != EAGAIN && errno != EINTR) || !await(fd, POLLOUT, deadline)) {
            return false;
        }
    }
    return true;
}

/* The first line, without its end, or all there is. Returns its length, -1 with errno set. */
static ssize_t hear(int fd, char line[LINE], double deadline)
{
    size_t length = 0;
    while (length < LINE) {
        ssize_t got = recv(fd, line + length, LINE - length, 0);
        if (got == 0)
            break;
        if (got < 0 && ((errno != EAGAIN && errno != EINTR) || !await(fd, POLLIN, deadline)))
            return -1;
        const char *end = got > 0 ? memchr(line + length, '\n', got) : NULL;
        if (end)
            return end > line && end[-1] == '\r' ? end - 1 - line : end - line;
        length += got > 0 ? got : 0;
    }
    return length;
}

/* Returns the length of the answer's first line, 0 where nothing was asked; -1 with errno set. */
static ssize_t ask(const char *address, uint16_t port, const char *request, double deadline, char line[LINE])
{
    union place place;
    socklen_t size = read_place(&place, address, port);
    int fd = size == 0 ? -1 : socket(place.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    size_t length = strlen(request);
    ssize_t heard = -1;
    if (dial(fd, &place, size, deadline) && say(fd, request, length, deadline))
        heard = length > 0 ? hear(fd, line, deadline) : 0;
    int error = errno;
    close(fd);
    errno = error;
    return heard;
}

/* probe(address, port, request, timeout): the first line of the answer, '' where the request is ''. */
static JSValue probe(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
    (void)this, (void)argc;
    uint32_t port;
    double timeout;
    if (!number_of(ctx, argv[1], UINT16_MAX, EINVAL, "connect", &port) || JS_ToFloat64(ctx, &timeout, argv[3]))
        return JS_EXCEPTION;
    const char *address = path_of(ctx, argv[0]);
    const char *request = address ? path_of(ctx, argv[2]) : NULL;
    JSValue result = JS_EXCEPTION;
    if (request) {
        char line[LINE];
        ssize_t length = ask(address, port, request, monotonic_ms() + timeout, line);
        result = length >= 0 ? new_text(ctx, line, length) : fail(ctx, errno, "connect", address);
    }
    JS_FreeCString(ctx, address);
    JS_FreeCString(ctx, request);
    return result;
}

static const JSCFunctionListEntry LIST[] = {
    JS_CFUNC_DEF("probe", 4, probe),
};

const struct functions probe_functions = { LIST, LENGTH(LIST) };
