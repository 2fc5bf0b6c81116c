/* Since 5.12 functions of inodes take the user ids of the mount as an argument before the others.
 */
#ifndef IDMAP_BPF_H
#define IDMAP_BPF_H

#define IDMAPPED bpf_core_type_exists(struct renamedata)

#endif
