#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_BLOB_FETCHES_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_BLOB_FETCHES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "prometheus/registry.h"
#include "services/core/digest.h"
#include "services/upstream/cache_store.h"
#include "services/upstream/names/upstream_names.h"
#include "services/upstream/registry/upstream_registry.h"

namespace entrepot::upstream {

// Reads one blob while it is fetched. Used by one thread at a time. The fetch goes on when it is destroyed.
class FetchReader {
 public:
  virtual ~FetchReader() = default;

  // Calls `ready` once, on any thread, perhaps before this returns: as soon as Read(offset) would not return 0 bytes, or
  // an error. A second call replaces the first. `ready` must not block.
  virtual void WhenReadable(uint64_t offset_bytes, std::function<void()> ready) = 0;
  // Up to `size` bytes from the offset; 0 if there are none yet, and at the end. The last bytes of the blob are held
  // back until its digest is verified and it is stored, so an error comes before the end if the bytes are wrong.
  // Errors: UpstreamError(), or of the store. May read from the disk.
  virtual absl::StatusOr<size_t> Read(uint64_t offset_bytes, char* data, size_t size) = 0;
  // Of the whole blob. nullopt until the upstream has answered, and if it does not tell until the end.
  virtual std::optional<uint64_t> size_bytes() const = 0;
  // Calls `ready` once as soon as size_bytes() is known or the fetch has failed.
  virtual void WhenSizeKnown(std::function<void()> ready) = 0;
  // The status of the fetch: OK while it runs, and after it has stored the blob.
  virtual absl::Status status() const = 0;
  // The blob is stored: what is left can be read from the blob service.
  virtual bool stored() const = 0;
};

// Fetches blobs of upstreams into the store, each digest of a repository once at a time, whatever number of readers ask
// for it. A fetch belongs to no reader: it goes on without any, and is resumed at the byte where the upstream broke
// off; it gives up after some resumptions that brought no byte. A body that is short, or has another digest, is not
// stored. The bytes go to a file in `spool_directory` for the readers and to the store at the same time; a fetch that
// is faster than the disk waits. Memory: one buffer for each fetch. Thread-safe.
class BlobFetches {
 public:
  struct Options {
    std::string spool_directory;  // Emptied by Create().
    // Fetches at the same time; more wait for their turn.
    size_t fetches_max = 32;
    // Waiting and running; beyond it Open() gives kUnavailable with a Retry-After.
    size_t fetches_waiting_max = 1024;
    // A fetch gives up after so many resumptions in a row that brought no byte.
    int resumptions_max = 5;
    absl::Duration resumption_pause = absl::Milliseconds(200);
    std::shared_ptr<prometheus::Registry> registry;
  };
  static absl::StatusOr<std::unique_ptr<BlobFetches>> Create(CacheStore* store, Options options);
  virtual ~BlobFetches() = default;

  // Joins the fetch of that digest and repository, or starts one. `upstream` must stay alive until the fetch ends:
  // hence shared. Does not wait for the upstream.
  virtual absl::StatusOr<std::unique_ptr<FetchReader>> Open(std::shared_ptr<UpstreamRegistry> upstream,
                                                            const CachedRepository& repository,
                                                            const Digest& digest) = 0;
  // Ends all fetches; their readers get kCancelled.
  virtual void Stop() = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_BLOB_FETCHES_H_
