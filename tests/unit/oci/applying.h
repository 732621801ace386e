/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions out of letters, one for each thing that can be asked for, and laying them into a text.
 */
#ifndef GR_TESTS_UNIT_OCI_APPLYING_H
#define GR_TESTS_UNIT_OCI_APPLYING_H

#include "testing.h"

#include "oci/spec.h"

/* 0 to 5: a hook of that stage. Others: see entry_of. */
struct applying {
    struct gr_decision decision;
    struct gr_oci_hook hooks[16];
    struct gr_adjust_entry entries[24];
    struct gr_adjusted adjusted[24];
};

static inline struct gr_adjust_entry entry_of(char letter)
{
    static const struct gr_str options[] = {{"bind", 4}, {"ro", 2}};
    struct gr_adjust_entry e = {.number = 7};

    switch (letter) {
    case 'e':
        e.kind = GR_ADJUST_ENV;
        e.key = GR_STR("A");
        e.text = GR_STR("1 \"x\"");
        break;
    case 'P':
        e.kind = GR_ADJUST_ENV;
        e.key = GR_STR("PATH");
        e.text = GR_STR("/x");
        break;
    case 'm':
    case 'M':
        e.kind = GR_ADJUST_MOUNT;
        e.key = letter == 'm' ? GR_STR("/data") : GR_STR("/data/in/side");
        e.mount = (struct gr_mount){.destination = e.key,
                                    .source = GR_STR("/srv"),
                                    .type = GR_STR("bind"),
                                    .options = {options, 2}};
        break;
    case 'a':
        e.kind = GR_ADJUST_ANNOTATION;
        e.key = GR_STR("k");
        e.text = GR_STR("v\n");
        break;
    case 'd':
        e.kind = GR_ADJUST_DEVICE;
        e.key = GR_STR("/dev/x");
        e.device = (struct gr_device){.type = 'c', .major = 10, .minor = 229};
        break;
    case 'b':
        e.kind = GR_ADJUST_DEVICE;
        e.key = GR_STR("/dev/y");
        e.device = (struct gr_device){.type = 'b',
                                      .major = 8,
                                      .minor = 1,
                                      .has_mode = true,
                                      .mode = 432,
                                      .has_uid = true,
                                      .uid = 1,
                                      .has_gid = true,
                                      .gid = 2};
        break;
    case 'f':
        e.kind = GR_ADJUST_DEVICE;
        e.key = GR_STR("/dev/pipe");
        e.device = (struct gr_device){.type = 'p'};
        break;
    case 'r':
        e.kind = GR_ADJUST_RLIMIT;
        e.key = GR_STR("RLIMIT_CORE");
        e.rlimit = (struct gr_rlimit){.soft = 5, .hard = UINT64_MAX};
        break;
    case 'h':
        e.kind = GR_ADJUST_HUGEPAGES;
        e.key = GR_STR("2MB");
        break;
    case 'u':
        e.kind = GR_ADJUST_UNIFIED;
        e.key = GR_STR("memory.high");
        e.text = GR_STR("max");
        break;
    case 'C':
        e.kind = GR_ADJUST_CDI_DEVICE;
        e.key = GR_STR("v.com/c=n");
        break;
    default:
        fail_msg("no entry has the letter %c", letter);
    }
    return e;
}

/* "@" and a digit or colon: that resource (":" is the one with number 10). */
static inline void make_decision(const char *letters, struct applying *a)
{
    static const struct gr_str args[] = {{"h", 1}, {"a \\", 3}};
    static const struct gr_str env[] = {{"GRAPNEL_HOOKSET=s@0000000000000001", 34}};

    *a = (struct applying){0};
    a->decision.hooks = a->hooks;
    a->decision.adjust = a->adjusted;
    for (; *letters; letters++) {
        size_t n = a->decision.adjust_n;

        if (*letters >= '0' && *letters <= '5') {
            a->hooks[a->decision.hooks_n++] =
                (struct gr_oci_hook){.stage = (enum gr_stage)(*letters - '0'),
                                     .path = GR_STR("/opt/h"),
                                     .args = {args, 2},
                                     .env = {env, 1},
                                     .has_timeout = true,
                                     .timeout_s = 10};
            continue;
        }
        if (*letters == '@')
            a->entries[n] =
                (struct gr_adjust_entry){.kind = GR_ADJUST_RESOURCE,
                                         .resource = (enum gr_resource)(*++letters - '0'),
                                         .number = -1,
                                         .text = GR_STR("0-1")};
        else
            a->entries[n] = entry_of(*letters);
        a->adjusted[n].entry = &a->entries[n];
        a->decision.adjust_n++;
    }
}

/* The text with the decision laid into it; out is to be finished. */
static inline int apply(struct gr_str text, const char *letters, struct gr_buf *out,
                        size_t *out_left_out, struct gr_err *err)
{
    struct applying a;
    struct gr_arena arena;
    uint8_t *exact = test_exact(text.p, text.n);
    int result;

    make_decision(letters, &a);
    gr_arena_init(&arena, 4096, 0);
    gr_buf_init(out, 64U << 20);
    result = gr_oci_spec_apply(&arena, (struct gr_str){(const char *)exact, text.n}, &a.decision,
                               out, out_left_out, err);
    gr_arena_fini(&arena);
    free(exact);
    return result;
}

#endif
