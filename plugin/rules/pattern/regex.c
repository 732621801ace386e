/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules/pattern/regex: compiling and matching.
 *
 * Layer: rules. PCRE2 always matches from the beginning of the text: what it counts, it counts anew
 * at every place where it begins, so that a search is written as an expression that passes over any
 * text first. How much of its match limit it used it does not tell, so a match is tried with
 * growing limits, each charged in full before it is tried, at the price that regex_cost gives. Its
 * optimisations that skip counting are off.
 */
#include "rules/pattern/regex.h"

#include <errno.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/utf8.h"
#include "rules/limits.h"
#include "rules/pattern/regex_parse.h"
#include "rules/steps.h"

#define SCRATCH_BLOCK_BYTES 16384

/* A backtracking point costs about 15 ns; quarters of a step, as in regex_cost. */
#define POINT_QUARTERS 16

/* One more that is open at the same time needs memory, which costs about 150 ns. */
#define FRAME_STEPS 64

/* PCRE2 begins with room for so many; its points have 128 bytes. */
#define FRAMES_FREE 160

/* What a match costs before anything is compared: three small allocations. */
#define BEGIN_STEPS 100

/* The UTF-8 check takes about 1 ns for a byte beyond ASCII. */
#define CHECKED_BYTES 2

/* A place at which a literal might stand: two calls. */
#define PLACE_STEPS 2

#define FIRST_LIMIT 64
#define LIMIT_GROWTH 4

/* The pattern for PCRE2: \x{10ffff} for one byte, and more for what classes are made of. */
#define PATTERN_MAX_BYTES (1U << 20)

struct gr_regex {
    pcre2_code *code;
    bool is_search;
    bool is_complete; /* it matches when the text is one of the exacts */
    uint64_t point_steps;
    uint64_t scan; /* quarters of a step per byte */
    uint64_t frames;
    struct gr_regex_literals literals;
};

/* Where PCRE2's memory comes from while it compiles. */
struct memory {
    struct gr_arena *arena;
};

static void *take_memory(size_t bytes, void *user)
{
    struct memory *memory = user;

    return gr_arena_alloc(memory->arena, bytes);
}

static void leave_memory(void *p, void *user)
{
    (void)p;
    (void)user;
}

static int refuse_large(struct gr_err *err)
{
    gr_err_at(err, NULL, 0, 1);
    return gr_fail(err, -EINVAL, "bad-regex",
                   "the expression is larger than %d bytes when it is compiled; shorten it, or "
                   "count to less in {…} around groups",
                   GR_REGEX_COMPILED_MAX_BYTES);
}

static int check_cost(const struct gr_regex_cost *cost, struct gr_err *err)
{
    /* The estimate is over the truth, but never by that much; the truth is looked at later. */
    if (cost->compiled > 8UL * GR_REGEX_COMPILED_MAX_BYTES)
        return refuse_large(err);
    return 0;
}

/* The tree's pattern around which nothing may stand, or for a search anything. */
static int write_pattern(const struct gr_regex_node *root, bool is_search, struct gr_buf *out)
{
    bool anywhere = is_search && !gr_regex_begins_text(root);

    (void)gr_buf_text(out, anywhere ? "\\A.*?(?:" : "\\A(?:");
    gr_regex_emit(root, out);
    (void)gr_buf_text(out, is_search ? ")" : ")\\z");
    return out->broken;
}

/* The code is made in scratch, which takes what PCRE2 needs meanwhile, and copied into arena. */
static int compile_in(struct gr_arena *arena, struct gr_arena *scratch, struct gr_str pattern,
                      pcre2_code **out_code, struct gr_err *err)
{
    struct memory *memory = gr_arena_alloc(arena, sizeof(*memory));
    pcre2_general_context *general;
    pcre2_compile_context *context;
    PCRE2_SIZE offset = 0;
    size_t size = 0;
    pcre2_code *code;
    int error = 0;

    if (!memory)
        return -ENOMEM;
    memory->arena = scratch;
    general = pcre2_general_context_create(take_memory, leave_memory, memory);
    context = general ? pcre2_compile_context_create(general) : NULL;
    if (!context || pcre2_set_newline(context, PCRE2_NEWLINE_LF) != 0)
        return -ENOMEM;
    code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n,
                         PCRE2_UTF | PCRE2_ANCHORED | PCRE2_DOTALL | PCRE2_ALT_CIRCUMFLEX |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_NO_AUTO_CAPTURE |
                             PCRE2_NO_AUTO_POSSESS | PCRE2_NO_START_OPTIMIZE,
                         &error, &offset, context);
    if (!code)
        return error == PCRE2_ERROR_HEAP_FAILED ? -ENOMEM : refuse_large(err);
    if (pcre2_pattern_info(code, PCRE2_INFO_SIZE, &size) != 0 || size > GR_REGEX_COMPILED_MAX_BYTES)
        return refuse_large(err);
    memory->arena = arena;
    *out_code = pcre2_code_copy(code);
    memory->arena = NULL;
    return *out_code ? 0 : -ENOMEM;
}

static int copy_texts(struct gr_arena *arena, struct gr_regex_literals *literals)
{
    bool ok = gr_arena_str(arena, literals->prefix, &literals->prefix) &&
              gr_arena_str(arena, literals->suffix, &literals->suffix) &&
              gr_arena_str(arena, literals->inner, &literals->inner);

    for (size_t i = 0; ok && i < literals->exacts_n; i++)
        ok = gr_arena_str(arena, literals->exacts[i], &literals->exacts[i]);
    return ok ? 0 : -ENOMEM;
}

/* Everything but the code. */
static int study(struct gr_arena *arena, struct gr_arena *scratch, struct gr_regex_node *root,
                 struct gr_regex *regex, struct gr_err *err)
{
    struct gr_regex_cost cost;
    int r;

    if (regex->is_search)
        gr_regex_trim(root);
    cost = gr_regex_cost_of(root);
    r = check_cost(&cost, err);
    if (r != 0)
        return r;
    regex->point_steps = (POINT_QUARTERS + cost.count + 3) / 4;
    regex->scan = cost.scan;
    regex->frames = GR_MIN(cost.frames + 1, (uint64_t)GR_REGEX_FRAMES_MAX);
    r = gr_regex_find_literals(scratch, root, regex->is_search, &regex->literals,
                               &regex->is_complete);
    return r ? r : copy_texts(arena, &regex->literals);
}

static int compile(struct gr_arena *arena, struct gr_arena *scratch, struct gr_str text,
                   bool search, const struct gr_regex **out_regex, struct gr_err *err)
{
    struct gr_regex_node *root = NULL;
    struct gr_regex *regex;
    struct gr_buf pattern;
    int r = gr_regex_parse(scratch, text, &root, err);

    if (r != 0)
        return r;
    regex = gr_arena_alloc(arena, sizeof(*regex));
    if (!regex)
        return -ENOMEM;
    regex->is_search = search;
    r = study(arena, scratch, root, regex, err);
    if (r != 0)
        return r;
    gr_buf_init(&pattern, PATTERN_MAX_BYTES);
    r = write_pattern(root, search, &pattern);
    if (r == 0)
        r = compile_in(arena, scratch, gr_buf_view(&pattern), &regex->code, err);
    gr_buf_fini(&pattern);
    if (r == 0)
        *out_regex = regex;
    return r == -EMSGSIZE ? refuse_large(err) : r;
}

int gr_regex_compile(struct gr_arena *arena, struct gr_str text, bool search,
                     const struct gr_regex **out_regex, struct gr_err *err)
{
    struct gr_arena scratch;
    int r;

    if (text.n > GR_PATTERN_MAX_BYTES) {
        gr_err_at(err, NULL, 0, 1);
        return gr_fail(err, -EINVAL, "bad-regex",
                       "the expression has %zu bytes; at most %d are allowed", text.n,
                       GR_PATTERN_MAX_BYTES);
    }
    gr_arena_init(&scratch, SCRATCH_BLOCK_BYTES, 0);
    r = compile(arena, &scratch, text, search, out_regex, err);
    gr_arena_fini(&scratch);
    return r;
}

bool gr_regex_is_search(const struct gr_regex *regex)
{
    return regex->is_search;
}

const struct gr_regex_literals *gr_regex_literals(const struct gr_regex *regex)
{
    return &regex->literals;
}

static bool is_one_of(const struct gr_regex_literals *literals, struct gr_str text)
{
    for (size_t i = 0; i < literals->exacts_n; i++) {
        if (gr_str_eq(text, literals->exacts[i]))
            return true;
    }
    return false;
}

/* Looks for the part's last byte and compares there; each such place is paid for, since a text can
 * be made of nothing else (memmem takes 4 ns for a byte of such a text, 0.3 for others). */
static enum gr_truth holds(struct gr_str text, struct gr_str part, uint64_t *steps)
{
    const char *at; /* where the part might end */

    if (part.n == 0)
        return GR_TRUE;
    if (text.n < part.n)
        return GR_FALSE;
    if (!gr_steps_take(steps, gr_steps_of_bytes(text.n)))
        return GR_ERROR;
    for (at = text.p + part.n - 1; at < text.p + text.n; at++) {
        at = memchr(at, part.p[part.n - 1], (size_t)(text.p + text.n - at));
        if (!at)
            return GR_FALSE;
        if (!gr_steps_take(steps, PLACE_STEPS + gr_steps_of_bytes(part.n)))
            return GR_ERROR;
        if (memcmp(at + 1 - part.n, part.p, part.n) == 0)
            return GR_TRUE;
    }
    return GR_FALSE;
}

/* Whether the text has what every match has. */
static enum gr_truth has_literals(const struct gr_regex *regex, struct gr_str text, uint64_t *steps)
{
    const struct gr_regex_literals *literals = &regex->literals;

    if (literals->exacts_n > 0)
        return is_one_of(literals, text) ? GR_TRUE : GR_FALSE;
    if (!gr_str_has_prefix(text, literals->prefix) || !gr_str_has_suffix(text, literals->suffix))
        return GR_FALSE;
    return holds(text, literals->inner, steps);
}

/* What one try looks at: each byte once without counting. */
static uint64_t scan_steps(const struct gr_regex *regex, size_t n)
{
    return 1 + (uint64_t)n * regex->scan / 4;
}

/* The price of memory for up to limit points, of which before had been paid. */
static uint64_t frames_steps(const struct gr_regex *regex, uint64_t before, uint64_t limit)
{
    uint64_t paid = GR_MAX(GR_MIN(before, regex->frames), (uint64_t)FRAMES_FREE);
    uint64_t most = GR_MIN(limit, regex->frames);

    return most > paid ? (most - paid) * FRAME_STEPS : 0;
}

/* Tries with growing limits until one is enough or the steps are not. */
static enum gr_truth try_limits(const struct gr_regex *regex, struct gr_str text, uint64_t *steps,
                                pcre2_match_data *data, pcre2_match_context *context)
{
    uint64_t scan = scan_steps(regex, text.n);
    /* The first try's points cost no less than a part of its scan. */
    uint64_t limit = GR_MAX((uint64_t)FIRST_LIMIT, scan / (LIMIT_GROWTH * regex->point_steps));
    uint64_t before = 0;
    int r = PCRE2_ERROR_MATCHLIMIT;

    while (r == PCRE2_ERROR_MATCHLIMIT) {
        uint64_t price = scan + limit * regex->point_steps + frames_steps(regex, before, limit);

        if (limit > UINT32_MAX || !gr_steps_take(steps, price)) {
            *steps = 0;
            return GR_ERROR;
        }
        (void)pcre2_set_match_limit(context, (uint32_t)limit);
        r = pcre2_match(regex->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0,
                        PCRE2_NO_UTF_CHECK, data, context);
        before = limit;
        limit *= LIMIT_GROWTH;
    }
    if (r == PCRE2_ERROR_NOMATCH)
        return GR_FALSE;
    return r >= 0 ? GR_TRUE : GR_ERROR;
}

static enum gr_truth match_code(const struct gr_regex *regex, struct gr_str text, uint64_t *steps)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    enum gr_truth truth = GR_ERROR;

    if (data && context) {
        (void)pcre2_set_heap_limit(context, GR_REGEX_FRAMES_MAX / 8);
        (void)pcre2_set_depth_limit(context, GR_REGEX_FRAMES_MAX);
        truth = try_limits(regex, text, steps, data, context);
    }
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    return truth;
}

enum gr_truth gr_regex_match(const struct gr_regex *regex, struct gr_str text, uint64_t *steps)
{
    size_t ascii = gr_utf8_ascii_prefix(text);
    uint64_t price = BEGIN_STEPS + gr_steps_of_bytes(ascii) + (text.n - ascii) / CHECKED_BYTES;
    enum gr_truth truth;

    if (!gr_steps_take(steps, price) || !gr_utf8_is_valid(gr_str_skip(text, ascii)))
        return GR_ERROR;
    truth = has_literals(regex, text, steps);
    if (truth != GR_TRUE || regex->is_complete)
        return truth;
    return match_code(regex, text, steps);
}
