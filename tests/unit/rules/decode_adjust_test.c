/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spec.adjust: every kind of entry, what each refuses, and its limits.
 */
#include "rules/decoding.h"

#include "base/buf.h"
#include "rules/adjust.h"

static struct decoded *decode_row(const char *row)
{
    struct decoded *decoded;
    struct gr_buf text;

    gr_buf_init(&text, 1U << 20);
    assert_int_equal(gr_buf_text(&text, TOP SPEC MATCH "  adjust: {") || gr_buf_text(&text, row) ||
                         gr_buf_text(&text, "}\n"),
                     0);
    decoded = decode(gr_buf_view(&text));
    gr_buf_fini(&text);
    return decoded;
}

/* The entries of a row that must be good. */
static struct decoded *decode_entries(const char *row, size_t n,
                                      const struct gr_adjust_entry **out_entries)
{
    struct decoded *decoded = decode_row(row);

    if (decoded->findings_n > 0)
        fail_msg("%s: %s", row, decoded->findings[0].text);
    assert_int_equal(decoded->sets.n, 1);
    assert_int_equal(decoded->sets.items[0].adjust_n, n);
    *out_entries = decoded->sets.items[0].adjust;
    return decoded;
}

static void check_text(const struct gr_adjust_entry *entry, enum gr_adjust_kind kind,
                       const char *key, const char *text)
{
    assert_int_equal(entry->kind, kind);
    assert_str(entry->key, key);
    assert_str(entry->text, text);
    assert_int_equal(entry->line, 5);
    assert_true(entry->column > 1);
}

static void test_env(void **state)
{
    const struct gr_adjust_entry *e;
    struct decoded *decoded = decode_entries(
        "env: {A: b, _x.y-1: \"\", .c: \"two\\n\\tlines\", LD_PRELOAD: /x.so}", 4, &e);

    (void)state;
    check_text(&e[0], GR_ADJUST_ENV, "A", "b");
    check_text(&e[1], GR_ADJUST_ENV, "_x.y-1", "");
    check_text(&e[2], GR_ADJUST_ENV, ".c", "two\n\tlines");
    check_text(&e[3], GR_ADJUST_ENV, "LD_PRELOAD", "/x.so");
    decoded_free(decoded);
}

static void test_annotations(void **state)
{
    const struct gr_adjust_entry *e;
    struct decoded *decoded = decode_entries(
        "annotations: {a: b, example.com/A_b.c-1: \"true\", run.oci.handler: \"\"}", 3, &e);

    (void)state;
    check_text(&e[0], GR_ADJUST_ANNOTATION, "a", "b");
    check_text(&e[1], GR_ADJUST_ANNOTATION, "example.com/A_b.c-1", "true");
    check_text(&e[2], GR_ADJUST_ANNOTATION, "run.oci.handler", "");
    decoded_free(decoded);
}

static void test_mounts(void **state)
{
    const struct gr_adjust_entry *e;
    struct decoded *decoded = decode_entries(
        "mounts: [{destination: /data, source: /var/lib/data},"
        " {destination: /all, source: /, type: bind, options: [ro, rbind, nosuid]},"
        " {destination: /none, source: /x, type: none, options: [bind]},"
        " {destination: /tmp, type: tmpfs, source: tmpfs, options: [size=64m, 'mode=1777']},"
        " {destination: /o, type: overlay, options: ['lowerdir=/a:/..data/b', upperdir=/c]},"
        " {destination: /proc2, type: proc}]",
        6, &e);

    (void)state;
    assert_int_equal(e[0].kind, GR_ADJUST_MOUNT);
    assert_str(e[0].key, "/data");
    assert_str(e[0].mount.destination, "/data");
    assert_str(e[0].mount.source, "/var/lib/data");
    assert_str(e[0].mount.type, "bind");
    assert_int_equal(e[0].mount.options.n, 1);
    assert_str(e[0].mount.options.items[0], "rbind");
    assert_int_equal(e[1].mount.options.n, 3);
    assert_str(e[1].mount.options.items[0], "ro");
    assert_str(e[2].mount.type, "none");
    assert_int_equal(e[2].mount.options.n, 1);
    assert_str(e[3].mount.type, "tmpfs");
    assert_int_equal(e[3].mount.options.n, 2);
    assert_str(e[4].mount.options.items[0], "lowerdir=/a:/..data/b");
    assert_int_equal(e[5].mount.source.n, 0);
    assert_int_equal(e[5].mount.options.n, 0);
    decoded_free(decoded);
}

static void test_devices(void **state)
{
    const struct gr_adjust_entry *e;
    struct decoded *decoded = decode_entries(
        "devices: [{path: /dev/fuse, type: c, major: 10, minor: 229, fileMode: \"0660\", uid: 0,"
        " gid: 44}, {path: /dev/sda, type: b, major: 0, minor: 1048575},"
        " {path: /run/f, type: p, fileMode: '600'}, {path: /dev/u, type: u, major: 4095, minor: "
        "0}]",
        4, &e);

    (void)state;
    assert_int_equal(e[0].kind, GR_ADJUST_DEVICE);
    assert_str(e[0].key, "/dev/fuse");
    assert_int_equal(e[0].device.type, 'c');
    assert_int_equal(e[0].device.major, 10);
    assert_int_equal(e[0].device.minor, 229);
    assert_true(e[0].device.has_mode && e[0].device.has_uid && e[0].device.has_gid);
    assert_int_equal(e[0].device.mode, 0660);
    assert_int_equal(e[0].device.gid, 44);
    assert_int_equal(e[1].device.type, 'b');
    assert_int_equal(e[1].device.minor, 1048575);
    assert_false(e[1].device.has_mode || e[1].device.has_uid || e[1].device.has_gid);
    assert_int_equal(e[2].device.type, 'p');
    assert_int_equal(e[2].device.mode, 0600);
    assert_int_equal(e[3].device.type, 'u');
    decoded_free(decoded);
}

static void test_cdi_devices(void **state)
{
    const struct gr_adjust_entry *e;
    struct decoded *decoded =
        decode_entries("cdiDevices: [vendor.com/gpu=0, A/b.c_d-e=Gpu:0.1_a-b]", 2, &e);

    (void)state;
    check_text(&e[0], GR_ADJUST_CDI_DEVICE, "vendor.com/gpu=0", "");
    check_text(&e[1], GR_ADJUST_CDI_DEVICE, "A/b.c_d-e=Gpu:0.1_a-b", "");
    decoded_free(decoded);
}

static void test_rlimits(void **state)
{
    const struct gr_adjust_entry *e;
    struct decoded *decoded =
        decode_entries("rlimits: [{type: RLIMIT_NOFILE, soft: 1024, hard: 4Ki},"
                       " {type: RLIMIT_MEMLOCK, soft: unlimited, hard: -1},"
                       " {type: RLIMIT_CORE, soft: 0, hard: 18446744073709551615}]",
                       3, &e);

    (void)state;
    check_text(&e[0], GR_ADJUST_RLIMIT, "RLIMIT_NOFILE", "");
    assert_true(e[0].rlimit.soft == 1024 && e[0].rlimit.hard == 4096);
    assert_true(e[1].rlimit.soft == UINT64_MAX && e[1].rlimit.hard == UINT64_MAX);
    assert_true(e[2].rlimit.soft == 0 && e[2].rlimit.hard == UINT64_MAX);
    decoded_free(decoded);
}

static void check_number(const struct gr_adjust_entry *entry, enum gr_resource resource,
                         const char *key, int64_t number)
{
    check_text(entry, GR_ADJUST_RESOURCE, key, "");
    assert_int_equal(entry->resource, resource);
    assert_true(entry->number == number);
}

static void test_resources(void **state)
{
    const struct gr_adjust_entry *e;
    struct decoded *decoded = decode_entries(
        "resources: {memory: {limit: 100Mi, reservation: 1000k, swap: -1},"
        " cpu: {shares: 2, quota: unlimited, period: 1000000, cpus: \"0-3,7\", mems: \"0\"},"
        " pids: {limit: 4194304}, blockioClass: lowprio, rdtClass: gold-1,"
        " hugepageLimits: [{pageSize: 2MB, limit: 64Mi}, {pageSize: 1GB, limit: 0}],"
        " unified: {memory.high: \"104857600\", io.max: '8:0 rbps=1', hugetlb.2MB.max: max}}",
        16, &e);

    (void)state;
    check_number(&e[0], GR_RESOURCE_MEMORY_LIMIT, "memory.limit", 100LL << 20);
    check_number(&e[1], GR_RESOURCE_MEMORY_RESERVATION, "memory.reservation", 1000000);
    check_number(&e[2], GR_RESOURCE_MEMORY_SWAP, "memory.swap", -1);
    check_number(&e[3], GR_RESOURCE_CPU_SHARES, "cpu.shares", 2);
    check_number(&e[4], GR_RESOURCE_CPU_QUOTA, "cpu.quota", -1);
    check_number(&e[5], GR_RESOURCE_CPU_PERIOD, "cpu.period", 1000000);
    check_text(&e[6], GR_ADJUST_RESOURCE, "cpu.cpus", "0-3,7");
    check_text(&e[7], GR_ADJUST_RESOURCE, "cpu.mems", "0");
    check_number(&e[8], GR_RESOURCE_PIDS_LIMIT, "pids.limit", 4194304);
    check_text(&e[9], GR_ADJUST_RESOURCE, "blockioClass", "lowprio");
    check_text(&e[10], GR_ADJUST_RESOURCE, "rdtClass", "gold-1");
    check_text(&e[11], GR_ADJUST_HUGEPAGES, "2MB", "");
    assert_true(e[11].number == 64LL << 20);
    check_text(&e[12], GR_ADJUST_HUGEPAGES, "1GB", "");
    assert_true(e[12].number == 0);
    check_text(&e[13], GR_ADJUST_UNIFIED, "memory.high", "104857600");
    check_text(&e[14], GR_ADJUST_UNIFIED, "io.max", "8:0 rbps=1");
    check_text(&e[15], GR_ADJUST_UNIFIED, "hugetlb.2MB.max", "max");
    decoded_free(decoded);
}

struct refused_row {
    const char *row;
    const char *code;
    const char *field; /* below spec.adjust */
};

#define MOUNT(rest) "mounts: [{destination: /a, " rest "}]"
#define DEVICE(rest) "devices: [{path: /dev/a, " rest "}]"
#define RLIMIT(rest) "rlimits: [{type: RLIMIT_CPU, " rest "}]"
#define RESOURCES(rest) "resources: {" rest "}"

static const struct refused_row refused_rows[] = {
    {"", "empty", ""},
    {"hooks: {}", "unknown-key", ".hooks"},
    /* env */
    {"env: [A=b]", "wrong-type", ".env"},
    {"env: {}", "empty", ".env"},
    {"env: {-A: b}", "removal-mark", ".env.-A"},
    {"env: {1A: b}", "bad-env", ".env.1A"},
    {"env: {A=B: b}", "bad-env", ".env[\"A=B\"]"},
    {"env: {Ä: b}", "bad-env", ".env[\"Ä\"]"},
    {"env: {\"\": b}", "empty", ".env[\"\"]"},
    {"env: {GRAPNEL_HOOKSET: b}", "reserved-env", ".env.GRAPNEL_HOOKSET"},
    {"env: {A: 5}", "not-a-text", ".env.A"},
    {"env: {yes: b}", "not-a-text", ".env.yes"},
    {"env: {A: [b]}", "wrong-type", ".env.A"},
    {"env: {A: '{{.Name}}'}", "no-template", ".env.A"},
    {"env: {A: \"b\\x01\"}", "control-character", ".env.A"},
    /* annotations */
    {"annotations: {}", "empty", ".annotations"},
    {"annotations: a", "wrong-type", ".annotations"},
    {"annotations: {-a: b}", "removal-mark", ".annotations.-a"},
    {"annotations: {a/: b}", "bad-adjust", ".annotations[\"a/\"]"},
    {"annotations: {/a: b}", "bad-adjust", ".annotations[\"/a\"]"},
    {"annotations: {a/b/c: b}", "bad-adjust", ".annotations[\"a/b/c\"]"},
    {"annotations: {A.b/c: b}", "bad-adjust", ".annotations[\"A.b/c\"]"},
    {"annotations: {a b: b}", "bad-adjust", ".annotations[\"a b\"]"},
    {"annotations: {a: true}", "not-a-text", ".annotations.a"},
    {"annotations: {a: 'x {{'}", "no-template", ".annotations.a"},
    {"annotations: {io.kubernetes.cri.image-name: b}", "protected-annotation",
     ".annotations[\"io.kubernetes.cri.image-name\"]"},
    {"annotations: {io.kubernetes.cri-o.ImageName: b}", "protected-annotation",
     ".annotations[\"io.kubernetes.cri-o.ImageName\"]"},
    /* mounts */
    {"mounts: {}", "wrong-type", ".mounts"},
    {"mounts: []", "empty", ".mounts"},
    {"mounts: [/a]", "wrong-type", ".mounts[0]"},
    {"mounts: [{source: /a}]", "missing-key", ".mounts[0].destination"},
    {"mounts: [{destination: a, source: /a}]", "bad-path", ".mounts[0].destination"},
    {"mounts: [{destination: /, source: /a}]", "bad-path", ".mounts[0].destination"},
    {"mounts: [{destination: -/a, source: /a}]", "removal-mark", ".mounts[0].destination"},
    {"mounts: [{destination: /a/../b, source: /a}]", "bad-path", ".mounts[0].destination"},
    {"mounts: [{destination: '/{{.ID}}', source: /a}]", "no-template", ".mounts[0].destination"},
    {MOUNT("type: bind"), "missing-key", ".mounts[0]"},
    {MOUNT("options: [ro]"), "missing-key", ".mounts[0]"},
    {MOUNT("source: a"), "bad-path", ".mounts[0]"},
    {MOUNT("source: ../a"), "bad-path", ".mounts[0]"},
    {MOUNT("source: \"\""), "empty", ".mounts[0].source"},
    {MOUNT("source: '/{{.ID}}'"), "no-template", ".mounts[0].source"},
    {MOUNT("source: a, type: none, options: [rbind]"), "bad-path", ".mounts[0]"},
    {MOUNT("source: /a, type: none"), "bad-mount", ".mounts[0]"},
    {MOUNT("source: /a, type: ext4, options: [bind]"), "bad-mount", ".mounts[0]"},
    {MOUNT("source: /a, type: Bind"), "bad-mount", ".mounts[0].type"},
    {MOUNT("source: /a, type: \"\""), "bad-mount", ".mounts[0].type"},
    {MOUNT("source: /a, type: a/b"), "bad-mount", ".mounts[0].type"},
    {MOUNT("source: /a, options: ro"), "wrong-type", ".mounts[0].options"},
    {MOUNT("source: /a, options: []"), "empty", ".mounts[0].options"},
    {MOUNT("source: /a, options: ['ro,nosuid']"), "bad-mount", ".mounts[0].options[0]"},
    {MOUNT("source: /a, options: [\"\"]"), "bad-mount", ".mounts[0].options[0]"},
    {MOUNT("source: /a, options: [-ro]"), "bad-mount", ".mounts[0].options[0]"},
    {MOUNT("source: /a, options: [ro, rw]"), "bad-mount", ".mounts[0].options[1]"},
    {MOUNT("source: /a, options: [rbind, bind]"), "bad-mount", ".mounts[0].options[1]"},
    {MOUNT("source: /a, options: [ro, ro]"), "duplicate-entry", ".mounts[0].options[1]"},
    {MOUNT("source: /a, options: [remount]"), "bad-mount", ".mounts[0].options[0]"},
    {MOUNT("source: /a, options: [move]"), "bad-mount", ".mounts[0].options[0]"},
    {MOUNT("type: overlay, options: ['lowerdir=/a:b']"), "bad-path", ".mounts[0].options[0]"},
    {MOUNT("type: overlay, options: ['upperdir=../x']"), "bad-path", ".mounts[0].options[0]"},
    {MOUNT("type: overlay, options: ['workdir=/a/../b']"), "bad-path", ".mounts[0].options[0]"},
    {MOUNT("source: /a}, {destination: /a, source: /b"), "duplicate-entry", ".mounts[1]"},
    /* devices */
    {"devices: [/dev/fuse]", "wrong-type", ".devices[0]"},
    {"devices: [{type: p}]", "missing-key", ".devices[0].path"},
    {"devices: [{path: -/dev/a, type: p}]", "removal-mark", ".devices[0].path"},
    {"devices: [{path: dev/a, type: p}]", "bad-path", ".devices[0].path"},
    {DEVICE("major: 1, minor: 2"), "missing-key", ".devices[0].type"},
    {DEVICE("type: char, major: 1, minor: 2"), "bad-word", ".devices[0].type"},
    {DEVICE("type: c, major: 1"), "missing-key", ".devices[0]"},
    {DEVICE("type: b, minor: 1"), "missing-key", ".devices[0]"},
    {DEVICE("type: p, major: 1"), "bad-form", ".devices[0]"},
    {DEVICE("type: c, major: 4096, minor: 0"), "bad-number", ".devices[0].major"},
    {DEVICE("type: c, major: -1, minor: 0"), "bad-number", ".devices[0].major"},
    {DEVICE("type: c, major: 0, minor: 1048576"), "bad-number", ".devices[0].minor"},
    {DEVICE("type: p, fileMode: 0660"), "bad-rights", ".devices[0].fileMode"},
    {DEVICE("type: p, fileMode: 432"), "bad-rights", ".devices[0].fileMode"},
    {DEVICE("type: p, fileMode: '4755'"), "bad-rights", ".devices[0].fileMode"},
    {DEVICE("type: p, uid: 4294967295"), "bad-number", ".devices[0].uid"},
    {DEVICE("type: p, gid: video"), "bad-number", ".devices[0].gid"},
    {DEVICE("type: p}, {path: /dev/a, type: p"), "duplicate-entry", ".devices[1]"},
    /* cdiDevices */
    {"cdiDevices: vendor.com/gpu=0", "wrong-type", ".cdiDevices"},
    {"cdiDevices: [gpu]", "bad-adjust", ".cdiDevices[0]"},
    {"cdiDevices: [vendor.com/gpu]", "bad-adjust", ".cdiDevices[0]"},
    {"cdiDevices: [vendor.com=0]", "bad-adjust", ".cdiDevices[0]"},
    {"cdiDevices: [vendor.com/gpu=]", "bad-adjust", ".cdiDevices[0]"},
    {"cdiDevices: [1vendor/gpu=0]", "bad-adjust", ".cdiDevices[0]"},
    {"cdiDevices: [vendor./gpu=0]", "bad-adjust", ".cdiDevices[0]"},
    {"cdiDevices: [vendor/1=0]", "bad-adjust", ".cdiDevices[0]"},
    {"cdiDevices: [vendor/a/b=0]", "bad-adjust", ".cdiDevices[0]"},
    {"cdiDevices: [vendor/a=0=1]", "bad-adjust", ".cdiDevices[0]"},
    {"cdiDevices: [-vendor/a=0]", "removal-mark", ".cdiDevices[0]"},
    {"cdiDevices: ['a/b={{.Name}}']", "no-template", ".cdiDevices[0]"},
    {"cdiDevices: [a/b=0, a/b=0]", "duplicate-entry", ".cdiDevices[1]"},
    /* rlimits */
    {"rlimits: {RLIMIT_CPU: 1}", "wrong-type", ".rlimits"},
    {"rlimits: [{soft: 1, hard: 2}]", "missing-key", ".rlimits[0].type"},
    {"rlimits: [{type: nofile, soft: 1, hard: 2}]", "bad-word", ".rlimits[0].type"},
    {RLIMIT("soft: 1"), "missing-key", ".rlimits[0].hard"},
    {RLIMIT("hard: 1"), "missing-key", ".rlimits[0].soft"},
    {RLIMIT("soft: 2, hard: 1"), "bad-rlimit", ".rlimits[0]"},
    {RLIMIT("soft: unlimited, hard: 1"), "bad-rlimit", ".rlimits[0]"},
    {RLIMIT("soft: -2, hard: 1"), "bad-quantity", ".rlimits[0].soft"},
    {RLIMIT("soft: '1', hard: 1"), "bad-quantity", ".rlimits[0].soft"},
    {RLIMIT("soft: 1, hard: 18446744073709551616"), "bad-quantity", ".rlimits[0].hard"},
    {RLIMIT("soft: 1, hard: infinity"), "bad-quantity", ".rlimits[0].hard"},
    {RLIMIT("soft: 1, hard: 2}, {type: RLIMIT_CPU, soft: 1, hard: 2"), "duplicate-entry",
     ".rlimits[1]"},
    /* resources */
    {RESOURCES(""), "empty", ".resources"},
    {RESOURCES("devices: []"), "unknown-key", ".resources.devices"},
    {RESOURCES("memory: {}"), "empty", ".resources.memory"},
    {RESOURCES("memory: 1Gi"), "wrong-type", ".resources.memory"},
    {RESOURCES("memory: {limit: 0}"), "bad-quantity", ".resources.memory.limit"},
    {RESOURCES("memory: {limit: -2}"), "bad-quantity", ".resources.memory.limit"},
    {RESOURCES("memory: {limit: '-1'}"), "bad-quantity", ".resources.memory.limit"},
    {RESOURCES("memory: {limit: 9223372036854775808}"), "bad-quantity", ".resources.memory.limit"},
    {RESOURCES("memory: {limit: 1Gi, swap: 1Mi}"), "bad-memory", ".resources.memory"},
    {RESOURCES("memory: {limit: unlimited, swap: 1Mi}"), "bad-memory", ".resources.memory"},
    {RESOURCES("memory: {limit: 1Mi, reservation: 1Gi}"), "bad-memory", ".resources.memory"},
    {RESOURCES("cpu: {}"), "empty", ".resources.cpu"},
    {RESOURCES("cpu: {shares: 1}"), "bad-number", ".resources.cpu.shares"},
    {RESOURCES("cpu: {shares: 262145}"), "bad-number", ".resources.cpu.shares"},
    {RESOURCES("cpu: {quota: 999}"), "bad-quantity", ".resources.cpu.quota"},
    {RESOURCES("cpu: {quota: 17592186044416}"), "bad-quantity", ".resources.cpu.quota"},
    {RESOURCES("cpu: {period: 999}"), "bad-number", ".resources.cpu.period"},
    {RESOURCES("cpu: {period: 1000001}"), "bad-number", ".resources.cpu.period"},
    {RESOURCES("cpu: {cpus: 3}"), "not-a-text", ".resources.cpu.cpus"},
    {RESOURCES("cpu: {cpus: \"\"}"), "bad-cpuset", ".resources.cpu.cpus"},
    {RESOURCES("cpu: {cpus: '3-1'}"), "bad-cpuset", ".resources.cpu.cpus"},
    {RESOURCES("cpu: {cpus: '1,'}"), "bad-cpuset", ".resources.cpu.cpus"},
    {RESOURCES("cpu: {cpus: '-1'}"), "bad-cpuset", ".resources.cpu.cpus"},
    {RESOURCES("cpu: {cpus: '1-'}"), "bad-cpuset", ".resources.cpu.cpus"},
    {RESOURCES("cpu: {cpus: '01'}"), "bad-cpuset", ".resources.cpu.cpus"},
    {RESOURCES("cpu: {cpus: '0-3:2'}"), "bad-cpuset", ".resources.cpu.cpus"},
    {RESOURCES("cpu: {cpus: '0 1'}"), "bad-cpuset", ".resources.cpu.cpus"},
    {RESOURCES("cpu: {cpus: '100000'}"), "bad-cpuset", ".resources.cpu.cpus"},
    {RESOURCES("cpu: {mems: all}"), "bad-cpuset", ".resources.cpu.mems"},
    {RESOURCES("pids: {}"), "missing-key", ".resources.pids.limit"},
    {RESOURCES("pids: 5"), "wrong-type", ".resources.pids"},
    {RESOURCES("pids: {limit: 0}"), "bad-quantity", ".resources.pids.limit"},
    {RESOURCES("pids: {limit: 4194305}"), "bad-quantity", ".resources.pids.limit"},
    {RESOURCES("blockioClass: \"\""), "bad-adjust", ".resources.blockioClass"},
    {RESOURCES("blockioClass: ../x"), "bad-adjust", ".resources.blockioClass"},
    {RESOURCES("rdtClass: a/b"), "bad-adjust", ".resources.rdtClass"},
    {RESOURCES("rdtClass: '{{.Name}}'"), "no-template", ".resources.rdtClass"},
    {RESOURCES("hugepageLimits: {2MB: 1}"), "wrong-type", ".resources.hugepageLimits"},
    {RESOURCES("hugepageLimits: [{limit: 1}]"), "missing-key",
     ".resources.hugepageLimits[0].pageSize"},
    {RESOURCES("hugepageLimits: [{pageSize: 2MB}]"), "missing-key",
     ".resources.hugepageLimits[0].limit"},
    {RESOURCES("hugepageLimits: [{pageSize: 2Mi, limit: 1}]"), "bad-adjust",
     ".resources.hugepageLimits[0].pageSize"},
    {RESOURCES("hugepageLimits: [{pageSize: 3MB, limit: 1}]"), "bad-adjust",
     ".resources.hugepageLimits[0].pageSize"},
    {RESOURCES("hugepageLimits: [{pageSize: 2048KB, limit: 1}]"), "bad-adjust",
     ".resources.hugepageLimits[0].pageSize"},
    {RESOURCES("hugepageLimits: [{pageSize: 2MB, limit: -1}]"), "bad-quantity",
     ".resources.hugepageLimits[0].limit"},
    {RESOURCES("hugepageLimits: [{pageSize: 2MB, limit: 1}, {pageSize: 2MB, limit: 1}]"),
     "duplicate-entry", ".resources.hugepageLimits[1]"},
    {RESOURCES("unified: {}"), "empty", ".resources.unified"},
    {RESOURCES("unified: {memory.high: 5}"), "not-a-text", ".resources.unified[\"memory.high\"]"},
    {RESOURCES("unified: {memory.high: \"\"}"), "empty", ".resources.unified[\"memory.high\"]"},
    {RESOURCES("unified: {memory.high: \"a\\nb\"}"), "control-character",
     ".resources.unified[\"memory.high\"]"},
    {RESOURCES("unified: {memory: a}"), "bad-adjust", ".resources.unified.memory"},
    {RESOURCES("unified: {../memory.high: a}"), "bad-adjust",
     ".resources.unified[\"../memory.high\"]"},
    {RESOURCES("unified: {memory..high: a}"), "bad-adjust", ".resources.unified[\"memory..high\"]"},
    {RESOURCES("unified: {Memory.high: a}"), "bad-adjust", ".resources.unified[\"Memory.high\"]"},
    {RESOURCES("unified: {cgroup.procs: '1'}"), "bad-adjust",
     ".resources.unified[\"cgroup.procs\"]"},
    {RESOURCES("unified: {-memory.high: a}"), "removal-mark",
     ".resources.unified[\"-memory.high\"]"},
};

static void refuses_row(void **state)
{
    const struct refused_row *row = *state;
    struct decoded *decoded = decode_row(row->row);
    char field[192];

    (void)snprintf(field, sizeof(field), "spec.adjust%s", row->field);
    if (decoded->findings_n != 1)
        fail_msg("%zu findings, the first: %s", decoded->findings_n, decoded->findings[0].text);
    assert_string_equal(decoded->findings[0].code, row->code);
    assert_string_equal(decoded->findings[0].field, field);
    assert_true(decoded->findings[0].line == 5 && decoded->findings[0].column > 3);
    assert_int_equal(decoded->sets.n, 0);
    decoded_free(decoded);
}

static void test_texts(void **state)
{
    struct decoded *decoded =
        decode_row("env: {-A: b}, cdiDevices: [a/b=0, a/b=0], annotations: {a: '{{.ID}}'}");

    (void)state;
    assert_int_equal(decoded->findings_n, 3);
    assert_string_equal(decoded->findings[0].text,
                        "\"-A\" begins with -, which asks the runtime to remove what is there; a "
                        "set only adds: write the name without it");
    assert_string_equal(decoded->findings[1].text,
                        "\"a/b=0\" stands here a second time, first at line 5; keep one");
    assert_string_equal(decoded->findings[2].text,
                        "templates are filled in only in args and env of hooks; here the {{ would "
                        "stand as it is, so it is refused: write the value itself");
    decoded_free(decoded);
}

/* All names are listed, also where there are many. */
static void test_words(void **state)
{
    struct decoded *decoded = decode_row("rlimits: [{type: cores, soft: 1, hard: 1}]");

    (void)state;
    assert_string_equal(
        decoded->findings[0].text,
        "expected RLIMIT_AS, RLIMIT_CORE, RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_LOCKS, "
        "RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS, "
        "RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING or RLIMIT_STACK, found the text "
        "\"cores\"");
    decoded_free(decoded);
}

/* Two kinds may have the same key. */
static void test_keys_of_kinds(void **state)
{
    const struct gr_adjust_entry *e;
    struct decoded *decoded = decode_entries(
        "mounts: [{destination: /dev/a, source: /a}], devices: [{path: /dev/a, type: p}],"
        " env: {a: b}, annotations: {a: c}",
        4, &e);

    (void)state;
    decoded_free(decoded);
}

struct limit_row {
    const char *name;
    const char *before;
    const char *part; /* printed with its number */
    const char *after;
    int most;
    const char *code;
};

static const struct limit_row limit_rows[] = {
    {"env", "env: {", "A%d: b, ", "}", GR_ADJUST_ENTRIES_MAX, "too-many"},
    {"annotations", "annotations: {", "a%d: b, ", "}", GR_ADJUST_ENTRIES_MAX, "too-many"},
    {"mounts", "mounts: [", "{destination: /a%d, source: /b}, ", "]", GR_ADJUST_ENTRIES_MAX,
     "too-many"},
    {"devices", "devices: [", "{path: /a%d, type: p}, ", "]", GR_ADJUST_ENTRIES_MAX, "too-many"},
    {"CDI devices", "cdiDevices: [", "a/b=%d, ", "]", GR_ADJUST_ENTRIES_MAX, "too-many"},
    {"unified", "resources: {unified: {", "a.b%d: c, ", "}}", GR_ADJUST_ENTRIES_MAX, "too-many"},
    {"options of a mount", "mounts: [{destination: /a, source: /b, options: [", "a%d, ", "]}]",
     GR_MOUNT_OPTIONS_MAX, "too-many"},
    {"an annotation's name", "annotations: {", "a", ": b}", GR_LABEL_MAX_BYTES, "bad-adjust"},
    {"a CDI device's name", "cdiDevices: [a/b=", "0", "]", GR_ADJUST_NAME_MAX_BYTES - 4,
     "too-long"},
    {"a class", "resources: {rdtClass: ", "a", "}", GR_ADJUST_NAME_MAX_BYTES, "too-long"},
    {"a type of mount", "mounts: [{destination: /a, type: ", "a", "}]", GR_ADJUST_NAME_MAX_BYTES,
     "too-long"},
    {"a file of cgroup v2", "resources: {unified: {a.", "b", ": c}}", GR_ADJUST_NAME_MAX_BYTES - 2,
     "bad-adjust"},
    {"a destination", "mounts: [{source: /a, destination: /", "a", "}]", GR_HOOK_PATH_MAX_BYTES - 1,
     "bad-path"},
    {"a source", "mounts: [{destination: /a, source: /", "a", "}]", GR_HOOK_PATH_MAX_BYTES - 1,
     "too-long"},
};

static void limit(void **state)
{
    const struct limit_row *row = *state;
    char part[64];

    for (int over = 0; over < 2; over++) {
        struct decoded *decoded;
        struct gr_buf text;

        gr_buf_init(&text, 1U << 20);
        assert_int_equal(gr_buf_text(&text, row->before), 0);
        for (int i = 0; i < row->most + over; i++) {
            const char *number = strstr(row->part, "%d");

            if (number)
                (void)snprintf(part, sizeof(part), "%.*s%d%s", (int)(number - row->part), row->part,
                               i, number + 2);
            assert_int_equal(gr_buf_text(&text, number ? part : row->part), 0);
        }
        assert_int_equal(
            gr_buf_text(&text, row->after) || gr_buf_str(&text, (struct gr_str){"", 1}), 0);
        decoded = decode_row(gr_buf_view(&text).p);
        if (!over && decoded->findings_n > 0)
            fail_msg("%s", decoded->findings[0].text);
        if (over)
            assert_string_equal(decoded->findings[0].code, row->code);
        assert_int_equal(decoded->sets.n, 1 - over);
        decoded_free(decoded);
        gr_buf_fini(&text);
    }
}

/* Everything at its most: no list is cut, and what is refused takes no room of the others. */
static void test_all_at_once(void **state)
{
    struct decoded *decoded;
    struct gr_buf text;

    (void)state;
    gr_buf_init(&text, 1U << 20);
    assert_int_equal(gr_buf_text(&text, "env: {"), 0);
    for (int i = 0; i < GR_ADJUST_ENTRIES_MAX; i++)
        assert_int_equal(gr_buf_printf(&text, "A%d: b, ", i), 0);
    assert_int_equal(gr_buf_text(&text, "}, cdiDevices: ["), 0);
    for (int i = 0; i < GR_ADJUST_ENTRIES_MAX; i++)
        assert_int_equal(gr_buf_printf(&text, "a/b=%d, ", i), 0);
    assert_int_equal(gr_buf_text(&text, "], resources: {unified: {"), 0);
    for (int i = 0; i < GR_ADJUST_ENTRIES_MAX; i++)
        assert_int_equal(gr_buf_printf(&text, "a.b%d: c, ", i), 0);
    assert_int_equal(gr_buf_text(&text, "}, memory: {limit: 1, swap: 1, reservation: 1}, cpu: "
                                        "{shares: 2, quota: 1000, period: 1000, cpus: '0', mems: "
                                        "'0'}, pids: {limit: 1}, rdtClass: a, blockioClass: b}") ||
                         gr_buf_str(&text, (struct gr_str){"", 1}),
                     0);
    decoded = decode_row(gr_buf_view(&text).p);
    assert_int_equal(decoded->sets.n, 1);
    assert_int_equal(decoded->sets.items[0].adjust_n,
                     3 * GR_ADJUST_ENTRIES_MAX + GR_RESOURCE_COUNT);
    decoded_free(decoded);
    gr_buf_fini(&text);
}

int main(void)
{
    test_add("env", test_env);
    test_add("annotations", test_annotations);
    test_add("mounts", test_mounts);
    test_add("devices", test_devices);
    test_add("CDI devices", test_cdi_devices);
    test_add("rlimits", test_rlimits);
    test_add("resources", test_resources);
    TEST_ADD_ROWS(refuses_row, refused_rows);
    test_add("texts", test_texts);
    test_add("words", test_words);
    test_add("keys of kinds", test_keys_of_kinds);
    TEST_ADD_ROWS(limit, limit_rows);
    test_add("all at once", test_all_at_once);
    return test_run("decode_adjust");
}
