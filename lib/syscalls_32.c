#include "syscalls_32.h"
#include "util.h"

#ifdef __x86_64__
#include <asm/unistd_32.h>

const char *const syscalls_32[] = {
#include "syscall_names_32.inc"
};
const size_t syscalls_32_count = ARRAY_SIZE(syscalls_32);
#else
const char *const syscalls_32[] = { NULL };
const size_t syscalls_32_count = 0;
#endif
