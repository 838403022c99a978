#ifndef ENTREPOT_SERVICES_KV_TESTING_KV_CONFORMANCE_H_
#define ENTREPOT_SERVICES_KV_TESTING_KV_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "services/kv/aborted_retry.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

// The contract of services/kv/kv_engine.h as tests. The test of an engine instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, KvConformance, testing::Values(KvBackend{...}));
struct KvBackend {
  std::string name;
  // A new, empty engine, whose Transact retries by `retry` and waits `lock_timeout` for one lock.
  std::function<std::unique_ptr<KvEngine>(const RetryPolicy& retry, absl::Duration lock_timeout)> make;

  friend std::ostream& operator<<(std::ostream& os, const KvBackend& backend) { return os << backend.name; }
};

class KvConformance : public testing::TestWithParam<KvBackend> {
 protected:
  static constexpr int kAttemptsMax = 5;

  KvEngine& kv() { return *kv_; }
  static RetryPolicy Attempts(int attempts_max) {
    RetryPolicy retry;
    retry.attempts_max = attempts_max;
    return retry;
  }

  // Its lock timeout is so long that a test which runs into it is visibly slow.
  std::unique_ptr<KvEngine> kv_ = GetParam().make(Attempts(kAttemptsMax), absl::Seconds(60));
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_TESTING_KV_CONFORMANCE_H_
