/* SPDX-License-Identifier: Apache-2.0 */
/* app/way: how a process came to the node, by its control group. */
#include "testing.h"

#include "app/way.h"

struct row {
    const char *name;
    const char *text;
    enum gr_way way;
    const char *unit;
};

static const struct row rows[] = {
    {"a unit", "0::/system.slice/grapnel.service\n", GR_WAY_UNIT, "grapnel.service"},
    {"no line feed", "0::/system.slice/my-own.service", GR_WAY_UNIT, "my-own.service"},
    {"version 1", "12:cpuset:/\n1:name=systemd:/system.slice/grapnel.service\n0::/\n", GR_WAY_UNIT,
     "grapnel.service"},
    {"a pod of containerd",
     "0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice/"
     "cri-containerd-0123.scope\n",
     GR_WAY_POD, ""},
    {"a pod of version 1", "2:memory:/kubepods/burstable/pod1/0123\n", GR_WAY_POD, ""},
    {"a pod of CRI-O", "0::/kubepods.slice/kubepods-pod1.slice/crio-0123.scope\n", GR_WAY_POD, ""},
    {"seen from another group", "0::/../../kubepods-pod1.slice/cri-containerd-0123.scope\n",
     GR_WAY_POD, ""},
    {"the same, without systemd", "0::/../../pod01234567-89ab-cdef-0123-456789abcdef/0123\n",
     GR_WAY_POD, ""},
    {"kind", "0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod1.slice/x.scope\n",
     GR_WAY_POD, ""},
    {"podman", "0::/machine.slice/podman-0123.scope\n", GR_WAY_EXTERNAL, ""},
    {"a node that is a container", "0::/docker/0123/system.slice/grapnel.service\n", GR_WAY_UNIT,
     "grapnel.service"},
    {"a pod of such a node", "0::/docker/0123/kubelet/kubepods/pod1/4567\n", GR_WAY_POD, ""},
    {"a unit of a node in a pod", "0::/kubepods/pod1/4567/system.slice/grapnel.service\n",
     GR_WAY_UNIT, "grapnel.service"},
    {"a session", "0::/user.slice/user-0.slice/session-3.scope\n", GR_WAY_EXTERNAL, ""},
    {"below a unit", "0::/user.slice/user@0.service/app.slice/x.scope\n", GR_WAY_EXTERNAL, ""},
    {"its own root", "0::/\n", GR_WAY_EXTERNAL, ""},
    {"nothing", "", GR_WAY_EXTERNAL, ""},
    {"no path", "x\n\n", GR_WAY_EXTERNAL, ""},
};

static void check(void **state)
{
    const struct row *row = *state;
    struct gr_str unit;

    assert_int_equal(gr_way_of_cgroup(gr_str_from(row->text), &unit), row->way);
    assert_true(gr_str_is(unit, row->unit));
}

static void test_words(void **state)
{
    (void)state;
    assert_string_equal(gr_way_words(GR_WAY_UNIT, "a.service").text, "from the unit a.service");
    assert_string_equal(gr_way_words(GR_WAY_POD, "").text, "in a pod");
    assert_string_equal(gr_way_words(GR_WAY_LAUNCHED, NULL).text, "launched by the runtime");
    assert_string_equal(gr_way_words(GR_WAY_EXTERNAL, NULL).text, "by hand");
}

static void test_own(void **state)
{
    struct gr_instance self = gr_way_own(true, 7);

    (void)state;
    assert_int_equal(self.way, GR_WAY_LAUNCHED);
    assert_int_equal(self.started_s, 7);
    assert_int_equal(setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1), 0);
    self = gr_way_own(true, 7);
    assert_int_equal(self.way, GR_WAY_LAUNCHED);
    self = gr_way_own(false, 7);
    assert_true(self.way == GR_WAY_POD || self.way == GR_WAY_UNIT);
    assert_int_equal(self.way == GR_WAY_UNIT, self.unit[0] != '\0');
}

int main(void)
{
    TEST_ADD_ROWS(check, rows);
    test_add("words", test_words);
    test_add("own", test_own);
    return test_run("way");
}
