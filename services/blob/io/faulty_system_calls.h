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

// The kernel's calls, with failures that a test injects. Thread-safe.
class FaultySystemCalls : public SystemCalls {
 public:
  enum class Call { kOpen, kWrite, kRead, kTruncate, kDataSync, kSync, kWriteBack, kRename, kReplace, kLink, kUnlink };

  // The next `skip` calls of that kind succeed; then `times` calls fail with `error` (an errno).
  void Fail(Call call, int error, int skip = 0, int times = std::numeric_limits<int>::max());
  // Stops all failures.
  void Heal();
  // A write accepts at most `bytes`.
  void LimitWrites(size_t bytes);
  // Whether every file system reports hardly any free space.
  void FillDisk(bool full);
  // Interrupts every other write, read and sync (EINTR).
  void Interrupt();
  // The calls so far except reads and opens, in their order.
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
  int RenameAt(int old_directory, const char* old_path, int new_directory, const char* new_path) override;
  int LinkAt(int old_directory, const char* old_path, int new_directory, const char* new_path) override;
  int UnlinkAt(int directory, const char* path) override;

 private:
  struct Fault {
    int error = 0;
    int skip = 0;
    int times = 0;
  };

  // Whether the call fails. Sets errno then.
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
