#ifndef ENTREPOT_SERVICES_BLOB_S3_UPLOAD_MEMORY_H_
#define ENTREPOT_SERVICES_BLOB_S3_UPLOAD_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "prometheus/gauge.h"
#include "services/status/oci_error.h"

namespace entrepot::blob::s3 {

// Bounds the memory of bytes that uploads hold until the server has them. Thread-safe.
class UploadMemory {
 public:
  // `gauge` outlives this.
  UploadMemory(uint64_t bytes_max, prometheus::Gauge* gauge) : bytes_max_(bytes_max), gauge_(*gauge) {}

  // One upload's share. Not thread-safe.
  class Share {
   public:
    explicit Share(UploadMemory* memory) : memory_(*memory) {}
    ~Share() { Set(0).IgnoreError(); }
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // kUnavailable, and nothing changes, if it grows and the sum would exceed the bound.
    absl::Status Set(uint64_t bytes) {
      absl::Status status = memory_.Change(bytes_, bytes);
      if (status.ok()) bytes_ = bytes;
      return status;
    }

   private:
    UploadMemory& memory_;
    uint64_t bytes_ = 0;
  };

  // Whether more than half is taken: then uploads hold no more than they must.
  bool is_scarce() {
    absl::MutexLock lock(&mutex_);
    return used_ > bytes_max_ / 2;
  }

 private:
  absl::Status Change(uint64_t from, uint64_t to) {
    absl::MutexLock lock(&mutex_);
    if (to > from && used_ - from + to > bytes_max_) {
      return OciError(OciErrorCode::kUnavailable,
                      absl::StrCat("uploads that run hold ", bytes_max_,
                                   " bytes, which is the bound objects.s3.upload_memory_bytes_max"));
    }
    used_ = used_ - from + to;
    gauge_.Set(static_cast<double>(used_));
    return absl::OkStatus();
  }

  const uint64_t bytes_max_;
  prometheus::Gauge& gauge_;
  absl::Mutex mutex_;
  uint64_t used_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_UPLOAD_MEMORY_H_
