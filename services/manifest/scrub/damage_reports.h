#ifndef ENTREPOT_SERVICES_MANIFEST_SCRUB_DAMAGE_REPORTS_H_
#define ENTREPOT_SERVICES_MANIFEST_SCRUB_DAMAGE_REPORTS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/core/digest.h"
#include "services/core/lru_map.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::manifest {

// The reports of readers that a blob's bytes are damaged. To verify a blob costs as much as to read it, so a thread of
// its own verifies one blob after the other; no thread of a reporter waits for it. Many reports of one blob cause one
// verification, and none for kRemembered after one that succeeded. Thread-safe.
class DamageReports {
 public:
  static constexpr absl::Duration kRemembered = absl::Minutes(1);

  // Called once, on any thread, when the blob has been verified: a reader that was given damaged bytes learns of its
  // failure when a push can heal the blob.
  using Done = absl::AnyInvocable<void(absl::Status)>;
  using Verify = std::function<absl::Status(const Digest& digest, const StorageKey& storage_key)>;
  struct Options {
    // The most blobs that wait. Further reports are dropped: the scrub finds the damage later.
    size_t waiting_max = 1000;
    // The registry of the metrics. If null, they are counted but not exported.
    std::shared_ptr<prometheus::Registry> registry;
  };

  // `verify` is called on the thread. An error of it is logged; the next report of the blob causes a new attempt.
  // `clock` must outlive this.
  DamageReports(const Clock* clock, Verify verify, const Options& options);
  // Calls Stop(). Waits for the verification under way.
  ~DamageReports();

  DamageReports(const DamageReports&) = delete;
  DamageReports& operator=(const DamageReports&) = delete;

  // `done` gets the status of the verification, or OK at once if one has succeeded less than kRemembered ago.
  // kResourceExhausted: the report is dropped. kCancelled: Stop() was called.
  void Add(const Digest& digest, const StorageKey& storage_key, Done done);

  // Ends all reports with kCancelled, and those that come later. Does not wait for the verification under way.
  void Stop();

 private:
  struct Report {
    Digest digest;
    StorageKey storage_key;

    std::string Name() const;
  };
  struct Metrics {
    explicit Metrics(prometheus::Registry& registry);

    prometheus::Counter& queued;
    prometheus::Counter& repeated;
    prometheus::Counter& dropped;
    prometheus::Counter& failed;
    prometheus::Gauge& waiting;
  };

  void VerifyNow(const Report& report);
  bool WasVerified(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Queues the report, and keeps `done`; or returns its status now.
  std::optional<absl::Status> Queue(Report report, Done& done);

  const Clock& clock_;
  const Verify verify_;
  const size_t waiting_max_;
  const std::shared_ptr<prometheus::Registry> registry_;
  const Metrics metrics_;

  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  // Of the reports that wait, and of the one that is being verified.
  std::map<std::string, std::vector<Done>> known_ ABSL_GUARDED_BY(mutex_);
  LruMap<std::string, absl::Time> verified_at_ ABSL_GUARDED_BY(mutex_){1000};

  // Destroyed first. Its jobs do nothing after Stop().
  runtime::Executor thread_{1};
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_SCRUB_DAMAGE_REPORTS_H_
