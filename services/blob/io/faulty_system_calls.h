#ifndef ENTREPOT_SERVICES_BLOB_IO_FAULTY_SYSTEM_CALLS_H_
#define ENTREPOT_SERVICES_BLOB_IO_FAULTY_SYSTEM_CALLS_H_

#include <cstddef>
#include <limits>
#include <map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/blob/io/system_calls.h"

namespace entrepot::blob {

// The kernel's calls, failing as a test wants. Thread-safe.
class FaultySystemCalls : public SystemCalls {
 public:
  enum class Call { kOpen, kWrite, kRead, kTruncate, kDataSync, kSync, kWriteBack, kRename, kLink, kUnlink };

  // Calls of that kind fail with `error` (an errno), after `skip` more have succeeded, `times` times.
  void Fail(Call call, int error, int skip = 0, int times = std::numeric_limits<int>::max());
  // No call fails any more.
  void Heal();
  // A write takes no more than so many bytes.
  void LimitWrites(size_t bytes);
  // The file system of every file is all but full, or is not.
  void FillDisk(bool full);
  // Every other write, read and sync is interrupted (EINTR).
  void Interrupt();
  // The calls so far but reads and opens, in their order.
  std::vector<Call> Changes() const;

  int OpenAt(int directory, const char* path, int flags, mode_t mode) override;
  ssize_t PWrite(int fd, const void* data, size_t size, off_t offset) override;
  ssize_t PRead(int fd, void* data, size_t size, off_t offset) override;
  int FTruncate(int fd, off_t size) override;
  int FStatVfs(int fd, struct statvfs* result) override;
  int FDataSync(int fd) override;
  int FSync(int fd) override;
  int SyncFileRange(int fd, off_t offset, off_t size) override;
  int RenameNoReplace(int old_directory, const char* old_path, int new_directory, const char* new_path) override;
  int LinkAt(int old_directory, const char* old_path, int new_directory, const char* new_path) override;
  int UnlinkAt(int directory, const char* path) override;

 private:
  struct Fault {
    int error = 0;
    int skip = 0;
    int times = 0;
  };

  // Whether the call fails; errno is set then.
  bool Fails(Call call);

  mutable absl::Mutex mutex_;
  std::map<Call, Fault> faults_ ABSL_GUARDED_BY(mutex_);
  std::vector<Call> changes_ ABSL_GUARDED_BY(mutex_);
  size_t write_max_ ABSL_GUARDED_BY(mutex_) = std::numeric_limits<size_t>::max();
  bool full_ ABSL_GUARDED_BY(mutex_) = false;
  bool interrupt_ ABSL_GUARDED_BY(mutex_) = false;
  bool interrupted_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_IO_FAULTY_SYSTEM_CALLS_H_
