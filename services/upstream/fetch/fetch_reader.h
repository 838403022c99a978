#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_FETCH_READER_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_FETCH_READER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::upstream {

// Bytes of a file, at the same offset as in the blob, which do not change while the descriptor is open.
struct FilePart {
  OwnedFd file;
  uint64_t length_bytes = 0;
};

// Reads one blob while it is fetched. Used by one thread at a time. The fetch goes on when it is destroyed. It may
// outlive the BlobFetches that it comes from.
//
// A callback must not block, and may call the reader or destroy it. It may be called on another thread while the reader
// is being destroyed, or just after, so it must own what it uses.
class FetchReader {
 public:
  virtual ~FetchReader() = default;

  // Calls `ready` once, on any thread, perhaps before this returns: as soon as Read(offset) would not return 0 bytes,
  // or an error, or the fetch has ended. A second call replaces the first.
  virtual void WhenReadable(uint64_t offset_bytes, std::function<void()> ready) = 0;
  // Up to `size` bytes from the offset; 0 if there are none yet, and at the end. The last bytes of the blob are held
  // back until its digest is verified and it is stored, so an error comes before the end if the bytes are wrong.
  // Errors: UpstreamError(), or of the store, or kCancelled after Stop(). kFailedPrecondition: the blob is stored(), by
  // another process, and was not fetched: read it from the blob service. May read from the disk.
  virtual absl::StatusOr<size_t> Read(uint64_t offset_bytes, char* data, size_t size) = 0;
  // What Read() would give, as bytes of a file that can be sent without copying them; nullopt if there are none yet, at
  // the end, and if they are not in a file. Errors as Read(). Does not read from the disk.
  virtual absl::StatusOr<std::optional<FilePart>> ReadableFile(uint64_t offset_bytes) = 0;
  // Of the whole blob. nullopt until the first bytes have arrived, and if the upstream does not tell until the end.
  virtual std::optional<uint64_t> size_bytes() const = 0;
  // Calls `ready` once as soon as size_bytes() is known or the fetch has failed. A second call replaces the first.
  virtual void WhenSizeKnown(std::function<void()> ready) = 0;
  // The status of the fetch: OK while it runs, and after it has stored the blob.
  virtual absl::Status status() const = 0;
  // The blob is stored: what is left can be read from the blob service. True before the first byte if another process
  // has stored it meanwhile.
  virtual bool stored() const = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_FETCH_READER_H_
