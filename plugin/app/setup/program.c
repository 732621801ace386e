/* SPDX-License-Identifier: Apache-2.0 */
#include "app/setup/program.h"

#include <errno.h>
#include <stdio.h>

#include "load/elf.h"
#include "version.h"

/* As elf(5) has it. Text and owner are padded to words. */
struct note {
    uint32_t owner_bytes, text_bytes, type;
    char owner[sizeof(GR_PROGRAM_NOTE_OWNER)];
    char text[GR_PROGRAM_VERSION_BYTES];
};

_Static_assert(sizeof(GR_PROGRAM_NOTE_OWNER) % 4 == 0, "the text begins at a word");

_Static_assert(sizeof(GR_VERSION) <= GR_PROGRAM_VERSION_BYTES, "the version has room");

/* Nobody refers to it: it is there to be found in the file. */
__attribute__((used, section(".note.grapnel"), aligned(4))) static const struct note note = {
    .owner_bytes = sizeof(GR_PROGRAM_NOTE_OWNER),
    .text_bytes = GR_PROGRAM_VERSION_BYTES,
    .type = GR_PROGRAM_NOTE_TYPE,
    .owner = GR_PROGRAM_NOTE_OWNER,
    .text = GR_VERSION,
};

/* People are shown it: one with bytes that a terminal acts on is nobody's. */
static bool is_version(struct gr_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= ' ' || text.p[i] > '~')
            return false;
    }
    return text.n > 0;
}

bool gr_program_is_ours(const struct gr_fs *fs, int node,
                        char out_version[GR_PROGRAM_VERSION_BYTES])
{
    char head[GR_PROGRAM_HEAD_BYTES];
    struct gr_str version;
    size_t n = 0;
    int64_t r = 1;

    while (n < GR_PROGRAM_HEAD_BYTES && (r > 0 || r == -EINTR)) {
        r = fs->read(fs->user, node, head + n, GR_PROGRAM_HEAD_BYTES - n);
        n += r > 0 ? (size_t)r : 0;
    }
    version = gr_elf_note((struct gr_str){.p = head, .n = n}, GR_PROGRAM_NOTE_OWNER,
                          GR_PROGRAM_NOTE_TYPE);
    if (!is_version(version))
        version = GR_STR_NONE;
    (void)snprintf(out_version, GR_PROGRAM_VERSION_BYTES, "%.*s", GR_STR_FMT(version));
    return version.n > 0;
}
