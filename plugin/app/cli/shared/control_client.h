/* SPDX-License-Identifier: Apache-2.0 */
/*
 * app/cli/shared/control_client: asks the plugin process over its control socket.
 *
 * Layer: app. Blocking, with a deadline. Protocol: specs/status.md.
 */
#ifndef GR_APP_CLI_SHARED_CONTROL_CLIENT_H
#define GR_APP_CLI_SHARED_CONTROL_CLIENT_H

#include <jansson.h>

#include "app/settings.h"
#include "base/buf.h"

#define GR_CONTROL_TIMEOUT_DEFAULT_MS 2000

/* The plugin answered with an error of its own. */
#define GR_CONTROL_REFUSED 1

/*
 * Asks one thing. request: an object with a command; borrowed. Gives the plugin's whole reply with
 * 0 and with GR_CONTROL_REFUSED ("code" and "error" in it), NULL otherwise; err is filled with
 * everything but 0.
 * Returns 0; GR_CONTROL_REFUSED; a negative errno: -ENOENT or -ECONNREFUSED nobody is there,
 * -EACCES not permitted, also when the process there is neither root's nor ours, -ETIMEDOUT no
 * answer, -EPROTO what came is no answer, -ENOMEM.
 */
GR_CHECKED int gr_control_ask(const char *path, uint32_t timeout_ms, json_t *request,
                              json_t **out_reply, struct gr_err *err);

/*
 * The same with bytes behind the request and behind the reply, whose "bytes" say how many they are.
 * body: may be empty; then request has no "bytes". out_body: they are appended; its limit is the
 * most that is taken, and more is -EPROTO.
 */
GR_CHECKED int gr_control_ask_with(const char *path, uint32_t timeout_ms, json_t *request,
                                   struct gr_str body, json_t **out_reply, struct gr_buf *out_body,
                                   struct gr_err *err);

/* Where a verb asks. */
struct gr_control_target {
    const char *path;        /* --control; NULL: the setting controlSocket */
    const char *config_path; /* --config; NULL: the default */
};

/* The options of each verb that asks, and their help. */
enum {
    GR_OPT_CONTROL = 1900,
    GR_OPT_CONTROL_CONFIG,
};
#define GR_CONTROL_OPTIONS                                       \
    {"control", required_argument, NULL, GR_OPT_CONTROL},        \
    {                                                            \
        "config", required_argument, NULL, GR_OPT_CONTROL_CONFIG \
    }
#define GR_CONTROL_HELP                                                                        \
    "  --control PATH      the plugin's control socket (default: the setting controlSocket,\n" \
    "                      " GR_CONFIG_CONTROL_DEFAULT ")\n"                                   \
    "  --config FILE       settings (default " GR_CONFIG_DEFAULT ")\n"

/* Takes one of the options above. Returns GR_EXIT_OK; GR_EXIT_USAGE, also for an option that is
 * none of them (said on stderr). */
int gr_control_option(const char *verb, struct gr_control_target *target, int option,
                      const char *value);

/* Where nobody was found at a path that settings name (r and err of gr_control_ask), and none of
 * them are known: err says that too. */
void gr_control_say_guessed(const struct gr_settings *settings, int r, struct gr_err *err);

/* gr_control_ask with the default deadline, and -ENOTSUP where the settings say that there is no
 * socket. What is wrong with the settings is said on stderr. */
GR_CHECKED int gr_control_ask_target(const struct gr_control_target *target, json_t *request,
                                     json_t **out_reply, struct gr_err *err);

/*
 * gr_control_ask_target for a verb. Takes request, which may be NULL (no memory). Returns
 * GR_EXIT_OK and a reply to be dropped; GR_EXIT_FAILED the plugin refused, GR_EXIT_HOST it cannot
 * be asked (both said on stderr).
 */
int gr_control_call(const char *verb, const struct gr_control_target *target, json_t *request,
                    json_t **out_reply);

#endif
