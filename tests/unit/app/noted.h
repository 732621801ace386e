/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is known as a program of ours, of version 9.8.7: an ELF header and notes. */
#ifndef GR_TESTS_APP_NOTED_H
#define GR_TESTS_APP_NOTED_H

#include <elf.h>
#include <stddef.h>

struct image {
    Elf64_Ehdr head;
    Elf64_Phdr notes[2];
    Elf64_Nhdr other;
    char other_owner[4], other_text[8];
    Elf64_Nhdr note;
    char owner[8], text[8];
};

static inline struct image make_image(void)
{
    struct image image = {
        .head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB},
                 .e_phoff = offsetof(struct image, notes),
                 .e_phentsize = sizeof(Elf64_Phdr),
                 .e_phnum = 2},
        .notes = {{.p_type = PT_LOAD, .p_filesz = sizeof(image)},
                  {.p_type = PT_NOTE,
                   .p_offset = offsetof(struct image, other),
                   .p_filesz = sizeof(image) - offsetof(struct image, other)}},
        .other = {.n_namesz = 4, .n_descsz = 7, .n_type = 1},
        .other_owner = "GNU",
        .other_text = "\1\2\3\4\5\6",
        .note = {.n_namesz = 8, .n_descsz = 8, .n_type = 1},
        .owner = "Grapnel",
        .text = "9.8.7",
    };

    return image;
}

#endif
