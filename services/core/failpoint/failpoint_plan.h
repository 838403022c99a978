#ifndef ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_PLAN_H_
#define ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_PLAN_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace entrepot {

// The action at a failpoint.
struct FailpointAction {
  // kCrash: dies as by kill -9. kError: the step fails with kUnavailable. kStop: freezes, as by SIGSTOP, until SIGCONT.
  // kSleep: waits for `sleep`.
  enum class Kind { kCrash, kError, kStop, kSleep };

  Kind kind = Kind::kError;
  absl::Duration sleep;
  // The one time at which the action happens; 0 for each time.
  int64_t only_at = 0;
};

// A plan of actions: "name=crash", "name=error@3" (only the third time), "name=stop", "name=sleep:250ms"; several are
// separated by commas. Thread-safe.
class FailpointPlan {
 public:
  // kInvalidArgument with the position and the kind of the error.
  static absl::StatusOr<std::map<std::string, FailpointAction, std::less<>>> Parse(absl::string_view text);

  explicit FailpointPlan(std::map<std::string, FailpointAction, std::less<>> actions) : actions_(std::move(actions)) {}

  // Counts that the failpoint was reached, and returns the action for this time.
  std::optional<FailpointAction> Next(absl::string_view name);

 private:
  const std::map<std::string, FailpointAction, std::less<>> actions_;
  absl::Mutex mutex_;
  std::map<std::string, int64_t, std::less<>> times_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_PLAN_H_
