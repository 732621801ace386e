/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a value that the pod chooses would be code of an interpreter, and what is near that and yet
 * allowed. Rows are the keys of a hook; the value is '{{.Name}}', or V for short.
 */
#include "rules/decoding.h"

#include "base/buf.h"

static struct decoded *decode_row(const char *row)
{
    static const char value[] = "'{{.Name}}'";
    struct decoded *decoded;
    struct gr_buf text;

    gr_buf_init(&text, 4096);
    assert_int_equal(gr_buf_text(&text, TOP SPEC MATCH "  hooks: {poststop: [{"), 0);
    for (const char *c = row; *c; c++)
        assert_int_equal(*c == 'V' ? gr_buf_text(&text, value)
                                   : gr_buf_str(&text, (struct gr_str){.p = c, .n = 1}),
                         0);
    assert_int_equal(gr_buf_text(&text, "}]}\n"), 0);
    decoded = decode(gr_buf_view(&text));
    gr_buf_fini(&text);
    return decoded;
}

static const char *const allowed_rows[] = {
    /* behind the script everything is data */
    "path: /bin/sh, args: [sh, /opt/x.sh, V]",
    "path: /bin/sh, args: [sh, -e, /opt/x.sh, -c, V]",
    "path: /bin/sh, args: [sh, --, /opt/x.sh, V]",
    "path: /bin/bash, args: [bash, +x, -o, pipefail, /opt/x.sh, V]",
    "path: /usr/bin/python3, args: [python3, /opt/x.py, V, -c, V]",
    "path: /usr/bin/python3.11, args: [python3, -I, -W, ignore, -X, dev, /opt/x.py, V]",
    "path: /usr/bin/python3, args: [python3, -Wignore, /opt/x.py, V]",
    "path: /usr/bin/perl, args: [perl, -w, /opt/x.pl, V]",
    "path: /usr/bin/ruby, args: [ruby, -rjson, /opt/x.rb, V]",
    "path: /usr/bin/node, args: [node, --title=hook, /opt/x.js, V]",
    "path: /usr/bin/node, args: [node, --harmony, --, /opt/x.js, V]",
    "path: /usr/bin/gawk, args: [gawk, --posix, --file=/opt/x.awk, V]",
    "path: /usr/bin/sed, args: [sed, -e, 1p, V]",
    "path: /usr/bin/lua5.4, args: [lua, /opt/x.lua, V]",
    "path: /usr/bin/php, args: [php, -f, /opt/x.php, V]",
    /* behind the text as well */
    "path: /bin/sh, args: [sh, -c, 'echo \"$1\"', sh, V]",
    "path: /bin/su, args: [su, nobody, -c, 'x \"$1\"', V]",
    "path: /usr/bin/python3, args: [python3, -c, 'import sys', V]",
    "path: /usr/bin/python3, args: [python3, -m, tool, V]",
    "path: /usr/bin/perl, args: [perl, -e, 'print @_', V]",
    "path: /usr/bin/perl, args: [perl, -lne, 'print', V]",
    "path: /usr/bin/perl, args: [perl, -MJSON, -e, 'print', -e, '1', V]",
    "path: /usr/bin/ruby, args: [ruby, -e, 'puts 1', V]",
    "path: /usr/bin/node, args: [node, -e, '1', V]",
    "path: /usr/bin/node, args: [node, -pe, '1', V]",
    "path: /usr/bin/node, args: [node, --eval=1, V]",
    "path: /usr/bin/php, args: [php, -r, '1;', V]",
    "path: /usr/bin/awk, args: [awk, -v, 'n={{.Name}}', '{print n}', /etc/hosts]",
    "path: /usr/bin/awk, args: [awk, -f, /opt/x.awk, V]",
    "path: /usr/bin/sed, args: [sed, -n, 1p, V]",
    "path: /bin/busybox, args: [busybox, sh, /opt/x.sh, V]",
    "path: /bin/busybox, args: [busybox, wget, V]",
    /* env */
    "path: /usr/bin/env, args: [env, 'A={{.Name}}', sh, -c, 'echo \"$A\"']",
    "path: /usr/bin/env, args: [env, -i, -u, HOME, A=b, /opt/x, V]",
    "path: /usr/bin/env, args: [env, -, A=b, /opt/x, V]",
    "path: /usr/bin/timeout, args: [timeout, '5', /opt/x, V]",
    "path: /usr/sbin/runuser, args: [runuser, -u, nobody, --, /opt/x, V]",
    "path: /usr/bin/timeout, args: [timeout, -k, '5', '9', /opt/x, V]",
    "path: /usr/bin/timeout, args: [timeout, -v, --, '9', x, V]",
    "path: /usr/bin/nice, args: [nice, -n, '5', --, x, V]",
    "path: /usr/bin/nsenter, args: [nsenter, -t, '1', -m, --, /opt/x, V]",
    "path: /usr/sbin/chroot, args: [chroot, /srv, /opt/x, V]",
    "path: /usr/bin/flock, args: [flock, /run/lock, /opt/x, -c, V]",
    "path: /usr/bin/timeout, args: [timeout, '5', /usr/bin/nice, /opt/x, V]",
    "path: /usr/bin/timeout, args: [timeout, '5', /opt/x, exec, V]",
    "path: /usr/bin/gdb, args: [gdb, -batch, -p, '{{.ID}}']",
    /* hooks of such names, and arguments */
    "path: /opt/hooks/watch, args: [watch, V]",
    "path: /opt/hooks/timeout, args: [timeout, V]",
    "path: /opt/x, args: [x, timeout, V]",
    /* no interpreters, and words that only sound like one */
    "path: /opt/x, args: [x, -c, V]",
    "path: /opt/x, args: [x, node, V]",
    "path: /opt/shell, args: [shell, -c, V]",
    "path: /usr/bin/node-exporter, args: [node-exporter, V]",
    "path: /usr/bin/pythonic, args: [pythonic, V]",
    "path: /bin/sh, args: [sh, /opt/x.sh, node, V]",
    "path: /bin/sh, args: [sh, -c, 'echo {{.ID}} {{.NodeName}}']",
};

static const char *const refused_rows[] = {
    /* the text */
    "path: /bin/sh, args: [sh, -c, V]",
    "path: /bin/sh, args: [sh, -ec, V]",
    "path: /bin/sh, args: [sh, -c, -e, V]",
    "path: /bin/bash, args: [bash, -co, pipefail, V]",
    "path: /usr/bin/fish, args: [fish, -C, V]",
    "path: /usr/bin/python3, args: [python3, -c, V]",
    "path: /usr/bin/python3.11, args: [x, -c, V]",
    "path: /usr/bin/pypy3, args: [pypy3, -c, V]",
    "path: /usr/bin/python3, args: [python3, -Ic, V]",
    "path: /usr/bin/python3, args: [python3, '-cx{{.Name}}']",
    "path: /usr/bin/python3, args: [python3, -m, V]",
    "path: /usr/bin/perl, args: [perl, -e, V]",
    "path: /usr/bin/perl, args: [perl, -E, V]",
    "path: /usr/bin/perl, args: [perl, -lane, V]",
    "path: /usr/bin/perl, args: [perl, -e, '1', -e, V]",
    "path: /usr/bin/perl, args: [perl, '-M{{.Name}}', /opt/x.pl]",
    "path: /usr/bin/perl, args: [perl, -I, V, /opt/x.pl]",
    "path: /usr/bin/ruby, args: [ruby, -e, V]",
    "path: /usr/bin/ruby, args: [ruby, -r, V, /opt/x.rb]",
    "path: /usr/bin/node, args: [node, -e, V]",
    "path: /usr/bin/node, args: [node, --eval, V]",
    "path: /usr/bin/node, args: [node, '--eval={{.Name}}']",
    "path: /usr/bin/node, args: [node, -p, V]",
    "path: /usr/bin/node, args: [node, -pe, V]",
    "path: /usr/bin/nodejs, args: [nodejs, --require, V, /opt/x.js]",
    "path: /usr/bin/php, args: [php, -r, V]",
    "path: /usr/bin/php, args: [php, -d, V, /opt/x.php]",
    "path: /usr/bin/lua, args: [lua, -e, V]",
    "path: /usr/bin/luajit, args: [luajit, -l, V, /opt/x.lua]",
    "path: /usr/bin/awk, args: [awk, V, /etc/hosts]",
    "path: /usr/bin/gawk, args: [gawk, -f, V]",
    "path: /usr/bin/gawk, args: [gawk, --source, V]",
    "path: /usr/bin/mawk, args: [mawk, -v, a=b, V]",
    "path: /usr/bin/sed, args: [sed, V, /etc/hosts]",
    "path: /usr/bin/sed, args: [sed, -n, -e, V]",
    "path: /bin/su, args: [su, nobody, -c, V]",
    "path: /bin/su, args: [su, '-c{{.Name}}']",
    /* the script, or the first operand */
    "path: /bin/sh, args: [sh, V]",
    "path: /bin/sh, args: [sh, '/opt/{{.Name}}.sh']",
    "path: /bin/sh, args: [sh, -e, V]",
    "path: /bin/sh, args: [sh, --, V]",
    "path: /bin/sh, args: [sh, -, V]",
    "path: /bin/bash, args: [bash, -o, pipefail, V]",
    "path: /bin/bash, args: [bash, --rcfile, V, -i]",
    "path: /usr/bin/python3, args: [python3, V]",
    "path: /usr/bin/python3, args: [python3, -W, ignore, V]",
    "path: /usr/bin/perl, args: [perl, -w, V]",
    "path: /usr/bin/ruby, args: [ruby, V]",
    "path: /usr/bin/node, args: [node, V]",
    "path: /usr/bin/lua, args: [lua, -e, '1', V]",
    "path: /usr/bin/tclsh8.6, args: [tclsh, V]",
    "path: /usr/bin/expect, args: [expect, -c, 'set a 1', V]",
    "path: /usr/bin/Rscript, args: [Rscript, V]",
    "path: /bin/su, args: [su, V]",
    "path: /bin/su, args: [su, -s, V, nobody]",
    "path: /bin/su, args: [su, nobody, V]",
    "path: /usr/bin/node, args: [node, --require=/opt/a.js, V]",
    "path: /usr/bin/node, args: [node, --env-file, /opt/env, V]",
    "path: /usr/bin/gawk, args: [gawk, --include=lib, V]",
    "path: /usr/bin/sed, args: [sed, /etc/hosts, -e, V]",
    "path: /usr/bin/sed, args: [sed, --expr, 1p, --expr, V]",
    "path: /usr/bin/python3, args: [python3, -W, V, /opt/x.py]",
    "path: /usr/bin/ruby, args: [ruby, -C, V, x.rb]",
    "path: /usr/bin/fish, args: [fish, -o, /log, V]",
    "path: /usr/bin/tclsh, args: [tclsh, -encoding, utf-8, V]",
    "path: /usr/sbin/runuser, args: [runuser, -u, nobody, -g, wheel, --, V]",
    "path: /usr/bin/env, args: [env, -C, V, x]",
    "path: /usr/bin/env, args: [env, -a, name, V]",
    "path: /usr/bin/env, args: [env, -S, 'sh -c', V]",
    /* what starts another program */
    "path: /usr/bin/env, args: [env, V]",
    "path: /usr/bin/env, args: [env, '{{.Name}}=x', /opt/x]",
    "path: /usr/bin/env, args: [env, 'LD_PRELOAD={{.Name}}', /opt/x]",
    "path: /usr/bin/env, args: [env, -S, V]",
    "path: /usr/bin/env, args: [env, '-Ssh {{.Name}}']",
    "path: /usr/bin/env, args: [env, '--split-string=sh {{.Name}}']",
    "path: /usr/bin/env, args: [env, --split-string, V]",
    "path: /usr/bin/env, args: [env, -u, HOME, A=b, python3, -c, V]",
    "path: /bin/busybox, args: [busybox, V]",
    "path: /bin/busybox, args: [busybox, awk, V]",
    "path: /usr/bin/nohup, args: [nohup, V]",
    "path: /usr/bin/setsid, args: [setsid, perl, -e, V]",
    "path: /usr/bin/timeout, args: [timeout, '5', python3, -c, V]",
    "path: /usr/bin/timeout, args: [timeout, '5', env, -S, V]",
    "path: /usr/sbin/runuser, args: [runuser, -u, V, --, /opt/x]",
    "path: /usr/sbin/runuser, args: [runuser, -u, nobody, --, sh, -c, V]",
    "path: /usr/sbin/runuser, args: [runuser, -u, nobody, --, python3, V]",
    "path: /usr/bin/timeout, args: [timeout, '5', V]",
    "path: /usr/bin/timeout, args: [timeout, V, /opt/x]",
    "path: /usr/bin/timeout, args: [timeout, --, '5', V]",
    "path: /usr/bin/timeout, args: [timeout, '5', '/opt/{{.Name}}']",
    "path: /usr/bin/timeout, args: [timeout, '5', /usr/bin/timeout, '5', V]",
    "path: /usr/bin/timeout, args: [timeout, '5', nice, V]",
    "path: /usr/bin/nice, args: [nice, -n, '5', V]",
    "path: /usr/bin/nice, args: [nice, --, V]",
    "path: /usr/bin/nsenter, args: [nsenter, -t, '1', -m, --, V]",
    "path: /usr/bin/strace, args: [strace, -o, /log, V]",
    "path: /usr/sbin/chroot, args: [chroot, /srv, V]",
    "path: /usr/sbin/chroot, args: [chroot, --, /srv, V]",
    "path: /usr/bin/flock, args: [flock, /run/lock, -c, V]",
    "path: /usr/bin/sudo, args: [sudo, -s, V]",
    "path: /usr/bin/env, args: [env, A=b, timeout, '5', V]",
    "path: /bin/busybox, args: [busybox, timeout, '5', V]",
    "path: /usr/sbin/runuser, args: [runuser, -u, nobody, timeout, '5', V]",
    "path: /usr/bin/dumb-init, args: [dumb-init, python3, -c, V]",
    "path: /usr/bin/ssh, args: [ssh, host, V]",
    "path: /usr/bin/ssh, args: [ssh, host, /opt/x, V]",
    "path: /usr/bin/timeout, args: [timeout, '5', ssh, host, V]",
    "path: /usr/bin/pwsh, args: [pwsh, -Command, V]",
    "path: /usr/bin/gdb, args: [gdb, -ex, V]",
    "path: /opt/x, args: [x, /usr/bin/python3, -c, V]",
    "path: /opt/x, args: [x, sh, -c, V]",
    "path: /opt/multi, args: [perl, -e, V]",
};

static void allows(void **state)
{
    struct decoded *decoded = decode_row(*(const char *const *)*state);

    if (decoded->findings_n > 0)
        fail_msg("%s: %s", *(const char *const *)*state, decoded->findings[0].text);
    assert_int_equal(decoded->sets.n, 1);
    decoded_free(decoded);
}

static void refuses_row(void **state)
{
    struct decoded *decoded = decode_row(*(const char *const *)*state);

    assert_int_equal(decoded->findings_n, 1);
    assert_string_equal(decoded->findings[0].code, "unsafe-template");
    assert_non_null(strstr(decoded->findings[0].field, "spec.hooks.poststop[0].args["));
    assert_int_equal(decoded->sets.n, 0);
    decoded_free(decoded);
}

static const char *const code_names[] = {
    "PATH",         "LD_AUDIT",     "IFS",           "HOME",       "SHELL",          "ZDOTDIR",
    "OPENSSL_CONF", "LUA_INIT_5_4", "LUA_CPATH_5_4", "CLASSPATH",  "PERL5DB",        "PHPRC",
    "GIT_SSH",      "SSH_ASKPASS",  "WGETRC",        "AWKLIBPATH", "PYTHONUSERBASE",
};

/* Variables that name code. */
static void test_variables(void **state)
{
    (void)state;
    for (size_t i = 0; i < GR_ARRAY_LEN(code_names); i++) {
        char row[128];
        struct decoded *decoded;

        (void)snprintf(row, sizeof(row), "path: /opt/x, env: ['%s={{.Name}}']", code_names[i]);
        decoded = decode_row(row);
        if (decoded->findings_n != 1)
            fail_msg("%s is allowed", code_names[i]);
        assert_string_equal(decoded->findings[0].code, "unsafe-template");
        decoded_free(decoded);
    }
}

static void test_other_variables(void **state)
{
    struct decoded *decoded = decode_row(
        "path: /opt/x, env: ['LUA={{.Name}}', 'HOMES={{.Name}}', 'GIT_COMMIT={{.Name}}', "
        "'HOME=/root', 'MY_PATH={{.Name}}']");

    (void)state;
    assert_int_equal(decoded->findings_n, 0);
    assert_int_equal(decoded->sets.n, 1);
    decoded_free(decoded);
}

/* The place is that of the argument; the text names the interpreter. */
static void test_text(void **state)
{
    struct decoded *decoded = decode_row("path: /usr/bin/python3, args: [python3, V]");

    (void)state;
    assert_string_equal(decoded->findings[0].text,
                        "{{.Name}} is chosen by whoever writes the pod and must not stand in what "
                        "python runs as code: its program, its script, or an option before them; "
                        "hand the value over behind them, or in env");
    assert_string_equal(decoded->findings[0].field, "spec.hooks.poststop[0].args[1]");
    assert_int_equal(decoded->findings[0].line, 5);
    assert_int_equal(decoded->findings[0].column, 63);
    decoded_free(decoded);
}

int main(void)
{
    TEST_ADD_ROWS(allows, allowed_rows);
    TEST_ADD_ROWS(refuses_row, refused_rows);
    test_add("text", test_text);
    test_add("variables", test_variables);
    test_add("other variables", test_other_variables);
    return test_run("decode_shell");
}
