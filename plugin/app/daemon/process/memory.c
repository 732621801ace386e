/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/process/memory.h"

#include <malloc.h>

void gr_memory_tune(void)
{
#ifdef __GLIBC__
    (void)mallopt(M_MMAP_THRESHOLD, 64 << 10);
    (void)mallopt(M_TRIM_THRESHOLD, 128 << 10);
    (void)mallopt(M_TOP_PAD, 64 << 10);
#endif
}

void gr_memory_trim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}
