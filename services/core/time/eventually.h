#ifndef ENTREPOT_SERVICES_CORE_TIME_EVENTUALLY_H_
#define ENTREPOT_SERVICES_CORE_TIME_EVENTUALLY_H_

#include <chrono>
#include <thread>

#include "absl/functional/function_ref.h"

namespace entrepot {

// Polls `condition` until it holds; returns false if it does not within half a minute of the monotonic clock. For tests
// of effects that other threads have: a test fails instead of hanging.
inline bool Eventually(absl::FunctionRef<bool()> condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= give_up) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_EVENTUALLY_H_
