#pragma once
// What the Swift overlay of glibc leaves out.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>

// prctl(2) is variadic, which Swift does not import. At most 15 bytes of the name are kept.
static inline void set_thread_name(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

// fcntl(2) is variadic, too.
static inline int set_nonblocking(int descriptor) {
  return fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL, 0) | O_NONBLOCK);
}

// What glibc declares for _GNU_SOURCE only.
static inline int wait_for_events(struct pollfd *descriptors, unsigned count,
                                  const struct timespec *timeout) {
  return ppoll(descriptors, count, timeout, 0);
}
static inline int leave_namespaces(int flags) { return unshare(flags); }
enum { namespace_mounts = CLONE_NEWNS, namespace_users = CLONE_NEWUSER };

// mount(2) with constants that are an enumeration in glibc.
static inline int make_mounts_private(void) {
  return mount("none", "/", 0, MS_REC | MS_PRIVATE, 0);
}
static inline int mount_in_memory(const char *directory, const char *options, int again) {
  return mount("tmpfs", directory, "tmpfs", again ? MS_REMOUNT : 0, options);
}
static inline int unmount_later(const char *directory) { return umount2(directory, MNT_DETACH); }
