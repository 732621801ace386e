/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load/elf: what an ELF program asks of the system, read from its bytes.
 *
 * Layer: load. Reads only; every offset is checked against the bytes that are there, since the file
 * may be damaged or hostile. 64-bit and 32-bit little-endian programs of Linux.
 */
#ifndef GR_LOAD_ELF_H
#define GR_LOAD_ELF_H

#include "base/str.h"

/* Libraries that one program may name; a hook with more is not looked at further. No evidence. */
#define GR_ELF_NEEDED_MAX 64

struct gr_elf {
    uint16_t machine;          /* EM_X86_64, EM_AARCH64, … */
    struct gr_str interpreter; /* n == 0: none, a static program */
    struct gr_str run_path;    /* DT_RUNPATH or DT_RPATH: directories with ":" between them */
    struct gr_str needed[GR_ELF_NEEDED_MAX];
    size_t needed_n;
    bool complete; /* what was needed for interpreter and libraries lay within the bytes */
};

/* Texts borrow bytes. False: these are no ELF program (out is untouched). */
bool gr_elf_read(struct gr_str bytes, struct gr_elf *out);

/*
 * The text of a note (PT_NOTE) with this owner and type, up to its NUL byte; n == 0: there is none
 * within the bytes. Of a program the linker puts notes close to the beginning. Borrows bytes.
 */
struct gr_str gr_elf_note(struct gr_str bytes, const char *owner, uint32_t type);

/* The machine that this program was compiled for. */
uint16_t gr_elf_own_machine(void);

/* Whether a machine is the 32-bit mode of another one, as i386 is of x86-64: usual kernels run its
 * programs. */
bool gr_elf_is_narrow(uint16_t machine, uint16_t of);

/* "x86-64", "arm64", … or "another machine". */
const char *gr_elf_machine_name(uint16_t machine);

#endif
