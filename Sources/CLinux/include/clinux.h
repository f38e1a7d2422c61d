#pragma once
#include <stddef.h>
#include <stdint.h>

// What the Swift overlay of glibc leaves out. No header of glibc's own is included here: with
// _GNU_SOURCE its types look different from those that other modules have seen without.

// eventfd(2), non-blocking and closed on exec. Returns the descriptor, or -1 with errno.
int clinux_eventfd(void);

// getrandom(2) from the kernel's ordinary source. Returns the bytes written, or -1 with errno.
ptrdiff_t clinux_random(void *bytes, size_t count);

// pipe2(2), both ends closed on exec, the reading end non-blocking. Returns 0, or -1 with errno.
int clinux_pipe(int ends[2]);

// posix_spawn_file_actions_addclosefrom_np(3). Returns 0 or an error number.
int clinux_close_from(void *spawn_file_actions, int first);

// memfd_create(2): a file in memory without a name anywhere, closed on exec. Or -1 with errno.
int clinux_memory_file(const char *name);

// At most 15 bytes of the name are kept.
void clinux_name_thread(const char *name);

// ppoll(2) for input on one descriptor. Returns whether there is something to read, or an end.
int clinux_wait_for_input(int descriptor, int64_t microseconds);

// unshare(2) of the mount namespace, or of the mount and user namespaces. 0, or -1 with errno.
int clinux_leave_mounts(void);
int clinux_leave_mounts_and_users(void);

// mount(2): nothing mounted from now on is seen by other namespaces. 0, or -1 with errno.
int clinux_make_mounts_private(void);

// mount(2) of a tmpfs, or with `again` new options for the one that is there. 0, or -1 with errno.
int clinux_mount_in_memory(const char *directory, const char *options, int again);

// umount2(2): gone once nobody uses it any more. 0, or -1 with errno.
int clinux_unmount_later(const char *directory);
