#ifndef ENTREPOT_SERVICES_CORE_TIME_DEADLINE_H_
#define ENTREPOT_SERVICES_CORE_TIME_DEADLINE_H_

#include <chrono>

#include "absl/time/time.h"

namespace entrepot {

// A moment of the monotonic clock, for waits. Setting the system's clock does not move it, as it would move an
// absl::Time, which all waits of absl::Mutex and absl::CondVar follow. A value.
class Deadline {
 public:
  // `from_now` may be infinite. A deadline that is not after now has passed.
  static Deadline After(absl::Duration from_now);
  static Deadline Passed() { return After(absl::ZeroDuration()); }

  bool passed() const { return Left() == absl::ZeroDuration(); }
  // The time that is left; zero once the deadline has passed.
  absl::Duration Left() const;

  // For std::condition_variable::wait_until(), which then waits by the monotonic clock.
  std::chrono::steady_clock::time_point time() const { return time_; }

 private:
  explicit Deadline(std::chrono::steady_clock::time_point time) : time_(time) {}

  std::chrono::steady_clock::time_point time_;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_DEADLINE_H_
