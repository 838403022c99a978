#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_STAGED_FILE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_STAGED_FILE_H_

#include <cstdint>
#include <functional>
#include <utility>

#include "services/blob/io/system_calls.h"
#include "services/blob/io/write_gate.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::blob {

// A staged upload in a file. It starts to write bytes to the disk while more come in, so that the final sync has little
// left to do.
class StagedFile : public StagedUpload {
 public:
  // `fd` is open for reading and writing, on a file of `size_bytes`. `published`: the file has its final name already.
  StagedFile(OwnedFd fd, uint64_t size_bytes, bool published, SystemCalls* calls, WriteGate* gate, BlobMetrics* metrics)
      : fd_(std::move(fd)),
        size_bytes_(size_bytes),
        write_back_end_(size_bytes),
        published_(published),
        calls_(*calls),
        gate_(*gate),
        metrics_(*metrics) {}

  uint64_t size_bytes() const override { return size_bytes_; }
  bool published() const { return published_; }
  absl::Status Append(absl::string_view bytes) override;
  absl::Status Truncate(uint64_t size_bytes) override;
  absl::Status Sync() override;
  absl::Status Read(const std::function<void(absl::string_view)>& take) override;

 private:
  void StartWriteBack();

  const OwnedFd fd_;
  uint64_t size_bytes_;
  uint64_t write_back_end_;
  const bool published_;
  // A failed write may have left bytes behind the end.
  bool overhang_ = false;
  SystemCalls& calls_;
  WriteGate& gate_;
  BlobMetrics& metrics_;
};

// Syncs a file or a directory, and measures the duration. A failure closes the gate, unless the disk is full.
absl::Status SyncOrCloseGate(absl::string_view what, const std::function<int()>& sync, WriteGate& gate,
                             BlobMetrics& metrics);

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_STAGED_FILE_H_
