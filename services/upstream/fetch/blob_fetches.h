#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_BLOB_FETCHES_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_BLOB_FETCHES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "prometheus/registry.h"
#include "services/core/digest.h"
#include "services/upstream/fetch/fetch_reader.h"
#include "services/upstream/names/upstream_names.h"
#include "services/upstream/registry/upstream_registry.h"
#include "services/upstream/store/cache_store.h"

namespace entrepot::upstream {

// Fetches blobs of upstreams into the store, each digest of a repository once at a time, whatever number of readers ask
// for it. A fetch of a digest that is being fetched for another repository of the upstream takes the bytes from there,
// if the upstream has the blob in this repository too. A fetch belongs to no reader: it goes on without any, and is
// resumed at the byte where the upstream broke off; it gives up after some resumptions that brought no byte. A body
// that is short, or has another digest, is not stored. The bytes go to a file in `spool_directory` for the readers and
// to the store at the same time; a fetch that is faster than the disk waits. Memory: one buffer for each fetch.
//
// The next fetch that may run is one of the client that has the fewest running; among them, the one that has waited
// longest. So a client that asks for much does not keep the others waiting.
//
// A reader that is far ahead of the fetch asks the upstream for its bytes by a second request, until the fetch has
// caught up (ahead_reader.h).
//
// With several upstream services over one store, one of them fetches a digest of an upstream (claim_keeper.h). In the
// others the fetch waits, without a place among those that run: it looks into the store at growing intervals of up to
// 1 s, and takes over when the other has given up or its claim has ended. Thread-safe.
class BlobFetches {
 public:
  static constexpr size_t kFetchesWaitingMax = 1024;
  static constexpr uint64_t kBlobBytesMax = 1'099'511'627'776;

  struct Options {
    // Made if it does not exist. Files that a crash has left in it are deleted.
    std::string spool_directory;
    // Fetches at the same time; more wait for their turn. One upstream gets half of them, so that an upstream that
    // hangs leaves room for the others.
    size_t fetches_max = 32;
    // Waiting, for their turn or for another process, and running; beyond it Open() gives kUnavailable with a
    // Retry-After. One upstream gets half of them, too, and the fetches that one client
    // started have a quarter.
    size_t fetches_waiting_max = kFetchesWaitingMax;
    // A fetch gives up after so many resumptions in a row that brought no byte. Before the first byte it tries once
    // more.
    int resumptions_max = 5;
    // Before the first resumption; doubled for each one that brings no byte.
    absl::Duration resumption_pause = absl::Milliseconds(200);
    // For how long the spooled bytes of a stored blob stay for readers that come late.
    absl::Duration stored_lifetime = absl::Seconds(5);
    // For how long a failure is the answer to all that ask for the blob.
    absl::Duration failure_lifetime = absl::Seconds(1);
    // This upstream service among all that use the store; the same after a restart. Empty: a random name.
    std::string holder;
    // If this process is killed, for how long the others wait for its fetches.
    absl::Duration claim_lifetime = absl::Seconds(10);
    // A blob with more bytes is not fetched.
    uint64_t blob_bytes_max = kBlobBytesMax;
    // If null, the metrics are counted but not exported.
    std::shared_ptr<prometheus::Registry> registry;
  };
  // `store` must outlive it. kUnavailable: the directory cannot be used.
  static absl::StatusOr<std::unique_ptr<BlobFetches>> Create(CacheStore* store, Options options);
  // Stop(), and waits for the threads of the fetches.
  virtual ~BlobFetches() = default;

  // Joins the fetch of that digest and repository, or starts one, or joins what is left of one that has just ended.
  // `upstream` must stay alive until the fetch ends: hence shared. Does not wait for the upstream. The caller has
  // looked into the store and not found the blob. `client`: whose share a fetch that this starts counts against
  // (Requester() in services/core/client_network.h); empty for fetches of the registry itself, which have no share.
  // Errors: the failure of a fetch that has just failed; kUnavailable (UNAVAILABLE) if too many fetches wait, in sum,
  // of this upstream or of this client; kCancelled after Stop().
  virtual absl::StatusOr<std::unique_ptr<FetchReader>> Open(std::shared_ptr<UpstreamRegistry> upstream,
                                                            const CachedRepository& repository, const Digest& digest,
                                                            const std::string& client) = 0;
  // Ends all fetches; their readers get kCancelled. Calls UpstreamRegistry::Stop() of those that run, so that no thread
  // waits for an upstream. Does not wait.
  virtual void Stop() = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_BLOB_FETCHES_H_
