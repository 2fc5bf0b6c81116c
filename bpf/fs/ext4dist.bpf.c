#include "fsdist.bpf.h"

OPERATION(read, ext4_file_read_iter)
OPERATION(write, ext4_file_write_iter)
OPERATION(open, ext4_file_open)
OPERATION(fsync, ext4_sync_file)
OPERATION(getattr, ext4_file_getattr)
