#define _GNU_SOURCE
#include "clinux.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

int clinux_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

ptrdiff_t clinux_random(void *bytes, size_t count) { return getrandom(bytes, count, 0); }

int clinux_pipe(int ends[2]) {
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  return fcntl(ends[0], F_SETFL, fcntl(ends[0], F_GETFL, 0) | O_NONBLOCK) < 0 ? -1 : 0;
}

int clinux_close_from(void *spawn_file_actions, int first) {
  return posix_spawn_file_actions_addclosefrom_np(spawn_file_actions, first);
}

int clinux_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

int clinux_wait_for_input(int descriptor, int64_t microseconds) {
  struct pollfd input = {.fd = descriptor, .events = POLLIN};
  struct timespec timeout = {.tv_sec = microseconds / 1000000,
                             .tv_nsec = microseconds % 1000000 * 1000};
  return ppoll(&input, 1, &timeout, NULL) > 0;
}

int clinux_leave_mounts(void) { return unshare(CLONE_NEWNS); }
int clinux_leave_mounts_and_users(void) { return unshare(CLONE_NEWNS | CLONE_NEWUSER); }

int clinux_make_mounts_private(void) { return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL); }

int clinux_mount_in_memory(const char *directory, const char *options, int again) {
  return mount("tmpfs", directory, "tmpfs", again ? MS_REMOUNT : 0, options);
}

int clinux_unmount_later(const char *directory) { return umount2(directory, MNT_DETACH); }
