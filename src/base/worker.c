#include "base/worker.h"

#include <signal.h>
#include <stddef.h>

int worker_start(struct worker *w, const char *name, void *(*work)(void *user), void *user)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int r = pthread_create(&w->thread, NULL, work, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    w->is_running = r == 0;
    if (w->is_running) {
        pthread_setname_np(w->thread, name);
    }
    return -r;
}

void worker_join(struct worker *w)
{
    if (w->is_running) {
        pthread_join(w->thread, NULL);
        w->is_running = false;
    }
}
