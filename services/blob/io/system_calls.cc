#include "services/blob/io/system_calls.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <unistd.h>

#include <cstdio>

namespace entrepot::blob {

SystemCalls* SystemCalls::Default() {
  static SystemCalls* const kernel = new SystemCalls();
  return kernel;
}

int SystemCalls::OpenAt(int directory, const char* path, int flags, mode_t mode) {
  return ::openat(directory, path, flags | O_CLOEXEC, mode);
}

ssize_t SystemCalls::PWrite(int fd, const void* data, size_t size, off_t offset) {
  return ::pwrite(fd, data, size, offset);
}

ssize_t SystemCalls::PRead(int fd, void* data, size_t size, off_t offset) { return ::pread(fd, data, size, offset); }

int SystemCalls::FTruncate(int fd, off_t size) { return ::ftruncate(fd, size); }

int SystemCalls::FStat(int fd, struct stat* result) { return ::fstat(fd, result); }

int SystemCalls::FStatAt(int directory, const char* path, struct stat* result) {
  return ::fstatat(directory, path, result, AT_SYMLINK_NOFOLLOW);
}

int SystemCalls::FStatVfs(int fd, struct statvfs* result) { return ::fstatvfs(fd, result); }

int SystemCalls::FDataSync(int fd) { return ::fdatasync(fd); }

int SystemCalls::FSync(int fd) { return ::fsync(fd); }

int SystemCalls::SyncFileRange(int fd, off_t offset, off_t size) {
  return ::sync_file_range(fd, offset, size, SYNC_FILE_RANGE_WRITE);
}

int SystemCalls::RenameNoReplace(int old_directory, const char* old_path, int new_directory, const char* new_path) {
  return ::renameat2(old_directory, old_path, new_directory, new_path, RENAME_NOREPLACE);
}

int SystemCalls::RenameAt(int old_directory, const char* old_path, int new_directory, const char* new_path) {
  return ::renameat(old_directory, old_path, new_directory, new_path);
}

int SystemCalls::LinkAt(int old_directory, const char* old_path, int new_directory, const char* new_path) {
  return ::linkat(old_directory, old_path, new_directory, new_path, 0);
}

int SystemCalls::UnlinkAt(int directory, const char* path) { return ::unlinkat(directory, path, 0); }

int SystemCalls::MkDirAt(int directory, const char* path, mode_t mode) { return ::mkdirat(directory, path, mode); }

}  // namespace entrepot::blob
