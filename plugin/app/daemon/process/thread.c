/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/process/thread.h"

#include <signal.h>

int gr_thread_start(void *(*run)(void *), void *arg, size_t stack_bytes, pthread_t *out_thread)
{
    pthread_attr_t attr;
    sigset_t all, before;
    int r;

    (void)sigfillset(&all);
    r = pthread_attr_init(&attr);
    if (r)
        return -r;
    (void)pthread_attr_setstacksize(&attr, stack_bytes);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    r = pthread_create(out_thread, &attr, run, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return -r;
}
