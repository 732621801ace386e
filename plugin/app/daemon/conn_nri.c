/* SPDX-License-Identifier: Apache-2.0 */
#include "app/daemon/conn_nri.h"

#include "nri/runtime.h"
#include "nri/session.h"

/* From conn's void * to gr_<end>_feed and its kin: a function may not be called as one of another
 * type. */
#define DEFINE_END(end)                                                               \
    static int end##_feed(void *object, struct gr_str bytes, uint64_t now_ns)         \
    {                                                                                 \
        return gr_##end##_feed(object, bytes, now_ns);                                \
    }                                                                                 \
    static struct gr_str end##_pending(const void *object)                            \
    {                                                                                 \
        return gr_##end##_pending(object);                                            \
    }                                                                                 \
    static void end##_sent(void *object, size_t n)                                    \
    {                                                                                 \
        gr_##end##_sent(object, n);                                                   \
    }                                                                                 \
    static uint64_t end##_next_deadline(const void *object)                           \
    {                                                                                 \
        return gr_##end##_next_deadline(object);                                      \
    }                                                                                 \
    static void end##_tick(void *object, uint64_t now_ns)                             \
    {                                                                                 \
        gr_##end##_tick(object, now_ns);                                              \
    }                                                                                 \
    const struct gr_conn_proto gr_conn_##end = {.feed = end##_feed,                   \
                                                .pending = end##_pending,             \
                                                .sent = end##_sent,                   \
                                                .next_deadline = end##_next_deadline, \
                                                .tick = end##_tick,                   \
                                                .is_broken = end##_is_broken}

static bool session_is_broken(const void *object)
{
    return gr_session_is_broken(object);
}

static bool runtime_is_broken(const void *object GR_UNUSED)
{
    return false; /* feed says so */
}

DEFINE_END(session);
DEFINE_END(runtime);
