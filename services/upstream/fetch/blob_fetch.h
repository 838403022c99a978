#ifndef ENTREPOT_SERVICES_UPSTREAM_FETCH_BLOB_FETCH_H_
#define ENTREPOT_SERVICES_UPSTREAM_FETCH_BLOB_FETCH_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/core/digest.h"
#include "services/core/digester.h"
#include "services/core/time/backoff.h"
#include "services/core/time/stop_signal.h"
#include "services/upstream/fetch/claim_keeper.h"
#include "services/upstream/fetch/fetch_metrics.h"
#include "services/upstream/fetch/fetch_progress.h"
#include "services/upstream/fetch/spool_file.h"
#include "services/upstream/names/upstream_names.h"
#include "services/upstream/registry/upstream_registry.h"
#include "services/upstream/store/cache_store.h"

namespace entrepot::upstream {

// One fetch of one blob, from the first request to the commit. Used by one thread.
class BlobFetch {
 public:
  struct Options {
    std::string spool_directory;
    int resumptions_max = 5;
    absl::Duration resumption_pause;
    uint64_t blob_bytes_max = 0;
  };

  // `store`, `claims`, `metrics` and `stop` must outlive it.
  BlobFetch(CacheStore* store, ClaimKeeper* claims, FetchMetrics* metrics, StopSignal* stop,
            std::shared_ptr<UpstreamRegistry> upstream, const CachedRepository& repository, const Digest& digest,
            const Options& options);

  enum class Next {
    // The blob is stored, or the store fails.
    kEnded,
    // The blob is not stored. Another process fetches it, or this call could not claim the fetch: Begin() again after
    // NextWait().
    kAwait,
    // This process has the claim: Run().
    kFetch,
  };
  // Looks into the store. If the fetch may run now, claims it. Does not wait for the upstream.
  Next Begin(bool may_run);
  // How long to wait for another process before the next Begin(). Longer for each call.
  absl::Duration NextWait() { return wait_.Next(); }

  // Another fetch of that digest, which runs, for another repository: its bytes are taken instead of asking the
  // upstream for them again, if a HEAD shows that this repository has the blob too. After Begin() and before Run().
  void Follow(std::shared_ptr<FetchProgress> other) { other_ = std::move(other); }

  // Fetches the blob and stores it, ends the progress, and gives the claim up. Blocks.
  void Run();

  const std::shared_ptr<FetchProgress>& progress() const { return progress_; }
  const CachedRepository& repository() const { return repository_; }
  const Digest& digest() const { return digest_; }
  const std::shared_ptr<UpstreamRegistry>& upstream() const { return upstream_; }

 private:
  absl::StatusOr<Next> FindOrClaim(bool may_run);
  absl::Status Fetch();
  // The fetch has failed.
  void Fail(absl::Status status);
  // Takes what the other fetch has until it ends. An error ends this fetch.
  absl::Status CopyOther();
  // All bytes are here and have the digest.
  bool IsComplete() const;
  // The bytes that are here cannot become the blob, and the upstream has sent as many as it stated.
  bool IsWrong() const { return size_bytes_ == spooled_bytes(); }
  // After a request that did not complete the blob: waits before the next one. An error ends the fetch.
  absl::Status AwaitNextRequest(const absl::Status& status);
  absl::Status StoreGathered();
  absl::Status Commit();

  absl::Status OnHead(const UpstreamBlobHead& head);
  absl::Status OnBytes(absl::string_view bytes);
  // Takes the bytes that are spooled already off the front of `bytes`.
  absl::Status SkipKnown(absl::string_view* bytes);
  // Ends the fetch with that status, whatever the upstream does next.
  absl::Status Refuse(absl::Status status);
  absl::Status Invalid(absl::string_view problem) const;
  uint64_t spooled_bytes() const { return spool_ == nullptr ? 0 : spool_->size_bytes(); }

  CacheStore* const store_;
  ClaimKeeper* const claims_;
  FetchMetrics* const metrics_;
  const FetchMetrics::OfUpstream counters_;
  StopSignal* const stop_;
  const std::shared_ptr<UpstreamRegistry> upstream_;
  const CachedRepository repository_;
  const Digest digest_;
  const Options options_;
  const std::shared_ptr<FetchProgress> progress_ = std::make_shared<FetchProgress>();

  std::unique_ptr<ClaimKeeper::Claim> claim_;
  bool awaits_ = false;
  std::shared_ptr<FetchProgress> other_;
  SpoolFile* spool_ = nullptr;  // Of progress_.
  std::unique_ptr<BlobWriter> writer_;
  // Spooled, and not given to writer_ yet.
  std::string gathered_;
  Digester digester_;
  std::optional<uint64_t> size_bytes_;
  // Where the next byte of the current answer belongs: before the end of the spool if the upstream began anew.
  uint64_t position_bytes_ = 0;
  absl::Status refusal_;
  // Requests in a row that brought no byte.
  int fruitless_ = 0;
  // The last answer that brought a byte ended as a whole one.
  bool ended_whole_ = false;
  absl::BitGen random_;
  Backoff wait_;
  std::optional<Backoff> backoff_;  // Begins anew with each byte.
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_FETCH_BLOB_FETCH_H_
