#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_REPLICA_ROTATION_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_REPLICA_ROTATION_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/runtime/grpc/replica.h"

namespace entrepot::runtime {

// How a call to a replica ended.
enum class CallOutcome {
  kAnswered,     // With a response, or an error of the service's own.
  kLost,         // It did not reach the replica, or the response was lost.
  kLate,         // No response within the deadline.
  kIndifferent,  // The caller ended it.
};

// What a health probe of a replica found.
enum class ReplicaHealth {
  kServing,
  kNotServing,   // It reports so: it is not ready, or shutting down.
  kUnreachable,  // No connection.
  kSilent,       // No response in time.
};
absl::string_view ToString(ReplicaHealth health);

// Chooses the replica of a service for each call: of those that serve, the one with the fewest calls under way from
// this process; in turn if several have as few. So a long upload does not share a replica with another one while there
// is a replica without one.
//
// - A replica that a probe did not find serving, or that lost a call, gets no calls until a probe finds it serving.
// - A replica that fails kFailuresMax calls in a row, although probes find it serving, is ejected: it gets no calls for
//   kEjectionMin, twice as long each further time, at most kEjectionMax. At most half of the replicas are ejected.
// - If this leaves no replica, all get calls in turn: a call that may fail is better than one that must.
//
// Thread-safe.
class ReplicaRotation {
 public:
  using Time = std::chrono::steady_clock::time_point;

  static constexpr int kFailuresMax = 5;
  static constexpr std::chrono::seconds kEjectionMin{10};
  static constexpr std::chrono::seconds kEjectionMax{120};
  // A replica that is silent for so many probes in a row loses its calls under way, if another one serves.
  static constexpr int kSilentProbesMax = 3;

  // The first replicas count as serving; one that joins later gets calls once a probe finds it serving. Those that were
  // there keep their state.
  void Replace(const std::vector<std::shared_ptr<Replica>>& replicas);
  std::vector<std::shared_ptr<Replica>> replicas() const;

  // Null if there is no replica. The caller counts the call (Replica::CountCall).
  std::shared_ptr<Replica> Next(Time now);

  // Returns whether the replica is now ejected, and was not before.
  bool ReportCall(const Replica& replica, CallOutcome outcome, Time now);

  struct Change {
    bool changed = false;        // The health differs from the one before.
    bool give_up_calls = false;  // See kSilentProbesMax.
  };
  Change ReportHealth(const Replica& replica, ReplicaHealth health, Time now);

  // Those that get calls in the ordinary way.
  std::vector<std::shared_ptr<Replica>> Serving(Time now) const;
  size_t CountEjected(Time now) const;

 private:
  struct Entry {
    std::shared_ptr<Replica> replica;
    ReplicaHealth health = ReplicaHealth::kServing;
    int failures = 0;       // In a row.
    int silent_probes = 0;  // In a row.
    int ejections = 0;
    Time ejected_until = Time::min();
  };

  // The one with the fewest calls among those to which `is_candidate` applies; null if there is none.
  template <typename Predicate>
  const Entry* LeastBusy(Predicate is_candidate) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static bool IsUsable(const Entry& entry, Time now) {
    return entry.health == ReplicaHealth::kServing && entry.ejected_until <= now;
  }
  Entry* Find(const Replica& replica) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayEject(Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);
  // The place from which the next choice begins.
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_REPLICA_ROTATION_H_
