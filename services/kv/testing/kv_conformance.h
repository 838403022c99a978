#ifndef ENTREPOT_SERVICES_KV_TESTING_KV_CONFORMANCE_H_
#define ENTREPOT_SERVICES_KV_TESTING_KV_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "services/kv/kv_engine.h"

namespace entrepot::kv {

// What every engine must do. A backend's test instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(Memory, KvConformance, testing::Values(KvBackend{...}));
struct KvBackend {
  std::string name;
  // A new, empty engine, whose Transact makes `attempts_max` attempts and waits `lock_timeout` for one lock.
  std::function<std::unique_ptr<KvEngine>(int attempts_max, absl::Duration lock_timeout)> make;

  friend std::ostream& operator<<(std::ostream& os, const KvBackend& backend) { return os << backend.name; }
};

class KvConformance : public testing::TestWithParam<KvBackend> {
 protected:
  static constexpr int kAttemptsMax = 5;

  KvEngine& kv() { return *kv_; }
  // An engine that waits so long for a lock that a test which waits for it hangs visibly.
  std::unique_ptr<KvEngine> kv_ = GetParam().make(kAttemptsMax, absl::Seconds(60));
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_TESTING_KV_CONFORMANCE_H_
