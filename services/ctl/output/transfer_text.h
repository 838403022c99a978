#ifndef ENTREPOT_SERVICES_CTL_OUTPUT_TRANSFER_TEXT_H_
#define ENTREPOT_SERVICES_CTL_OUTPUT_TRANSFER_TEXT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace entrepot::ctl {

// An image that is carried from a registry to a file, or the other way; as far as it is.
struct ImageTransfer {
  // "docker.io/library/nginx:1.27"
  std::string image;
  std::string digest = {};
  // With those of children and referrers.
  uint64_t manifests = 0;
  uint64_t blobs = 0;
  uint64_t blobs_done = 0;
  // Of `blobs`, those that were at the destination.
  uint64_t blobs_there = 0;
  uint64_t bytes = 0;
  uint64_t bytes_done = 0;
  // Manifests that belong to it and that the source does not have.
  std::vector<std::string> absent = {};

  // A blob that manifests state with `stated_bytes`, and that has `size_bytes`, is at the destination. `counted_bytes`
  // of it are in bytes_done.
  void CountBlob(uint64_t stated_bytes, uint64_t counted_bytes, uint64_t size_bytes) {
    ++blobs_done;
    bytes_done += size_bytes - counted_bytes;
    bytes += size_bytes - stated_bytes;
  }
};

// For a terminal, and a line for a log.
std::string TransferBar(const ImageTransfer& transfer, absl::Duration elapsed);
std::string TransferLine(const ImageTransfer& transfer);
// `verb` is "exported" or "imported". Ends with a newline.
std::string TransferText(absl::string_view verb, const std::vector<ImageTransfer>& transfers);
// For scripts: {"images": [...], "problems": [...]} with a newline.
std::string TransferJson(const std::vector<ImageTransfer>& transfers, const std::vector<std::string>& problems = {});

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_OUTPUT_TRANSFER_TEXT_H_
