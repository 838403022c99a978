#ifndef ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_READER_H_
#define ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/core/digest.h"
#include "services/ctl/layout/layout_index.h"

namespace entrepot::ctl {

// Reads an OCI image layout, a directory or a tar file, or the storage of CNCF Distribution's registry. Verifies
// nothing: its users compare digests. Errors: kNotFound: the layout does not have the blob; kUnavailable: the disk. Not
// thread-safe.
class LayoutReader {
 public:
  // Larger manifests are refused.
  static constexpr uint64_t kManifestBytesMax = 16 << 20;

  virtual ~LayoutReader() = default;

  virtual const std::vector<LayoutEntry>& entries() const = 0;
  // What is broken beside the content of blobs: one sentence for each.
  virtual const std::vector<std::string>& problems() const = 0;
  virtual absl::StatusOr<uint64_t> BlobSize(const Digest& digest) = 0;
  // `length` bytes from `offset` on; fewer at the blob's end.
  virtual absl::StatusOr<std::string> ReadBlob(const Digest& digest, uint64_t offset, size_t length) = 0;

  // A whole manifest, which is verified. kDataLoss: it has another digest; kInvalidArgument: it is too large.
  absl::StatusOr<std::string> ReadManifest(const Digest& digest);
};

// kInvalidArgument: the path does not exist, or what is there is not such a layout; the message has what is missing.
absl::StatusOr<std::unique_ptr<LayoutReader>> OpenLayout(const std::string& path);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_LAYOUT_LAYOUT_READER_H_
