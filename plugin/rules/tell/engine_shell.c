/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a shell would run: the words that stand where a command stands. Quotes, comments, here
 * documents, the patterns of case and what is within [[ ]] are read as a shell reads them, since
 * that is where names of engines stand that nobody calls. No variable is filled in.
 */
#include "rules/tell/engine_parts.h"

/* Texts within texts: $( ), ` `, sh -c. What is deeper is not looked at. */
#define DEPTH_MAX 12

/* A longer word is cut. It may be the text behind -c. */
#define WORD_BYTES 512

/* Of the word that ends a here document. What follows one with a longer word is not looked at. */
#define MARK_BYTES 64

struct search {
    struct gr_str text;
    size_t at;
    const char *found;
    bool marked; /* a here document begins with the next line, and ends with mark */
    bool tabs;   /* tabs before the mark do not count */
    char mark[MARK_BYTES];
    size_t mark_n;
};

struct word {
    char bytes[WORD_BYTES];
    size_t n;
};

/* What is on in one list of commands: all, or that of a $( ). */
struct list {
    char closer; /* ')' or '`'; '\0': the end of the text */
    unsigned depth;
    bool values;  /* NAME=( … ), no commands */
    bool pattern; /* of a case, up to its ) */
    unsigned cases;
    enum { NO_TARGET, FILE_NAME, MARK } target; /* what the next word is */
    struct gr_engine_command command;
};

static void search_list(struct search *s, struct list *list);

/* ---- words ---- */

static bool is_one_of(struct gr_str word, const char *const *words)
{
    while (*words && !gr_str_is(word, *words))
        words++;
    return *words != NULL;
}

static bool is_assignment(struct gr_str word)
{
    size_t n = gr_str_find(word, '=');

    for (size_t i = 0; i < n && n < word.n; i++) {
        if (!gr_engine_is_name_char(word.p[i]) || word.p[i] == '-' || word.p[i] == '.')
            return false;
    }
    return n > 0 && n < word.n;
}

static const char *const keywords[] = {"then",  "do", "else", "elif", "if", "while",
                                       "until", "!",  "{",    "time", NULL};
static const char *const prefixes[] = {
    "exec",   "command", "builtin", "env",     "sudo",    "doas",   "nohup",   "nice", "ionice",
    "setsid", "stdbuf",  "xargs",   "nsenter", "timeout", "chroot", "busybox", NULL};
static const char *const quiets[] = {"echo", "printf", "logger", "test", "[",
                                     "[[",   "ls",     "stat",   ":",    NULL};

/* The word that names what is run. */
static const char *take_name(struct gr_engine_command *c, struct gr_str word)
{
    struct gr_str name = gr_engine_name(word);

    if (is_one_of(word, keywords))
        return NULL;
    if (is_one_of(name, prefixes)) {
        c->place = GR_ENGINE_PREFIX;
        c->asks = gr_str_is(name, "command");
        c->operand = gr_str_is(name, "chroot") || gr_str_is(name, "timeout");
        return NULL;
    }
    c->place = GR_ENGINE_REST;
    c->quiet = is_one_of(name, quiets);
    c->brackets = gr_str_is(name, "[[");
    c->shell = gr_engine_is_shell(name);
    c->in_case = gr_str_is(word, "case");
    return gr_engine_client(word);
}

/* An option of a shell with a c in it, such as -c and -ec. */
static bool asks_for_code(struct gr_str word)
{
    return word.n > 1 && word.p[0] == '-' && word.p[1] != '-' && gr_str_find(word, 'c') < word.n;
}

static const char *take_operand(struct gr_engine_command *c, struct gr_str word, unsigned depth)
{
    struct search inner = {.text = word};
    struct list list = {.depth = depth + 1};

    if (c->code) {
        c->code = false;
        c->shell = false;
        search_list(&inner, &list);
        return inner.found;
    }
    c->code = c->shell && asks_for_code(word);
    if (gr_str_is(word, "]]"))
        c->brackets = false;
    return c->quiet ? NULL : gr_engine_socket(word);
}

const char *gr_engine_take(struct gr_engine_command *command, struct gr_str word, unsigned depth)
{
    struct gr_engine_command *c = command;

    if (c->place == GR_ENGINE_REST)
        return take_operand(c, word, depth);
    if (is_assignment(word))
        return gr_engine_socket(word);
    if (c->place == GR_ENGINE_COMMAND)
        return take_name(c, word);
    if (c->asks && word.n > 1 && word.p[0] == '-' && (word.p[1] == 'v' || word.p[1] == 'V')) {
        c->place = GR_ENGINE_REST;
        c->quiet = true;
        return NULL;
    }
    if (word.n > 0 && (word.p[0] == '-' || (word.p[0] >= '0' && word.p[0] <= '9'))) {
        c->operand = c->operand && word.p[0] == '-';
        return NULL;
    }
    if (c->operand) {
        c->operand = false;
        return NULL;
    }
    return take_name(c, word);
}

/* ---- reading ---- */

static char peek(const struct search *s, size_t n)
{
    return s->at + n < s->text.n ? s->text.p[s->at + n] : '\0';
}

static bool is_at_end(const struct search *s)
{
    return s->at >= s->text.n || s->found;
}

static void skip_line(struct search *s)
{
    s->at += gr_str_find(gr_str_skip(s->text, s->at), '\n');
}

static void put(struct word *word, char c)
{
    if (word->n < sizeof(word->bytes))
        word->bytes[word->n++] = c;
}

/* Commands whose output becomes a part of the word: that part is a $. */
static void search_inner(struct search *s, struct word *word, char closer, unsigned depth)
{
    struct list inner = {.closer = closer, .depth = depth + 1};

    put(word, '$');
    search_list(s, &inner);
}

/* $(( … )): a << there begins no document. */
static void skip_arithmetic(struct search *s)
{
    while (s->at < s->text.n && !(peek(s, 0) == ')' && peek(s, 1) == ')'))
        s->at++;
    s->at += 2;
}

/* Behind a $. */
static void read_dollar(struct search *s, struct word *word, unsigned depth)
{
    if (peek(s, 0) == '(' && peek(s, 1) == '(') {
        put(word, '$');
        skip_arithmetic(s);
        return;
    }
    if (peek(s, 0) == '(') {
        s->at++;
        search_inner(s, word, ')', depth);
        return;
    }
    put(word, '$');
    if (peek(s, 0) == '{')
        s->at += gr_str_find(gr_str_skip(s->text, s->at), '}') + 1;
}

/* Behind the opening ". */
static void read_double(struct search *s, struct word *word, const struct list *list)
{
    while (!is_at_end(s)) {
        char c = s->text.p[s->at++];

        if (c == '"')
            return;
        if (c == '\\') {
            put(word, peek(s, 0));
            s->at++;
        } else if (c == '$') {
            read_dollar(s, word, list->depth);
        } else if (c == '`' && list->closer != '`') {
            search_inner(s, word, '`', list->depth);
        } else {
            put(word, c);
        }
    }
}

/* Behind the opening '. escapes: that of $'…'. */
static void read_single(struct search *s, struct word *word, bool escapes)
{
    while (s->at < s->text.n && s->text.p[s->at] != '\'') {
        s->at += escapes && s->text.p[s->at] == '\\' ? 1 : 0;
        put(word, peek(s, 0));
        s->at++;
    }
    s->at++;
}

static bool ends_word(char c, const struct list *list)
{
    return c == '\0' || strchr(" \t\r\n;|&<>()", c) || (c == '`' && list->closer == '`');
}

static void read_word(struct search *s, struct word *word, const struct list *list)
{
    word->n = 0;
    while (!is_at_end(s) && !ends_word(s->text.p[s->at], list)) {
        char c = s->text.p[s->at++];

        if (c == '\'') {
            read_single(s, word, false);
        } else if (c == '"') {
            read_double(s, word, list);
        } else if (c == '$' && peek(s, 0) == '\'') {
            s->at++;
            read_single(s, word, true);
        } else if (c == '$') {
            read_dollar(s, word, list->depth);
        } else if (c == '`') {
            search_inner(s, word, '`', list->depth);
        } else if (c == '\\') {
            put(word, peek(s, 0));
            s->at++;
        } else {
            put(word, c);
        }
    }
}

/* ---- here documents and redirections ---- */

static void skip_document(struct search *s)
{
    struct gr_str mark = {s->mark, s->mark_n};

    s->marked = false;
    while (s->at < s->text.n) {
        struct gr_str line = gr_str_skip(s->text, s->at);

        line = gr_str_first(line, gr_str_find(line, '\n'));
        s->at += line.n + 1;
        while (s->tabs && line.n > 0 && line.p[0] == '\t')
            line = gr_str_skip(line, 1);
        if (gr_str_eq(line, mark))
            return;
    }
}

static void mark_document(struct search *s, struct gr_str word)
{
    if (word.n > sizeof(s->mark)) {
        s->at = s->text.n;
        return;
    }
    memcpy(s->mark, word.p, word.n);
    s->mark_n = word.n;
    s->marked = true;
}

static void read_redirection(struct search *s, struct list *list)
{
    bool document = peek(s, 0) == '<' && peek(s, 1) == '<' && peek(s, 2) != '<';

    list->target = document ? MARK : FILE_NAME;
    while (peek(s, 0) == '<' || peek(s, 0) == '>')
        s->at++;
    s->tabs = document && peek(s, 0) == '-';
    if (s->tabs || peek(s, 0) == '&' || peek(s, 0) == '|')
        s->at++;
    if (peek(s, 0) == '(') { /* <( … ): commands, in place of a file */
        struct list inner = {.closer = ')', .depth = list->depth + 1};

        s->at++;
        list->target = NO_TARGET;
        search_list(s, &inner);
    }
}

/* ---- lists of commands ---- */

static void begin_command(struct list *list)
{
    if (!list->values && !list->command.brackets)
        list->command = (struct gr_engine_command){.place = GR_ENGINE_COMMAND};
    list->target = NO_TARGET;
}

/* At a (: of a function's definition, a list of values, or a list of commands of its own. */
static void read_open(struct search *s, struct list *list, struct gr_str before)
{
    struct list inner = {.closer = ')', .depth = list->depth + 1};

    s->at++;
    if (list->pattern || list->command.brackets)
        return;
    if (before.n > 0 && before.p[before.n - 1] != '=') {
        s->at += peek(s, 0) == ')' ? 1 : 0;
        begin_command(list);
        return;
    }
    inner.values = before.n > 0;
    inner.command.place = inner.values ? GR_ENGINE_REST : GR_ENGINE_COMMAND;
    search_list(s, &inner);
    list->command.place = before.n > 0 ? GR_ENGINE_COMMAND : GR_ENGINE_REST;
}

/* A word that stands in the list, and what comes directly behind it. */
static void take_word(struct search *s, struct list *list, struct gr_str word)
{
    struct gr_engine_command *c = &list->command;
    char next = peek(s, 0);
    bool number = word.n == 1 && word.p[0] >= '0' && word.p[0] <= '9';

    if (s->found || (number && (next == '<' || next == '>'))) /* 2>… */
        return;
    if (list->target == MARK) {
        mark_document(s, word);
    } else if (list->target == NO_TARGET && gr_str_is(word, "esac") && list->cases > 0 &&
               (list->pattern || c->place == GR_ENGINE_COMMAND)) {
        list->cases--;
        list->pattern = false;
        c->place = GR_ENGINE_REST;
    } else if (list->target == NO_TARGET && !list->pattern) {
        if (next == '(' && !c->brackets) {
            read_open(s, list, word);
        } else if (c->in_case && gr_str_is(word, "in")) {
            list->cases++;
            list->pattern = true;
        } else {
            s->found = gr_engine_take(c, word, list->depth);
        }
    }
    list->target = NO_TARGET;
}

/* What divides commands. False: it ends the list. */
static bool read_divider(struct search *s, struct list *list, char c)
{
    if (c == list->closer && !list->pattern) {
        s->at++;
        return false;
    }
    if (c == '(') {
        read_open(s, list, GR_STR_NONE);
        return true;
    }
    if (c == '<' || c == '>') {
        read_redirection(s, list);
        return true;
    }
    s->at++;
    if (c == ';' && (peek(s, 0) == ';' || peek(s, 0) == '&')) {
        list->pattern = list->cases > 0;
        s->at++;
        s->at += peek(s, 0) == '&' ? 1 : 0;
    } else if (c == ')') {
        list->pattern = false;
    }
    begin_command(list);
    if (c == '\n' && s->marked)
        skip_document(s);
    return true;
}

static void search_list(struct search *s, struct list *list)
{
    struct word word;

    if (list->depth > DEPTH_MAX)
        s->at = s->text.n;
    while (!is_at_end(s)) {
        char c = peek(s, 0);

        if (c == ' ' || c == '\t' || c == '\r' || c == '\0') {
            s->at++;
        } else if (c == '\\' && peek(s, 1) == '\n') {
            s->at += 2;
        } else if (c == '#') {
            skip_line(s);
        } else if (ends_word(c, list)) {
            if (!read_divider(s, list, c))
                return;
        } else {
            read_word(s, &word, list);
            take_word(s, list, (struct gr_str){word.bytes, word.n});
        }
    }
}

const char *gr_engine_of_shell(struct gr_str text)
{
    struct search search = {.text = text};
    struct list list = {.closer = '\0'};

    search_list(&search, &list);
    return search.found;
}
