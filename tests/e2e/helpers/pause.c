/* SPDX-License-Identifier: Apache-2.0 */
/* The pause program of the test sandboxes: holds the pod's namespaces until it is told to end. */

#define _GNU_SOURCE

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void end(int sig)
{
    (void)sig;
    _exit(0);
}

int main(void)
{
    struct sigaction act = {.sa_handler = end};

    if (sigaction(SIGTERM, &act, NULL) != 0 || sigaction(SIGINT, &act, NULL) != 0)
        return EXIT_FAILURE;
    for (;;)
        pause();
}
