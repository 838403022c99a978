#ifndef ENTREPOT_SERVICES_BLOB_S3_UPLOAD_MEMORY_H_
#define ENTREPOT_SERVICES_BLOB_S3_UPLOAD_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/blob/s3/s3_metrics.h"

namespace entrepot::blob::s3 {

// Bounds the memory of bytes that uploads hold until the server has them: objects.s3.upload_memory_bytes_max in sum,
// and a share of it for one account or address, so that slow uploads of one leave room for those of others.
// Thread-safe.
class UploadMemory {
 public:
  // One account or address gets one part of so many.
  static constexpr uint64_t kShare = 2;

  // `metrics` outlives this.
  UploadMemory(uint64_t bytes_max, S3Metrics* metrics) : bytes_max_(bytes_max), metrics_(*metrics) {}

  // The memory of one upload. Not thread-safe.
  class Reservation {
   public:
    explicit Reservation(UploadMemory* memory) : memory_(*memory) {}
    ~Reservation() { Set(0).IgnoreError(); }
    Reservation(const Reservation&) = delete;
    Reservation& operator=(const Reservation&) = delete;

    // Whose share the memory counts against from now on; empty: of none. Only while nothing is reserved.
    void SetOwner(std::string owner) { owner_ = std::move(owner); }
    // kUnavailable, with a message for the client, and nothing changes, if it grows and the sum would exceed the bound,
    // or that of the owner its share.
    absl::Status Set(uint64_t bytes) {
      absl::Status status = memory_.Change(owner_, bytes_, bytes);
      if (status.ok()) bytes_ = bytes;
      return status;
    }
    // Whether more than half of all, or of the owner's share, is taken: then an upload holds no more than it must.
    bool is_scarce() const { return memory_.IsScarce(owner_); }

   private:
    UploadMemory& memory_;
    std::string owner_;
    uint64_t bytes_ = 0;
  };

 private:
  absl::Status Change(const std::string& owner, uint64_t from, uint64_t to);
  bool IsScarce(const std::string& owner);

  const uint64_t bytes_max_;
  S3Metrics& metrics_;
  absl::Mutex mutex_;
  uint64_t used_ ABSL_GUARDED_BY(mutex_) = 0;
  // No zeros.
  std::map<std::string, uint64_t> used_by_owner_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_UPLOAD_MEMORY_H_
