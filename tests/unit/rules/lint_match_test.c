/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of matches that can never be true, that always are, and that no policy lets through.
 */
#include "linting.h"

static const struct row never[] = {
    {"never: always false", "spec:\n  match: {always: false}\n" POSTSTOP,
     "lint-never-matches@4 warning"},
    {"never: two namespaces", "spec:\n  match: {all: [{namespace: a}, {namespace: b}]}\n" POSTSTOP,
     "lint-never-matches@4 warning"},
    {"two of which one is both",
     "spec:\n  match: {all: [{namespace: [a, b]}, {namespace: {in: [b, c]}}]}\n" POSTSTOP, ""},
    {"never: in and glob",
     "spec:\n  match: {all: [{namespace: {in: [a, b]}}, {namespace: {glob: \"c*\"}}]}\n" POSTSTOP,
     "lint-never-matches@4 warning"},
    {"never: taken out again",
     "spec:\n  match: {namespace: a, not: {namespace: [a, b]}}\n" POSTSTOP,
     "lint-never-matches@4 warning"},
    {"never: value of an annotation",
     "spec:\n  match: {all: [{podAnnotations: {k: a}}, {podAnnotations: {k: {exists: false}}}]}"
     "\n" POSTSTOP,
     "lint-never-matches@4 warning"},
    {"other keys", "spec:\n  match: {all: [{podLabels: {k: a}}, {podLabels: {l: b}}]}\n" POSTSTOP,
     ""},
    {"never: each branch",
     "spec:\n  match: {any: [{always: false}, {not: {always: true}}]}\n" POSTSTOP,
     "lint-never-matches@4 warning"},
    {"one branch can", "spec:\n  match: {any: [{always: false}, {namespace: a}]}\n" POSTSTOP, ""},

    {"never: two images",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: nginx}, {image: httpd}]}\n" POSTSTOP,
     "lint-never-matches@5 warning", NULL},
    {"never: two registries",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: nginx}, {image: "
     "quay.io/library/nginx}]}\n" POSTSTOP,
     "lint-never-matches@5 warning", NULL},
    {"never: two tags",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: \"nginx:1\"}, {image: "
     "\"nginx:2\"}]}\n" POSTSTOP,
     "lint-never-matches@5 warning", NULL},
    {"an image and its tag",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: nginx}, {image: \"nginx:1\"}]}\n" POSTSTOP,
     "", NULL},
    {"an image by two names",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: nginx}, {image: "
     "docker.io/library/nginx}]}\n" POSTSTOP,
     "", NULL},
    {"a tag and a digest",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: \"nginx:1\"}, {image: "
     "\"nginx@sha256:*\"}]}\n" POSTSTOP,
     "", NULL},
    {"never: an image and a pattern",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: nginx}, {image: [r.io/team/**, "
     "httpd]}]}\n" POSTSTOP,
     "lint-never-matches@5 warning", NULL},
    {"an image and one of the patterns",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: nginx}, {image: [r.io/team/**, "
     "\"**/nginx\"]}]}\n" POSTSTOP,
     "", NULL},
    {"never: two beginnings of images",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: r.io/a/**}, {image: "
     "r.io/b/**}]}\n" POSTSTOP,
     "lint-never-matches@5 warning", NULL},
    {"never: two beginnings within a part of images",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: r.io/a*/x}, {image: "
     "r.io/b*/x}]}\n" POSTSTOP,
     "lint-never-matches@5 warning", NULL},
    {"a beginning of images in another",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: r.io/a/**}, {image: "
     "r.io/a/b/**}]}\n" POSTSTOP,
     "", NULL},
    {"a beginning that spans parts",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: r.io/**/a}, {image: "
     "r.io/b/**}]}\n" POSTSTOP,
     "", NULL},
    {"never: an image that is taken out",
     "spec:\n  onUnknown: Fail\n  match: {image: nginx, not: {image: nginx}}\n" POSTSTOP,
     "lint-never-matches@5 warning", NULL},
    {"never: an image whose tags are taken out",
     "spec:\n  onUnknown: Fail\n  match: {image: \"nginx:1\", not: {image: [httpd, "
     "nginx]}}\n" POSTSTOP,
     "lint-never-matches@5 warning", NULL},
    {"one tag of an image taken out",
     "spec:\n  onUnknown: Fail\n  match: {image: nginx, not: {image: \"nginx:1\"}}\n" POSTSTOP, "",
     NULL},
    {"never: an image and notIn",
     "spec:\n  onUnknown: Fail\n  match: {all: [{image: nginx}, {image: {notIn: "
     "[nginx]}}]}\n" POSTSTOP,
     "lint-never-matches@5 warning", NULL},
    {"never: two prefixes",
     "spec:\n  match: {all: [{namespace: {prefix: a-}}, {namespace: {prefix: b-}}]}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"a prefix of a prefix",
     "spec:\n  match: {all: [{namespace: {prefix: a}}, {namespace: {prefix: ab}}]}\n" POSTSTOP, "",
     NULL},
    {"never: a prefix and the beginning of a glob",
     "spec:\n  match: {all: [{namespace: {prefix: ab}}, {namespace: {glob: \"ac*\"}}]}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"never: beginnings of expressions",
     "spec:\n  match: {all: [{namespace: {regex: 'a-.*'}}, {namespace: {regex: "
     "'b-.*'}}]}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"what expressions find somewhere",
     "spec:\n  match: {all: [{namespace: {regex: 'a-', search: true}}, {namespace: {regex: "
     "'b-.*'}}]}\n" POSTSTOP,
     "", NULL},
    {"never: texts of an expression",
     "spec:\n  match: {all: [{namespace: {regex: 'a|b'}}, {namespace: {glob: \"*c\"}}]}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"one text of an expression",
     "spec:\n  match: {all: [{namespace: {regex: 'a|bc'}}, {namespace: {glob: "
     "\"*c\"}}]}\n" POSTSTOP,
     "", NULL},
    {"never: prefixes of each of several",
     "spec:\n  match: {all: [{namespace: [{prefix: a}, {prefix: b}]}, {namespace: [{prefix: c}, "
     "d]}]}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"prefixes of one of several",
     "spec:\n  match: {all: [{namespace: [{prefix: a}, {prefix: c}]}, {namespace: [{prefix: ca}, "
     "d]}]}\n" POSTSTOP,
     "", NULL},
    {"prefixes of elements",
     "spec:\n  match: {all: [{args: {prefix: a}}, {args: {prefix: b}}]}\n" POSTSTOP, "", NULL},
    {"never: a prefix that is taken out again",
     "spec:\n  match: {namespace: {prefix: a}, not: {namespace: [b, {prefix: a}]}}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"some of a prefix taken out",
     "spec:\n  match: {namespace: {prefix: a}, not: {namespace: {prefix: ab}}}\n" POSTSTOP, "",
     NULL},
    {"never: an element that is taken out again",
     "spec:\n  match: {args: x, not: {args: x}, namespace: a}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"never: a mount that is taken out again",
     "spec:\n  match: {namespace: a, mounts: {type: bind, source: /a}, not: {mounts: [{type: b}, "
     "{type: bind, source: /a}]}}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"some mounts taken out",
     "spec:\n  match: {mounts: {type: bind}, not: {mounts: {type: bind, source: /a}}}\n" POSTSTOP,
     "", NULL},
    {"never: branches that are taken out again",
     "spec:\n  match: {all: [{any: [{namespace: a}, {namespace: b}]}, {not: {any: [{namespace: a}, "
     "{namespace: b}]}}]}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"never: a not of an any",
     "spec:\n  match: {not: {any: [{namespace: a}, {namespace: {notIn: [a]}}]}}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"a not of an any that leaves something",
     "spec:\n  match: {not: {any: [{namespace: a}, {namespace: b}]}}\n" POSTSTOP,
     "lint-only-exceptions@4 info", NULL},
    {"never: there and not there",
     "spec:\n  match: {all: [{podLabels: {k: {prefix: a}}}, {podLabels: {k: {exists: "
     "false}}}]}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"never: not there, and some value",
     "spec:\n  match: {all: [{podLabels: {k: {exists: false}}}, {podLabels: {k: {exists: "
     "true}}}]}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"no handler, and not that one",
     "spec:\n  match: {runtimeHandler: \"\", not: {runtimeHandler: kata}}\n" POSTSTOP, "", NULL},
    {"a variable without its value", "spec:\n  match: {env: PATH}\n" POSTSTOP,
     "lint-never-matches@4 warning", NULL},
    {"variables without their values",
     "spec:\n  match: {namespace: a, env: {in: [A, B]}}\n" POSTSTOP, "lint-never-matches@4 warning",
     NULL},
    {"an exception for a variable without its value",
     "spec:\n  match: {namespace: a, env: {notIn: [A]}}\n" POSTSTOP,
     "lint-never-matches@4 warning;lint-dodgeable-not@4 warning", NULL},
    {"one of them is an element", "spec:\n  match: {env: [A, {prefix: A=}]}\n" POSTSTOP, "", NULL},
    {"an element", "spec:\n  match: {env: A=}\n" POSTSTOP, "", NULL},
    {"no elements", "spec:\n  match: {env: {exists: false}}\n" POSTSTOP,
     "lint-only-exceptions@4 info;lint-dodgeable-not@4 warning", NULL},
};

static const struct row everything[] = {
    {"everything: glob", "spec:\n  match: {namespace: {glob: \"**\"}}\n" POSTSTOP,
     "lint-matches-all@4 warning"},
    {"everything: image", "spec:\n  onUnknown: Fail\n  match: {image: \"**\"}\n" POSTSTOP,
     "lint-matches-all@5 warning"},
    {"everything in one branch",
     "spec:\n  match: {any: [{namespace: a}, {podName: {glob: \"*\"}}]}\n" POSTSTOP,
     "lint-matches-all@4 warning"},
    {"any value of a key is not everything",
     "spec:\n  match: {podAnnotations: {k: {glob: \"*\"}}}\n" POSTSTOP, ""},

    {"everything: a namespace", "spec:\n  match: {namespace: {exists: true}}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"a handler that is named", "spec:\n  match: {runtimeHandler: {exists: true}}\n" POSTSTOP, "",
     NULL},
    {"a key that is there", "spec:\n  match: {podLabels: {k: {exists: true}}}\n" POSTSTOP, "",
     NULL},
    {"everything: image, twice", "spec:\n  onUnknown: Fail\n  match: {image: \"**/**\"}\n" POSTSTOP,
     "lint-matches-all@5 warning", NULL},
    {"everything: image, in parts",
     "spec:\n  onUnknown: Fail\n  match: {image: \"**/*\"}\n" POSTSTOP,
     "lint-matches-all@5 warning", NULL},
    {"images of two parts at least below the registry",
     "spec:\n  onUnknown: Fail\n  match: {image: \"**/*/*/*\"}\n" POSTSTOP, "", NULL},
    {"images of Docker's", "spec:\n  onUnknown: Fail\n  match: {image: \"*\"}\n" POSTSTOP, "",
     NULL},
    {"images with a tag", "spec:\n  onUnknown: Fail\n  match: {image: \"**:*\"}\n" POSTSTOP, "",
     NULL},
    {"everything: expression 1", "spec:\n  match: {namespace: {regex: '.*'}}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"everything: expression 2", "spec:\n  match: {namespace: {regex: '.+'}}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"everything: expression 3", "spec:\n  match: {namespace: {regex: '(?s).*'}}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"everything: expression 4", "spec:\n  match: {namespace: {regex: '^.*$'}}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"everything: expression 5", "spec:\n  match: {namespace: {regex: '(.*)'}}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"everything: expression 6", "spec:\n  match: {namespace: {regex: '(?:.+)'}}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"everything: expression 7", "spec:\n  match: {namespace: {regex: '.*?'}}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"everything: expression 8", "spec:\n  match: {namespace: {regex: '\\A.+\\z'}}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"everything: any character",
     "spec:\n  match: {namespace: {regex: '.', search: true}}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"one character", "spec:\n  match: {namespace: {regex: '.'}}\n" POSTSTOP, "", NULL},
    {"two of them", "spec:\n  match: {namespace: {regex: '(.*)-(.*)'}}\n" POSTSTOP, "", NULL},
    {"a handler with some character", "spec:\n  match: {runtimeHandler: {regex: '.+'}}\n" POSTSTOP,
     "", NULL},
    {"everything: glob with a character", "spec:\n  match: {namespace: {glob: \"?*\"}}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"glob with two characters", "spec:\n  match: {namespace: {glob: \"??*\"}}\n" POSTSTOP, "",
     NULL},
    {"glob of one character", "spec:\n  match: {namespace: {glob: \"?\"}}\n" POSTSTOP, "", NULL},
    {"a handler with a character", "spec:\n  match: {runtimeHandler: {glob: \"?*\"}}\n" POSTSTOP,
     "", NULL},
    {"everything: one or not",
     "spec:\n  match: {any: [{namespace: a}, {not: {namespace: a}}]}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"everything: an image or not",
     "spec:\n  onUnknown: Fail\n  match: {any: [{image: nginx}, {image: {notIn: "
     "[nginx]}}]}\n" POSTSTOP,
     "lint-matches-all@5 warning", NULL},
    {"everything: two conditions or not",
     "spec:\n  match: {any: [{namespace: a, podName: b}, {not: {namespace: a, podName: "
     "b}}]}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"everything: two exceptions, of which one holds",
     "spec:\n  match: {any: [{namespace: {notIn: [a]}}, {namespace: {notIn: [b]}}]}\n" POSTSTOP,
     "lint-matches-all@4 warning", NULL},
    {"one or not another",
     "spec:\n  match: {any: [{namespace: a}, {not: {namespace: b}}]}\n" POSTSTOP, "", NULL},
    {"one or not both",
     "spec:\n  match: {any: [{namespace: a, podName: b}, {not: {namespace: a}}]}\n" POSTSTOP, "",
     NULL},
};

static const struct row policies[] = {
    {"asked for, and nobody grants it",
     "spec:\n  requestable: true\n  match: {requested: true}\n" POSTSTOP, "lint-no-grants@5 info"},
    {"asked for, or of a namespace",
     "spec:\n  requestable: true\n  match: {any: [{namespace: a}, {requested: true}]}\n" POSTSTOP,
     ""},

    {"granted",
     "spec:\n  requestable: true\n  match: {requested: true}\n  hooks: {poststop: [{path: "
     "/opt/x}]}\n",
     "", "spec: {requests: [{sets: stem, namespaces: team}]}\n"},
    {"granted by a pattern",
     "spec:\n  requestable: true\n  match: {requested: true, namespace: team-a}\n  hooks: "
     "{poststop: [{path: /opt/x}]}\n",
     "", "spec: {requests: [{sets: {glob: \"st*\"}, namespaces: {glob: \"team-*\"}}]}\n"},
    {"another set is granted",
     "spec:\n  requestable: true\n  match: {requested: true}\n  hooks: {poststop: [{path: "
     "/opt/x}]}\n",
     "lint-no-grants@5 info", "spec: {requests: [{sets: other, namespaces: team}]}\n"},
    {"nothing is granted",
     "spec:\n  requestable: true\n  match: {requested: true, namespace: a}\n  hooks: {poststop: "
     "[{path: /opt/x}]}\n",
     "lint-no-grants@5 info", "spec: {}\n"},
    {"granted to other namespaces",
     "spec:\n  requestable: true\n  match: {requested: true, namespace: [a, {in: [b]}]}\n  hooks: "
     "{poststop: [{path: /opt/x}]}\n",
     "lint-no-grants@5 info", "spec: {requests: [{sets: stem, namespaces: team}]}\n"},
    {"granted to one of the namespaces",
     "spec:\n  requestable: true\n  match: {requested: true, namespace: [a, team]}\n  hooks: "
     "{poststop: [{path: /opt/x}]}\n",
     "", "spec: {requests: [{sets: stem, namespaces: team}]}\n"},
    {"granted to some of a pattern",
     "spec:\n  requestable: true\n  match: {requested: true, namespace: {glob: \"a*\"}}\n  hooks: "
     "{poststop: [{path: /opt/x}]}\n",
     "", "spec: {requests: [{sets: stem, namespaces: team}]}\n"},
    {"a set that pods need not ask for",
     "spec:\n  requestable: true\n  match: {any: [{namespace: a}, {requested: true}]}\n  hooks: "
     "{poststop: [{path: /opt/x}]}\n",
     "", "spec: {}\n"},
    {"a set for pods that do not ask",
     "spec:\n  requestable: true\n  match: {namespace: a, not: {requested: true}}\n  hooks: "
     "{poststop: [{path: /opt/x}]}\n",
     "", "spec: {}\n"},
    {"exempt",
     "spec:\n  match: {namespace: [kube-system, infra-a]}\n  hooks: {poststop: [{path: /opt/x}]}\n",
     "lint-out-of-reach@4 warning", "spec: {exemptNamespaces: [kube-system, {prefix: infra-}]}\n"},
    {"exempt in each branch",
     "spec:\n  match: {any: [{namespace: infra-a}, {namespace: infra-b, podName: x}]}\n  hooks: "
     "{poststop: [{path: /opt/x}]}\n",
     "lint-out-of-reach@4 warning", "spec: {exemptNamespaces: [kube-system, {prefix: infra-}]}\n"},
    {"one is not exempt",
     "spec:\n  match: {namespace: [kube-system, a]}\n  hooks: {poststop: [{path: /opt/x}]}\n", "",
     "spec: {exemptNamespaces: [kube-system, {prefix: infra-}]}\n"},
    {"one branch is not exempt",
     "spec:\n  match: {any: [{namespace: infra-a}, {podLabels: {a: b}}]}\n  hooks: {poststop: "
     "[{path: /opt/x}]}\n",
     "", "spec: {exemptNamespaces: [kube-system, {prefix: infra-}]}\n"},
    {"a pattern of namespaces",
     "spec:\n  match: {namespace: {prefix: infra-}}\n  hooks: {poststop: [{path: /opt/x}]}\n", "",
     "spec: {exemptNamespaces: [kube-system, {prefix: infra-}]}\n"},
    {"all but an exempt one",
     "spec:\n  match: {podLabels: {a: b}, not: {namespace: kube-system}}\n  hooks: {poststop: "
     "[{path: /opt/x}]}\n",
     "", "spec: {exemptNamespaces: [kube-system, {prefix: infra-}]}\n"},
    {"all stages are left out",
     "spec:\n  match: {runtimeHandler: [vm-a, crun]}\n  hooks: {createContainer: [{path: /opt/x, "
     "timeout: 5}]}\n",
     "lint-out-of-reach@4 warning",
     "spec: {skipStages: [{runtimeHandlers: [{glob: \"vm*\"}, crun], stages: "
     "[createContainer]}]}\n"},
    {"for the same pattern",
     "spec:\n  match: {runtimeHandler: {glob: \"vm*\"}}\n  hooks: {createContainer: [{path: "
     "/opt/x, timeout: 5}]}\n",
     "lint-out-of-reach@4 warning",
     "spec: {skipStages: [{runtimeHandlers: [{glob: \"vm*\"}, crun], stages: "
     "[createContainer]}]}\n"},
    {"for another pattern",
     "spec:\n  match: {runtimeHandler: {glob: \"v*\"}}\n  hooks: {createContainer: [{path: /opt/x, "
     "timeout: 5}]}\n",
     "",
     "spec: {skipStages: [{runtimeHandlers: [{glob: \"vm*\"}, crun], stages: "
     "[createContainer]}]}\n"},
    {"for one handler of two",
     "spec:\n  match: {runtimeHandler: [vm-a, runc]}\n  hooks: {createContainer: [{path: /opt/x, "
     "timeout: 5}]}\n",
     "",
     "spec: {skipStages: [{runtimeHandlers: [{glob: \"vm*\"}, crun], stages: "
     "[createContainer]}]}\n"},
    {"for handlers that are not asked for",
     "spec:\n  match: {namespace: a}\n  hooks: {createContainer: [{path: /opt/x, timeout: 5}]}\n",
     "",
     "spec: {skipStages: [{runtimeHandlers: [{glob: \"vm*\"}, crun], stages: "
     "[createContainer]}]}\n"},
    {"one stage of two",
     "spec:\n  match: {runtimeHandler: vm-a}\n  hooks: {createContainer: [{path: /opt/x, timeout: "
     "5}], poststop: [{path: /opt/x}]}\n",
     "",
     "spec: {skipStages: [{runtimeHandlers: [{glob: \"vm*\"}, crun], stages: "
     "[createContainer]}]}\n"},
    {"and something is adjusted",
     "spec:\n  match: {runtimeHandler: vm-a}\n  adjust: {env: {A: b}}\n  hooks: {createContainer: "
     "[{path: /opt/x, timeout: 5}]}\n",
     "",
     "spec: {skipStages: [{runtimeHandlers: [{glob: \"vm*\"}, crun], stages: "
     "[createContainer]}]}\n"},
    {"for every handler",
     "spec:\n  match: {namespace: a}\n  hooks: {createContainer: [{path: /opt/x, timeout: 5}]}\n",
     "lint-out-of-reach@4 warning",
     "spec: {skipStages: [{runtimeHandlers: {glob: \"*\"}, stages: [createContainer]}]}\n"},
    {"for every handler but the default one",
     "spec:\n  match: {namespace: a}\n  hooks: {createContainer: [{path: /opt/x, timeout: 5}]}\n",
     "", "spec: {skipStages: [{runtimeHandlers: {glob: \"?*\"}, stages: [createContainer]}]}\n"},
};

/* Two namespaces of one "all", with so many labels between them. */
static void excludes_with(size_t labels, const char *findings)
{
    struct listing listing = {.n = 0};
    struct decoded *decoded;
    char text[8192];
    size_t n = (size_t)snprintf(text, sizeof(text), HEAD "spec:\n  match: {all: [{namespace: a}");

    for (size_t i = 0; i < labels; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, ", {podLabels: {k%zu: x}}", i);
    n += (size_t)snprintf(text + n, sizeof(text) - n, ", {namespace: b}]}\n" POSTSTOP);
    assert_true(n < sizeof(text));
    decoded = decode_good(gr_str_from(text));
    lint_under(&decoded->arena, &decoded->sets, NULL, &listing);
    assert_string_equal(listing.text, findings);
    decoded_free(decoded);
}

/* 64 conditions are held against each other: the "all", the labels and the namespaces. */
static void many_conditions(void **state)
{
    (void)state;
    excludes_with(61, "lint-never-matches@4 warning");
    excludes_with(62, "");
}

int main(void)
{
    TEST_ADD_ROWS(says, never);
    TEST_ADD_ROWS(says, everything);
    TEST_ADD_ROWS(says, policies);
    test_add("many conditions", many_conditions);
    return test_run("lint_match");
}
