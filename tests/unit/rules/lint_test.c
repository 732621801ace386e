/* SPDX-License-Identifier: Apache-2.0 */
/* What is advised about a set, and about sets beside each other. */
#include "rules/tell/lint.h"

#include "rules/adjust.h"

#include "linting.h"

static const struct row rows[] = {
    {"nothing to say", "spec:\n  match: {namespace: web}\n" POSTSTOP, ""},
    {"everything, said so", "spec:\n  match: {always: true}\n" POSTSTOP, ""},

    {"a breaker",
     "spec:\n  match: {namespace: web}\n  breaker: {failures: 5, window: 60s}\n" POSTSTOP,
     "breaker-needs-runner@5 warning"},
    {"only exceptions", "spec:\n  match: {namespace: {notIn: [a]}}\n" POSTSTOP,
     "lint-only-exceptions@4 info"},
    {"only a not", "spec:\n  match: {not: {namespace: a}}\n" POSTSTOP,
     "lint-only-exceptions@4 info"},
    {"an exception to something",
     "spec:\n  match: {image: nginx, not: {namespace: a}}\n"
     "  onUnknown: Inject\n" POSTSTOP,
     ""},

    {"a not that the pod decides",
     "spec:\n  match: {namespace: a, not: {podLabels: {skip: \"yes\"}}}\n" POSTSTOP,
     "lint-dodgeable-not@4 warning"},
    {"a notIn that the image decides",
     "spec:\n  match: {namespace: a, command: {notIn: [/pause]}}\n" POSTSTOP,
     "lint-dodgeable-not@4 warning"},
    {"a not that needs more",
     "spec:\n  match: {namespace: a, not: {podLabels: {l: x}, namespace: b}}\n" POSTSTOP, ""},

    {"one branch that the pod decides is enough",
     "spec:\n  match:\n    namespace: a\n    not:\n      any:\n        - image: nginx\n"
     "        - podLabels: {skip: \"true\"}\n  onUnknown: Fail\n" POSTSTOP,
     "lint-dodgeable-not@9 warning"},
    {"a branch of a branch",
     "spec:\n  match:\n    namespace: a\n    not:\n      any:\n        - namespace: b\n"
     "        - any:\n            - runtimeHandler: kata\n            - env: SKIP=1\n" POSTSTOP,
     "lint-dodgeable-not@11 warning"},
    {"no branch that the pod decides alone",
     "spec:\n  match:\n    namespace: a\n    not:\n      any:\n        - runtimeHandler: kata\n"
     "        - {namespace: b, podLabels: {skip: \"true\"}}\n" POSTSTOP,
     ""},
    {"an exception to the exception",
     "spec:\n  match: {namespace: a, not: {podLabels: {l: x}, not: {args: keep}}}\n" POSTSTOP,
     "lint-dodgeable-not@4 warning"},
    {"an exception to the exception that the pod does not decide",
     "spec:\n  match: {namespace: a, not: {podLabels: {l: x}, not: {runtimeHandler: "
     "k}}}\n" POSTSTOP,
     ""},
    {"a not of all of nots is an any",
     "spec:\n  match: {namespace: a, not: {all: [{not: {podLabels: {l: x}}}, {not: {args: z}}]}}"
     "\n" POSTSTOP,
     ""},
    {"a not of any of nots is an all",
     "spec:\n  match: {namespace: a, not: {any: [{not: {podLabels: {l: x}}}, {not: {args: z}}]}}"
     "\n" POSTSTOP,
     ""},
    {"a not that asks for a label",
     "spec:\n  match: {namespace: a, not: {podLabels: {l: {notIn: [x]}}}}\n" POSTSTOP, ""},
    {"a not that asks for any value of a label",
     "spec:\n  match: {namespace: a, not: {podLabels: {l: {exists: false}}}}\n" POSTSTOP, ""},
    {"a not with some that asks and some that excepts",
     "spec:\n  match: {namespace: a, not: {podLabels: {l: [x, {exists: false}]}}}\n" POSTSTOP,
     "lint-dodgeable-not@4 warning"},
    {"two nots, and an exception in them",
     "spec:\n  match: {namespace: a, not: {not: {image: nginx, not: {podLabels: {l: x}}}}}\n"
     "  onUnknown: Fail\n" POSTSTOP,
     "lint-dodgeable-not@4 warning"},
    {"an entry of any annotation in a not",
     "spec:\n  match: {namespace: a, not: {any: [{namespace: b}, {anyAnnotation: {key: k}}]}}"
     "\n" POSTSTOP,
     "lint-dodgeable-not@4 warning"},
    {"a not that never takes anything out",
     "spec:\n  match: {namespace: a, not: {podLabels: {l: x}, always: false}}\n" POSTSTOP, ""},

    {"a not of a name that the pod decides",
     "spec:\n  match: {namespace: a, not: {containerName: proxy}}\n" POSTSTOP,
     "lint-dodgeable-not@4 warning"},
    {"a notIn of names that the pod decides",
     "spec:\n  match: {namespace: a, podName: {notIn: [web]}}\n" POSTSTOP,
     "lint-dodgeable-not@4 warning"},
    {"a not of mounts that the pod decides",
     "spec:\n  match: {namespace: a, not: {mounts: {destination: /skip}}}\n" POSTSTOP,
     "lint-dodgeable-not@4 warning"},
    {"some mount of another type is no exception",
     "spec:\n  match: {namespace: a, mounts: {type: {notIn: [bind]}}}\n" POSTSTOP, ""},
    {"a not of a name and a namespace",
     "spec:\n  match: {namespace: {prefix: a}, not: {containerName: x, namespace: ab}}\n" POSTSTOP,
     ""},
    {"a not of what the pod does not decide",
     "spec:\n  match: {namespace: a, not: {runtime: cri-o}}\n" POSTSTOP, ""},

    {"an exception to what the pod asks for",
     "spec:\n  match: {podLabels: {tier: web}, not: {podLabels: {track: canary}}}\n" POSTSTOP, ""},
    {"an exception in one branch, and what the pod asks for in another",
     "spec:\n  match:\n    any:\n      - podLabels: {tier: web}\n"
     "      - {namespace: a, not: {podLabels: {skip: x}}}\n" POSTSTOP,
     "lint-dodgeable-not@7 warning"},

    {"fails closed on a name that the pod decides",
     "spec:\n  failurePolicy: Fail\n  match: {podName: web, mounts: {destination: "
     "/data}}\n" POSTSTOP,
     "lint-dodgeable-fail@5 warning"},
    {"fails closed on what the pod decides",
     "spec:\n  failurePolicy: Fail\n  match: {annotations: {k: x}, command: /bin/x}\n" POSTSTOP,
     "lint-dodgeable-fail@5 warning"},
    {"fails closed by default", "spec:\n  match: {annotations: {k: x}}\n" POSTSTOP, ""},
    {"fails closed on a namespace too",
     "spec:\n  failurePolicy: Fail\n  match: {annotations: {k: x}, namespace: a}\n" POSTSTOP, ""},

    {"image under Skip", "spec:\n  match: {image: nginx}\n" POSTSTOP, "lint-image-skip@4 info"},
    {"image under Skip, fails closed",
     "spec:\n  failurePolicy: Fail\n  match: {image: nginx}\n" POSTSTOP,
     "lint-image-skip@5 warning"},
    {"image under Fail", "spec:\n  onUnknown: Fail\n  match: {image: nginx}\n" POSTSTOP, ""},

    {"nobody can ask for it", "spec:\n  match: {requested: true}\n" POSTSTOP,
     "lint-not-requestable@4 warning"},
    {"nobody can ask for it, in a branch",
     "spec:\n  match: {any: [{namespace: a}, {requested: true}]}\n" POSTSTOP,
     "lint-not-requestable@4 warning"},

    {"no timeout", "spec:\n  match: {namespace: a}\n  hooks: {createRuntime: [{path: /opt/x}]}\n",
     "lint-no-timeout@5 info"},
    {"a timeout at the edge",
     "spec:\n  match: {namespace: a}\n  hooks: {createRuntime: [{path: /opt/x, timeout: 5}]}\n",
     ""},
    {"a long timeout",
     "spec:\n  match: {namespace: a}\n  hooks: {createRuntime: [{path: /opt/x, timeout: 6}]}\n",
     "lint-long-timeout@5 info"},
    {"a long timeout after the start",
     "spec:\n  match: {namespace: a}\n  hooks: {poststart: [{path: /opt/x, timeout: 60}]}\n", ""},

    {"several hooks",
     "spec:\n  match: {namespace: a}\n  hooks:\n    poststop:\n      - path: /opt/x\n"
     "      - path: /opt/y\n",
     "lint-several-hooks@8 info"},
    {"prestart",
     "spec:\n  match: {namespace: a}\n  hooks: {prestart: [{path: /opt/x, timeout: 5}]}\n",
     "lint-prestart@5 info"},
    {"program of the image",
     "spec:\n  match: {namespace: a}\n  hooks: {startContainer: [{path: /opt/x, timeout: 5}]}\n",
     "lint-image-program@5 warning"},

    {"program of the host",
     "spec:\n  match: {namespace: a}\n  adjust:\n    mounts:\n      - {destination: /opt, source: "
     "/opt}\n"
     "  hooks: {startContainer: [{path: /opt/d/x, timeout: 5}]}\n",
     ""},
    {"program of the host, itself",
     "spec:\n  match: {namespace: a}\n  adjust:\n    mounts:\n      - {destination: /opt/d/x, "
     "source: /opt/x}\n"
     "  hooks: {startContainer: [{path: /opt/d/x, timeout: 5}]}\n",
     ""},
    {"program of an overlay of the host's",
     "spec:\n  match: {namespace: a}\n  adjust:\n    mounts:\n      - {destination: /opt, source: "
     "o, type: overlay, options: [lowerdir=/opt]}\n"
     "  hooks: {startContainer: [{path: /opt/d/x, timeout: 5}]}\n",
     ""},
    {"program below a tmpfs",
     "spec:\n  match: {namespace: a}\n  adjust:\n    mounts:\n      - {destination: /opt, source: "
     "tmpfs, type: tmpfs}\n"
     "  hooks: {startContainer: [{path: /opt/d/x, timeout: 5}]}\n",
     "lint-image-program@8 warning"},
    {"program of the host in a tmpfs",
     "spec:\n  match: {namespace: a}\n  adjust:\n    mounts:\n      - {destination: /opt/d, "
     "source: /opt/d}\n      - {destination: /opt, source: tmpfs, type: tmpfs}\n"
     "  hooks: {startContainer: [{path: /opt/d/x, timeout: 5}]}\n",
     ""},
    {"a tmpfs in what is the host's",
     "spec:\n  match: {namespace: a}\n  adjust:\n    mounts:\n      - {destination: /opt/d, "
     "source: tmpfs, type: tmpfs}\n      - {destination: /opt, source: /opt}\n"
     "  hooks: {startContainer: [{path: /opt/d/x, timeout: 5}]}\n",
     "lint-image-program@9 warning"},
    {"a mount beside the program",
     "spec:\n  match: {namespace: a}\n  adjust:\n    mounts:\n      - {destination: /opt/d2, "
     "source: /opt/d}\n"
     "  hooks: {startContainer: [{path: /opt/d/x, timeout: 5}]}\n",
     "lint-image-program@8 warning"},

    {"a hook that calls the engine",
     "spec:\n  match: {namespace: a}\n"
     "  hooks: {poststop: [{path: /bin/sh, args: [sh, -c, \"docker ps\"]}]}\n",
     "program-calls-engine@5 warning"},
    {"a hook that names the engine",
     "spec:\n  match: {namespace: a}\n  hooks: {poststop: [{path: /opt/x, args: [x, docker]}]}\n",
     ""},
    {"a program of the container's that is called as an engine",
     "spec:\n  match: {namespace: a}\n  adjust: {mounts: [{destination: /opt, source: /opt}]}\n"
     "  hooks: {startContainer: [{path: /opt/docker, timeout: 5}]}\n",
     ""},

    {"Kata and createContainer",
     "spec:\n  match: {runtimeHandler: {glob: \"kata*\"}}\n"
     "  hooks: {createContainer: [{path: /opt/x, timeout: 5}]}\n",
     "lint-stage-not-run@5 warning"},
    {"Kata by an expression",
     "spec:\n  match: {runtimeHandler: {regex: 'kata.*'}}\n"
     "  hooks: {createContainer: [{path: /opt/x, timeout: 5}]}\n",
     "lint-stage-not-run@5 warning"},
    {"Kata by one text of an expression",
     "spec:\n  match: {runtimeHandler: {regex: 'runc|kata-(qemu|clh)'}}\n"
     "  hooks: {createContainer: [{path: /opt/x, timeout: 5}]}\n",
     "lint-stage-not-run@5 warning"},
    {"Kata somewhere in an expression",
     "spec:\n  match: {runtimeHandler: {regex: 'kata', search: true}}\n"
     "  hooks: {createContainer: [{path: /opt/x, timeout: 5}]}\n",
     ""},
    {"Kata or any other",
     "spec:\n  match: {runtimeHandler: {regex: '(kata)?.+'}}\n"
     "  hooks: {createContainer: [{path: /opt/x, timeout: 5}]}\n",
     ""},
    {"one of several handlers",
     "spec:\n  match: {runtimeHandler: {in: [runc, runsc]}}\n"
     "  hooks: {createContainer: [{path: /opt/x, timeout: 5}]}\n",
     "lint-stage-not-run@5 warning"},
    {"Kata and createRuntime",
     "spec:\n  match: {runtimeHandler: kata-qemu}\n"
     "  hooks: {createRuntime: [{path: /opt/x, timeout: 5}]}\n",
     ""},
    {"all but Kata",
     "spec:\n  match: {namespace: a, not: {runtimeHandler: kata}}\n"
     "  hooks: {createContainer: [{path: /opt/x, timeout: 5}]}\n",
     ""},
};

static struct gr_adjust_entry make_env(const char *value, uint32_t line)
{
    return (struct gr_adjust_entry){.kind = GR_ADJUST_ENV,
                                    .key = GR_STR("NAME"),
                                    .text = gr_str_from(value),
                                    .line = line,
                                    .column = 1};
}

static struct gr_hookset make_set(const char *name, const struct gr_cond *match,
                                  const struct gr_adjust_entry *entry)
{
    return (struct gr_hookset){.name = gr_str_from(name),
                               .file = GR_STR("dir/stem.yaml"),
                               .file_name = GR_STR("stem.yaml"),
                               .order = GR_ORDER_DEFAULT,
                               .match = match,
                               .adjust = entry,
                               .adjust_n = 1};
}

static void two_sets_adjust_one_key(void **state)
{
    static const struct gr_cond always = {.kind = GR_COND_ALWAYS, .always = true};
    struct gr_adjust_entry entries[] = {make_env("a", 7), make_env("a", 8), make_env("b", 9)};
    struct gr_hookset sets[] = {make_set("one", &always, &entries[0]),
                                make_set("two", &always, &entries[1]),
                                make_set("zoo", &always, &entries[2])};
    struct gr_hooksets list_of = {.items = sets, .n = 3};
    struct listing listing = {.n = 0};
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    sets[0].order = 1;
    lint(&arena, &list_of, &listing);
    assert_string_equal(listing.text, "lint-same-adjust@9 warning");
    sets[2].other_node = true;
    listing = (struct listing){.n = 0};
    lint(&arena, &list_of, &listing);
    assert_string_equal(listing.text, "");
}

static void a_mounted_program_is_the_hosts(void **state)
{
    static const struct gr_cond match = {.kind = GR_COND_ALWAYS, .always = true};
    static const struct gr_hook hook = {.path = {"/opt/x", 6}, .timeout_given = true, .column = 1};
    struct gr_adjust_entry entry = {.kind = GR_ADJUST_MOUNT, .key = GR_STR("/opt"), .column = 1};
    struct gr_hookset set = make_set("one", &match, &entry);
    struct gr_hooksets list_of = {.items = &set, .n = 1};
    struct listing listing = {.n = 0};
    struct gr_arena arena;

    (void)state;
    gr_arena_init(&arena, 4096, 0);
    set.hooks[GR_STAGE_START_CONTAINER] = (struct gr_hook_list){.items = &hook, .n = 1};
    lint(&arena, &list_of, &listing);
    assert_string_equal(listing.text, "");
    entry.key = GR_STR("/op"); /* a beginning of the text, not of the path */
    lint(&arena, &list_of, &listing);
    assert_string_equal(listing.text, "lint-image-program@0 warning");
}

int main(void)
{
    TEST_ADD_ROWS(says, rows);
    test_add("two sets adjust one key", two_sets_adjust_one_key);
    test_add("a mounted program is the host's", a_mounted_program_is_the_hosts);
    return test_run("lint");
}
