/* SPDX-License-Identifier: Apache-2.0 */
/* state/instances: who is told of whom, and that nobody is told of the dead. */
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "state/instances.h"
#include "state/rundir.h"

static char top[] = "/tmp/grapnel-instances-XXXXXX";
static char run_dir[64], file[96];
static struct gr_err err;

static const struct gr_instance pod = {
    .way = GR_WAY_POD, .pid = 1, .started_s = 1800000000, .name = "10-grapnel", .version = "0.1.0"};
static const struct gr_instance unit = {.way = GR_WAY_UNIT,
                                        .pid = 4711,
                                        .started_s = 1,
                                        .name = "20-other.name",
                                        .version = "0.2.0-rc.1",
                                        .unit = "grapnel.service"};

static void begin(void)
{
    char command[96];

    (void)snprintf(command, sizeof(command), "rm -rf %s/run", top);
    assert_int_equal(system(command), 0);
    (void)snprintf(run_dir, sizeof(run_dir), "%s/run", top);
    (void)snprintf(file, sizeof(file), "%s/instances", run_dir);
    err = (struct gr_err){0};
}

static struct gr_instances joined(const struct gr_instance *self)
{
    struct gr_instances instances;

    gr_instances_init(&instances);
    assert_int_equal(gr_instances_join(&instances, run_dir, self, &err), 0);
    return instances;
}

static struct gr_instance_list read_all(void)
{
    struct gr_instance_list list;
    int dir = gr_rundir_open(run_dir, &err);

    assert_true(dir >= 0);
    gr_instances_read(dir, &list);
    (void)close(dir);
    return list;
}

static void assert_same(const struct gr_instance *a, const struct gr_instance *b)
{
    assert_int_equal(a->way, b->way);
    assert_int_equal(a->pid, b->pid);
    assert_int_equal(a->started_s, b->started_s);
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->version, b->version);
    assert_string_equal(a->unit, b->unit);
}

static void test_two(void **state)
{
    struct gr_instance_list list;
    struct gr_instances one, two;

    (void)state;
    begin();
    one = joined(&pod);
    gr_instances_others(&one, &list);
    assert_true(list.known);
    assert_int_equal(list.n, 0);
    two = joined(&unit);
    gr_instances_others(&one, &list);
    assert_int_equal(list.n, 1);
    assert_same(&list.items[0], &unit);
    gr_instances_others(&two, &list);
    assert_int_equal(list.n, 1);
    assert_same(&list.items[0], &pod);
    list = read_all();
    assert_int_equal(list.n, 2);
    /* Again changes nothing; what has left is told of no more, though its text is there. */
    assert_int_equal(gr_instances_join(&two, run_dir, &unit, &err), 0);
    gr_instances_leave(&one);
    list = read_all();
    assert_int_equal(list.n, 1);
    assert_same(&list.items[0], &unit);
    gr_instances_leave(&two);
    list = read_all();
    assert_true(list.known);
    assert_int_equal(list.n, 0);
    gr_instances_others(&two, &list);
    assert_false(list.known);
}

/* The kernel tells that it is gone: it had no time to. */
static void test_killed(void **state)
{
    struct gr_instance_list list;
    int ready[2];
    char byte;
    pid_t child;

    (void)state;
    begin();
    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        struct gr_instances mine;

        gr_instances_init(&mine);
        if (gr_instances_join(&mine, run_dir, &pod, &err) == 0)
            (void)!write(ready[1], "x", 1);
        (void)close(ready[1]);
        for (;;)
            (void)pause();
    }
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    list = read_all();
    assert_int_equal(list.n, 1);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    list = read_all();
    assert_int_equal(list.n, 0);
    (void)close(ready[0]);
}

/* Whoever can only read the file is no instance, whatever he locks; but nobody gets a place, which
 * is why only root may read it. */
static void test_reader_with_lock(void **state)
{
    struct flock all = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    struct gr_instance_list list;
    struct gr_instances one;
    int fd;

    (void)state;
    begin();
    one = joined(&pod);
    gr_instances_leave(&one);
    fd = open(file, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &all), 0);
    list = read_all();
    assert_true(list.known);
    assert_int_equal(list.n, 0);
    assert_int_equal(gr_instances_join(&one, run_dir, &pod, &err), -EAGAIN);
    assert_string_equal(err.code, "run-dir");
    (void)close(fd);
    assert_int_equal(gr_instances_join(&one, run_dir, &pod, &err), 0);
    gr_instances_leave(&one);
}

/* Whatever the umask lets through. */
static void test_mode(void **state)
{
    struct gr_instances one;
    mode_t before = umask(0);
    struct stat st;

    (void)state;
    begin();
    one = joined(&pod);
    (void)umask(before);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, geteuid());
    assert_int_equal(stat(run_dir, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0755);
    gr_instances_leave(&one);
}

static void test_full(void **state)
{
    struct gr_instances all[GR_INSTANCES_MAX], more;
    struct gr_instance_list list;

    (void)state;
    begin();
    for (size_t i = 0; i < GR_INSTANCES_MAX; i++)
        all[i] = joined(&pod);
    gr_instances_init(&more);
    assert_int_equal(gr_instances_join(&more, run_dir, &unit, &err), -EAGAIN);
    assert_string_equal(err.code, "run-dir");
    gr_instances_others(&more, &list);
    assert_false(list.known);
    assert_int_equal(read_all().n, GR_INSTANCES_MAX);
    gr_instances_leave(&all[3]);
    assert_int_equal(gr_instances_join(&more, run_dir, &unit, &err), 0);
    list = read_all();
    assert_int_equal(list.n, GR_INSTANCES_MAX);
    assert_same(&list.items[3], &unit);
    gr_instances_leave(&more);
    for (size_t i = 0; i < GR_INSTANCES_MAX; i++)
        gr_instances_leave(&all[i]);
}

/* Somebody cleaned up /run: the next reload takes a place in the file that others see. */
static void test_file_is_gone(void **state)
{
    struct gr_instances one, two;
    struct gr_instance_list list;

    (void)state;
    begin();
    one = joined(&pod);
    assert_int_equal(unlink(file), 0);
    two = joined(&unit);
    gr_instances_others(&two, &list);
    assert_int_equal(list.n, 0);
    assert_int_equal(gr_instances_join(&one, run_dir, &pod, &err), 0);
    gr_instances_others(&two, &list);
    assert_int_equal(list.n, 1);
    assert_same(&list.items[0], &pod);
    gr_instances_leave(&one);
    gr_instances_leave(&two);
}

static void overwrite(const char *text)
{
    int fd = open(file, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, text, strlen(text) + 1, 0), strlen(text) + 1);
    (void)close(fd);
}

#define LONG "0123456789012345678901234567890123456789012345678901234567890"

/* What holds a place is there, whatever it wrote. */
static void test_damaged(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "grapnel-instance-1\n",
        "grapnel-instance-2 pod 1 1 10-grapnel 0.1.0 -\n",
        "grapnel-instance-1 balloon 1 1 10-grapnel 0.1.0 -\n",
        "grapnel-instance-1 pod x 1 10-grapnel 0.1.0 -\n",
        "grapnel-instance-1 pod 1 99999999999999999999 10-grapnel 0.1.0 -\n",
        "grapnel-instance-1 pod 1 1  0.1.0 -\n",
        "grapnel-instance-1 pod 1 1 10-\033[31m 0.1.0 -\n",
        "grapnel-instance-1 pod 1 1 10-grapnel 0.1.0\n",
        "grapnel-instance-1 pod 1 1 10-" LONG " 0.1.0 -\n",
    };
    struct gr_instances one;

    (void)state;
    begin();
    one = joined(&pod);
    for (size_t i = 0; i < GR_ARRAY_LEN(texts); i++) {
        struct gr_instance_list list;

        overwrite(texts[i]);
        list = read_all();
        assert_int_equal(list.n, 1);
        assert_string_equal(list.items[0].name, "?");
        assert_int_equal(list.items[0].way, GR_WAY_EXTERNAL);
    }
    gr_instances_leave(&one);
    assert_int_equal(read_all().n, 0);
}

/* Neither a link that somebody put there, nor what others may write. */
static void test_not_ours(void **state)
{
    struct gr_instance_list list;
    struct gr_instances one;

    (void)state;
    begin();
    assert_int_equal(mkdir(run_dir, 0755), 0);
    gr_instances_init(&one);
    assert_int_equal(symlink("/etc/passwd", file), 0);
    assert_int_equal(gr_instances_join(&one, run_dir, &pod, &err), -ELOOP);
    list = read_all();
    assert_false(list.known);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
    assert_int_equal(chmod(file, 0666), 0);
    assert_int_equal(gr_instances_join(&one, run_dir, &pod, &err), -EPERM);
    list = read_all();
    assert_false(list.known);
    assert_int_equal(list.n, 0);
}

static void remove_all(void)
{
    char command[96];

    (void)snprintf(command, sizeof(command), "rm -rf %s", top);
    (void)!system(command);
}

int main(void)
{
    if (!mkdtemp(top))
        return 1;
    (void)atexit(remove_all);
    test_add("two", test_two);
    test_add("killed", test_killed);
    test_add("a reader with a lock", test_reader_with_lock);
    test_add("mode", test_mode);
    test_add("full", test_full);
    test_add("the file is gone", test_file_is_gone);
    test_add("damaged", test_damaged);
    test_add("not ours", test_not_ours);
    return test_run("instances");
}
