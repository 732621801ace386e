/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes: however they are cut, the same messages come out. Their data is given to the envelope
 * decoders: what they accept, protobuf-c accepts and reads alike, and encoding it again and
 * decoding that gives the same.
 */
#include "fuzz.h"

#include "sample.pb-c.h"
#include "wire/field.h"
#include "wire/ttrpc.h"

/* protobuf-c ends its strings with NUL and forgets the length. */
static bool same_text(const char *theirs, struct gr_str ours)
{
    return gr_str_eq(gr_str_first(ours, gr_str_find(ours, '\0')), gr_str_from(theirs));
}

static bool same_bytes(ProtobufCBinaryData theirs, struct gr_str ours)
{
    return gr_str_eq((struct gr_str){.p = (char *)theirs.data, .n = theirs.len}, ours);
}

static void check_request(struct gr_str data)
{
    struct gr_ttrpc_request request = {0}, again = {0};
    Sample__TtrpcRequest *theirs;
    uint8_t *out, *payload;
    size_t n;

    if (gr_ttrpc_request_decode(data, &request) < 0)
        return;
    theirs = sample__ttrpc_request__unpack(NULL, data.n, (const uint8_t *)data.p);
    /* Metadata is skipped by ours and may be anything. */
    if (theirs) {
        FUZZ_CHECK(same_text(theirs->service, request.service));
        FUZZ_CHECK(same_text(theirs->method, request.method));
        FUZZ_CHECK(same_bytes(theirs->payload, request.payload));
        FUZZ_CHECK(theirs->timeout_nano == request.timeout_ns);
        sample__ttrpc_request__free_unpacked(theirs, NULL);
    }
    n = gr_ttrpc_request_bytes(&request);
    out = malloc(n ? n : 1);
    FUZZ_CHECK(out);
    payload = gr_ttrpc_request_encode(&request, out);
    if (request.payload.n)
        memcpy(payload, request.payload.p, request.payload.n);
    FUZZ_CHECK(gr_ttrpc_request_decode((struct gr_str){(char *)out, n}, &again) == 0);
    FUZZ_CHECK(gr_str_eq(again.service, request.service));
    FUZZ_CHECK(gr_str_eq(again.method, request.method));
    FUZZ_CHECK(gr_str_eq(again.payload, request.payload));
    FUZZ_CHECK(again.timeout_ns == GR_MAX(request.timeout_ns, 0));
    free(out);
}

/* protobuf-c 1.4.1 loses the numbers of the first of two messages when it merges them. */
static bool has_one_status(struct gr_str data)
{
    struct gr_wire_field field;
    size_t n = 0;

    while (gr_wire_field_next(&data, &field) == GR_WIRE_FIELD)
        n += field.number == 1;
    return n <= 1;
}

static void check_response(struct gr_str data)
{
    struct gr_ttrpc_response response = {0}, again = {0};
    Sample__TtrpcResponse *theirs;
    uint8_t *out, *payload;
    size_t n;

    if (gr_ttrpc_response_decode(data, &response) < 0)
        return;
    theirs = sample__ttrpc_response__unpack(NULL, data.n, (const uint8_t *)data.p);
    FUZZ_CHECK(theirs);
    if (has_one_status(data))
        FUZZ_CHECK((theirs->status ? theirs->status->code : 0) == response.code);
    FUZZ_CHECK(same_text(theirs->status ? theirs->status->message : "", response.text));
    FUZZ_CHECK(same_bytes(theirs->payload, response.payload));
    sample__ttrpc_response__free_unpacked(theirs, NULL);
    n = gr_ttrpc_response_bytes(&response);
    out = malloc(n ? n : 1);
    FUZZ_CHECK(out);
    payload = gr_ttrpc_response_encode(&response, out);
    FUZZ_CHECK(payload + response.payload.n == out + n);
    if (response.payload.n)
        memcpy(payload, response.payload.p, response.payload.n);
    FUZZ_CHECK(gr_ttrpc_response_decode((struct gr_str){(char *)out, n}, &again) == 0);
    FUZZ_CHECK(again.code == response.code);
    FUZZ_CHECK(response.code == 0 || gr_str_eq(again.text, response.text));
    FUZZ_CHECK(gr_str_eq(again.payload, response.payload));
    free(out);
}

static void run(struct gr_str bytes, size_t cut_at, size_t cut_every, struct gr_buf *log)
{
    struct gr_ttrpc_rx rx;

    gr_ttrpc_rx_init(&rx);
    for (size_t at = 0; at < bytes.n;) {
        struct gr_str piece = fuzz_piece(bytes, at, cut_at, cut_every);
        struct gr_str rest = {.p = fuzz_exact(piece), .n = piece.n};
        char *exact = (char *)rest.p;
        struct gr_ttrpc_message message;
        size_t used;
        int r;

        at += piece.n;
        while ((r = gr_ttrpc_feed(&rx, rest, &used, &message)) > 0) {
            FUZZ_CHECK(used <= rest.n);
            fuzz_log_number(log, (uint64_t)r);
            fuzz_log_number(log, message.stream);
            fuzz_log_number(log, (uint64_t)message.type << 8 | message.flags);
            fuzz_log_number(log, message.data.n);
            fuzz_log_bytes(log, message.data);
            rest = gr_str_skip(rest, used);
        }
        FUZZ_CHECK(r == 0 && used == rest.n);
        FUZZ_CHECK(rx.body.cap <= 2 * bytes.n + 512);
        free(exact);
    }
    gr_ttrpc_rx_fini(&rx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_str input = {.p = (const char *)data, .n = size};
    size_t cut_at = fuzz_take(&input, 2);
    char *exact = fuzz_exact(input);
    struct gr_str whole = {.p = exact, .n = input.n};

    fuzz_splits(run, whole, cut_at % (whole.n + 1));
    check_request(whole);
    check_response(whole);
    free(exact);
    return 0;
}
