/* cgroup: made-up mount tables and trees, and this machine's own cgroup2 where there is one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "cgroup.h"
#include "util.h"

#define ID_A "4fa6e0f0c6786287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2"
#define ID_B "4fa7aaaaaaaa6287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2"
#define ID_C "bbbb000000006287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2"
#define ID_D "cccc000000006287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2"
#define ID_E "dddd000000006287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2"

static char why[CGROUP_WHY];

static void mounted(const char *table, const char *path, u32 level)
{
	struct cgroup_mount m;

	assert_int_equal(cgroup_mount(table, &m, why), 0);
	assert_string_equal(m.path, path);
	assert_int_equal(m.level, level);
	free(m.path);
}

static void mounts(void **state)
{
	struct cgroup_mount m;

	(void)state;
	mounted("22 27 0:21 / /proc rw - proc proc rw\n"
		"30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
		"/sys/fs/cgroup", 0);
	/* systemd's hybrid form */
	mounted("32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
		"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
		"/sys/fs/cgroup/unified", 0);
	/* the whole hierarchy rather than a part, in whatever order; no newline at the end */
	mounted("40 1 0:38 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
		"41 1 0:38 / /host rw - cgroup2 cgroup2 rw",
		"/host", 0);
	mounted("40 1 0:38 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "/sys/fs/cgroup",
		2);
	mounted("40 1 0:38 /../.. /sys/fs/cgroup ro - cgroup2 cgroup rw\n", "/sys/fs/cgroup", ~0u);
	mounted("41 31 0:38 / /a\\040b\\134c rw - cgroup2 cgroup2 rw\n", "/a b\\c", 0);

	assert_int_equal(cgroup_mount("32 31 0:29 / /cg rw - cgroup cgroup rw,cpu\n", &m, why),
			 -ENODEV);
	assert_non_null(strstr(why, "version 1"));
	assert_int_equal(cgroup_mount("", &m, why), -ENODEV);
	assert_int_equal(cgroup_mount("\n- \n - cgroup2\nx y - cgroup2 z\n", &m, why), -ENODEV);
}

static char root[] = "/tmp/test_cgroup.XXXXXX";

static void make(const char *path)
{
	char *full = xasprintf("%s/%s", root, path);

	for (char *p = full + strlen(root) + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(full, 0755);
			*p = '/';
		}
	mkdir(full, 0755);
	free(full);
}

static int make_tree(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	make("system.slice/docker-" ID_A ".scope/init");
	make("system.slice/ssh.service");
	make("docker/" ID_B);
	make("machine.slice/libpod-" ID_C ".scope/container");
	make("machine.slice/libpod-conmon-" ID_C ".scope");
	make("machine.slice/machine-my\\x2dbox.scope/payload");
	make("kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID_D ".scope");
	make("system.slice/containerd.service/kubepods-pod2.slice:cri-containerd:" ID_E);
	make("lxc.payload.web");
	make("lxc.monitor.web");
	make("lxc.payload.web2");
	return 0;
}

static int remove_tree(void **state)
{
	char *command = xasprintf("rm -r %s", root);
	int err = system(command);

	(void)state;
	free(command);
	return err;
}

static void is_at(const char *container, const char *path)
{
	char *found = NULL, *full = xasprintf("%s/%s", root, path);

	if (cgroup_container(root, container, &found, why))
		fail_msg("%s: %s", container, why);
	assert_string_equal(found, full);
	free(found);
	free(full);
}

static void containers(void **state)
{
	(void)state;
	is_at(ID_A, "system.slice/docker-" ID_A ".scope");
	is_at("4fa6", "system.slice/docker-" ID_A ".scope");
	is_at("4fa6e0f0c678", "system.slice/docker-" ID_A ".scope");
	is_at(ID_B, "docker/" ID_B);
	is_at("4fa7", "docker/" ID_B);
	is_at("bbbb", "machine.slice/libpod-" ID_C ".scope");
	is_at("cccc", "kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID_D ".scope");
	is_at("dddd", "system.slice/containerd.service/kubepods-pod2.slice:cri-containerd:" ID_E);
	is_at("my-box", "machine.slice/machine-my\\x2dbox.scope");
	is_at("web", "lxc.payload.web");
	is_at("web2", "lxc.payload.web2");
}

static void is_not(const char *container, int err, const char *says)
{
	char *path;

	assert_int_equal(cgroup_container(root, container, &path, why), err);
	assert_null(path);
	if (!strstr(why, says))
		fail_msg("%s: '%s' does not say '%s'", container, why, says);
	assert_null(strchr(why, '\n'));
}

static void no_containers(void **state)
{
	(void)state;
	is_not("eeee", -ENOENT, "no container eeee");
	is_not("4fa", -ENOENT, "no container 4fa"); /* too short to be the start of an ID */
	is_not("we", -ENOENT, "no container we");   /* names are not shortened */
	is_not("", -EINVAL, "not a container's ID");
	is_not("../etc", -EINVAL, "not a container's ID");
	make("docker/4fa6"
	     "aaaaaaaa6287e131c3852c58a2e01cc697a68231826813597e4994f1d6e2");
	is_not("4fa6", -ENOTUNIQ, "4fa6aaaaaaaa");
	is_not("4fa6", -ENOTUNIQ, "4fa6e0f0c678");
	is_at("4fa6e", "system.slice/docker-" ID_A ".scope");
}

/* This machine's own. Nothing is made: the root is enough. */
static void own(void **state)
{
	struct bcc_filter f = {};
	struct cgroup_mount m;
	char *table = read_file("/proc/self/mountinfo", 1 << 24, NULL);
	int err = table ? cgroup_mount(table, &m, why) : -ENOENT;
	struct stat st;

	(void)state;
	free(table);
	if (err)
		skip();
	assert_int_equal(cgroup_resolve(m.path, NULL, &f, why), 0);
	assert_int_equal(stat(m.path, &st), 0);
	assert_int_equal(f.cgroup, st.st_ino); /* since Linux 5.5 */
	assert_true(!f.cgroup_level || f.cgroup_level == ~0u || m.level);
	assert_int_equal(cgroup_resolve("/", NULL, &f, why), 0);
	assert_int_equal(f.cgroup, st.st_ino);
	assert_true(cgroup_resolve("/proc", NULL, &f, why) < 0);
	assert_true(cgroup_resolve("", NULL, &f, why) < 0);
	assert_true(cgroup_resolve("no such group", NULL, &f, why) < 0);
	assert_non_null(strstr(why, "no such group"));
	free(m.path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mounts),
		cmocka_unit_test(containers),
		cmocka_unit_test(no_containers),
		cmocka_unit_test(own),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
