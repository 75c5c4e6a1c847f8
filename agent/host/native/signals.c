/*
 * Signals as things to wait for. Nothing interrupts the agent: what could end it in the middle of a step is ignored
 * or, SIGTERM, stays pending until somebody asks. Children get all of it back as it was.
 */
#include <signal.h>
#include <sys/signalfd.h>

#include "native.h"

int terminate_fd = -1;
int child_fd = -1;

/* A closed connection (SIGPIPE, SIGHUP) and the operator's Ctrl-C, where the agent is a child of git-deploy. */
static const int IGNORED[] = { SIGPIPE, SIGHUP, SIGINT };

bool prepare_signals(void)
{
    for (int i = 0; i < LENGTH(IGNORED); i++)
        signal(IGNORED[i], SIG_IGN);
    /* Who ignores it gets no exit status, wait(2); and what the parent ignored is ignored after exec too. */
    signal(SIGCHLD, SIG_DFL);
    signal(SIGTERM, SIG_DFL);

    sigset_t terminate, child;
    sigemptyset(&terminate);
    sigaddset(&terminate, SIGTERM);
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &terminate, NULL);
    sigprocmask(SIG_BLOCK, &child, NULL);
    terminate_fd = signalfd(-1, &terminate, SFD_CLOEXEC | SFD_NONBLOCK);
    child_fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    return terminate_fd >= 0 && child_fd >= 0;
}

/* What prepare_signals() did, undone in a child, posix_spawnattr_setsigdefault(3). Returns an error number. */
int restore_signals(posix_spawnattr_t *attributes)
{
    sigset_t ignored, none;
    sigemptyset(&ignored);
    sigemptyset(&none);
    for (int i = 0; i < LENGTH(IGNORED); i++)
        sigaddset(&ignored, IGNORED[i]);
    int error = posix_spawnattr_setsigdefault(attributes, &ignored);
    return error ? error : posix_spawnattr_setsigmask(attributes, &none);
}
