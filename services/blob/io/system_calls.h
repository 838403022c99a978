#ifndef ENTREPOT_SERVICES_BLOB_IO_SYSTEM_CALLS_H_
#define ENTREPOT_SERVICES_BLOB_IO_SYSTEM_CALLS_H_

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>

#include <cstddef>

namespace entrepot::blob {

// The system calls on files, which tests can replace to make them fail. Each behaves like the call that its manual page
// describes: -1 and errno on a failure. Thread-safe.
class SystemCalls {
 public:
  // The calls of the kernel.
  static SystemCalls* Default();

  virtual ~SystemCalls() = default;

  virtual int OpenAt(int directory, const char* path, int flags, mode_t mode);
  virtual ssize_t PWrite(int fd, const void* data, size_t size, off_t offset);
  virtual ssize_t PRead(int fd, void* data, size_t size, off_t offset);
  virtual int FTruncate(int fd, off_t size);
  virtual int FStat(int fd, struct stat* result);
  // fstatat that does not follow a link.
  virtual int FStatAt(int directory, const char* path, struct stat* result);
  virtual int FStatVfs(int fd, struct statvfs* result);
  virtual int FDataSync(int fd);
  virtual int FSync(int fd);
  // Starts writing dirty pages to the disk (SYNC_FILE_RANGE_WRITE).
  virtual int SyncFileRange(int fd, off_t offset, off_t size);
  // renameat2 with RENAME_NOREPLACE.
  virtual int RenameNoReplace(int old_directory, const char* old_path, int new_directory, const char* new_path);
  // Replaces what has the new name.
  virtual int RenameAt(int old_directory, const char* old_path, int new_directory, const char* new_path);
  virtual int LinkAt(int old_directory, const char* old_path, int new_directory, const char* new_path);
  virtual int UnlinkAt(int directory, const char* path);
  virtual int MkDirAt(int directory, const char* path, mode_t mode);
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_IO_SYSTEM_CALLS_H_
