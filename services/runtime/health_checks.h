#ifndef ENTREPOT_SERVICES_RUNTIME_HEALTH_CHECKS_H_
#define ENTREPOT_SERVICES_RUNTIME_HEALTH_CHECKS_H_

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "prometheus/collectable.h"
#include "prometheus/metric_family.h"
#include "services/runtime/threads/periodic_task.h"

namespace entrepot::runtime {

// What a process can do for its clients, from the least to the most.
enum class Readiness {
  // Nothing can be pulled: requests should go to another process.
  kNone,
  // Content can be pulled. Pushes get 503.
  kPulls,
  kAll,
};

// One cause for which a process may not be ready.
struct HealthCheck {
  // What is checked, such as "blob service": for /readyz and the label of the metrics.
  std::string name;
  // What the process can still do if the check fails: kNone or kPulls.
  Readiness without = Readiness::kNone;
  // OK, or the reason. May block; is called on a thread of its own.
  std::function<absl::Status()> check;
};

struct ReadinessReport {
  Readiness readiness = Readiness::kNone;
  // Whether each check has answered at least once.
  bool complete = false;
  // The body of /readyz: the verdict, then a line for each check with its age, failed ones first.
  std::string text;
};

// Decides what a process is ready for, from all causes. Each check is called again and again on a thread of its own, so
// that Report() waits for none of them, and a check that hangs delays no other. A check that has not answered for
// longer than `patience` counts as failed. Thread-safe.
//
// Metrics: entrepot_ready{for}, entrepot_health_check_ok{check}, entrepot_health_check_age_seconds{check}.
class HealthChecks : public prometheus::Collectable {
 public:
  struct Options {
    absl::Duration interval = absl::Seconds(1);
    // Longer than each check takes in vain: calls to other processes give up after 0.8 s.
    absl::Duration patience = absl::Seconds(5);
  };

  HealthChecks(std::vector<HealthCheck> checks, const Options& options);
  // Calls Stop().
  ~HealthChecks() override;

  ReadinessReport Report() const;
  // Waits for the checks under way. None is called afterwards.
  void Stop();

  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  using Time = std::chrono::steady_clock::time_point;

  struct State {
    // When the call under way, or the first call, began; nullopt while none is under way.
    std::optional<Time> begun_at;
    std::optional<Time> answered_at;
    absl::Status answer = absl::UnavailableError("has not been checked yet");
  };

  void Run(size_t index);
  // What the check counts as now.
  absl::Status StatusOf(const State& state, Time now) const;

  const std::vector<HealthCheck> checks_;
  const Options options_;
  mutable absl::Mutex mutex_;
  // In the order of checks_.
  std::vector<State> states_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<PeriodicTask>> tasks_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_HEALTH_CHECKS_H_
