/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings_json.h"

#include "app/json.h"

static json_t *texts(const char *const *items, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list, gr_json_str(gr_str_from(items[i])));
    return list;
}

static json_t *names(struct gr_strs strs)
{
    json_t *list = json_array();

    for (size_t i = 0; i < strs.n; i++)
        (void)json_array_append_new(list, gr_json_str(strs.items[i]));
    return list;
}

static json_t *text(const char *value)
{
    return gr_json_str(gr_str_from(value));
}

/* Where none is written for nothing. */
static json_t *text_or_none(const char *value)
{
    return text(value[0] ? value : "none");
}

static json_t *word(enum gr_setting setting, size_t value)
{
    return text(gr_config_words(setting).items[value]);
}

/* As it would be written in a settings file. */
static json_t *value_of(const struct gr_config *c, enum gr_setting setting)
{
    switch (setting) {
    case GR_SETTING_HOOKS_DIRS:
        return texts(c->hooks_dirs, c->hooks_dirs_n);
    case GR_SETTING_HOST_ROOT:
        return text(c->host_root);
    case GR_SETTING_NODE_NAME:
        return text(c->node_name);
    case GR_SETTING_LOG_LEVEL:
        return word(GR_SETTING_LOG_LEVEL, c->log_level);
    case GR_SETTING_LOG_FORMAT:
        return word(GR_SETTING_LOG_FORMAT, c->log_format);
    case GR_SETTING_AMBIGUOUS_IMAGE:
        return word(GR_SETTING_AMBIGUOUS_IMAGE, c->ambiguous_image);
    case GR_SETTING_ON_REQUEST_ERROR:
        return word(GR_SETTING_ON_REQUEST_ERROR, c->on_request_error);
    case GR_SETTING_RESCAN_INTERVAL:
        return json_integer(c->rescan_interval_s);
    case GR_SETTING_LAST_GOOD_DIR:
        return text_or_none(c->last_good_dir);
    case GR_SETTING_ENVIRONMENT:
        return text(c->environment);
    case GR_SETTING_OCI_HOOKS_DIRS:
        return texts(c->oci_hooks_dirs, c->oci_hooks_dirs_n);
    case GR_SETTING_REQUEST_ANNOTATION:
        return text(c->request_annotation);
    case GR_SETTING_REQUIRED_SETS:
        return names(c->required_sets);
    case GR_SETTING_OWN_NAMESPACE:
        return text(c->own_namespace);
    case GR_SETTING_RUN_DIR:
        return text_or_none(c->run_dir);
    case GR_SETTING_CONTROL_SOCKET:
        return text_or_none(c->control_socket);
    case GR_SETTING_AUDIT_LOG:
        return word(GR_SETTING_AUDIT_LOG, c->audit_log);
    case GR_SETTING_SANDBOX:
        return word(GR_SETTING_SANDBOX, c->sandbox);
    case GR_SETTING_METRICS_ADDRESS:
        return text_or_none(c->metrics_address);
    case GR_SETTING_METRICS_TEXTFILE:
        return text_or_none(c->metrics_textfile);
    case GR_SETTING_PROGRAMS_DIR:
        return text_or_none(c->programs_dir);
    case GR_SETTING_CRIO_DIR:
        return text_or_none(c->crio_dir);
    }
    return NULL;
}

json_t *gr_settings_json(const struct gr_config *config)
{
    json_t *list = json_array();

    for (size_t i = 0; i < GR_SETTING_COUNT; i++) {
        const struct gr_setting_origin *origin = &config->origins[i];
        json_t *object = json_object();

        (void)json_object_set_new(object, "name", json_string(gr_setting_name((enum gr_setting)i)));
        (void)json_object_set_new(object, "value", value_of(config, (enum gr_setting)i));
        (void)json_object_set_new(object, "source",
                                  json_string(gr_config_source_name(origin->source)));
        if (origin->line > 0)
            (void)json_object_set_new(object, "line", json_integer(origin->line));
        (void)json_array_append_new(list, object);
    }
    return list;
}
