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

// What happens where a step is reached.
struct FailpointAction {
  // kCrash: as kill -9. kError: the step fails with kUnavailable. kStop: frozen, as by SIGSTOP, until SIGCONT.
  enum class Kind { kCrash, kError, kStop, kSleep };

  Kind kind = Kind::kError;
  absl::Duration sleep;
  // The only time it happens; 0: each time.
  int64_t only_at = 0;
};

// What is to happen at which step: "name=crash", "name=error@3" (the third time alone), "name=stop",
// "name=sleep:250ms"; several separated by commas. Thread-safe.
class FailpointPlan {
 public:
  // kInvalidArgument, which says what is wrong where.
  static absl::StatusOr<std::map<std::string, FailpointAction, std::less<>>> Parse(absl::string_view text);

  explicit FailpointPlan(std::map<std::string, FailpointAction, std::less<>> actions) : actions_(std::move(actions)) {}

  // Counts that the step was reached, and tells what is to happen now.
  std::optional<FailpointAction> Next(absl::string_view name);

 private:
  const std::map<std::string, FailpointAction, std::less<>> actions_;
  absl::Mutex mutex_;
  std::map<std::string, int64_t, std::less<>> times_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FAILPOINT_FAILPOINT_PLAN_H_
