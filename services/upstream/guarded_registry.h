#ifndef ENTREPOT_SERVICES_UPSTREAM_GUARDED_REGISTRY_H_
#define ENTREPOT_SERVICES_UPSTREAM_GUARDED_REGISTRY_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/upstreams.pb.h"
#include "services/core/time/clock.h"
#include "services/outbound/breaker.h"
#include "services/upstream/registry/upstream_registry.h"
#include "services/upstream/upstream_metrics.h"

namespace entrepot::upstream {

// An upstream behind a breaker: while it fails (5xx, time-outs, a 429 without a wait and the like), calls return at
// once with kUnavailable and a Retry-After. A blob that broke off is asked for in any case, so that a fetch can go on.
// Counts requests and bytes; logs when the upstream begins to fail, and when it responds again. What it does not have
// is MANIFEST_UNKNOWN or BLOB_UNKNOWN. Thread-safe.
class GuardedRegistry final : public UpstreamRegistry {
 public:
  // `clock` and `metrics` outlive the object.
  GuardedRegistry(config::v1::Upstream config, std::shared_ptr<UpstreamRegistry> registry, const Clock* clock,
                  UpstreamMetrics* metrics);

  const config::v1::Upstream& config() const { return config_; }

  // OK if calls go to the upstream; otherwise the status that they return.
  absl::Status health() const;
  // Whether a call would go to the upstream now, perhaps as a probe.
  bool due() const { return breaker_.due(); }
  // The message of health(), which costs more; nullopt if due().
  std::optional<std::string> pause_reason() const;
  uint64_t requests() const { return requests_.load(std::memory_order_relaxed); }
  uint64_t bytes_fetched() const { return bytes_fetched_.load(std::memory_order_relaxed); }

  absl::StatusOr<UpstreamManifest> HeadManifest(const std::string& repository, const Reference& reference) override;
  absl::StatusOr<UpstreamManifest> GetManifest(const std::string& repository, const Reference& reference) override;
  absl::StatusOr<UpstreamBlobHead> HeadBlob(const std::string& repository, const Digest& digest) override;
  absl::Status GetBlob(const std::string& repository, const Digest& digest, uint64_t offset_bytes,
                       const BlobSink& sink) override;
  absl::StatusOr<std::vector<std::string>> ListTags(const std::string& repository, size_t tags_max) override;
  absl::StatusOr<std::vector<Referrer>> ListReferrers(const std::string& repository, const Digest& subject) override;
  RateLimit rate_limit() const override { return registry_->rate_limit(); }
  void Stop() override { registry_->Stop(); }

 private:
  template <typename Call>
  auto Guard(Call call) -> decltype(call());
  void NoteResult(const absl::Status& status, absl::Duration took);
  void NoteSuccess();

  const config::v1::Upstream config_;
  const std::shared_ptr<UpstreamRegistry> registry_;
  UpstreamMetrics& metrics_;
  outbound::Breaker breaker_;
  std::atomic<uint64_t> requests_{0};
  std::atomic<uint64_t> bytes_fetched_{0};
  mutable absl::Mutex mutex_;
  // Of the last failure.
  std::string reason_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_GUARDED_REGISTRY_H_
