#define _GNU_SOURCE
#include "fault_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

// MARK: What to do

enum action { NOTHING, KILL_BEFORE, KILL_AFTER, SHORT_KILL, SHORT, FAIL_EIO, FAIL_ENOSPC };

static struct {
  const char *paths;
  long point;
  enum action action;
  int is_always;
  long quota;  // bytes; -1 for none
  long delay;  // µs
  int log;     // file descriptor; -1 for none
} plan = {.quota = -1, .log = -1};

static atomic_long calls;
static atomic_long written;
static atomic_int is_full;

static const struct {
  const char *name;
  enum action action;
} actions[] = {
    {"kill-before", KILL_BEFORE}, {"kill-after", KILL_AFTER}, {"short-kill", SHORT_KILL},
    {"short", SHORT},             {"eio", FAIL_EIO},          {"enospc", FAIL_ENOSPC},
};

static long number(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? strtol(text, NULL, 10) : otherwise;
}

static void say(const char *text, size_t length) {
  if (syscall(SYS_write, plan.log < 0 ? 2 : plan.log, text, length) < 0) _exit(99);
}

// A plan that cannot be meant must not pass for a run without faults.
static void refuse(const char *what) {
  say(what, strlen(what));
  _exit(99);
}

__attribute__((constructor)) static void read_plan(void) {
  plan.paths = getenv("FAULT_PATHS");
  plan.point = number("FAULT_POINT", 0);
  plan.quota = number("FAULT_QUOTA", -1);
  plan.delay = number("FAULT_DELAY", 0);
  const char *after = getenv("FAULT_AFTER");
  plan.is_always = after && strcmp(after, "always") == 0;
  const char *log = getenv("FAULT_LOG");
  if (log) {
    plan.log =
        syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (plan.log < 0) refuse("fault shim: FAULT_LOG cannot be opened\n");
  }
  const char *action = getenv("FAULT_ACTION");
  if (!action) return;
  for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
    if (strcmp(action, actions[i].name) == 0) plan.action = actions[i].action;
  if (plan.action == NOTHING) refuse("fault shim: FAULT_ACTION is none that is known\n");
}

// MARK: Which calls count

static int is_meant(const char *path) {
  if (!plan.paths) return 0;
  for (const char *next = plan.paths; *next;) {
    size_t length = strcspn(next, ":");
    if (length > 0 && strncmp(path, next, length) == 0) return 1;
    next += length + (next[length] == ':');
  }
  return 0;
}

// The path of an open file; what has no path (a socket, a pipe) begins with no slash.
static int path_of(int file, char path[PATH_MAX]) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return path[0] == '/';
}

// A path as given, made absolute by the directory that it is relative to.
static int path_at(int directory, const char *given, char path[PATH_MAX]) {
  path[0] = 0;
  if (given[0] != '/') {
    if (directory == AT_FDCWD) {
      if (syscall(SYS_getcwd, path, PATH_MAX) <= 0) return 0;
    } else if (!path_of(directory, path)) {
      return 0;
    }
    size_t length = strlen(path);
    if (length + 1 < PATH_MAX) strcpy(path + length, "/");
  }
  size_t length = strlen(path);
  snprintf(path + length, PATH_MAX - length, "%s", given);
  return 1;
}

// MARK: One call

// What becomes of a call: it fails with `error`, is cut to `length` bytes, and is the last.
struct verdict {
  int error;
  long length;
  int is_last;
  int is_lastly_done;  // after it the process ends
};

static void log_call(long n, const char *call, long length, const char *path) {
  char line[PATH_MAX + 100];
  int count = snprintf(line, sizeof line, "%ld %s %ld %s\n", n, call, length, path);
  if (plan.log >= 0) say(line, count);
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

static int removes(const char *call) {
  return strcmp(call, "unlink") == 0 || strcmp(call, "rmdir") == 0;
}

static int takes_space(const char *call, long length) {
  return length > 0 || strcmp(call, "open") == 0 || strcmp(call, "mkdir") == 0;
}

static void hold_up(const char *call) {
  if (plan.delay == 0 || !(strstr(call, "sync") || strcmp(call, "rename") == 0)) return;
  struct timespec span = {plan.delay / 1000000, plan.delay % 1000000 * 1000};
  syscall(SYS_nanosleep, &span, NULL);
}

static void apply_quota(struct verdict *verdict, long n, const char *call, const char *path) {
  if (plan.quota < 0 || !takes_space(call, verdict->length)) return;
  long before = atomic_fetch_add(&written, verdict->length);
  if (before + verdict->length <= plan.quota && !atomic_load(&is_full)) return;
  if (!atomic_exchange(&is_full, 1)) log_call(n, call, verdict->length, path);
  long room = plan.quota - before;
  if (room > 0 && verdict->length > 0) {
    verdict->length = room < verdict->length ? room : verdict->length;
  } else {
    verdict->error = ENOSPC;
  }
}

// Counts a call on `path` and judges it. `length` is the number of bytes that it writes.
static struct verdict judge(const char *call, const char *path, long length) {
  struct verdict verdict = {.length = length};
  if (!is_meant(path)) return verdict;
  long n = atomic_fetch_add(&calls, 1) + 1;
  hold_up(call);
  apply_quota(&verdict, n, call, path);
  if (plan.quota < 0 && plan.point == 0) log_call(n, call, length, path);
  if (plan.point == 0 || n < plan.point) return verdict;
  if (n > plan.point) {
    if (plan.is_always && !removes(call))
      verdict.error = plan.action == FAIL_ENOSPC ? ENOSPC : EIO;
    return verdict;
  }
  log_call(n, call, length, path);
  switch (plan.action) {
    case KILL_BEFORE: die(); break;
    case KILL_AFTER: verdict.is_lastly_done = 1; break;
    case SHORT_KILL:
    case SHORT:
      verdict.is_lastly_done = plan.action == SHORT_KILL;
      if (length > 1) verdict.length = length / 2;
      break;
    case FAIL_EIO: verdict.error = EIO; break;
    case FAIL_ENOSPC: verdict.error = ENOSPC; break;
    case NOTHING: break;
  }
  return verdict;
}

static struct verdict judge_file(const char *call, int file, long length) {
  char path[PATH_MAX];
  struct verdict none = {.length = length};
  int saved = errno;
  struct verdict verdict = path_of(file, path) ? judge(call, path, length) : none;
  errno = saved;
  return verdict;
}

static struct verdict judge_path(const char *call, int directory, const char *given) {
  char path[PATH_MAX];
  struct verdict none = {0};
  int saved = errno;
  struct verdict verdict = path_at(directory, given, path) ? judge(call, path, 0) : none;
  errno = saved;
  return verdict;
}

// Makes the call as the verdict says.
#define CARRY_OUT(verdict, call)             \
  do {                                       \
    if ((verdict).error) {                   \
      errno = (verdict).error;               \
      return -1;                             \
    }                                        \
    long result = (call);                    \
    if ((verdict).is_lastly_done) die();     \
    return result;                           \
  } while (0)

// MARK: Writing

ssize_t write(int file, const void *bytes, size_t length) {
  struct verdict v = judge_file("write", file, length);
  CARRY_OUT(v, syscall(SYS_write, file, bytes, v.length));
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
  struct verdict v = judge_file("pwrite", file, length);
  CARRY_OUT(v, syscall(SYS_pwrite64, file, bytes, v.length, offset));
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
  return pwrite64(file, bytes, length, offset);
}

static long total(const struct iovec *parts, int count) {
  long length = 0;
  for (int i = 0; i < count; i++) length += parts[i].iov_len;
  return length;
}

// Copies the parts that make up the first `length` bytes.
static int cut(const struct iovec *parts, int count, long length, struct iovec *first) {
  int used = 0;
  for (; used < count && length > 0; used++) {
    first[used] = parts[used];
    if ((long)first[used].iov_len > length) first[used].iov_len = length;
    length -= first[used].iov_len;
  }
  return used;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
  struct verdict v = judge_file("writev", file, total(parts, count));
  struct iovec first[IOV_MAX];
  int used = cut(parts, count, v.length, first);
  CARRY_OUT(v, syscall(SYS_writev, file, first, used));
}

ssize_t pwritev64(int file, const struct iovec *parts, int count, off64_t offset) {
  struct verdict v = judge_file("pwritev", file, total(parts, count));
  struct iovec first[IOV_MAX];
  int used = cut(parts, count, v.length, first);
  CARRY_OUT(v, syscall(SYS_pwritev, file, first, used, offset, 0L));
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
  return pwritev64(file, parts, count, offset);
}

// MARK: Making durable, changing a file's length

int fsync(int file) {
  struct verdict v = judge_file("fsync", file, 0);
  CARRY_OUT(v, syscall(SYS_fsync, file));
}

int fdatasync(int file) {
  struct verdict v = judge_file("fdatasync", file, 0);
  CARRY_OUT(v, syscall(SYS_fdatasync, file));
}

int msync(void *address, size_t length, int flags) {
  // What is mapped there cannot be told: the first of the paths stands for it.
  struct verdict v = {0};
  if (plan.paths) v = judge("msync", plan.paths, 0);
  CARRY_OUT(v, syscall(SYS_msync, address, length, flags));
}

int ftruncate64(int file, off64_t length) {
  struct verdict v = judge_file("ftruncate", file, 0);
  CARRY_OUT(v, syscall(SYS_ftruncate, file, length));
}

int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

// What a file is given is charged where it was not allocated before.
static long growth(int file, off64_t offset, off64_t length) {
  struct stat status;
  if (fstat(file, &status) != 0) return 0;
  long missing = offset + length - (long)status.st_blocks * 512;
  return missing > 0 ? missing : 0;
}

int fallocate64(int file, int mode, off64_t offset, off64_t length) {
  // It gives all or nothing: there is nothing to cut but where the quota ends.
  long asked = plan.quota >= 0 ? growth(file, offset, length) : 0;
  struct verdict v = judge_file("fallocate", file, asked);
  if (v.length < asked) v.error = ENOSPC;
  CARRY_OUT(v, syscall(SYS_fallocate, file, mode, offset, length));
}

int fallocate(int file, int mode, off_t offset, off_t length) {
  return fallocate64(file, mode, offset, length);
}

// This one returns its error.
int posix_fallocate64(int file, off64_t offset, off64_t length) {
  return fallocate64(file, 0, offset, length) == 0 ? 0 : errno;
}

int posix_fallocate(int file, off_t offset, off_t length) {
  return posix_fallocate64(file, offset, length);
}

// MARK: Names

#define MODE_OF(flags, mode)                 \
  mode_t mode = 0;                           \
  if ((flags) & (O_CREAT | __O_TMPFILE)) {   \
    va_list rest;                            \
    va_start(rest, flags);                   \
    mode = va_arg(rest, mode_t);             \
    va_end(rest);                            \
  }

int openat64(int directory, const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  struct verdict v = {0};
  if (flags & (O_CREAT | O_TRUNC)) v = judge_path("open", directory, path);
  CARRY_OUT(v, syscall(SYS_openat, directory, path, flags, mode));
}

int openat(int directory, const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return openat64(directory, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return openat64(AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) {
  MODE_OF(flags, mode)
  return openat64(AT_FDCWD, path, flags, mode);
}

int creat64(const char *path, mode_t mode) {
  return openat64(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

int creat(const char *path, mode_t mode) { return creat64(path, mode); }

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
  struct verdict v = judge_path("rename", from, old);
  CARRY_OUT(v, syscall(SYS_renameat2, from, old, to, new, flags));
}

int renameat(int from, const char *old, int to, const char *new) {
  return renameat2(from, old, to, new, 0);
}

int rename(const char *old, const char *new) {
  return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int linkat(int from, const char *old, int to, const char *new, int flags) {
  struct verdict v = judge_path("link", to, new);
  CARRY_OUT(v, syscall(SYS_linkat, from, old, to, new, flags));
}

int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

int unlinkat(int directory, const char *path, int flags) {
  struct verdict v = judge_path(flags & AT_REMOVEDIR ? "rmdir" : "unlink", directory, path);
  CARRY_OUT(v, syscall(SYS_unlinkat, directory, path, flags));
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }

int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int directory, const char *path, mode_t mode) {
  struct verdict v = judge_path("mkdir", directory, path);
  CARRY_OUT(v, syscall(SYS_mkdirat, directory, path, mode));
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

// MARK: How much is free

int statvfs64(const char *path, struct statvfs64 *status) {
  struct statfs found;
  if (syscall(SYS_statfs, path, &found) != 0) return -1;
  int is_full_here = plan.quota >= 0 && atomic_load(&is_full);
  *status = (struct statvfs64){
      .f_bsize = found.f_bsize,
      .f_frsize = found.f_frsize ? found.f_frsize : found.f_bsize,
      .f_blocks = found.f_blocks,
      .f_bfree = is_full_here ? 0 : found.f_bfree,
      .f_bavail = is_full_here ? 0 : found.f_bavail,
      .f_files = found.f_files,
      .f_ffree = found.f_ffree,
      .f_favail = found.f_ffree,
      .f_namemax = found.f_namelen,
  };
  return 0;
}

int statvfs(const char *path, struct statvfs *status) {
  _Static_assert(sizeof *status == sizeof(struct statvfs64), "64-bit systems have one form");
  return statvfs64(path, (struct statvfs64 *)status);
}
