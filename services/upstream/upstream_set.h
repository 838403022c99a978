#ifndef ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_SET_H_
#define ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_SET_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/upstreams.pb.h"
#include "services/core/time/clock.h"
#include "services/upstream/guarded_registry.h"
#include "services/upstream/names/upstreams_file.h"
#include "services/upstream/registry/upstream_registry.h"
#include "services/upstream/upstream_metrics.h"

namespace entrepot::upstream {

// Makes the client of one entry of the upstreams file. Called again when the entry changes.
using MakeRegistry =
    std::function<absl::StatusOr<std::shared_ptr<UpstreamRegistry>>(const config::v1::Upstream& upstream)>;

// The upstreams of the file. When the file changes, those whose entries changed are made anew; calls that run keep the
// old ones. Thread-safe.
class UpstreamSet {
 public:
  // The pointers outlive the set.
  UpstreamSet(const UpstreamsFile* file, MakeRegistry make, const Clock* clock, UpstreamMetrics* metrics);

  // Null if the file has no upstream of that name. If its client cannot be made, which is logged and tried again after
  // 10 s, all its calls return kUnavailable with the reason; after Stop() kCancelled.
  std::shared_ptr<GuardedRegistry> Find(absl::string_view name);
  // The same without making or waiting for anything: null also if the client is to be made first, or could not be made.
  std::shared_ptr<GuardedRegistry> FindReady(absl::string_view name) const;
  // In the order of the file.
  std::vector<std::shared_ptr<GuardedRegistry>> All();
  // Makes calls to all upstreams, also to those that only running calls keep, return kCancelled.
  void Stop();

 private:
  struct Member {
    std::shared_ptr<GuardedRegistry> registry;
    // What it was made from.
    std::string entry;
    bool usable = false;
    absl::Time made_at;
  };
  using Members = absl::flat_hash_map<std::string, Member>;

  void UseCurrentLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsDueLocked(const Member& member) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Member Make(const config::v1::Upstream& upstream);

  const UpstreamsFile& file_;
  const MakeRegistry make_;
  const Clock& clock_;
  UpstreamMetrics& metrics_;
  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  // Whether an upstream of the snapshot could not be made.
  bool incomplete_ ABSL_GUARDED_BY(mutex_) = false;
  std::shared_ptr<const UpstreamsSnapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
  Members members_ ABSL_GUARDED_BY(mutex_);
  // No more members, but perhaps in use.
  std::vector<std::weak_ptr<GuardedRegistry>> former_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_SET_H_
