/* SPDX-License-Identifier: Apache-2.0 */
#include "load/configfile.h"

#include <errno.h>

#include "load/onefile.h"
#include "load/source.h"
#include "rules/limits.h"

int gr_configfile_read(const struct gr_fs *fs, const char *path, struct gr_arena *arena,
                       const struct gr_reporter *reporter, struct gr_configfile *out_file)
{
    struct gr_config_text text = {.name = path, .source = GR_CONFIG_FILE};
    struct gr_configfile file = {0};
    struct gr_err err = {0};
    struct gr_buf buf;
    int rc;

    gr_buf_init(&buf, GR_YAML_FILE_MAX_BYTES);
    rc = gr_onefile_read(fs, path, &buf, &err);
    if (rc == GR_SOURCE_REFUSED) {
        gr_err_at(&err, path, 0, 0);
        gr_report(reporter, GR_LEVEL_ERROR, &err);
        rc = GR_CONFIG_REFUSED;
    } else if (rc == GR_ONEFILE_MISSING) {
        rc = GR_CONFIGFILE_MISSING;
    } else if (rc == 0 || rc == GR_SOURCE_DISABLED) {
        /* A file that is empty or disabled sets nothing. */
        text.text = rc == 0 ? gr_buf_view(&buf) : GR_STR_NONE;
        rc = gr_config_decode(arena, &text, reporter, &file.config);
        if (rc == 0 && !gr_arena_str(arena, text.text, &file.text))
            rc = -ENOMEM;
        if (rc == 0)
            *out_file = file;
    }
    gr_buf_fini(&buf);
    return rc;
}
