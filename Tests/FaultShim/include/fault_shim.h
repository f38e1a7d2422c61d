// A library for LD_PRELOAD that lets a system call fail, fall short, or be the process's last.
//
// It counts the calls that change files under given paths and acts at one of them, or once a number
// of bytes was written. Calls on sockets, pipes and other files are passed on untouched. Every call
// goes to the kernel directly, so nothing here depends on what the C library does behind it.
//
// Counted: write, pwrite, writev, pwritev, fsync, fdatasync, msync (whatever is mapped), ftruncate,
// fallocate, rename, link, unlink, mkdir, rmdir, and open where it may create or cut a file; with
// their …64, …at and posix_ forms.
//
// The environment says what to do:
//
// FAULT_PATHS   beginnings of absolute paths, separated by colons; without it nothing is counted.
// FAULT_POINT   the number of the call to act at, from 1; 0 or absent: none.
// FAULT_ACTION  kill-before, kill-after, short-kill: SIGKILL before the call, after it, or after the
//               first half of its bytes;
//               short: the first half of its bytes, as if a signal had come in between;
//               eio, enospc: the call fails and does nothing.
// FAULT_AFTER   once: that call alone (default); always: all further ones fail, too, with EIO or
//               ENOSPC. Removing files still works, as on a full disk.
// FAULT_QUOTA   bytes after which writing and creating fails with ENOSPC, the last write short.
//               statvfs then says that nothing is free.
// FAULT_DELAY   µs by which each fsync, fdatasync and rename is held up.
// FAULT_LOG     a file to which a line "NUMBER CALL BYTES PATH" is appended for the call acted at;
//               for every counted call where there is neither FAULT_POINT nor FAULT_QUOTA.
