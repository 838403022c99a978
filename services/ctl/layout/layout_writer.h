#ifndef ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_WRITER_H_
#define ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/digest.h"
#include "services/ctl/layout/layout_index.h"

namespace entrepot::ctl {

// Writes an OCI image layout. What an earlier, interrupted run has written is used after it was verified: a blob that
// is there is not written again, one that is there in part is continued. Blobs are written one after another. Errors:
// kFailedPrecondition: the place is not one for a layout; kUnavailable: the disk; messages have the path. Not
// thread-safe.
class LayoutWriter {
 public:
  virtual ~LayoutWriter() = default;

  // Whether the blob is there, whole and with its digest.
  virtual absl::StatusOr<bool> Has(const Digest& digest) = 0;
  // Begins a blob that is not there. Returns how many of its bytes are there already.
  virtual absl::StatusOr<uint64_t> BeginBlob(const Digest& digest, uint64_t size_bytes) = 0;
  virtual absl::Status Append(absl::string_view bytes) = 0;
  // kDataLoss: the bytes have another digest or another number; they are dropped.
  virtual absl::Status EndBlob() = 0;

  // Adds the entries to the index, and makes all durable. Must be the last call.
  virtual absl::Status Finish(const std::vector<LayoutEntry>& entries) = 0;
};

// A layout in the directory `path`, which is made if it does not exist. Images are added to a layout that is there.
absl::StatusOr<std::unique_ptr<LayoutWriter>> OpenDirectoryLayout(const std::string& path);

// A layout in the tar file `path`, which must not exist. Until Finish() the file has the suffix ".partial".
absl::StatusOr<std::unique_ptr<LayoutWriter>> OpenTarLayout(const std::string& path);

// BeginBlob(), Append() and EndBlob() of a blob in memory, unless it is there.
absl::Status WriteWholeBlob(LayoutWriter* layout, const Digest& digest, absl::string_view content);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_WRITER_H_
