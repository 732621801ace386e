/* SPDX-License-Identifier: Apache-2.0 */
/* The test vectors of the NRI protocol: each is made by one side and understood by the other. */
#include "rpc_peer.h"

#define PLUGIN_SERVICE "nri.pkg.api.v1alpha1.Plugin"
#define RUNTIME_SERVICE "nri.pkg.api.v1alpha1.Runtime"
#define SECOND_NS UINT64_C(1000000000)

#define REGISTER                                                                                  \
    "00000002 0000004b 00000041 00000001 01 00 0a1c "                                             \
    "6e72692e706b672e6170692e7631616c706861312e52756e74696d65 120e 5265676973746572506c7567696e " \
    "1a0b 0a05686f6f6b7312023130 2080e497d012"
#define REGISTER_REPLY "00000002 0000000a 00000000 00000001 02 00"
#define CONFIGURE                                                                          \
    "00000001 00000054 0000004a 00000001 01 00 0a1b "                                      \
    "6e72692e706b672e6170692e7631616c706861312e506c7567696e 1209 436f6e666967757265 1a1a " \
    "120a636f6e7461696e6572641a0676322e312e30208827 28d00f 2080a8d6b907"
#define CONFIGURE_REPLY "00000001 0000000e 00000004 00000001 02 00 12021008"
#define SYNCHRONIZE_REPLY "00000001 0000000a 00000000 00000003 02 00"
#define SYNCHRONIZE_REPLY_MORE "00000001 0000000e 00000004 00000003 02 00 12021001"
#define CREATE_REPLY \
    "00000001 0000001d 00000013 00000005 02 00 1211 0a0f 2a0d 120b 0a022f78 120178 22020805"
#define UNIMPLEMENTED_REPLY \
    "00000001 00000018 0000000e 00000007 02 00 0a0c 080c 12086d6574686f642058"

static void test_register(void **state GR_UNUSED)
{
    Sample__RegisterRequest request = SAMPLE__REGISTER_REQUEST__INIT;
    struct peer plugin, runtime;
    uint32_t stream;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    request.plugin_name = (char[]){"hooks"};
    request.plugin_idx = (char[]){"10"};
    assert_int_equal(gr_rpc_call(plugin.rpc, RUNTIME_SERVICE, "RegisterPlugin", &request.base,
                                 5 * SECOND_NS, 100, &stream),
                     0);
    assert_int_equal(stream, 1);
    assert_int_equal(gr_rpc_next_deadline(plugin.rpc), 5 * SECOND_NS + 100);
    peer_assert_sent(&plugin, REGISTER);

    assert_int_equal(peer_feed_hex(&runtime, REGISTER), 0);
    peer_assert_log(&runtime, "request 1 " RUNTIME_SERVICE
                              "/RegisterPlugin 0a05686f6f6b7312023130 until 5000000000\n");
    peer_assert_sent(&runtime, REGISTER_REPLY);

    assert_int_equal(peer_feed_hex(&plugin, REGISTER_REPLY), 0);
    peer_assert_log(&plugin, "response 1 code 0 \"\" \n");
    assert_int_equal(gr_rpc_next_deadline(plugin.rpc), 0);
    peer_fini(&plugin);
    peer_fini(&runtime);
}

static void test_configure(void **state GR_UNUSED)
{
    Sample__ConfigureRequest request = SAMPLE__CONFIGURE_REQUEST__INIT;
    Sample__ConfigureReply reply = SAMPLE__CONFIGURE_REPLY__INIT;
    struct peer plugin, runtime;
    uint32_t stream;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    request.runtime_name = (char[]){"containerd"};
    request.runtime_version = (char[]){"v2.1.0"};
    request.registration_timeout = 5000;
    request.request_timeout = 2000;
    assert_int_equal(gr_rpc_call(runtime.rpc, PLUGIN_SERVICE, "Configure", &request.base,
                                 2 * SECOND_NS, 0, &stream),
                     0);
    peer_assert_sent(&runtime, CONFIGURE);

    assert_int_equal(peer_feed_hex(&plugin, CONFIGURE), 0);
    peer_assert_log(&plugin,
                    "request 1 " PLUGIN_SERVICE "/Configure "
                    "120a636f6e7461696e6572641a0676322e312e3020882728d00f until 2000000000\n");
    /* The peer answers unknown names with an empty message: throw that away and answer anew. */
    gr_rpc_sent(plugin.rpc, gr_rpc_pending(plugin.rpc).n);
    reply.events = 8;
    assert_int_equal(gr_rpc_reply(plugin.rpc, 1, &reply.base), 0);
    peer_assert_sent(&plugin, CONFIGURE_REPLY);

    assert_int_equal(peer_feed_hex(&runtime, CONFIGURE_REPLY), 0);
    peer_assert_log(&runtime, "response 1 code 0 \"\" 1008\n");
    peer_fini(&plugin);
    peer_fini(&runtime);
}

struct reply_row {
    const char *name;
    const ProtobufCMessage *message;
    const char *method;
    uint32_t stream;
    const char *hex;
    const char *log; /* of the runtime that gets the reply */
};

/* The runtime's streams rise by two: calls before the one that counts are made and answered. */
static void reply(void **state)
{
    const struct reply_row *row = *state;
    struct peer plugin, runtime;
    uint32_t stream = 0;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    plugin.answer = row->message;
    while (stream + 2 < row->stream) {
        assert_int_equal(gr_rpc_call(runtime.rpc, PLUGIN_SERVICE, "Other", NULL, 0, 0, &stream), 0);
        (void)peer_carry(&runtime, &plugin, 0);
        (void)peer_carry(&plugin, &runtime, 0);
    }
    gr_buf_reset(&runtime.log, 0);
    assert_int_equal(gr_rpc_call(runtime.rpc, PLUGIN_SERVICE, row->method, NULL, 0, 0, &stream), 0);
    assert_int_equal(stream, row->stream);
    (void)peer_carry(&runtime, &plugin, 0);
    peer_assert_sent(&plugin, row->hex);
    assert_int_equal(peer_feed_hex(&runtime, row->hex), 0);
    peer_assert_log(&runtime, row->log);
    peer_fini(&plugin);
    peer_fini(&runtime);
}

/* The bodies that the vectors name without an envelope. */
struct body_row {
    const char *name;
    const ProtobufCMessage *message;
    const char *hex;
};

static void body(void **state)
{
    const struct body_row *row = *state;
    uint8_t packed[256];
    struct gr_buf log;

    gr_buf_init(&log, 1024);
    log_hex(&log, (struct gr_str){.p = (char *)packed,
                                  .n = protobuf_c_message_pack(row->message, packed)});
    assert_str(gr_buf_view(&log), row->hex);
    gr_buf_fini(&log);
}

/* Every vector is also read cut in two and byte by byte. */
static void run(const struct gr_str *pieces, size_t count, struct gr_buf *log)
{
    struct peer plugin, runtime;
    uint32_t stream;

    peer_init_plugin(&plugin);
    peer_init_runtime(&runtime);
    for (size_t i = 0; i < GR_RPC_CALLS_MAX; i++) {
        assert_int_equal(gr_rpc_call(runtime.rpc, "s", "m", NULL, 0, 0, &stream), 0);
        assert_int_equal(gr_rpc_call(plugin.rpc, "s", "m", NULL, 0, 0, &stream), 0);
    }
    gr_rpc_sent(plugin.rpc, gr_rpc_pending(plugin.rpc).n);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(gr_rpc_feed(plugin.rpc, pieces[i], 7), 0);
        assert_int_equal(gr_rpc_feed(runtime.rpc, pieces[i], 7), 0);
    }
    (void)gr_buf_text(log, "plugin: ");
    (void)gr_buf_str(log, gr_buf_view(&plugin.log));
    (void)gr_buf_text(log, "runtime: ");
    (void)gr_buf_str(log, gr_buf_view(&runtime.log));
    (void)gr_buf_text(log, "sent: ");
    log_hex(log, gr_rpc_pending(plugin.rpc));
    peer_fini(&plugin);
    peer_fini(&runtime);
}

static const struct split_row {
    const char *name;
    const char *hex;
    const char *expected;
} split_rows[] = {
    {"register", REGISTER,
     "plugin: runtime: request 1 " RUNTIME_SERVICE
     "/RegisterPlugin 0a05686f6f6b7312023130 until 5000000007\nsent: "},
    {"register reply", REGISTER_REPLY, "plugin: response 1 code 0 \"\" \nruntime: sent: "},
    {"configure", CONFIGURE,
     "plugin: request 1 " PLUGIN_SERVICE
     "/Configure 120a636f6e7461696e6572641a0676322e312e3020882728d00f until 2000000007\n"
     "runtime: sent: 000000010000000a00000000000000010200"},
    {"configure reply", CONFIGURE_REPLY, "plugin: runtime: response 1 code 0 \"\" 1008\nsent: "},
    {"all together",
     REGISTER_REPLY CONFIGURE CONFIGURE_REPLY SYNCHRONIZE_REPLY_MORE CREATE_REPLY
         UNIMPLEMENTED_REPLY SYNCHRONIZE_REPLY,
     "plugin: response 1 code 0 \"\" \n"
     "request 1 " PLUGIN_SERVICE
     "/Configure 120a636f6e7461696e6572641a0676322e312e3020882728d00f until 2000000007\n"
     "runtime: response 1 code 0 \"\" 1008\n"
     "response 3 code 0 \"\" 1001\n"
     "response 5 code 0 \"\" 0a0f2a0d120b0a022f7812017822020805\n"
     "response 7 code 12 \"method X\" \n"
     "sent: 000000010000000a00000000000000010200"},
};

static void splits(void **state)
{
    const struct split_row *row = *state;

    splits_assert_hex(run, row->hex, row->expected);
}

int main(void)
{
    Sample__SynchronizeReply done = SAMPLE__SYNCHRONIZE_REPLY__INIT;
    Sample__SynchronizeReply more = SAMPLE__SYNCHRONIZE_REPLY__INIT;
    Sample__ConfigureReply full_mask = SAMPLE__CONFIGURE_REPLY__INIT;
    Sample__OptionalInt five = SAMPLE__OPTIONAL_INT__INIT;
    Sample__OptionalInt zero = SAMPLE__OPTIONAL_INT__INIT;
    Sample__Hook hook = SAMPLE__HOOK__INIT;
    Sample__Hook hook_plain = SAMPLE__HOOK__INIT;
    Sample__Hook hook_zero = SAMPLE__HOOK__INIT;
    Sample__Hooks hooks = SAMPLE__HOOKS__INIT;
    Sample__Adjustment adjust = SAMPLE__ADJUSTMENT__INIT;
    Sample__CreateReply create = SAMPLE__CREATE_REPLY__INIT;
    struct reply_row replies[] = {
        {"synchronize, last part", &done.base, "Answer", 3, SYNCHRONIZE_REPLY,
         "response 3 code 0 \"\" \n"},
        {"synchronize, more to come", &more.base, "Answer", 3, SYNCHRONIZE_REPLY_MORE,
         "response 3 code 0 \"\" 1001\n"},
        {"create", &create.base, "Answer", 5, CREATE_REPLY,
         "response 5 code 0 \"\" 0a0f2a0d120b0a022f7812017822020805\n"},
        {"unimplemented", NULL, "X", 7, UNIMPLEMENTED_REPLY, "response 7 code 12 \"method X\" \n"},
    };
    struct body_row bodies[] = {
        {"full mask", &full_mask.base, "10ff7f"},
        {"hook without timeout", &hook_plain.base, "0a022f78120178"},
        {"hook with timeout 0", &hook_zero.base, "0a022f781201782200"},
    };

    more.more = true;
    full_mask.events = 0x3fff;
    five.value = 5;
    hook.path = (char[]){"/x"};
    hook.args = (char *[]){(char[]){"x"}};
    hook.n_args = 1;
    hook_plain = hook_zero = hook;
    hook.timeout = &five;
    hook_zero.timeout = &zero;
    hooks.create_runtime = (Sample__Hook *[]){&hook};
    hooks.n_create_runtime = 1;
    adjust.hooks = &hooks;
    create.adjust = &adjust;

    test_add("register and its reply", test_register);
    test_add("configure and its reply", test_configure);
    TEST_ADD_ROWS(reply, replies);
    TEST_ADD_ROWS(body, bodies);
    TEST_ADD_ROWS(splits, split_rows);
    return test_run("wire/vectors");
}
