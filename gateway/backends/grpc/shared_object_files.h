#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_SHARED_OBJECT_FILES_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_SHARED_OBJECT_FILES_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "prometheus/counter.h"
#include "prometheus/registry.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::gateway {

// A file of the blob service, as that describes it. An object's file never changes, and its name is never used twice.
struct ObjectFile {
  std::string path;  // Below the service's directory of blobs.
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  int64_t modified_nanoseconds = 0;
};

// Opens the files of a blob service whose directory this process sees too, so that their bytes need not pass through
// the service. Counts in entrepot_gateway_object_files_total{result}: "opened" or "refused". Thread-safe.
class SharedObjectFiles {
 public:
  // After a refused file no other is tried for this time: the directory is then another store's, or cannot be read.
  static constexpr std::chrono::seconds kPause{30};
  // One missing file is that of an object that was just collected. So many without one that is there, and the directory
  // is another store's.
  static constexpr int kMissingInARowMax = 8;

  // `directory` is the directory `blobs` in the data directory of the blob service, as this process sees it.
  SharedObjectFiles(std::string directory, const std::shared_ptr<prometheus::Registry>& registry);

  // Whether to ask the service for a file now.
  bool usable() const;

  // The open file. kNotFound if there is none; another error if it is not the regular file that the service has
  // described, if its path has a symbolic link, or if the kernel has no openat2 (before Linux 5.6): then the directory
  // may be another store's, which is logged. The bytes must then come from the service. May block on the disk.
  absl::StatusOr<OwnedFd> Open(const ObjectFile& file);

 private:
  absl::StatusOr<OwnedFd> TryToOpen(const ObjectFile& file) const;

  const std::string directory_;
  prometheus::Counter* opened_;
  prometheus::Counter* refused_;
  std::atomic<std::chrono::steady_clock::rep> usable_at_;  // Ticks of the steady clock.
  std::atomic<int> missing_in_a_row_{0};
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_SHARED_OBJECT_FILES_H_
