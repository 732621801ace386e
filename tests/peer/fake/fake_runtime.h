/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fake NRI runtime that drives the real process, with control over every byte.
 *
 * It starts `grapnel plugin` as a runtime launches a plugin (socket on descriptor 3, three
 * variables, stdio on /dev/null) or lets it connect to a listening socket. Nothing here sleeps:
 * each step waits with poll for what it needs, up to FAKE_DEADLINE_MS, and fails the running cmocka
 * test with the end of the plugin's log otherwise. fake_fini leaves no process and no file behind.
 */
#ifndef GR_TESTS_FAKE_RUNTIME_H
#define GR_TESTS_FAKE_RUNTIME_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <cmocka.h>

#include "base/buf.h"
#include "nri/methods.h"
#include "wire/mux.h"
#include "wire/ttrpc.h"

/* For any one step, also of a sanitized build on a busy machine. */
#define FAKE_DEADLINE_MS 60000

/* A message of the plugin. data is valid until the next one of its id is read. */
struct fake_message {
    uint32_t id;
    uint32_t stream;
    uint8_t type;
    uint8_t flags;
    struct gr_str data;
    size_t frames;      /* that it came in */
    size_t first_bytes; /* payload of the first */
};

/* One of the two logical connections, as read. */
struct fake_stream {
    struct gr_buf bytes;
    size_t frames, first_bytes;
    bool taken; /* the message in bytes was handed out */
};

struct fake {
    char dir[64]; /* a fresh one: hooks.d/, config.yaml, nri.sock */
    pid_t pid;    /* 0: none */
    int listener; /* -1: none, as for the next two */
    int conn;
    int log;
    bool launched;
    uint32_t stream; /* of the last request on this connection */
    struct fake_stream streams[2];
    struct gr_buf log_text;
    size_t log_seen;       /* where fake_wait_log goes on */
    struct gr_buf payload; /* of fake_pod and the like */
};

/* The executable under test; to be set before anything else. */
extern const char *fake_grapnel;

/* Takes it from argv[1] or GRAPNEL; false (and a line on stderr) when there is none. */
bool fake_find_grapnel(int argc, char **argv);

void fake_init(struct fake *fake);
/* Kills the process, takes the directory away. Fine after a failure anywhere, and twice. */
void fake_fini(struct fake *fake);

/* ---- files ---- */

/* Writes DIR/name whole, by rename. */
void fake_write(struct fake *fake, const char *name, const char *text);
void fake_remove(struct fake *fake, const char *name);

/* hooks.d/tap.yaml: one createRuntime hook /bin/true with these env lines for everything, and what
 * stands in match. */
void fake_write_rule(struct fake *fake, const char *match, const char *env);

/* ---- the process ---- */

/* External mode: listens on DIR/nri.sock unless that was done, and starts the process. */
void fake_listen(struct fake *fake);
void fake_stop_listening(struct fake *fake);
void fake_start(struct fake *fake);

/* As fake_start, when the rules are in force and the plugin has connected. */
void fake_start_connected(struct fake *fake);

enum fake_launch {
    FAKE_AS_RUNTIME,      /* no arguments at all: the machine's own settings apply */
    FAKE_APART,           /* arguments that keep it away from the machine's files */
    FAKE_APART_WITH_LOG,  /* and stderr is a pipe instead of /dev/null */
    FAKE_APART_AND_CLOSED /* and the runtime's end is closed before the start */
};
void fake_launch(struct fake *fake, enum fake_launch how);

/* Takes the next connection of the plugin; requests begin with stream 1 again. */
void fake_accept(struct fake *fake);
void fake_close(struct fake *fake);

/* Waits for the end of the process and returns its wait status. */
int fake_wait_exit(struct fake *fake);
/* The same, and that it is exit code 0. */
void fake_expect_exit(struct fake *fake);

/* Waits for this text in the log, behind what was found before. With FAKE_AS_RUNTIME there is no
 * log. */
void fake_wait_log(struct fake *fake, const char *text);
/* Whether the text is in the log as far as it was read. */
bool fake_has_logged(const struct fake *fake, const char *text);

/* Milliseconds of a clock that only goes forward. */
int64_t fake_now_ms(void);

/* ---- bytes ---- */

void fake_send(struct fake *fake, const void *bytes, size_t n);
/* Returns false when the plugin has closed the connection. */
bool fake_try_send(struct fake *fake, const void *bytes, size_t n);
/* Waits for the end of the connection; what still comes is thrown away. */
void fake_expect_close(struct fake *fake);

/* The next whole message, whatever its id. */
struct fake_message fake_read(struct fake *fake);

/* ---- messages ---- */

#define FAKE_HEADERS_BYTES (GR_MUX_HEADER_BYTES + GR_TTRPC_HEADER_BYTES)

/* Bytes of a ttrpc message in one frame; for gr_buf of the caller. */
void fake_put_message(struct gr_buf *out, uint32_t id, uint32_t stream, uint8_t type,
                      struct gr_str data);
/* A request of the next stream to the Plugin service, in one frame. Returns the stream. */
uint32_t fake_put_request(struct fake *fake, struct gr_buf *out, const char *method,
                          struct gr_str payload);

/* Sends a request; returns its stream. */
uint32_t fake_request(struct fake *fake, const char *method, struct gr_str payload);
/* The next message is the answer to this stream. */
struct gr_ttrpc_response fake_reply(struct fake *fake, uint32_t stream);
/* Request and answer; the answer has this code. */
struct gr_str fake_call(struct fake *fake, const char *method, struct gr_str payload);
struct gr_str fake_call_code(struct fake *fake, const char *method, struct gr_str payload,
                             int32_t code);

/* ---- the usual course ---- */

/* Reads RegisterPlugin; answers it. */
void fake_take_register(struct fake *fake);
void fake_answer_register(struct fake *fake);
/* Configure as containerd v2.1.4; the answer has the mask 0x0008 and nothing else. */
void fake_configure(struct fake *fake, const char *config);
/* The same with the rules in DIR/hooks.d, and no last good texts. */
void fake_configure_rules(struct fake *fake);
/* Payload of it. */
struct gr_str fake_configure_payload(struct fake *fake, const char *config);
void fake_synchronize(struct fake *fake);
/* All of it: registered, configured with DIR/hooks.d, synchronized. */
void fake_get_ready(struct fake *fake);

/* What CreateContainer says. */
struct fake_pod {
    const char *pod, *namespace, *container; /* NULL: "p", "n", "c" */
    const char *image;                       /* as containerd's annotation; NULL: none */
    struct gr_kv annotations[2];             /* of the pod; key.n == 0: none */
    struct gr_str hooks;                     /* that are there: a packed Hooks; n == 0: none */
};
/* The payload, in fake->payload. */
struct gr_str fake_pod_payload(struct fake *fake, const struct fake_pod *pod);

/* CreateContainer is answered with so many hooks, all of them /bin/true for createRuntime. */
void fake_expect_hooks(struct fake *fake, const struct fake_pod *pod, size_t hooks);
/* The same for a reply. */
void fake_check_hooks(struct gr_str reply, size_t hooks);

#endif
