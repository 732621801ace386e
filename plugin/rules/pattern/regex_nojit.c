/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex_nojit: keeps PCRE2's compiler to machine code out of the static program.
 *
 * Layer: rules. Expressions are interpreted, since that can be counted, so nothing here ever asks
 * for machine code; still the interpreter names these functions, and with them the linker would
 * take in their whole archive member: 240 KiB. They stand here as a PCRE2 that was built without
 * that compiler has them. The build links them only where they are all that is missing
 * (meson.build); the names with an underscore are PCRE2's own, and none of its headers declares
 * them.
 */
#include <stddef.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

void _pcre2_jit_free_8(void *jit, void *memory);
int _pcre2_jit_check_exec_8(void *jit, unsigned options);
size_t _pcre2_jit_get_size_8(void *jit);
const char *_pcre2_jit_get_target_8(void);

void _pcre2_jit_free_8(void *jit, void *memory)
{
    (void)jit;
    (void)memory;
}

/* Debian's PCRE2 asks whether there is machine code that fits the options. */
int _pcre2_jit_check_exec_8(void *jit, unsigned options)
{
    (void)jit;
    (void)options;
    return 0;
}

size_t _pcre2_jit_get_size_8(void *jit)
{
    (void)jit;
    return 0;
}

const char *_pcre2_jit_get_target_8(void)
{
    return "none";
}

int pcre2_jit_match_8(const pcre2_code *code, PCRE2_SPTR subject, PCRE2_SIZE length,
                      PCRE2_SIZE start_offset, uint32_t options, pcre2_match_data *match_data,
                      pcre2_match_context *context)
{
    (void)code;
    (void)subject;
    (void)length;
    (void)start_offset;
    (void)options;
    (void)match_data;
    (void)context;
    return PCRE2_ERROR_JIT_BADOPTION;
}
